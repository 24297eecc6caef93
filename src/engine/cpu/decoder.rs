//! The pass as a [`Decoder`]: sequences in, logits out.
#![expect(unsafe_code, reason = "the pass writes to pages that sequences have made their own")]

use std::sync::Arc;

use agent_pass::pages::{KvFormat, PageShape, Pool};
use agent_pass::weights::{Bytes, FeedForward, Layer, Linear, Matrix, Norm, Weights};
use agent_pass::{BlockType, Cancelled, Input, Kernels, Pairs, Pass, Rotation, Shape};

use super::prefix_tree::PrefixTree;
use super::saved::Saved;
use super::sequence::Sequence;
use super::shift::Rotate;
use crate::engine::decoder::{Decoder, Logits, Row, Unfinished};
use crate::engine::gguf::{Gguf, TensorInfo};
use crate::engine::model::rope::Pairing;
use crate::engine::model::settings::Settings;
use crate::engine::model::tensors::{self, Tensors};
use crate::engine::{CacheOptions, EngineError};

/// How to run a model on the CPU.
#[derive(Debug, Clone, Copy)]
pub struct CpuOptions {
    /// Longest sequence in tokens, if the model has not a shorter one.
    pub context_length: usize,
    /// Threads, the calling one included.
    pub threads: usize,
    /// The instruction set.
    pub kernels: &'static Kernels,
    /// What keys and values are kept as.
    pub kv_format: KvFormat,
}

/// A model on the CPU.
#[derive(Debug)]
pub struct CpuDecoder {
    pass: Pass,
    pages: Pool,
    context_length: usize,
    rotation: Rotation,
}

impl CpuDecoder {
    /// The model in `gguf`. Its weights stay where they are in the file.
    pub fn load(gguf: &Gguf, options: CpuOptions) -> Result<Self, EngineError> {
        let CpuOptions { context_length, threads, kernels, kv_format } = options;
        let settings = Settings::read(gguf, context_length)?;
        let tensors = Tensors::read(gguf, &settings)?;
        let &Settings { heads, kv_heads, head_dim, window, context_length, layers, .. } = &settings;
        let pairs = match tensors.rope.pairing() {
            Pairing::Halves => Pairs::Halves,
            Pairing::Neighbours => Pairs::Neighbours,
        };
        let rotation =
            Rotation::new(pairs, tensors.rope.frequencies().to_vec(), tensors.rope.magnitude());
        let weights = Reader { gguf, eps: settings.norm_eps }.weights(tensors)?;
        let shape = Shape { heads, kv_heads, head_dim, window, kv_format };
        Ok(Self {
            pass: Pass::new(weights, shape, rotation.clone(), kernels, threads),
            pages: Pool::new(PageShape { layers, kv_heads, head_dim, format: kv_format }),
            context_length,
            rotation,
        })
    }

    /// A place to keep this model's sequences in; `gguf` is the file it was loaded from.
    pub fn store(&self, gguf: &Gguf, options: &CacheOptions) -> PrefixTree {
        let mut tree = PrefixTree::new(&self.pages, self.context_length, options.most_bytes);
        if options.reuse_shifted {
            let (rotation, head_dim) = (self.rotation.clone(), self.pages.shape().head_dim);
            let rotate: Rotate = Arc::new(move |keys: &mut [f32], by| {
                keys.chunks_exact_mut(head_dim).for_each(|key| rotation.turn_on(key, by));
            });
            tree = tree.with_reuse_of_shifted(rotate);
        }
        match &options.folder {
            None => tree,
            Some(folder) => {
                let (most, length) = (options.most_saved_bytes, self.context_length);
                // Reads parts of the whole file, so only where something is saved under it.
                let identity = gguf.identity();
                tree.with_saved(Saved::open(folder.clone(), most, identity, &self.pages, length))
            }
        }
    }

    /// Threads and instruction set, for people.
    pub fn description(&self) -> String {
        let threads = self.pass.threads();
        let plural = if threads == 1 { "" } else { "s" };
        format!("cpu ({threads} thread{plural}, {})", self.pass.kernels().name)
    }
}

impl Decoder for CpuDecoder {
    type Sequence = Sequence;

    fn vocabulary(&self) -> usize {
        self.pass.weights().output.rows()
    }

    fn context_length(&self) -> usize {
        self.context_length
    }

    fn chunk(&self) -> usize {
        // Enough that the unpacking of weights does not count; the pass can be stopped within.
        512
    }

    fn most_drafted(&self) -> usize {
        // More would be verified by other numbers than those that a single step gives.
        (self.pass.kernels().steady - 1).min(15)
    }

    fn empty(&self) -> Sequence {
        Sequence::new(&self.pages, self.context_length)
    }

    fn evaluate(
        &mut self,
        rows: &mut [Row<'_, Sequence>],
        stop: &dyn Fn() -> bool,
        out: &mut Logits,
    ) -> Result<(), Unfinished> {
        let vocabulary = self.vocabulary();
        for row in rows.iter_mut() {
            if row.tokens.is_empty() {
                let message = "a row without tokens".to_owned();
                return Err(EngineError::Compute { message }.into());
            }
            if let Some(id) = row.tokens.iter().find(|id| **id as usize >= vocabulary) {
                let message = format!("token {id} of a vocabulary of {vocabulary}");
                return Err(EngineError::Compute { message }.into());
            }
            row.sequence.reserve(row.tokens.len())?;
        }
        let inputs: Vec<Input<'_>> = rows
            .iter()
            .map(|row| Input {
                tokens: row.tokens,
                start: row.sequence.len(),
                pages: row.sequence.pages(),
                logits: row.wanted,
            })
            .collect();
        let wanted = rows.iter().map(|row| row.wanted.min(row.tokens.len())).sum();
        let logits = out.reset(wanted, vocabulary);
        // SAFETY: `reserve` has made the pages of the positions to come the sequences' own, which
        // are borrowed mutably and different from each other; the tokens were checked above.
        let outcome = unsafe { self.pass.run(&inputs, stop, logits) };
        if outcome == Err(Cancelled) {
            return Err(Unfinished::Stopped);
        }
        for row in rows {
            row.sequence.commit(row.tokens);
        }
        Ok(())
    }
}

/// Makes the pass's weights of a file's tensors.
struct Reader<'a> {
    gguf: &'a Gguf,
    eps: f32,
}

impl Reader<'_> {
    fn weights(&self, tensors: Tensors) -> Result<Weights, EngineError> {
        Ok(Weights {
            embedding: self.matrix(tensors.embedding)?,
            layers: tensors
                .layers
                .into_iter()
                .map(|layer| self.layer(layer))
                .collect::<Result<_, _>>()?,
            output_norm: self.norm(tensors.output_norm),
            output: self.matrix(tensors.output)?,
        })
    }

    fn layer(&self, layer: tensors::Layer) -> Result<Layer, EngineError> {
        let (up, down) = (self.linear(layer.up)?, self.linear(layer.down)?);
        Ok(Layer {
            attention_norm: self.norm(layer.attention_norm),
            query: self.linear(layer.query)?,
            key: self.linear(layer.key)?,
            value: self.linear(layer.value)?,
            output: self.linear(layer.output)?,
            head_norms: layer.head_norms.map(|(query, key)| (self.norm(query), self.norm(key))),
            feed_forward_norm: self.norm(layer.feed_forward_norm),
            feed_forward: match layer.gate {
                Some(gate) => FeedForward::Gated { gate: self.linear(gate)?, up, down },
                None => FeedForward::Plain { up, down },
            },
        })
    }

    fn linear(&self, linear: tensors::Linear) -> Result<Linear, EngineError> {
        Ok(Linear { weight: self.matrix(linear.weight)?, bias: linear.bias })
    }

    fn norm(&self, norm: tensors::Norm) -> Norm {
        Norm { weight: norm.weight, bias: norm.bias, eps: self.eps }
    }

    fn matrix(&self, matrix: tensors::Matrix) -> Result<Matrix, EngineError> {
        let (rows, columns) = (matrix.rows(), matrix.columns());
        let format: BlockType = matrix.info.dtype;
        let bytes = Arc::new(Tensor { gguf: self.gguf.clone(), info: matrix.info });
        Matrix::new(format, rows, columns, bytes).ok_or_else(|| {
            self.gguf.malformed(&matrix.name, "its bytes are not those of its shape")
        })
    }
}

/// A tensor's bytes in the mapped file.
#[derive(Debug)]
struct Tensor {
    gguf: Gguf,
    info: TensorInfo,
}

impl Bytes for Tensor {
    fn get(&self) -> &[u8] {
        self.gguf.data(&self.info)
    }
}
