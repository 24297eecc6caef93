//! One method, one file: convert in, call, convert out.
//!
//! The router polls a handler once when its message arrives, so what a handler reads before its
//! first `await` is what the client meant. Whatever takes time comes after [`detach`].

mod ahead;
pub(super) mod code_action;
pub(super) mod completion;
pub(super) mod configuration;
pub(super) mod context;
pub(super) mod execute_command;
pub(super) mod hover;
pub(super) mod inline_completion;
pub(super) mod suggest;
pub(super) mod synchronization;
pub(super) mod watched_files;

/// Leaves the thread that reads messages.
pub(super) async fn detach() {
    tokio::task::yield_now().await;
}
