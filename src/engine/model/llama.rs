//! Llama and what is built like it: Mistral, CodeLlama, DeepSeek-Coder (dense), `SmolLM`.

use super::attention::Attention;
use super::layers::Mlp;
use super::rope::Pairing;
use super::settings::Settings;
use super::transformer::{Layer, Transformer};
use super::weights::Weights;
use crate::engine::EngineError;

/// Reads the model.
pub(super) fn load(weights: &Weights<'_>, settings: Settings) -> Result<Transformer, EngineError> {
    let Settings { hidden, feed_forward, norm_eps, .. } = settings;
    let (queries, keys) = (settings.queries(), settings.keys());
    Transformer::load(weights, settings, Pairing::Neighbours, |blk| {
        let linear =
            |name: &str, outputs, inputs| weights.linear(&format!("{blk}{name}"), outputs, inputs);
        let norm = |name: &str, size| weights.norm(&format!("{blk}{name}"), size, norm_eps);
        Ok(Layer {
            attention_norm: norm("attn_norm", hidden)?,
            attention: Attention {
                query: linear("attn_q", queries, hidden)?,
                key: linear("attn_k", keys, hidden)?,
                value: linear("attn_v", keys, hidden)?,
                output: linear("attn_output", hidden, queries)?,
                head_norms: None,
            },
            mlp_norm: norm("ffn_norm", hidden)?,
            mlp: Mlp {
                gate: linear("ffn_gate", feed_forward, hidden)?,
                up: linear("ffn_up", feed_forward, hidden)?,
                down: linear("ffn_down", hidden, feed_forward)?,
            },
        })
    })
}
