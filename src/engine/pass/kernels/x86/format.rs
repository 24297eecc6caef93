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

/// How four groups of 32 lie in two registers of 64 bytes.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Order {
    /// Groups 0 and 1, then 2 and 3.
    Natural,
    /// The first halves of the four groups, then the last ones: as blocks with 4 bits give them, and
    /// both registers have the same group in each element.
    Folded,
    /// Groups 0 and 2, then 1 and 3.
    Strided,
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
    /// How [`Self::four`] gives groups.
    const ORDER: Order;
    /// Whether a row may end within a chunk, as blocks are of 32.
    const PARTIAL: bool;

    /// Scales and minima of the first `groups` groups; those of the others are zero.
    unsafe fn scales(chunk: *const u8, groups: usize) -> Scales;

    /// Of a format without [`Self::HALVES`], the scales of a chunk and then its minima.
    #[inline(always)]
    unsafe fn scales_and_minima(chunk: *const u8) -> __m512 {
        // SAFETY: the trait's.
        unsafe {
            let of = Self::scales(chunk, 8);
            _mm512_insertf32x8(_mm512_castps256_ps512(of.scales[0]), of.minima[0], 1)
        }
    }

    /// The 32 bytes of the group at the start of a chunk in their order; signed ones plus 128 if
    /// `biased`. For the formats where rows end within a chunk.
    unsafe fn one(chunk: *const u8, biased: bool) -> __m256i;

    /// Groups `2 * P` and `2 * P + 1`; signed ones plus 128 if `biased`. Each after the other, but
    /// if [`Order::Folded`], the first halves of both and then the last ones.
    unsafe fn two<const P: usize>(chunk: *const u8, biased: bool) -> [__m256i; 2];

    /// Groups `4 * H` to `4 * H + 3` in the order of [`Self::ORDER`], signed ones plus 128.
    unsafe fn four<const H: usize>(chunk: *const u8) -> [__m512i; 2];
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

/// The low halves of bytes, then the high ones.
#[inline(always)]
unsafe fn split(bytes: __m256i) -> [__m256i; 2] {
    // SAFETY: the caller promises AVX2.
    unsafe {
        let mask = _mm256_set1_epi8(15);
        [_mm256_and_si256(bytes, mask), _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask)]
    }
}

/// The low halves of bytes, then the high ones.
#[inline(always)]
unsafe fn split_wide(bytes: __m512i) -> [__m512i; 2] {
    // SAFETY: the caller promises AVX-512.
    unsafe {
        let mask = _mm512_set1_epi8(15);
        [_mm512_and_si512(bytes, mask), _mm512_and_si512(_mm512_srli_epi16(bytes, 4), mask)]
    }
}

/// 16 bytes at `at`, and 16 `stride` bytes behind.
#[inline(always)]
unsafe fn two_of_16(at: *const u8, stride: usize) -> __m256i {
    // SAFETY: the caller promises the bytes and AVX2.
    unsafe {
        let first = _mm256_castsi128_si256(_mm_loadu_si128(at.cast()));
        _mm256_inserti128_si256(first, _mm_loadu_si128(at.add(stride).cast()), 1)
    }
}

/// Four times 16 bytes, `stride` bytes from each other.
#[inline(always)]
unsafe fn four_of_16(at: *const u8, stride: usize) -> __m512i {
    // SAFETY: the caller promises the bytes and AVX-512.
    unsafe {
        let part = |index: usize| _mm_loadu_si128(at.add(index * stride).cast());
        let bytes = _mm512_castsi128_si512(part(0));
        let bytes = _mm512_inserti32x4(bytes, part(1), 1);
        let bytes = _mm512_inserti32x4(bytes, part(2), 2);
        _mm512_inserti32x4(bytes, part(3), 3)
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
unsafe fn lows_and_highs(low: i32, high: i32) -> __m512i {
    // SAFETY: the caller promises AVX-512.
    unsafe { _mm512_inserti64x4(_mm512_set1_epi32(low), _mm256_set1_epi32(high), 1) }
}
