//! Sixteen rows of weights, expanded from their blocks and laid side by side for a product.
//!
//! A panel is made once for all activations of a task, 256 columns at a time, so what it costs is
//! shared by them; for few activations it is most of the work, so it is vector code too: 16 bytes of
//! each of 8 rows are transposed as they lie in the file, then unpacked.
#![allow(clippy::wildcard_imports, reason = "the names of instructions are the vocabulary here")]
#![expect(unsafe_code, reason = "vector instructions on blocks at computed places")]

mod eights;
mod k_quants;
mod nibbles;

use std::arch::x86_64::*;

pub(super) use eights::{iq4_nl, iq4_xs, q8_0};
pub(super) use k_quants::{q2_k, q3_k, q4_k, q5_k, q6_k};
pub(super) use nibbles::{q4_0, q4_1, q5_0, q5_1};

/// Rows of a panel.
pub(super) const ROWS: usize = 16;
/// Columns of a panel: a block of the K-quants.
pub(super) const CHUNK: usize = 256;
/// Groups of 32 in a panel.
pub(super) const GROUPS: usize = CHUNK / 32;

/// How a product takes its numbers.
///
/// `Dot`: bytes 0..=255 for an instruction that adds four products in 32 bits, scales as f32.
/// `Sums`: bytes as small as the format allows, for sums in 16 bits; the K-quants keep their scales
/// as integers, twice per row (a pair of i16 per row multiplies a pair of sums), their `d` apart.
/// Formats whose numbers take 8 bits with a sign are widened to i16 there.
pub(super) trait Use {
    /// Whether this is `Dot`.
    const DOT: bool;
}
pub(super) struct Dot;
pub(super) struct Sums;
impl Use for Dot {
    const DOT: bool = true;
}
impl Use for Sums {
    const DOT: bool = false;
}

/// The expanded numbers of 16 rows and up to 256 columns, in groups of 32 or of 16 columns.
///
/// With `q` a number here, `s` its group's scale, `m` its group's minimum and `c` a constant of the
/// format, a weight is `s · (q − c) + m`.
#[repr(C, align(64))]
pub(super) struct Panel {
    /// `[columns / 4, 16 rows, 4 columns]` bytes, or, widened,
    /// `[columns / 4, 2, 16 rows, 2]` i16: columns 0 and 2 of the four, then 1 and 3.
    pub(super) weights: [u8; 2 * ROWS * CHUNK],
    /// `[groups, 16]` f32, or `[groups, 16, 2]` i16.
    pub(super) scales: [u32; ROWS * 2 * GROUPS],
    /// `[groups, 16]` f32, or for `Q3_K` and `Q6_K` in `Sums` `[groups of 32, 16, 2]` i16: `−c`
    /// times the scales of the two halves.
    pub(super) minima: [u32; ROWS * 2 * GROUPS],
    /// `[16]`: what the integer scales are multiples of.
    pub(super) unit: [f32; ROWS],
}

/// Blocks of rows that lie at a distance from each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    /// The first row.
    pub(super) first: *const u8,
    /// Bytes from a row to the next.
    pub(super) distance: usize,
}

impl Rows {
    /// The rows from the eighth if `half` is 1, else all.
    #[inline]
    fn half(self, half: usize) -> Self {
        Self { first: self.first.wrapping_add(half * 8 * self.distance), ..self }
    }
}

/// Fills a panel from 16 rows with `groups` groups of 32 columns.
///
/// # Safety
/// AVX2 and F16C are there; each row has `groups · 32` columns of whole blocks.
pub(super) type Expand = unsafe fn(rows: Rows, groups: usize, panel: &mut Panel);

/// 16 bytes at `at` of each of 8 rows, as four vectors of a dword per row.
///
/// # Safety
/// The bytes are there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn columns(rows: Rows, at: usize) -> [__m256i; 4] {
    // SAFETY: the caller's.
    unsafe {
        transposed([pair(rows, 0, at), pair(rows, 1, at), pair(rows, 2, at), pair(rows, 3, at)])
    }
}

/// 16 bytes of row `row`, and of row `row + 4` in the upper half.
///
/// # Safety
/// The bytes are there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn pair(rows: Rows, row: usize, at: usize) -> __m256i {
    // SAFETY: the caller's.
    unsafe {
        let low = rows.first.add(row * rows.distance + at);
        let low = _mm256_castsi128_si256(_mm_loadu_si128(low.cast()));
        let high = rows.first.add((row + 4) * rows.distance + at);
        _mm256_inserti128_si256::<1>(low, _mm_loadu_si128(high.cast()))
    }
}

/// The 4 × 4 dwords of each half, transposed.
#[inline]
#[target_feature(enable = "avx2")]
fn transposed([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    let (ab_low, ab_high) = (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
    let (cd_low, cd_high) = (_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
    [
        _mm256_unpacklo_epi64(ab_low, cd_low),
        _mm256_unpackhi_epi64(ab_low, cd_low),
        _mm256_unpacklo_epi64(ab_high, cd_high),
        _mm256_unpackhi_epi64(ab_high, cd_high),
    ]
}

/// Writes 4 columns of 8 rows.
#[inline]
#[target_feature(enable = "avx2")]
fn put(panel: &mut Panel, column: usize, half: usize, values: __m256i) {
    let at = column * ROWS + half * 32;
    // SAFETY: column < CHUNK and half < 2, so the 32 bytes lie in the weights.
    unsafe { _mm256_store_si256(panel.weights[at..at + 32].as_mut_ptr().cast(), values) }
}

/// Writes 4 columns of 8 rows, signed bytes, as i16.
#[inline]
#[target_feature(enable = "avx2")]
fn put_wide(panel: &mut Panel, column: usize, half: usize, values: __m256i) {
    let at = column * ROWS * 2 + half * 32;
    let even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(values));
    let odd = _mm256_srai_epi16::<8>(values);
    // SAFETY: as in `put`, with twice the bytes.
    unsafe {
        _mm256_store_si256(panel.weights[at..at + 32].as_mut_ptr().cast(), even);
        _mm256_store_si256(panel.weights[at + 64..at + 96].as_mut_ptr().cast(), odd);
    }
}

/// Writes a number per row for 8 rows of a group, into the scales or the minima.
#[inline]
#[target_feature(enable = "avx2")]
fn put_rows(numbers: &mut [u32; ROWS * 2 * GROUPS], group: usize, half: usize, values: __m256) {
    let at = group * ROWS + half * 8;
    // SAFETY: the 8 numbers lie in the slice.
    unsafe { _mm256_store_ps(numbers[at..at + 8].as_mut_ptr().cast(), values) }
}

/// Half-precision numbers, one at `AT` of each block of `BLOCK` bytes, for all 16 rows of each of
/// `blocks` blocks, as the bits they have.
///
/// # Safety
/// The bytes are there.
#[inline(always)]
#[expect(clippy::inline_always, reason = "256 bytes are returned")]
unsafe fn halves<const BLOCK: usize, const AT: usize>(rows: Rows, blocks: usize) -> Halves {
    let mut halves = Halves([[0; ROWS]; GROUPS]);
    for (index, halves) in halves.0.iter_mut().take(blocks).enumerate() {
        let mut at = rows.first.wrapping_add(index * BLOCK + AT);
        for half in halves {
            // SAFETY: the caller's.
            *half = unsafe { at.cast::<u16>().read_unaligned() };
            at = at.wrapping_add(rows.distance);
        }
    }
    halves
}

#[repr(align(32))]
struct Halves([[u16; ROWS]; GROUPS]);

impl Halves {
    /// The numbers of 8 rows in a block.
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    fn of(&self, block: usize, half: usize) -> __m256 {
        let bits = &self.0[block][half * 8..half * 8 + 8];
        // SAFETY: 16 bytes.
        _mm256_cvtph_ps(unsafe { _mm_load_si128(bits.as_ptr().cast()) })
    }
}

/// The half-precision numbers in the low and in the high words of 8 dwords.
#[inline]
#[target_feature(enable = "avx2,f16c")]
fn two_halves(words: __m256i) -> (__m256, __m256) {
    let low = _mm256_and_si256(words, _mm256_set1_epi32(0xffff));
    let both = _mm256_packus_epi32(low, _mm256_srli_epi32::<16>(words));
    let both = _mm256_permute4x64_epi64::<0b11_01_10_00>(both);
    let high = _mm256_extracti128_si256::<1>(both);
    (_mm256_cvtph_ps(_mm256_castsi256_si128(both)), _mm256_cvtph_ps(high))
}

/// `values` shifted right by bits known when the code is made, then masked.
#[inline]
#[target_feature(enable = "avx2")]
fn field(values: __m256i, shift: i32, mask: i8) -> __m256i {
    let shifted = _mm256_srl_epi32(values, _mm_cvtsi32_si128(shift));
    _mm256_and_si256(shifted, _mm256_set1_epi8(mask))
}

/// Byte `index` of each dword, as a number without a sign.
#[inline]
#[target_feature(enable = "avx2")]
fn byte(dwords: __m256i, index: usize) -> __m256i {
    let shifted = _mm256_srl_epi32(dwords, _mm_cvtsi32_si128(index as i32 * 8));
    _mm256_and_si256(shifted, _mm256_set1_epi32(0xff))
}

/// Byte `index` of each dword, as a number with a sign.
#[inline]
#[target_feature(enable = "avx2")]
fn signed_byte(dwords: __m256i, index: usize) -> __m256i {
    let shifted = _mm256_sll_epi32(dwords, _mm_cvtsi32_si128(24 - index as i32 * 8));
    _mm256_srai_epi32::<24>(shifted)
}

/// Two i16 in each dword.
#[inline]
#[target_feature(enable = "avx2")]
fn words(low: __m256i, high: __m256i) -> __m256i {
    _mm256_blend_epi16::<0b1010_1010>(low, _mm256_slli_epi32::<16>(high))
}
