//! Products of many activation vectors with one matrix, in 8-bit integers.
//!
//! Rows are taken up to 64 at a time. For every 256 columns their blocks are expanded into panels
//! of 16 rows; then a few activation vectors at a time are laid side by side and multiplied with each
//! of the panels, so that a tile of 16 rows × some vectors stays in registers for a whole group.
#![expect(clippy::cast_ptr_alignment, reason = "panels, packed vectors and sums are aligned to 64")]
#![expect(unsafe_code, reason = "vector instructions on memory at computed places")]

mod avx2;
mod avx512;
mod packed;
#[cfg(test)]
mod tests;
mod vnni;

pub(in crate::kernels) use avx2::PRODUCTS as AVX2;
pub(in crate::kernels) use avx512::PRODUCTS as AVX512_VNNI;
pub(in crate::kernels) use vnni::PRODUCTS as AVX_VNNI;

use super::super::{Product, Scratch, Task};
use super::panel::{CHUNK, Expand, Panel, ROWS, Rows};
use crate::block::BlockType;
use packed::{Packed, Side};

/// The products of one instruction set, for two vectors or more; each wants the int8 form.
pub(in crate::kernels) type Products = [(BlockType, Product); 12];

/// Most panels that are multiplied with a tile of activations before the next is fetched.
const PANELS: usize = 4;
/// Most activation vectors that share an expansion.
const BATCH: usize = 1024;
/// Bytes that the sums of all vectors of a batch with all panels take at most, if more than one
/// panel: they, the panels and the activations of a chunk are to stay in a core's second-level cache.
const SUMS: usize = 96 << 10;

/// Most bytes that the blocks of 256 columns take: those of `Q8_0`.
const LONGEST: usize = BlockType::Q8_0.row_bytes(CHUNK);

/// Adds to `sums[vector][row]`, 16 rows each, what `groups` groups of 32 columns give.
///
/// # Safety
/// The instruction set is there, and `sums` may be read and written; it is aligned to 64 bytes.
type Tile = unsafe fn(panel: &Panel, packed: &Packed, groups: usize, sums: *mut f32);

/// What a product is made of.
struct Recipe {
    format: BlockType,
    expand: Expand,
    /// What the tiles want beside the activations.
    side: Side,
    /// Whether the numbers are i16.
    wide: bool,
    /// The tiles for 1, 2, … vectors.
    tiles: &'static [Tile],
}

/// Computes a task.
///
/// # Safety
/// As for [`Product`], for the instruction set of the recipe, which AVX2 is part of.
unsafe fn product(recipe: &Recipe, task: &Task<'_>, scratch: &mut Scratch) {
    let vectors = task.activations.rows.min(BATCH);
    let fitting = SUMS / (vectors.max(1) * ROWS * size_of::<f32>());
    let panels = fitting.clamp(1, PANELS).min(task.rows.div_ceil(ROWS));
    let size = panels * size_of::<Panel>() + panels * vectors * ROWS * size_of::<f32>();
    let memory = scratch.bytes(size);
    // SAFETY: every bit pattern is a panel or a number, the memory is ours as long as `scratch` is
    // borrowed, aligned to 64, and as long as both.
    let (expanded, sums) = unsafe {
        let sums = memory.add(panels * size_of::<Panel>()).cast::<f32>();
        (
            std::slice::from_raw_parts_mut(memory.cast::<Panel>(), panels),
            std::slice::from_raw_parts_mut(sums, panels * vectors * ROWS),
        )
    };
    let mut first = 0;
    while first < task.activations.rows {
        let vectors = vectors.min(task.activations.rows - first);
        let mut row = 0;
        while row < task.rows {
            let rows = (task.rows - row).min(panels * ROWS);
            let part = Part { recipe, task, first, vectors, row, rows };
            // SAFETY: the caller's.
            unsafe { part.compute(&mut expanded[..rows.div_ceil(ROWS)], sums) };
            row += rows;
        }
        first += vectors;
    }
}

/// Some rows and some vectors of a task.
struct Part<'a> {
    recipe: &'a Recipe,
    task: &'a Task<'a>,
    first: usize,
    vectors: usize,
    row: usize,
    rows: usize,
}

impl Part<'_> {
    /// # Safety
    /// As for [`product`]; there are panels for all rows, and sums for all panels and vectors.
    unsafe fn compute(&self, panels: &mut [Panel], sums: &mut [f32]) {
        let Self { recipe, task, .. } = *self;
        let columns = task.activations.columns;
        let per_panel = self.vectors * ROWS;
        sums[..panels.len() * per_panel].fill(0.0);
        let mut packed = Packed::new();
        for column in (0..columns).step_by(CHUNK) {
            let groups = (columns - column).min(CHUNK) / 32;
            for (index, panel) in panels.iter_mut().enumerate() {
                // SAFETY: the caller's.
                unsafe { self.expand(index * ROWS, column, groups, panel) };
            }
            let mut vector = 0;
            while vector < self.vectors {
                let left = self.vectors - vector;
                // As equal in size as can be: seven and seven rather than twelve and two.
                let count = left.div_ceil(left.div_ceil(recipe.tiles.len()));
                // SAFETY: AVX2 is there, and so are the vectors and their columns.
                unsafe {
                    packed.fill(
                        &task.activations,
                        self.first + vector,
                        count,
                        column,
                        groups,
                        recipe,
                    );
                }
                for (index, panel) in panels.iter().enumerate() {
                    let at = index * per_panel + vector * ROWS;
                    let sums = &mut sums[at..at + count * ROWS];
                    // SAFETY: the sums are as many as the tile of `count` vectors has.
                    unsafe { recipe.tiles[count - 1](panel, &packed, groups, sums.as_mut_ptr()) };
                }
                vector += count;
            }
        }
        for (index, sums) in sums.chunks_exact(per_panel).take(panels.len()).enumerate() {
            let rows = (self.rows - index * ROWS).min(ROWS);
            for (vector, sums) in sums.as_chunks::<ROWS>().0.iter().enumerate() {
                let at = (self.first + vector) * task.stride + self.row + index * ROWS;
                // SAFETY: `out` has place for each vector and row of the task.
                unsafe {
                    let out = task.out.add(at);
                    if rows == ROWS {
                        out.cast::<[f32; ROWS]>().write_unaligned(*sums);
                    } else {
                        out.copy_from_nonoverlapping(sums.as_ptr(), rows);
                    }
                }
            }
        }
    }

    /// Expands 16 rows from row `row` of the part; where the rows end, the last one stands in.
    ///
    /// # Safety
    /// AVX2 and F16C are there, and so are the columns.
    unsafe fn expand(&self, row: usize, column: usize, groups: usize, panel: &mut Panel) {
        let Recipe { format, expand, .. } = *self.recipe;
        let distance = format.row_bytes(self.task.activations.columns);
        let blocks = &self.task.weights[(self.row + row) * distance + format.row_bytes(column)..];
        let rows = self.rows - row;
        if rows >= ROWS {
            // SAFETY: 16 rows follow, each of them with the columns.
            unsafe { expand(Rows { first: blocks.as_ptr(), distance }, groups, panel) };
            return;
        }
        let length = format.row_bytes(groups * 32);
        let mut copy = [0; ROWS * LONGEST];
        for (index, copy) in copy.chunks_exact_mut(length).take(ROWS).enumerate() {
            let start = index.min(rows - 1) * distance;
            copy.copy_from_slice(&blocks[start..start + length]);
        }
        // SAFETY: 16 rows of the columns alone.
        unsafe { expand(Rows { first: copy.as_ptr(), distance: length }, groups, panel) };
    }
}

/// A place on the stack that aligns all of it, if the address is used: the compiler writes registers
/// that it needs for something else to a stack of 16 bytes' alignment otherwise, half of them across
/// two cache lines, which takes up to twice the time of a whole tile.
#[repr(align(64))]
struct Aligned(
    #[expect(dead_code, reason = "has only an address")] std::mem::MaybeUninit<[u8; 64]>,
);

impl Aligned {
    const fn new() -> Self {
        Self(std::mem::MaybeUninit::uninit())
    }
}

/// A value that the compiler knows nothing of: sums are added up in the order they are written in,
/// or they would not stay in registers.
#[inline]
#[target_feature(enable = "avx2")]
fn held(mut value: std::arch::x86_64::__m256i) -> std::arch::x86_64::__m256i {
    // SAFETY: no instruction at all.
    unsafe {
        std::arch::asm!("/* {0} */", inout(ymm_reg) value, options(pure, nomem, nostack, preserves_flags));
    }
    value
}

/// The products of an instruction set that adds four products of bytes in 32 bits, from its `tiles!`.
macro_rules! dot_products {
    ($features:literal) => {
        $crate::kernels::x86::gemm::products! {
            // Without minima their constant `c` is taken off where the sums start.
            q4_0 = Q4_0, panel::q4_0, Side::Starts(-8), false, tiles!(false, false);
            q4_1 = Q4_1, panel::q4_1, Side::Products, false, tiles!(false, true);
            q5_0 = Q5_0, panel::q5_0, Side::Starts(-16), false, tiles!(false, false);
            q5_1 = Q5_1, panel::q5_1, Side::Products, false, tiles!(false, true);
            q8_0 = Q8_0, panel::q8_0::<Dot>, Side::Starts(-128), false, tiles!(false, false);
            q2_k = Q2_K, panel::q2_k::<Dot>, Side::HalfProducts, false, tiles!(true, true);
            q3_k = Q3_K, panel::q3_k::<Dot>, Side::HalfStarts(-4), false, tiles!(true, false);
            q4_k = Q4_K, panel::q4_k::<Dot>, Side::Products, false, tiles!(false, true);
            q5_k = Q5_K, panel::q5_k::<Dot>, Side::Products, false, tiles!(false, true);
            q6_k = Q6_K, panel::q6_k::<Dot>, Side::HalfStarts(-32), false, tiles!(true, false);
            iq4_nl = IQ4_NL, panel::iq4_nl::<Dot>, Side::Starts(-128), false, tiles!(false, false);
            iq4_xs = IQ4_XS, panel::iq4_xs::<Dot>, Side::Starts(-128), false, tiles!(false, false);
        }
    };
}

/// Functions that compute a task by a recipe, and the table of them.
macro_rules! products {
    ($($name:ident = $format:ident, $expand:expr, $side:expr, $wide:literal, $tiles:expr;)*) => {
        /// The products, by format.
        pub(in crate::kernels) const PRODUCTS: Products = [$((BlockType::$format, $name)),*];

        $(
        /// # Safety
        /// See [`Product`](super::Product); two vectors or more are what it is for.
        pub(in crate::kernels) unsafe fn $name(task: &Task<'_>, scratch: &mut Scratch) {
            const RECIPE: Recipe = Recipe {
                format: BlockType::$format,
                expand: $expand,
                side: $side,
                wide: $wide,
                tiles: $tiles,
            };
            // SAFETY: the caller's.
            unsafe { product(&RECIPE, task, scratch) }
        }
        )*
    };
}
use {dot_products, products};
