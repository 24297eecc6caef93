//! Weights on their way to tiles of bf16.

use std::arch::x86_64::{
    __m512, __m512i, _mm512_add_epi32, _mm512_castps_si512, _mm512_cmpunord_ps_mask,
    _mm512_fmadd_ps, _mm512_mask_mov_epi16, _mm512_mask_mov_ps, _mm512_mul_ps, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_srli_epi32, _mm512_store_si512,
};

use super::super::panel::{Ahead, Format, Group, QUANTS, SCALES, byte, words};
use super::TILE_BYTES;
use crate::activations::GROUP;

/// What can be expanded to tiles of bf16.
pub(in super::super) trait Expand {
    /// Weights of a block, a multiple of 32, and its bytes.
    const BLOCK: (usize, usize);

    /// Expands a block of each of 16 rows into one tile per group: two neighbouring weights of a
    /// row side by side, the 16 rows side by side, the pairs below each other.
    ///
    /// # Safety
    /// As for [`Format::unpack`].
    unsafe fn expand(block: *const u8, stride: usize, out: *mut u8);
}

/// The bf16 weights as they are.
pub(in super::super) struct Bf16;

impl Expand for Bf16 {
    const BLOCK: (usize, usize) = (GROUP, GROUP * 2);

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn expand(block: *const u8, stride: usize, out: *mut u8) {
        // SAFETY: as promised.
        unsafe {
            for part in 0..4 {
                let pairs = words(block.add(part * 16), stride);
                for (index, pairs) in pairs.into_iter().enumerate() {
                    _mm512_store_si512(out.add((part * 4 + index) * 64).cast(), pairs);
                }
            }
        }
    }
}

impl<F: Format> Expand for F {
    const BLOCK: (usize, usize) = (F::WEIGHTS, F::BYTES);

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn expand(block: *const u8, stride: usize, out: *mut u8) {
        let mut memory = std::mem::MaybeUninit::<Unpacked>::uninit();
        // SAFETY: a block has at most 8 groups, and each is a tile.
        unsafe {
            let memory = memory.as_mut_ptr();
            let quants = (&raw mut (*memory).quants).cast();
            let scales = (&raw mut (*memory).scales).cast();
            // Many vectors take longer than the weights' way here: only lines at hand are named.
            let ahead = Ahead { rows: block, stride: 0 };
            let groups = Group { quants, scales, index: 0, ahead };
            F::unpack(block, stride, groups);
            for group in 0..F::WEIGHTS / GROUP {
                expand_group::<F>(groups.add(group), out.add(group * TILE_BYTES));
            }
        }
    }
}

/// Room for eight groups.
#[repr(C, align(64))]
struct Unpacked {
    quants: [u8; 8 * QUANTS],
    scales: [f32; 8 * SCALES],
}

/// # Safety
/// `group` is unpacked; `out` has room for a tile and is aligned to 64 bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn expand_group<F: Format>(group: Group, out: *mut u8) {
    // SAFETY: as promised.
    unsafe {
        for index in 0..8 {
            let half = if F::HALVES { index / 4 } else { 0 };
            let scale = plain(group.scale(half));
            let base = if F::MINIMA {
                plain(group.minimum(half))
            } else {
                _mm512_mul_ps(scale, _mm512_set1_ps(-F::OFFSET as f32))
            };
            let quants = group.quants(index);
            let weight = |at| _mm512_fmadd_ps(byte(quants, at), scale, base);
            for pair in 0..2 {
                let both = pairs(weight(pair * 2), weight(pair * 2 + 1));
                _mm512_store_si512(out.add((index * 2 + pair) * 64).cast(), both);
            }
        }
    }
}

/// Two numbers of each lane, rounded to bf16, side by side. Ties go away from zero; this is faster
/// than the instruction that lays the numbers behind each other. A number that is not one must be
/// that of [`plain`], lest rounding carries into its sign.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn pairs(first: __m512, second: __m512) -> __m512i {
    let half = _mm512_set1_epi32(0x8000);
    let first = _mm512_add_epi32(_mm512_castps_si512(first), half);
    let second = _mm512_add_epi32(_mm512_castps_si512(second), half);
    _mm512_mask_mov_epi16(_mm512_srli_epi32::<16>(first), 0xaaaa_aaaa, second)
}

/// The numbers, where undefined the plainest of undefined numbers.
#[inline]
#[target_feature(enable = "avx512f")]
fn plain(numbers: __m512) -> __m512 {
    let undefined = _mm512_cmpunord_ps_mask(numbers, numbers);
    _mm512_mask_mov_ps(numbers, undefined, _mm512_set1_ps(f32::from_bits(0x7fc0_0000)))
}
