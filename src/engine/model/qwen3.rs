//! Qwen3: norms on every query and key head, no biases.

use super::description::Description;
use super::rope::Pairing;

/// Its parts.
pub(super) fn description() -> Description {
    Description { head_norms: true, pairing: Pairing::Halves, ..Description::LLAMA }
}
