//! The levels against each other.

#![expect(unsafe_code, reason = "products write through pointers")]

use super::{NEON, available};
use crate::activations::Activations;
use crate::block::BlockType;
use crate::kernels::scalar::quantize_row;
use crate::kernels::{Kernels, Scratch, Task};

/// Numbers without a pattern (Marsaglia's xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// In -1..1.
    fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / 8_388_608.0 - 1.0
    }
}

/// Weights whose bytes are random, but those that exponents are in.
fn weights(format: BlockType, bytes: usize, random: &mut Random) -> Vec<u8> {
    let mut weights: Vec<u8> = (0..bytes).map(|_| random.next() as u8).collect();
    let exponents: &[usize] = match format {
        BlockType::F32 => &[3],
        BlockType::Q4_1 | BlockType::Q5_1 | BlockType::Q4_K | BlockType::Q5_K => &[1, 3],
        BlockType::Q2_K => &[81, 83],
        BlockType::Q3_K => &[109],
        BlockType::Q6_K => &[209],
        _ => &[1],
    };
    for block in weights.chunks_exact_mut(format.block().1) {
        for at in exponents {
            block[*at] = block[*at] & 0x83 | 0x38;
        }
    }
    weights
}

struct Vectors {
    columns: usize,
    f32: Vec<f32>,
    int8: Vec<i8>,
    scales: Vec<f32>,
    sums: Vec<i16>,
}

impl Vectors {
    fn new(rows: usize, columns: usize, random: &mut Random) -> Self {
        let f32: Vec<f32> = (0..rows * columns).map(|_| random.float()).collect();
        let groups = f32.len() / 32;
        let (int8, scales, sums) = (vec![0; groups * 32], vec![0.0; groups], vec![0; groups * 2]);
        let mut of = Self { columns, f32, int8, scales, sums };
        quantize_row(&of.f32, &mut of.int8, &mut of.scales, &mut of.sums);
        of
    }

    /// The vectors from `first` on, `rows` of them.
    fn part(&self, first: usize, rows: usize) -> Activations<'_> {
        let range = |by: usize| first * self.columns / by..(first + rows) * self.columns / by;
        Activations {
            rows,
            columns: self.columns,
            f32: &self.f32[range(1)],
            int8: &self.int8[range(1)],
            scales: &self.scales[range(32)],
            sums: &self.sums[range(16)],
            bf16: &[],
        }
    }
}

fn run(kernels: &Kernels, format: BlockType, weights: &[u8], x: Activations<'_>) -> Vec<u32> {
    let rows = weights.len() / format.row_bytes(x.columns);
    let mut out = vec![f32::NAN; x.rows * rows];
    let task = Task { weights, rows, activations: x, out: out.as_mut_ptr(), stride: rows };
    // SAFETY: weights and activations have the lengths, `out` the room, and the table is available.
    unsafe { kernels.products[format as usize](&task, &mut Scratch::new()) };
    out.into_iter().map(f32::to_bits).collect()
}

/// Rows and vectors that end in part of a tile, columns in a second panel.
#[test]
fn a_vector_gives_the_same_bits_in_any_company_and_at_every_level() {
    let (rows, vectors) = (18, 11);
    let mut random = Random(7);
    for format in BlockType::ALL {
        let columns = if format.block().0 == 256 { 1280 } else { 1120 };
        let weights = weights(format, rows * format.row_bytes(columns), &mut random);
        let x = Vectors::new(vectors, columns, &mut random);
        let alone: Vec<u32> =
            (0..vectors).flat_map(|index| run(&NEON, format, &weights, x.part(index, 1))).collect();
        for level in available() {
            for count in [1, 2, 3, 4, 5, 6, 7, 11] {
                let first = vectors - count;
                let together = run(level, format, &weights, x.part(first, count));
                assert_eq!(together, alone[first * rows..], "{} {format:?} {count}", level.name);
            }
        }
    }
}
