//! A few activation vectors side by side, as a tile reads them.
#![expect(clippy::cast_ptr_alignment, reason = "panels, packed vectors and sums are aligned to 64")]
#![allow(clippy::wildcard_imports, reason = "the names of instructions are the vocabulary here")]
#![expect(unsafe_code, reason = "vector instructions on memory at computed places")]

use std::arch::x86_64::*;

use super::super::panel::{CHUNK, GROUPS};
use super::Recipe;
use crate::activations::Activations;

/// Most vectors of a tile.
pub(super) const MOST: usize = 12;

/// What a tile wants to know of the sums of the activations, beside them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    /// Nothing.
    Nothing,
    /// Of each group of 32 its sum times its scale, as f32: what a minimum is multiplied with.
    Products,
    /// As `Products`, of each group of 16.
    HalfProducts,
    /// Of each group of 32 its sum times the number: where a sum of products starts.
    Starts(i16),
    /// As `Starts`, of each group of 16.
    HalfStarts(i16),
    /// The sums of both halves of each group as i16.
    Pairs,
}

/// 256 columns of up to 12 vectors.
#[repr(C, align(64))]
pub(super) struct Packed {
    /// Bytes, or i16: of each group first the columns 0, 2, 4, 6, … and 4 apart, see
    /// [`Packed::fill`].
    pub(super) values: [[u8; 2 * CHUNK]; MOST],
    pub(super) scales: [[f32; GROUPS]; MOST],
    /// What [`Side`] says, 32 bits each.
    pub(super) side: [[i32; 2 * GROUPS]; MOST],
}

impl Packed {
    pub(super) const fn new() -> Self {
        Self {
            values: [[0; 2 * CHUNK]; MOST],
            scales: [[0.0; GROUPS]; MOST],
            side: [[0; 2 * GROUPS]; MOST],
        }
    }

    /// Takes `groups` groups from column `column` of the vectors from `first`.
    ///
    /// Widened, the 32 numbers of a group become 8 pairs of the columns 0 and 2, 4 and 6, …, then 8
    /// pairs of the columns 1 and 3, 5 and 7, …, as a widened panel has its weights.
    ///
    /// # Safety
    /// AVX2 is there; the vectors have those columns, with scales and sums.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn fill(
        &mut self,
        activations: &Activations<'_>,
        first: usize,
        count: usize,
        column: usize,
        groups: usize,
        recipe: &Recipe,
    ) {
        let columns = activations.columns;
        for index in 0..count {
            let start = (first + index) * columns + column;
            let numbers = &activations.int8[start..start + groups * 32];
            // The next tile's, while this one is multiplied. They may be past the end.
            let next = numbers.as_ptr().wrapping_add(count * columns);
            for line in 0..CHUNK / 64 {
                _mm_prefetch::<_MM_HINT_T0>(next.wrapping_add(line * 64));
            }
            if recipe.wide {
                widen(numbers, &mut self.values[index]);
            } else {
                copy(numbers, &mut self.values[index]);
            }
            let scales = &activations.scales[start / 32..start / 32 + groups];
            let sums = &activations.sums[start / 16..start / 16 + groups * 2];
            let next = scales.as_ptr().wrapping_add(count * columns / 32);
            _mm_prefetch::<_MM_HINT_T0>(next.cast());
            let next = sums.as_ptr().wrapping_add(count * columns / 16);
            _mm_prefetch::<_MM_HINT_T0>(next.cast());
            if let (Some(scales), Some(sums)) = (scales.as_array(), sums.as_array()) {
                self.scales[index] = *scales;
                side(recipe.side, scales, sums, &mut self.side[index]);
            } else {
                let (mut all_scales, mut all_sums) = ([0.0; GROUPS], [0; 2 * GROUPS]);
                all_scales[..groups].copy_from_slice(scales);
                all_sums[..groups * 2].copy_from_slice(sums);
                self.scales[index] = all_scales;
                side(recipe.side, &all_scales, &all_sums, &mut self.side[index]);
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn copy(numbers: &[i8], to: &mut [u8; 2 * CHUNK]) {
    let (from, _) = numbers.as_chunks::<32>();
    for (from, to) in from.iter().zip(to.as_chunks_mut::<32>().0) {
        // SAFETY: 32 bytes each.
        unsafe {
            // As volatile, or the compiler would call a function for it.
            let group = _mm256_loadu_si256(from.as_ptr().cast());
            to.as_mut_ptr().cast::<__m256i>().write_volatile(group);
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn widen(numbers: &[i8], to: &mut [u8; 2 * CHUNK]) {
    let (from, _) = numbers.as_chunks::<32>();
    for (from, to) in from.iter().zip(to.as_chunks_mut::<64>().0) {
        // SAFETY: 32 bytes, and 64.
        unsafe {
            let group = _mm256_loadu_si256(from.as_ptr().cast());
            let even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(group));
            _mm256_storeu_si256(to.as_mut_ptr().cast(), even);
            let odd = _mm256_srai_epi16::<8>(group);
            _mm256_storeu_si256(to[32..].as_mut_ptr().cast(), odd);
        }
    }
}

/// `scales` of 8 groups and `sums` of their 16 halves → what a tile wants.
#[inline]
#[target_feature(enable = "avx2")]
fn side(side: Side, scales: &[f32; GROUPS], sums: &[i16; 2 * GROUPS], to: &mut [i32; 2 * GROUPS]) {
    // SAFETY: 8 and 16 numbers.
    let (scales, pairs) =
        unsafe { (_mm256_loadu_ps(scales.as_ptr()), _mm256_loadu_si256(sums.as_ptr().cast())) };
    let low = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(pairs));
    let high = _mm256_cvtepi16_epi32(_mm256_extracti128_si256::<1>(pairs));
    let product =
        |sums, scales| _mm256_castps_si256(_mm256_mul_ps(_mm256_cvtepi32_ps(sums), scales));
    let twice = |scales, order| _mm256_permutevar8x32_ps(scales, order);
    let (first, second) = match side {
        Side::Nothing => return,
        Side::Products => {
            let whole = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
            (product(whole, scales), pairs)
        }
        Side::HalfProducts => (
            product(low, twice(scales, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3))),
            product(high, twice(scales, _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7))),
        ),
        Side::Starts(factor) => (_mm256_madd_epi16(pairs, _mm256_set1_epi16(factor)), pairs),
        Side::HalfStarts(factor) => {
            let factor = _mm256_set1_epi32(i32::from(factor));
            (_mm256_mullo_epi32(low, factor), _mm256_mullo_epi32(high, factor))
        }
        Side::Pairs => (pairs, pairs),
    };
    // SAFETY: 16 numbers.
    unsafe {
        _mm256_storeu_si256(to.as_mut_ptr().cast(), first);
        _mm256_storeu_si256(to[GROUPS..].as_mut_ptr().cast(), second);
    }
}
