//! Files worth reading: ignore rules, secrets, size, binary and generated files.

use std::path::{Path, PathBuf};

/// Why a file was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Skipped {
    /// Its name or content looks like a secret.
    Secret,
    /// Larger than the limit.
    Oversized,
    /// Not UTF-8 text.
    Binary,
    /// Its first lines say it was generated, or its lines are minified.
    Generated,
    /// It could not be read.
    Unreadable,
}

/// The files of a workspace.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// Files worth reading, sorted, absolute.
    pub files: Vec<PathBuf>,
    /// Files left out, and why (git-ignored files are not listed).
    pub skipped: Vec<(PathBuf, Skipped)>,
}

/// The largest file that is read, in bytes.
pub const MAX_FILE_SIZE: u64 = 1 << 20;

/// Walks `root`, honouring `.gitignore`, `.ignore` and hidden files; only files of known languages.
pub fn files(root: &Path) -> Files {
    let _ = root;
    unimplemented!()
}
