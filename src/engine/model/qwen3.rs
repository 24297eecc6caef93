//! Qwen3: norms on every query and key head, no biases.

use super::rope::Pairing;
use super::settings::Settings;
use super::transformer::{Layer, Transformer};
use super::weights::Weights;
use crate::engine::EngineError;

/// Reads the model.
pub(super) fn load(weights: &Weights<'_>, settings: Settings) -> Result<Transformer, EngineError> {
    Transformer::load(weights, settings, Pairing::Halves, |blk| {
        Layer::dense(weights, &settings, blk, true)
    })
}
