//! Products one number at a time: what the kernels of every instruction set are held to, and what
//! runs where there is none.

#![expect(unsafe_code, reason = "results go where a task says, through a pointer")]

use super::{Kernels, Scratch, Task};
use crate::activations::GROUP;
use crate::block::{BlockType, dequantize};

mod integers;

pub(crate) use integers::integers;

/// The kernels that run everywhere.
pub(super) static SCALAR: Kernels = Kernels {
    pack: None,
    steady: usize::MAX,
    name: "scalar",
    products: [
        product::<0>,
        product::<1>,
        product::<2>,
        product::<3>,
        product::<4>,
        product::<5>,
        product::<6>,
        product::<7>,
        product::<8>,
        product::<9>,
        product::<10>,
        product::<11>,
        product::<12>,
        product::<13>,
        product::<14>,
    ],
    form: |format, _| super::dot_form(format),
    quantize: quantize_row,
};

/// The product of the format with the discriminant `FORMAT`.
///
/// # Safety
/// As [`super::Product`] says; no instruction set is needed.
unsafe fn product<const FORMAT: usize>(task: &Task<'_>, _: &mut Scratch) {
    let format = BlockType::ALL[FORMAT];
    let columns = task.activations.columns;
    if task.rows == 0 || columns == 0 {
        return;
    }
    let rows = task.weights.chunks_exact(format.row_bytes(columns));
    for (row, weights) in rows.take(task.rows).enumerate() {
        let mut write = |index: usize, value: f32| {
            // SAFETY: the caller lets every `i * stride + r` be written.
            unsafe { task.out.add(index * task.stride + row).write(value) };
        };
        if format.is_quantized() {
            integer_row(format, weights, task, &mut write);
        } else {
            float_row(format, weights, task, &mut write);
        }
    }
}

/// One row in the form [`Form::F32`].
fn float_row(format: BlockType, row: &[u8], task: &Task<'_>, write: &mut impl FnMut(usize, f32)) {
    let columns = task.activations.columns;
    let mut weights = vec![0.0; columns];
    dequantize(format, row, &mut weights);
    let vectors = task.activations.f32.chunks_exact(columns);
    for (index, vector) in vectors.take(task.activations.rows).enumerate() {
        let products = weights.iter().zip(vector).map(|(w, x)| f64::from(*w) * f64::from(*x));
        write(index, products.sum::<f64>() as f32);
    }
}

/// One row in the form [`Form::Int8`]: the sum over groups of
/// `scale · activation scale · Σ q·x + minimum · activation scale · Σ x`, the sums exact.
fn integer_row(format: BlockType, row: &[u8], task: &Task<'_>, write: &mut impl FnMut(usize, f32)) {
    let activations = &task.activations;
    let columns = activations.columns;
    let (weights, bytes) = format.block();
    let mut totals = vec![0f64; activations.rows];
    for (block, bytes) in row.chunks_exact(bytes).enumerate() {
        let numbers = integers(format, bytes);
        for (index, total) in totals.iter_mut().enumerate() {
            for (half, quants) in numbers.quants[..weights].chunks_exact(GROUP / 2).enumerate() {
                let at = index * columns + block * weights + half * (GROUP / 2);
                let vector = &activations.int8[at..at + GROUP / 2];
                let products =
                    quants.iter().zip(vector).map(|(q, x)| i32::from(*q) * i32::from(*x));
                let dot = f64::from(products.sum::<i32>());
                let sum = f64::from(activations.sums[at / (GROUP / 2)]);
                let scale = f64::from(activations.scales[at / GROUP]);
                let (d, minimum) =
                    (f64::from(numbers.scales[half]), f64::from(numbers.minima[half]));
                *total += scale * (d * dot + minimum * sum);
            }
        }
    }
    for (index, total) in totals.into_iter().enumerate() {
        write(index, total as f32);
    }
}

/// Puts `x`, whole groups of 32, into the form [`Form::Int8`] as `Activations` describes it,
/// rounding halves to even. A group with a number that is not finite gets the scale NaN and zeros,
/// so that every product with it is NaN; one whose magnitudes are all below 4e-37, zeros.
pub(super) fn quantize_row(x: &[f32], int8: &mut [i8], scales: &mut [f32], sums: &mut [i16]) {
    let groups = x.chunks_exact(GROUP).zip(int8.chunks_exact_mut(GROUP));
    let results = scales.iter_mut().zip(sums.chunks_exact_mut(2));
    for ((x, int8), (scale, sums)) in groups.zip(results) {
        // Magnitudes are ordered as their bits are, and this sees NaN, which `f32::max` drops.
        let largest = x.iter().fold(0, |largest, x| x.abs().to_bits().max(largest));
        let (inverse, group_scale) = factors(largest);
        *scale = group_scale;
        for (int8, x) in int8.iter_mut().zip(x) {
            *int8 = if inverse == 0.0 { 0 } else { (x * inverse).round_ties_even() as i8 };
        }
        for (sum, half) in sums.iter_mut().zip(int8.chunks_exact(GROUP / 2)) {
            *sum = half.iter().map(|q| i16::from(*q)).sum();
        }
    }
}

/// What a group whose largest magnitude has these bits is multiplied with, and its scale.
/// The factor 0 stands for a group of zeros.
pub(super) fn factors(largest: u32) -> (f32, f32) {
    let largest = f32::from_bits(largest);
    if !largest.is_finite() {
        return (0.0, f32::NAN);
    }
    let inverse = 127.0 / largest;
    if inverse.is_finite() { (inverse, largest / 127.0) } else { (0.0, 0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_keeps_its_largest_magnitude_and_rounds_halves_to_even() {
        let mut x = [0f32; 32];
        x[..5].copy_from_slice(&[127.0, 0.5, 1.5, -2.5, -126.6]);
        let (mut int8, mut scales, mut sums) = ([0; 32], [0.0; 1], [0; 2]);
        quantize_row(&x, &mut int8, &mut scales, &mut sums);
        assert_eq!((&int8[..6], scales, sums), (&[127, 0, 2, -2, -127, 0][..], [1.0], [0, 0]));
    }

    #[test]
    fn what_is_not_finite_makes_the_scale_nan_and_zeros_make_it_zero() {
        let mut x = [0f32; 96];
        (x[3], x[35]) = (f32::NAN, f32::NEG_INFINITY);
        x[64] = 1e-38;
        let (mut int8, mut scales, mut sums) = ([1; 96], [1.0; 3], [1; 6]);
        quantize_row(&x, &mut int8, &mut scales, &mut sums);
        assert!(scales[0].is_nan() && scales[1].is_nan() && scales[2] == 0.0);
        assert_eq!((int8, sums), ([0; 96], [0; 6]));
    }
}
