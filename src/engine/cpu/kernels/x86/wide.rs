//! Blocks in registers of 512 bits: two groups at a time.

use std::arch::x86_64::*;

use super::dot::{Block, CHUNK, Vector, prefetch, rest, spread, sum, sums};
use super::format::{Format, Scales};
use super::level::Avx512Vnni;
use crate::engine::cpu::activations::GROUP;

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
                pair::<F, R, M, 0>(&mut totals, &factors, rows, vectors);
                pair::<F, R, M, 1>(&mut totals, &factors, rows, vectors);
                pair::<F, R, M, 2>(&mut totals, &factors, rows, vectors);
                pair::<F, R, M, 3>(&mut totals, &factors, rows, vectors);
                for row in &mut rows {
                    if ahead != 0 {
                        prefetch(row.wrapping_add(ahead), F::BYTES);
                    }
                    *row = row.wrapping_add(F::BYTES);
                }
                vectors.iter_mut().for_each(Vector::advance);
            }
            let mut totals = totals.map(|totals| {
                totals.map(|total| {
                    let high = _mm512_extractf32x8_ps(total, 1);
                    _mm256_add_ps(_mm512_castps512_ps256(total), high)
                })
            });
            if F::PARTIAL && !columns.is_multiple_of(CHUNK) {
                let count = columns % CHUNK / GROUP;
                rest::<F, Avx512Vnni, R, M>(&mut totals, rows, vectors, count);
            }
            totals.map(|totals| totals.map(|total| sum(total)))
        }
    }
}

/// Both vectors of scales or minima in one register.
#[inline(always)]
unsafe fn joined<F: Format>(numbers: [__m256; 2]) -> __m512 {
    // SAFETY: the caller promises AVX-512.
    unsafe {
        let low = _mm512_zextps256_ps512(numbers[0]);
        if F::HALVES { _mm512_insertf32x8(low, numbers[1], 1) } else { low }
    }
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
        let mut added = [_mm512_setzero_ps(); M];
        for vector in 0..M {
            let scales = joined::<F>(spread::<F>(_mm256_loadu_ps(vectors[vector].scales)));
            factors[vector] = [scales; R];
            if F::MINIMA {
                let sums = joined::<F>(sums::<F>(vectors[vector].sums));
                added[vector] = _mm512_mul_ps(sums, scales);
            }
        }
        for row in 0..R {
            let Scales { scales, minima } = F::scales(rows[row], 8);
            let (scales, minima) = (joined::<F>(scales), joined::<F>(minima));
            for vector in 0..M {
                factors[vector][row] = _mm512_mul_ps(factors[vector][row], scales);
                if F::MINIMA {
                    let total = totals[vector][row];
                    totals[vector][row] = _mm512_fmadd_ps(minima, added[vector], total);
                }
            }
        }
        factors
    }
}

/// Which factor each element of pair `P` takes.
#[inline(always)]
unsafe fn places<F: Format, const P: usize>() -> __m512i {
    let first = P as i32 * if F::HALVES { 4 } else { 2 };
    // SAFETY: the caller promises AVX-512.
    unsafe {
        if F::HALVES {
            let step = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
            _mm512_add_epi32(step, _mm512_set1_epi32(first))
        } else {
            super::format::lows_and_highs(first, first + 1)
        }
    }
}

/// Adds groups `2 * P` and `2 * P + 1` of a chunk.
#[inline(always)]
unsafe fn pair<F: Format, const R: usize, const M: usize, const P: usize>(
    totals: &mut [[__m512; R]; M],
    factors: &Factors<R, M>,
    rows: [*const u8; R],
    vectors: [Vector; M],
) {
    let offset = if F::SIGNED { 128 } else { F::OFFSET };
    // SAFETY: the caller promises a chunk of each and AVX-512 with VNNI.
    unsafe {
        let places = places::<F, P>();
        let mut weights = [_mm512_setzero_si512(); R];
        for row in 0..R {
            weights[row] = F::pair::<P>(rows[row]);
        }
        for vector in 0..M {
            let x = _mm512_loadu_si512(vectors[vector].int8.add(P * 2 * GROUP).cast());
            // What the offset adds is taken off beforehand, exactly.
            let zero = _mm512_setzero_si512();
            let correction = if offset == 0 {
                zero
            } else {
                let offset = _mm512_set1_epi8(offset.cast_signed());
                _mm512_sub_epi32(zero, _mm512_dpbusd_epi32(zero, offset, x))
            };
            for row in 0..R {
                // 4 · 255 · 127 is far from the ends of 32 bits.
                let dot = _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(correction, weights[row], x));
                let factor = _mm512_permutexvar_ps(places, factors[vector][row]);
                totals[vector][row] = _mm512_fmadd_ps(dot, factor, totals[vector][row]);
            }
        }
    }
}
