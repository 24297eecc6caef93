//! Formats whose numbers take 8 bits with a sign: in `Sums` widened to i16, in `Dot` with 128 added.
#![allow(clippy::wildcard_imports, reason = "the names of instructions are the vocabulary here")]
#![expect(unsafe_code, reason = "vector instructions on blocks at computed places")]

use std::arch::x86_64::*;

use super::{Panel, Rows, Use, columns, field, halves, put, put_rows, put_wide};
use crate::block::IQ4_VALUES;

/// `Q8_0`.
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn q8_0<U: Use>(rows: Rows, groups: usize, panel: &mut Panel) {
    // SAFETY: a block is 2 bytes of scale and 32 of numbers.
    let scales = unsafe { halves::<34, 0>(rows, groups) };
    for group in 0..groups {
        for half in 0..2 {
            put_rows(&mut panel.scales, group, half, scales.of(group, half));
            for part in 0..2 {
                // SAFETY: as above.
                let columns = unsafe { columns(rows.half(half), group * 34 + 2 + part * 16) };
                for (index, values) in columns.into_iter().enumerate() {
                    put_signed::<U>(panel, group * 32 + part * 16 + index * 4, half, values);
                }
            }
        }
    }
}

/// `IQ4_NL`.
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn iq4_nl<U: Use>(rows: Rows, groups: usize, panel: &mut Panel) {
    // SAFETY: a block is 2 bytes of scale and 16 of indices.
    let scales = unsafe { halves::<18, 0>(rows, groups) };
    for group in 0..groups {
        for half in 0..2 {
            put_rows(&mut panel.scales, group, half, scales.of(group, half));
            // SAFETY: as above.
            let indices = unsafe { columns(rows.half(half), group * 18 + 2) };
            put_indexed::<U>(panel, group, half, indices);
        }
    }
}

/// `IQ4_XS`.
///
/// # Safety
/// See [`super::Expand`].
#[target_feature(enable = "avx2,f16c")]
pub(in super::super) unsafe fn iq4_xs<U: Use>(rows: Rows, groups: usize, panel: &mut Panel) {
    for half in 0..2 {
        let rows = rows.half(half);
        // SAFETY: a block starts with 2 bytes of scale, 2 of high and 4 of low bits of the scales of
        // groups, and is longer than 16 bytes.
        let [first, low, ..] = unsafe { columns(rows, 0) };
        let (unit, _) = super::two_halves(first);
        for group in 0..groups {
            let shift = |values, by: usize, mask| {
                let shifted = _mm256_srl_epi32(values, _mm_cvtsi32_si128(by as i32));
                _mm256_and_si256(shifted, _mm256_set1_epi32(mask))
            };
            let high = _mm256_slli_epi32::<4>(shift(first, 16 + group * 2, 3));
            let scale = _mm256_or_si256(shift(low, group * 4, 15), high);
            let scale = _mm256_sub_epi32(scale, _mm256_set1_epi32(32));
            let scale = _mm256_mul_ps(_mm256_cvtepi32_ps(scale), unit);
            put_rows(&mut panel.scales, group, half, scale);
            // SAFETY: the indices start at 8, 16 bytes to a group.
            let indices = unsafe { columns(rows, 8 + group * 16) };
            put_indexed::<U>(panel, group, half, indices);
        }
    }
}

/// Writes a group of numbers that 4 bits are the indices of.
#[inline]
#[target_feature(enable = "avx2")]
fn put_indexed<U: Use>(panel: &mut Panel, group: usize, half: usize, indices: [__m256i; 4]) {
    // SAFETY: 16 bytes.
    let values = unsafe { _mm_loadu_si128(IQ4_VALUES.as_ptr().cast()) };
    let values = _mm256_broadcastsi128_si256(values);
    for (index, indices) in indices.into_iter().enumerate() {
        let column = group * 32 + index * 4;
        let low = _mm256_shuffle_epi8(values, field(indices, 0, 15));
        put_signed::<U>(panel, column, half, low);
        let high = _mm256_shuffle_epi8(values, field(indices, 4, 15));
        put_signed::<U>(panel, column + 16, half, high);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn put_signed<U: Use>(panel: &mut Panel, column: usize, half: usize, values: __m256i) {
    if U::DOT {
        put(panel, column, half, _mm256_xor_si256(values, _mm256_set1_epi8(-128)));
    } else {
        put_wide(panel, column, half, values);
    }
}
