//! Formats of 256 numbers to a block, with scales of their groups in integers.
#![allow(clippy::wildcard_imports, reason = "the names of instructions are the vocabulary here")]
#![expect(unsafe_code, reason = "vector instructions on blocks at computed places")]

use std::arch::x86_64::*;

use super::{
    Panel, Rows, Use, byte, columns, field, halves, pair, put, put_rows, signed_byte, transposed,
    two_halves, words,
};

/// `Q2_K` as 0..=3, groups of 16 with their minima.
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn q2_k<U: Use>(rows: Rows, _: usize, panel: &mut Panel) {
    // SAFETY: 16 bytes of scales, 64 of numbers, a scale, a minimum.
    let (units, minima) = unsafe { (halves::<84, 80>(rows, 1), halves::<84, 82>(rows, 1)) };
    for half in 0..2 {
        let rows = rows.half(half);
        let unit = units.of(0, half);
        let minimum = _mm256_sub_ps(_mm256_setzero_ps(), minima.of(0, half));
        put_unit::<U>(panel, half, unit);
        // SAFETY: as above.
        let scales = unsafe { columns(rows, 0) };
        for (four, scales) in scales.into_iter().enumerate() {
            let (low, high) = (field(scales, 0, 15), field(scales, 4, 15));
            for index in 0..4 {
                put_scale::<U>(panel, four * 4 + index, half, byte(low, index), unit);
                let minimum = _mm256_mul_ps(_mm256_cvtepi32_ps(byte(high, index)), minimum);
                put_rows(&mut panel.minima, four * 4 + index, half, minimum);
            }
        }
        for piece in 0..4 {
            // SAFETY: as above.
            let numbers = unsafe { columns(rows, 16 + piece * 16) };
            for (index, numbers) in numbers.into_iter().enumerate() {
                let column = piece / 2 * 128 + piece % 2 * 16 + index * 4;
                for quarter in 0..4 {
                    let values = field(numbers, quarter as i32 * 2, 3);
                    put(panel, column + quarter * 32, half, values);
                }
            }
        }
    }
}

/// `Q3_K` as 0..=7 with `c` = 4, groups of 16.
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn q3_k<U: Use>(rows: Rows, _: usize, panel: &mut Panel) {
    // SAFETY: 32 bytes of third bits, 64 of numbers, 12 of scales, a scale.
    let units = unsafe { halves::<110, 108>(rows, 1) };
    for half in 0..2 {
        let rows = rows.half(half);
        let unit = units.of(0, half);
        put_unit::<U>(panel, half, unit);
        // The scales with the 2 bytes before them, which are shifted out, as 16 bytes from the
        // start of the scales would reach past the block.
        // SAFETY: as above.
        let last = |row| unsafe { _mm256_srli_si256::<2>(pair(rows, row, 94)) };
        let [first, second, high, _] = transposed([last(0), last(1), last(2), last(3)]);
        for four in 0..4 {
            let low = field(if four % 2 == 0 { first } else { second }, four / 2 * 4, 15);
            let high = _mm256_slli_epi32::<4>(field(high, four * 2, 3));
            let scales = _mm256_sub_epi8(_mm256_or_si256(low, high), _mm256_set1_epi8(32));
            put_centred::<U, 4>(panel, four as usize, half, scales, unit);
        }
        for piece in 0..2 {
            // SAFETY: as above.
            let (high, numbers) = unsafe {
                let part = |part: usize| columns(rows, 32 + part * 32 + piece * 16);
                (columns(rows, piece * 16), [part(0), part(1)])
            };
            for index in 0..4 {
                for eighth in 0..8 {
                    let low = field(numbers[eighth / 4][index], eighth as i32 % 4 * 2, 3);
                    let third = _mm256_slli_epi32::<2>(field(high[index], eighth as i32, 1));
                    let column = eighth * 32 + piece * 16 + index * 4;
                    put(panel, column, half, _mm256_or_si256(low, third));
                }
            }
        }
    }
}

/// `Q4_K` as 0..=15 with its minima.
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn q4_k<U: Use>(rows: Rows, _: usize, panel: &mut Panel) {
    for half in 0..2 {
        let rows = rows.half(half);
        // SAFETY: 16 bytes of scales, 128 of numbers.
        unsafe { header::<U>(rows, half, panel) };
        for piece in 0..8 {
            // SAFETY: as above.
            let numbers = unsafe { columns(rows, 16 + piece * 16) };
            for (index, numbers) in numbers.into_iter().enumerate() {
                let column = piece / 2 * 64 + piece % 2 * 16 + index * 4;
                put(panel, column, half, field(numbers, 0, 15));
                put(panel, column + 32, half, field(numbers, 4, 15));
            }
        }
    }
}

/// `Q5_K` as 0..=31 with its minima.
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn q5_k<U: Use>(rows: Rows, _: usize, panel: &mut Panel) {
    for half in 0..2 {
        let rows = rows.half(half);
        // SAFETY: 16 bytes of scales, 32 of fifth bits, 128 of numbers.
        unsafe { header::<U>(rows, half, panel) };
        for piece in 0..2 {
            // SAFETY: as above.
            let high = unsafe { columns(rows, 16 + piece * 16) };
            for two in 0..4 {
                // SAFETY: as above.
                let numbers = unsafe { columns(rows, 48 + two * 32 + piece * 16) };
                for (index, numbers) in numbers.into_iter().enumerate() {
                    let column = two * 64 + piece * 16 + index * 4;
                    let fifth =
                        |group: usize| _mm256_slli_epi32::<4>(field(high[index], group as i32, 1));
                    let low = _mm256_or_si256(field(numbers, 0, 15), fifth(two * 2));
                    put(panel, column, half, low);
                    let high = _mm256_or_si256(field(numbers, 4, 15), fifth(two * 2 + 1));
                    put(panel, column + 32, half, high);
                }
            }
        }
    }
}

/// `Q6_K` as 0..=63 with `c` = 32, groups of 16.
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn q6_k<U: Use>(rows: Rows, _: usize, panel: &mut Panel) {
    // SAFETY: 128 bytes of low bits, 64 of high bits, 16 of scales, a scale.
    let units = unsafe { halves::<210, 208>(rows, 1) };
    for half in 0..2 {
        let rows = rows.half(half);
        let unit = units.of(0, half);
        put_unit::<U>(panel, half, unit);
        // SAFETY: as above.
        let scales = unsafe { columns(rows, 192) };
        for (four, scales) in scales.into_iter().enumerate() {
            put_centred::<U, 32>(panel, four, half, scales, unit);
        }
        for piece in 0..4 {
            let (part, within) = (piece / 2, piece % 2 * 16);
            // SAFETY: as above.
            let (first, second, high) = unsafe {
                let low = part * 64 + within;
                (
                    columns(rows, low),
                    columns(rows, low + 32),
                    columns(rows, 128 + part * 32 + within),
                )
            };
            for index in 0..4 {
                let column = part * 128 + within + index * 4;
                let high = high[index];
                let two = |at| _mm256_and_si256(at, _mm256_set1_epi8(0x30));
                let values = [
                    (field(first[index], 0, 15), two(_mm256_slli_epi32::<4>(high))),
                    (field(second[index], 0, 15), two(_mm256_slli_epi32::<2>(high))),
                    (field(first[index], 4, 15), two(high)),
                    (field(second[index], 4, 15), two(_mm256_srli_epi32::<2>(high))),
                ];
                for (quarter, (low, high)) in values.into_iter().enumerate() {
                    put(panel, column + quarter * 32, half, _mm256_or_si256(low, high));
                }
            }
        }
    }
}

/// The scales and minima of `Q4_K` and `Q5_K`.
///
/// # Safety
/// The 16 bytes are there.
#[inline]
#[target_feature(enable = "avx2,f16c")]
unsafe fn header<U: Use>(rows: Rows, half: usize, panel: &mut Panel) {
    // SAFETY: the caller's.
    let [units, first, second, third] = unsafe { columns(rows, 0) };
    let (unit, minimum) = two_halves(units);
    let minimum = _mm256_sub_ps(_mm256_setzero_ps(), minimum);
    put_unit::<U>(panel, half, unit);
    let joined = |low, high| _mm256_or_si256(low, _mm256_slli_epi32::<4>(field(high, 6, 3)));
    let scales = [field(first, 0, 63), joined(field(third, 0, 15), first)];
    let minima = [field(second, 0, 63), joined(field(third, 4, 15), second)];
    for group in 0..8 {
        put_scale::<U>(panel, group, half, byte(scales[group / 4], group % 4), unit);
        let minimum =
            _mm256_mul_ps(_mm256_cvtepi32_ps(byte(minima[group / 4], group % 4)), minimum);
        put_rows(&mut panel.minima, group, half, minimum);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn put_unit<U: Use>(panel: &mut Panel, half: usize, unit: __m256) {
    if !U::DOT {
        // SAFETY: 8 numbers.
        unsafe { _mm256_store_ps(panel.unit[half * 8..half * 8 + 8].as_mut_ptr(), unit) }
    }
}

/// Writes the scales of a group, given as integers.
#[inline]
#[target_feature(enable = "avx2")]
fn put_scale<U: Use>(panel: &mut Panel, group: usize, half: usize, scale: __m256i, unit: __m256) {
    let value = if U::DOT {
        _mm256_mul_ps(_mm256_cvtepi32_ps(scale), unit)
    } else {
        _mm256_castsi256_ps(words(scale, scale))
    };
    put_rows(&mut panel.scales, group, half, value);
}

/// Writes the scales of four groups of 16, given as signed bytes, and in `Sums` `−C` times them.
#[inline]
#[target_feature(enable = "avx2")]
fn put_centred<U: Use, const C: i32>(
    panel: &mut Panel,
    four: usize,
    half: usize,
    scales: __m256i,
    unit: __m256,
) {
    let scales: [__m256i; 4] = [
        signed_byte(scales, 0),
        signed_byte(scales, 1),
        signed_byte(scales, 2),
        signed_byte(scales, 3),
    ];
    for (index, scale) in scales.into_iter().enumerate() {
        put_scale::<U>(panel, four * 4 + index, half, scale, unit);
    }
    if !U::DOT {
        for pair in 0..2 {
            let both = words(scales[pair * 2], scales[pair * 2 + 1]);
            let offset = _mm256_mullo_epi16(both, _mm256_set1_epi16(-C as i16));
            put_rows(&mut panel.minima, four * 2 + pair, half, _mm256_castsi256_ps(offset));
        }
    }
}
