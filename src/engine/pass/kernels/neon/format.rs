//! Blocks → small integers and scales, for four rows at a time.

#![expect(unsafe_code, reason = "vector instructions, and blocks read through pointers")]

mod small;
mod super_blocks;

use std::arch::aarch64::*;

use super::each::Each;
pub(super) use small::{Iq4Nl, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0};
pub(super) use super_blocks::{Iq4Xs, Q2K, Q3K, Q4K, Q5K, Q6K};

/// What a weight is in terms of its integer: `scale · q`, or `scale · q + minimum`.
pub(super) trait Shape {
    /// Scales that a group of 32 weights has, each for as many: 1 or 2.
    const PARTS: usize;
    /// Whether there are minima.
    const MINIMA: bool;
}

/// A scale for 32 weights.
pub(super) struct Plain;
/// A scale and a minimum for 32 weights.
pub(super) struct Shifted;
/// A scale for 16 weights.
pub(super) struct Halves;
/// A scale and a minimum for 16 weights.
pub(super) struct ShiftedHalves;

impl Shape for Plain {
    const PARTS: usize = 1;
    const MINIMA: bool = false;
}

impl Shape for Shifted {
    const PARTS: usize = 1;
    const MINIMA: bool = true;
}

impl Shape for Halves {
    const PARTS: usize = 2;
    const MINIMA: bool = false;
}

impl Shape for ShiftedHalves {
    const PARTS: usize = 2;
    const MINIMA: bool = true;
}

/// A format of weights whose products are taken in integers.
///
/// # Safety
/// Pointers point to whole blocks, of any alignment; groups are those of a block.
pub(super) trait Format {
    /// What its scales stand for.
    type Shape: Shape;
    /// One vector for each scale of a block: of the same block of four rows.
    type Scales: AsRef<[float32x4_t]>;
    /// Groups of 32 weights in a block.
    const GROUPS: usize;
    /// Bytes of a block.
    const BYTES: usize;

    /// The integers of a group, in -128..=127.
    unsafe fn integers(block: *const u8, group: usize) -> [int8x16_t; 2];

    /// The scales and the minima of a block of each of four rows; without minima anything.
    unsafe fn scales(blocks: [*const u8; 4]) -> (Self::Scales, Self::Scales);
}

/// The half-precision number at `at` of each of four blocks.
#[inline(always)]
unsafe fn halves(blocks: [*const u8; 4], at: usize) -> float32x4_t {
    // SAFETY: the caller points to blocks that have two bytes there; every 64-bit Arm has the
    // instruction.
    unsafe {
        let bits = blocks.each(|block| block.add(at).cast::<u16>().read_unaligned());
        vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(bits.as_ptr())))
    }
}

/// The 32 numbers of four bits in 16 bytes: the low halves, then the high ones.
#[inline(always)]
unsafe fn nibbles(bytes: *const u8) -> [uint8x16_t; 2] {
    // SAFETY: the caller points to 16 bytes; every 64-bit Arm has these instructions.
    unsafe {
        let bytes = vld1q_u8(bytes);
        [vandq_u8(bytes, vdupq_n_u8(15)), vshrq_n_u8::<4>(bytes)]
    }
}

/// Rows of four numbers → columns.
#[inline(always)]
unsafe fn transpose(rows: [float32x4_t; 4]) -> [float32x4_t; 4] {
    let [a, b, c, d] = rows;
    // SAFETY: every 64-bit Arm has these instructions.
    unsafe {
        let even = [vtrn1q_f32(a, b), vtrn1q_f32(c, d)].each(|pair| vreinterpretq_f64_f32(pair));
        let odd = [vtrn2q_f32(a, b), vtrn2q_f32(c, d)].each(|pair| vreinterpretq_f64_f32(pair));
        [
            vtrn1q_f64(even[0], even[1]),
            vtrn1q_f64(odd[0], odd[1]),
            vtrn2q_f64(even[0], even[1]),
            vtrn2q_f64(odd[0], odd[1]),
        ]
        .each(|column| vreinterpretq_f32_f64(column))
    }
}
