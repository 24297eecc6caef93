//! Products with few vectors: weights unpack into registers, four rows at a time.

#![expect(unsafe_code, reason = "vector instructions, and numbers read through pointers")]

use std::arch::aarch64::*;
use std::arch::asm;

use super::each::Each;
use super::format::{Format, Shape};
use super::level::{Level, sum_each};
use super::rows::{quad, write};
use crate::activations::GROUP;
use crate::kernels::Task;

/// Computes a task with `VECTORS` vectors.
///
/// # Safety
/// As [`super::super::Product`] says.
pub(super) unsafe fn product<L: Level, F: Format, const VECTORS: usize>(task: &Task<'_>) {
    debug_assert_eq!(task.activations.rows, VECTORS);
    let blocks = task.activations.columns / (F::GROUPS * GROUP);
    for first in (0..task.rows).step_by(4) {
        // SAFETY: the weights are `rows` rows of as many blocks, `first` one of them, and the
        // activations are there; all of it by the caller's word.
        unsafe {
            let rows = quad(task.weights, task.rows, first, blocks * F::BYTES);
            let totals = four_rows::<L, F, VECTORS>(rows, blocks, task);
            for (index, total) in totals.into_iter().enumerate() {
                write(task, first, index, total);
            }
        }
    }
}

/// Four rows of `blocks` blocks with each vector: in each result those of the four rows.
///
/// # Safety
/// `rows` point to that; the activations of `task` are as [`super::super::Product`] says.
#[inline(always)]
unsafe fn four_rows<L: Level, F: Format, const VECTORS: usize>(
    rows: [*const u8; 4],
    blocks: usize,
    task: &Task<'_>,
) -> [float32x4_t; VECTORS] {
    let row_bytes = blocks * F::BYTES;
    // Short rows: the same place of the next four. Long ones: further on in the same.
    let ahead = if row_bytes <= 2048 { 4 * row_bytes } else { 1024 };
    let mut groups = Groups::new(task);
    // SAFETY: the pointers stay in their rows and vectors, as there are `blocks` blocks in each,
    // and the level's instructions are there.
    unsafe {
        let mut totals = [vdupq_n_f32(0.0); VECTORS];
        for block in 0..blocks {
            let at = block * F::BYTES;
            let pointers = rows.each(|row| row.add(at));
            // Once per cache line.
            if at % 64 < F::BYTES {
                for pointer in pointers {
                    prefetch::<F>(pointer.wrapping_add(ahead));
                }
            }
            let (scales, minima) = F::scales(pointers);
            for group in 0..F::GROUPS {
                let weights = pointers.each(|pointer| F::integers(pointer, group));
                let at = group * F::Shape::PARTS;
                let scales = &scales.as_ref()[at..at + F::Shape::PARTS];
                let minima = &minima.as_ref()[at..at + F::Shape::PARTS];
                for (index, total) in totals.iter_mut().enumerate() {
                    *total = groups.add::<L, F::Shape>(index, *total, &weights, scales, minima);
                }
                groups.advance();
            }
        }
        totals
    }
}

/// Asks for the cache lines of a block, to be read once.
#[inline(always)]
fn prefetch<F: Format>(address: *const u8) {
    for line in (0..F::BYTES.max(64)).step_by(64) {
        // SAFETY: the instruction changes nothing but caches and takes any address.
        unsafe {
            asm!(
                "prfm pldl1strm, [{}]", in(reg) address.wrapping_add(line),
                options(readonly, nostack, preserves_flags),
            );
        }
    }
}

/// The activations of a group: in the first vector; those of the others have the same distance.
struct Groups {
    int8: *const i8,
    scales: *const f32,
    sums: *const i16,
    columns: usize,
}

impl Groups {
    #[inline(always)]
    fn new(task: &Task<'_>) -> Self {
        let activations = &task.activations;
        Self {
            int8: activations.int8.as_ptr(),
            scales: activations.scales.as_ptr(),
            sums: activations.sums.as_ptr(),
            columns: activations.columns,
        }
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.int8 = self.int8.wrapping_add(GROUP);
        self.scales = self.scales.wrapping_add(1);
        self.sums = self.sums.wrapping_add(2);
    }

    /// `total` and the products of a group of four rows with that of vector `index`.
    ///
    /// The order of roundings is the one of wide products: for each scale
    /// `total + dot · (scale · activation scale)`, then `+ minimum · (activation scale · sum)`.
    ///
    /// # Safety
    /// There is such a vector, and it has such a group; the level's instructions are there.
    #[inline(always)]
    unsafe fn add<L: Level, S: Shape>(
        &self,
        index: usize,
        mut total: float32x4_t,
        weights: &[[int8x16_t; 2]; 4],
        scales: &[float32x4_t],
        minima: &[float32x4_t],
    ) -> float32x4_t {
        // SAFETY: the vector and the group are there by the caller's word, the level too.
        unsafe {
            let int8 = self.int8.add(index * self.columns);
            let scale = *self.scales.add(index * (self.columns / GROUP));
            let sums = self.sums.add(index * (self.columns / (GROUP / 2)));
            let vectors = [vld1q_s8(int8), vld1q_s8(int8.add(16))];
            let none = vdupq_n_s32(0);
            for part in 0..S::PARTS {
                let (dots, sum) = if S::PARTS == 1 {
                    let dot =
                        |[a, b]: [int8x16_t; 2]| L::dot(L::dot(none, a, vectors[0]), b, vectors[1]);
                    (weights.each(dot), i32::from(*sums) + i32::from(*sums.add(1)))
                } else {
                    let dot = |row: [int8x16_t; 2]| L::dot(none, row[part], vectors[part]);
                    (weights.each(dot), i32::from(*sums.add(part)))
                };
                let dots = vcvtq_f32_s32(sum_each(dots));
                total = vfmaq_f32(total, dots, vmulq_n_f32(scales[part], scale));
                if S::MINIMA {
                    total = vfmaq_n_f32(total, minima[part], scale * sum as f32);
                }
            }
            total
        }
    }
}
