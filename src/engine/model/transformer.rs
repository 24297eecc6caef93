//! The dense decoder with norms before its blocks, which most architectures are.

use candle_core::quantized::QMatMul;
use candle_core::{Device, Module, Result, Tensor};

use super::attention::{Attention, Shared};
use super::layers::{Mlp, Norm};
use super::rope::{Pairing, Rope};
use super::settings::Settings;
use super::weights::Weights;
use super::{Decoder, Row, compute};
use crate::engine::EngineError;
use crate::engine::kv_cache::{CacheShape, KvCache};

/// One layer: `x + attention(norm(x))`, then `x + mlp(norm(x))`.
pub(super) struct Layer {
    /// `[hidden]`.
    pub(super) attention_norm: Norm,
    pub(super) attention: Attention,
    /// `[hidden]`.
    pub(super) mlp_norm: Norm,
    pub(super) mlp: Mlp,
}

impl Layer {
    /// Reads the layer whose tensors start with `blk`: attention with separate projections, with a
    /// norm on each query and key head or none, and a gated feed-forward network. Biases are read
    /// where the file has them.
    pub(super) fn dense(
        weights: &Weights<'_>,
        settings: &Settings,
        blk: &str,
        head_norms: bool,
    ) -> std::result::Result<Self, EngineError> {
        let &Settings { hidden, feed_forward, head_dim, norm_eps, .. } = settings;
        let (queries, keys) = (settings.queries(), settings.keys());
        let linear =
            |name: &str, outputs, inputs| weights.linear(&format!("{blk}{name}"), outputs, inputs);
        let norm = |name: &str, size| weights.norm(&format!("{blk}{name}"), size, norm_eps);
        Ok(Self {
            attention_norm: norm("attn_norm", hidden)?,
            attention: Attention {
                query: linear("attn_q", queries, hidden)?,
                key: linear("attn_k", keys, hidden)?,
                value: linear("attn_v", keys, hidden)?,
                output: linear("attn_output", hidden, queries)?,
                head_norms: if head_norms {
                    Some((norm("attn_q_norm", head_dim)?, norm("attn_k_norm", head_dim)?))
                } else {
                    None
                },
            },
            mlp_norm: norm("ffn_norm", hidden)?,
            mlp: Mlp {
                gate: linear("ffn_gate", feed_forward, hidden)?,
                up: linear("ffn_up", feed_forward, hidden)?,
                down: linear("ffn_down", hidden, feed_forward)?,
            },
        })
    }
}

/// The whole model.
pub(super) struct Transformer {
    settings: Settings,
    device: Device,
    /// Runs on one thread.
    alone: bool,
    rope: Rope,
    /// `[vocabulary, hidden]`; looked up row by row, never expanded as a whole.
    embedding: QMatMul,
    layers: Vec<Layer>,
    /// `[hidden]`.
    output_norm: Norm,
    /// `[vocabulary, hidden]`; the embedding where the file has none of its own.
    output: QMatMul,
}

impl Transformer {
    /// Reads what all such models have alike; `layer` reads the layers, by the prefix of their
    /// tensors' names (`blk.0.`).
    pub(super) fn load(
        weights: &Weights<'_>,
        settings: Settings,
        pairing: Pairing,
        layer: impl Fn(&str) -> std::result::Result<Layer, EngineError>,
    ) -> std::result::Result<Self, EngineError> {
        let Settings { hidden, vocabulary, head_dim, .. } = settings;
        let embedding = weights.matrix("token_embd.weight", vocabulary, hidden)?;
        let output = if weights.has("output.weight") {
            weights.matrix("output.weight", vocabulary, hidden)?
        } else {
            embedding.clone()
        };
        let factors = if weights.has("rope_freqs.weight") {
            let factors = weights.vector("rope_freqs.weight", head_dim / 2)?;
            Some(factors.to_vec1::<f32>().map_err(compute)?)
        } else {
            None
        };
        Ok(Self {
            rope: Rope::new(&settings, pairing, factors.as_deref()),
            device: weights.device().clone(),
            alone: weights.alone(),
            embedding,
            layers: (0..settings.layers)
                .map(|index| layer(&format!("blk.{index}.")))
                .collect::<std::result::Result<_, _>>()?,
            output_norm: weights.norm("output_norm", hidden, settings.norm_eps)?,
            output,
            settings,
        })
    }

    /// Evaluates `rows` together: `[total, hidden]`, all positions of the first row, then of the
    /// second, and so on.
    fn evaluate(&self, rows: &mut [Row<'_>]) -> Result<Tensor> {
        let mut ids = Vec::new();
        let mut positions = Vec::new();
        for row in rows.iter_mut() {
            if row.tokens.is_empty() {
                candle_core::bail!("a row without tokens");
            }
            if let Some(id) = row.tokens.iter().find(|id| **id as usize >= self.settings.vocabulary)
            {
                candle_core::bail!("token {id} of a vocabulary of {}", self.settings.vocabulary);
            }
            row.cache.reserve(row.tokens.len())?;
            ids.extend_from_slice(row.tokens);
            positions.extend(row.cache.len()..row.cache.len() + row.tokens.len());
        }
        let angles = self.rope.angles(&positions, &self.device)?;
        let shared = Shared {
            settings: &self.settings,
            rope: &self.rope,
            angles: &angles,
            alone: self.alone,
        };
        let ids = Tensor::new(ids, &self.device)?;
        // [total, hidden]
        let mut x = self.embedding.embedding(&ids)?;
        for (index, layer) in self.layers.iter().enumerate() {
            let normed = layer.attention_norm.forward(&x)?;
            let mixed = layer.attention.forward(&normed, index, rows, &shared)?;
            x = (x + mixed)?;
            x = (&x + layer.mlp.forward(&layer.mlp_norm.forward(&x)?)?)?;
        }
        Ok(x)
    }

    /// `[total, hidden]` → `[rows, vocabulary]` for the last position of each row.
    fn predict(&self, x: &Tensor, rows: &[Row<'_>]) -> Result<Vec<Vec<f32>>> {
        let mut last = Vec::with_capacity(rows.len());
        let mut end = 0;
        for row in rows {
            end += row.tokens.len();
            last.push((end - 1) as u32);
        }
        let last = x.index_select(&Tensor::new(last, &self.device)?, 0)?;
        let logits = self.output.forward(&self.output_norm.forward(&last)?)?;
        logits.to_vec2()
    }
}

fn commit(rows: &mut [Row<'_>]) {
    for row in rows {
        row.cache.commit(row.tokens);
    }
}

impl Decoder for Transformer {
    fn vocabulary(&self) -> usize {
        self.settings.vocabulary
    }

    fn cache_shape(&self) -> CacheShape {
        CacheShape {
            layers: self.settings.layers,
            kv_heads: self.settings.kv_heads,
            head_dim: self.settings.head_dim,
            context_length: self.settings.context_length,
        }
    }

    fn chunk(&self) -> usize {
        /// Enough rows for the matrix products to be efficient, few enough to be interrupted soon.
        const ROWS: usize = 128;
        /// Numbers in a tensor from which on the tensor library's elementwise operations use the
        /// threads that a small model avoids.
        const SHARED: usize = 64 * 1024;
        if self.alone { ((SHARED - 1) / self.settings.feed_forward).clamp(16, ROWS) } else { ROWS }
    }

    fn new_cache(&self) -> KvCache {
        KvCache::new(self.cache_shape(), &self.device)
    }

    fn absorb(&self, rows: &mut [Row<'_>]) -> std::result::Result<(), EngineError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.evaluate(rows).map_err(compute)?;
        commit(rows);
        Ok(())
    }

    fn logits(&self, rows: &mut [Row<'_>]) -> std::result::Result<Vec<Vec<f32>>, EngineError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let x = self.evaluate(rows).map_err(compute)?;
        let logits = self.predict(&x, rows).map_err(compute)?;
        commit(rows);
        Ok(logits)
    }
}
