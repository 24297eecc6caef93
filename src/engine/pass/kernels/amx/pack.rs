//! Activations → bf16, in the order that tiles take them.

use std::arch::x86_64::{
    __m512bh, __m512i, _mm512_cvtne2ps_pbh, _mm512_loadu_ps, _mm512_setzero_si512,
    _mm512_storeu_si512,
};

use crate::activations::GROUP;
use crate::kernels::TILE;

/// Rounds vectors to bf16 (to the nearest, ties to even; subnormal numbers to zero) in the layout
/// of [`Activations::bf16`](crate::activations::Activations::bf16).
///
/// `x` is `[rows, columns]` and `out` `[ceil(rows / 16) · 16 · columns]`; vectors that are missing
/// in the last block of 16 are written as zeros. Blocks may be packed one by one, each from its
/// part of `x` to its part of `out`.
///
/// # Safety
/// [`available`](super::available) has said true; `columns` is a multiple of 32, and the slices are
/// as long as this says.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn pack_bf16(x: &[f32], rows: usize, columns: usize, out: &mut [u16]) {
    debug_assert_eq!(columns % GROUP, 0);
    debug_assert_eq!(x.len(), rows * columns);
    debug_assert_eq!(out.len(), rows.next_multiple_of(TILE) * columns);
    let to = out.as_mut_ptr();
    for row in 0..rows.next_multiple_of(TILE) {
        let start = row / TILE * TILE * columns + row % TILE * GROUP;
        for group in 0..columns / GROUP {
            // SAFETY: 32 numbers of row `row` are at `row · columns + 32 · group`, and the layout
            // has 16 rows of 32 numbers per group, all within the lengths promised.
            unsafe {
                let numbers: __m512i = if row < rows {
                    let from = x.as_ptr().add(row * columns + group * GROUP);
                    let (low, high) = (_mm512_loadu_ps(from), _mm512_loadu_ps(from.add(16)));
                    std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low))
                } else {
                    _mm512_setzero_si512()
                };
                _mm512_storeu_si512(to.add(start + group * TILE * GROUP).cast(), numbers);
            }
        }
    }
}
