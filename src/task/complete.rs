//! Completion at a cursor: context → prompt → engine → passes and gate.

use std::time::Duration;

use super::{TaskError, Tools};
use crate::document::Document;
use crate::engine::Usage;
use crate::postprocess::Applied;
use crate::prompt::Trace;
use crate::text::Span;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many candidates to sample.
    pub candidates: usize,
    /// Longest answer in tokens.
    pub max_tokens: usize,
    /// Tokens for the prompt.
    pub context_tokens: usize,
    /// Several lines where the syntax allows it.
    pub multi_line: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { candidates: 1, max_tokens: 64, context_tokens: 2048, multi_line: true }
    }
}

/// One suggestion.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// What to insert at the cursor.
    pub text: String,
    /// Mean log-probability per token of the raw answer.
    pub logprob: f32,
    /// The passes that changed it.
    pub applied: Vec<Applied>,
}

/// The answer; candidates best first, distinct, none of which adds a parse error.
#[derive(Debug, Clone, Default)]
pub struct Completion {
    /// The suggestions.
    pub candidates: Vec<Candidate>,
    /// What the model's work cost.
    pub usage: Usage,
    /// Time from request to answer.
    pub total_time: Duration,
    /// What the prompt held and what was dropped.
    pub trace: Trace,
    /// The bytes a suggestion replaces: empty, at the cursor.
    pub span: Option<Span>,
}

/// Completes `document` at `offset`. Dropping the future cancels the generation.
pub async fn run(
    tools: &Tools,
    document: &Document,
    offset: usize,
    options: &Options,
) -> Result<Completion, TaskError> {
    let _ = (tools, document, offset, options);
    unimplemented!()
}
