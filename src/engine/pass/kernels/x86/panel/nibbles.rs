//! Formats of 32 numbers of 4 or 5 bits to a block.
#![allow(clippy::wildcard_imports, reason = "the names of instructions are the vocabulary here")]
#![expect(unsafe_code, reason = "vector instructions on blocks at computed places")]

use std::arch::x86_64::*;

use super::{Halves, Panel, Rows, columns, field, halves, put, put_rows};

/// `Q4_0` as 0..=15 with a minimum of −8 scales (`c` = 8 where a product knows it).
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn q4_0(rows: Rows, groups: usize, panel: &mut Panel) {
    // SAFETY: a block is 2 bytes of scale and 16 of numbers.
    unsafe {
        let scales = halves::<18, 0>(rows, groups);
        scales_and_multiples(&scales, -8.0, groups, panel);
        fours::<18, 2>(rows, groups, panel);
    }
}

/// `Q4_1` as 0..=15 with its minima.
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn q4_1(rows: Rows, groups: usize, panel: &mut Panel) {
    // SAFETY: a block is 4 bytes of scale and minimum and 16 of numbers.
    unsafe {
        scales_and_minima(
            &halves::<20, 0>(rows, groups),
            &halves::<20, 2>(rows, groups),
            groups,
            panel,
        );
        fours::<20, 4>(rows, groups, panel);
    }
}

/// `Q5_0` as 0..=31 with a minimum of −16 scales (`c` = 16 where a product knows it).
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn q5_0(rows: Rows, groups: usize, panel: &mut Panel) {
    // SAFETY: a block is 2 bytes of scale, 4 of fifth bits and 16 of numbers.
    unsafe {
        let scales = halves::<22, 0>(rows, groups);
        scales_and_multiples(&scales, -16.0, groups, panel);
        fives::<22, 2>(rows, groups, panel);
    }
}

/// `Q5_1` as 0..=31 with its minima.
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn q5_1(rows: Rows, groups: usize, panel: &mut Panel) {
    // SAFETY: a block is 4 bytes of scale and minimum, 4 of fifth bits and 16 of numbers.
    unsafe {
        scales_and_minima(
            &halves::<24, 0>(rows, groups),
            &halves::<24, 2>(rows, groups),
            groups,
            panel,
        );
        fives::<24, 4>(rows, groups, panel);
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

/// The numbers of 4 bits, which start at `AT` of blocks of `BLOCK` bytes.
///
/// # Safety
/// The blocks are there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn fours<const BLOCK: usize, const AT: usize>(rows: Rows, groups: usize, panel: &mut Panel) {
    for group in 0..groups {
        for half in 0..2 {
            // SAFETY: the caller's.
            let columns = unsafe { columns(rows.half(half), group * BLOCK + AT) };
            for (index, values) in columns.into_iter().enumerate() {
                let column = group * 32 + index * 4;
                put(panel, column, half, field(values, 0, 15));
                put(panel, column + 16, half, field(values, 4, 15));
            }
        }
    }
}

/// The numbers of 5 bits; their fifth bits start at `AT` of blocks of `BLOCK` bytes.
///
/// # Safety
/// The blocks are there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn fives<const BLOCK: usize, const AT: usize>(rows: Rows, groups: usize, panel: &mut Panel) {
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
            let rows = rows.half(half);
            let start = group * BLOCK + AT;
            // SAFETY: the caller's.
            let (numbers, high) = unsafe { (columns(rows, start + 4), columns(rows, start)[0]) };
            for pair in 0..2 {
                let low_half = _mm256_shuffle_epi8(high, byte(pair as i8));
                let high_half = _mm256_shuffle_epi8(high, byte(pair as i8 + 2));
                for (within, bits) in bits.into_iter().enumerate() {
                    let index = pair * 2 + within;
                    let set = |spread| {
                        let set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bits), bits);
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
