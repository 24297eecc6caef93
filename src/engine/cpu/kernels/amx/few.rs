//! Up to 16 vectors: the weights are unpacked to bytes and multiplied in integers, so that reading
//! them is what takes the time.
//!
//! The activations are the first operand of a tile product (a row per vector), the weights the
//! second (a column per row of the matrix). Sums of 32 products of a quant, at most 255, and an
//! activation, at most 127, stay below 2²¹, with the offset taken off below 2²²: exact in 32 bits,
//! and in an f32. What a vector gives does not depend on the others, so a batch repeats bit for bit
//! what single vectors give.

use std::arch::asm;
use std::arch::x86_64::{
    __m512, __m512i, _MM_HINT_T0, _mm_prefetch, _mm256_maskz_loadu_epi16, _mm512_add_epi32,
    _mm512_castps_si512, _mm512_castsi512_ps, _mm512_cvtepi16_epi32, _mm512_cvtepi32_ps,
    _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_load_ps, _mm512_load_si512, _mm512_madd_epi16,
    _mm512_mask_storeu_epi32, _mm512_mask_storeu_ps, _mm512_maskz_loadu_epi16,
    _mm512_maskz_loadu_ps, _mm512_mul_ps, _mm512_mullo_epi32, _mm512_permutexvar_ps,
    _mm512_set1_epi16, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setr_epi32, _mm512_setzero_ps,
    _mm512_setzero_si512, _mm512_store_ps,
};

use super::panel::{Format, Group};
use super::tile::Shapes;
use crate::engine::cpu::activations::{Activations, GROUP};
use crate::engine::cpu::kernels::{Scratch, TILE, Task};

/// Most vectors that this takes.
pub(super) const MOST: usize = 16;

/// Groups that are unpacked at a time.
const CHUNK: usize = 8;

/// What is kept between the steps of a chunk; all of it stays in the nearest cache.
#[repr(C, align(64))]
struct Work {
    groups: [Group; CHUNK],
    /// Sums of products: `[group, half, vector, row]`.
    dots: [[i32; TILE]; CHUNK * 2 * MOST],
    /// The results so far: `[vector, row]`.
    totals: [[f32; TILE]; MOST],
}

/// Computes a task of at most [`MOST`] vectors in the int8 form.
///
/// # Safety
/// As for a [`Product`](crate::engine::cpu::kernels::Product) of the AMX table.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vnni,avx512bf16")]
pub(super) unsafe fn product<F: Format>(task: &Task<'_>, scratch: &mut Scratch) {
    let activations = &task.activations;
    let (vectors, columns) = (activations.rows, activations.columns);
    if vectors == 0 || columns == 0 {
        return;
    }
    let stride = columns / F::WEIGHTS * F::BYTES;
    let parts = columns / if F::HALVES { GROUP / 2 } else { GROUP };
    let (corrections_at, last_at) = (size_of::<Work>(), size_of::<Work>() + vectors * parts * 4);
    let memory = scratch.bytes(last_at + 64 + TILE * stride);
    // SAFETY: the scratch has room for the work, the corrections and 16 rows in this order; the
    // shapes are within the limits; the rest as promised.
    unsafe {
        let work: *mut Work = memory.cast();
        let corrections: *mut i32 = memory.add(corrections_at).cast();
        correct::<F>(activations, corrections);
        let width = if F::HALVES { GROUP / 2 } else { GROUP };
        Shapes::new([
            (vectors, 64),
            (vectors, 64),
            (vectors, width),
            (vectors, width),
            (width / 4, 64),
            (width / 4, 64),
            (1, 64),
            (1, 64),
        ])
        .configure();
        for first in (0..task.rows).step_by(TILE) {
            let rows = TILE.min(task.rows - first);
            let weights = task.weights.as_ptr().add(first * stride);
            let out = task.out.add(first);
            let ahead = task.rows - first - rows;
            if rows == TILE {
                let ahead = TILE.min(ahead) * stride;
                panel::<F>(weights, stride, ahead, activations, corrections, work);
            } else {
                let last = memory.add(last_at);
                weights.copy_to_nonoverlapping(last, rows * stride);
                last.add(rows * stride).write_bytes(0, (TILE - rows) * stride);
                panel::<F>(last, stride, 0, activations, corrections, work);
            }
            let mask = ((1_u32 << rows) - 1) as u16;
            for vector in 0..vectors {
                let totals = _mm512_load_ps((*work).totals[vector].as_ptr());
                _mm512_mask_storeu_ps(out.add(vector * task.stride), mask, totals);
            }
        }
    }
}

/// What the sums of the activations add for each vector and each part that shares a scale: in
/// integers `−OFFSET · sum`, and for a format with minima the sum in its true size.
///
/// # Safety
/// The int8 form is there, and `corrections` has room for a number per vector and part.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn correct<F: Format>(activations: &Activations<'_>, corrections: *mut i32) {
    let groups = activations.columns / GROUP;
    let parts = if F::HALVES { 2 * groups } else { groups };
    let twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    for vector in 0..activations.rows {
        for first in (0..parts).step_by(16) {
            let mask = ((1_u64 << 16.min(parts - first)) - 1) as u16;
            // SAFETY: the masks keep what is read and written within the vector.
            unsafe {
                let (sums, scales);
                if F::HALVES {
                    let at = vector * parts + first;
                    let sixteen = _mm256_maskz_loadu_epi16(mask, activations.sums.as_ptr().add(at));
                    sums = _mm512_cvtepi16_epi32(sixteen);
                    let mask = ((1_u64 << 16.min(parts - first).div_ceil(2)) - 1) as u16;
                    let at = vector * groups + first / 2;
                    let eight = _mm512_maskz_loadu_ps(mask, activations.scales.as_ptr().add(at));
                    scales = _mm512_permutexvar_ps(twice, eight);
                } else {
                    let mask32 = ((1_u64 << (2 * 16.min(parts - first))) - 1) as u32;
                    let at = (vector * parts + first) * 2;
                    let pairs = _mm512_maskz_loadu_epi16(mask32, activations.sums.as_ptr().add(at));
                    sums = _mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
                    let at = vector * groups + first;
                    scales = _mm512_maskz_loadu_ps(mask, activations.scales.as_ptr().add(at));
                }
                let correction = if F::MINIMA {
                    _mm512_castps_si512(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), scales))
                } else {
                    _mm512_mullo_epi32(sums, _mm512_set1_epi32(-F::OFFSET))
                };
                let to = corrections.add(vector * parts + first);
                _mm512_mask_storeu_epi32(to, mask, correction);
            }
        }
    }
}

/// The product with 16 rows, into `work.totals`; the `ahead` bytes behind them are fetched.
///
/// # Safety
/// As for [`product`], which has configured the tiles.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vnni,avx512bf16")]
unsafe fn panel<F: Format>(
    weights: *const u8,
    stride: usize,
    ahead: usize,
    activations: &Activations<'_>,
    corrections: *const i32,
    work: *mut Work,
) {
    let groups = activations.columns / GROUP;
    let next = weights.wrapping_add(TILE * stride);
    let mut fetched = 0;
    // SAFETY: as promised.
    unsafe {
        for vector in 0..activations.rows {
            _mm512_store_ps((&raw mut (*work).totals[vector]).cast(), _mm512_setzero_ps());
        }
        for first in (0..groups).step_by(CHUNK) {
            let count = CHUNK.min(groups - first);
            let blocks = count * GROUP / F::WEIGHTS;
            let block = weights.add(first * GROUP / F::WEIGHTS * F::BYTES);
            let until = ahead.min(fetched + blocks * F::BYTES * TILE);
            while fetched < until {
                _mm_prefetch::<_MM_HINT_T0>(next.wrapping_add(fetched).cast());
                fetched += 64;
            }
            for index in 0..blocks {
                let out = (&raw mut (*work).groups).cast::<Group>().add(index * F::WEIGHTS / GROUP);
                F::unpack(block.add(index * F::BYTES), stride, out);
            }
            if activations.rows <= most_in_lanes::<F>() {
                add_up::<F, false>(activations, corrections, first, count, work);
            } else {
                multiply::<F>(activations, first, count, work);
                add_up::<F, true>(activations, corrections, first, count, work);
            }
        }
    }
}

/// Most vectors whose sums of products are faster to take in vector registers than in tiles; the
/// sums are the same.
const fn most_in_lanes<F: Format>() -> usize {
    if F::HALVES { 12 } else { 5 }
}

/// The sums of products of the groups from `first` on.
///
/// # Safety
/// As for [`panel`]; `work` has the groups unpacked.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn multiply<F: Format>(
    activations: &Activations<'_>,
    first: usize,
    count: usize,
    work: *mut Work,
) {
    let vectors = activations.rows;
    let halves = if F::HALVES { 2 } else { 1 };
    // SAFETY: the tiles have the shapes of `product`: a row of 32 or 16 bytes per vector, 8 or 4
    // rows of 64 bytes of weights; all of them are within the activations and the work.
    unsafe {
        let mut dots: *mut i32 = (&raw mut (*work).dots).cast();
        let mut bytes = activations.int8.as_ptr().add(first * GROUP);
        for group in 0..count {
            let quants: *const u8 = (&raw const (*work).groups[group].quants).cast();
            for half in 0..halves {
                // Two sets of tiles in turn, so that one loads while the other multiplies.
                macro_rules! multiply {
                    ($dots:tt, $bytes:tt, $quants:tt) => {
                        asm!(
                            concat!("tileloadd ", $bytes, ", [{bytes} + {columns}]"),
                            concat!("tileloadd ", $quants, ", [{quants} + {line}]"),
                            concat!("tilezero ", $dots),
                            concat!("tdpbsud ", $dots, ", ", $bytes, ", ", $quants),
                            concat!("tilestored [{dots} + {line}], ", $dots),
                            bytes = in(reg) bytes,
                            columns = in(reg) activations.columns,
                            quants = in(reg) quants.add(half * 256),
                            line = in(reg) 64_usize,
                            dots = in(reg) dots,
                            options(nostack),
                            out($dots) _, out($bytes) _, out($quants) _,
                        )
                    };
                }
                if (group * halves + half) % 2 == 0 {
                    multiply!("tmm0", "tmm2", "tmm4");
                } else {
                    multiply!("tmm1", "tmm3", "tmm5");
                }
                dots = dots.add(vectors * TILE);
                bytes = bytes.add(GROUP / halves);
            }
        }
    }
}

/// Adds the sums of products in their true size to the totals.
///
/// # Safety
/// As for [`panel`]; `work` has the groups and, with `TILES`, their sums of products.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn add_up<F: Format, const TILES: bool>(
    activations: &Activations<'_>,
    corrections: *const i32,
    first: usize,
    count: usize,
    work: *mut Work,
) {
    let mut vector = 0;
    // SAFETY: as promised; the vectors are there.
    unsafe {
        while vector + 4 <= activations.rows {
            add_vectors::<F, TILES, 4>(activations, corrections, first, count, work, vector);
            vector += 4;
        }
        match activations.rows - vector {
            3 => add_vectors::<F, TILES, 3>(activations, corrections, first, count, work, vector),
            2 => add_vectors::<F, TILES, 2>(activations, corrections, first, count, work, vector),
            1 => add_vectors::<F, TILES, 1>(activations, corrections, first, count, work, vector),
            _ => {}
        }
    }
}

/// [`add_up`] for `VECTORS` vectors.
///
/// # Safety
/// As for [`add_up`]; the vectors from `vector` on are there.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn add_vectors<F: Format, const TILES: bool, const VECTORS: usize>(
    activations: &Activations<'_>,
    corrections: *const i32,
    first: usize,
    count: usize,
    work: *mut Work,
    vector: usize,
) {
    let groups = activations.columns / GROUP;
    let halves = if F::HALVES { 2 } else { 1 };
    // SAFETY: as promised; all indices are below the lengths that `product` provides for.
    unsafe {
        let totals: *mut f32 = (&raw mut (*work).totals[vector]).cast();
        let mut sums: [__m512; VECTORS] =
            std::array::from_fn(|index| _mm512_load_ps(totals.add(index * TILE)));
        for group in 0..count {
            let from = &raw const (*work).groups[group];
            for half in 0..halves {
                let scale = _mm512_load_ps((&raw const (*from).scales[half]).cast());
                let dots: [__m512i; VECTORS] = if TILES {
                    let part = (group * halves + half) * activations.rows + vector;
                    let dots: *const __m512i = (&raw const (*work).dots[part]).cast();
                    std::array::from_fn(|index| _mm512_load_si512(dots.add(index)))
                } else {
                    let quants = (&raw const (*from).quants[half * 4]).cast();
                    let at = vector * activations.columns + (first + group) * GROUP;
                    let bytes = activations.int8.as_ptr().add(at + half * GROUP / 2).cast();
                    dots::<F, VECTORS>(quants, bytes, activations.columns / 4)
                };
                for index in 0..VECTORS {
                    let at = (vector + index) * groups + first + group;
                    let correction = _mm512_set1_epi32(*corrections.add(at * halves + half));
                    let mut dots = dots[index];
                    if F::MINIMA {
                        let minimum = _mm512_load_ps((&raw const (*from).minima[half]).cast());
                        let correction = _mm512_castsi512_ps(correction);
                        sums[index] = _mm512_fmadd_ps(minimum, correction, sums[index]);
                    } else {
                        dots = _mm512_add_epi32(dots, correction);
                    }
                    let scale =
                        _mm512_mul_ps(scale, _mm512_set1_ps(*activations.scales.as_ptr().add(at)));
                    sums[index] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots), scale, sums[index]);
                }
            }
        }
        for (index, sum) in sums.into_iter().enumerate() {
            _mm512_store_ps(totals.add(index * TILE), sum);
        }
    }
}

/// The sums of products of a part that shares a scale, in each of 16 rows, with `VECTORS` vectors
/// that lie `stride` 32-bit words apart.
///
/// # Safety
/// The quants and the activations of the part are there.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn dots<F: Format, const VECTORS: usize>(
    quants: *const __m512i,
    activations: *const i32,
    stride: usize,
) -> [__m512i; VECTORS] {
    // Two sums each: one alone would wait for itself.
    let mut sums = [[_mm512_setzero_si512(); 2]; VECTORS];
    for index in 0..if F::HALVES { 4 } else { 8 } {
        // SAFETY: as promised.
        let quants = unsafe { _mm512_load_si512(quants.add(index)) };
        for (vector, sums) in sums.iter_mut().enumerate() {
            // SAFETY: as promised.
            let four = unsafe { activations.add(vector * stride + index).read_unaligned() };
            let sum = &mut sums[if VECTORS < 4 { index % 2 } else { 0 }];
            *sum = _mm512_dpbusd_epi32(*sum, quants, _mm512_set1_epi32(four));
        }
    }
    sums.map(|sums| if VECTORS < 4 { _mm512_add_epi32(sums[0], sums[1]) } else { sums[0] })
}
