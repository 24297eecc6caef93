//! Open files: versioned text and its tree, always consistent with each other.

pub mod store;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::syntax::{Language, SyntaxTree, outline::Item};
use crate::text::line_index::{Encoding, LineIndex, Position};

/// One version of one file. Cheap to clone; a clone never changes.
#[derive(Debug, Clone)]
pub struct Document {
    /// Where it lives; need not exist on disk.
    pub path: Arc<Path>,
    /// The editor's version, 0 for a file read from disk.
    pub version: i32,
    /// Its text.
    pub text: Arc<str>,
    /// Its lines.
    pub lines: Arc<LineIndex>,
    /// Its tree; `None` for a language that is not compiled in.
    pub tree: Option<SyntaxTree>,
}

/// One change of a document, as editors send them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The whole text anew.
    Full(String),
    /// Replaces `start..end`.
    Range {
        /// Where it starts.
        start: Position,
        /// Where it ends.
        end: Position,
        /// What stands there afterwards.
        text: String,
    },
}

/// Why a change was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The version does not follow the one held.
    #[error("version {got} does not follow version {held}")]
    Version {
        /// The version held.
        held: i32,
        /// The version of the change.
        got: i32,
    },
    /// The range ends before it starts.
    #[error("change {change} ends before it starts")]
    Backwards {
        /// Index of the change.
        change: usize,
    },
}

impl Document {
    /// A document with its tree, parsed as `language` (else by the path's ending).
    pub fn new(path: PathBuf, language: Option<Language>, version: i32, text: String) -> Self {
        let _ = (path, language, version, text);
        unimplemented!()
    }

    /// The document after `changes`, each relative to the text before it, columns in `encoding`.
    pub fn changed(
        &self,
        version: i32,
        changes: &[Change],
        encoding: Encoding,
    ) -> Result<Self, ChangeError> {
        let _ = (version, changes, encoding);
        unimplemented!()
    }

    /// Its language.
    pub fn language(&self) -> Option<Language> {
        self.tree.as_ref().map(SyntaxTree::language)
    }

    /// Its items; empty without a tree.
    pub fn items(&self) -> Vec<Item> {
        self.tree
            .as_ref()
            .map(|tree| crate::syntax::outline::items(tree, &self.text))
            .unwrap_or_default()
    }
}
