//! Formats of 32 numbers of 4 or 5 bits to a block.
#![expect(unsafe_code, reason = "vector instructions on blocks at computed places")]

#[expect(
    clippy::wildcard_imports,
    reason = "the names of instructions are the vocabulary here"
)]
use std::arch::x86_64::*;

use super::{Halves, Panel, ROWS, columns, field, halves, put, put_rows};

/// `Q4_0` as 0..=15 with a minimum of −8 scales (`c` = 8 where a product knows it).
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn q4_0(rows: &[*const u8; ROWS], groups: usize, panel: &mut Panel) {
    // SAFETY: a block is 2 bytes of scale and 16 of numbers.
    unsafe {
        let scales = halves(rows, groups, 18, 0);
        scales_and_multiples(&scales, -8.0, groups, panel);
        fours(rows, groups, 18, 2, panel);
    }
}

/// `Q4_1` as 0..=15 with its minima.
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn q4_1(rows: &[*const u8; ROWS], groups: usize, panel: &mut Panel) {
    // SAFETY: a block is 4 bytes of scale and minimum and 16 of numbers.
    unsafe {
        scales_and_minima(
            &halves(rows, groups, 20, 0),
            &halves(rows, groups, 20, 2),
            groups,
            panel,
        );
        fours(rows, groups, 20, 4, panel);
    }
}

/// `Q5_0` as 0..=31 with a minimum of −16 scales (`c` = 16 where a product knows it).
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn q5_0(rows: &[*const u8; ROWS], groups: usize, panel: &mut Panel) {
    // SAFETY: a block is 2 bytes of scale, 4 of fifth bits and 16 of numbers.
    unsafe {
        let scales = halves(rows, groups, 22, 0);
        scales_and_multiples(&scales, -16.0, groups, panel);
        fives(rows, groups, 22, 2, panel);
    }
}

/// `Q5_1` as 0..=31 with its minima.
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn q5_1(rows: &[*const u8; ROWS], groups: usize, panel: &mut Panel) {
    // SAFETY: a block is 4 bytes of scale and minimum, 4 of fifth bits and 16 of numbers.
    unsafe {
        scales_and_minima(
            &halves(rows, groups, 24, 0),
            &halves(rows, groups, 24, 2),
            groups,
            panel,
        );
        fives(rows, groups, 24, 4, panel);
    }
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
fn scales_and_multiples(scales: &Halves, multiple: f32, groups: usize, panel: &mut Panel) {
    for group in 0..groups {
        for half in 0..2 {
            let scale = scales.of(group, half);
            put_rows(&mut panel.scales, group, half, scale);
            let minimum = _mm256_mul_ps(scale, _mm256_set1_ps(multiple));
            put_rows(&mut panel.minima, group, half, minimum);
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
fn scales_and_minima(scales: &Halves, minima: &Halves, groups: usize, panel: &mut Panel) {
    for group in 0..groups {
        for half in 0..2 {
            put_rows(&mut panel.scales, group, half, scales.of(group, half));
            put_rows(&mut panel.minima, group, half, minima.of(group, half));
        }
    }
}

/// The numbers of 4 bits, which start at `at` of blocks of `block` bytes.
///
/// # Safety
/// The blocks are there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn fours(
    rows: &[*const u8; ROWS],
    groups: usize,
    block: usize,
    at: usize,
    panel: &mut Panel,
) {
    for group in 0..groups {
        for half in 0..2 {
            // SAFETY: the caller's.
            let columns = unsafe { columns(&rows[half * 8..], group * block + at) };
            for (index, values) in columns.into_iter().enumerate() {
                let column = group * 32 + index * 4;
                put(panel, column, half, field(values, 0, 15));
                put(panel, column + 16, half, field(values, 4, 15));
            }
        }
    }
}

/// The numbers of 5 bits; their fifth bits start at `at` of blocks of `block` bytes.
///
/// # Safety
/// The blocks are there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn fives(
    rows: &[*const u8; ROWS],
    groups: usize,
    block: usize,
    at: usize,
    panel: &mut Panel,
) {
    // A byte of fifth bits, in all four bytes of its dword, tells of 8 numbers; these are the bits
    // of the first four and of the last four.
    let bits = [_mm256_set1_epi32(0x0804_0201), _mm256_set1_epi32(0x8040_2010_u32.cast_signed())];
    let byte = |index: i8| {
        let spread = _mm_set_epi8(12, 12, 12, 12, 8, 8, 8, 8, 4, 4, 4, 4, 0, 0, 0, 0);
        _mm256_broadcastsi128_si256(_mm_add_epi8(spread, _mm_set1_epi8(index)))
    };
    let fifth = _mm256_set1_epi8(16);
    for group in 0..groups {
        for half in 0..2 {
            let rows = &rows[half * 8..];
            let start = group * block + at;
            // SAFETY: the caller's.
            let (numbers, high) = unsafe { (columns(rows, start + 4), dwords(rows, start)) };
            for pair in 0..2 {
                let low_half = _mm256_shuffle_epi8(high, byte(pair as i8));
                let high_half = _mm256_shuffle_epi8(high, byte(pair as i8 + 2));
                for within in 0..2 {
                    let index = pair * 2 + within;
                    let set = |spread| {
                        let set =
                            _mm256_cmpeq_epi8(_mm256_and_si256(spread, bits[within]), bits[within]);
                        _mm256_and_si256(set, fifth)
                    };
                    let column = group * 32 + index * 4;
                    let low = field(numbers[index], 0, 15);
                    put(panel, column, half, _mm256_or_si256(low, set(low_half)));
                    let high = field(numbers[index], 4, 15);
                    put(panel, column + 16, half, _mm256_or_si256(high, set(high_half)));
                }
            }
        }
    }
}

/// A dword at `at` of each of 8 rows.
///
/// # Safety
/// The bytes are there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn dwords(rows: &[*const u8], at: usize) -> __m256i {
    // SAFETY: the caller's.
    let of = |row: usize| unsafe { rows[row].add(at).cast::<i32>().read_unaligned() };
    _mm256_setr_epi32(of(0), of(1), of(2), of(3), of(4), of(5), of(6), of(7))
}
