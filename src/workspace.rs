//! The project on disk: the only reader of source files. What is secret is never read.

pub mod git;
pub mod index;
pub mod secret;
pub mod walk;

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use index::Index;

/// A project folder and what is known of it.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    index: RwLock<Arc<Index>>,
}

impl Workspace {
    /// The workspace at `root`, with nothing indexed yet.
    pub fn new(root: PathBuf) -> Self {
        Self { root, index: RwLock::default() }
    }

    /// The workspace a file belongs to: the nearest folder upwards with `.git`, `Cargo.toml` (its
    /// workspace root), `pyproject.toml`, `setup.py` or `agent.toml`; else the file's folder.
    pub fn of_file(path: &Path) -> Self {
        let _ = path;
        unimplemented!()
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is known now; a snapshot.
    pub fn index(&self) -> Arc<Index> {
        self.index.read().map(|index| Arc::clone(&index)).unwrap_or_default()
    }

    /// Reads and indexes every file worth reading. Takes as long as it takes: call it off the
    /// paths that answer an editor.
    pub fn build_index(&self) {
        unimplemented!()
    }

    /// Replaces what is known of one file; `None` forgets it.
    pub fn update(&self, path: &Path, text: Option<&str>) {
        let _ = (path, text);
        unimplemented!()
    }
}
