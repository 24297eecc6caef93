//! Activations → the int8 form: the same bits as the scalar twin's.

use std::arch::x86_64::*;

use crate::activations::GROUP;
use crate::kernels::scalar::factors;

/// [`crate::kernels::Quantize`] with AVX2.
#[target_feature(enable = "avx2")]
pub(in crate::kernels) unsafe fn avx2(
    x: &[f32],
    int8: &mut [i8],
    scales: &mut [f32],
    sums: &mut [i16],
) {
    let groups = x.chunks_exact(GROUP).zip(int8.chunks_exact_mut(GROUP));
    let results = scales.iter_mut().zip(sums.chunks_exact_mut(2));
    for ((x, int8), (scale, sums)) in groups.zip(results) {
        // SAFETY: the slices have 32 numbers, `sums` 2.
        unsafe {
            let numbers: [__m256; 4] =
                std::array::from_fn(|part| _mm256_loadu_ps(x.as_ptr().add(part * 8)));
            // Magnitudes are ordered as their bits are, and this sees NaN.
            let magnitude = _mm256_set1_epi32(i32::MAX);
            let bits = numbers.map(|x| _mm256_and_si256(_mm256_castps_si256(x), magnitude));
            let first = _mm256_max_epi32(bits[0], bits[1]);
            let eight = _mm256_max_epi32(first, _mm256_max_epi32(bits[2], bits[3]));
            let four =
                _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
            let two = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0b01_00_11_10));
            let one = _mm_max_epi32(two, _mm_shuffle_epi32(two, 0b10_11_00_01));
            let (inverse, group_scale) = factors(_mm_cvtsi128_si32(one).cast_unsigned());
            *scale = group_scale;
            if inverse == 0.0 {
                int8.fill(0);
                sums.fill(0);
                continue;
            }
            // Within ±127 after rounding, halves to even, so that packing does not saturate.
            let inverse = _mm256_set1_ps(inverse);
            let rounded = numbers.map(|x| _mm256_cvtps_epi32(_mm256_mul_ps(x, inverse)));
            let first = _mm256_packs_epi32(rounded[0], rounded[1]);
            let second = _mm256_packs_epi32(rounded[2], rounded[3]);
            let bytes = _mm256_packs_epi16(first, second);
            // Packing works in halves of the register: 4 numbers of each part in turn.
            let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
            let bytes = _mm256_permutevar8x32_epi32(bytes, order);
            _mm256_storeu_si256(int8.as_mut_ptr().cast(), bytes);
            // Sums of each 8 bytes of them plus 128, as bytes of which are summed have no sign.
            let biased = _mm256_xor_si256(bytes, _mm256_set1_epi8(-128));
            let eights = _mm256_sad_epu8(biased, _mm256_setzero_si256());
            let mut eight = [0i64; 4];
            _mm256_storeu_si256(eight.as_mut_ptr().cast(), eights);
            sums[0] = (eight[0] + eight[1]) as i16 - 16 * 128;
            sums[1] = (eight[2] + eight[3]) as i16 - 16 * 128;
        }
    }
}
