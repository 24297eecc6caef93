//! Products with many vectors: weights are unpacked once into panels that stay in the cache.
//!
//! A panel has 16 rows and up to [`CHUNK`] columns of int8 numbers in the order that the level's
//! instructions take them in, four rows at a time. Sums over more columns go on where the last
//! panel's ended, so that how columns are split changes no result.

#![expect(unsafe_code, reason = "vector instructions, and numbers read through pointers")]

use std::arch::aarch64::*;

use super::each::{Each, indices};
use super::format::{Format, Shape};
use super::level::Level;
use super::rows::{quad, read, write};
use crate::activations::GROUP;
use crate::kernels::{Scratch, TILE, Task};

/// Columns of a panel: 16 KiB of numbers leave room in a cache of 32 for what they meet.
const CHUNK: usize = 1024;
/// Groups of a panel.
const GROUPS: usize = CHUNK / GROUP;
/// Vectors of a tile.
const WIDTH: usize = 4;
/// Quads of rows of a panel.
const QUADS: usize = TILE / 4;

/// A panel: the memory that its parts start at, each of the size for `GROUPS` groups.
#[derive(Clone, Copy)]
struct Panel {
    /// `[QUADS, groups, 2, 64]`, as [`Level::arrange`] leaves them.
    integers: *mut i8,
    /// `[QUADS, groups, parts, 4]`.
    scales: *mut f32,
    /// As `scales`.
    minima: *mut f32,
}

const QUAD_INTEGERS: usize = 4 * CHUNK;
const QUAD_SCALES: usize = GROUPS * 2 * 4;

/// What a tile of vectors is multiplied with besides its integers, for a chunk of columns.
#[derive(Clone, Copy)]
struct Factors {
    /// `[tiles, groups, 4]`: the scales of its vectors.
    scales: *mut f32,
    /// `[tiles, groups, parts, 4]`: their scales times the sums of their integers.
    sums: *mut f32,
}

const TILE_SCALES: usize = GROUPS * WIDTH;
const TILE_SUMS: usize = GROUPS * 2 * WIDTH;

/// Computes a task.
///
/// # Safety
/// As [`super::super::Product`] says.
pub(super) unsafe fn product<L: Level, F: Format>(task: &Task<'_>, scratch: &mut Scratch) {
    let columns = task.activations.columns;
    let tiles = task.activations.rows.div_ceil(WIDTH);
    // SAFETY: the pointers stay within what is asked for here, and in the rows and vectors of the
    // task, which are there by the caller's word, as the level's instructions are.
    unsafe {
        let (panel, factors) = carve(scratch, tiles);
        for start in (0..columns).step_by(CHUNK) {
            let groups = (columns - start).min(CHUNK) / GROUP;
            if task.rows > 0 {
                prepare::<F::Shape>(task, start, groups, factors);
            }
            for first in (0..task.rows).step_by(TILE) {
                unpack::<L, F>(task, first, start, groups, panel);
                for tile in 0..tiles {
                    let left = task.activations.rows - tile * WIDTH;
                    let chunk = Chunk { task, panel, factors, first, start, groups, tile };
                    if left > 2 {
                        chunk.rows::<L, F::Shape, 4>();
                    } else {
                        chunk.rows::<L, F::Shape, 2>();
                    }
                }
            }
        }
    }
}

/// Memory for a panel and for the factors of `tiles` tiles.
#[expect(clippy::cast_ptr_alignment, reason = "the parts start at multiples of 64 bytes")]
fn carve(scratch: &mut Scratch, tiles: usize) -> (Panel, Factors) {
    let numbers = QUADS * QUAD_SCALES;
    let panel = QUADS * QUAD_INTEGERS + 2 * numbers * size_of::<f32>();
    let bytes = panel + tiles * (TILE_SCALES + TILE_SUMS) * size_of::<f32>();
    let start = scratch.bytes(bytes);
    let scales = start.wrapping_add(QUADS * QUAD_INTEGERS).cast::<f32>();
    let vectors = start.wrapping_add(panel).cast::<f32>();
    (
        Panel { integers: start.cast(), scales, minima: scales.wrapping_add(numbers) },
        Factors { scales: vectors, sums: vectors.wrapping_add(tiles * TILE_SCALES) },
    )
}

/// Fills the factors for `groups` groups from column `start` on.
///
/// # Safety
/// The activations have these columns; the factors have the room.
#[inline(always)]
unsafe fn prepare<S: Shape>(task: &Task<'_>, start: usize, groups: usize, factors: Factors) {
    let activations = &task.activations;
    let columns = activations.columns;
    for index in 0..activations.rows {
        let (tile, lane) = (index / WIDTH, index % WIDTH);
        // SAFETY: vector, group and tile are among those that there are.
        unsafe {
            let from = activations.scales.as_ptr().add((index * columns + start) / GROUP);
            let sums = activations.sums.as_ptr().add((index * columns + start) / (GROUP / 2));
            let scales = factors.scales.add(tile * TILE_SCALES + lane);
            let products = factors.sums.add(tile * TILE_SUMS + lane);
            for group in 0..groups {
                let scale = *from.add(group);
                scales.add(group * WIDTH).write(scale);
                if !S::MINIMA {
                    continue;
                }
                let [first, second] = [0, 1].each(|half| i32::from(*sums.add(group * 2 + half)));
                let product = products.add(group * S::PARTS * WIDTH);
                if S::PARTS == 1 {
                    product.write(scale * (first + second) as f32);
                } else {
                    product.write(scale * first as f32);
                    product.add(WIDTH).write(scale * second as f32);
                }
            }
        }
    }
}

/// Fills the panel with the rows from `first` on and `groups` groups from column `start` on.
/// Quads past the last row are left as they are.
///
/// # Safety
/// The task has such rows and columns; the processor is of the level.
#[inline(always)]
unsafe fn unpack<L: Level, F: Format>(
    task: &Task<'_>,
    first: usize,
    start: usize,
    groups: usize,
    panel: Panel,
) {
    let parts = F::Shape::PARTS;
    let row_bytes = task.activations.columns / (GROUP * F::GROUPS) * F::BYTES;
    let before = start / (GROUP * F::GROUPS) * F::BYTES;
    let quads = (task.rows - first).div_ceil(4).min(QUADS);
    for index in 0..quads {
        // SAFETY: row, block and group are among those that there are, and of the panel, as a
        // chunk is a whole number of blocks.
        unsafe {
            let rows = quad(task.weights, task.rows, first + index * 4, row_bytes);
            let integers = panel.integers.add(index * QUAD_INTEGERS);
            let scales_at = panel.scales.add(index * QUAD_SCALES);
            let minima_at = panel.minima.add(index * QUAD_SCALES);
            for block in 0..groups / F::GROUPS {
                let blocks = rows.each(|row| row.add(before + block * F::BYTES));
                let (scales, minima) = F::scales(blocks);
                for (part, scale) in scales.as_ref().iter().enumerate() {
                    let at = (block * F::GROUPS * parts + part) * 4;
                    vst1q_f32(scales_at.add(at), *scale);
                    if F::Shape::MINIMA {
                        vst1q_f32(minima_at.add(at), minima.as_ref()[part]);
                    }
                }
                for group in 0..F::GROUPS {
                    let weights = blocks.each(|block| F::integers(block, group));
                    let to = integers.add((block * F::GROUPS + group) * 4 * GROUP);
                    for half in 0..2 {
                        let arranged = L::arrange(weights.each(|row| row[half]));
                        for (vector, numbers) in arranged.into_iter().enumerate() {
                            vst1q_s8(to.add(half * 64 + vector * 16), numbers);
                        }
                    }
                }
            }
        }
    }
}

/// A panel and the tile of vectors it is multiplied with.
struct Chunk<'a> {
    task: &'a Task<'a>,
    panel: Panel,
    factors: Factors,
    /// First row of the panel.
    first: usize,
    /// First column of the panel.
    start: usize,
    groups: usize,
    tile: usize,
}

impl Chunk<'_> {
    /// All rows of the panel with the first `VECTORS` vectors of the tile.
    ///
    /// # Safety
    /// Panel and factors are filled, for a task as [`super::super::Product`] says; so were the
    /// results up to column `start`; the processor is of the level.
    unsafe fn rows<L: Level, S: Shape, const VECTORS: usize>(&self) {
        let quads = (self.task.rows - self.first).div_ceil(4).min(QUADS);
        for quad in (0..quads).step_by(L::QUADS) {
            // SAFETY: by the caller's word; an odd quad's neighbour is in the panel too.
            unsafe {
                if L::QUADS == 2 {
                    self.quads::<L, S, 2, VECTORS>(quad);
                } else {
                    self.quads::<L, S, 1, VECTORS>(quad);
                }
            }
        }
    }

    /// As [`Self::rows`], only the `QUADS` quads from `quad` on.
    #[inline(always)]
    unsafe fn quads<L: Level, S: Shape, const QUADS: usize, const VECTORS: usize>(
        &self,
        quad: usize,
    ) {
        let (task, tile) = (self.task, self.tile);
        let row = |index: usize| self.first + (quad + index) * 4;
        let vector = |index: usize| tile * WIDTH + index;
        // SAFETY: pointers stay in the parts that the caller vouches for.
        unsafe {
            let mut totals = [[vdupq_n_f32(0.0); VECTORS]; QUADS];
            if self.start > 0 {
                for (quad, totals) in totals.iter_mut().enumerate() {
                    for (index, total) in totals.iter_mut().enumerate() {
                        *total = read(task, row(quad), vector(index));
                    }
                }
            }
            let activations = &task.activations;
            // Past the last vector it is the last one again; what comes of it is dropped.
            let vectors = indices::<VECTORS>().each(|index| {
                let index = vector(index).min(activations.rows - 1);
                activations.int8.as_ptr().add(index * activations.columns + self.start)
            });
            let factors = Factors {
                scales: self.factors.scales.add(tile * TILE_SCALES),
                sums: self.factors.sums.add(tile * TILE_SUMS),
            };
            let panel = Panel {
                integers: self.panel.integers.add(quad * QUAD_INTEGERS),
                scales: self.panel.scales.add(quad * QUAD_SCALES),
                minima: self.panel.minima.add(quad * QUAD_SCALES),
            };
            let totals =
                multiply::<L, S, QUADS, VECTORS>(self.groups, panel, vectors, factors, totals);
            for (quad, totals) in totals.into_iter().enumerate() {
                for (index, total) in totals.into_iter().enumerate() {
                    write(task, row(quad), vector(index), total);
                }
            }
        }
    }
}

/// `totals` and the products of `groups` groups of `QUADS` quads of rows with `VECTORS` vectors.
///
/// # Safety
/// All pointers point to as many; the processor is of the level.
#[inline(always)]
unsafe fn multiply<L: Level, S: Shape, const QUADS: usize, const VECTORS: usize>(
    groups: usize,
    panel: Panel,
    vectors: [*const i8; VECTORS],
    factors: Factors,
    mut totals: [[float32x4_t; VECTORS]; QUADS],
) -> [[float32x4_t; VECTORS]; QUADS] {
    // SAFETY: by the caller's word.
    unsafe {
        for group in 0..groups {
            let activation_scales = vld1q_f32(factors.scales.add(group * 4));
            let mut sums = [L::none::<VECTORS>(); QUADS];
            for half in 0..2 {
                let at = group * GROUP + half * 16;
                let activations = L::pair(vectors.each(|vector| vld1q_s8(vector.add(at))));
                for (quad, sums) in sums.iter_mut().enumerate() {
                    let weights = panel.integers.add(quad * QUAD_INTEGERS + at * 4);
                    let weights = [0, 16, 32, 48].each(|of| vld1q_s8(weights.add(of)));
                    L::add(sums, weights, activations);
                }
                // A scale for each half, or one when both are there.
                if S::PARTS == 1 && half == 0 {
                    continue;
                }
                let part = if S::PARTS == 1 { group } else { group * 2 + half };
                for (quad, (sums, totals)) in sums.iter_mut().zip(&mut totals).enumerate() {
                    let at = quad * QUAD_SCALES + part * 4;
                    let scales = vld1q_f32(panel.scales.add(at));
                    let dots = L::finish(*sums);
                    for (index, (total, dots)) in totals.iter_mut().zip(dots).enumerate() {
                        let scales = vmulq_f32(scales, lane(activation_scales, index));
                        *total = vfmaq_f32(*total, vcvtq_f32_s32(dots), scales);
                    }
                    if S::MINIMA {
                        let minima = vld1q_f32(panel.minima.add(at));
                        let products = vld1q_f32(factors.sums.add(part * 4));
                        for (index, total) in totals.iter_mut().enumerate() {
                            *total = vfmaq_f32(*total, minima, lane(products, index));
                        }
                    }
                    *sums = L::none();
                }
            }
        }
        totals
    }
}

/// Number `index` of four, everywhere. The index is known once loops are unrolled, and the
/// instruction then part of the one that takes the result.
#[inline(always)]
unsafe fn lane(numbers: float32x4_t, index: usize) -> float32x4_t {
    // SAFETY: every 64-bit Arm has these instructions.
    unsafe {
        match index {
            0 => vdupq_laneq_f32::<0>(numbers),
            1 => vdupq_laneq_f32::<1>(numbers),
            2 => vdupq_laneq_f32::<2>(numbers),
            _ => vdupq_laneq_f32::<3>(numbers),
        }
    }
}
