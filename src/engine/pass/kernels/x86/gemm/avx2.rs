//! AVX2: sums of products in 16 bits as far as they fit; tiles of 16 rows × a few vectors.
#![expect(clippy::cast_ptr_alignment, reason = "panels, packed vectors and sums are aligned to 64")]
#![allow(clippy::wildcard_imports, reason = "the names of instructions are the vocabulary here")]
#![expect(unsafe_code, reason = "vector instructions on memory at computed places")]

use std::arch::x86_64::*;

use super::super::panel::{self, Panel, ROWS, Sums};
use super::packed::{Packed, Side};
use super::{Products, Recipe, Scratch, Task, Tile, product};
use crate::block::BlockType;

/// Steps of 4 columns whose products are added up in 16 bits. A step adds two products to a sum, each
/// at most `q · 127` in magnitude, and 8 · 2 · 15 · 127 = 30480, 4 · 2 · 31 · 127 = 31496 and
/// 2 · 2 · 63 · 127 = 32004 are all at most 32767.
const fn steps(bits: u32) -> usize {
    match bits {
        0..=4 => 8,
        5 => 4,
        _ => 2,
    }
}

/// How a format's sums of 16 bits become numbers.
trait Kind {
    /// Bits of a number.
    const BITS: u32;
    /// Whether groups have 16 columns; then their scales are integers.
    const HALVES: bool;
    /// Whether scales are integers, with a unit per row of the panel.
    const INTEGERS: bool;
    /// Whether minima are added; else, in groups of 16, what the constant `c` takes off.
    const MINIMA: bool;
}

macro_rules! kinds {
    ($($name:ident $bits:literal $halves:literal $integers:literal $minima:literal;)*) => { $(
        struct $name;
        impl Kind for $name {
            const BITS: u32 = $bits;
            const HALVES: bool = $halves;
            const INTEGERS: bool = $integers;
            const MINIMA: bool = $minima;
        }
    )* };
}

kinds! {
    Fours 4 false false true;
    Fives 5 false false true;
    TwosK 2 true true true;
    ThreesK 3 true true false;
    FoursK 4 false true true;
    FivesK 5 false true true;
    SixesK 6 true true false;
}

macro_rules! tiles {
    ($kind:ident) => {
        &[
            tile::<1, $kind> as Tile,
            tile::<2, $kind>,
            tile::<3, $kind>,
            tile::<4, $kind>,
            tile::<5, $kind>,
            tile::<6, $kind>,
        ]
    };
}

const WIDE: &[Tile] = &[
    wide_tile::<1>,
    wide_tile::<2>,
    wide_tile::<3>,
    wide_tile::<4>,
    wide_tile::<5>,
    wide_tile::<6>,
];

super::products! {
    q4_0 = Q4_0, panel::q4_0, Side::Products, false, tiles!(Fours);
    q4_1 = Q4_1, panel::q4_1, Side::Products, false, tiles!(Fours);
    q5_0 = Q5_0, panel::q5_0, Side::Products, false, tiles!(Fives);
    q5_1 = Q5_1, panel::q5_1, Side::Products, false, tiles!(Fives);
    q8_0 = Q8_0, panel::q8_0::<Sums>, Side::Nothing, true, WIDE;
    q2_k = Q2_K, panel::q2_k::<Sums>, Side::HalfProducts, false, tiles!(TwosK);
    q3_k = Q3_K, panel::q3_k::<Sums>, Side::Pairs, false, tiles!(ThreesK);
    q4_k = Q4_K, panel::q4_k::<Sums>, Side::Products, false, tiles!(FoursK);
    q5_k = Q5_K, panel::q5_k::<Sums>, Side::Products, false, tiles!(FivesK);
    q6_k = Q6_K, panel::q6_k::<Sums>, Side::Pairs, false, tiles!(SixesK);
    iq4_nl = IQ4_NL, panel::iq4_nl::<Sums>, Side::Nothing, true, WIDE;
    iq4_xs = IQ4_XS, panel::iq4_xs::<Sums>, Side::Nothing, true, WIDE;
}

/// `V` vectors of bytes.
///
/// Where scales are integers, a sum of 32 bits stays below 2³¹: at most 8 · 32004 · 128 for the
/// products and 2 · 4096 · 2032 for the constant in `Q6_K`, less in the others.
///
/// # Safety
/// See [`Tile`].
#[target_feature(enable = "avx2,fma")]
unsafe fn tile<const V: usize, K: Kind>(
    panel: &Panel,
    packed: &Packed,
    groups: usize,
    sums: *mut f32,
) {
    let weights = panel.weights.as_ptr();
    // SAFETY: groups ≤ 8, so all reads are within the panel and the packed vectors; the sums are the
    // caller's.
    unsafe {
        let mut kept = Kept::<V>::new();
        std::hint::black_box(&raw mut kept);
        let number = |array: &[u32], index: usize, half: usize| {
            _mm256_load_ps(array.as_ptr().add(index * ROWS + half * 8).cast())
        };
        let steps = if K::HALVES { steps(K::BITS).min(4) } else { steps(K::BITS) };
        for group in 0..groups {
            for part in 0..8 / steps {
                let mut short = [[_mm256_setzero_si256(); 2]; V];
                let products = |step: usize, v: usize| {
                    let at = group * 8 + part * steps + step;
                    let low = _mm256_load_si256(weights.add(at * 64).cast());
                    let high = _mm256_load_si256(weights.add(at * 64 + 32).cast());
                    let four = packed.values[v].as_ptr().add(at * 4).cast::<i32>().read();
                    let four = _mm256_set1_epi32(four);
                    [_mm256_maddubs_epi16(low, four), _mm256_maddubs_epi16(high, four)]
                };
                for (v, short) in short.iter_mut().enumerate() {
                    *short = products(0, v);
                }
                for step in 1..steps {
                    for (v, short) in short.iter_mut().enumerate() {
                        let [low, high] = products(step, v);
                        short[0] = super::held(_mm256_add_epi16(short[0], low));
                        short[1] = super::held(_mm256_add_epi16(short[1], high));
                    }
                }
                let index = if K::HALVES { group * 2 + part * steps / 4 } else { group };
                for (v, short) in short.into_iter().enumerate() {
                    let scale = _mm256_set1_ps(*packed.scales[v].get_unchecked(group));
                    let side = |index: usize| *packed.side[v].get_unchecked(index);
                    let minimum =
                        |index: usize| _mm256_set1_ps(f32::from_bits(side(index).cast_unsigned()));
                    for (half, &short) in short.iter().enumerate() {
                        let scales = if K::INTEGERS {
                            _mm256_castps_si256(number(&panel.scales, index, half))
                        } else {
                            _mm256_set1_epi16(1)
                        };
                        let mut products = _mm256_madd_epi16(short, scales);
                        let whole = &raw mut kept.whole[v][half];
                        if part > 0 {
                            products = _mm256_add_epi32(products, whole.read_volatile());
                        } else if K::HALVES && !K::MINIMA {
                            let offsets = _mm256_castps_si256(number(&panel.minima, group, half));
                            let offset = _mm256_madd_epi16(_mm256_set1_epi32(side(group)), offsets);
                            products = _mm256_add_epi32(products, offset);
                        }
                        if part + 1 < 8 / steps {
                            whole.write_volatile(products);
                            continue;
                        }
                        let products = _mm256_cvtepi32_ps(products);
                        let at = sums.add(v * ROWS + half * 8).cast::<__m256>();
                        if K::INTEGERS {
                            let at = &raw mut kept.units[v][half];
                            at.write_volatile(_mm256_fmadd_ps(products, scale, at.read_volatile()));
                        }
                        if !K::INTEGERS || K::MINIMA {
                            let mut sum = at.read_volatile();
                            if !K::INTEGERS {
                                let scale =
                                    _mm256_mul_ps(number(&panel.scales, group, half), scale);
                                sum = _mm256_fmadd_ps(products, scale, sum);
                            }
                            let parts = if K::HALVES { 2 } else { 1 };
                            for index in group * parts..(group + 1) * parts {
                                if K::MINIMA {
                                    let minima = number(&panel.minima, index, half);
                                    sum = _mm256_fmadd_ps(minima, minimum(index), sum);
                                }
                            }
                            at.write_volatile(sum);
                        }
                    }
                }
            }
        }
        if K::INTEGERS {
            for v in 0..V {
                for half in 0..2 {
                    let at = sums.add(v * ROWS + half * 8);
                    let unit = _mm256_load_ps(panel.unit.as_ptr().add(half * 8));
                    let units = (&raw const kept.units[v][half]).read_volatile();
                    _mm256_store_ps(at, _mm256_fmadd_ps(units, unit, _mm256_load_ps(at)));
                }
            }
        }
    }
}

/// What a tile keeps in memory: read and written as volatile, since the compiler would take it into
/// registers that there are not, and then write those to a stack that is not aligned.
#[repr(align(64))]
struct Kept<const V: usize> {
    /// Sums of products in units of the rows.
    units: [[__m256; 2]; V],
    /// Sums of products of a group.
    whole: [[__m256i; 2]; V],
}

impl<const V: usize> Kept<V> {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new() -> Self {
        Self { units: [[_mm256_setzero_ps(); 2]; V], whole: [[_mm256_setzero_si256(); 2]; V] }
    }
}

/// `V` vectors of i16. A pair of products is at most 2 · 128 · 127 in magnitude, 32 of them fit.
///
/// # Safety
/// See [`Tile`].
#[target_feature(enable = "avx2,fma")]
unsafe fn wide_tile<const V: usize>(panel: &Panel, packed: &Packed, groups: usize, sums: *mut f32) {
    let weights = panel.weights.as_ptr();
    // SAFETY: as in `tile`.
    unsafe {
        let mut aligned = super::Aligned::new();
        std::hint::black_box(&raw mut aligned);
        for group in 0..groups {
            let mut dots = [[_mm256_setzero_si256(); 2]; V];
            for step in 0..8 {
                for part in 0..2 {
                    let at = weights.add((group * 8 + step) * 128 + part * 64);
                    let low = _mm256_load_si256(at.cast());
                    let high = _mm256_load_si256(at.add(32).cast());
                    for (v, dots) in dots.iter_mut().enumerate() {
                        let at = packed.values[v].as_ptr().add(group * 64 + part * 32 + step * 4);
                        let two = _mm256_set1_epi32(at.cast::<i32>().read());
                        dots[0] =
                            super::held(_mm256_add_epi32(dots[0], _mm256_madd_epi16(low, two)));
                        dots[1] =
                            super::held(_mm256_add_epi32(dots[1], _mm256_madd_epi16(high, two)));
                    }
                }
            }
            for (v, dots) in dots.into_iter().enumerate() {
                let scale = _mm256_set1_ps(*packed.scales[v].get_unchecked(group));
                for (half, dot) in dots.into_iter().enumerate() {
                    let at = sums.add(v * ROWS + half * 8);
                    let scales =
                        _mm256_load_ps(panel.scales.as_ptr().add(group * ROWS + half * 8).cast());
                    let scale = _mm256_mul_ps(scales, scale);
                    let at = at.cast::<__m256>();
                    at.write_volatile(_mm256_fmadd_ps(
                        _mm256_cvtepi32_ps(dot),
                        scale,
                        at.read_volatile(),
                    ));
                }
            }
        }
    }
}
