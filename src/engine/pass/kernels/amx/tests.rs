//! Products against the numbers that the blocks stand for.

use proptest::prelude::{
    Just, ProptestConfig, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::{AMX, available, pack_bf16};
use crate::activations::{Activations, Form, GROUP};
use crate::block::{BlockType, dequantize};
use crate::kernels::tests::scale_offsets;
use crate::kernels::{Scratch, Task};

/// Numbers at multiples of 64 bytes.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line<T: Copy, const N: usize>([T; N]);

struct Aligned<T: Copy + Default, const N: usize>(Vec<Line<T, N>>, usize);

impl<T: Copy + Default, const N: usize> Aligned<T, N> {
    fn new(numbers: &[T]) -> Self {
        let lines = numbers.chunks(N).map(|chunk| {
            let mut line = Line([T::default(); N]);
            line.0[..chunk.len()].copy_from_slice(chunk);
            line
        });
        Self(lines.collect(), numbers.len())
    }

    fn get(&self) -> &[T] {
        let all: &[T] = self.0.as_flattened_numbers();
        &all[..self.1]
    }
}

trait Flattened<T> {
    fn as_flattened_numbers(&self) -> &[T];
}

impl<T: Copy, const N: usize> Flattened<T> for [Line<T, N>] {
    fn as_flattened_numbers(&self) -> &[T] {
        // SAFETY: a line is an array of numbers, 64 bytes long, without padding.
        unsafe { std::slice::from_raw_parts(self.as_ptr().cast(), self.len() * N) }
    }
}

struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// In -1..1.
    fn number(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / 8_388_608.0 - 1.0
    }
}

/// What the factors and the quants of a matrix are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Random factors of about this magnitude.
    Usual(f32),
    /// All factors these bits, all other bytes this one.
    Same(u16, u8),
    /// Random quants, factors these bits.
    Factor(u16),
}

fn half_bits(number: f32) -> u16 {
    // Normal numbers only, cut off.
    let bits = number.to_bits();
    ((bits >> 16 & 0x8000) | ((bits >> 23 & 255).saturating_sub(112) << 10) | (bits >> 13 & 0x3ff))
        as u16
}

fn matrix(
    format: BlockType,
    rows: usize,
    columns: usize,
    kind: Kind,
    random: &mut Random,
) -> Vec<u8> {
    let bytes = format.block().1;
    let mut all: Vec<u8> = (0..rows * format.row_bytes(columns))
        .map(|_| if let Kind::Same(_, byte) = kind { byte } else { random.bits() as u8 })
        .collect();
    for block in all.chunks_exact_mut(bytes) {
        if format.is_quantized() {
            for &at in scale_offsets(format) {
                let factor = match kind {
                    Kind::Usual(size) => half_bits(random.number() * size),
                    Kind::Same(factor, _) | Kind::Factor(factor) => factor,
                };
                block[at..at + 2].copy_from_slice(&factor.to_le_bytes());
            }
        } else {
            let bits = random.number().to_bits().to_le_bytes();
            match format {
                BlockType::F32 => block.copy_from_slice(&bits),
                BlockType::F16 => block.copy_from_slice(&half_bits(random.number()).to_le_bytes()),
                _ => block.copy_from_slice(&bits[2..]),
            }
        }
    }
    all
}

struct Case {
    format: BlockType,
    rows: usize,
    columns: usize,
    vectors: usize,
    kind: Kind,
    seed: u64,
}

/// The weights as numbers, the vectors as the product sees them, and the results `[vector][row]`.
struct Outcome {
    weights: Vec<f32>,
    vectors: Vec<f32>,
    results: Vec<Vec<f32>>,
}

impl Case {
    fn numbers(&self, random: &mut Random) -> Vec<f32> {
        let mut numbers: Vec<f32> =
            (0..self.vectors * self.columns).map(|_| random.number() * 4.0).collect();
        // A group of zeros and one that is all at the limit.
        numbers[..GROUP.min(self.columns)].fill(0.0);
        if self.columns >= 3 * GROUP {
            numbers[GROUP..2 * GROUP].fill(-3.0);
        }
        numbers
    }

    fn run(&self) -> Outcome {
        let mut random = Random(self.seed);
        let bytes = matrix(self.format, self.rows, self.columns, self.kind, &mut random);
        let numbers = self.numbers(&mut random);
        self.multiply(&bytes, &numbers, self.vectors)
    }

    fn multiply(&self, bytes: &[u8], numbers: &[f32], vectors: usize) -> Outcome {
        let form = (AMX.form)(self.format, vectors);
        let (mut int8, mut scales, mut sums) = (Vec::new(), Vec::new(), Vec::new());
        let mut bf16 = Vec::new();
        let mut seen = numbers.to_vec();
        match form {
            Form::F32 => {}
            Form::Int8 => {
                for group in seen.chunks_exact_mut(GROUP) {
                    let most = group.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
                    let scale = most / 127.0;
                    let quantized: Vec<i8> = group
                        .iter()
                        .map(|x| if scale > 0.0 { (x / scale).round_ties_even() as i8 } else { 0 })
                        .collect();
                    for (x, &quantized) in group.iter_mut().zip(&quantized) {
                        *x = f32::from(quantized) * scale;
                    }
                    for half in quantized.chunks_exact(16) {
                        sums.push(half.iter().map(|&x| i16::from(x)).sum());
                    }
                    int8.extend(quantized);
                    scales.push(scale);
                }
            }
            Form::Bf16 => {
                bf16.resize(vectors.next_multiple_of(16) * self.columns, 1);
                // SAFETY: the lengths are right, and the callers have asked `available`.
                unsafe { pack_bf16(numbers, vectors, self.columns, &mut bf16) };
                for x in &mut seen {
                    *x = round_bf16(*x);
                }
            }
        }
        let (float, int8) = (Aligned::<_, 16>::new(numbers), Aligned::<_, 64>::new(&int8));
        let (scales, sums) = (Aligned::<_, 16>::new(&scales), Aligned::<_, 32>::new(&sums));
        let bf16 = Aligned::<_, 32>::new(&bf16);
        let activations = Activations {
            rows: vectors,
            columns: self.columns,
            f32: if form == Form::F32 { float.get() } else { &[] },
            int8: int8.get(),
            scales: scales.get(),
            sums: sums.get(),
            bf16: bf16.get(),
        };
        let stride = self.rows + 3;
        let mut out = vec![-7.5_f32; vectors * stride];
        // Off any alignment.
        let mut shifted = vec![0];
        shifted.extend_from_slice(bytes);
        let task = Task {
            weights: &shifted[1..],
            rows: self.rows,
            activations,
            out: out.as_mut_ptr(),
            stride,
        };
        let mut scratch = Scratch::new();
        // SAFETY: the form is the one asked for and `out` has room; callers asked `available`.
        unsafe { AMX.products[self.format as usize](&task, &mut scratch) };
        let mut weights = vec![0.0; self.rows * self.columns];
        dequantize(self.format, bytes, &mut weights);
        let results = out.chunks_exact(stride).map(|row| {
            assert!(
                row[self.rows..].iter().all(|x| x.to_bits() == (-7.5_f32).to_bits()),
                "wrote past the rows"
            );
            row[..self.rows].to_vec()
        });
        Outcome { weights, vectors: seen, results: results.collect() }
    }

    /// How far results may be off, against the largest sum of magnitudes: the rounding of weights
    /// to bf16, or only that of sums.
    fn tolerance(&self) -> f64 {
        match (AMX.form)(self.format, self.vectors) {
            Form::Bf16 if self.format.is_quantized() => 1.0 / 256.0,
            _ => 3e-6,
        }
    }

    fn check(&self) -> Result<(), String> {
        let outcome = self.run();
        for (vector, results) in outcome.results.iter().enumerate() {
            let x = &outcome.vectors[vector * self.columns..][..self.columns];
            for (row, &result) in results.iter().enumerate() {
                let weights = &outcome.weights[row * self.columns..][..self.columns];
                let products = weights.iter().zip(x).map(|(&w, &x)| f64::from(w) * f64::from(x));
                let exact: f64 = products.sum();
                // Weights may be small differences of large numbers: so the largest one counts.
                let most = weights.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
                let size: f64 = x.iter().map(|&x| f64::from(x.abs() * most)).sum();
                let close = if exact.is_finite() {
                    (f64::from(result) - exact).abs() <= size * self.tolerance() + 1e-30
                } else {
                    !result.is_finite()
                };
                if !close {
                    return Err(format!(
                        "{:?} {:?} {}x{} with {} vectors: {result} and not {exact} (of {size}) \
                         for row {row}, vector {vector}",
                        self.format, self.kind, self.rows, self.columns, self.vectors
                    ));
                }
            }
        }
        Ok(())
    }
}

fn round_bf16(x: f32) -> f32 {
    let bits = x.to_bits();
    f32::from_bits((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
}

fn skip() -> bool {
    if !available() {
        eprintln!("skipped: this processor has no AMX");
    }
    !available()
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Usual(0.01)),
        1 => Just(Kind::Usual(60_000.0)),
        1 => Just(Kind::Factor(0)),
        1 => Just(Kind::Factor(0x7bff)),
        1 => Just(Kind::Factor(0x0001)),
        1 => Just(Kind::Same(0x7bff, 0xff)),
        1 => Just(Kind::Same(0xfbff, 0x00)),
        1 => Just(Kind::Same(0x3c00, 0x80)),
        1 => Just(Kind::Factor(0x7c00)),
        1 => Just(Kind::Factor(0x7fff)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn products_are_those_of_the_numbers_that_blocks_stand_for(
        format in 0..BlockType::ALL.len(),
        rows in 1..50_usize,
        blocks in 1..4_usize,
        vectors in 1..41_usize,
        kind in kinds(),
        seed in 0..u64::MAX,
    ) {
        if skip() {
            return Ok(());
        }
        let format = BlockType::ALL[format];
        let columns = blocks * format.block().0.max(32);
        let case = Case { format, rows, columns, vectors, kind, seed };
        let outcome = case.check();
        prop_assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    }

    #[test]
    fn a_vector_gives_the_same_alone_and_in_a_batch(
        format in 0..BlockType::ALL.len(),
        rows in 1..40_usize,
        blocks in 1..3_usize,
        vectors in 1..17_usize,
        seed in 0..u64::MAX,
    ) {
        if skip() {
            return Ok(());
        }
        let format = BlockType::ALL[format];
        let columns = blocks * format.block().0.max(64);
        let case = Case { format, rows, columns, vectors, kind: Kind::Usual(0.1), seed };
        let mut random = Random(seed);
        let bytes = matrix(format, rows, columns, case.kind, &mut random);
        let numbers = case.numbers(&mut random);
        let together = case.multiply(&bytes, &numbers, vectors).results;
        for (vector, together) in together.iter().enumerate() {
            let alone = case.multiply(&bytes, &numbers[vector * columns..][..columns], 1).results;
            let bits = |results: &[f32]| results.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(together), bits(&alone[0]));
        }
    }
}

#[test]
fn every_format_is_right_with_few_and_many_vectors_and_long_rows() {
    if skip() {
        return;
    }
    for format in BlockType::ALL {
        for (columns, vectors) in [(1024, 1), (1024, 33), (8960, 18)] {
            let kind = Kind::Usual(0.01);
            let case = Case { format, rows: 17, columns, vectors, kind, seed: 7 };
            case.check().unwrap();
        }
    }
}

#[test]
fn infinite_and_undefined_factors_never_give_finite_numbers() {
    if skip() {
        return;
    }
    for format in BlockType::ALL.into_iter().filter(|format| format.is_quantized()) {
        for vectors in [1, 16, 20] {
            for kind in [0x7c00, 0xfc00, 0x7e00, 0x7fff, 0xffff].map(Kind::Factor) {
                let case = Case { format, rows: 16, columns: 512, vectors, kind, seed: 3 };
                case.check().unwrap();
            }
        }
    }
}

#[test]
fn packing_rounds_to_the_nearest_even_and_pads_with_zeros() {
    if skip() {
        return;
    }
    let numbers: Vec<f32> = (0..18 * 64).map(|index| (index as f32 * 0.37).sin() * 50.0).collect();
    let mut out = vec![9; 32 * 64];
    // SAFETY: the lengths are right, and the processor was asked.
    unsafe { pack_bf16(&numbers, 18, 64, &mut out) };
    for row in 0..32 {
        for column in 0..64 {
            let at = row / 16 * 16 * 64 + column / 32 * 512 + row % 16 * 32 + column % 32;
            let expected = if row < 18 {
                (round_bf16(numbers[row * 64 + column]).to_bits() >> 16) as u16
            } else {
                0
            };
            assert_eq!(out[at], expected, "row {row}, column {column}");
        }
    }
}
