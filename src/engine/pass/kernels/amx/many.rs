//! Many vectors: the weights are expanded to bf16 once and multiplied with all vectors.
//!
//! 32 rows of the matrix are expanded at a time, as many columns of them as fit the nearest cache.
//! The results gather in tiles, two by two, and between the stretches of columns in memory of their
//! own, tile after tile: in `out` every row of a tile would be on a page of its own.

mod expand;

use std::arch::asm;
use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch, _mm512_load_ps, _mm512_mask_storeu_ps};

use super::tile::Shapes;
use crate::activations::GROUP;
use crate::kernels::{Scratch, TILE, Task};
pub(super) use expand::Bf16;
use expand::Expand;

/// Groups of columns that are expanded at a time: 2 · 16 rows of them are 32 KiB.
const STRETCH: usize = 16;

/// Bytes of a tile: 16 rows of 64.
const TILE_BYTES: usize = 1024;

/// Rows of the matrix, over 16, that go through a stretch of columns together: the activations of
/// the stretch come to the second cache once for all of them.
const PANELS: usize = 16;

/// Vectors that are taken at a time, over 16: so the results of them and of [`PANELS`] take 512 KiB.
const BLOCKS: usize = 32;

/// Computes a task in the bf16 form.
///
/// # Safety
/// As for a [`Product`](crate::kernels::Product) of the AMX table.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512bf16")]
pub(super) unsafe fn product<E: Expand>(task: &Task<'_>, scratch: &mut Scratch) {
    let (vectors, columns) = (task.activations.rows, task.activations.columns);
    if vectors == 0 || columns == 0 {
        return;
    }
    let stride = columns / E::BLOCK.0 * E::BLOCK.1;
    let results_at = STRETCH * 2 * TILE_BYTES;
    let blocks = BLOCKS.min(vectors.div_ceil(TILE));
    let last_at = results_at + blocks * PANELS.min(task.rows.div_ceil(TILE)) * TILE_BYTES;
    let memory = scratch.bytes(last_at + TILE * stride);
    // SAFETY: the scratch has room for the tiles, the results and 16 rows in this order; the rest
    // as promised.
    unsafe {
        // A panel that is not whole is copied: what is read of it must be there.
        let (whole, last) = (task.rows / TILE * TILE, memory.add(last_at));
        if whole < task.rows {
            let bytes = (task.rows - whole) * stride;
            task.weights.as_ptr().add(whole * stride).copy_to_nonoverlapping(last, bytes);
            last.add(bytes).write_bytes(0, TILE * stride - bytes);
        }
        for vector in (0..vectors).step_by(BLOCKS * TILE) {
            for row in (0..task.rows).step_by(PANELS * TILE) {
                let rows = (PANELS * TILE).min(task.rows - row);
                let out = task.out.add(vector * task.stride + row);
                let band = Band {
                    activations: task.activations.bf16.as_ptr().add(vector * columns).cast(),
                    vectors: (vectors - vector).min(BLOCKS * TILE),
                    groups: columns / GROUP,
                    panels: rows.div_ceil(TILE),
                    stride,
                    tiles: memory,
                    results: memory.add(results_at),
                    out: Place {
                        at: out.cast(),
                        vector: task.stride * 4,
                        block: TILE * task.stride * 4,
                        panel: TILE * 4,
                    },
                    // A panel goes the way of the one beside it.
                    direct: if rows.is_multiple_of(TILE) {
                        rows / TILE
                    } else {
                        rows / (2 * TILE) * 2
                    },
                };
                let panel = |panel: usize| {
                    let row = row + panel * TILE;
                    if row < whole { task.weights.as_ptr().add(row * stride) } else { last }
                };
                band.multiply::<E>(panel);
                band.store(rows, out, task.stride);
            }
        }
    }
}

/// Rows and vectors whose results are gathered together.
struct Band {
    /// Of the first vector.
    activations: *const u8,
    /// At most `16 · BLOCKS`.
    vectors: usize,
    /// Columns over 32.
    groups: usize,
    /// Panels of 16 rows.
    panels: usize,
    /// Bytes of a row of the matrix.
    stride: usize,
    /// Room for [`STRETCH`] tiles of two panels.
    tiles: *mut u8,
    /// Room for a tile per panel and block of 16 vectors: `[panel, block]`.
    results: *mut u8,
    /// Where the results go in the end: straight from the tiles for the `direct` first panels.
    out: Place,
    direct: usize,
}

impl Band {
    /// Fills `results`; panel `i` of 16 rows is at `panel(i)`.
    ///
    /// # Safety
    /// As for [`product`]; the fields are as they say.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512bf16")]
    unsafe fn multiply<E: Expand>(&self, panel: impl Fn(usize) -> *const u8) {
        let per_block = E::BLOCK.0 / GROUP;
        for first in (0..self.groups).step_by(STRETCH) {
            let count = STRETCH.min(self.groups - first);
            for left in (0..self.panels).step_by(2) {
                let pair = 2.min(self.panels - left);
                // SAFETY: as promised; a stretch is a whole number of blocks.
                unsafe {
                    for side in 0..pair {
                        let weights = panel(left + side).add(first / per_block * E::BLOCK.1);
                        let tiles = self.tiles.add(side * STRETCH * TILE_BYTES);
                        for block in 0..count / per_block {
                            let out = tiles.add(block * per_block * TILE_BYTES);
                            E::expand(weights.add(block * E::BLOCK.1), self.stride, out);
                        }
                    }
                    if pair == 2 {
                        self.stretch::<true>(left, first, count);
                    } else {
                        self.stretch::<false>(left, first, count);
                    }
                }
            }
        }
    }

    /// Adds what `count` groups of columns from `first` on give, of one panel or two.
    ///
    /// # Safety
    /// As for [`Self::multiply`]; the tiles of the panels are there.
    #[target_feature(enable = "avx512f")]
    unsafe fn stretch<const PAIR: bool>(&self, panel: usize, first: usize, count: usize) {
        let blocks = self.vectors.div_ceil(TILE);
        let shape = |rows: usize| {
            let (full, rows) = ((TILE, 64), (rows, 64));
            Shapes::new([full, full, rows, rows, full, rows, full, full])
        };
        let results = Place {
            at: self.results,
            vector: TILE_BYTES / TILE,
            block: TILE_BYTES,
            panel: blocks * TILE_BYTES,
        };
        let direct = first + count == self.groups && panel + usize::from(PAIR) < self.direct;
        let to = if direct { self.out } else { results };
        // The pairs of panels share out the fetching of the next stretch of the vectors.
        let next = if first + STRETCH < self.groups { first + STRETCH } else { 0 };
        let lines = (TILE_BYTES / 64).div_ceil(self.panels.div_ceil(2));
        let share = next * TILE_BYTES + panel / 2 * STRETCH * lines * 64;
        // SAFETY: as promised.
        unsafe {
            shape(TILE).configure();
            for block in (0..blocks).step_by(2) {
                let two = block + 1 < blocks;
                // Only the last block may have fewer vectors; it is the second of a pair or alone.
                let rows = TILE.min(self.vectors - (block + usize::from(two)) * TILE);
                if rows < TILE {
                    shape(rows).configure();
                }
                let step = Step {
                    vectors: self.activations.add((block * self.groups + first) * TILE_BYTES),
                    next_vectors: if two { self.groups * TILE_BYTES } else { 0 },
                    tiles: self.tiles,
                    results: results.at(block, panel),
                    to: to.at(block, panel),
                    count,
                    ahead: self.activations.wrapping_add(block * self.groups * TILE_BYTES + share),
                    lines,
                    fresh: first == 0,
                };
                if two {
                    step.multiply::<PAIR, true>();
                } else {
                    step.multiply::<PAIR, false>();
                }
            }
        }
    }

    /// Writes what is not yet there of `rows` results of every vector to `out`, whose rows are
    /// `stride` numbers apart.
    ///
    /// # Safety
    /// As for [`product`]; the results are there.
    #[target_feature(enable = "avx512f")]
    unsafe fn store(&self, rows: usize, out: *mut f32, stride: usize) {
        let blocks = self.vectors.div_ceil(TILE);
        for vector in 0..self.vectors {
            for panel in self.direct..self.panels {
                let row = panel * TILE;
                let mask = ((1_u32 << TILE.min(rows - row)) - 1) as u16;
                let at = (panel * blocks + vector / TILE) * TILE_BYTES + vector % TILE * 64;
                // SAFETY: the mask keeps within the rows.
                unsafe {
                    let results = _mm512_load_ps(self.results.add(at).cast());
                    _mm512_mask_storeu_ps(out.add(vector * stride + row), mask, results);
                }
            }
        }
    }
}

/// Where results are, or go to.
#[derive(Clone, Copy)]
struct Place {
    /// Of the first vector and row.
    at: *mut u8,
    /// Bytes between vectors.
    vector: usize,
    /// Bytes between blocks of vectors.
    block: usize,
    /// Bytes between panels.
    panel: usize,
}

impl Place {
    /// The place of a block and a panel behind this one.
    fn at(self, block: usize, panel: usize) -> Self {
        Self { at: self.at.wrapping_add(block * self.block + panel * self.panel), ..self }
    }
}

/// One or two blocks of 16 vectors times one or two panels.
struct Step {
    vectors: *const u8,
    /// Bytes to the second block.
    next_vectors: usize,
    tiles: *const u8,
    /// Where the results so far are.
    results: Place,
    /// Where the results go.
    to: Place,
    /// Groups of 32 columns.
    count: usize,
    /// What to fetch of each block of vectors to the second cache.
    ahead: *const u8,
    /// How many times 64 bytes of it for each group.
    lines: usize,
    /// Whether these are the first.
    fresh: bool,
}

impl Step {
    /// `tmm0` and `tmm1` gather the first block, `tmm2` and `tmm3` the second: a block that is
    /// alone counts as the second.
    ///
    /// # Safety
    /// As for [`Band::stretch`], which has given the tiles their shapes.
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn multiply<const PAIR: bool, const TWO: bool>(&self) {
        macro_rules! load {
            ($at:expr, $tile:tt) => {
                asm!(concat!("tileloadd ", $tile, ", [{at} + {line}]"), at = in(reg) $at,
                    line = in(reg) 64_usize, options(nostack, readonly), out($tile) _)
            };
        }
        // For what should not push the weights out of the nearest cache.
        macro_rules! stream {
            ($at:expr, $tile:tt) => {
                asm!(concat!("tileloaddt1 ", $tile, ", [{at} + {line}]"), at = in(reg) $at,
                    line = in(reg) 64_usize, options(nostack, readonly), out($tile) _)
            };
        }
        macro_rules! store {
            ($at:expr, $tile:tt) => {
                asm!(concat!("tilestored [{at} + {vector}], ", $tile), at = in(reg) $at,
                    vector = in(reg) self.to.vector, options(nostack))
            };
        }
        macro_rules! zero {
            ($tile:tt) => {
                asm!(concat!("tilezero ", $tile), options(nostack, nomem), out($tile) _)
            };
        }
        macro_rules! multiply {
            ($sum:tt, $left:tt, $right:tt) => {
                asm!(concat!("tdpbf16ps ", $sum, ", ", $left, ", ", $right),
                    options(nostack, nomem), out($sum) _)
            };
        }
        // SAFETY: the tiles stay as they are between these statements: nothing else here names
        // them, and compilers use tiles for nothing of their own. Memory as promised.
        unsafe {
            let second = |place: Place| place.at(usize::from(TWO), 0).at;
            let right = |place: Place| place.at(0, 1);
            if self.fresh {
                zero!("tmm0");
                zero!("tmm1");
                zero!("tmm2");
                zero!("tmm3");
            } else {
                if TWO {
                    load!(self.results.at, "tmm0");
                }
                load!(second(self.results), "tmm2");
                if PAIR {
                    if TWO {
                        load!(right(self.results).at, "tmm1");
                    }
                    load!(second(right(self.results)), "tmm3");
                }
            }
            for group in 0..self.count {
                let vectors = self.vectors.add(group * TILE_BYTES);
                let weights = self.tiles.add(group * TILE_BYTES);
                for line in 0..self.lines {
                    let at = self.ahead.wrapping_add((group * self.lines + line) * 64);
                    _mm_prefetch::<_MM_HINT_T1>(at.cast());
                    _mm_prefetch::<_MM_HINT_T1>(at.wrapping_add(self.next_vectors).cast());
                }
                load!(weights, "tmm6");
                if TWO {
                    stream!(vectors, "tmm4");
                    multiply!("tmm0", "tmm4", "tmm6");
                }
                stream!(vectors.add(self.next_vectors), "tmm5");
                multiply!("tmm2", "tmm5", "tmm6");
                if PAIR {
                    load!(weights.add(STRETCH * TILE_BYTES), "tmm7");
                    if TWO {
                        multiply!("tmm1", "tmm4", "tmm7");
                    }
                    multiply!("tmm3", "tmm5", "tmm7");
                }
            }
            if TWO {
                store!(self.to.at, "tmm0");
            }
            store!(second(self.to), "tmm2");
            if PAIR {
                if TWO {
                    store!(right(self.to).at, "tmm1");
                }
                store!(second(right(self.to)), "tmm3");
            }
        }
    }
}
