//! The dense decoder with norms before its blocks, which most architectures are.

use candle_core::quantized::QMatMul;
use candle_core::{Device, Module, Result, Tensor};

use super::attention::{Attention, Shared};
use super::layers::{FeedForward, Norm};
use super::rotation::Rotation;
use super::settings::Settings;
use super::tensors::{self, Tensors};
use super::weights::Weights;
use super::{Decoder, Row, compute};
use crate::engine::EngineError;
use crate::engine::kv_cache::{CacheShape, KvCache};

/// One layer: `x + attention(norm(x))`, then `x + feed_forward(norm(x))`.
struct Layer {
    /// `[hidden]`.
    attention_norm: Norm,
    attention: Attention,
    /// `[hidden]`.
    feed_forward_norm: Norm,
    feed_forward: FeedForward,
}

impl Layer {
    fn new(
        weights: &Weights<'_>,
        layer: &tensors::Layer,
        eps: f32,
    ) -> std::result::Result<Self, EngineError> {
        let head_norms = layer.head_norms.as_ref().map(|(query, key)| {
            Ok::<_, EngineError>((weights.norm(query, eps)?, weights.norm(key, eps)?))
        });
        Ok(Self {
            attention_norm: weights.norm(&layer.attention_norm, eps)?,
            attention: Attention {
                query: weights.linear(&layer.query)?,
                key: weights.linear(&layer.key)?,
                value: weights.linear(&layer.value)?,
                output: weights.linear(&layer.output)?,
                head_norms: head_norms.transpose()?,
            },
            feed_forward_norm: weights.norm(&layer.feed_forward_norm, eps)?,
            feed_forward: FeedForward {
                gate: layer.gate.as_ref().map(|gate| weights.linear(gate)).transpose()?,
                up: weights.linear(&layer.up)?,
                down: weights.linear(&layer.down)?,
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
    rotation: Rotation,
    /// `[vocabulary, hidden]`; looked up row by row, never expanded as a whole.
    embedding: QMatMul,
    layers: Vec<Layer>,
    /// `[hidden]`.
    output_norm: Norm,
    /// `[vocabulary, hidden]`; the embedding where the file has none of its own.
    output: QMatMul,
}

impl Transformer {
    /// Copies the model to the device.
    pub(super) fn load(
        weights: &Weights<'_>,
        settings: Settings,
    ) -> std::result::Result<Self, EngineError> {
        let tensors = Tensors::read(weights.gguf, &settings)?;
        let eps = settings.norm_eps;
        let embedding = weights.matrix(&tensors.embedding)?;
        let output =
            if tensors.tied() { embedding.clone() } else { weights.matrix(&tensors.output)? };
        Ok(Self {
            device: weights.device.clone(),
            alone: weights.alone,
            embedding,
            layers: tensors
                .layers
                .iter()
                .map(|layer| Layer::new(weights, layer, eps))
                .collect::<std::result::Result<_, _>>()?,
            output_norm: weights.norm(&tensors.output_norm, eps)?,
            output,
            rotation: Rotation::new(tensors.rope),
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
        let angles = self.rotation.angles(&positions, &self.device)?;
        let shared = Shared {
            settings: &self.settings,
            rotation: &self.rotation,
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
            let normed = layer.feed_forward_norm.forward(&x)?;
            x = (&x + layer.feed_forward.forward(&normed)?)?;
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
