//! What is known of a model, out of its metadata.

use super::gguf::{Gguf, Value};
use super::tokenizer::Tokenizer;
use super::{Marker, ModelInfo};

/// Describes the model in `gguf`. Nothing here is needed to run it, so nothing fails.
pub(super) fn describe(
    gguf: &Gguf,
    tokenizer: &Tokenizer,
    context_length: usize,
    device: String,
) -> ModelInfo {
    let text = |key: &str| match gguf.get(key) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    let spelling =
        |id: Option<u32>| id.and_then(|id| tokenizer.spelling(id)).unwrap_or_default().to_owned();
    let fim = tokenizer.fim_family();
    ModelInfo {
        name: text("general.name").unwrap_or_else(|| gguf.name.clone()),
        architecture: text("general.architecture").unwrap_or_default(),
        parameters: gguf.parameters(),
        quantization: gguf.quantization().to_owned(),
        context_length,
        fim,
        repository_level: fim.is_some()
            && tokenizer.marker(Marker::Repository).is_some()
            && tokenizer.marker(Marker::File).is_some()
            && gguf.get("agent.fim.repository_level") != Some(&Value::Bool(false)),
        chat_template: text("tokenizer.chat_template"),
        bos: spelling(tokenizer.beginning_of_text()),
        eos: spelling(tokenizer.end_of_text()),
        device,
        size: gguf.len() as u64,
    }
}
