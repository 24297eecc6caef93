//! Four neighbouring rows of a task: where their weights are and where their results go.

#![expect(unsafe_code, reason = "weights and results lie behind pointers")]

use std::arch::aarch64::*;

use super::each::Each;
use crate::kernels::Task;

/// The rows `first..first + 4` of `rows` rows of `row_bytes` bytes; past the end, the last one
/// again.
///
/// # Safety
/// `weights` are these rows, `first < rows`.
#[inline(always)]
pub(super) unsafe fn quad(
    weights: &[u8],
    rows: usize,
    first: usize,
    row_bytes: usize,
) -> [*const u8; 4] {
    debug_assert!(first < rows && weights.len() >= rows * row_bytes);
    // SAFETY: the row is one of them, by the caller's word.
    [0, 1, 2, 3]
        .each(|row| unsafe { weights.as_ptr().add((first + row).min(rows - 1) * row_bytes) })
}

/// Writes the results of the rows from `first` on with vector `index`, where they are rows and a
/// vector of the task.
///
/// # Safety
/// `out` of the task may be written where it says.
#[inline(always)]
pub(super) unsafe fn write(task: &Task<'_>, first: usize, index: usize, total: float32x4_t) {
    if index >= task.activations.rows || first >= task.rows {
        return;
    }
    // SAFETY: only numbers of rows and vectors of the task are written.
    unsafe {
        let out = task.out.add(index * task.stride + first);
        if first + 4 <= task.rows {
            vst1q_f32(out, total);
        } else {
            let mut numbers = [0.0; 4];
            vst1q_f32(numbers.as_mut_ptr(), total);
            out.copy_from_nonoverlapping(numbers.as_ptr(), task.rows - first);
        }
    }
}

/// What [`write`] wrote there, or anything where it wrote nothing.
///
/// # Safety
/// As of [`write`], which was called with the same numbers before.
#[inline(always)]
pub(super) unsafe fn read(task: &Task<'_>, first: usize, index: usize) -> float32x4_t {
    let mut numbers = [0.0; 4];
    // SAFETY: only numbers of rows and vectors of the task are read, and they were written.
    unsafe {
        if index < task.activations.rows && first < task.rows {
            let out = task.out.add(index * task.stride + first);
            if first + 4 <= task.rows {
                return vld1q_f32(out);
            }
            out.copy_to_nonoverlapping(numbers.as_mut_ptr(), task.rows - first);
        }
        vld1q_f32(numbers.as_ptr())
    }
}
