//! AVX-VNNI: tiles of 16 rows × up to 6 vectors.
#![expect(clippy::cast_ptr_alignment, reason = "panels, packed vectors and sums are aligned to 64")]
#![allow(clippy::wildcard_imports, reason = "the names of instructions are the vocabulary here")]
#![expect(unsafe_code, reason = "vector instructions on memory at computed places")]

use std::arch::x86_64::*;

use super::super::panel::{self, Dot, Panel, ROWS};
use super::packed::{Packed, Side};
use super::{Products, Recipe, Scratch, Task, Tile, product};
use crate::block::BlockType;

/// Tiles for 1 to 6 vectors.
macro_rules! tiles {
    ($halves:literal, $minima:literal) => {
        &[
            tile::<1, $halves, $minima> as Tile,
            tile::<2, $halves, $minima>,
            tile::<3, $halves, $minima>,
            tile::<4, $halves, $minima>,
            tile::<5, $halves, $minima>,
            tile::<6, $halves, $minima>,
        ]
    };
}

super::super::gemm::dot_products!("avxvnni,avx2,fma,f16c");

/// `V` vectors: sums of products in 32 bits over a group of 32 columns (`HALVES`: of 16), which
/// start at 0 and leave minima to be added (`MINIMA`), or start where the packed side says.
///
/// # Safety
/// See [`Tile`].
#[target_feature(enable = "avxvnni,avx2,fma,f16c")]
unsafe fn tile<const V: usize, const HALVES: bool, const MINIMA: bool>(
    panel: &Panel,
    packed: &Packed,
    groups: usize,
    sums: *mut f32,
) {
    let weights = panel.weights.as_ptr();
    // SAFETY: groups ≤ 8, so all reads are within the panel and the packed vectors; the sums are the
    // caller's.
    unsafe {
        let mut aligned = super::Aligned::new();
        std::hint::black_box(&raw mut aligned);
        let number = |array: &[u32], index: usize, half: usize| {
            _mm256_load_ps(array.as_ptr().add(index * ROWS + half * 8).cast())
        };
        let parts = if HALVES { 2 } else { 1 };
        for index in 0..groups * parts {
            let mut dots: [[__m256i; 2]; V] = std::array::from_fn(|v| {
                let start = if MINIMA { 0 } else { *packed.side[v].get_unchecked(index) };
                [_mm256_set1_epi32(start); 2]
            });
            for step in index * (8 / parts)..(index + 1) * (8 / parts) {
                let low = _mm256_load_si256(weights.add(step * 64).cast());
                let high = _mm256_load_si256(weights.add(step * 64 + 32).cast());
                for (v, dots) in dots.iter_mut().enumerate() {
                    let four = packed.values[v].as_ptr().add(step * 4).cast::<i32>().read();
                    let four = _mm256_set1_epi32(four);
                    dots[0] = super::held(_mm256_dpbusd_avx_epi32(dots[0], low, four));
                    dots[1] = super::held(_mm256_dpbusd_avx_epi32(dots[1], high, four));
                }
            }
            for (v, dots) in dots.into_iter().enumerate() {
                let scale = _mm256_set1_ps(*packed.scales[v].get_unchecked(index / parts));
                let side = f32::from_bits(packed.side[v].get_unchecked(index).cast_unsigned());
                for (half, dot) in dots.into_iter().enumerate() {
                    // As volatile, or the compiler would take the sums into registers that there are
                    // not, and then write those to a stack that is not aligned.
                    let at = sums.add(v * ROWS + half * 8).cast::<__m256>();
                    let scale = _mm256_mul_ps(number(&panel.scales, index, half), scale);
                    let mut sum = at.read_volatile();
                    sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), scale, sum);
                    if MINIMA {
                        let minima = number(&panel.minima, index, half);
                        sum = _mm256_fmadd_ps(minima, _mm256_set1_ps(side), sum);
                    }
                    at.write_volatile(sum);
                }
            }
        }
    }
}
