//! Products of vectors of int8 numbers, on processors with and without instructions for them.

#![expect(unsafe_code, reason = "vector instructions")]

use std::arch::aarch64::*;
use std::arch::asm;

use super::each::Each;

/// How sums of products of int8 numbers are taken. All are exact, so their results are the same.
///
/// Vectors of activations hold numbers in -127..=127.
///
/// # Safety
/// Every function needs a processor with the instructions that the type stands for.
pub(super) trait Level {
    /// Quads of rows that a tile of a wide product has: as many as the registers hold sums for.
    const QUADS: usize;

    /// Sums of a quad of rows with `VECTORS` vectors, in the form they are added up in.
    type Sums<const VECTORS: usize>: Copy;

    /// `sums` and, in any of its four, the products of 16 weights with 16 activations.
    unsafe fn dot(sums: int32x4_t, weights: int8x16_t, activations: int8x16_t) -> int32x4_t;

    /// 16 weights of each of four rows, in the order that [`Self::add`] takes them in.
    unsafe fn arrange(rows: [int8x16_t; 4]) -> [int8x16_t; 4];

    /// 16 activations of each vector, an even number of vectors, in the order that
    /// [`Self::add`] takes them in.
    unsafe fn pair<const VECTORS: usize>(vectors: [int8x16_t; VECTORS]) -> [int8x16_t; VECTORS];

    /// No products yet.
    unsafe fn none<const VECTORS: usize>() -> Self::Sums<VECTORS>;

    /// Adds the products of 16 weights of four rows with 16 activations of each vector.
    unsafe fn add<const VECTORS: usize>(
        sums: &mut Self::Sums<VECTORS>,
        weights: [int8x16_t; 4],
        vectors: [int8x16_t; VECTORS],
    );

    /// The sums of the four rows, for each vector.
    unsafe fn finish<const VECTORS: usize>(sums: Self::Sums<VECTORS>) -> [int32x4_t; VECTORS];
}

/// What every 64-bit Arm has: products of 8 pairs to 16 bits, added in pairs to 32.
pub(super) struct Baseline;

/// `FEAT_DotProd`: sums of four products.
pub(super) struct DotProduct;

/// `FEAT_I8MM` and `FEAT_DotProd`: products of 2 × 8 with 8 × 2 matrices.
pub(super) struct MatrixMultiply;

/// The sums of four vectors.
#[inline(always)]
pub(super) unsafe fn sum_each(vectors: [int32x4_t; 4]) -> int32x4_t {
    let [a, b, c, d] = vectors;
    // SAFETY: every 64-bit Arm has these instructions.
    unsafe { vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d)) }
}

impl Level for Baseline {
    const QUADS: usize = 1;

    type Sums<const VECTORS: usize> = [[int32x4_t; 4]; VECTORS];

    #[inline(always)]
    unsafe fn dot(sums: int32x4_t, weights: int8x16_t, activations: int8x16_t) -> int32x4_t {
        // SAFETY: every 64-bit Arm has these instructions. A sum of two products fits 16 bits:
        // 2 · 128 · 127 = 32 512.
        unsafe {
            let low = vmull_s8(vget_low_s8(weights), vget_low_s8(activations));
            vpadalq_s16(sums, vmlal_high_s8(low, weights, activations))
        }
    }

    #[inline(always)]
    unsafe fn arrange(rows: [int8x16_t; 4]) -> [int8x16_t; 4] {
        rows
    }

    #[inline(always)]
    unsafe fn pair<const VECTORS: usize>(vectors: [int8x16_t; VECTORS]) -> [int8x16_t; VECTORS] {
        vectors
    }

    #[inline(always)]
    unsafe fn none<const VECTORS: usize>() -> Self::Sums<VECTORS> {
        // SAFETY: every 64-bit Arm has this instruction.
        [[unsafe { vdupq_n_s32(0) }; 4]; VECTORS]
    }

    #[inline(always)]
    unsafe fn add<const VECTORS: usize>(
        sums: &mut Self::Sums<VECTORS>,
        weights: [int8x16_t; 4],
        vectors: [int8x16_t; VECTORS],
    ) {
        for (sums, vector) in sums.iter_mut().zip(vectors) {
            for (sum, row) in sums.iter_mut().zip(weights) {
                // SAFETY: every 64-bit Arm has the instructions of this level.
                *sum = unsafe { Self::dot(*sum, row, vector) };
            }
        }
    }

    #[inline(always)]
    unsafe fn finish<const VECTORS: usize>(sums: Self::Sums<VECTORS>) -> [int32x4_t; VECTORS] {
        // SAFETY: every 64-bit Arm has the instructions of this level.
        sums.each(|sums| unsafe { sum_each(sums) })
    }
}

/// `sums` and the products of four neighbours each.
///
/// # Safety
/// The processor has `FEAT_DotProd`.
#[inline(always)]
unsafe fn dot(mut sums: int32x4_t, weights: int8x16_t, activations: int8x16_t) -> int32x4_t {
    // SAFETY: the caller vouches for the instruction; it touches nothing but its registers.
    unsafe {
        asm!(
            ".arch_extension dotprod",
            "sdot {0:v}.4s, {1:v}.16b, {2:v}.16b",
            inout(vreg) sums, in(vreg) weights, in(vreg) activations,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

/// As [`dot`], every four weights with the same activations: those from `4 * FOUR` on.
///
/// # Safety
/// As of [`dot`].
#[inline(always)]
unsafe fn dot_four<const FOUR: u8>(
    mut sums: int32x4_t,
    weights: int8x16_t,
    activations: int8x16_t,
) -> int32x4_t {
    // SAFETY: as in `dot`.
    unsafe {
        asm!(
            ".arch_extension dotprod",
            "sdot {0:v}.4s, {1:v}.16b, {2:v}.4b[{four}]",
            inout(vreg) sums, in(vreg) weights, in(vreg) activations, four = const FOUR,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

/// The product of two rows of 8 weights and two of 8 activations, row after row, on `sums`.
///
/// # Safety
/// The processor has `FEAT_I8MM`.
#[inline(always)]
unsafe fn multiply(mut sums: int32x4_t, weights: int8x16_t, activations: int8x16_t) -> int32x4_t {
    // SAFETY: as in `dot`.
    unsafe {
        asm!(
            ".arch_extension i8mm",
            "smmla {0:v}.4s, {1:v}.16b, {2:v}.16b",
            inout(vreg) sums, in(vreg) weights, in(vreg) activations,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

impl Level for DotProduct {
    const QUADS: usize = 2;

    type Sums<const VECTORS: usize> = [int32x4_t; VECTORS];

    #[inline(always)]
    unsafe fn dot(sums: int32x4_t, weights: int8x16_t, activations: int8x16_t) -> int32x4_t {
        // SAFETY: the caller vouches for the instruction.
        unsafe { dot(sums, weights, activations) }
    }

    /// Four neighbours of each row, then the next four.
    #[inline(always)]
    unsafe fn arrange(rows: [int8x16_t; 4]) -> [int8x16_t; 4] {
        // SAFETY: every 64-bit Arm has these instructions.
        unsafe {
            let [a, b, c, d] = rows.each(|row| vreinterpretq_s32_s8(row));
            let (ab, cd) = (vtrn1q_s32(a, b), vtrn1q_s32(c, d));
            let (ba, dc) = (vtrn2q_s32(a, b), vtrn2q_s32(c, d));
            let [ab, cd, ba, dc] = [ab, cd, ba, dc].each(|pair| vreinterpretq_s64_s32(pair));
            [vtrn1q_s64(ab, cd), vtrn1q_s64(ba, dc), vtrn2q_s64(ab, cd), vtrn2q_s64(ba, dc)]
                .each(|fours| vreinterpretq_s8_s64(fours))
        }
    }

    #[inline(always)]
    unsafe fn pair<const VECTORS: usize>(vectors: [int8x16_t; VECTORS]) -> [int8x16_t; VECTORS] {
        vectors
    }

    #[inline(always)]
    unsafe fn none<const VECTORS: usize>() -> Self::Sums<VECTORS> {
        // SAFETY: every 64-bit Arm has this instruction.
        [unsafe { vdupq_n_s32(0) }; VECTORS]
    }

    #[inline(always)]
    unsafe fn add<const VECTORS: usize>(
        sums: &mut Self::Sums<VECTORS>,
        weights: [int8x16_t; 4],
        vectors: [int8x16_t; VECTORS],
    ) {
        let [a, b, c, d] = weights;
        for (sum, vector) in sums.iter_mut().zip(vectors) {
            // SAFETY: the caller vouches for the instruction.
            unsafe {
                *sum = dot_four::<0>(*sum, a, vector);
                *sum = dot_four::<1>(*sum, b, vector);
                *sum = dot_four::<2>(*sum, c, vector);
                *sum = dot_four::<3>(*sum, d, vector);
            }
        }
    }

    #[inline(always)]
    unsafe fn finish<const VECTORS: usize>(sums: Self::Sums<VECTORS>) -> [int32x4_t; VECTORS] {
        sums
    }
}

impl Level for MatrixMultiply {
    const QUADS: usize = 2;

    /// Of vectors `2p` and `2p + 1`: rows 0 and 1 at `2p`, rows 2 and 3 at `2p + 1`; in each the
    /// first row with both vectors, then the second.
    type Sums<const VECTORS: usize> = [int32x4_t; VECTORS];

    #[inline(always)]
    unsafe fn dot(sums: int32x4_t, weights: int8x16_t, activations: int8x16_t) -> int32x4_t {
        // SAFETY: the caller vouches for the instruction.
        unsafe { dot(sums, weights, activations) }
    }

    /// Eight neighbours of two rows, then the next eight, then the other two rows.
    #[inline(always)]
    unsafe fn arrange(rows: [int8x16_t; 4]) -> [int8x16_t; 4] {
        let [a, b, c, d] = rows;
        // SAFETY: every 64-bit Arm has the instructions that this needs.
        let [[ab, ba], [cd, dc]] = unsafe { [eights(a, b), eights(c, d)] };
        [ab, ba, cd, dc]
    }

    #[inline(always)]
    unsafe fn pair<const VECTORS: usize>(
        mut vectors: [int8x16_t; VECTORS],
    ) -> [int8x16_t; VECTORS] {
        for pair in vectors.as_chunks_mut::<2>().0 {
            // SAFETY: every 64-bit Arm has the instructions that this needs.
            *pair = unsafe { eights(pair[0], pair[1]) };
        }
        vectors
    }

    #[inline(always)]
    unsafe fn none<const VECTORS: usize>() -> Self::Sums<VECTORS> {
        // SAFETY: every 64-bit Arm has this instruction.
        [unsafe { vdupq_n_s32(0) }; VECTORS]
    }

    #[inline(always)]
    unsafe fn add<const VECTORS: usize>(
        sums: &mut Self::Sums<VECTORS>,
        weights: [int8x16_t; 4],
        vectors: [int8x16_t; VECTORS],
    ) {
        let pairs = vectors.as_chunks::<2>().0;
        for (sums, vectors) in sums.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
            // SAFETY: the caller vouches for the instruction.
            unsafe {
                sums[0] = multiply(sums[0], weights[0], vectors[0]);
                sums[1] = multiply(sums[1], weights[2], vectors[0]);
                sums[0] = multiply(sums[0], weights[1], vectors[1]);
                sums[1] = multiply(sums[1], weights[3], vectors[1]);
            }
        }
    }

    #[inline(always)]
    unsafe fn finish<const VECTORS: usize>(mut sums: Self::Sums<VECTORS>) -> [int32x4_t; VECTORS] {
        for pair in sums.as_chunks_mut::<2>().0 {
            // SAFETY: every 64-bit Arm has these instructions.
            *pair = unsafe { [vuzp1q_s32(pair[0], pair[1]), vuzp2q_s32(pair[0], pair[1])] };
        }
        sums
    }
}

/// The first eight numbers of both, then the last eight of both.
#[inline(always)]
unsafe fn eights(a: int8x16_t, b: int8x16_t) -> [int8x16_t; 2] {
    // SAFETY: every 64-bit Arm has these instructions.
    unsafe {
        let (a, b) = (vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b));
        [vreinterpretq_s8_s64(vzip1q_s64(a, b)), vreinterpretq_s8_s64(vzip2q_s64(a, b))]
    }
}
