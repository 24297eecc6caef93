//! Blocks of the quantized formats → bytes in vector registers, with their scales and minima.
//!
//! The unit is a chunk of 8 groups of 32 weights: one block of 256, or 8 blocks of 32.

use std::arch::x86_64::*;

mod blocks_of_256;
mod blocks_of_32;

pub(super) use blocks_of_32::*;
pub(super) use blocks_of_256::*;

/// Scales and minima of a chunk: element `g` of the first vector is that of group `g`; with
/// [`Format::HALVES`], element `h` of the two vectors together is that of the `h`-th run of 16.
#[derive(Clone, Copy)]
pub(super) struct Scales {
    pub(super) scales: [__m256; 2],
    /// Zero without [`Format::MINIMA`].
    pub(super) minima: [__m256; 2],
}

/// A quantized format: `weight = scale · (byte - OFFSET) + minimum`.
///
/// # Safety
/// All functions need AVX2, FMA and F16C, those that return 512 bits AVX-512 F, BW, DQ and VL, and a
/// pointer to a whole chunk, of which only the first `groups` have to be there where a
/// function says so. They are inlined into functions that have these features enabled.
pub(super) trait Format {
    /// Bytes of a chunk.
    const BYTES: usize;
    /// What is to be subtracted from a byte. For signed formats 0, and 128 when biased.
    const OFFSET: u8;
    /// Whether the bytes are signed. Then `biased` adds 128 to make them unsigned.
    const SIGNED: bool;
    /// Whether scales (and minima) are those of 16 weights instead of 32.
    const HALVES: bool;
    /// Whether there are minima.
    const MINIMA: bool;
    /// Whether a row may end within a chunk, as blocks are of 32.
    const PARTIAL: bool;

    /// Scales and minima of the first `groups` groups; those of the others are zero.
    unsafe fn scales(chunk: *const u8, groups: usize) -> Scales;

    /// The 32 bytes of group `G` in their order; signed ones plus 128 if `biased`.
    unsafe fn group<const G: usize>(chunk: *const u8, biased: bool) -> __m256i;

    /// The 64 bytes of groups `2 * P` and `2 * P + 1` in their order; signed formats biased.
    unsafe fn pair<const P: usize>(chunk: *const u8) -> __m512i;
}

/// The 32 bytes at `at`.
#[inline(always)]
unsafe fn load(at: *const u8) -> __m256i {
    // SAFETY: the caller promises 32 bytes and AVX2.
    unsafe { _mm256_loadu_si256(at.cast()) }
}

/// The half-precision number at `at` in every element.
#[inline(always)]
unsafe fn half(at: *const u8) -> __m256 {
    // SAFETY: the caller promises 2 bytes, AVX2 and F16C.
    unsafe {
        let bits = at.cast::<i16>().read_unaligned();
        _mm256_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(i32::from(bits))))
    }
}

/// 16 bytes as the 32 halves of them: low ones first.
#[inline(always)]
unsafe fn nibbles(at: *const u8) -> __m256i {
    // SAFETY: the caller promises 16 bytes and AVX2.
    unsafe {
        let twice = _mm256_broadcastsi128_si256(_mm_loadu_si128(at.cast()));
        let shifted = _mm256_srlv_epi32(twice, _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4));
        _mm256_and_si256(shifted, _mm256_set1_epi8(15))
    }
}

/// Twice [`nibbles`], of the 16 bytes at `first` and the 16 at `second`.
#[inline(always)]
unsafe fn nibbles_pair(first: *const u8, second: *const u8) -> __m512i {
    // SAFETY: the caller promises 16 bytes each and AVX-512.
    unsafe {
        let (first, second) = (_mm_loadu_si128(first.cast()), _mm_loadu_si128(second.cast()));
        let first = _mm512_broadcast_i32x4(first);
        let both = _mm512_mask_broadcast_i32x4(first, 0xff00, second);
        let shifted = _mm512_srlv_epi32(
            both,
            _mm512_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4, 0, 0, 0, 0, 4, 4, 4, 4),
        );
        _mm512_and_si512(shifted, _mm512_set1_epi8(15))
    }
}

/// The same 32 bytes twice.
#[inline(always)]
unsafe fn twice(at: *const u8) -> __m512i {
    // SAFETY: the caller promises 32 bytes and AVX-512.
    unsafe { _mm512_broadcast_i64x4(load(at)) }
}

/// `low` in the first 8 elements, `high` in the last.
#[inline(always)]
pub(super) unsafe fn lows_and_highs(low: i32, high: i32) -> __m512i {
    // SAFETY: the caller promises AVX-512.
    unsafe { _mm512_inserti64x4(_mm512_set1_epi32(low), _mm256_set1_epi32(high), 1) }
}
