//! Products with the formats that are floating-point numbers, with AVX2 and FMA.
//!
//! Elements of a register run along a row; a number of the result is computed by the same steps
//! whatever is computed beside it.

use std::arch::x86_64::*;

use super::dot::sum;
use crate::block::{bf16_to_f32, f16_to_f32};
use crate::kernels::Task;

/// A format of floating-point numbers.
///
/// # Safety
/// The functions need AVX2 and F16C, and so many numbers. They are inlined into functions that have
/// these features enabled.
pub(super) trait Float {
    /// Bytes of a number.
    const BYTES: usize;

    /// The 8 numbers at `at`.
    unsafe fn eight(at: *const u8) -> __m256;

    /// The number at `at`.
    unsafe fn one(at: *const u8) -> f32;
}

/// 32 bits.
pub(super) struct F32;
/// IEEE half precision.
pub(super) struct F16;
/// The upper half of 32 bits.
pub(super) struct Bf16;

impl Float for F32 {
    const BYTES: usize = 4;

    #[inline(always)]
    unsafe fn eight(at: *const u8) -> __m256 {
        // SAFETY: the trait's.
        unsafe { _mm256_loadu_ps(at.cast()) }
    }

    #[inline(always)]
    unsafe fn one(at: *const u8) -> f32 {
        // SAFETY: the trait's.
        unsafe { at.cast::<f32>().read_unaligned() }
    }
}

impl Float for F16 {
    const BYTES: usize = 2;

    #[inline(always)]
    unsafe fn eight(at: *const u8) -> __m256 {
        // SAFETY: the trait's.
        unsafe { _mm256_cvtph_ps(_mm_loadu_si128(at.cast())) }
    }

    #[inline(always)]
    unsafe fn one(at: *const u8) -> f32 {
        // SAFETY: the trait's.
        f16_to_f32(unsafe { at.cast::<u16>().read_unaligned() })
    }
}

impl Float for Bf16 {
    const BYTES: usize = 2;

    #[inline(always)]
    unsafe fn eight(at: *const u8) -> __m256 {
        // SAFETY: the trait's.
        unsafe {
            let wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(at.cast()));
            _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16))
        }
    }

    #[inline(always)]
    unsafe fn one(at: *const u8) -> f32 {
        // SAFETY: the trait's.
        bf16_to_f32(unsafe { at.cast::<u16>().read_unaligned() })
    }
}

/// Computes a task: 4 vectors at a time with 2 rows, the rest one by one with 4 rows.
///
/// # Safety
/// As [`crate::kernels::Product`] says; AVX2, FMA and F16C.
#[inline(always)]
pub(super) unsafe fn by_blocks<F: Float>(task: &Task<'_>) {
    let whole = task.activations.rows / 4 * 4;
    // Vectors outside: they are the longer ones, and the rows of a task fit the second cache.
    for vector in (0..whole).step_by(4) {
        for row in (0..task.rows).step_by(2) {
            // SAFETY: the caller's; `row` and 4 vectors from `vector` on are there.
            unsafe { block::<F, 2, 4>(task, row, vector) };
        }
    }
    for row in (0..task.rows).step_by(4) {
        for vector in whole..task.activations.rows {
            // SAFETY: the caller's; `row` and `vector` are there.
            unsafe { block::<F, 4, 1>(task, row, vector) };
        }
    }
}

/// Computes and writes `R` rows, or as many as there are, times `M` vectors.
///
/// # Safety
/// As [`by_blocks`].
#[inline(always)]
unsafe fn block<F: Float, const R: usize, const M: usize>(
    task: &Task<'_>,
    first_row: usize,
    first_vector: usize,
) {
    let columns = task.activations.columns;
    // At the end, the last row stands for those that are not there.
    let rows: [*const u8; R] = std::array::from_fn(|index| {
        let row = (first_row + index).min(task.rows - 1);
        // SAFETY: row is there.
        unsafe { task.weights.as_ptr().add(row * columns * F::BYTES) }
    });
    let vectors: [*const f32; M] = std::array::from_fn(|index| {
        // SAFETY: the caller says that so many vectors are there.
        unsafe { task.activations.f32.as_ptr().add((first_vector + index) * columns) }
    });
    // SAFETY: `column + 8` or less is within rows and vectors; the caller lets every
    // `i * stride + r` be written.
    unsafe {
        let mut totals = [[_mm256_setzero_ps(); R]; M];
        let whole = columns / 8 * 8;
        for column in (0..whole).step_by(8) {
            let weights = rows.map(|row| F::eight(row.add(column * F::BYTES)));
            for vector in 0..M {
                let x = _mm256_loadu_ps(vectors[vector].add(column));
                for row in 0..R {
                    totals[vector][row] = _mm256_fmadd_ps(weights[row], x, totals[vector][row]);
                }
            }
        }
        for vector in 0..M {
            for row in 0..R.min(task.rows - first_row) {
                let mut total = sum(totals[vector][row]);
                for column in whole..columns {
                    let weight = F::one(rows[row].add(column * F::BYTES));
                    total += weight * *vectors[vector].add(column);
                }
                let at = (first_vector + vector) * task.stride + first_row + row;
                task.out.add(at).write(total);
            }
        }
    }
}
