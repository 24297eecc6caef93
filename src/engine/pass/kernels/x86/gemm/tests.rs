//! Products against the weights' own meaning, in f64.
#![expect(unsafe_code, reason = "kernels are unsafe to call")]

use super::{AVX_VNNI, AVX2, AVX512_VNNI, Product, Products};
use crate::activations::{Activations, GROUP};
use crate::block::{BlockType, dequantize};
use crate::kernels::tests::scale_offsets;
use crate::kernels::{Scratch, Task};

/// A number behind the ends of what a product may write.
const UNTOUCHED: f32 = 12345.0;

/// The instruction sets of this machine.
fn levels() -> Vec<(&'static str, Products)> {
    let mut levels = Vec::new();
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
    {
        levels.push(("avx2", AVX2));
        if is_x86_feature_detected!("avxvnni") {
            levels.push(("avx-vnni", AVX_VNNI));
        }
        if is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni")
        {
            levels.push(("avx512-vnni", AVX512_VNNI));
        }
    }
    levels
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) ^ (self.0 >> 13)
    }
}

/// What a test fills its matrix and vectors with.
#[derive(Clone, Copy)]
struct Content {
    /// Every byte of the blocks, or random ones.
    byte: Option<u8>,
    /// Every number of the vectors, or random ones.
    number: Option<i8>,
    /// Bits of the blocks' scales, or random ones of ordinary size.
    half: Option<u16>,
}

const RANDOM: Content = Content { byte: None, number: None, half: None };

struct Problem {
    format: BlockType,
    rows: usize,
    columns: usize,
    vectors: usize,
    weights: Vec<u8>,
    int8: Vec<i8>,
    scales: Vec<f32>,
    sums: Vec<i16>,
}

impl Problem {
    fn new(format: BlockType, [rows, columns, vectors]: [usize; 3], content: Content) -> Self {
        let mut random = Random((rows * 7919 + columns * 31 + vectors) as u64);
        let mut weights: Vec<u8> = (0..rows * format.row_bytes(columns))
            .map(|_| content.byte.unwrap_or_else(|| random.next() as u8))
            .collect();
        for block in weights.chunks_exact_mut(format.block().1) {
            for &at in scale_offsets(format) {
                // Between 2⁻⁷ and 2, of either sign.
                let ordinary =
                    (random.next() % 0x2000 + 0x2000) as u16 | (random.next() as u16 & 0x8000);
                block[at..at + 2].copy_from_slice(&content.half.unwrap_or(ordinary).to_le_bytes());
            }
        }
        let int8: Vec<i8> = (0..vectors * columns)
            .map(|_| content.number.unwrap_or_else(|| (random.next() % 255) as i8).max(-127))
            .collect();
        let scales = (0..vectors * columns / GROUP)
            .map(|index| if index % 11 == 5 { 0.0 } else { (random.next() % 1000) as f32 / 8192.0 })
            .collect();
        let sums =
            int8.chunks_exact(16).map(|part| part.iter().copied().map(i16::from).sum()).collect();
        Self { format, rows, columns, vectors, weights, int8, scales, sums }
    }

    fn solve(&self, product: Product) -> Vec<f32> {
        let stride = self.rows + 3;
        let mut out = vec![UNTOUCHED; self.vectors * stride];
        let task = Task {
            weights: &self.weights,
            rows: self.rows,
            activations: Activations {
                rows: self.vectors,
                columns: self.columns,
                f32: &[],
                int8: &self.int8,
                scales: &self.scales,
                sums: &self.sums,
                bf16: &[],
            },
            out: out.as_mut_ptr(),
            stride,
        };
        // SAFETY: `levels` has only what the machine can run, the lengths are those of the formats,
        // and `out` has `stride` numbers for each vector.
        unsafe { product(&task, &mut Scratch::new()) };
        out
    }

    /// The exact product, and for each number the error that is allowed.
    fn exact(&self) -> Vec<(f64, f64)> {
        let mut matrix = vec![0.0; self.rows * self.columns];
        let row_bytes = self.format.row_bytes(self.columns);
        for (row, numbers) in
            self.weights.chunks_exact(row_bytes).zip(matrix.chunks_exact_mut(self.columns))
        {
            dequantize(self.format, row, numbers);
        }
        let mut exact = Vec::new();
        for vector in 0..self.vectors {
            let int8 = &self.int8[vector * self.columns..][..self.columns];
            let scales = &self.scales[vector * self.columns / GROUP..];
            let numbers: Vec<f64> = int8
                .iter()
                .enumerate()
                .map(|(k, &a)| f64::from(a) * f64::from(scales[k / GROUP]))
                .collect();
            let magnitude: f64 = numbers.iter().map(|number| number.abs()).sum();
            for row in matrix.chunks_exact(self.columns) {
                let product = row.iter().zip(&numbers).map(|(&w, a)| f64::from(w) * a).sum();
                let largest = row.iter().fold(0.0, |largest, w| w.abs().max(largest));
                exact.push((product, f64::from(largest) * magnitude * 1e-6 + 1e-30));
            }
        }
        exact
    }

    fn check(&self) {
        let exact = self.exact();
        for (level, products) in levels() {
            let Some(&(_, product)) = products.iter().find(|(format, _)| *format == self.format)
            else {
                panic!("{level} has no product for {:?}", self.format);
            };
            let out = self.solve(product);
            for (vector, out) in out.chunks_exact(self.rows + 3).enumerate() {
                assert_eq!(
                    out[self.rows..],
                    [UNTOUCHED; 3],
                    "{level} {:?} wrote too far",
                    self.format
                );
                for (row, &found) in out[..self.rows].iter().enumerate() {
                    let (expected, error) = exact[vector * self.rows + row];
                    let right = if expected.is_finite() {
                        (f64::from(found) - expected).abs() <= error
                    } else {
                        !found.is_finite()
                    };
                    assert!(
                        right,
                        "{level} {:?} {} × {} × {}: row {row}, vector {vector}: {found}, not {expected} ± {error}",
                        self.format, self.rows, self.columns, self.vectors,
                    );
                }
            }
        }
    }
}

fn quantized() -> impl Iterator<Item = BlockType> {
    BlockType::ALL.into_iter().filter(|format| format.is_quantized())
}

#[test]
fn every_number_of_vectors_has_its_tile() {
    for format in quantized() {
        for vectors in 1..=14 {
            Problem::new(format, [17, 256, vectors], RANDOM).check();
        }
        Problem::new(format, [16, 256, 40], RANDOM).check();
    }
}

#[test]
fn every_number_of_rows_is_written_and_no_more() {
    for format in quantized() {
        for rows in 1..=40 {
            Problem::new(format, [rows, 256, 2], RANDOM).check();
        }
        Problem::new(format, [150, 256, 3], RANDOM).check();
    }
}

#[test]
fn rows_have_any_whole_number_of_blocks() {
    for format in quantized() {
        let (weights, _) = format.block();
        for blocks in 1..=11 {
            Problem::new(format, [5, blocks * weights, 2], RANDOM).check();
        }
        Problem::new(format, [3, 8960, 2], RANDOM).check();
    }
}

#[test]
fn more_vectors_than_a_batch_are_all_computed() {
    Problem::new(BlockType::Q4_0, [2, 32, super::BATCH + 5], RANDOM).check();
}

#[test]
fn no_sum_overflows_at_the_extremes() {
    for format in quantized() {
        for byte in [0, 0xff, 0x7f, 0x80, 0xf0, 0x0f] {
            for number in [127, -127] {
                let content =
                    Content { byte: Some(byte), number: Some(number), half: Some(0x3c00) };
                Problem::new(format, [17, 512, 3], content).check();
            }
        }
    }
}

#[test]
fn scales_may_be_zero_subnormal_infinite_or_not_numbers() {
    for format in quantized() {
        for half in [0, 0x8000, 1, 0x03ff, 0x7bff, 0x7c00, 0xfc00, 0x7e00] {
            Problem::new(format, [17, 512, 3], Content { half: Some(half), ..RANDOM }).check();
        }
    }
}

#[test]
fn a_number_that_is_none_stays_in_its_row() {
    for format in quantized() {
        let mut problem = Problem::new(format, [16, 512, 3], RANDOM);
        let at = 5 * format.row_bytes(512) + scale_offsets(format)[0];
        problem.weights[at..at + 2].copy_from_slice(&0x7e00_u16.to_le_bytes());
        problem.check();
    }
}
