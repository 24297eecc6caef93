//! A model's tensors by their part in it, with their shapes checked: what every forward pass reads.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::description::{FeedForwardKind, NormKind};
use super::rope::{RopeTable, Scaling};
use super::settings::Settings;
use crate::engine::EngineError;
use crate::engine::gguf::{Gguf, TensorInfo};
use agent_pass::block::dequantize;

/// A matrix in a file: a tensor, or neighbouring rows of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct Matrix {
    /// Name of the tensor, for messages.
    pub(in crate::engine) name: String,
    /// Its place; the shape is `[outputs, inputs]`.
    pub(in crate::engine) info: TensorInfo,
}

/// A matrix and perhaps a bias.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Linear {
    /// `[outputs, inputs]`.
    pub(in crate::engine) weight: Matrix,
    /// `[outputs]`.
    pub(in crate::engine) bias: Option<Vec<f32>>,
}

/// A norm.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Norm {
    /// `[size]`.
    pub(in crate::engine) weight: Vec<f32>,
    /// `[size]`; [`NormKind::Layer`] has one, [`NormKind::RootMeanSquare`] has none.
    pub(in crate::engine) bias: Option<Vec<f32>>,
}

/// One layer.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Layer {
    /// `[hidden]`.
    pub(in crate::engine) attention_norm: Norm,
    /// `[heads * head_dim, hidden]`.
    pub(in crate::engine) query: Linear,
    /// `[kv_heads * head_dim, hidden]`.
    pub(in crate::engine) key: Linear,
    /// `[kv_heads * head_dim, hidden]`.
    pub(in crate::engine) value: Linear,
    /// `[hidden, heads * head_dim]`.
    pub(in crate::engine) output: Linear,
    /// Norms of every query and of every key head, `[head_dim]` each, without bias.
    pub(in crate::engine) head_norms: Option<(Norm, Norm)>,
    /// `[hidden]`.
    pub(in crate::engine) feed_forward_norm: Norm,
    /// `[feed_forward, hidden]`; only [`FeedForwardKind::GatedSilu`] has it.
    pub(in crate::engine) gate: Option<Linear>,
    /// `[feed_forward, hidden]`.
    pub(in crate::engine) up: Linear,
    /// `[hidden, feed_forward]`.
    pub(in crate::engine) down: Linear,
}

/// All tensors of a model.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Tensors {
    /// `[vocabulary, hidden]`.
    pub(in crate::engine) embedding: Matrix,
    /// The layers, first to last.
    pub(in crate::engine) layers: Vec<Layer>,
    /// `[hidden]`.
    pub(in crate::engine) output_norm: Norm,
    /// `[vocabulary, hidden]`; the same place as the embedding where the file has none of its own.
    pub(in crate::engine) output: Matrix,
    /// How queries and keys are turned.
    pub(in crate::engine) rope: RopeTable,
}

impl Tensors {
    /// Finds the tensors that `settings` ask for. A tensor that is missing or of another shape is
    /// an error, and so is one that nothing asked for: what it does would be missing.
    pub(in crate::engine) fn read(gguf: &Gguf, settings: &Settings) -> Result<Self, EngineError> {
        let finder = Finder { gguf, settings, used: RefCell::default() };
        let &Settings { hidden, vocabulary, .. } = settings;
        let embedding = finder.matrix("token_embd.weight", vocabulary, hidden)?;
        let output = if finder.has("output.weight") {
            finder.matrix("output.weight", vocabulary, hidden)?
        } else {
            embedding.clone()
        };
        let tensors = Self {
            embedding,
            rope: finder.rope()?,
            layers: (0..settings.layers)
                .map(|index| finder.layer(&format!("blk.{index}.")))
                .collect::<Result<_, _>>()?,
            output_norm: finder.norm("output_norm", hidden)?,
            output,
        };
        finder.refuse_unused()?;
        Ok(tensors)
    }

    /// Whether the output is the embedding.
    pub(in crate::engine) fn tied(&self) -> bool {
        self.output == self.embedding
    }
}

impl Matrix {
    /// Number of rows, the outputs.
    pub(in crate::engine) fn rows(&self) -> usize {
        self.info.shape.first().copied().unwrap_or(0)
    }

    /// Length of a row, the inputs: a whole number of blocks.
    pub(in crate::engine) fn columns(&self) -> usize {
        self.info.shape.last().copied().unwrap_or(0)
    }

    /// The `count` rows from `first` on; none beyond the end.
    fn cut(&self, first: usize, count: usize) -> Self {
        let row = self.info.dtype.row_bytes(self.columns());
        let first = first.min(self.rows());
        let count = count.min(self.rows() - first);
        let info = TensorInfo {
            shape: vec![count, self.columns()],
            offset: self.info.offset + first * row,
            size: count * row,
            ..self.info.clone()
        };
        Self { name: self.name.clone(), info }
    }
}

/// Hands out tensors and remembers which.
struct Finder<'a> {
    gguf: &'a Gguf,
    settings: &'a Settings,
    used: RefCell<BTreeSet<String>>,
}

impl Finder<'_> {
    /// The layer whose tensors start with `blk`.
    fn layer(&self, blk: &str) -> Result<Layer, EngineError> {
        let &Settings { hidden, feed_forward, head_dim, description, .. } = self.settings;
        let name = |name: &str| format!("{blk}{name}");
        let linear = |part: &str, outputs, inputs| self.linear(&name(part), outputs, inputs);
        let attention_norm = self.norm(&name("attn_norm"), hidden)?;
        let [query, key, value] = self.projections(blk)?;
        let head_norm = |part: &str| {
            let weight = self.vector(&name(part), head_dim)?;
            Ok::<_, EngineError>(Norm { weight, bias: None })
        };
        Ok(Layer {
            attention_norm,
            query,
            key,
            value,
            output: linear("attn_output", hidden, self.settings.queries())?,
            head_norms: if description.head_norms {
                Some((head_norm("attn_q_norm.weight")?, head_norm("attn_k_norm.weight")?))
            } else {
                None
            },
            feed_forward_norm: self.norm(&name("ffn_norm"), hidden)?,
            gate: match description.feed_forward {
                FeedForwardKind::GatedSilu => Some(linear("ffn_gate", feed_forward, hidden)?),
                FeedForwardKind::Gelu => None,
            },
            up: linear("ffn_up", feed_forward, hidden)?,
            down: linear("ffn_down", hidden, feed_forward)?,
        })
    }

    /// Queries, keys and values: three tensors, or one after the other in one.
    fn projections(&self, blk: &str) -> Result<[Linear; 3], EngineError> {
        let (hidden, queries, keys) =
            (self.settings.hidden, self.settings.queries(), self.settings.keys());
        let sizes = [("attn_q", queries), ("attn_k", keys), ("attn_v", keys)];
        let fused = format!("{blk}attn_qkv");
        let fused = if self.has(&format!("{fused}.weight")) {
            Some(self.linear(&fused, queries + 2 * keys, hidden)?)
        } else {
            None
        };
        let mut start = 0;
        let mut projections = Vec::with_capacity(sizes.len());
        for (part, size) in sizes {
            let name = format!("{blk}{part}");
            projections.push(match &fused {
                None => self.linear(&name, size, hidden)?,
                Some(fused) => {
                    let bias = fused.bias.as_ref().and_then(|bias| bias.get(start..start + size));
                    Linear {
                        weight: fused.weight.cut(start, size),
                        // A file may keep the biases apart nevertheless.
                        bias: match bias {
                            Some(bias) => Some(bias.to_vec()),
                            None => self.bias(&name, size)?,
                        },
                    }
                }
            });
            start += size;
        }
        <[Linear; 3]>::try_from(projections)
            .map_err(|_| self.gguf.malformed(blk, "there are not three projections"))
    }

    /// `name.weight`, `[outputs, inputs]`, with the bias `name.bias`, `[outputs]`, if there is one.
    fn linear(&self, name: &str, outputs: usize, inputs: usize) -> Result<Linear, EngineError> {
        let weight = self.matrix(&format!("{name}.weight"), outputs, inputs)?;
        Ok(Linear { weight, bias: self.bias(name, outputs)? })
    }

    fn bias(&self, name: &str, size: usize) -> Result<Option<Vec<f32>>, EngineError> {
        let name = format!("{name}.bias");
        if self.has(&name) { self.vector(&name, size).map(Some) } else { Ok(None) }
    }

    /// `name.weight`, `[size]`, and, in a layer norm, `name.bias`.
    fn norm(&self, name: &str, size: usize) -> Result<Norm, EngineError> {
        let weight = self.vector(&format!("{name}.weight"), size)?;
        let bias = match self.settings.description.norm {
            NormKind::RootMeanSquare => None,
            NormKind::Layer => Some(self.vector(&format!("{name}.bias"), size)?),
        };
        Ok(Norm { weight, bias })
    }

    fn rope(&self) -> Result<RopeTable, EngineError> {
        const FACTORS: &str = "rope_freqs.weight";
        const LONG: &str = "rope_factors_long.weight";
        const SHORT: &str = "rope_factors_short.weight";
        let Settings { rope, context_length, .. } = self.settings;
        let name = if let Scaling::Long { .. } = rope.scaling {
            let is_long = *context_length > rope.original_context;
            // Both are this model's, whichever is used.
            self.used.borrow_mut().extend([LONG.to_owned(), SHORT.to_owned()]);
            Some(if is_long { LONG } else { SHORT })
        } else {
            Some(FACTORS).filter(|name| self.has(name))
        };
        let factors = name.map(|name| self.vector(name, rope.dimensions / 2)).transpose()?;
        let unsound =
            factors.as_ref().and_then(|all| all.iter().find(|f| !(f.is_normal() && **f > 0.0)));
        if let (Some(name), Some(factor)) = (name, unsound) {
            return Err(self.gguf.malformed(name, format!("{factor} is no factor of a frequency")));
        }
        Ok(RopeTable::new(rope, factors.as_deref()))
    }

    fn has(&self, name: &str) -> bool {
        self.gguf.tensors.contains_key(name)
    }

    /// The tensor `name` as a matrix that maps `inputs` to `outputs`.
    fn matrix(&self, name: &str, outputs: usize, inputs: usize) -> Result<Matrix, EngineError> {
        let info = self.tensor(name, &[outputs, inputs])?.clone();
        Ok(Matrix { name: name.to_owned(), info })
    }

    /// The tensor `name`, `[length]`.
    fn vector(&self, name: &str, length: usize) -> Result<Vec<f32>, EngineError> {
        let info = self.tensor(name, &[length])?;
        let mut numbers = vec![0.0; length];
        dequantize(info.dtype, self.gguf.data(info), &mut numbers);
        Ok(numbers)
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<&TensorInfo, EngineError> {
        let Some(info) = self.gguf.tensors.get(name) else {
            return Err(self.gguf.malformed(name, format!("the tensor is missing ({shape:?})")));
        };
        if info.shape != shape {
            let message = format!("the shape is {:?}, expected {shape:?}", info.shape);
            return Err(self.gguf.malformed(name, message));
        }
        self.used.borrow_mut().insert(name.to_owned());
        Ok(info)
    }

    fn refuse_unused(&self) -> Result<(), EngineError> {
        // Tables that older files carry and that everyone computes anew.
        const TABLES: [&str; 2] = ["rotary_emb.inv_freq", "attn_rot_embd"];
        let used = self.used.borrow();
        let unused =
            self.gguf.tensors.keys().find(|name| {
                !used.contains(*name) && !TABLES.iter().any(|table| name.contains(table))
            });
        match unused {
            Some(name) => Err(self.gguf.unsupported(
                name,
                "this architecture's decoder has no use for the tensor, so the model is not what \
                 its metadata says",
            )),
            None => Ok(()),
        }
    }
}
