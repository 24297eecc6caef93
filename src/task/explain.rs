//! "Explain this function": facts from the tree, prose from the model where it can be trusted.

use std::path::PathBuf;

use super::{TaskError, Tools, target::Target};
use crate::document::Document;

/// One checked statement about the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// `signature`, `parameter`, `call`, `return`, `raise`, `branch`, `loop`, `mutation`, ….
    pub kind: &'static str,
    /// The statement.
    pub text: String,
    /// The file.
    pub path: PathBuf,
    /// One-based line.
    pub line: u32,
}

/// An explanation.
#[derive(Debug, Clone, Default)]
pub struct Explanation {
    /// What is explained: `fn total`.
    pub title: String,
    /// The whole explanation as Markdown.
    pub markdown: String,
    /// What was read from the tree.
    pub facts: Vec<Fact>,
    /// The model's one-line summary, if one passed the check.
    pub summary: Option<String>,
}

/// Explains `target`.
pub async fn run(
    tools: &Tools,
    document: &Document,
    target: &Target,
) -> Result<Explanation, TaskError> {
    let _ = (tools, document, target);
    unimplemented!()
}
