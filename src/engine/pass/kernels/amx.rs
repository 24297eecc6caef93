//! Products with matrix tiles (AMX): integers for up to 16 vectors, bf16 for more.
#![expect(unsafe_code, reason = "instructions that only some processors have, over raw memory")]

mod blocks;
mod few;
mod many;
mod pack;
mod panel;
mod superblocks;
mod tile;

#[cfg(test)]
mod tests;

use pack::pack_bf16;
pub(super) use tile::available;

use super::x86::quantize_avx2;
use super::{Kernels, Scratch, Task, avx512_float};
use crate::activations::Form;
use crate::block::BlockType;
use blocks::{Iq4Nl, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0};
use panel::Format;
use superblocks::{Iq4Xs, Q2K, Q3K, Q4K, Q5K, Q6K};

/// For processors where [`available`] says true.
pub(super) static AMX: Kernels = Kernels {
    pack: Some(pack_bf16),
    steady: few::MOST,
    name: "amx",
    products: [
        avx512_float::f32_product,
        avx512_float::f16_product,
        bf16,
        quantized::<Q4_0>,
        quantized::<Q4_1>,
        quantized::<Q5_0>,
        quantized::<Q5_1>,
        quantized::<Q8_0>,
        quantized::<Q2K>,
        quantized::<Q3K>,
        quantized::<Q4K>,
        quantized::<Q5K>,
        quantized::<Q6K>,
        quantized::<Iq4Nl>,
        quantized::<Iq4Xs>,
    ],
    form,
    quantize: quantize_avx2,
};

fn form(format: BlockType, rows: usize) -> Form {
    match format {
        BlockType::F32 | BlockType::F16 => Form::F32,
        BlockType::BF16 if rows <= few::MOST => Form::F32,
        _ if format.is_quantized() && rows <= few::MOST => Form::Int8,
        _ => Form::Bf16,
    }
}

/// # Safety
/// As for a [`Product`](super::Product).
unsafe fn quantized<F: Format>(task: &Task<'_>, scratch: &mut Scratch) {
    // SAFETY: passed on.
    unsafe {
        if task.activations.rows <= few::MOST {
            few::product::<F>(task, scratch);
        } else {
            many::product::<F>(task, scratch);
        }
    }
}

/// # Safety
/// As for a [`Product`](super::Product).
unsafe fn bf16(task: &Task<'_>, scratch: &mut Scratch) {
    // SAFETY: passed on.
    unsafe {
        if task.activations.rows <= few::MOST {
            avx512_float::bf16_product(task, scratch);
        } else {
            many::product::<many::Bf16>(task, scratch);
        }
    }
}
