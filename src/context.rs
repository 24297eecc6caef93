//! What the model may see, as typed parts: no markers, no tokens. Pure.

pub mod cursor;
pub mod related;

use std::path::PathBuf;

use crate::document::Document;
use crate::syntax::Language;
use crate::text::Span;
use crate::workspace::index::Index;

/// Everything about one place in one file that a prompt may use, stable parts first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The repository's name.
    pub repository: String,
    /// The file's path relative to the workspace.
    pub path: PathBuf,
    /// Its language.
    pub language: Option<Language>,
    /// Excerpts of other files, best first.
    pub related: Vec<Excerpt>,
    /// The file before the cursor, as blocks that may be dropped from the front: each ends at an
    /// item boundary; the last holds the cursor's own item and is cut by lines.
    pub prefix: Vec<String>,
    /// The file after the cursor, as blocks that may be dropped from the end.
    pub suffix: Vec<String>,
}

/// Text of another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// Relative path.
    pub path: PathBuf,
    /// The text.
    pub text: String,
    /// Why it is here: `imported`, `enclosing type`, ….
    pub reason: &'static str,
}

/// The context of `span` (empty for a cursor): prefix before it, suffix after it. `path` is the
/// document's path relative to the workspace; `index` says what other files hold.
pub fn at(
    document: &Document,
    repository: &str,
    path: PathBuf,
    span: Span,
    index: &Index,
) -> Context {
    let items = document.items();
    Context {
        repository: repository.to_owned(),
        language: document.language(),
        related: related::excerpts(document, repository, &path, &items, span, index),
        prefix: cursor::before(&document.text, &items, span),
        suffix: cursor::after(&document.text, &items, span),
        path,
    }
}
