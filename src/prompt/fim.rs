//! Fill-in-the-middle formats, one variant per model family.

use super::{Count, Prompt};
use crate::context::Context;

/// A family's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FimFormat {
    /// Qwen2.5-Coder: repository-level markers, prefix-suffix-middle.
    Qwen,
    /// StarCoder2: repository-level markers, prefix-suffix-middle.
    StarCoder,
    /// DeepSeek-Coder: prefix, hole, suffix.
    DeepSeek,
    /// CodeLlama: prefix-suffix-middle with spaces.
    CodeLlama,
}

/// Renders `context` in `format` within `budget` tokens. `repository_level` says whether the
/// model was trained on repository markers; without them other files are left out and the trace
/// says so.
pub fn render(
    context: &Context,
    format: FimFormat,
    repository_level: bool,
    budget: usize,
    count: Count<'_>,
) -> Prompt {
    let _ = (context, format, repository_level, budget, count);
    unimplemented!()
}
