//! Repairs a file: diagnostics → candidates, cheapest first → checks in a scratch copy → proof.

use super::{Outcome, TaskError, Tools};
use crate::document::Document;
use crate::text::Span;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only diagnostics that touch this span; `None`: every error of the file.
    pub span: Option<Span>,
    /// A command instead of the compiler: exit 0 means sound.
    pub check: Option<String>,
    /// A command that must pass afterwards.
    pub test: Option<String>,
    /// Other unsaved files, laid over the scratch copy.
    pub unsaved: Vec<Document>,
}

/// Repairs `document`. A file with nothing wrong: verified, an empty proposal, a message.
pub async fn run(
    tools: &Tools,
    document: &Document,
    options: &Options,
) -> Result<Outcome, TaskError> {
    let _ = (tools, document, options);
    unimplemented!()
}
