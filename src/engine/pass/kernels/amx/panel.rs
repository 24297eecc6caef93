//! Sixteen rows of a matrix side by side: how all quantized formats are unpacked.
//!
//! Lane `r` of every vector belongs to row `r`. A quadruple of neighbouring weights of one row is
//! one 32-bit lane, which is both what `vpdpbusd` takes and how a tile wants its second operand.

use std::arch::x86_64::{
    __m512, __m512i, _MM_HINT_T1, _mm_loadu_si128, _mm_prefetch, _mm512_and_si512,
    _mm512_castsi128_si512, _mm512_cvtepi32_epi16, _mm512_cvtepi32_ps, _mm512_cvtph_ps,
    _mm512_i32gather_epi32, _mm512_load_ps, _mm512_load_si512, _mm512_mask_broadcast_i32x4,
    _mm512_mullo_epi32, _mm512_set1_epi32, _mm512_setr_epi32, _mm512_srli_epi32, _mm512_srlv_epi32,
    _mm512_store_ps, _mm512_store_si512, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};

use crate::activations::GROUP;
use crate::kernels::TILE;

/// Where 32 weights of each of 16 rows go, or where they are: weight `k` of a row is
/// `scale · (quant − OFFSET) + minimum`. Groups follow each other in both places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    /// `[8, 16, 4]`: byte `b` of lane `r` of vector `j` is weight `4j + b` of row `r`.
    pub(super) quants: *mut u8,
    /// `[2, 2, 16]`: the scales of the first and the last 16 weights, then their minima. Only the
    /// first of both where [`Format::HALVES`] is false; no minima where [`Format::MINIMA`] is.
    pub(super) scales: *mut f32,
    /// Which group of its rows it is.
    pub(super) index: usize,
    /// What to fetch meanwhile.
    pub(super) ahead: Ahead,
}

/// Sixteen rows that are fetched while others are unpacked, to the second cache: the first has too
/// few places for lines under way to keep the memory busy. A burst of fetches would hold up the loads
/// behind it, so each vector of quants brings its part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ahead {
    pub(super) rows: *const u8,
    /// Bytes of a row.
    pub(super) stride: usize,
}

/// Runs of the rows ahead that are fetched in turn: neighbouring lines alone would all come from the
/// same page of memory.
const RUNS: usize = 4;

/// Bytes of the quants of a group.
pub(super) const QUANTS: usize = 512;

/// Numbers of the scales of a group.
pub(super) const SCALES: usize = 64;

/// A quantized format.
pub(super) trait Format {
    /// Weights of a block: 32 or 256.
    const WEIGHTS: usize;
    /// Bytes of a block.
    const BYTES: usize;
    /// Whether 16 weights have a scale of their own, and not 32.
    const HALVES: bool;
    /// What is to be taken from a quant.
    const OFFSET: i32;
    /// Whether there are minima.
    const MINIMA: bool;

    /// Unpacks a block of each of 16 rows into `WEIGHTS / 32` groups, from `out` on.
    ///
    /// # Safety
    /// At `block`, and at the 15 places each `stride` bytes behind the one before, there are
    /// `BYTES` bytes; `out` has room; the processor has what [`super::available`] asks for.
    unsafe fn unpack(block: *const u8, stride: usize, out: Group);
}

impl Group {
    /// The group `count` behind this one.
    ///
    /// # Safety
    /// There is one.
    #[inline]
    pub(super) unsafe fn add(self, count: usize) -> Self {
        // SAFETY: as promised.
        unsafe {
            Self {
                quants: self.quants.add(count * QUANTS),
                scales: self.scales.add(count * SCALES),
                index: self.index + count,
                ..self
            }
        }
    }

    /// # Safety
    /// The group may be written; `index` is below 8; it is of the format `F`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "where `index` is known, few lines are left of this")]
    pub(super) unsafe fn set_quants<F: Format>(self, index: usize, quants: __m512i) {
        let bytes = TILE * GROUP / F::WEIGHTS * F::BYTES;
        let lines = bytes.div_ceil(64);
        // SAFETY: as promised; fetching ahead never faults.
        unsafe {
            for line in index * lines / 8..(index + 1) * lines / 8 {
                let line = self.index * bytes / 64 + line;
                let at = line % RUNS * (TILE / RUNS) * self.ahead.stride + line / RUNS * 64;
                _mm_prefetch::<_MM_HINT_T1>(self.ahead.rows.wrapping_add(at).cast());
            }
            _mm512_store_si512(self.quants.add(index * 64).cast(), quants);
        }
    }

    /// # Safety
    /// The group may be written; `half` is below 2.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn set_scale(self, half: usize, scale: __m512) {
        // SAFETY: as promised.
        unsafe { _mm512_store_ps(self.scales.add(half * 16), scale) }
    }

    /// # Safety
    /// As for [`Self::set_scale`].
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn set_minimum(self, half: usize, minimum: __m512) {
        // SAFETY: as promised.
        unsafe { _mm512_store_ps(self.scales.add(32 + half * 16), minimum) }
    }

    /// Vector `index` of the quants.
    ///
    /// # Safety
    /// The group has been unpacked; `index` is below 8.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn quants(self, index: usize) -> __m512i {
        // SAFETY: as promised.
        unsafe { _mm512_load_si512(self.quants.add(index * 64).cast()) }
    }

    /// # Safety
    /// The group has been unpacked and has this scale.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn scale(self, half: usize) -> __m512 {
        // SAFETY: as promised.
        unsafe { _mm512_load_ps(self.scales.add(half * 16)) }
    }

    /// # Safety
    /// The group has been unpacked and has this minimum.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn minimum(self, half: usize) -> __m512 {
        // SAFETY: as promised.
        unsafe { _mm512_load_ps(self.scales.add(32 + half * 16)) }
    }
}

/// The four 32-bit words at `at` of 16 rows that lie `stride` bytes apart, a vector for each.
///
/// # Safety
/// There are 16 bytes at `at` and at each of the 15 other rows.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn words(at: *const u8, stride: usize) -> [__m512i; 4] {
    // SAFETY: as promised.
    let row = |row: usize| unsafe { _mm_loadu_si128(at.add(row * stride).cast()) };
    let fours = |first: usize| {
        let rows = _mm512_castsi128_si512(row(first));
        let rows = _mm512_mask_broadcast_i32x4(rows, 0x00f0, row(first + 4));
        let rows = _mm512_mask_broadcast_i32x4(rows, 0x0f00, row(first + 8));
        _mm512_mask_broadcast_i32x4(rows, 0xf000, row(first + 12))
    };
    let rows = [fours(0), fours(1), fours(2), fours(3)];
    let low = (_mm512_unpacklo_epi32(rows[0], rows[1]), _mm512_unpacklo_epi32(rows[2], rows[3]));
    let high = (_mm512_unpackhi_epi32(rows[0], rows[1]), _mm512_unpackhi_epi32(rows[2], rows[3]));
    [
        _mm512_unpacklo_epi64(low.0, low.1),
        _mm512_unpackhi_epi64(low.0, low.1),
        _mm512_unpacklo_epi64(high.0, high.1),
        _mm512_unpackhi_epi64(high.0, high.1),
    ]
}

/// The 32-bit word at `at` of 16 rows that lie `stride` bytes apart.
///
/// # Safety
/// There are 4 bytes at `at` and at each of the 15 other rows, all within 2³¹ bytes.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn word(at: *const u8, stride: usize) -> __m512i {
    let rows = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let offsets = _mm512_mullo_epi32(rows, _mm512_set1_epi32(stride as i32));
    // SAFETY: as promised.
    unsafe { _mm512_i32gather_epi32::<1>(offsets, at.cast()) }
}

/// The half-precision numbers in the low halves of the lanes.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn low_half(words: __m512i) -> __m512 {
    _mm512_cvtph_ps(_mm512_cvtepi32_epi16(words))
}

/// The half-precision numbers in the high halves of the lanes.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn high_half(words: __m512i) -> __m512 {
    low_half(_mm512_srli_epi32::<16>(words))
}

/// `(lane >> by) & mask`.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn bits(words: __m512i, by: usize, mask: u32) -> __m512i {
    let shifted = _mm512_srlv_epi32(words, _mm512_set1_epi32(by as i32));
    _mm512_and_si512(shifted, _mm512_set1_epi32(mask.cast_signed()))
}

/// Byte `index` of the lanes as a number.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn byte(words: __m512i, index: usize) -> __m512 {
    _mm512_cvtepi32_ps(bits(words, index * 8, 255))
}
