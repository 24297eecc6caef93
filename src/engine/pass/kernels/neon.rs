//! Products on 64-bit Arm: with the vectors all have, with dot products, with matrix products.

#![expect(unsafe_code, reason = "products go through pointers")]
#![expect(clippy::inline_always, reason = "vectors that cross a call go through memory")]
// Said of no import in tests, so that `expect` does not do.
#![allow(clippy::wildcard_imports, reason = "the names of instructions are the vocabulary here")]

mod each;
mod float;
mod format;
mod level;
mod narrow;
mod quantize;
mod rows;
#[cfg(test)]
mod tests;
mod wide;

use self::format::Format;
use self::level::{Baseline, DotProduct, Level, MatrixMultiply};
use super::{Kernels, Scratch, Task};

/// Vectors from which on unpacking a panel pays.
const WIDE: usize = 5;

/// The tables that this processor can run, best first.
pub(super) fn available() -> Vec<&'static Kernels> {
    let mut tables = Vec::new();
    if std::arch::is_aarch64_feature_detected!("dotprod") {
        if std::arch::is_aarch64_feature_detected!("i8mm") {
            tables.push(&NEON_I8MM);
        }
        tables.push(&NEON_DOTPROD);
    }
    tables.push(&NEON);
    tables
}

/// For every 64-bit Arm.
static NEON: Kernels = kernels::<Baseline>("neon");

/// For processors with `dotprod`.
static NEON_DOTPROD: Kernels = kernels::<DotProduct>("neon-dotprod");

/// For processors with `dotprod` and `i8mm`.
static NEON_I8MM: Kernels = kernels::<MatrixMultiply>("neon-i8mm");

const fn kernels<L: Level>(name: &'static str) -> Kernels {
    Kernels {
        pack: None,
        steady: usize::MAX,
        name,
        products: [
            float::product::<float::F32>,
            float::product::<float::F16>,
            float::product::<float::Bf16>,
            product::<L, format::Q4_0>,
            product::<L, format::Q4_1>,
            product::<L, format::Q5_0>,
            product::<L, format::Q5_1>,
            product::<L, format::Q8_0>,
            product::<L, format::Q2K>,
            product::<L, format::Q3K>,
            product::<L, format::Q4K>,
            product::<L, format::Q5K>,
            product::<L, format::Q6K>,
            product::<L, format::Iq4Nl>,
            product::<L, format::Iq4Xs>,
        ],
        form: |format, _| super::dot_form(format),
        quantize: quantize::quantize_row,
    }
}

/// Computes a task with weights of a format of small integers. The results of a vector are the
/// same with any others beside it, and the same at every level.
///
/// # Safety
/// As [`super::Product`] says.
unsafe fn product<L: Level, F: Format>(task: &Task<'_>, scratch: &mut Scratch) {
    // SAFETY: by the caller's word.
    unsafe {
        match task.activations.rows {
            0 => {}
            1 => narrow::product::<L, F, 1>(task),
            2 => narrow::product::<L, F, 2>(task),
            3 => narrow::product::<L, F, 3>(task),
            4 => narrow::product::<L, F, 4>(task),
            WIDE.. => wide::product::<L, F>(task, scratch),
        }
    }
}
