//! The formats in blocks of 256 weights.

use std::arch::x86_64::{
    __m512, __m512i, _mm512_cvtepi32_ps, _mm512_mul_ps, _mm512_or_si512, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_shrdi_epi32, _mm512_slli_epi32, _mm512_sllv_epi32, _mm512_srai_epi32,
    _mm512_sub_epi32, _mm512_sub_ps,
};

use super::blocks::iq4_quants;
use super::panel::{Format, Group, bits, byte, high_half, low_half, words};

pub(super) struct Q2K;
pub(super) struct Q3K;
pub(super) struct Q4K;
pub(super) struct Q5K;
pub(super) struct Q6K;
pub(super) struct Iq4Xs;

/// The weights, one vector for four of each row, of the 32 bytes at `at`.
///
/// # Safety
/// As for [`words`], of 32 bytes.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn bytes32(at: *const u8, stride: usize) -> [__m512i; 8] {
    // SAFETY: as promised.
    let (first, last) = unsafe { (words(at, stride), words(at.add(16), stride)) };
    [first[0], first[1], first[2], first[3], last[0], last[1], last[2], last[3]]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn negative(numbers: __m512) -> __m512 {
    _mm512_sub_ps(_mm512_set1_ps(-0.0), numbers)
}

/// Scales and minima of `Q4_K` and `Q5_K` from the first 16 bytes of their blocks.
///
/// # Safety
/// `out` has room for eight groups.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn set_k_scales(head: [__m512i; 4], out: Group) {
    let (d, negative_dmin) = (low_half(head[0]), negative(high_half(head[0])));
    let six = |words| bits(words, 0, 0x3f3f_3f3f);
    let upper = |words| bits(words, 2, 0x3030_3030);
    let scales = [six(head[1]), _mm512_or_si512(bits(head[3], 0, 0x0f0f_0f0f), upper(head[1]))];
    let minima = [six(head[2]), _mm512_or_si512(bits(head[3], 4, 0x0f0f_0f0f), upper(head[2]))];
    for group in 0..8 {
        let scale = _mm512_mul_ps(d, byte(scales[group / 4], group % 4));
        let minimum = _mm512_mul_ps(negative_dmin, byte(minima[group / 4], group % 4));
        // SAFETY: as promised.
        unsafe {
            Group::set_scale(out.add(group), 0, scale);
            Group::set_minimum(out.add(group), 0, minimum);
        }
    }
}

impl Format for Q4K {
    const WEIGHTS: usize = 256;
    const BYTES: usize = 144;
    const HALVES: bool = false;
    const OFFSET: i32 = 0;
    const MINIMA: bool = true;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn unpack(block: *const u8, stride: usize, out: Group) {
        // SAFETY: as promised.
        unsafe {
            set_k_scales(words(block, stride), out);
            for pair in 0..4 {
                let both = bytes32(block.add(16 + pair * 32), stride);
                for (index, both) in both.into_iter().enumerate() {
                    Group::set_quants::<Self>(out.add(pair * 2), index, bits(both, 0, 0x0f0f_0f0f));
                    Group::set_quants::<Self>(
                        out.add(pair * 2 + 1),
                        index,
                        bits(both, 4, 0x0f0f_0f0f),
                    );
                }
            }
        }
    }
}

impl Format for Q5K {
    const WEIGHTS: usize = 256;
    const BYTES: usize = 176;
    const HALVES: bool = false;
    const OFFSET: i32 = 0;
    const MINIMA: bool = true;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn unpack(block: *const u8, stride: usize, out: Group) {
        // SAFETY: as promised.
        unsafe {
            set_k_scales(words(block, stride), out);
            let high = bytes32(block.add(16), stride);
            for pair in 0..4 {
                let both = bytes32(block.add(48 + pair * 32), stride);
                for index in 0..8 {
                    for group in [pair * 2, pair * 2 + 1] {
                        let low = bits(both[index], group % 2 * 4, 0x0f0f_0f0f);
                        // Bit `group` to bit 4.
                        let fifth = if group < 4 {
                            let by = _mm512_set1_epi32(4 - group as i32);
                            bits(_mm512_sllv_epi32(high[index], by), 0, 0x1010_1010)
                        } else {
                            bits(high[index], group - 4, 0x1010_1010)
                        };
                        Group::set_quants::<Self>(
                            out.add(group),
                            index,
                            _mm512_or_si512(low, fifth),
                        );
                    }
                }
            }
        }
    }
}

impl Format for Q6K {
    const WEIGHTS: usize = 256;
    const BYTES: usize = 210;
    const HALVES: bool = true;
    const OFFSET: i32 = 32;
    const MINIMA: bool = false;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn unpack(block: *const u8, stride: usize, out: Group) {
        // SAFETY: as promised; the last words read are the bytes 194..210.
        unsafe {
            let scales = words(block.add(192), stride);
            let d = high_half(words(block.add(194), stride)[3]);
            for group in 0..16 {
                let by = _mm512_set1_epi32(24 - (group % 4 * 8) as i32);
                let scale = _mm512_srai_epi32::<24>(_mm512_sllv_epi32(scales[group / 4], by));
                let scale = _mm512_mul_ps(d, _mm512_cvtepi32_ps(scale));
                Group::set_scale(out.add(group / 2), group % 2, scale);
            }
            for part in 0..2 {
                let high = bytes32(block.add(128 + part * 32), stride);
                for sixteen in 0..4 {
                    // 16 bytes hold numbers of this quarter and of the one two behind it.
                    let low = words(block.add(part * 64 + sixteen * 16), stride);
                    for index in 0..4 {
                        let high = high[sixteen % 2 * 4 + index];
                        for quarter in [sixteen / 2, sixteen / 2 + 2] {
                            let four = bits(low[index], quarter / 2 * 4, 0x0f0f_0f0f);
                            let two = if quarter < 2 {
                                let by = _mm512_set1_epi32(4 - 2 * quarter as i32);
                                bits(_mm512_sllv_epi32(high, by), 0, 0x3030_3030)
                            } else {
                                bits(high, quarter * 2 - 4, 0x3030_3030)
                            };
                            let group = out.add(part * 4 + quarter);
                            let at = sixteen % 2 * 4 + index;
                            Group::set_quants::<Self>(group, at, _mm512_or_si512(four, two));
                        }
                    }
                }
            }
        }
    }
}

impl Format for Q2K {
    const WEIGHTS: usize = 256;
    const BYTES: usize = 84;
    const HALVES: bool = true;
    const OFFSET: i32 = 0;
    const MINIMA: bool = true;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn unpack(block: *const u8, stride: usize, out: Group) {
        // SAFETY: as promised; the last words read are the bytes 68..84.
        unsafe {
            let both = words(block, stride);
            let factors = words(block.add(68), stride)[3];
            let (d, negative_dmin) = (low_half(factors), negative(high_half(factors)));
            for group in 0..16 {
                let both = both[group / 4];
                let scale = _mm512_cvtepi32_ps(bits(both, group % 4 * 8, 15));
                let minimum = _mm512_cvtepi32_ps(bits(both, group % 4 * 8 + 4, 15));
                let (to, half) = (out.add(group / 2), group % 2);
                Group::set_scale(to, half, _mm512_mul_ps(d, scale));
                Group::set_minimum(to, half, _mm512_mul_ps(negative_dmin, minimum));
            }
            for part in 0..2 {
                let quants = bytes32(block.add(16 + part * 32), stride);
                for (index, quants) in quants.into_iter().enumerate() {
                    for quarter in 0..4 {
                        let two = bits(quants, quarter * 2, 0x0303_0303);
                        Group::set_quants::<Self>(out.add(part * 4 + quarter), index, two);
                    }
                }
            }
        }
    }
}

impl Format for Q3K {
    const WEIGHTS: usize = 256;
    const BYTES: usize = 110;
    const HALVES: bool = true;
    const OFFSET: i32 = 4;
    const MINIMA: bool = false;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn unpack(block: *const u8, stride: usize, out: Group) {
        // SAFETY: as promised; the last words read are the bytes 94..110.
        unsafe {
            let tail = words(block.add(94), stride);
            let d = high_half(tail[3]);
            let packed = [
                _mm512_shrdi_epi32::<16>(tail[0], tail[1]),
                _mm512_shrdi_epi32::<16>(tail[1], tail[2]),
                _mm512_shrdi_epi32::<16>(tail[2], tail[3]),
            ];
            for four in 0..4 {
                let low = bits(packed[four % 2], four / 2 * 4, 0x0f0f_0f0f);
                let high = _mm512_slli_epi32::<4>(bits(packed[2], four * 2, 0x0303_0303));
                let scales = _mm512_or_si512(low, high);
                for index in 0..4 {
                    let scale = bits(scales, index * 8, 255);
                    let scale = _mm512_sub_epi32(scale, _mm512_set1_epi32(32));
                    let scale = _mm512_mul_ps(d, _mm512_cvtepi32_ps(scale));
                    let group = four * 4 + index;
                    Group::set_scale(out.add(group / 2), group % 2, scale);
                }
            }
            let high = bytes32(block, stride);
            for part in 0..2 {
                let quants = bytes32(block.add(32 + part * 32), stride);
                for index in 0..8 {
                    for quarter in 0..4 {
                        let group = part * 4 + quarter;
                        let two = bits(quants[index], quarter * 2, 0x0303_0303);
                        // Bit `group` to bit 2.
                        let third = if group < 2 {
                            let by = _mm512_set1_epi32(2 - group as i32);
                            bits(_mm512_sllv_epi32(high[index], by), 0, 0x0404_0404)
                        } else {
                            bits(high[index], group - 2, 0x0404_0404)
                        };
                        Group::set_quants::<Self>(
                            out.add(group),
                            index,
                            _mm512_or_si512(two, third),
                        );
                    }
                }
            }
        }
    }
}

impl Format for Iq4Xs {
    const WEIGHTS: usize = 256;
    const BYTES: usize = 136;
    const HALVES: bool = false;
    const OFFSET: i32 = 128;
    const MINIMA: bool = false;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn unpack(block: *const u8, stride: usize, out: Group) {
        // SAFETY: as promised.
        unsafe {
            let head = words(block, stride);
            let d = low_half(head[0]);
            for group in 0..8 {
                let low = bits(head[1], group * 4, 15);
                let high = _mm512_slli_epi32::<4>(bits(head[0], 16 + group * 2, 3));
                let scale = _mm512_or_si512(low, high);
                let scale = _mm512_sub_epi32(scale, _mm512_set1_epi32(32));
                let to = out.add(group);
                Group::set_scale(to, 0, _mm512_mul_ps(d, _mm512_cvtepi32_ps(scale)));
                let both = words(block.add(8 + group * 16), stride);
                for (index, both) in both.into_iter().enumerate() {
                    let (low, high) = (bits(both, 0, 0x0f0f_0f0f), bits(both, 4, 0x0f0f_0f0f));
                    Group::set_quants::<Self>(to, index, iq4_quants(low));
                    Group::set_quants::<Self>(to, index + 4, iq4_quants(high));
                }
            }
        }
    }
}
