//! Asking an instruct model with a task prompt; says plainly when the model has no chat template.

use std::collections::BTreeMap;

use super::{TaskError, Tools};

/// Whether the loaded model can follow instructions.
pub fn available(tools: &Tools) -> bool {
    tools.engine.info().chat_template.is_some()
}

/// The model's answer to task prompt `name`, `candidates` times.
pub async fn ask(
    tools: &Tools,
    name: &str,
    values: &BTreeMap<&str, String>,
    candidates: usize,
    max_tokens: usize,
) -> Result<Vec<String>, TaskError> {
    let _ = (tools, name, values, candidates, max_tokens);
    unimplemented!()
}
