//! Llama and what is built like it: Mistral, CodeLlama, DeepSeek-Coder (dense), `SmolLM`.

use super::description::Description;

/// Its parts.
pub(super) fn description() -> Description {
    Description::LLAMA
}
