//! Proposals: base version + new text per file. A conflict is a typed refusal.

pub mod apply;

use std::path::PathBuf;

use crate::text::{TextEdit, diff};

/// A change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The file, absolute.
    pub path: PathBuf,
    /// Its path relative to the workspace, with `/`, for diffs.
    pub display: String,
    /// The editor's version it was made for; `None` for a file that is not open.
    pub version: Option<i32>,
    /// The text it was made for; `None` for a new file.
    pub base: Option<String>,
    /// The text afterwards.
    pub text: String,
}

impl FileChange {
    /// Minimal edits of the base text.
    pub fn edits(&self) -> Vec<TextEdit> {
        diff::edits(self.base.as_deref().unwrap_or_default(), &self.text)
    }
}

/// Changes that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proposal {
    /// What it does, in a few words.
    pub title: String,
    /// The changes, one per file.
    pub changes: Vec<FileChange>,
}

impl Proposal {
    /// A unified diff that `git apply` takes; empty when nothing changes.
    pub fn diff(&self) -> String {
        self.changes.iter().map(|c| diff::unified(&c.display, c.base.as_deref(), &c.text)).collect()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|c| c.base.as_deref() == Some(c.text.as_str()))
    }
}
