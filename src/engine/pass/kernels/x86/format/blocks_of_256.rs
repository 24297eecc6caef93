//! The formats with blocks of 256 weights: a chunk is one block.

#![expect(non_camel_case_types, reason = "the names are GGUF's own")]

use super::blocks_of_32::{iq4, iq4_wide};
use super::*;

/// In every byte, the bits of `mask` after shifting right (left if negative) by `by`.
///
/// Bits that come from a neighbouring byte have to be outside of the mask.
#[inline(always)]
unsafe fn field(bytes: __m256i, by: i32, mask: i8) -> __m256i {
    // SAFETY: the caller promises AVX2.
    unsafe {
        let shifted = if by >= 0 {
            _mm256_srl_epi16(bytes, _mm_cvtsi32_si128(by))
        } else {
            _mm256_sll_epi16(bytes, _mm_cvtsi32_si128(-by))
        };
        _mm256_and_si256(shifted, _mm256_set1_epi8(mask))
    }
}

/// As [`field`], by `low` in the first 32 bytes and by `high` in the last.
#[inline(always)]
unsafe fn fields(bytes: __m512i, low: i32, high: i32, mask: i8) -> __m512i {
    // SAFETY: the caller promises AVX-512.
    unsafe {
        // Left by n is right by 32 - n around; what comes around is outside of the mask.
        let turned = _mm512_rorv_epi32(bytes, lows_and_highs(low & 31, high & 31));
        _mm512_and_si512(turned, _mm512_set1_epi8(mask))
    }
}

/// 16 signed bytes as numbers times `d`.
#[inline(always)]
unsafe fn scaled(bytes: __m128i, d: __m256) -> [__m256; 2] {
    // SAFETY: the caller promises AVX2.
    unsafe {
        let low = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
        let high = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8)));
        [_mm256_mul_ps(low, d), _mm256_mul_ps(high, d)]
    }
}

/// The 8 scales and then the 8 minima of `Q4_K` and `Q5_K`, of 6 bits in 12 bytes, as bytes.
#[inline(always)]
unsafe fn six_bits(chunk: *const u8) -> __m128i {
    // SAFETY: the caller promises a block and AVX2.
    unsafe {
        let word = |at: usize| chunk.add(4 + at).cast::<u32>().read_unaligned();
        let (first, second, third) = (word(0), word(4), word(8));
        let (low, top) = (0x0f0f_0f0f, 0x0303_0303);
        let scales =
            u64::from(first & 0x3f3f_3f3f) | u64::from(third & low | (first >> 6 & top) << 4) << 32;
        let minima = u64::from(second & 0x3f3f_3f3f)
            | u64::from(third >> 4 & low | (second >> 6 & top) << 4) << 32;
        _mm_set_epi64x(minima.cast_signed(), scales.cast_signed())
    }
}

/// `d` and minus `dmin` in the first two elements.
#[inline(always)]
unsafe fn units(chunk: *const u8) -> __m128 {
    // SAFETY: the caller promises a block, AVX2 and F16C.
    unsafe {
        let bits = chunk.cast::<u32>().read_unaligned() ^ 0x8000_0000;
        _mm_cvtph_ps(_mm_cvtsi32_si128(bits.cast_signed()))
    }
}

/// Scales and minima of `Q4_K` and `Q5_K`.
#[inline(always)]
unsafe fn k_scales(chunk: *const u8) -> Scales {
    // SAFETY: the caller promises a block, AVX2 and F16C.
    unsafe {
        let (bytes, units) = (six_bits(chunk), units(chunk));
        let scales = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
        let minima = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)));
        let zero = _mm256_setzero_ps();
        Scales {
            scales: [_mm256_mul_ps(scales, _mm256_broadcastss_ps(units)), zero],
            minima: [_mm256_mul_ps(minima, _mm256_broadcastss_ps(_mm_movehdup_ps(units))), zero],
        }
    }
}

/// The same in one register.
#[inline(always)]
unsafe fn k_scales_wide(chunk: *const u8) -> __m512 {
    // SAFETY: the caller promises a block and AVX-512.
    unsafe {
        let numbers = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(six_bits(chunk)));
        let places = lows_and_highs(0, 1);
        let units = _mm512_castps128_ps512(units(chunk));
        _mm512_mul_ps(numbers, _mm512_permutexvar_ps(places, units))
    }
}

macro_rules! blocks_of_256 {
    (
        $name:ident: $bytes:literal bytes, offset $offset:literal, signed $signed:literal,
        halves $halves:literal, minima $minima:literal, order $order:ident,
        scales($of:ident) $scales:block
        $(scales_and_minima($joint:ident) $scales_and_minima:block)?
        two<$p:ident>($both:ident, $biased:ident) $two:block
        four<$h:ident>($start:ident) $four:block
    ) => {
        #[doc = concat!("`", stringify!($name), "`.")]
        pub(in super::super) struct $name;

        impl Format for $name {
            const BYTES: usize = $bytes;
            const OFFSET: u8 = $offset;
            const SIGNED: bool = $signed;
            const HALVES: bool = $halves;
            const MINIMA: bool = $minima;
            const ORDER: Order = Order::$order;
            const PARTIAL: bool = false;

            #[inline(always)]
            unsafe fn scales($of: *const u8, _: usize) -> Scales {
                // SAFETY: the trait's; all that is read lies within the block.
                unsafe { $scales }
            }

            $(
                #[inline(always)]
                unsafe fn scales_and_minima($joint: *const u8) -> __m512 {
                    // SAFETY: the trait's; all that is read lies within the block.
                    unsafe { $scales_and_minima }
                }
            )?

            #[inline(always)]
            unsafe fn one(_: *const u8, _: bool) -> __m256i {
                unreachable!("rows are whole chunks")
            }

            #[inline(always)]
            unsafe fn two<const $p: usize>($both: *const u8, $biased: bool) -> [__m256i; 2] {
                // SAFETY: the trait's; all that is read lies within the block.
                unsafe { $two }
            }

            #[inline(always)]
            unsafe fn four<const $h: usize>($start: *const u8) -> [__m512i; 2] {
                // SAFETY: the trait's; all that is read lies within the block.
                unsafe { $four }
            }
        }
    };
}

blocks_of_256! {
    Q2_K: 84 bytes, offset 0, signed false, halves true, minima true, order Natural,
    scales(block) {
        let bytes = _mm_loadu_si128(block.cast());
        let low = _mm_set1_epi8(15);
        let negative = _mm256_xor_ps(half(block.add(82)), _mm256_set1_ps(-0.0));
        Scales {
            scales: scaled(_mm_and_si128(bytes, low), half(block.add(80))),
            minima: scaled(_mm_and_si128(_mm_srli_epi16(bytes, 4), low), negative),
        }
    }
    two<P>(block, _biased) { [q2_k(block, 2 * P), q2_k(block, 2 * P + 1)] }
    four<H>(block) { [q2_k_wide(block, 2 * H), q2_k_wide(block, 2 * H + 1)] }
}

blocks_of_256! {
    Q3_K: 110 bytes, offset 4, signed false, halves true, minima false, order Natural,
    scales(block) {
        let low = _mm_loadl_epi64(block.add(96).cast());
        let low = _mm_unpacklo_epi64(low, _mm_srli_epi16(low, 4));
        let low = _mm_and_si128(low, _mm_set1_epi8(15));
        let high = _mm_set1_epi32(block.add(104).cast::<i32>().read_unaligned());
        let high = _mm_srlv_epi32(high, _mm_setr_epi32(0, 2, 4, 6));
        let high = _mm_slli_epi16(_mm_and_si128(high, _mm_set1_epi8(3)), 4);
        let bytes = _mm_sub_epi8(_mm_or_si128(low, high), _mm_set1_epi8(32));
        Scales { scales: scaled(bytes, half(block.add(108))), minima: [_mm256_setzero_ps(); 2] }
    }
    two<P>(block, _biased) { [q3_k(block, 2 * P), q3_k(block, 2 * P + 1)] }
    four<H>(block) { [q3_k_wide(block, 2 * H), q3_k_wide(block, 2 * H + 1)] }
}

blocks_of_256! {
    Q4_K: 144 bytes, offset 0, signed false, halves false, minima true, order Strided,
    scales(block) { k_scales(block) }
    scales_and_minima(block) { k_scales_wide(block) }
    two<P>(block, _biased) { split(load(block.add(16 + P * 32))) }
    four<H>(block) { split_wide(_mm512_loadu_si512(block.add(16 + H * 64).cast())) }
}

blocks_of_256! {
    Q5_K: 176 bytes, offset 0, signed false, halves false, minima true, order Strided,
    scales(block) { k_scales(block) }
    scales_and_minima(block) { k_scales_wide(block) }
    two<P>(block, _biased) {
        let (low, high) = (split(load(block.add(48 + P * 32))), load(block.add(16)));
        let bit = P as i32 * 2 - 4;
        [
            _mm256_or_si256(low[0], field(high, bit, 16)),
            _mm256_or_si256(low[1], field(high, bit + 1, 16)),
        ]
    }
    four<H>(block) {
        let low = split_wide(_mm512_loadu_si512(block.add(48 + H * 64).cast()));
        let (high, bit) = (twice(block.add(16)), H as i32 * 4 - 4);
        [
            _mm512_or_si512(low[0], fields(high, bit, bit + 2, 16)),
            _mm512_or_si512(low[1], fields(high, bit + 1, bit + 3, 16)),
        ]
    }
}

blocks_of_256! {
    Q6_K: 210 bytes, offset 32, signed false, halves true, minima false, order Natural,
    scales(block) {
        let bytes = _mm_loadu_si128(block.add(192).cast());
        Scales { scales: scaled(bytes, half(block.add(208))), minima: [_mm256_setzero_ps(); 2] }
    }
    two<P>(block, _biased) { [q6_k(block, 2 * P), q6_k(block, 2 * P + 1)] }
    four<H>(block) { [q6_k_wide(block, 2 * H), q6_k_wide(block, 2 * H + 1)] }
}

blocks_of_256! {
    IQ4_XS: 136 bytes, offset 0, signed true, halves false, minima false, order Folded,
    scales(block) {
        let low = _mm256_set1_epi32(block.add(4).cast::<i32>().read_unaligned());
        let low = _mm256_srlv_epi32(low, _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28));
        let low = _mm256_and_si256(low, _mm256_set1_epi32(15));
        let high = _mm256_set1_epi32(i32::from(block.add(2).cast::<u16>().read_unaligned()));
        let high = _mm256_srlv_epi32(high, _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14));
        let high = _mm256_slli_epi32(_mm256_and_si256(high, _mm256_set1_epi32(3)), 4);
        let scales = _mm256_sub_epi32(_mm256_or_si256(low, high), _mm256_set1_epi32(32));
        let zero = _mm256_setzero_ps();
        Scales {
            scales: [_mm256_mul_ps(_mm256_cvtepi32_ps(scales), half(block)), zero],
            minima: [zero; 2],
        }
    }
    two<P>(block, biased) {
        let indices = split(load(block.add(8 + P * 32)));
        [iq4(indices[0], biased), iq4(indices[1], biased)]
    }
    four<H>(block) {
        let indices = split_wide(_mm512_loadu_si512(block.add(8 + H * 64).cast()));
        [iq4_wide(indices[0]), iq4_wide(indices[1])]
    }
}

/// Group `group` of a `Q2_K` block.
#[inline(always)]
unsafe fn q2_k(block: *const u8, group: usize) -> __m256i {
    // SAFETY: the caller promises a block and AVX2.
    unsafe { field(load(block.add(16 + group / 4 * 32)), (group % 4 * 2) as i32, 3) }
}

/// Groups `2 * pair` and `2 * pair + 1` of a `Q2_K` block.
#[inline(always)]
unsafe fn q2_k_wide(block: *const u8, pair: usize) -> __m512i {
    // SAFETY: the caller promises a block and AVX-512.
    unsafe {
        let first = (pair % 2 * 4) as i32;
        fields(twice(block.add(16 + pair / 2 * 32)), first, first + 2, 3)
    }
}

/// Group `group` of a `Q3_K` block.
#[inline(always)]
unsafe fn q3_k(block: *const u8, group: usize) -> __m256i {
    // SAFETY: the caller promises a block and AVX2.
    unsafe {
        let low = field(load(block.add(32 + group / 4 * 32)), (group % 4 * 2) as i32, 3);
        _mm256_or_si256(low, field(load(block), group as i32 - 2, 4))
    }
}

/// Groups `2 * pair` and `2 * pair + 1` of a `Q3_K` block.
#[inline(always)]
unsafe fn q3_k_wide(block: *const u8, pair: usize) -> __m512i {
    // SAFETY: the caller promises a block and AVX-512.
    unsafe {
        let (first, bit) = ((pair % 2 * 4) as i32, pair as i32 * 2 - 2);
        let low = fields(twice(block.add(32 + pair / 2 * 32)), first, first + 2, 3);
        _mm512_or_si512(low, fields(twice(block), bit, bit + 1, 4))
    }
}

/// Group `group` of a `Q6_K` block.
#[inline(always)]
unsafe fn q6_k(block: *const u8, group: usize) -> __m256i {
    // SAFETY: the caller promises a block and AVX2.
    unsafe {
        let (part, quarter) = (group / 4, group % 4);
        let low = load(block.add(part * 64 + quarter % 2 * 32));
        let high = load(block.add(128 + part * 32));
        let low = field(low, (quarter / 2 * 4) as i32, 15);
        _mm256_or_si256(low, field(high, quarter as i32 * 2 - 4, 0x30))
    }
}

/// Groups `2 * pair` and `2 * pair + 1` of a `Q6_K` block.
#[inline(always)]
unsafe fn q6_k_wide(block: *const u8, pair: usize) -> __m512i {
    // SAFETY: the caller promises a block and AVX-512.
    unsafe {
        let low = split_wide(_mm512_loadu_si512(block.add(pair / 2 * 64).cast()))[pair % 2];
        let first = (pair % 2 * 4) as i32 - 4;
        _mm512_or_si512(low, fields(twice(block.add(128 + pair / 2 * 32)), first, first + 2, 0x30))
    }
}
