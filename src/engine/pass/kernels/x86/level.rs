//! The integer dot steps by which the instruction sets with 256 bits differ.

use std::arch::x86_64::*;

use super::format::{Format, Order};

/// How an instruction set multiplies bytes and adds neighbours up.
///
/// # Safety
/// The functions need AVX2 and what the level is named after. They are inlined into functions that
/// have these features enabled.
pub(super) trait Level {
    /// Whether weights of signed formats are to come biased by 128.
    const BIASED: bool;

    /// What [`Self::dot`] takes off for the offset of the format: depends on activations only.
    unsafe fn correction<F: Format>(x: __m256i) -> __m256i;

    /// In each element of 32 bits the exact sum of 4 products `(weight - offset) · x`.
    unsafe fn dot<F: Format>(weights: __m256i, x: __m256i, correction: __m256i) -> __m256i;

    /// As [`Self::correction`], for both steps of [`Self::dots`].
    unsafe fn corrections<F: Format>(x: [__m256i; 2]) -> __m256i;

    /// The sum of two [`Self::dot`]: of formats with the order [`Order::Folded`].
    unsafe fn dots<F: Format>(
        weights: [__m256i; 2],
        x: [__m256i; 2],
        correction: __m256i,
    ) -> __m256i;
}

/// Plain AVX2.
pub(super) struct Avx2;

impl Level for Avx2 {
    const BIASED: bool = false;

    #[inline(always)]
    unsafe fn correction<F: Format>(x: __m256i) -> __m256i {
        // SAFETY: the trait's.
        unsafe {
            if F::OFFSET == 0 {
                return _mm256_setzero_si256();
            }
            // Offsets are at most 32: 2 · 32 · 127 = 8128 fits 16 bits.
            _mm256_maddubs_epi16(_mm256_set1_epi8(F::OFFSET.cast_signed()), x)
        }
    }

    #[inline(always)]
    unsafe fn dot<F: Format>(weights: __m256i, x: __m256i, correction: __m256i) -> __m256i {
        // SAFETY: the trait's.
        unsafe {
            // `maddubs` adds two products in 16 bits, and saturates. Activations are within ±127.
            let pairs = if F::SIGNED {
                // |weight| ≤ 128, so the sum is within ±2 · 128 · 127 = ±32512. The sign goes to
                // the activation, whose negation cannot overflow.
                _mm256_maddubs_epi16(_mm256_abs_epi8(weights), _mm256_sign_epi8(x, weights))
            } else {
                // Bytes are at most 63, so the sum is within ±2 · 63 · 127 = ±16002, and less the
                // correction within ±24130.
                _mm256_sub_epi16(_mm256_maddubs_epi16(weights, x), correction)
            };
            _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))
        }
    }

    #[inline(always)]
    unsafe fn corrections<F: Format>(x: [__m256i; 2]) -> __m256i {
        // SAFETY: the trait's. Twice what one is at most, see `dots`.
        unsafe { _mm256_add_epi16(Self::correction::<F>(x[0]), Self::correction::<F>(x[1])) }
    }

    #[inline(always)]
    unsafe fn dots<F: Format>(
        weights: [__m256i; 2],
        x: [__m256i; 2],
        correction: __m256i,
    ) -> __m256i {
        const { assert!(!matches!(F::ORDER, Order::Folded) || F::SIGNED || F::OFFSET <= 16) };
        // SAFETY: the trait's.
        unsafe {
            if F::SIGNED {
                // Two sums of up to 32512 have no place in 16 bits.
                let first = Self::dot::<F>(weights[0], x[0], correction);
                return _mm256_add_epi32(first, Self::dot::<F>(weights[1], x[1], correction));
            }
            // Bytes are at most 31 with offsets of at most 16: the sum is within
            // ±2 · 2 · 31 · 127 = ±15748, and less the correction within ±23876.
            let first = _mm256_maddubs_epi16(weights[0], x[0]);
            let pairs = _mm256_add_epi16(first, _mm256_maddubs_epi16(weights[1], x[1]));
            _mm256_madd_epi16(_mm256_sub_epi16(pairs, correction), _mm256_set1_epi16(1))
        }
    }
}

macro_rules! vnni {
    ($name:ident, $doc:literal, $dpbusd:ident) => {
        #[doc = $doc]
        pub(super) struct $name;

        impl Level for $name {
            const BIASED: bool = true;

            #[inline(always)]
            unsafe fn correction<F: Format>(x: __m256i) -> __m256i {
                // SAFETY: the trait's.
                unsafe {
                    let zero = _mm256_setzero_si256();
                    let offset = if F::SIGNED { 128 } else { F::OFFSET };
                    if offset == 0 {
                        return zero;
                    }
                    let offset = _mm256_set1_epi8(offset.cast_signed());
                    _mm256_sub_epi32(zero, $dpbusd(zero, offset, x))
                }
            }

            #[inline(always)]
            unsafe fn dot<F: Format>(weights: __m256i, x: __m256i, correction: __m256i) -> __m256i {
                // SAFETY: the trait's. 4 · 255 · 127 is far from the ends of 32 bits.
                unsafe { $dpbusd(correction, weights, x) }
            }

            #[inline(always)]
            unsafe fn corrections<F: Format>(x: [__m256i; 2]) -> __m256i {
                // SAFETY: the trait's.
                unsafe {
                    _mm256_add_epi32(Self::correction::<F>(x[0]), Self::correction::<F>(x[1]))
                }
            }

            #[inline(always)]
            unsafe fn dots<F: Format>(
                weights: [__m256i; 2],
                x: [__m256i; 2],
                correction: __m256i,
            ) -> __m256i {
                // SAFETY: the trait's. 8 · 255 · 127 is far from the ends of 32 bits.
                unsafe { $dpbusd($dpbusd(correction, weights[0], x[0]), weights[1], x[1]) }
            }
        }
    };
}

vnni!(AvxVnni, "AVX-VNNI.", _mm256_dpbusd_avx_epi32);
vnni!(Avx512Vnni, "AVX-512 VNNI with VL, where 512 bits are too many.", _mm256_dpbusd_epi32);
