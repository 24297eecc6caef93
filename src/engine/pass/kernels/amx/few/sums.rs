//! Sums of products in their true size, added up over a row.

use std::arch::x86_64::{
    __m512, __m512i, _mm512_add_epi32, _mm512_castsi512_ps, _mm512_cvtepi32_ps,
    _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_load_ps, _mm512_load_si512, _mm512_mul_ps,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512, _mm512_store_ps,
};
use std::mem::MaybeUninit;

use super::super::panel::{Ahead, Format, Group};
use super::{Given, MOST, width};
use crate::activations::GROUP;
use crate::kernels::TILE;

/// Adds the sums of products in their true size to the totals.
///
/// # Safety
/// As for [`panel`](super::panel); the groups are unpacked and, with `TILES`, their sums of products are there.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) unsafe fn add_up<F: Format, const TILES: bool>(
    given: &Given<'_>,
    first: usize,
    count: usize,
    unpacked: Group,
    dots: *const i32,
    totals: *mut [[f32; TILE]; MOST],
) {
    let vectors = given.activations.rows;
    let mut vector = 0;
    // SAFETY: as promised; the vectors are there.
    unsafe {
        while vector + 4 <= vectors {
            add_vectors::<F, TILES, 4>(given, first, count, unpacked, dots, totals, vector);
            vector += 4;
        }
        match vectors - vector {
            3 => add_vectors::<F, TILES, 3>(given, first, count, unpacked, dots, totals, vector),
            2 => add_vectors::<F, TILES, 2>(given, first, count, unpacked, dots, totals, vector),
            1 => add_vectors::<F, TILES, 1>(given, first, count, unpacked, dots, totals, vector),
            _ => {}
        }
    }
}

/// [`panel`](super::panel) for one vector and a format whose blocks are groups: what is unpacked stays in registers.
/// The sums, and the order that they are added in, are those of [`add_vectors`].
///
/// # Safety
/// As for [`panel`](super::panel).
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512vnni,avx512bf16")]
pub(super) unsafe fn alone<F: Format>(
    weights: *const u8,
    stride: usize,
    given: &Given<'_>,
    ahead: Ahead,
    total_out: *mut f32,
) {
    let Given { activations, corrections, .. } = given;
    let mut total = _mm512_setzero_ps();
    // SAFETY: as promised; the arrays have the shapes that a group is unpacked to.
    unsafe {
        for group in 0..activations.columns / GROUP {
            let mut quants = [MaybeUninit::<__m512i>::uninit(); 8];
            let mut scales = [MaybeUninit::<__m512>::uninit(); 4];
            let unpacked = Group {
                quants: quants.as_mut_ptr().cast(),
                scales: scales.as_mut_ptr().cast(),
                index: group,
                ahead,
            };
            F::unpack(weights.add(group * F::BYTES), stride, unpacked);
            let bytes = activations.int8.as_ptr().add(group * GROUP).cast();
            let [dots] = dot::<F, 1>(unpacked, 0, bytes, 0);
            let correction = _mm512_set1_epi32(*corrections.add(group));
            let activation = _mm512_set1_ps(*activations.scales.as_ptr().add(group));
            total = scaled::<F>(unpacked, 0, dots, correction, activation, total);
        }
        _mm512_store_ps(total_out, total);
    }
}

/// [`add_up`] for `VECTORS` vectors.
///
/// # Safety
/// As for [`add_up`]; the vectors from `vector` on are there.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn add_vectors<F: Format, const TILES: bool, const VECTORS: usize>(
    given: &Given<'_>,
    first: usize,
    count: usize,
    unpacked: Group,
    dots: *const i32,
    totals: *mut [[f32; TILE]; MOST],
    vector: usize,
) {
    let Given { activations, corrections, .. } = given;
    let groups = activations.columns / GROUP;
    let halves = GROUP / width::<F>();
    // SAFETY: as promised; all indices are below the lengths that `product` provides for.
    unsafe {
        let totals: *mut f32 = totals.cast::<f32>().add(vector * TILE);
        let mut sums: [__m512; VECTORS] =
            std::array::from_fn(|index| _mm512_load_ps(totals.add(index * TILE)));
        for group in 0..count {
            let from = unpacked.add(group);
            for half in 0..halves {
                let dots: [__m512i; VECTORS] = if TILES {
                    let part = (group * halves + half) * activations.rows + vector;
                    let dots: *const __m512i = dots.add(part * TILE).cast();
                    std::array::from_fn(|index| _mm512_load_si512(dots.add(index)))
                } else {
                    let at = vector * activations.columns + (first + group) * GROUP;
                    let bytes = activations.int8.as_ptr().add(at + half * GROUP / 2).cast();
                    dot::<F, VECTORS>(from, half, bytes, activations.columns / 4)
                };
                for index in 0..VECTORS {
                    let at = (vector + index) * groups + first + group;
                    let correction = _mm512_set1_epi32(*corrections.add(at * halves + half));
                    let activation = _mm512_set1_ps(*activations.scales.as_ptr().add(at));
                    let (dots, sum) = (dots[index], sums[index]);
                    sums[index] = scaled::<F>(from, half, dots, correction, activation, sum);
                }
            }
        }
        for (index, sum) in sums.into_iter().enumerate() {
            _mm512_store_ps(totals.add(index * TILE), sum);
        }
    }
}

/// `total` and the sums of products of a part in their true size.
///
/// # Safety
/// The part is unpacked.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn scaled<F: Format>(
    from: Group,
    half: usize,
    mut dots: __m512i,
    correction: __m512i,
    activation: __m512,
    mut total: __m512,
) -> __m512 {
    // SAFETY: as promised.
    unsafe {
        if F::MINIMA {
            total = _mm512_fmadd_ps(from.minimum(half), _mm512_castsi512_ps(correction), total);
        } else {
            dots = _mm512_add_epi32(dots, correction);
        }
        let scale = _mm512_mul_ps(from.scale(half), activation);
        _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots), scale, total)
    }
}

/// The sums of products of a part, in each of 16 rows, with `VECTORS` vectors that lie `stride`
/// 32-bit words apart.
///
/// # Safety
/// The group is unpacked, and the activations of the part are there.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn dot<F: Format, const VECTORS: usize>(
    group: Group,
    half: usize,
    activations: *const i32,
    stride: usize,
) -> [__m512i; VECTORS] {
    // Two sums each: one alone would wait for itself.
    let mut sums = [[_mm512_setzero_si512(); 2]; VECTORS];
    for index in 0..width::<F>() / 4 {
        // SAFETY: as promised.
        let quants = unsafe { group.quants(half * 4 + index) };
        for (vector, sums) in sums.iter_mut().enumerate() {
            // SAFETY: as promised.
            let four = unsafe { activations.add(vector * stride + index).read_unaligned() };
            let sum = &mut sums[if VECTORS < 4 { index % 2 } else { 0 }];
            *sum = _mm512_dpbusd_epi32(*sum, quants, _mm512_set1_epi32(four));
        }
    }
    sums.map(|sums| if VECTORS < 4 { _mm512_add_epi32(sums[0], sums[1]) } else { sums[0] })
}
