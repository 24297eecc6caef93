//! The dense decoder with norms before its blocks, which most architectures are.

use candle_core::quantized::QMatMul;
use candle_core::{Device, Module, Result, Tensor};

use super::attention::{Attention, Shared};
use super::compute;
use super::layers::{FeedForward, Norm};
use super::rotation::Rotation;
use super::settings::Settings;
use super::tensors::{self, Tensors};
use super::weights::Weights;
use crate::engine::EngineError;
use crate::engine::decoder::{Decoder, Logits, Row, Unfinished};
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
pub struct Transformer {
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

    /// The last layer's output for all `rows`: `[total, hidden]`, all positions of the first row,
    /// then of the second, and so on. `None` if it was told to `stop`.
    fn layers(
        &self,
        rows: &mut [Row<'_, KvCache>],
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Tensor>> {
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
            row.sequence.reserve(row.tokens.len())?;
            ids.extend_from_slice(row.tokens);
            positions.extend(row.sequence.len()..row.sequence.len() + row.tokens.len());
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
            if stop() {
                return Ok(None);
            }
            let normed = layer.attention_norm.forward(&x)?;
            let mixed = layer.attention.forward(&normed, index, rows, &shared)?;
            x = (x + mixed)?;
            let normed = layer.feed_forward_norm.forward(&x)?;
            x = (&x + layer.feed_forward.forward(&normed)?)?;
        }
        Ok(Some(x))
    }

    /// `[total, hidden]` → the logits that are wanted.
    fn predict(&self, x: &Tensor, rows: &[Row<'_, KvCache>], out: &mut Logits) -> Result<()> {
        let mut wanted = Vec::with_capacity(rows.len());
        let mut end = 0;
        for row in rows {
            end += row.tokens.len();
            wanted.extend((end - row.wanted.min(row.tokens.len())..end).map(|at| at as u32));
        }
        let to = out.reset(wanted.len(), self.settings.vocabulary);
        if !wanted.is_empty() {
            let x = x.index_select(&Tensor::new(wanted, &self.device)?, 0)?;
            let logits = self.output.forward(&self.output_norm.forward(&x)?)?;
            to.copy_from_slice(&logits.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(())
    }
}

impl Decoder for Transformer {
    type Sequence = KvCache;

    fn vocabulary(&self) -> usize {
        self.settings.vocabulary
    }

    fn context_length(&self) -> usize {
        self.settings.context_length
    }

    fn chunk(&self) -> usize {
        /// Enough rows for the matrix products to be efficient, few enough to be interrupted soon.
        const ROWS: usize = 128;
        /// Numbers in a tensor from which on the tensor library's elementwise operations use the
        /// threads that a small model avoids.
        const SHARED: usize = 64 * 1024;
        if self.alone { ((SHARED - 1) / self.settings.feed_forward).clamp(16, ROWS) } else { ROWS }
    }

    fn most_drafted(&self) -> usize {
        // On a GPU, up to 8 vectors are multiplied by one reading of the weights. The products for
        // the CPU read them anew for each.
        if self.device.is_cpu() { 0 } else { 7 }
    }

    fn empty(&self) -> KvCache {
        let Settings { layers, kv_heads, head_dim, context_length, .. } = self.settings;
        KvCache::new(CacheShape { layers, kv_heads, head_dim, context_length }, &self.device)
    }

    fn evaluate(
        &mut self,
        rows: &mut [Row<'_, KvCache>],
        stop: &dyn Fn() -> bool,
        out: &mut Logits,
    ) -> std::result::Result<(), Unfinished> {
        if rows.is_empty() {
            out.reset(0, self.settings.vocabulary);
            return Ok(());
        }
        let x = self.layers(rows, stop).map_err(compute)?.ok_or(Unfinished::Stopped)?;
        self.predict(&x, rows, out).map_err(compute)?;
        for row in rows {
            row.sequence.commit(row.tokens);
        }
        Ok(())
    }
}
