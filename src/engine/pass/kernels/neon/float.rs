//! Products of the formats whose weights are floating-point numbers.

#![expect(unsafe_code, reason = "vector instructions, and numbers read through pointers")]

use std::arch::aarch64::*;

use super::each::{Each, indices};
use crate::kernels::{Scratch, TILE, Task};

/// A format of floating-point weights.
pub(super) trait Float {
    /// Bytes of a weight.
    const BYTES: usize;

    /// Four weights.
    ///
    /// # Safety
    /// There are as many, at any alignment.
    unsafe fn four(weights: *const u8) -> float32x4_t;
}

/// All 32 bits.
pub(super) struct F32;
/// Half precision.
pub(super) struct F16;
/// The upper half of the bits.
pub(super) struct Bf16;

impl Float for F32 {
    const BYTES: usize = 4;

    #[inline(always)]
    unsafe fn four(weights: *const u8) -> float32x4_t {
        // SAFETY: the caller points to 16 bytes; every 64-bit Arm has the instruction.
        unsafe { vreinterpretq_f32_u8(vld1q_u8(weights)) }
    }
}

impl Float for F16 {
    const BYTES: usize = 2;

    #[inline(always)]
    unsafe fn four(weights: *const u8) -> float32x4_t {
        // SAFETY: the caller points to 8 bytes; every 64-bit Arm has these instructions.
        unsafe { vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(weights))) }
    }
}

impl Float for Bf16 {
    const BYTES: usize = 2;

    #[inline(always)]
    unsafe fn four(weights: *const u8) -> float32x4_t {
        // SAFETY: the caller points to 8 bytes; every 64-bit Arm has these instructions.
        unsafe {
            let bits = vreinterpret_u16_u8(vld1_u8(weights));
            vreinterpretq_f32_u32(vshll_n_u16::<16>(bits))
        }
    }
}

/// Computes a task in the form `F32`. Each result is the sum of four, of every fourth column
/// each, added up in the order of the columns, however many vectors there are.
///
/// # Safety
/// As [`super::super::Product`] says.
pub(super) unsafe fn product<F: Float>(task: &Task<'_>, _: &mut Scratch) {
    let vectors = task.activations.rows;
    // Rows that stay in the cache while the vectors go by.
    for first in (0..task.rows).step_by(TILE) {
        let rows = first..(first + TILE).min(task.rows);
        let mut vector = 0;
        while vector < vectors {
            // SAFETY: rows and vectors are those of the task. As many sums are taken side by
            // side as hide that one takes four cycles.
            unsafe {
                vector += match vectors - vector {
                    1 => tiles::<F, 8, 1>(task, rows.clone(), vector),
                    2 | 3 => tiles::<F, 4, 2>(task, rows.clone(), vector),
                    _ => tiles::<F, 4, 4>(task, rows.clone(), vector),
                };
            }
        }
    }
}

/// The products of `rows` with the `VECTORS` vectors from `vector` on; returns `VECTORS`.
///
/// # Safety
/// As [`super::super::Product`] says; these are rows and vectors of the task.
#[inline(always)]
unsafe fn tiles<F: Float, const ROWS: usize, const VECTORS: usize>(
    task: &Task<'_>,
    rows: std::ops::Range<usize>,
    vector: usize,
) -> usize {
    let columns = task.activations.columns;
    for first in rows.clone().step_by(ROWS) {
        // SAFETY: these are rows and vectors of the task, of as many columns; past the last row
        // it is the last one again, and not written.
        unsafe {
            let weights = indices::<ROWS>().each(|row| {
                let row = (first + row).min(rows.end - 1);
                task.weights.as_ptr().add(row * columns * F::BYTES)
            });
            let vectors = indices::<VECTORS>()
                .each(|index| task.activations.f32.as_ptr().add((vector + index) * columns));
            let results = multiply::<F, ROWS, VECTORS>(columns, weights, vectors);
            for (row, results) in results.into_iter().enumerate().take(rows.end - first) {
                for (index, result) in results.into_iter().enumerate() {
                    task.out.add((vector + index) * task.stride + first + row).write(result);
                }
            }
        }
    }
    VECTORS
}

/// The products of `ROWS` rows of `columns` weights with as many activations of `VECTORS` vectors.
///
/// # Safety
/// All pointers point to as many.
#[inline(always)]
unsafe fn multiply<F: Float, const ROWS: usize, const VECTORS: usize>(
    columns: usize,
    weights: [*const u8; ROWS],
    vectors: [*const f32; VECTORS],
) -> [[f32; VECTORS]; ROWS] {
    // SAFETY: by the caller's word, and every 64-bit Arm has these instructions.
    unsafe {
        let mut sums = [[vdupq_n_f32(0.0); VECTORS]; ROWS];
        let whole = columns - columns % 4;
        for column in (0..whole).step_by(4) {
            let activations = vectors.each(|vector| vld1q_f32(vector.add(column)));
            for (sums, row) in sums.iter_mut().zip(weights) {
                let weights = F::four(row.add(column * F::BYTES));
                for (sum, activations) in sums.iter_mut().zip(activations) {
                    *sum = vfmaq_f32(*sum, weights, activations);
                }
            }
        }
        let left = columns - whole;
        if left > 0 {
            // What is left of a row, and zeros.
            let activations = vectors.each(|vector| {
                let mut four = [0f32; 4];
                four.as_mut_ptr().copy_from_nonoverlapping(vector.add(whole), left);
                vld1q_f32(four.as_ptr())
            });
            for (sums, row) in sums.iter_mut().zip(weights) {
                let mut four = [0u8; 16];
                let rest = row.add(whole * F::BYTES);
                four.as_mut_ptr().copy_from_nonoverlapping(rest, left * F::BYTES);
                let weights = F::four(four.as_ptr());
                for (sum, activations) in sums.iter_mut().zip(activations) {
                    *sum = vfmaq_f32(*sum, weights, activations);
                }
            }
        }
        sums.each(|sums| sums.each(|sum| vaddvq_f32(sum)))
    }
}
