//! Why a command ended without what was asked for, and the exit code that says so.

use std::fmt::Display;

use crate::check::CheckError;
use crate::edit::apply::ApplyError;
use crate::models::ModelError;
use crate::task::TaskError;

/// Exit code: done, and verified where there is something to verify.
pub(super) const DONE: u8 = 0;
/// Exit code: not found or not verified; nothing was changed.
pub(super) const NOT_DONE: u8 = 1;
/// Exit code: the command line or the environment is at fault.
pub(super) const USAGE: u8 = 2;
/// Exit code: ended by Ctrl-C, as shells count it (128 + SIGINT).
pub(super) const INTERRUPTED: u8 = 130;

/// A command that did not come to its end.
#[derive(Debug)]
pub(super) struct Failure {
    /// The exit code.
    pub(super) code: u8,
    /// What is wrong, where, and what to do next.
    pub(super) message: String,
}

impl Failure {
    /// The command line, a file or the machine is at fault.
    pub(super) fn usage(message: impl Display) -> Self {
        Self { code: USAGE, message: message.to_string() }
    }

    /// What was asked for is not there, or could not be proved.
    pub(super) fn not_done(message: impl Display) -> Self {
        Self { code: NOT_DONE, message: message.to_string() }
    }

    /// The user pressed Ctrl-C.
    pub(super) fn interrupted() -> Self {
        Self { code: INTERRUPTED, message: "interrupted; nothing was changed".to_owned() }
    }
}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        match &error {
            TaskError::Target(_)
            | TaskError::Hidden(_)
            | TaskError::Check(CheckError::Timeout { .. }) => Self::not_done(error),
            TaskError::Engine(_)
            | TaskError::Check(_)
            | TaskError::Prompt(_)
            | TaskError::Model(_) => Self::usage(error),
        }
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self::usage(error)
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        match &error {
            ApplyError::Conflict { .. } | ApplyError::Exists { .. } => Self::not_done(error),
            _ => Self::usage(error),
        }
    }
}
