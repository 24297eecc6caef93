//! Finding, choosing and registering model files.

pub mod builtin;
pub mod discover;

use std::path::PathBuf;

use crate::engine::{EngineError, ModelSource};

/// A model that can be loaded.
#[derive(Debug, Clone)]
pub struct Model {
    /// What the user calls it.
    pub name: String,
    /// Where it was found: `built in`, `configuration`, `Ollama`, `Hugging Face cache`, ….
    pub origin: String,
    /// Its bytes.
    pub source: ModelSource,
    /// Bytes of its file.
    pub size: u64,
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No model of that name or path.
    #[error("model {name}: not found; `agent model list` shows what there is")]
    NotFound {
        /// As asked.
        name: String,
    },
    /// Built without a model and none configured.
    #[error(
        "no model: this program was built without its built-in one; name a GGUF file with --model or in the configuration"
    )]
    None,
    /// The file is not usable.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A folder could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The model to use: `wanted` (a path to a GGUF file or a listed name), else the built-in one.
pub fn resolve(wanted: Option<&str>) -> Result<Model, ModelError> {
    let _ = wanted;
    unimplemented!()
}

/// Every model found on this machine, the built-in one first.
pub fn list() -> Vec<Model> {
    unimplemented!()
}
