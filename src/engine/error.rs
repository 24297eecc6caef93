//! What can go wrong with a model.

use std::path::PathBuf;

/// An engine error. Every variant names the file or the request it is about.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The file could not be opened or mapped.
    #[error("{}: {message}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The file is not a sound GGUF file.
    #[error("{file}: {key}: {message}")]
    Malformed {
        /// The file, or the built-in model's name.
        file: String,
        /// The metadata key, tensor or header field.
        key: String,
        /// What is wrong and what was expected.
        message: String,
    },
    /// The file is sound but asks for something this engine does not have.
    #[error("{file}: {key}: {message}")]
    Unsupported {
        /// The file, or the built-in model's name.
        file: String,
        /// The metadata key or tensor.
        key: String,
        /// What is not supported and what is.
        message: String,
    },
    /// The device could not be used.
    #[error("device {device}: {message}")]
    Device {
        /// The device asked for.
        device: String,
        /// Why.
        message: String,
    },
    /// The request cannot be served by this model.
    #[error("request: {message}")]
    Request {
        /// Why, and what would help.
        message: String,
    },
    /// The computation failed.
    #[error("model: {message}")]
    Compute {
        /// Why.
        message: String,
    },
    /// The worker thread is gone.
    #[error("the engine has stopped")]
    Stopped,
}

impl From<agent_pass::pages::NoMemory> for EngineError {
    fn from(error: agent_pass::pages::NoMemory) -> Self {
        Self::Compute { message: error.to_string() }
    }
}
