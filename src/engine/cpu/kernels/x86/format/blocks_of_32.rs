//! The formats with blocks of 32 weights and one scale.

#![expect(non_camel_case_types, reason = "the names are GGUF's own")]

use super::*;
use crate::engine::cpu::block::IQ4_VALUES;

/// The half-precision numbers at `stride` bytes from each other as 8 numbers, zeros past `count`.
#[inline(always)]
unsafe fn halves(at: *const u8, stride: usize, count: usize) -> __m256 {
    // SAFETY: the caller promises `count` numbers, AVX2 and F16C.
    unsafe {
        let bits: [u16; 8] = std::array::from_fn(|index| {
            if index < count { at.add(index * stride).cast::<u16>().read_unaligned() } else { 0 }
        });
        _mm256_cvtph_ps(_mm_loadu_si128(bits.as_ptr().cast()))
    }
}

/// 16 in every byte whose bit is set in the 32 bits at `at`, else 0.
#[inline(always)]
unsafe fn fifth_bits(at: *const u8) -> __m256i {
    // SAFETY: the caller promises 4 bytes and AVX2.
    unsafe {
        let bits = _mm256_set1_epi32(at.cast::<i32>().read_unaligned());
        let spread = _mm256_setr_epi64x(
            0,
            0x0101_0101_0101_0101,
            0x0202_0202_0202_0202,
            0x0303_0303_0303_0303,
        );
        let bits = _mm256_shuffle_epi8(bits, spread);
        let mask = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
        let set = _mm256_cmpeq_epi8(_mm256_and_si256(bits, mask), mask);
        _mm256_and_si256(set, _mm256_set1_epi8(16))
    }
}

/// 16 in every byte whose bit is set in the 32 bits at `first`, then the 32 at `second`, else 0.
#[inline(always)]
unsafe fn fifth_bits_pair(first: *const u8, second: *const u8) -> __m512i {
    // SAFETY: the caller promises 4 bytes each and AVX-512.
    unsafe {
        let (first, second) = (first.cast::<u32>(), second.cast::<u32>());
        let bits = u64::from(first.read_unaligned()) | u64::from(second.read_unaligned()) << 32;
        _mm512_maskz_mov_epi8(bits, _mm512_set1_epi8(16))
    }
}

/// The values that indices of `IQ4_NL` and `IQ4_XS` mean, biased or not.
#[inline(always)]
pub(super) unsafe fn iq4_table(biased: bool) -> __m128i {
    // SAFETY: the array has 16 bytes; AVX2 includes the instruction.
    unsafe {
        let values = _mm_loadu_si128(IQ4_VALUES.as_ptr().cast());
        if biased { _mm_xor_si128(values, _mm_set1_epi8(-128)) } else { values }
    }
}

macro_rules! blocks_of_32 {
    (
        $name:ident: $bytes:literal bytes, offset $offset:literal, signed $signed:literal,
        minima $minima:literal,
        group($block:ident, $biased:ident) $group:block pair($first:ident, $second:ident) $pair:block
    ) => {
        #[doc = concat!("`", stringify!($name), "`.")]
        pub(in super::super) struct $name;

        impl Format for $name {
            const BYTES: usize = 8 * $bytes;
            const OFFSET: u8 = $offset;
            const SIGNED: bool = $signed;
            const HALVES: bool = false;
            const MINIMA: bool = $minima;
            const PARTIAL: bool = true;

            #[inline(always)]
            unsafe fn scales(chunk: *const u8, groups: usize) -> Scales {
                // SAFETY: the trait's; every block starts with its scale, then its minimum.
                unsafe {
                    let zero = _mm256_setzero_ps();
                    let minima = if $minima { halves(chunk.add(2), $bytes, groups) } else { zero };
                    Scales { scales: [halves(chunk, $bytes, groups), zero], minima: [minima, zero] }
                }
            }

            #[inline(always)]
            unsafe fn group<const G: usize>(chunk: *const u8, $biased: bool) -> __m256i {
                // SAFETY: the trait's; the block lies within the chunk.
                unsafe {
                    let $block = chunk.add(G * $bytes);
                    $group
                }
            }

            #[inline(always)]
            unsafe fn pair<const P: usize>(chunk: *const u8) -> __m512i {
                // SAFETY: the trait's; both blocks lie within the chunk.
                unsafe {
                    let $first = chunk.add(2 * P * $bytes);
                    let $second = $first.add($bytes);
                    $pair
                }
            }
        }
    };
}

blocks_of_32! {
    Q4_0: 18 bytes, offset 8, signed false, minima false,
    group(block, _biased) { nibbles(block.add(2)) }
    pair(first, second) { nibbles_pair(first.add(2), second.add(2)) }
}

blocks_of_32! {
    Q4_1: 20 bytes, offset 0, signed false, minima true,
    group(block, _biased) { nibbles(block.add(4)) }
    pair(first, second) { nibbles_pair(first.add(4), second.add(4)) }
}

blocks_of_32! {
    Q5_0: 22 bytes, offset 16, signed false, minima false,
    group(block, _biased) { _mm256_or_si256(nibbles(block.add(6)), fifth_bits(block.add(2))) }
    pair(first, second) {
        let fifth = fifth_bits_pair(first.add(2), second.add(2));
        _mm512_or_si512(nibbles_pair(first.add(6), second.add(6)), fifth)
    }
}

blocks_of_32! {
    Q5_1: 24 bytes, offset 0, signed false, minima true,
    group(block, _biased) { _mm256_or_si256(nibbles(block.add(8)), fifth_bits(block.add(4))) }
    pair(first, second) {
        let fifth = fifth_bits_pair(first.add(4), second.add(4));
        _mm512_or_si512(nibbles_pair(first.add(8), second.add(8)), fifth)
    }
}

blocks_of_32! {
    Q8_0: 34 bytes, offset 0, signed true, minima false,
    group(block, biased) {
        let bytes = load(block.add(2));
        if biased { _mm256_xor_si256(bytes, _mm256_set1_epi8(-128)) } else { bytes }
    }
    pair(first, second) {
        let first = _mm512_castsi256_si512(load(first.add(2)));
        let bytes = _mm512_inserti64x4(first, load(second.add(2)), 1);
        _mm512_xor_si512(bytes, _mm512_set1_epi8(-128))
    }
}

blocks_of_32! {
    IQ4_NL: 18 bytes, offset 0, signed true, minima false,
    group(block, biased) {
        let table = _mm256_broadcastsi128_si256(iq4_table(biased));
        _mm256_shuffle_epi8(table, nibbles(block.add(2)))
    }
    pair(first, second) {
        let table = _mm512_broadcast_i32x4(iq4_table(true));
        _mm512_shuffle_epi8(table, nibbles_pair(first.add(2), second.add(2)))
    }
}
