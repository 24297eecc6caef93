//! Whole passes over a small model of random weights, on every instruction set of this machine.

use crate::block::BlockType;
use crate::kernels::tests::Stream;
use crate::pages::{PageShape, Pool};
use crate::weights::{Bytes, Layer};
use crate::{Kernels, Pairs, instruction_sets};

use super::*;

const HIDDEN: usize = 128;
const HEAD: usize = 32;
const INNER: usize = 192;
const VOCABULARY: usize = 70;

/// Exactly the bytes of a matrix, so that a tool that watches memory sees a read past their end.
#[derive(Debug)]
struct Owned(Box<[u8]>);

impl Bytes for Owned {
    fn get(&self) -> &[u8] {
        &self.0
    }
}

impl Stream {
    fn matrix(&mut self, format: BlockType, rows: usize, columns: usize) -> Matrix {
        let (_, block) = format.block();
        let mut bytes: Box<[u8]> =
            (0..rows * format.row_bytes(columns)).map(|_| self.next() as u8).collect();
        for block in bytes.chunks_exact_mut(block) {
            let number = self.next() as f32 / 4e10 - 0.05;
            match format {
                BlockType::F32 => block.copy_from_slice(&number.to_le_bytes()),
                BlockType::BF16 => block.copy_from_slice(&number.to_le_bytes()[2..]),
                // The scale of a block: 2⁻¹⁰.
                _ => block[..2].copy_from_slice(&0x1400_u16.to_le_bytes()),
            }
        }
        Matrix::new(format, rows, columns, Arc::new(Owned(bytes))).unwrap()
    }

    fn linear(&mut self, format: BlockType, rows: usize, columns: usize) -> Linear {
        Linear { weight: self.matrix(format, rows, columns), bias: None }
    }
}

fn norm() -> Norm {
    Norm { weight: vec![1.0; HIDDEN], bias: None, eps: 1e-5 }
}

fn weights(format: BlockType) -> Weights {
    let mut stream = Stream(5);
    let layer = |stream: &mut Stream| Layer {
        attention_norm: norm(),
        query: stream.linear(format, 4 * HEAD, HIDDEN),
        key: stream.linear(format, 2 * HEAD, HIDDEN),
        value: stream.linear(format, 2 * HEAD, HIDDEN),
        output: stream.linear(format, HIDDEN, 4 * HEAD),
        head_norms: None,
        feed_forward_norm: norm(),
        feed_forward: FeedForward::Gated {
            gate: stream.linear(format, INNER, HIDDEN),
            up: stream.linear(format, INNER, HIDDEN),
            down: stream.linear(format, HIDDEN, INNER),
        },
    };
    Weights {
        embedding: stream.matrix(format, VOCABULARY, HIDDEN),
        layers: vec![layer(&mut stream), layer(&mut stream)],
        output_norm: norm(),
        output: stream.matrix(format, VOCABULARY, HIDDEN),
    }
}

/// The logits after a prompt of 70 tokens, then after 5 more at once, then after each of 3 steps.
fn logits(
    format: BlockType,
    kv_format: KvFormat,
    kernels: &'static Kernels,
    threads: usize,
) -> Vec<f32> {
    let shape = Shape { heads: 4, kv_heads: 2, head_dim: HEAD, window: None, kv_format };
    let frequencies = (0..HEAD / 2).map(|i| 1e4_f64.powf(-(i as f64) / 16.0)).collect();
    let rotation = Rotation::new(Pairs::Halves, frequencies, 1.0);
    let mut pass = Pass::new(weights(format), shape, rotation, kernels, threads);
    let pages = PageShape { layers: 2, kv_heads: 2, head_dim: HEAD, format: kv_format };
    let pool = Pool::new(pages);
    let pages: Vec<Arc<Page>> = (0..2).map(|_| Arc::new(pool.page().unwrap())).collect();
    let tokens: Vec<u32> = (0..78).map(|n| n * 31 % VOCABULARY as u32).collect();
    let mut out = Vec::new();
    let mut start = 0;
    for (count, wanted) in [(70, 1), (5, 5), (1, 1), (1, 1), (1, 1)] {
        let mut logits = vec![0.0; wanted * VOCABULARY];
        let tokens = &tokens[start..start + count];
        let input = Input { tokens, start, pages: &pages, logits: wanted };
        // SAFETY: the pages are this test's own and of the model's shape; the tokens are rows of
        // the embedding.
        unsafe { pass.run(&[input], &|| false, &mut logits) }.unwrap();
        out.extend(logits);
        start += count;
    }
    out
}

#[test]
fn every_instruction_set_and_number_of_threads_comes_to_what_plain_arithmetic_does() {
    for format in [BlockType::F32, BlockType::BF16, BlockType::Q8_0, BlockType::Q4_0] {
        for kv_format in [KvFormat::F16, KvFormat::Q8_0] {
            let sets = instruction_sets();
            let plain = logits(format, kv_format, sets[sets.len() - 1], 1);
            let length = |of: &[f32]| of.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!(length(&plain) > 1.0 && length(&plain).is_finite());
            for kernels in sets {
                let one = logits(format, kv_format, kernels, 1);
                let product: f32 = one.iter().zip(&plain).map(|(a, b)| a * b).sum();
                let cosine = product / length(&one) / length(&plain);
                let name = kernels.name;
                assert!(cosine > 0.999, "{name} {format:?} {kv_format:?}: {cosine}");
                let three = logits(format, kv_format, kernels, 3);
                assert_eq!(one, three, "{name} {format:?} {kv_format:?}");
            }
        }
    }
}
