//! Writing a proposal to disk: every file or none, atomically, and only what has not changed.

use std::path::PathBuf;

use super::Proposal;

/// Why a proposal was not applied. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The file is not what it was when the proposal was made.
    #[error("{}: changed meanwhile; nothing was written; run the command again", path.display())]
    Conflict {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("{}: {source}; nothing was written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Writes every file of `proposal`: a temporary file beside each, then renames; permissions stay,
/// symbolic links are followed. If one fails, those already renamed are put back.
pub fn to_disk(proposal: &Proposal) -> Result<(), ApplyError> {
    let _ = proposal;
    unimplemented!()
}
