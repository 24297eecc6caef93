//! A model's weights as they lie in the file, by what they do.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use super::block::BlockType;

/// Where a matrix lies: a part of a mapped file that stays mapped as long as this lives.
pub trait Bytes: Debug + Send + Sync {
    /// The bytes, the same ones every time.
    fn get(&self) -> &[u8];
}

/// A matrix `[rows, columns]` that maps `columns` numbers to `rows`.
#[derive(Debug, Clone)]
pub struct Matrix {
    format: BlockType,
    rows: usize,
    columns: usize,
    bytes: Arc<dyn Bytes>,
}

impl Matrix {
    /// A matrix in `bytes`; `None` if these are not as many as it has, or a row is not a whole
    /// number of blocks.
    pub fn new(
        format: BlockType,
        rows: usize,
        columns: usize,
        bytes: Arc<dyn Bytes>,
    ) -> Option<Self> {
        let whole = columns.is_multiple_of(format.block().0);
        let fits = rows.checked_mul(format.row_bytes(columns)) == Some(bytes.get().len());
        (whole && fits).then_some(Self { format, rows, columns, bytes })
    }

    /// How its weights are written.
    pub fn format(&self) -> BlockType {
        self.format
    }

    /// Length of what comes out.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Length of what goes in.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Bytes of a row.
    pub fn row_bytes(&self) -> usize {
        self.format.row_bytes(self.columns)
    }

    /// The bytes of some rows.
    pub fn part(&self, rows: Range<usize>) -> &[u8] {
        let size = self.row_bytes();
        self.bytes.get().get(rows.start * size..rows.end * size).unwrap_or_default()
    }
}

/// A matrix and what is added to its product.
#[derive(Debug)]
pub struct Linear {
    /// The matrix.
    pub weight: Matrix,
    /// As long as the matrix has rows.
    pub bias: Option<Vec<f32>>,
}

/// How a vector is brought to a common size.
#[derive(Debug)]
pub struct Norm {
    /// Multiplied with, number by number.
    pub weight: Vec<f32>,
    /// With one it is a layer norm, without a root-mean-square norm.
    pub bias: Option<Vec<f32>>,
    /// Added to the mean square, or the variance, before its root is taken.
    pub eps: f32,
}

/// The feed-forward part of a layer.
#[derive(Debug)]
#[expect(missing_docs, reason = "the formulas say what the parts are")]
pub enum FeedForward {
    /// `down(silu(gate(x)) · up(x))`.
    Gated { gate: Linear, up: Linear, down: Linear },
    /// `down(gelu(up(x)))`.
    Plain { up: Linear, down: Linear },
}

/// A layer: `x + attention(norm(x))`, then `x + feed_forward(norm(x))`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names are the literature's")]
pub struct Layer {
    pub attention_norm: Norm,
    pub query: Linear,
    pub key: Linear,
    pub value: Linear,
    pub output: Linear,
    /// Norms of each query head and each key head.
    pub head_norms: Option<(Norm, Norm)>,
    pub feed_forward_norm: Norm,
    pub feed_forward: FeedForward,
}

/// A whole model.
#[derive(Debug)]
pub struct Weights {
    /// `[vocabulary, hidden]`.
    pub embedding: Matrix,
    /// First to last.
    pub layers: Vec<Layer>,
    /// Before the output.
    pub output_norm: Norm,
    /// `[vocabulary, hidden]`; often the embedding.
    pub output: Matrix,
}
