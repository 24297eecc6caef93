//! The options.

use std::path::PathBuf;

/// The options in force.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Model to use.
    pub model: Option<String>,
    /// Python to use.
    pub python: Option<PathBuf>,
}
