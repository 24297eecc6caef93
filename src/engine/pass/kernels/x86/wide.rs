//! Blocks in registers of 512 bits: four groups at a time.

use std::arch::x86_64::*;

use super::dot::{Block, CHUNK, Vector, prefetch, rest, spread, sums, sums_of};
use super::format::{Format, Order};
use super::level::Avx512Vnni;
use crate::activations::GROUP;

/// AVX-512 with VNNI.
pub(super) struct Wide;

/// Factors of the groups of a chunk, per vector and row: 8, or 16 with [`Format::HALVES`].
type Factors<const R: usize, const M: usize> = [[__m512; R]; M];

impl Block for Wide {
    #[inline(always)]
    unsafe fn multiply<F: Format, const R: usize, const M: usize>(
        mut rows: [*const u8; R],
        mut vectors: [Vector; M],
        columns: usize,
        ahead: usize,
    ) -> [[f32; R]; M] {
        // SAFETY: the trait's; a chunk is read where `columns` says that one is there.
        unsafe {
            let mut totals = [[_mm512_setzero_ps(); R]; M];
            for _ in 0..columns / CHUNK {
                let factors = factors::<F, R, M>(&mut totals, rows, vectors);
                four::<F, R, M, 0>(&mut totals, &factors, rows, vectors);
                four::<F, R, M, 1>(&mut totals, &factors, rows, vectors);
                for row in &mut rows {
                    if ahead != 0 {
                        prefetch(row.wrapping_add(ahead), F::BYTES);
                    }
                    *row = row.wrapping_add(F::BYTES);
                }
                vectors.iter_mut().for_each(Vector::advance);
            }
            let mut halved = [[_mm256_setzero_ps(); R]; M];
            for vector in 0..M {
                for row in 0..R {
                    let total = totals[vector][row];
                    let high = _mm512_extractf32x8_ps(total, 1);
                    halved[vector][row] = _mm256_add_ps(_mm512_castps512_ps256(total), high);
                }
            }
            if F::PARTIAL && !columns.is_multiple_of(CHUNK) {
                let count = columns % CHUNK / GROUP;
                rest::<F, Avx512Vnni, R, M>(&mut halved, rows, vectors, count);
            }
            sums_of(halved)
        }
    }
}

/// Both vectors of scales or minima in one register.
#[inline(always)]
unsafe fn joined(numbers: [__m256; 2]) -> __m512 {
    // SAFETY: the caller promises AVX-512.
    unsafe { _mm512_insertf32x8(_mm512_castps256_ps512(numbers[0]), numbers[1], 1) }
}

/// Adds what minima bring, and computes the factors of a chunk.
#[inline(always)]
unsafe fn factors<F: Format, const R: usize, const M: usize>(
    totals: &mut [[__m512; R]; M],
    rows: [*const u8; R],
    vectors: [Vector; M],
) -> Factors<R, M> {
    // SAFETY: the caller promises a chunk of each and AVX-512.
    unsafe {
        let mut factors = [[_mm512_setzero_ps(); R]; M];
        for vector in 0..M {
            let scales = _mm256_loadu_ps(vectors[vector].scales);
            if F::HALVES {
                let scales = joined(spread::<F>(scales));
                for row in 0..R {
                    let of = F::scales(rows[row], 8);
                    factors[vector][row] = _mm512_mul_ps(scales, joined(of.scales));
                    if F::MINIMA {
                        let sums = _mm512_mul_ps(scales, joined(sums::<F>(vectors[vector].sums)));
                        let total = &mut totals[vector][row];
                        *total = _mm512_fmadd_ps(joined(of.minima), sums, *total);
                    }
                }
            } else if F::MINIMA {
                // Scales are below and minima above, and so are what both are multiplied with.
                let sums = _mm256_mul_ps(scales, sums::<F>(vectors[vector].sums)[0]);
                let both = joined([scales, sums]);
                for row in 0..R {
                    let products = _mm512_mul_ps(both, F::scales_and_minima(rows[row]));
                    factors[vector][row] = products;
                    let total = &mut totals[vector][row];
                    *total = _mm512_mask_add_ps(*total, 0xff00, *total, products);
                }
            } else {
                for row in 0..R {
                    let of = _mm256_mul_ps(scales, F::scales(rows[row], 8).scales[0]);
                    factors[vector][row] = _mm512_castps256_ps512(of);
                }
            }
        }
        factors
    }
}

/// Which factors the elements of a register take: `count` of them from `first` on, each for as many
/// elements, `step` from each other.
#[inline(always)]
unsafe fn places(first: usize, count: usize, step: usize) -> __m512i {
    // SAFETY: the array has 64 bytes; the caller promises AVX-512.
    unsafe {
        let mut places = [0i32; 16];
        for (element, place) in places.iter_mut().enumerate() {
            *place = (first + element / (16 / count) * step) as i32;
        }
        _mm512_loadu_si512(places.as_ptr().cast())
    }
}

/// What offsets add to a dot product, negative.
#[inline(always)]
unsafe fn correction<F: Format>(x: &[__m512i]) -> __m512i {
    let offset = if F::SIGNED { 128 } else { F::OFFSET };
    // SAFETY: the caller promises AVX-512 with VNNI.
    unsafe {
        let zero = _mm512_setzero_si512();
        if offset == 0 {
            return zero;
        }
        let mut added = zero;
        for x in x {
            added = _mm512_dpbusd_epi32(added, _mm512_set1_epi8(offset.cast_signed()), *x);
        }
        _mm512_sub_epi32(zero, added)
    }
}

/// Adds groups `4 * H` to `4 * H + 3` of a chunk.
#[inline(always)]
unsafe fn four<F: Format, const R: usize, const M: usize, const H: usize>(
    totals: &mut [[__m512; R]; M],
    factors: &Factors<R, M>,
    rows: [*const u8; R],
    vectors: [Vector; M],
) {
    // SAFETY: the caller promises a chunk of each and AVX-512 with VNNI.
    unsafe {
        let mut weights = [[_mm512_setzero_si512(); 2]; R];
        for row in 0..R {
            weights[row] = F::four::<H>(rows[row]);
        }
        for vector in 0..M {
            let at = vectors[vector].int8.add(H * 4 * GROUP);
            let x = [_mm512_loadu_si512(at.cast()), _mm512_loadu_si512(at.add(64).cast())];
            if matches!(F::ORDER, Order::Folded) {
                let x = [
                    _mm512_shuffle_i64x2(x[0], x[1], 0b10_00_10_00),
                    _mm512_shuffle_i64x2(x[0], x[1], 0b11_01_11_01),
                ];
                let correction = correction::<F>(&x);
                let places = places(4 * H, 4, 1);
                for row in 0..R {
                    // 8 · 255 · 127 is far from the ends of 32 bits.
                    let first = _mm512_dpbusd_epi32(correction, weights[row][0], x[0]);
                    let dot = _mm512_dpbusd_epi32(first, weights[row][1], x[1]);
                    let factor = _mm512_permutexvar_ps(places, factors[vector][row]);
                    let total = &mut totals[vector][row];
                    *total = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), factor, *total);
                }
                continue;
            }
            let (x, step) = if matches!(F::ORDER, Order::Strided) {
                let even = _mm512_shuffle_i64x2(x[0], x[1], 0b01_00_01_00);
                ([even, _mm512_shuffle_i64x2(x[0], x[1], 0b11_10_11_10)], 2)
            } else {
                (x, 1)
            };
            for part in 0..2 {
                let correction = correction::<F>(&x[part..=part]);
                let places = if F::HALVES {
                    places(8 * H + 4 * part, 4, 1)
                } else {
                    places(4 * H + if step == 2 { part } else { 2 * part }, 2, step)
                };
                for row in 0..R {
                    let dot = _mm512_dpbusd_epi32(correction, weights[row][part], x[part]);
                    let factor = _mm512_permutexvar_ps(places, factors[vector][row]);
                    let total = &mut totals[vector][row];
                    *total = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), factor, *total);
                }
            }
        }
    }
}
