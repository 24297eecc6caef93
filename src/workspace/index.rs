//! Symbols of the workspace by name. A snapshot: updating makes a new one that shares the rest.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::syntax::outline::ItemKind;

/// One indexed item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Path relative to the workspace.
    pub path: Arc<Path>,
    /// Zero-based line of its name.
    pub line: u32,
    /// Its kind.
    pub kind: ItemKind,
    /// Its name.
    pub name: String,
    /// The class, impl, trait or module around it.
    pub owner: Option<String>,
    /// Its signature on one or more lines.
    pub signature: String,
    /// First line of its doc comment, without comment marks.
    pub doc: Option<String>,
    /// Whether other modules can name it.
    pub public: bool,
}

/// What is known of the workspace's files.
#[derive(Debug, Clone, Default)]
pub struct Index {
    files: HashMap<PathBuf, Arc<[Symbol]>>,
}

impl Index {
    /// Number of files.
    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    /// The symbols of one file (relative path), in document order.
    pub fn of_file(&self, path: &Path) -> &[Symbol] {
        self.files.get(path).map(|symbols| &**symbols).unwrap_or_default()
    }

    /// The symbols named `name`, sorted by path and line.
    pub fn named(&self, name: &str) -> Vec<&Symbol> {
        let _ = name;
        unimplemented!()
    }

    /// Every indexed file, sorted.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = self.files.keys().map(PathBuf::as_path).collect();
        paths.sort_unstable();
        paths
    }

    /// Indexes `text` as the file `path` (relative).
    pub fn insert(&mut self, path: &Path, text: &str) {
        let _ = (path, text);
        unimplemented!()
    }

    /// Forgets a file.
    pub fn remove(&mut self, path: &Path) {
        self.files.remove(path);
    }
}
