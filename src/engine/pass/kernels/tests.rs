//! Every table that this processor can run, against the scalar twin.

#![expect(unsafe_code, reason = "kernels are called as the engine calls them")]

use proptest::prelude::*;

use super::scalar::integers;
use super::*;
use crate::activations::GROUP;
use crate::block::dequantize;

/// Numbers in memory at a multiple of 64 bytes.
struct Aligned<T> {
    memory: Vec<T>,
    start: usize,
    length: usize,
}

impl<T: Copy + Default> Aligned<T> {
    fn new(length: usize) -> Self {
        let memory = vec![T::default(); length + 64];
        let start = memory.as_ptr().align_offset(64);
        Self { memory, start, length }
    }

    fn slice(&self) -> &[T] {
        &self.memory[self.start..][..self.length]
    }

    fn slice_mut(&mut self) -> &mut [T] {
        &mut self.memory[self.start..][..self.length]
    }
}

/// Activations in every form.
struct Owned {
    columns: usize,
    f32: Aligned<f32>,
    int8: Aligned<i8>,
    scales: Aligned<f32>,
    sums: Aligned<i16>,
    bf16: Aligned<u16>,
}

impl Owned {
    fn new(rows: usize, columns: usize, mut number: impl FnMut() -> f32) -> Self {
        let padded = rows.next_multiple_of(16);
        let mut of = Self {
            columns,
            f32: Aligned::new(rows * columns),
            int8: Aligned::new(rows * columns),
            scales: Aligned::new(rows * columns / GROUP),
            sums: Aligned::new(rows * columns / (GROUP / 2)),
            bf16: Aligned::new(padded * columns),
        };
        of.f32.slice_mut().fill_with(&mut number);
        scalar::quantize_row(
            of.f32.slice(),
            of.int8.slice_mut(),
            of.scales.slice_mut(),
            of.sums.slice_mut(),
        );
        for (row, vector) in of.f32.slice().chunks_exact(columns).enumerate() {
            for (column, x) in vector.iter().enumerate() {
                let block = row / 16 * 16 * columns + column / GROUP * 16 * GROUP;
                let at = block + row % 16 * GROUP + column % GROUP;
                let (bits, odd) = (x.to_bits(), x.to_bits() >> 16 & 1);
                let rounded = if x.is_nan() { bits | 1 << 22 } else { bits + 0x7fff + odd };
                of.bf16.slice_mut()[at] = (rounded >> 16) as u16;
            }
        }
        of
    }

    /// The rows from `first` on, `rows` of them. The bf16 form is there only from row 0 on.
    fn part(&self, first: usize, rows: usize) -> Activations<'_> {
        let numbers = first * self.columns..(first + rows) * self.columns;
        let by = |by: usize| numbers.start / by..numbers.end / by;
        Activations {
            rows,
            columns: self.columns,
            f32: &self.f32.slice()[numbers.clone()],
            int8: &self.int8.slice()[numbers.clone()],
            scales: &self.scales.slice()[by(GROUP)],
            sums: &self.sums.slice()[by(GROUP / 2)],
            bf16: if first == 0 { self.bf16.slice() } else { &[] },
        }
    }
}

/// What blocks and activations are made of.
#[derive(Debug, Clone, Copy)]
enum Content {
    /// Anything, with scales about 1.
    Random,
    /// All bits of quants (and so of small scales) set or clear, largest scales and activations.
    Extreme,
    /// Zeros in the blocks.
    Zero,
    /// Some scales that are infinite or not a number.
    Wild,
    /// Some activations that are infinite or not a number.
    WildActivations,
}

/// A stream of numbers that look random.
pub(crate) struct Stream(pub(crate) u64);

impl Stream {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    fn below(&mut self, end: u32) -> usize {
        (self.next() % end) as usize
    }

    /// In -1..1.
    fn unit(&mut self) -> f32 {
        self.next() as f32 / 2_147_483_648.0 - 1.0
    }
}

/// Where the half-precision scales of a block are.
pub(super) fn scale_offsets(format: BlockType) -> &'static [usize] {
    match format {
        BlockType::F32 | BlockType::BF16 => &[],
        BlockType::F16
        | BlockType::Q4_0
        | BlockType::Q5_0
        | BlockType::Q8_0
        | BlockType::IQ4_NL
        | BlockType::IQ4_XS => &[0],
        BlockType::Q4_1 | BlockType::Q5_1 | BlockType::Q4_K | BlockType::Q5_K => &[0, 2],
        BlockType::Q2_K => &[80, 82],
        BlockType::Q3_K => &[108],
        BlockType::Q6_K => &[208],
    }
}

fn blocks(format: BlockType, count: usize, content: Content, stream: &mut Stream) -> Vec<u8> {
    let (_, bytes) = format.block();
    let mut all = vec![0u8; count * bytes];
    let flipped = stream.below(2) == 0;
    for block in all.chunks_exact_mut(bytes) {
        match content {
            Content::Zero => continue,
            Content::Extreme => {
                let byte = [0x00, 0xff, 0x80, 0x7f][stream.below(if flipped { 4 } else { 2 })];
                block.fill(byte);
            }
            _ => block.fill_with(|| stream.next() as u8),
        }
        let wild = matches!(content, Content::Wild) && stream.below(4) == 0;
        for at in scale_offsets(format) {
            let bits: u16 = match content {
                Content::Extreme => [0x7bff, 0xfbff][stream.below(2)],
                _ if wild => [0x7c00, 0xfc00, 0x7e00][stream.below(3)],
                // From 2^-6 to 2^2, either sign; now and then subnormal.
                _ if stream.below(16) == 0 => stream.below(0x400) as u16,
                _ => (stream.next() as u16 & 0x83ff) | (9 + stream.below(8) as u16) << 10,
            };
            block[*at..at + 2].copy_from_slice(&bits.to_le_bytes());
        }
        if scale_offsets(format).is_empty() {
            let number = match content {
                Content::Extreme => 3e18 * stream.unit().signum(),
                _ if wild => [f32::INFINITY, f32::NAN][stream.below(2)],
                _ => stream.unit(),
            };
            let number = number.to_bits().to_le_bytes();
            block.copy_from_slice(&number[4 - bytes..]);
        }
    }
    all
}

/// The numbers `w · x` should add up to, and the sum of the magnitudes of what is added.
fn expected(format: BlockType, form: Form, row: &[u8], x: Activations<'_>) -> (f64, f64) {
    let (weights, bytes) = format.block();
    let mut row_of = vec![0f32; x.columns];
    dequantize(format, row, &mut row_of);
    let mut total = (0f64, 0f64);
    for (k, w) in row_of.iter().enumerate() {
        let value = match form {
            Form::Int8 => f64::from(x.int8[k]) * f64::from(x.scales[k / GROUP]),
            Form::F32 | Form::Bf16 => f64::from(x.f32[k]),
        };
        let product = f64::from(*w) * value;
        total = (total.0 + product, total.1 + product.abs());
        if format.is_quantized() && k % weights == 0 {
            // A minimum may cancel most of what scale and quant say: it counts as a summand.
            let of = integers(format, &row[k / weights * bytes..][..bytes]);
            for at in 0..weights {
                let value = match form {
                    Form::Int8 => x.scales[(k + at) / GROUP] * f32::from(x.int8[k + at]),
                    Form::F32 | Form::Bf16 => x.f32[k + at],
                };
                total.1 += f64::from(of.minima[at / 16] * value).abs();
            }
        }
    }
    total
}

/// Runs a product into a fresh output, of which nothing else may be touched.
fn run(
    table: &Kernels,
    format: BlockType,
    weights: &[u8],
    rows: usize,
    x: Activations<'_>,
) -> Vec<f32> {
    const UNTOUCHED: f32 = -1.5e-33;
    let stride = rows + 3;
    let mut out = vec![UNTOUCHED; stride * x.rows];
    let task = Task { weights, rows, activations: x, out: out.as_mut_ptr(), stride };
    // SAFETY: the table is available, and everything is as long as it has to be.
    unsafe { (table.products[format as usize])(&task, &mut Scratch::new()) };
    for row in out.chunks_exact(stride) {
        assert!(row[rows..].iter().all(|x| x.to_bits() == UNTOUCHED.to_bits()), "{}", table.name);
    }
    out.chunks_exact(stride).flat_map(|row| row[..rows].to_vec()).collect()
}

/// Relative to the sum of the magnitudes: what the form and an order of additions may cost.
fn tolerance(form: Form) -> f64 {
    match form {
        Form::Int8 | Form::F32 => 1e-5,
        // Two factors of 8 significant bits.
        Form::Bf16 => 1.0 / 128.0,
    }
}

fn compare(
    format: BlockType,
    content: Content,
    blocks_in_row: usize,
    rows: usize,
    m: usize,
    seed: u64,
) {
    let mut stream = Stream(seed);
    let (weights_in_block, _) = format.block();
    let columns = blocks_in_row * weights_in_block;
    let row_bytes = format.row_bytes(columns);
    let weights = blocks(format, rows * blocks_in_row, content, &mut stream);
    let owned = Owned::new(m, columns, || match content {
        Content::Extreme => [1.0, -1.0][stream.below(2)],
        Content::WildActivations if stream.below(100) == 0 => f32::INFINITY,
        _ => stream.unit(),
    });
    let x = owned.part(0, m);
    for table in available() {
        let form = (table.form)(format, m);
        let products = run(table, format, &weights, rows, x);
        for (row, bytes) in weights.chunks_exact(row_bytes).enumerate() {
            for vector in 0..m {
                let (exact, size) = expected(format, form, bytes, owned.part(vector, 1));
                let product = f64::from(products[vector * rows + row]);
                let name =
                    format!("{} {format:?} {content:?} row {row} vector {vector}", table.name);
                if exact.is_finite() {
                    let error = (product - exact).abs();
                    assert!(
                        error <= tolerance(form) * size + 1e-30,
                        "{name}: {product} for {exact} of {size}"
                    );
                } else {
                    assert!(!product.is_finite(), "{name}: {product} for {exact}");
                }
            }
        }
    }
}

/// How many vectors may be evaluated together without changing any bit of a result.
const STEADY: usize = 2;

fn steady(format: BlockType, columns: usize) {
    let mut stream = Stream(7);
    let (in_block, _) = format.block();
    let weights = blocks(format, 7 * columns / in_block, Content::Random, &mut stream);
    let owned = Owned::new(STEADY, columns, || stream.unit());
    for table in available() {
        // Where a table turns to another form, so does the result.
        let forms = (1..=STEADY).map(|m| (table.form)(format, m)).collect::<Vec<_>>();
        for m in 2..=STEADY {
            if forms[m - 1] != forms[0] {
                continue;
            }
            let together = run(table, format, &weights, 7, owned.part(0, m));
            for vector in 0..m {
                let alone = run(table, format, &weights, 7, owned.part(vector, 1));
                let bits =
                    |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(
                    bits(&together[vector * 7..][..7]),
                    bits(&alone),
                    "{} {format:?} vector {vector} of {m}",
                    table.name
                );
            }
        }
    }
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        4 => Just(Content::Random),
        3 => Just(Content::Extreme),
        1 => Just(Content::Zero),
        1 => Just(Content::Wild),
        1 => Just(Content::WildActivations),
    ]
}

macro_rules! formats {
    ($($name:ident $format:ident),*) => {
        $(mod $name {
            use super::*;

            proptest! {
                #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

                #[test]
                fn products_are_those_of_the_scalar_twin(
                    content in content(),
                    groups in 1usize..12,
                    rows in 1usize..40,
                    m in 1usize..20,
                    seed in any::<u64>(),
                ) {
                    let (weights, _) = BlockType::$format.block();
                    let blocks = if weights == 256 { groups.div_ceil(4) } else { groups * 32 / weights };
                    compare(BlockType::$format, content, blocks, rows, m, seed);
                }
            }

            #[test]
            fn long_rows_are_those_of_the_scalar_twin() {
                let (weights, _) = BlockType::$format.block();
                compare(BlockType::$format, Content::Random, 8960 / weights, 2, 2, 1);
                compare(BlockType::$format, Content::Extreme, 8960 / weights, 1, 1, 2);
            }

            #[test]
            fn a_result_does_not_depend_on_what_is_evaluated_with_it() {
                steady(BlockType::$format, 256 * 3);
                if BlockType::$format.block().0 <= 32 {
                    steady(BlockType::$format, 32 * 13);
                }
            }
        })*
    };
}

formats! {
    f32 F32, f16 F16, bf16 BF16, q4_0 Q4_0, q4_1 Q4_1, q5_0 Q5_0, q5_1 Q5_1, q8_0 Q8_0,
    q2_k Q2_K, q3_k Q3_K, q4_k Q4_K, q5_k Q5_K, q6_k Q6_K, iq4_nl IQ4_NL, iq4_xs IQ4_XS
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn activations_become_the_same_integers_everywhere(
        groups in 1usize..5,
        exponent in -140i32..126,
        special in 0usize..8,
        seed in any::<u64>(),
    ) {
        let mut stream = Stream(seed);
        let count = groups * GROUP;
        let mut x: Vec<f32> = (0..count).map(|_| stream.unit() * 2f32.powi(exponent)).collect();
        match special {
            0 => x[stream.below(count as u32)] = f32::NAN,
            1 => x[stream.below(count as u32)] = f32::NEG_INFINITY,
            2 => x[..GROUP].fill(-0.0),
            // Halves, all of them ties.
            3 => x.fill_with(|| (stream.below(254) as f32 - 126.5) * 2f32.powi(exponent / 2)),
            4 => x.fill_with(|| [f32::MAX, f32::MIN][stream.below(2)]),
            _ => {}
        }
        let quantized = |quantize: Quantize| {
            let (mut int8, mut scales) = (vec![1i8; count], vec![1f32; groups]);
            let mut sums = vec![1i16; groups * 2];
            // SAFETY: the table is available and the lengths are right.
            unsafe { quantize(&x, &mut int8, &mut scales, &mut sums) };
            (int8, scales.iter().map(|scale| scale.to_bits()).collect::<Vec<_>>(), sums)
        };
        let expected = quantized(scalar::SCALAR.quantize);
        for table in available() {
            prop_assert_eq!(&quantized(table.quantize), &expected, "{}", table.name);
        }
    }
}

#[test]
fn an_instruction_set_is_chosen_by_name_and_an_unknown_one_is_an_error() {
    assert_eq!(choose(Some("Scalar")).map(|table| table.name), Ok("scalar"));
    assert_eq!(choose(None).map(|table| table.name), Ok(available()[0].name));
    let error = choose(Some("abacus")).unwrap_err();
    assert!(error.contains("\"abacus\"") && error.ends_with("scalar"), "{error}");
}

#[test]
fn every_table_is_named_once() {
    let mut names: Vec<_> = available().iter().map(|table| table.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}
