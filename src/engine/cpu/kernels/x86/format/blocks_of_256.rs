//! The formats with blocks of 256 weights: a chunk is one block.

#![expect(non_camel_case_types, reason = "the names are GGUF's own")]

use super::blocks_of_32::iq4_table;
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

/// Scales and minima of `Q4_K` and `Q5_K`: 6 bits each in 12 bytes.
#[inline(always)]
unsafe fn k_scales(chunk: *const u8) -> Scales {
    // SAFETY: the caller promises a block, AVX2 and F16C.
    unsafe {
        let word = |at: usize| chunk.add(4 + at).cast::<u32>().read_unaligned();
        let (first, second, third) = (word(0), word(4), word(8));
        let (low, top) = (0x0f0f_0f0f, 0x0303_0303);
        let scales =
            u64::from(first & 0x3f3f_3f3f) | u64::from(third & low | (first >> 6 & top) << 4) << 32;
        let minima = u64::from(second & 0x3f3f_3f3f)
            | u64::from(third >> 4 & low | (second >> 6 & top) << 4) << 32;
        let numbers = |bytes: u64| {
            let bytes = _mm_cvtsi64_si128(bytes.cast_signed());
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes))
        };
        let negative = _mm256_xor_ps(half(chunk.add(2)), _mm256_set1_ps(-0.0));
        let zero = _mm256_setzero_ps();
        Scales {
            scales: [_mm256_mul_ps(numbers(scales), half(chunk)), zero],
            minima: [_mm256_mul_ps(numbers(minima), negative), zero],
        }
    }
}

macro_rules! blocks_of_256 {
    (
        $name:ident: $bytes:literal bytes, offset $offset:literal, signed $signed:literal,
        halves $halves:literal, minima $minima:literal,
        scales($of:ident) $scales:block
        group<$g:ident>($block:ident, $biased:ident) $group:block
        pair<$p:ident>($both:ident) $pair:block
    ) => {
        #[doc = concat!("`", stringify!($name), "`.")]
        pub(in super::super) struct $name;

        impl Format for $name {
            const BYTES: usize = $bytes;
            const OFFSET: u8 = $offset;
            const SIGNED: bool = $signed;
            const HALVES: bool = $halves;
            const MINIMA: bool = $minima;
            const PARTIAL: bool = false;

            #[inline(always)]
            unsafe fn scales($of: *const u8, _: usize) -> Scales {
                // SAFETY: the trait's; all that is read lies within the block.
                unsafe { $scales }
            }

            #[inline(always)]
            unsafe fn group<const $g: usize>($block: *const u8, $biased: bool) -> __m256i {
                // SAFETY: the trait's; all that is read lies within the block.
                unsafe { $group }
            }

            #[inline(always)]
            unsafe fn pair<const $p: usize>($both: *const u8) -> __m512i {
                // SAFETY: the trait's; all that is read lies within the block.
                unsafe { $pair }
            }
        }
    };
}

blocks_of_256! {
    Q2_K: 84 bytes, offset 0, signed false, halves true, minima true,
    scales(block) {
        let bytes = _mm_loadu_si128(block.cast());
        let low = _mm_set1_epi8(15);
        let negative = _mm256_xor_ps(half(block.add(82)), _mm256_set1_ps(-0.0));
        Scales {
            scales: scaled(_mm_and_si128(bytes, low), half(block.add(80))),
            minima: scaled(_mm_and_si128(_mm_srli_epi16(bytes, 4), low), negative),
        }
    }
    group<G>(block, _biased) { field(load(block.add(16 + G / 4 * 32)), (G % 4 * 2) as i32, 3) }
    pair<P>(block) {
        let first = (P % 2 * 4) as i32;
        fields(twice(block.add(16 + P / 2 * 32)), first, first + 2, 3)
    }
}

blocks_of_256! {
    Q3_K: 110 bytes, offset 4, signed false, halves true, minima false,
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
    group<G>(block, _biased) {
        let low = field(load(block.add(32 + G / 4 * 32)), (G % 4 * 2) as i32, 3);
        _mm256_or_si256(low, field(load(block), G as i32 - 2, 4))
    }
    pair<P>(block) {
        let (first, bit) = ((P % 2 * 4) as i32, P as i32 * 2 - 2);
        let low = fields(twice(block.add(32 + P / 2 * 32)), first, first + 2, 3);
        _mm512_or_si512(low, fields(twice(block), bit, bit + 1, 4))
    }
}

blocks_of_256! {
    Q4_K: 144 bytes, offset 0, signed false, halves false, minima true,
    scales(block) { k_scales(block) }
    group<G>(block, _biased) { field(load(block.add(16 + G / 2 * 32)), (G % 2 * 4) as i32, 15) }
    pair<P>(block) { fields(twice(block.add(16 + P * 32)), 0, 4, 15) }
}

blocks_of_256! {
    Q5_K: 176 bytes, offset 0, signed false, halves false, minima true,
    scales(block) { k_scales(block) }
    group<G>(block, _biased) {
        let low = field(load(block.add(48 + G / 2 * 32)), (G % 2 * 4) as i32, 15);
        _mm256_or_si256(low, field(load(block.add(16)), G as i32 - 4, 16))
    }
    pair<P>(block) {
        let low = fields(twice(block.add(48 + P * 32)), 0, 4, 15);
        let bit = P as i32 * 2 - 4;
        _mm512_or_si512(low, fields(twice(block.add(16)), bit, bit + 1, 16))
    }
}

blocks_of_256! {
    Q6_K: 210 bytes, offset 32, signed false, halves true, minima false,
    scales(block) {
        let bytes = _mm_loadu_si128(block.add(192).cast());
        Scales { scales: scaled(bytes, half(block.add(208))), minima: [_mm256_setzero_ps(); 2] }
    }
    group<G>(block, _biased) {
        let (part, quarter) = (G / 4, G % 4);
        let low = load(block.add(part * 64 + quarter % 2 * 32));
        let high = load(block.add(128 + part * 32));
        let low = field(low, (quarter / 2 * 4) as i32, 15);
        _mm256_or_si256(low, field(high, quarter as i32 * 2 - 4, 0x30))
    }
    pair<P>(block) {
        let low = _mm512_loadu_si512(block.add(P / 2 * 64).cast());
        let low = if P % 2 == 0 { low } else { _mm512_srli_epi16(low, 4) };
        let low = _mm512_and_si512(low, _mm512_set1_epi8(15));
        let first = (P % 2 * 4) as i32 - 4;
        _mm512_or_si512(low, fields(twice(block.add(128 + P / 2 * 32)), first, first + 2, 0x30))
    }
}

blocks_of_256! {
    IQ4_XS: 136 bytes, offset 0, signed true, halves false, minima false,
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
    group<G>(block, biased) {
        let table = _mm256_broadcastsi128_si256(iq4_table(biased));
        _mm256_shuffle_epi8(table, nibbles(block.add(8 + G * 16)))
    }
    pair<P>(block) {
        let table = _mm512_broadcast_i32x4(iq4_table(true));
        _mm512_shuffle_epi8(table, nibbles_pair(block.add(8 + P * 32), block.add(24 + P * 32)))
    }
}
