//! Qwen2 and Qwen2.5, the Coder models among them: biases on queries, keys and values.

use super::description::Description;
use super::rope::Pairing;

/// Its parts.
pub(super) fn description() -> Description {
    Description { pairing: Pairing::Halves, ..Description::LLAMA }
}
