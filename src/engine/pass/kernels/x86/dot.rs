//! Products of a few activation vectors with the quantized formats, straight from their blocks.
//!
//! Elements of a register run along a row. Each number of the result is computed by the same steps
//! whatever else is computed beside it, so it does not depend on how many vectors there are.

use std::arch::x86_64::*;

use super::format::{Format, Order, Scales};
use super::level::Level;
use crate::activations::GROUP;
use crate::kernels::Task;

/// Weights of a chunk: 8 groups.
pub(super) const CHUNK: usize = 8 * GROUP;

/// An activation vector in the int8 form, from some group on.
#[derive(Clone, Copy)]
pub(super) struct Vector {
    pub(super) int8: *const i8,
    pub(super) scales: *const f32,
    pub(super) sums: *const i16,
}

impl Vector {
    /// Moves on to the next chunk.
    #[inline(always)]
    pub(super) fn advance(&mut self) {
        self.int8 = self.int8.wrapping_add(CHUNK);
        self.scales = self.scales.wrapping_add(8);
        self.sums = self.sums.wrapping_add(16);
    }
}

/// How a block of `R` rows and `M` vectors is multiplied.
pub(super) trait Block {
    /// Products of `rows` with `vectors`, whole groups of `columns` numbers. Fetches what lies
    /// `ahead` bytes behind what it reads into the cache, if that is not 0.
    ///
    /// # Safety
    /// The instruction set is there, and all of the rows and the vectors.
    unsafe fn multiply<F: Format, const R: usize, const M: usize>(
        rows: [*const u8; R],
        vectors: [Vector; M],
        columns: usize,
        ahead: usize,
    ) -> [[f32; R]; M];
}

/// Computes a task by blocks of 4 rows and 1 or 2 vectors.
///
/// # Safety
/// As [`crate::kernels::Product`] says.
#[inline(always)]
pub(super) unsafe fn by_blocks<F: Format, B: Block>(task: &Task<'_>) {
    for row in (0..task.rows).step_by(4) {
        let mut vector = 0;
        while vector < task.activations.rows {
            // SAFETY: the caller's; `row` and `vector` are there, and so is one more if it is taken.
            unsafe {
                if task.activations.rows - vector == 1 {
                    block::<F, B, 4, 1>(task, row, vector);
                    vector += 1;
                } else {
                    block::<F, B, 4, 2>(task, row, vector);
                    vector += 2;
                }
            }
        }
    }
}

/// Computes and writes one block, as much of it as there is.
///
/// # Safety
/// As [`by_blocks`]; `first_vector + M` vectors are there.
#[inline(always)]
unsafe fn block<F: Format, B: Block, const R: usize, const M: usize>(
    task: &Task<'_>,
    first_row: usize,
    first_vector: usize,
) {
    let columns = task.activations.columns;
    let row_bytes = task.weights.len() / task.rows;
    // At the end, the last row stands for those that are not there.
    let rows = std::array::from_fn(|index| {
        let row = (first_row + index).min(task.rows - 1);
        // SAFETY: row is there.
        unsafe { task.weights.as_ptr().add(row * row_bytes) }
    });
    let vectors = std::array::from_fn(|index| {
        let at = (first_vector + index) * columns;
        // SAFETY: the caller says that so many vectors are there.
        unsafe {
            Vector {
                int8: task.activations.int8.as_ptr().add(at),
                scales: task.activations.scales.as_ptr().add(at / GROUP),
                sums: task.activations.sums.as_ptr().add(at / (GROUP / 2)),
            }
        }
    });
    let ahead = if first_vector == 0 { 4 * row_bytes } else { 0 };
    // SAFETY: the caller's.
    let products = unsafe { B::multiply::<F, R, M>(rows, vectors, columns, ahead) };
    for (vector, products) in products.into_iter().enumerate() {
        let numbers = products.into_iter().take(task.rows - first_row).enumerate();
        for (row, product) in numbers {
            let at = (first_vector + vector) * task.stride + first_row + row;
            // SAFETY: the caller lets every `i * stride + r` be written.
            unsafe { task.out.add(at).write(product) };
        }
    }
}

/// Fetches `bytes` bytes from `at` on into the second cache; `at` need not be memory of ours.
#[inline(always)]
pub(super) unsafe fn prefetch(at: *const u8, bytes: usize) {
    for offset in (0..bytes).step_by(64) {
        // SAFETY: fetching ahead never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.wrapping_add(offset).cast()) };
    }
}

/// Sum of 8 numbers, by halves.
#[inline(always)]
pub(super) unsafe fn sum(numbers: __m256) -> f32 {
    // SAFETY: the caller promises AVX2.
    unsafe {
        let four = _mm_add_ps(_mm256_castps256_ps128(numbers), _mm256_extractf128_ps(numbers, 1));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    }
}

/// [`sum`] of each. No closures: what they call would not be inlined into them.
#[inline(always)]
pub(super) unsafe fn sums_of<const R: usize, const M: usize>(
    totals: [[__m256; R]; M],
) -> [[f32; R]; M] {
    let mut sums = [[0.0; R]; M];
    for vector in 0..M {
        for row in 0..R {
            // SAFETY: the caller promises AVX2.
            sums[vector][row] = unsafe { sum(totals[vector][row]) };
        }
    }
    sums
}

/// Activation scales for the two vectors of [`Scales`].
#[inline(always)]
pub(super) unsafe fn spread<F: Format>(scales: __m256) -> [__m256; 2] {
    // SAFETY: the caller promises AVX2.
    unsafe {
        if F::HALVES {
            let low = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
            let high = _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7);
            [_mm256_permutevar8x32_ps(scales, low), _mm256_permutevar8x32_ps(scales, high)]
        } else {
            [scales, _mm256_setzero_ps()]
        }
    }
}

/// Sums of activations for the two vectors of [`Scales`].
#[inline(always)]
pub(super) unsafe fn sums<F: Format>(at: *const i16) -> [__m256; 2] {
    // SAFETY: the caller promises 16 sums and AVX2.
    unsafe {
        if F::HALVES {
            let part = |at: *const i16| _mm256_cvtepi16_epi32(_mm_loadu_si128(at.cast()));
            [_mm256_cvtepi32_ps(part(at)), _mm256_cvtepi32_ps(part(at.add(8)))]
        } else {
            // At most 32 · 127.
            let pairs = _mm256_madd_epi16(_mm256_loadu_si256(at.cast()), _mm256_set1_epi16(1));
            [_mm256_cvtepi32_ps(pairs), _mm256_setzero_ps()]
        }
    }
}

/// What a chunk's minima add, element by element.
#[inline(always)]
unsafe fn add_minima<F: Format>(
    mut total: __m256,
    of: &Scales,
    scales: [__m256; 2],
    at: *const i16,
) -> __m256 {
    // SAFETY: the caller promises 16 sums and AVX2.
    unsafe {
        let sums = sums::<F>(at);
        total = _mm256_fmadd_ps(of.minima[0], _mm256_mul_ps(sums[0], scales[0]), total);
        if F::HALVES {
            total = _mm256_fmadd_ps(of.minima[1], _mm256_mul_ps(sums[1], scales[1]), total);
        }
        total
    }
}

/// Blocks in registers of 256 bits.
pub(super) struct Narrow<L>(std::marker::PhantomData<L>);

/// Factors of the groups of a chunk, per vector and row, in memory to be broadcast from.
type Factors<const R: usize, const M: usize> = [[[__m256; 2]; R]; M];

impl<L: Level> Block for Narrow<L> {
    #[inline(always)]
    unsafe fn multiply<F: Format, const R: usize, const M: usize>(
        mut rows: [*const u8; R],
        mut vectors: [Vector; M],
        columns: usize,
        ahead: usize,
    ) -> [[f32; R]; M] {
        // SAFETY: the trait's; a chunk is read where `columns` says that one is there.
        unsafe {
            let mut totals = [[_mm256_setzero_ps(); R]; M];
            for _ in 0..columns / CHUNK {
                let factors = factors::<F, R, M>(&mut totals, rows, vectors, 8);
                two::<F, L, R, M, 0>(&mut totals, &factors, rows, vectors);
                two::<F, L, R, M, 1>(&mut totals, &factors, rows, vectors);
                two::<F, L, R, M, 2>(&mut totals, &factors, rows, vectors);
                two::<F, L, R, M, 3>(&mut totals, &factors, rows, vectors);
                for row in &mut rows {
                    if ahead != 0 {
                        prefetch(row.wrapping_add(ahead), F::BYTES);
                    }
                    *row = row.wrapping_add(F::BYTES);
                }
                vectors.iter_mut().for_each(Vector::advance);
            }
            if F::PARTIAL && !columns.is_multiple_of(CHUNK) {
                rest::<F, L, R, M>(&mut totals, rows, vectors, columns % CHUNK / GROUP);
            }
            sums_of(totals)
        }
    }
}

/// Adds what minima bring, and computes the factors of the first `count` groups of a chunk.
#[inline(always)]
unsafe fn factors<F: Format, const R: usize, const M: usize>(
    totals: &mut [[__m256; R]; M],
    rows: [*const u8; R],
    vectors: [Vector; M],
    count: usize,
) -> Factors<R, M> {
    // SAFETY: the caller promises so much of rows, whole chunks of vectors, and AVX2.
    unsafe {
        let mut factors = [[[_mm256_setzero_ps(); 2]; R]; M];
        for row in 0..R {
            let of = F::scales(rows[row], count);
            for vector in 0..M {
                let scales = spread::<F>(_mm256_loadu_ps(vectors[vector].scales));
                factors[vector][row][0] = _mm256_mul_ps(of.scales[0], scales[0]);
                if F::HALVES {
                    factors[vector][row][1] = _mm256_mul_ps(of.scales[1], scales[1]);
                }
                if F::MINIMA {
                    let total = totals[vector][row];
                    totals[vector][row] = add_minima::<F>(total, &of, scales, vectors[vector].sums);
                }
            }
        }
        factors
    }
}

/// The factor at `at`.
#[inline(always)]
unsafe fn factor(of: &[__m256; 2], at: usize) -> __m256 {
    // SAFETY: a chunk has 8 groups; the caller promises AVX2.
    unsafe { _mm256_broadcast_ss(&*of.as_ptr().cast::<f32>().add(at)) }
}

/// The factor at `2 * at` in the first 4 elements, the next one in the last.
#[inline(always)]
unsafe fn factor_pair(of: &[__m256; 2], at: usize) -> __m256 {
    // SAFETY: the vectors have 16 numbers; the caller promises AVX2.
    unsafe {
        let pair = _mm256_broadcast_sd(&*of.as_ptr().cast::<f64>().add(at));
        let order = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
        _mm256_permutevar_ps(_mm256_castpd_ps(pair), order)
    }
}

/// Adds groups `2 * P` and `2 * P + 1` of a chunk.
#[inline(always)]
unsafe fn two<F: Format, L: Level, const R: usize, const M: usize, const P: usize>(
    totals: &mut [[__m256; R]; M],
    factors: &Factors<R, M>,
    rows: [*const u8; R],
    vectors: [Vector; M],
) {
    // SAFETY: the caller promises a chunk of each and the instruction set.
    unsafe {
        let mut weights = [[_mm256_setzero_si256(); 2]; R];
        for row in 0..R {
            weights[row] = F::two::<P>(rows[row], L::BIASED);
        }
        for vector in 0..M {
            let at = vectors[vector].int8.add(P * 2 * GROUP);
            let x = [_mm256_loadu_si256(at.cast()), _mm256_loadu_si256(at.add(GROUP).cast())];
            if matches!(F::ORDER, Order::Folded) {
                let x = [
                    _mm256_permute2x128_si256(x[0], x[1], 0x20),
                    _mm256_permute2x128_si256(x[0], x[1], 0x31),
                ];
                let correction = L::corrections::<F>(x);
                for row in 0..R {
                    let dot = L::dots::<F>(weights[row], x, correction);
                    let factor = factor_pair(&factors[vector][row], P);
                    let total = &mut totals[vector][row];
                    *total = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), factor, *total);
                }
                continue;
            }
            for half in 0..2 {
                let correction = L::correction::<F>(x[half]);
                for row in 0..R {
                    let dot = L::dot::<F>(weights[row][half], x[half], correction);
                    let factors = &factors[vector][row];
                    let at = P * 2 + half;
                    let factor =
                        if F::HALVES { factor_pair(factors, at) } else { factor(factors, at) };
                    let total = &mut totals[vector][row];
                    *total = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), factor, *total);
                }
            }
        }
    }
}

/// Adds the `count` groups of a part of a chunk.
#[inline(always)]
pub(super) unsafe fn rest<F: Format, L: Level, const R: usize, const M: usize>(
    totals: &mut [[__m256; R]; M],
    rows: [*const u8; R],
    vectors: [Vector; M],
    count: usize,
) {
    // SAFETY: the caller promises so many groups of each and the instruction set.
    unsafe {
        // Scales and sums up to a whole chunk, zero where there are none.
        let mut scales = [[0f32; 8]; M];
        let mut sums = [[0i16; 16]; M];
        let mut padded = vectors;
        for (index, vector) in padded.iter_mut().enumerate() {
            vector.scales.copy_to_nonoverlapping(scales[index].as_mut_ptr(), count);
            vector.sums.copy_to_nonoverlapping(sums[index].as_mut_ptr(), 2 * count);
            (vector.scales, vector.sums) = (scales[index].as_ptr(), sums[index].as_ptr());
        }
        let factors = factors::<F, R, M>(totals, rows, padded, count);
        for index in 0..count {
            let rows = rows.map(|row| row.add(index * (F::BYTES / 8)));
            for vector in &mut padded {
                vector.int8 = vector.int8.wrapping_add(if index == 0 { 0 } else { GROUP });
            }
            for vector in 0..M {
                let x = _mm256_loadu_si256(padded[vector].int8.cast());
                let correction = L::correction::<F>(x);
                for row in 0..R {
                    let weights = F::one(rows[row], L::BIASED);
                    let dot = _mm256_cvtepi32_ps(L::dot::<F>(weights, x, correction));
                    let factor = factor(&factors[vector][row], index);
                    totals[vector][row] = _mm256_fmadd_ps(dot, factor, totals[vector][row]);
                }
            }
        }
    }
}
