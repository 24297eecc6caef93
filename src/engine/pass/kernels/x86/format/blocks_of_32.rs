//! The formats with blocks of 32 weights and one scale.

#![expect(non_camel_case_types, reason = "the names are GGUF's own")]

use super::*;
use crate::block::IQ4_VALUES;

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

/// 16 in every byte whose bit is set: byte `b` takes bit `b % 8` of the byte of its half of `bits`
/// that the `b / 8`-th spread names.
#[inline(always)]
unsafe fn sixteens(bits: __m256i, spread: [i64; 4]) -> __m256i {
    // SAFETY: the caller promises AVX2.
    unsafe {
        let [first, second, third, fourth] = spread.map(|byte| byte * 0x0101_0101_0101_0101);
        let spread = _mm256_setr_epi64x(first, second, third, fourth);
        let bits = _mm256_shuffle_epi8(bits, spread);
        let mask = _mm256_set1_epi64x(EACH_BIT);
        let set = _mm256_cmpeq_epi8(_mm256_and_si256(bits, mask), mask);
        _mm256_and_si256(set, _mm256_set1_epi8(16))
    }
}

/// Bit `b` in byte `b`.
const EACH_BIT: i64 = 0x8040_2010_0804_0201_u64.cast_signed();

/// The 32 nibbles behind the 4 bytes at `at`, each with its bit of these above it.
#[inline(always)]
unsafe fn fives(at: *const u8) -> __m256i {
    // SAFETY: the caller promises 20 bytes and AVX2.
    unsafe {
        let bits = _mm256_set1_epi32(at.cast::<i32>().read_unaligned());
        _mm256_or_si256(nibbles(at.add(4)), sixteens(bits, [0, 1, 2, 3]))
    }
}

/// The same of two blocks, first halves and then last ones.
#[inline(always)]
unsafe fn fives_of_two(at: *const u8, stride: usize) -> [__m256i; 2] {
    // SAFETY: the caller promises 20 bytes twice and AVX2.
    unsafe {
        // Of these 16 bytes each only the first 4 are used: this is the cheapest way to them.
        let bits = two_of_16(at, stride);
        let low = split(two_of_16(at.add(4), stride));
        [
            _mm256_or_si256(low[0], sixteens(bits, [0, 1, 0, 1])),
            _mm256_or_si256(low[1], sixteens(bits, [2, 3, 2, 3])),
        ]
    }
}

/// The same of four blocks.
#[inline(always)]
unsafe fn fives_of_four(at: *const u8, stride: usize) -> [__m512i; 2] {
    // SAFETY: the caller promises 20 bytes four times and AVX-512.
    unsafe {
        let bits = four_of_16(at, stride);
        let mut bytes = split_wide(four_of_16(at.add(4), stride));
        for (half, bytes) in bytes.iter_mut().enumerate() {
            let first = half as i64 * 2;
            let spread =
                _mm_set_epi64x((first + 1) * 0x0101_0101_0101_0101, first * 0x0101_0101_0101_0101);
            let bits = _mm512_shuffle_epi8(bits, _mm512_broadcast_i32x4(spread));
            let set = _mm512_test_epi8_mask(bits, _mm512_set1_epi64(EACH_BIT));
            *bytes = _mm512_mask_add_epi8(*bytes, set, *bytes, _mm512_set1_epi8(16));
        }
        bytes
    }
}

/// The values that indices of `IQ4_NL` and `IQ4_XS` mean, biased or not.
#[inline(always)]
unsafe fn iq4_table(biased: bool) -> __m128i {
    // SAFETY: the array has 16 bytes; AVX2 includes the instruction.
    unsafe {
        let values = _mm_loadu_si128(IQ4_VALUES.as_ptr().cast());
        if biased { _mm_xor_si128(values, _mm_set1_epi8(-128)) } else { values }
    }
}

macro_rules! blocks_of_32 {
    (
        $name:ident: $bytes:literal bytes, offset $offset:literal, signed $signed:literal,
        minima $minima:literal, order $order:ident,
        one($block:ident, $biased:ident) $one:block
        two($first:ident, $both_biased:ident) $two:block
        four($start:ident) $four:block
    ) => {
        #[doc = concat!("`", stringify!($name), "`.")]
        pub(in super::super) struct $name;

        impl Format for $name {
            const BYTES: usize = 8 * $bytes;
            const OFFSET: u8 = $offset;
            const SIGNED: bool = $signed;
            const HALVES: bool = false;
            const MINIMA: bool = $minima;
            const ORDER: Order = Order::$order;
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
            unsafe fn one($block: *const u8, $biased: bool) -> __m256i {
                // SAFETY: the trait's; the block lies within the chunk.
                unsafe { $one }
            }

            #[inline(always)]
            unsafe fn two<const P: usize>(chunk: *const u8, $both_biased: bool) -> [__m256i; 2] {
                // SAFETY: the trait's; both blocks lie within the chunk.
                unsafe {
                    let $first = chunk.add(2 * P * $bytes);
                    $two
                }
            }

            #[inline(always)]
            unsafe fn four<const H: usize>(chunk: *const u8) -> [__m512i; 2] {
                // SAFETY: the trait's; the four blocks lie within the chunk.
                unsafe {
                    let $start = chunk.add(4 * H * $bytes);
                    $four
                }
            }
        }
    };
}

blocks_of_32! {
    Q4_0: 18 bytes, offset 8, signed false, minima false, order Folded,
    one(block, _biased) { nibbles(block.add(2)) }
    two(first, _biased) { split(two_of_16(first.add(2), 18)) }
    four(first) { split_wide(four_of_16(first.add(2), 18)) }
}

blocks_of_32! {
    Q4_1: 20 bytes, offset 0, signed false, minima true, order Folded,
    one(block, _biased) { nibbles(block.add(4)) }
    two(first, _biased) { split(two_of_16(first.add(4), 20)) }
    four(first) { split_wide(four_of_16(first.add(4), 20)) }
}

blocks_of_32! {
    Q5_0: 22 bytes, offset 16, signed false, minima false, order Folded,
    one(block, _biased) { fives(block.add(2)) }
    two(first, _biased) { fives_of_two(first.add(2), 22) }
    four(first) { fives_of_four(first.add(2), 22) }
}

blocks_of_32! {
    Q5_1: 24 bytes, offset 0, signed false, minima true, order Folded,
    one(block, _biased) { fives(block.add(4)) }
    two(first, _biased) { fives_of_two(first.add(4), 24) }
    four(first) { fives_of_four(first.add(4), 24) }
}

/// 32 signed bytes, plus 128 if `biased`.
#[inline(always)]
unsafe fn eights(at: *const u8, biased: bool) -> __m256i {
    // SAFETY: the caller promises 32 bytes and AVX2.
    unsafe {
        let bytes = load(at);
        if biased { _mm256_xor_si256(bytes, _mm256_set1_epi8(-128)) } else { bytes }
    }
}

/// 64 signed bytes, of two blocks, plus 128.
#[inline(always)]
unsafe fn eights_wide(first: *const u8, second: *const u8) -> __m512i {
    // SAFETY: the caller promises 32 bytes each and AVX-512.
    unsafe {
        let bytes = _mm512_inserti64x4(_mm512_castsi256_si512(load(first)), load(second), 1);
        _mm512_xor_si512(bytes, _mm512_set1_epi8(-128))
    }
}

blocks_of_32! {
    Q8_0: 34 bytes, offset 0, signed true, minima false, order Natural,
    one(block, biased) { eights(block.add(2), biased) }
    two(first, biased) { [eights(first.add(2), biased), eights(first.add(36), biased)] }
    four(first) {
        [
            eights_wide(first.add(2), first.add(36)),
            eights_wide(first.add(70), first.add(104)),
        ]
    }
}

/// What indices mean, biased or not.
#[inline(always)]
pub(super) unsafe fn iq4(indices: __m256i, biased: bool) -> __m256i {
    // SAFETY: the caller promises AVX2.
    unsafe { _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(iq4_table(biased)), indices) }
}

/// What indices mean, plus 128.
#[inline(always)]
pub(super) unsafe fn iq4_wide(indices: __m512i) -> __m512i {
    // SAFETY: the caller promises AVX-512.
    unsafe { _mm512_shuffle_epi8(_mm512_broadcast_i32x4(iq4_table(true)), indices) }
}

blocks_of_32! {
    IQ4_NL: 18 bytes, offset 0, signed true, minima false, order Folded,
    one(block, biased) { iq4(nibbles(block.add(2)), biased) }
    two(first, biased) {
        let indices = split(two_of_16(first.add(2), 18));
        [iq4(indices[0], biased), iq4(indices[1], biased)]
    }
    four(first) {
        let indices = split_wide(four_of_16(first.add(2), 18));
        [iq4_wide(indices[0]), iq4_wide(indices[1])]
    }
}
