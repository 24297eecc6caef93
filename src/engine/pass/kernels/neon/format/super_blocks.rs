//! The formats with blocks of 256, whose scales have scales.

#![expect(unsafe_code, reason = "vector instructions, and blocks read through pointers")]

use std::arch::aarch64::*;

use super::super::each::Each;
use super::{Format, Halves, Plain, Shifted, ShiftedHalves, halves, nibbles, transpose};
use crate::block::IQ4_VALUES;

/// 2 bits, a minimum for 16.
pub(in super::super) struct Q2K;
/// 3 bits less 4.
pub(in super::super) struct Q3K;
/// 4 bits, a minimum for 32.
pub(in super::super) struct Q4K;
/// 5 bits, a minimum for 32.
pub(in super::super) struct Q5K;
/// 6 bits less 32.
pub(in super::super) struct Q6K;
/// Indices into [`IQ4_VALUES`].
pub(in super::super) struct Iq4Xs;

/// The low bits of each byte of a word.
const LOW: u32 = 0x0f0f_0f0f;
const TWO: u32 = 0x0303_0303;
const SIX: u32 = 0x3f3f_3f3f;

/// 32 bytes shifted down by `shift` bits, and the `mask` of what is left.
#[inline(always)]
unsafe fn fields(bytes: *const u8, shift: usize, mask: u8) -> [uint8x16_t; 2] {
    // SAFETY: the caller points to 32 bytes; every 64-bit Arm has these instructions.
    unsafe {
        let down = vdupq_n_s8(-(shift as i8));
        [vld1q_u8(bytes), vld1q_u8(bytes.add(16))]
            .each(|bytes| vandq_u8(vshlq_u8(bytes, down), vdupq_n_u8(mask)))
    }
}

/// As [`fields`]: `set` where the bit of each byte is set, else 0.
#[inline(always)]
unsafe fn bits(bytes: *const u8, bit: usize, set: u8) -> [uint8x16_t; 2] {
    // SAFETY: the caller points to 32 bytes; every 64-bit Arm has these instructions.
    unsafe {
        let mask = vdupq_n_u8(1 << bit);
        [vld1q_u8(bytes), vld1q_u8(bytes.add(16))]
            .each(|bytes| vandq_u8(vtstq_u8(bytes, mask), vdupq_n_u8(set)))
    }
}

#[inline(always)]
unsafe fn word(block: *const u8, at: usize) -> u32 {
    // SAFETY: the caller points to a block that has four bytes there.
    unsafe { block.add(at).cast::<u32>().read_unaligned() }
}

/// 16 small signed numbers, as floating-point ones.
#[inline(always)]
unsafe fn widen(numbers: int8x16_t) -> [float32x4_t; 4] {
    // SAFETY: every 64-bit Arm has these instructions.
    unsafe {
        let (low, high) = (vmovl_s8(vget_low_s8(numbers)), vmovl_high_s8(numbers));
        [
            vmovl_s16(vget_low_s16(low)),
            vmovl_high_s16(low),
            vmovl_s16(vget_low_s16(high)),
            vmovl_high_s16(high),
        ]
        .each(|numbers| vcvtq_f32_s32(numbers))
    }
}

/// The numbers of four rows, 16 each, times a factor for each row; in each vector those at the
/// same place of the four.
#[inline(always)]
unsafe fn across(rows: [int8x16_t; 4], factors: float32x4_t) -> [float32x4_t; 16] {
    // SAFETY: every 64-bit Arm has these instructions.
    unsafe {
        let rows = rows.each(|row| widen(row));
        let mut columns = [factors; 16];
        for (index, columns) in columns.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            *columns =
                transpose(rows.each(|row| row[index])).each(|numbers| vmulq_f32(numbers, factors));
        }
        columns
    }
}

/// Numbers of four bytes in each of four words.
#[inline(always)]
unsafe fn words(words: [u32; 4]) -> int8x16_t {
    // SAFETY: it reads the 16 bytes of the array; every 64-bit Arm has these instructions.
    unsafe { vreinterpretq_s8_u32(vld1q_u32(words.as_ptr())) }
}

/// The first and the last half of 16 vectors.
#[inline(always)]
fn split(vectors: [float32x4_t; 16]) -> ([float32x4_t; 8], [float32x4_t; 8]) {
    let (mut first, mut last) = ([vectors[0]; 8], [vectors[8]; 8]);
    for index in 1..8 {
        (first[index], last[index]) = (vectors[index], vectors[index + 8]);
    }
    (first, last)
}

/// The scales and minima of four blocks of `Q4_K` or `Q5_K`.
#[inline(always)]
unsafe fn k_scales(blocks: [*const u8; 4]) -> ([float32x4_t; 8], [float32x4_t; 8]) {
    // SAFETY: the caller points to blocks; every 64-bit Arm has these instructions.
    unsafe {
        let rows = blocks.each(|block| {
            let (a, b, c) = (word(block, 4), word(block, 8), word(block, 12));
            words([
                a & SIX,
                c & LOW | (a >> 6 & TWO) << 4,
                b & SIX,
                c >> 4 & LOW | (b >> 6 & TWO) << 4,
            ])
        });
        let (scales, minima) = split(across(rows, vdupq_n_f32(1.0)));
        let (d, dmin) = (halves(blocks, 0), vnegq_f32(halves(blocks, 2)));
        (scales.each(|scale| vmulq_f32(scale, d)), minima.each(|minimum| vmulq_f32(minimum, dmin)))
    }
}

impl Format for Q2K {
    type Shape = ShiftedHalves;
    type Scales = [float32x4_t; 16];
    const GROUPS: usize = 8;
    const BYTES: usize = 84;

    #[inline(always)]
    unsafe fn integers(block: *const u8, group: usize) -> [int8x16_t; 2] {
        // SAFETY: the caller points to a block; every 64-bit Arm has this instruction.
        unsafe {
            fields(block.add(16 + group / 4 * 32), group % 4 * 2, 3)
                .each(|q| vreinterpretq_s8_u8(q))
        }
    }

    #[inline(always)]
    unsafe fn scales(blocks: [*const u8; 4]) -> (Self::Scales, Self::Scales) {
        // SAFETY: the caller points to blocks; every 64-bit Arm has these instructions.
        unsafe {
            let rows = blocks.each(|block| vld1q_u8(block));
            let scales = rows.each(|row| vreinterpretq_s8_u8(vandq_u8(row, vdupq_n_u8(15))));
            let minima = rows.each(|row| vreinterpretq_s8_u8(vshrq_n_u8::<4>(row)));
            (across(scales, halves(blocks, 80)), across(minima, vnegq_f32(halves(blocks, 82))))
        }
    }
}

impl Format for Q3K {
    type Shape = Halves;
    type Scales = [float32x4_t; 16];
    const GROUPS: usize = 8;
    const BYTES: usize = 110;

    #[inline(always)]
    unsafe fn integers(block: *const u8, group: usize) -> [int8x16_t; 2] {
        // SAFETY: the caller points to a block; every 64-bit Arm has these instructions.
        unsafe {
            let low = fields(block.add(32 + group / 4 * 32), group % 4 * 2, 3);
            let high = bits(block, group, 4);
            [vorrq_u8(low[0], high[0]), vorrq_u8(low[1], high[1])]
                .each(|q| vsubq_s8(vreinterpretq_s8_u8(q), vdupq_n_s8(4)))
        }
    }

    #[inline(always)]
    unsafe fn scales(blocks: [*const u8; 4]) -> (Self::Scales, Self::Scales) {
        // SAFETY: the caller points to blocks; every 64-bit Arm has these instructions.
        unsafe {
            let rows = blocks.each(|block| {
                let (a, b, c) = (word(block, 96), word(block, 100), word(block, 104));
                let row = words([
                    a & LOW | (c & TWO) << 4,
                    b & LOW | (c >> 2 & TWO) << 4,
                    a >> 4 & LOW | (c >> 4 & TWO) << 4,
                    b >> 4 & LOW | (c >> 6 & TWO) << 4,
                ]);
                vsubq_s8(row, vdupq_n_s8(32))
            });
            let scales = across(rows, halves(blocks, 108));
            (scales, scales)
        }
    }
}

impl Format for Q4K {
    type Shape = Shifted;
    type Scales = [float32x4_t; 8];
    const GROUPS: usize = 8;
    const BYTES: usize = 144;

    #[inline(always)]
    unsafe fn integers(block: *const u8, group: usize) -> [int8x16_t; 2] {
        // SAFETY: the caller points to a block; every 64-bit Arm has this instruction.
        unsafe {
            fields(block.add(16 + group / 2 * 32), group % 2 * 4, 15)
                .each(|q| vreinterpretq_s8_u8(q))
        }
    }

    #[inline(always)]
    unsafe fn scales(blocks: [*const u8; 4]) -> (Self::Scales, Self::Scales) {
        // SAFETY: the caller points to blocks.
        unsafe { k_scales(blocks) }
    }
}

impl Format for Q5K {
    type Shape = Shifted;
    type Scales = [float32x4_t; 8];
    const GROUPS: usize = 8;
    const BYTES: usize = 176;

    #[inline(always)]
    unsafe fn integers(block: *const u8, group: usize) -> [int8x16_t; 2] {
        // SAFETY: the caller points to a block; every 64-bit Arm has these instructions.
        unsafe {
            let low = fields(block.add(48 + group / 2 * 32), group % 2 * 4, 15);
            let high = bits(block.add(16), group, 16);
            [vorrq_u8(low[0], high[0]), vorrq_u8(low[1], high[1])].each(|q| vreinterpretq_s8_u8(q))
        }
    }

    #[inline(always)]
    unsafe fn scales(blocks: [*const u8; 4]) -> (Self::Scales, Self::Scales) {
        // SAFETY: the caller points to blocks.
        unsafe { k_scales(blocks) }
    }
}

impl Format for Q6K {
    type Shape = Halves;
    type Scales = [float32x4_t; 16];
    const GROUPS: usize = 8;
    const BYTES: usize = 210;

    #[inline(always)]
    unsafe fn integers(block: *const u8, group: usize) -> [int8x16_t; 2] {
        let (part, quarter) = (group / 4, group % 4);
        // SAFETY: the caller points to a block; every 64-bit Arm has these instructions.
        unsafe {
            let four = fields(block.add(part * 64 + quarter % 2 * 32), quarter / 2 * 4, 15);
            let two = fields(block.add(128 + part * 32), quarter * 2, 3);
            // The two bits go above the four.
            [vsliq_n_u8::<4>(four[0], two[0]), vsliq_n_u8::<4>(four[1], two[1])]
                .each(|q| vsubq_s8(vreinterpretq_s8_u8(q), vdupq_n_s8(32)))
        }
    }

    #[inline(always)]
    unsafe fn scales(blocks: [*const u8; 4]) -> (Self::Scales, Self::Scales) {
        // SAFETY: the caller points to blocks; every 64-bit Arm has these instructions.
        unsafe {
            let rows = blocks.each(|block| vld1q_s8(block.add(192).cast()));
            let scales = across(rows, halves(blocks, 208));
            (scales, scales)
        }
    }
}

impl Format for Iq4Xs {
    type Shape = Plain;
    type Scales = [float32x4_t; 8];
    const GROUPS: usize = 8;
    const BYTES: usize = 136;

    #[inline(always)]
    unsafe fn integers(block: *const u8, group: usize) -> [int8x16_t; 2] {
        // SAFETY: the caller points to a block, the table has 16 bytes; every 64-bit Arm has these
        // instructions.
        unsafe {
            let values = vld1q_s8(IQ4_VALUES.as_ptr());
            nibbles(block.add(8 + group * 16)).each(|q| vqtbl1q_s8(values, q))
        }
    }

    #[inline(always)]
    unsafe fn scales(blocks: [*const u8; 4]) -> (Self::Scales, Self::Scales) {
        // SAFETY: the caller points to blocks; every 64-bit Arm has these instructions.
        unsafe {
            let rows = blocks.each(|block| {
                let low = vdup_n_u32(word(block, 4));
                let bytes = vtbl1_u8(vreinterpret_u8_u32(low), vcreate_u8(0x0303_0202_0101_0000));
                let nibble = vcreate_s8(0xfc00_fc00_fc00_fc00);
                let low = vand_u8(vshl_u8(bytes, nibble), vdup_n_u8(15));
                let high = vdupq_n_u16(block.add(2).cast::<u16>().read_unaligned());
                let down = [0, -2, -4, -6, -8, -10, -12, -14];
                let high = vmovn_u16(vshlq_u16(high, vld1q_s16(down.as_ptr())));
                let high = vshl_n_u8::<4>(vand_u8(high, vdup_n_u8(3)));
                let scales = vsub_s8(vreinterpret_s8_u8(vorr_u8(low, high)), vdup_n_s8(32));
                vcombine_s8(scales, scales)
            });
            let (scales, _) = split(across(rows, halves(blocks, 0)));
            (scales, scales)
        }
    }
}
