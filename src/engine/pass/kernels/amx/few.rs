//! Up to 16 vectors: the weights are unpacked to bytes and multiplied in integers, so that reading
//! them is what takes the time.
//!
//! The activations are the first operand of a tile product (a row per vector), the weights the
//! second (a column per row of the matrix); for very few vectors, vector registers are faster. A
//! sum of 32 products of a quant, at most 255, and an activation, at most 127, is below 2²⁰, with
//! the offset taken off below 2²¹: exact in 32 bits, and in an f32. So both ways give the same sums,
//! and what a vector gives does not depend on the others: a batch repeats bit for bit what single
//! vectors give.

mod sums;

use std::arch::asm;
use std::arch::x86_64::{
    _mm256_maskz_loadu_epi16, _mm512_castps_si512, _mm512_cvtepi16_epi32, _mm512_cvtepi32_ps,
    _mm512_load_ps, _mm512_madd_epi16, _mm512_mask_storeu_epi8, _mm512_mask_storeu_epi32,
    _mm512_mask_storeu_ps, _mm512_maskz_loadu_epi8, _mm512_maskz_loadu_epi16,
    _mm512_maskz_loadu_ps, _mm512_mul_ps, _mm512_mullo_epi32, _mm512_permutexvar_ps,
    _mm512_set1_epi16, _mm512_set1_epi32, _mm512_setr_epi32, _mm512_setzero_ps, _mm512_store_ps,
};

use super::panel::{Ahead, Format, Group, QUANTS, SCALES};
use super::tile::Shapes;
use crate::activations::{Activations, GROUP};
use crate::kernels::{Scratch, TILE, Task};
use sums::{add_up, alone};

/// Most vectors that this takes.
pub(super) const MOST: usize = 16;

/// Groups that are unpacked at a time.
const CHUNK: usize = 8;

/// What is kept between the steps of a chunk of groups; what is in use of it stays in the nearest
/// cache.
#[repr(C, align(64))]
struct Work {
    quants: [u8; CHUNK * QUANTS],
    scales: [f32; CHUNK * SCALES],
    /// Sums of products: `[part, vector, row]`.
    dots: [[i32; TILE]; CHUNK * 2 * MOST],
    /// The results so far: `[vector, row]`.
    totals: [[f32; TILE]; MOST],
}

/// Computes a task of at most [`MOST`] vectors in the int8 form.
///
/// # Safety
/// As for a [`Product`](crate::kernels::Product) of the AMX table.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vnni,avx512bf16")]
pub(super) unsafe fn product<F: Format>(task: &Task<'_>, scratch: &mut Scratch) {
    let activations = &task.activations;
    let (vectors, columns) = (activations.rows, activations.columns);
    if vectors == 0 || columns == 0 {
        return;
    }
    let stride = columns / F::WEIGHTS * F::BYTES;
    let parts = columns / width::<F>();
    let corrections_at = size_of::<Work>();
    let pairs_at = (corrections_at + vectors * parts * 4).next_multiple_of(64);
    let pairs_bytes =
        if in_pairs::<F>(vectors) { vectors * columns.next_multiple_of(64) * 2 } else { 0 };
    let last_at = pairs_at + pairs_bytes;
    let memory = scratch.bytes(last_at + TILE * stride);
    // SAFETY: the scratch has room for the work, the corrections, the pairs and 16 rows in this
    // order; the shapes are within the limits; the rest as promised.
    unsafe {
        let work: *mut Work = memory.cast();
        let corrections: *mut i32 = memory.add(corrections_at).cast();
        correct::<F>(activations, corrections);
        let mut tiles = Tiles {
            bytes: activations.int8.as_ptr(),
            row: columns,
            next: width::<F>(),
            together: 1,
        };
        if in_pairs::<F>(vectors) {
            let pairs = memory.add(pairs_at).cast();
            pair_up::<F>(activations, pairs);
            tiles = Tiles {
                bytes: pairs,
                row: 2 * width::<F>(),
                next: 4 * vectors * width::<F>(),
                together: 2,
            };
        }
        if vectors > most_in_lanes::<F>() {
            let left = (vectors * tiles.together, tiles.together * width::<F>());
            let right = (left.1 / 4, 64);
            let sums = (left.0, 64);
            Shapes::new([sums, sums, left, left, right, right, (1, 64), (1, 64)]).configure();
        }
        let given = Given { activations, corrections, tiles };
        for first in (0..task.rows).step_by(TILE) {
            let rows = TILE.min(task.rows - first);
            let weights = task.weights.as_ptr().add(first * stride);
            let out = task.out.add(first);
            if rows == TILE {
                // The next panel: behind the last one are most likely the rows of the next task.
                panel::<F>(weights, stride, weights.wrapping_add(TILE * stride), &given, work);
            } else {
                let last = memory.add(last_at);
                weights.copy_to_nonoverlapping(last, rows * stride);
                last.add(rows * stride).write_bytes(0, (TILE - rows) * stride);
                panel::<F>(last, stride, last, &given, work);
            }
            let mask = ((1_u32 << rows) - 1) as u16;
            for vector in 0..vectors {
                let totals = _mm512_load_ps((*work).totals[vector].as_ptr());
                _mm512_mask_storeu_ps(out.add(vector * task.stride), mask, totals);
            }
        }
    }
}

/// The activations as the steps take them.
struct Given<'a> {
    activations: &'a Activations<'a>,
    /// See [`correct`].
    corrections: *const i32,
    tiles: Tiles,
}

/// First operands of tile products.
struct Tiles {
    bytes: *const i8,
    /// Bytes between rows of a tile.
    row: usize,
    /// Bytes between tiles.
    next: usize,
    /// Parts in one tile.
    together: usize,
}

/// Weights that share a scale.
const fn width<F: Format>() -> usize {
    if F::HALVES { GROUP / 2 } else { GROUP }
}

/// Most vectors whose sums of products are faster to take in vector registers than in tiles; the
/// sums are the same.
const fn most_in_lanes<F: Format>() -> usize {
    if F::HALVES { 12 } else { 4 }
}

/// Whether a tile product takes two parts at once: a product of fewer rows than 16 costs as much.
const fn in_pairs<F: Format>(vectors: usize) -> bool {
    vectors > most_in_lanes::<F>() && vectors <= MOST / 2
}

/// Two parts as one first operand: a row per vector with the first and zeros for the second, then
/// a row per vector the other way round, so that their sums stay apart.
///
/// # Safety
/// The int8 form is there; `pairs` has room for two rows of two parts per vector and two parts.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn pair_up<F: Format>(activations: &Activations<'_>, mut pairs: *mut i8) {
    let (vectors, width) = (activations.rows, width::<F>());
    let parts = activations.columns / width;
    let one = (1_u64 << width) - 1;
    for part in 0..parts.next_multiple_of(2) {
        let side = part % 2;
        for vector in 0..vectors {
            // SAFETY: the mask keeps to the part, or to nothing behind the last one; rows are
            // written one after the other, none past the room.
            unsafe {
                let mask = if part < parts { one << (side * width) } else { 0 };
                let at = vector * activations.columns + part / 2 * 2 * width;
                let from = activations.int8.as_ptr().wrapping_add(at);
                let row = _mm512_maskz_loadu_epi8(mask, from);
                _mm512_mask_storeu_epi8(
                    pairs,
                    if F::HALVES { u64::MAX >> 32 } else { u64::MAX },
                    row,
                );
                pairs = pairs.add(2 * width);
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

/// The product with 16 rows, into `work.totals`; meanwhile as much from `ahead` on is fetched.
///
/// # Safety
/// As for [`product`], which has configured the tiles.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vnni,avx512bf16")]
unsafe fn panel<F: Format>(
    weights: *const u8,
    stride: usize,
    ahead: *const u8,
    given: &Given<'_>,
    work: *mut Work,
) {
    let vectors = given.activations.rows;
    let groups = given.activations.columns / GROUP;
    // SAFETY: as promised.
    unsafe {
        for vector in 0..vectors {
            _mm512_store_ps((&raw mut (*work).totals[vector]).cast(), _mm512_setzero_ps());
        }
        let totals = &raw mut (*work).totals;
        let dots = (&raw mut (*work).dots).cast::<i32>();
        let quants = (&raw mut (*work).quants).cast();
        let scales = (&raw mut (*work).scales).cast();
        let ahead = Ahead { rows: ahead, stride };
        let unpacked = Group { quants, scales, index: 0, ahead };
        if vectors == 1 && F::WEIGHTS == GROUP && !F::HALVES {
            return alone::<F>(weights, stride, given, ahead, totals.cast());
        }
        for first in (0..groups).step_by(CHUNK) {
            let count = CHUNK.min(groups - first);
            let blocks = count * GROUP / F::WEIGHTS;
            let block = weights.add(first * GROUP / F::WEIGHTS * F::BYTES);
            for index in 0..blocks {
                let mut out = unpacked.add(index * F::WEIGHTS / GROUP);
                out.index += first;
                F::unpack(block.add(index * F::BYTES), stride, out);
            }
            if vectors <= most_in_lanes::<F>() {
                add_up::<F, false>(given, first, count, unpacked, dots, totals);
            } else {
                multiply::<F>(given, first, count, unpacked, dots);
                add_up::<F, true>(given, first, count, unpacked, dots, totals);
            }
        }
    }
}

/// The sums of products of the groups from `first` on.
///
/// # Safety
/// As for [`panel`]; the groups are unpacked.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn multiply<F: Format>(
    given: &Given<'_>,
    first: usize,
    count: usize,
    unpacked: Group,
    mut dots: *mut i32,
) {
    let Given { tiles, activations, .. } = given;
    let parts = count * (GROUP / width::<F>());
    let mut quants = unpacked.quants;
    // SAFETY: the tiles have the shapes of `product`; all of them are within the activations or
    // the pairs, the groups and the sums.
    unsafe {
        let mut bytes = tiles.bytes.add(first * GROUP / width::<F>() / tiles.together * tiles.next);
        for index in 0..parts.div_ceil(tiles.together) {
            // Two sets of tiles in turn, so that one loads while the other multiplies.
            macro_rules! multiply {
                ($dots:tt, $bytes:tt, $quants:tt) => {
                    asm!(
                        concat!("tileloadd ", $bytes, ", [{bytes} + {row}]"),
                        concat!("tileloadd ", $quants, ", [{quants} + {line}]"),
                        concat!("tilezero ", $dots),
                        concat!("tdpbsud ", $dots, ", ", $bytes, ", ", $quants),
                        concat!("tilestored [{dots} + {line}], ", $dots),
                        bytes = in(reg) bytes,
                        row = in(reg) tiles.row,
                        quants = in(reg) quants,
                        line = in(reg) 64_usize,
                        dots = in(reg) dots,
                        options(nostack),
                        out($dots) _, out($bytes) _, out($quants) _,
                    )
                };
            }
            if index % 2 == 0 {
                multiply!("tmm0", "tmm2", "tmm4");
            } else {
                multiply!("tmm1", "tmm3", "tmm5");
            }
            dots = dots.add(tiles.together * activations.rows * TILE);
            quants = quants.add(tiles.together * width::<F>() * TILE);
            bytes = bytes.add(tiles.next);
        }
    }
}
