//! The tables of the x86 instruction sets.

#![expect(unsafe_code, reason = "vector instructions and pointers into rows")]
#![allow(clippy::wildcard_imports, reason = "the names of instructions are the vocabulary here")]
#![expect(
    clippy::inline_always,
    reason = "instructions are inlined only into functions that have them enabled"
)]

use super::{Kernels, Product, Scratch, Task, dot_form};

mod dot;
mod float;
mod format;
mod gemm;
mod level;
mod panel;
mod quantize;
mod wide;

use dot::Narrow;
use format::Format;

pub(super) use quantize::avx2 as quantize_avx2;

/// Most vectors that blocks are multiplied with as they are; more share panels that blocks are
/// expanded into, which is faster from 3 vectors on with every format and instruction set.
const FEW: usize = 2;

/// A table whose quantized products are `$dot`, the float ones `$float`.
macro_rules! table {
    ($table:ident, $name:literal, $dot:ident, $float:ident, $quantize:path) => {
        pub(super) static $table: Kernels = Kernels {
            pack: None,
            steady: FEW,
            name: $name,
            products: [
                $float::<float::F32>,
                $float::<float::F16>,
                $float::<float::Bf16>,
                $dot::<format::Q4_0, 0>,
                $dot::<format::Q4_1, 1>,
                $dot::<format::Q5_0, 2>,
                $dot::<format::Q5_1, 3>,
                $dot::<format::Q8_0, 4>,
                $dot::<format::Q2_K, 5>,
                $dot::<format::Q3_K, 6>,
                $dot::<format::Q4_K, 7>,
                $dot::<format::Q5_K, 8>,
                $dot::<format::Q6_K, 9>,
                $dot::<format::IQ4_NL, 10>,
                $dot::<format::IQ4_XS, 11>,
            ],
            form: |format, _| dot_form(format),
            quantize: $quantize,
        };
    };
}

table!(AVX2, "avx2", dot_avx2, float_avx2, quantize::avx2);
table!(AVX_VNNI, "avx-vnni", dot_avx_vnni, float_avx2, quantize::avx2);
table!(AVX512_VNNI, "avx512-vnni", dot_avx512_vnni, float_avx2, quantize::avx2);

/// The tables that this processor has the instructions for, best first.
pub(super) fn available() -> Vec<&'static Kernels> {
    let avx2 = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c");
    let avx_vnni = avx2 && is_x86_feature_detected!("avxvnni");
    let avx512_vnni = avx2
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni");
    let tables = [(avx512_vnni, &AVX512_VNNI), (avx_vnni, &AVX_VNNI), (avx2, &AVX2)];
    tables.into_iter().filter_map(|(there, table)| there.then_some(table)).collect()
}

/// Computes a task by the kernel for its number of vectors.
///
/// # Safety
/// As [`super::Product`] says, for both kernels.
#[inline(always)]
unsafe fn few_or_many<F: Format, B: dot::Block>(
    many: Product,
    task: &Task<'_>,
    scratch: &mut Scratch,
) {
    // SAFETY: the caller's.
    unsafe {
        if task.activations.rows <= FEW {
            dot::by_blocks::<F, B>(task);
        } else {
            many(task, scratch);
        }
    }
}

/// Products with AVX2.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn dot_avx2<F: Format, const AT: usize>(task: &Task<'_>, scratch: &mut Scratch) {
    // SAFETY: the caller's.
    unsafe { few_or_many::<F, Narrow<level::Avx2>>(gemm::AVX2[AT].1, task, scratch) };
}

/// Products with AVX-VNNI.
#[target_feature(enable = "avx2,fma,f16c,avxvnni")]
unsafe fn dot_avx_vnni<F: Format, const AT: usize>(task: &Task<'_>, scratch: &mut Scratch) {
    // SAFETY: the caller's.
    unsafe { few_or_many::<F, Narrow<level::AvxVnni>>(gemm::AVX_VNNI[AT].1, task, scratch) };
}

/// Products with AVX-512 VNNI.
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn dot_avx512_vnni<F: Format, const AT: usize>(task: &Task<'_>, scratch: &mut Scratch) {
    // SAFETY: the caller's.
    unsafe { few_or_many::<F, wide::Wide>(gemm::AVX512_VNNI[AT].1, task, scratch) };
}

/// Products of float formats with AVX2.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn float_avx2<F: float::Float>(task: &Task<'_>, _: &mut Scratch) {
    // SAFETY: the caller's.
    unsafe { float::by_blocks::<F>(task) };
}
