//! Products of f32, f16 and bf16 weights with f32 activations, in AVX-512.
//!
//! Every result is a sum of its own in 16 lanes, in the order of the columns, whatever is computed
//! beside it: so a batch repeats bit for bit what single vectors give.
#![expect(unsafe_code, reason = "instructions that only some processors have, over raw memory")]

use std::arch::x86_64::{
    __m512, _mm256_maskz_loadu_epi16, _mm512_castsi512_ps, _mm512_cvtepu16_epi32, _mm512_cvtph_ps,
    _mm512_fmadd_ps, _mm512_maskz_loadu_ps, _mm512_reduce_add_ps, _mm512_setzero_ps,
    _mm512_slli_epi32,
};

use super::{Scratch, Task};

/// Numbers of a vector register.
const LANES: usize = 16;

trait Weights {
    const BYTES: usize;

    /// The 16 weights at `at` that `mask` names, 0 for the others.
    ///
    /// # Safety
    /// Those weights are there; the processor has AVX-512 F, BW and VL.
    unsafe fn load(at: *const u8, mask: u16) -> __m512;
}

struct F32;
struct F16;
struct Bf16;

impl Weights for F32 {
    const BYTES: usize = 4;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn load(at: *const u8, mask: u16) -> __m512 {
        // SAFETY: as promised.
        unsafe { _mm512_maskz_loadu_ps(mask, at.cast()) }
    }
}

impl Weights for F16 {
    const BYTES: usize = 2;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn load(at: *const u8, mask: u16) -> __m512 {
        // SAFETY: as promised.
        _mm512_cvtph_ps(unsafe { _mm256_maskz_loadu_epi16(mask, at.cast()) })
    }
}

impl Weights for Bf16 {
    const BYTES: usize = 2;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn load(at: *const u8, mask: u16) -> __m512 {
        // SAFETY: as promised.
        let halves = unsafe { _mm256_maskz_loadu_epi16(mask, at.cast()) };
        _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(halves)))
    }
}

/// The product of an f32 matrix.
///
/// # Safety
/// As for a [`Product`](super::Product), in the f32 form, on a processor with AVX-512 F, BW and VL.
pub(super) unsafe fn f32_product(task: &Task<'_>, _: &mut Scratch) {
    // SAFETY: passed on.
    unsafe { product::<F32>(task) }
}

/// The product of an f16 matrix.
///
/// # Safety
/// As for [`f32_product`].
pub(super) unsafe fn f16_product(task: &Task<'_>, _: &mut Scratch) {
    // SAFETY: passed on.
    unsafe { product::<F16>(task) }
}

/// The product of a bf16 matrix.
///
/// # Safety
/// As for [`f32_product`].
pub(super) unsafe fn bf16_product(task: &Task<'_>, _: &mut Scratch) {
    // SAFETY: passed on.
    unsafe { product::<Bf16>(task) }
}

/// # Safety
/// As for [`f32_product`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn product<W: Weights>(task: &Task<'_>) {
    let vectors = task.activations.rows;
    let mut row = 0;
    // SAFETY: the rows and vectors named are within the task.
    unsafe {
        while row < task.rows {
            let rows = (task.rows - row).min(4);
            let mut vector = 0;
            while vector < vectors {
                let count = (vectors - vector).min(6);
                match (rows, count) {
                    (4, 6) => block::<W, 4, 6>(task, row, vector),
                    (4, 4..6) => block::<W, 4, 4>(task, row, vector),
                    (4, 2..4) => block::<W, 4, 2>(task, row, vector),
                    (4, _) => block::<W, 4, 1>(task, row, vector),
                    (_, _) => {
                        for row in row..row + rows {
                            for vector in vector..vector + count {
                                block::<W, 1, 1>(task, row, vector);
                            }
                        }
                    }
                }
                vector += match (rows, count) {
                    (4, 4..6) => 4,
                    (4, 2..4) => 2,
                    (4, 0..2) => 1,
                    _ => count,
                };
            }
            row += rows;
        }
    }
}

/// The results of `ROWS` rows and `VECTORS` vectors.
///
/// # Safety
/// As for [`f32_product`]; the rows and vectors are there.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn block<W: Weights, const ROWS: usize, const VECTORS: usize>(
    task: &Task<'_>,
    row: usize,
    vector: usize,
) {
    let columns = task.activations.columns;
    // SAFETY: as promised; the mask ends at the last column.
    unsafe {
        let weights = task.weights.as_ptr().add(row * columns * W::BYTES);
        let activations = task.activations.f32.as_ptr().add(vector * columns);
        let mut sums = [[_mm512_setzero_ps(); VECTORS]; ROWS];
        let mut add = |column: usize, mask: u16| {
            let numbers: [__m512; VECTORS] = std::array::from_fn(|vector| {
                _mm512_maskz_loadu_ps(mask, activations.add(vector * columns + column))
            });
            for (row, sums) in sums.iter_mut().enumerate() {
                let weights = W::load(weights.add((row * columns + column) * W::BYTES), mask);
                for (sum, numbers) in sums.iter_mut().zip(numbers) {
                    *sum = _mm512_fmadd_ps(weights, numbers, *sum);
                }
            }
        };
        let whole = columns / LANES * LANES;
        for column in (0..whole).step_by(LANES) {
            add(column, u16::MAX);
        }
        if whole < columns {
            add(whole, (1 << (columns - whole)) - 1);
        }
        for (index, sums) in sums.into_iter().enumerate() {
            for (to, sum) in sums.into_iter().enumerate() {
                let to = task.out.add((vector + to) * task.stride + row + index);
                to.write(_mm512_reduce_add_ps(sum));
            }
        }
    }
}
