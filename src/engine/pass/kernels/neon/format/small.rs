//! The formats with blocks of 32.

#![expect(unsafe_code, reason = "vector instructions, and blocks read through pointers")]

use std::arch::aarch64::*;

use super::super::each::Each;
use super::{Format, Plain, Shifted, halves, nibbles};
use crate::block::IQ4_VALUES;

/// 4 bits less 8.
pub(in super::super) struct Q4_0;
/// 4 bits and a minimum.
pub(in super::super) struct Q4_1;
/// 5 bits less 16.
pub(in super::super) struct Q5_0;
/// 5 bits and a minimum.
pub(in super::super) struct Q5_1;
/// 8 bits.
pub(in super::super) struct Q8_0;
/// Indices into [`IQ4_VALUES`].
pub(in super::super) struct Iq4Nl;

/// Vectors of ones where a bit of the 32 at `bits` is set, else of zeros.
#[inline(always)]
unsafe fn spread(bits: *const u8) -> [uint8x16_t; 2] {
    // SAFETY: the caller points to four bytes; every 64-bit Arm has these instructions.
    unsafe {
        let bits = vreinterpretq_u8_u32(vdupq_n_u32(bits.cast::<u32>().read_unaligned()));
        let each = vreinterpretq_u8_u64(vdupq_n_u64(0x8040_2010_0804_0201));
        let first = vcombine_u8(vdup_n_u8(0), vdup_n_u8(1));
        let bytes = [first, vaddq_u8(first, vdupq_n_u8(2))];
        bytes.each(|bytes| vtstq_u8(vqtbl1q_u8(bits, bytes), each))
    }
}

impl Format for Q4_0 {
    type Shape = Plain;
    type Scales = [float32x4_t; 1];
    const GROUPS: usize = 1;
    const BYTES: usize = 18;

    #[inline(always)]
    unsafe fn integers(block: *const u8, _: usize) -> [int8x16_t; 2] {
        // SAFETY: the caller points to a block; every 64-bit Arm has these instructions.
        unsafe { nibbles(block.add(2)).each(|q| vsubq_s8(vreinterpretq_s8_u8(q), vdupq_n_s8(8))) }
    }

    #[inline(always)]
    unsafe fn scales(blocks: [*const u8; 4]) -> (Self::Scales, Self::Scales) {
        // SAFETY: the caller points to blocks.
        let d = unsafe { halves(blocks, 0) };
        ([d], [d])
    }
}

impl Format for Q4_1 {
    type Shape = Shifted;
    type Scales = [float32x4_t; 1];
    const GROUPS: usize = 1;
    const BYTES: usize = 20;

    #[inline(always)]
    unsafe fn integers(block: *const u8, _: usize) -> [int8x16_t; 2] {
        // SAFETY: the caller points to a block; every 64-bit Arm has these instructions.
        unsafe { nibbles(block.add(4)).each(|q| vreinterpretq_s8_u8(q)) }
    }

    #[inline(always)]
    unsafe fn scales(blocks: [*const u8; 4]) -> (Self::Scales, Self::Scales) {
        // SAFETY: the caller points to blocks.
        unsafe { ([halves(blocks, 0)], [halves(blocks, 2)]) }
    }
}

impl Format for Q5_0 {
    type Shape = Plain;
    type Scales = [float32x4_t; 1];
    const GROUPS: usize = 1;
    const BYTES: usize = 22;

    #[inline(always)]
    unsafe fn integers(block: *const u8, _: usize) -> [int8x16_t; 2] {
        // SAFETY: the caller points to a block; every 64-bit Arm has these instructions.
        unsafe {
            let ([low, high], fifth) = (nibbles(block.add(6)), spread(block.add(2)));
            // Less 16 is the four bits above them set where the fifth is not.
            let upper = fifth.each(|fifth| vbicq_u8(vdupq_n_u8(0xf0), fifth));
            [vorrq_u8(low, upper[0]), vorrq_u8(high, upper[1])].each(|q| vreinterpretq_s8_u8(q))
        }
    }

    #[inline(always)]
    unsafe fn scales(blocks: [*const u8; 4]) -> (Self::Scales, Self::Scales) {
        // SAFETY: the caller points to blocks.
        let d = unsafe { halves(blocks, 0) };
        ([d], [d])
    }
}

impl Format for Q5_1 {
    type Shape = Shifted;
    type Scales = [float32x4_t; 1];
    const GROUPS: usize = 1;
    const BYTES: usize = 24;

    #[inline(always)]
    unsafe fn integers(block: *const u8, _: usize) -> [int8x16_t; 2] {
        // SAFETY: the caller points to a block; every 64-bit Arm has these instructions.
        unsafe {
            let ([low, high], fifth) = (nibbles(block.add(8)), spread(block.add(4)));
            let upper = fifth.each(|fifth| vandq_u8(vdupq_n_u8(16), fifth));
            [vorrq_u8(low, upper[0]), vorrq_u8(high, upper[1])].each(|q| vreinterpretq_s8_u8(q))
        }
    }

    #[inline(always)]
    unsafe fn scales(blocks: [*const u8; 4]) -> (Self::Scales, Self::Scales) {
        // SAFETY: the caller points to blocks.
        unsafe { ([halves(blocks, 0)], [halves(blocks, 2)]) }
    }
}

impl Format for Q8_0 {
    type Shape = Plain;
    type Scales = [float32x4_t; 1];
    const GROUPS: usize = 1;
    const BYTES: usize = 34;

    #[inline(always)]
    unsafe fn integers(block: *const u8, _: usize) -> [int8x16_t; 2] {
        // SAFETY: the caller points to a block; every 64-bit Arm has these instructions.
        unsafe { [vld1q_s8(block.add(2).cast()), vld1q_s8(block.add(18).cast())] }
    }

    #[inline(always)]
    unsafe fn scales(blocks: [*const u8; 4]) -> (Self::Scales, Self::Scales) {
        // SAFETY: the caller points to blocks.
        let d = unsafe { halves(blocks, 0) };
        ([d], [d])
    }
}

impl Format for Iq4Nl {
    type Shape = Plain;
    type Scales = [float32x4_t; 1];
    const GROUPS: usize = 1;
    const BYTES: usize = 18;

    #[inline(always)]
    unsafe fn integers(block: *const u8, _: usize) -> [int8x16_t; 2] {
        // SAFETY: the caller points to a block, the table has 16 bytes; every 64-bit Arm has these
        // instructions.
        unsafe {
            let values = vld1q_s8(IQ4_VALUES.as_ptr());
            nibbles(block.add(2)).each(|q| vqtbl1q_s8(values, q))
        }
    }

    #[inline(always)]
    unsafe fn scales(blocks: [*const u8; 4]) -> (Self::Scales, Self::Scales) {
        // SAFETY: the caller points to blocks.
        let d = unsafe { halves(blocks, 0) };
        ([d], [d])
    }
}
