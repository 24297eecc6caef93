//! `agent/status`: what the server runs with.

use std::sync::PoisonError;

use super::super::ext::Status;
use super::super::model::State;
use super::super::session::Session;

/// Answers at once.
pub(crate) fn handle(session: &Session) -> Status {
    let (model_state, model, device) = match session.model.state() {
        State::Loading => ("loading", String::new(), None),
        State::Failed(message) => ("failed", message, None),
        State::Ready(engine) => {
            let info = engine.info();
            ("ready", info.name.clone(), Some(info.device.clone()))
        }
    };
    let documents = session.documents.read().unwrap_or_else(PoisonError::into_inner);
    Status {
        version: env!("CARGO_PKG_VERSION"),
        model_state,
        model,
        device,
        indexed_files: session.projects.indexed_files(),
        open_documents: documents.iter().count(),
    }
}
