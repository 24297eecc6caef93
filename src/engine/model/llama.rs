//! Llama and what is built like it: Mistral, CodeLlama, DeepSeek-Coder (dense), `SmolLM`.

use super::rope::Pairing;
use super::settings::Settings;
use super::transformer::{Layer, Transformer};
use super::weights::Weights;
use crate::engine::EngineError;

/// Reads the model.
pub(super) fn load(weights: &Weights<'_>, settings: Settings) -> Result<Transformer, EngineError> {
    Transformer::load(weights, settings, Pairing::Neighbours, |blk| {
        Layer::dense(weights, &settings, blk, false)
    })
}
