//! AVX-512 VNNI: tiles of 16 rows × up to 12 vectors.
#![expect(clippy::cast_ptr_alignment, reason = "panels, packed vectors and sums are aligned to 64")]
#![allow(clippy::wildcard_imports, reason = "the names of instructions are the vocabulary here")]
#![expect(unsafe_code, reason = "vector instructions on memory at computed places")]

use std::arch::x86_64::*;

use super::super::panel::{self, Dot, Panel, ROWS};
use super::packed::{Packed, Side};
use super::{Products, Recipe, Scratch, Task, Tile, product};
use crate::block::BlockType;

/// Tiles for 1 to 12 vectors.
macro_rules! tiles {
    ($halves:literal, $minima:literal) => {
        &[
            tile::<1, $halves, $minima> as Tile,
            tile::<2, $halves, $minima>,
            tile::<3, $halves, $minima>,
            tile::<4, $halves, $minima>,
            tile::<5, $halves, $minima>,
            tile::<6, $halves, $minima>,
            tile::<7, $halves, $minima>,
            tile::<8, $halves, $minima>,
            tile::<9, $halves, $minima>,
            tile::<10, $halves, $minima>,
            tile::<11, $halves, $minima>,
            tile::<12, $halves, $minima>,
        ]
    };
}

super::super::gemm::dot_products!("avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c");

/// `V` vectors: sums of products in 32 bits over a group of 32 columns (`HALVES`: of 16), which
/// start at 0 and leave minima to be added (`MINIMA`), or start where the packed side says.
///
/// # Safety
/// See [`Tile`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
unsafe fn tile<const V: usize, const HALVES: bool, const MINIMA: bool>(
    panel: &Panel,
    packed: &Packed,
    groups: usize,
    sums: *mut f32,
) {
    let weights = panel.weights.as_ptr();
    let (scales, minima) = (panel.scales.as_ptr(), panel.minima.as_ptr());
    // SAFETY: groups ≤ 8, so all reads are within the panel and the packed vectors; the sums are the
    // caller's.
    unsafe {
        let mut total: [__m512; V] = std::array::from_fn(|v| _mm512_load_ps(sums.add(v * ROWS)));
        for group in 0..groups {
            let start = |index: usize| -> [__m512i; V] {
                std::array::from_fn(|v| {
                    if MINIMA {
                        _mm512_setzero_si512()
                    } else {
                        _mm512_set1_epi32(*packed.side[v].get_unchecked(index))
                    }
                })
            };
            let add = |dots: &mut [__m512i; V], step: usize| {
                let weights = _mm512_load_si512(weights.add(step * 64).cast());
                for (v, dot) in dots.iter_mut().enumerate() {
                    let four = packed.values[v].as_ptr().add(step * 4).cast::<i32>().read();
                    *dot = _mm512_dpbusd_epi32(*dot, weights, _mm512_set1_epi32(four));
                }
            };
            let numbers =
                |array: *const u32, index: usize| _mm512_load_ps(array.add(index * ROWS).cast());
            let side = |v: usize, index: usize| {
                _mm512_set1_ps(f32::from_bits(packed.side[v].get_unchecked(index).cast_unsigned()))
            };
            if HALVES {
                let mut low = start(group * 2);
                for step in 0..4 {
                    add(&mut low, group * 8 + step);
                }
                let mut high = start(group * 2 + 1);
                for step in 4..8 {
                    add(&mut high, group * 8 + step);
                }
                let (low_scales, high_scales) =
                    (numbers(scales, group * 2), numbers(scales, group * 2 + 1));
                for v in 0..V {
                    let sum = _mm512_mul_ps(_mm512_cvtepi32_ps(low[v]), low_scales);
                    let sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(high[v]), high_scales, sum);
                    let scale = _mm512_set1_ps(*packed.scales[v].get_unchecked(group));
                    total[v] = _mm512_fmadd_ps(sum, scale, total[v]);
                    if MINIMA {
                        total[v] = _mm512_fmadd_ps(
                            numbers(minima, group * 2),
                            side(v, group * 2),
                            total[v],
                        );
                        total[v] = _mm512_fmadd_ps(
                            numbers(minima, group * 2 + 1),
                            side(v, group * 2 + 1),
                            total[v],
                        );
                    }
                }
            } else {
                let mut dots = start(group);
                for step in 0..8 {
                    add(&mut dots, group * 8 + step);
                }
                let scales = numbers(scales, group);
                for v in 0..V {
                    let scale = _mm512_set1_ps(*packed.scales[v].get_unchecked(group));
                    let scale = _mm512_mul_ps(scales, scale);
                    total[v] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots[v]), scale, total[v]);
                    if MINIMA {
                        total[v] =
                            _mm512_fmadd_ps(numbers(minima, group), side(v, group), total[v]);
                    }
                }
            }
        }
        for (v, total) in total.into_iter().enumerate() {
            _mm512_store_ps(sums.add(v * ROWS), total);
        }
    }
}
