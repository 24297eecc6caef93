//! A use case each. The editor and the command line call the same functions.

pub mod chat;
pub mod complete;
pub mod doc;
pub mod explain;
pub mod fix;
pub mod place;
pub mod rewrite;
pub mod shown;
pub mod suggest;
pub mod summary;
pub mod target;
pub mod test;

use std::sync::Arc;

use crate::check::{self, CheckError, Proof, Report};
use crate::edit::Proposal;
use crate::engine::{Engine, EngineError};
use crate::prompt::{PromptError, template::Templates};
use crate::workspace::Workspace;

/// What every task works with. Cheap to clone.
#[derive(Clone)]
pub struct Tools {
    /// The model.
    pub engine: Engine,
    /// The project.
    pub workspace: Arc<Workspace>,
    /// Task prompts.
    pub templates: Arc<Templates>,
    /// How checks run.
    pub check: Arc<check::Settings>,
    /// Seed of the sampler.
    pub seed: u64,
    /// Where progress is told.
    pub report: Report,
}

/// What a task that changes code came to.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The change; empty when there is nothing to change.
    pub proposal: Proposal,
    /// Whether it is proved.
    pub verified: bool,
    /// The evidence.
    pub proof: Vec<Proof>,
    /// What happened, for a person: one or a few sentences.
    pub message: String,
}

/// `1 test`, `3 tests`.
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Why a task has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The model failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A check could not be run.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// A prompt could not be rendered.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// The place named does not exist.
    #[error("{0}")]
    Target(String),
    /// No model may be shown the file.
    #[error("{0}")]
    Hidden(String),
    /// The loaded model cannot do this.
    #[error("{0}")]
    Model(String),
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;

    /// Tools with `engine` in an empty, untrusted workspace.
    pub(crate) fn tools(engine: Engine) -> Tools {
        Tools {
            engine,
            workspace: Arc::new(Workspace::new(std::env::temp_dir())),
            templates: Arc::default(),
            check: Arc::new(check::Settings {
                agent: "agent".into(),
                python: None,
                timeout: Duration::from_mins(1),
                cache: std::env::temp_dir().join("agent-tests"),
                trusted: false,
            }),
            seed: 0,
            report: Arc::new(|_| ()),
        }
    }
}
