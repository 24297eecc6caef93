//! The formats in blocks of 32 weights.

use std::arch::x86_64::{
    __m512i, _mm_loadu_si128, _mm512_broadcast_i32x4, _mm512_multishift_epi64_epi8,
    _mm512_set1_epi8, _mm512_set1_epi64, _mm512_shuffle_epi8, _mm512_ternarylogic_epi32,
    _mm512_xor_si512,
};

use super::panel::{Format, Group, bits, high_half, low_half, word, words};
use crate::block::IQ4_VALUES;

pub(super) struct Q4_0;
pub(super) struct Q4_1;
pub(super) struct Q5_0;
pub(super) struct Q5_1;
pub(super) struct Q8_0;
pub(super) struct Iq4Nl;

/// Low halves of the bytes: the first 16 weights; high halves: the last 16.
///
/// # Safety
/// As for [`words`].
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn nibbles(at: *const u8, stride: usize) -> [__m512i; 8] {
    // SAFETY: as promised.
    let words = unsafe { words(at, stride) };
    std::array::from_fn(|index| bits(words[index % 4], index / 4 * 4, 0x0f0f_0f0f))
}

/// The bits `4 · index ..` of each lane of `high` as bits 4 of the four bytes of the lane, on top
/// of `low`.
#[inline]
#[target_feature(enable = "avx512f,avx512vbmi")]
fn with_fifth(low: __m512i, high: __m512i, index: usize) -> __m512i {
    // Eight bits from bit `4 · index + byte − 4` on, counted around the 64 of two lanes.
    let first = (index as u64 * 4).wrapping_sub(4);
    let shifts = (0..8).fold(0, |shifts, byte: u64| {
        let shift = first.wrapping_add(byte % 4 + byte / 4 * 32) & 63;
        shifts | shift << (byte * 8)
    });
    let spread = _mm512_multishift_epi64_epi8(_mm512_set1_epi64(shifts.cast_signed()), high);
    // low | spread & 16
    _mm512_ternarylogic_epi32::<0xf8>(low, spread, _mm512_set1_epi8(16))
}

impl Format for Q4_0 {
    const WEIGHTS: usize = 32;
    const BYTES: usize = 18;
    const HALVES: bool = false;
    const OFFSET: i32 = 8;
    const MINIMA: bool = false;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn unpack(block: *const u8, stride: usize, out: Group) {
        // SAFETY: as promised.
        unsafe {
            Group::set_scale(out, 0, low_half(word(block, stride)));
            for (index, quants) in nibbles(block.add(2), stride).into_iter().enumerate() {
                Group::set_quants::<Self>(out, index, quants);
            }
        }
    }
}

impl Format for Q4_1 {
    const WEIGHTS: usize = 32;
    const BYTES: usize = 20;
    const HALVES: bool = false;
    const OFFSET: i32 = 0;
    const MINIMA: bool = true;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn unpack(block: *const u8, stride: usize, out: Group) {
        // SAFETY: as promised.
        unsafe {
            let head = word(block, stride);
            Group::set_scale(out, 0, low_half(head));
            Group::set_minimum(out, 0, high_half(head));
            for (index, quants) in nibbles(block.add(4), stride).into_iter().enumerate() {
                Group::set_quants::<Self>(out, index, quants);
            }
        }
    }
}

impl Format for Q5_0 {
    const WEIGHTS: usize = 32;
    const BYTES: usize = 22;
    const HALVES: bool = false;
    const OFFSET: i32 = 16;
    const MINIMA: bool = false;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn unpack(block: *const u8, stride: usize, out: Group) {
        // SAFETY: as promised.
        unsafe {
            Group::set_scale(out, 0, low_half(word(block, stride)));
            let high = word(block.add(2), stride);
            for (index, quants) in nibbles(block.add(6), stride).into_iter().enumerate() {
                Group::set_quants::<Self>(out, index, with_fifth(quants, high, index));
            }
        }
    }
}

impl Format for Q5_1 {
    const WEIGHTS: usize = 32;
    const BYTES: usize = 24;
    const HALVES: bool = false;
    const OFFSET: i32 = 0;
    const MINIMA: bool = true;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn unpack(block: *const u8, stride: usize, out: Group) {
        // SAFETY: as promised.
        unsafe {
            let head = word(block, stride);
            Group::set_scale(out, 0, low_half(head));
            Group::set_minimum(out, 0, high_half(head));
            let high = word(block.add(4), stride);
            for (index, quants) in nibbles(block.add(8), stride).into_iter().enumerate() {
                Group::set_quants::<Self>(out, index, with_fifth(quants, high, index));
            }
        }
    }
}

impl Format for Q8_0 {
    const WEIGHTS: usize = 32;
    const BYTES: usize = 34;
    const HALVES: bool = false;
    const OFFSET: i32 = 128;
    const MINIMA: bool = false;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn unpack(block: *const u8, stride: usize, out: Group) {
        let flip = _mm512_set1_epi8(-128);
        // SAFETY: as promised.
        unsafe {
            Group::set_scale(out, 0, low_half(word(block, stride)));
            for half in 0..2 {
                let quants = words(block.add(2 + half * 16), stride);
                for (index, quants) in quants.into_iter().enumerate() {
                    Group::set_quants::<Self>(
                        out,
                        half * 4 + index,
                        _mm512_xor_si512(quants, flip),
                    );
                }
            }
        }
    }
}

/// The values of the four-bit indices, plus 128.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn iq4_quants(indices: __m512i) -> __m512i {
    const TABLE: [u8; 16] = {
        let mut table = [0; 16];
        let mut index = 0;
        while index < 16 {
            table[index] = IQ4_VALUES[index].cast_unsigned() ^ 128;
            index += 1;
        }
        table
    };
    // SAFETY: the table has 16 bytes.
    let table = _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(TABLE.as_ptr().cast()) });
    _mm512_shuffle_epi8(table, indices)
}

impl Format for Iq4Nl {
    const WEIGHTS: usize = 32;
    const BYTES: usize = 18;
    const HALVES: bool = false;
    const OFFSET: i32 = 128;
    const MINIMA: bool = false;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn unpack(block: *const u8, stride: usize, out: Group) {
        // SAFETY: as promised.
        unsafe {
            Group::set_scale(out, 0, low_half(word(block, stride)));
            for (index, indices) in nibbles(block.add(2), stride).into_iter().enumerate() {
                Group::set_quants::<Self>(out, index, iq4_quants(indices));
            }
        }
    }
}
