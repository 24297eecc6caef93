//! Telling the client how the server is: progress while it loads and reads, and `agent/status`.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use tower_lsp::jsonrpc;
use tower_lsp::lsp_types::ProgressToken;

use super::ext::{Indexing, Status};
use super::model::State;
use super::progress::{Origin, Progress};
use super::session::Session;

/// Least time between two notifications.
const PAUSE: Duration = Duration::from_millis(200);
/// What ends sooner shows no progress.
const SHORT: Duration = Duration::from_millis(500);
/// A suggestion that was never to be has to say why.
const TOO_SLOW: &str = "the model is too slow to suggest anything while you type (complete.limit_ms); ask by hand, or choose a smaller model";

/// How the server is now.
pub(super) fn status(session: &Session) -> Status {
    let (model_state, model, device) = match session.model.state() {
        State::Loading => ("loading", String::new(), None),
        State::Failed(message) => ("failed", message, None),
        State::Ready(engine) => {
            let info = engine.info();
            ("ready", info.name.clone(), Some(info.device.clone()))
        }
    };
    let open_documents = {
        let documents = session.documents.read().unwrap_or_else(PoisonError::into_inner);
        documents.iter().count()
    };
    let reading = session.projects.reading();
    Status {
        version: env!("CARGO_PKG_VERSION"),
        model_state,
        model,
        device,
        indexed_files: session.projects.indexed_files(),
        indexing: reading.map(|reading| Indexing { done: reading.done, total: reading.total }),
        last_latency_ms: session.suggestions.latency().map(|latency| latency.as_millis() as u64),
        silent: silent(session),
        open_documents,
    }
}

/// Why there are no suggestions while typing.
fn silent(session: &Session) -> Option<String> {
    let complete = &session.settings().config.complete;
    let others = session.suggestions.others();
    if !complete.enabled {
        Some("suggestions are switched off (complete.enabled)".to_owned())
    } else if complete.gives_way(&others) {
        Some(format!("{} shows suggestions (complete.give_way)", others.join(", ")))
    } else {
        session.suggestions.too_slow().then(|| TOO_SLOW.to_owned())
    }
}

/// Tells the client of changes until the session ends.
pub(super) async fn changes(session: Arc<Session>) {
    let mut sent = None;
    let mut loading = Told::new("agent/loading", "Loading the model");
    let mut indexing = Told::new("agent/indexing", "Indexing");
    loop {
        let status = status(&session);
        loading.is(&session, (status.model_state == "loading").then(String::new));
        let read = status.indexing.as_ref().map(|read| format!("{}/{}", read.done, read.total));
        indexing.is(&session, read);
        let busy = loading.begun.is_some() || indexing.begun.is_some();
        if session.support().status && sent.as_ref() != Some(&status) {
            let params = serde_json::to_value(&status).unwrap_or(Value::Null);
            session.client.send(&jsonrpc::Request::build("agent/status").params(params).finish());
            sent = Some(status);
        }
        tokio::time::sleep(PAUSE).await;
        if !busy {
            session.changed.notified().await;
        }
    }
}

/// Progress of something that goes on by itself.
struct Told {
    token: &'static str,
    title: &'static str,
    begun: Option<Instant>,
    shown: Option<Progress>,
}

impl Told {
    fn new(token: &'static str, title: &'static str) -> Self {
        Self { token, title, begun: None, shown: None }
    }

    /// Takes how far it is, or that it has ended; what takes a while is shown.
    fn is(&mut self, session: &Session, now: Option<String>) {
        let Some(message) = now else {
            (self.begun, self.shown) = (None, None);
            return;
        };
        let begun = *self.begun.get_or_insert_with(Instant::now);
        if self.shown.is_none() && session.support().progress && begun.elapsed() >= SHORT {
            let token = ProgressToken::String(self.token.to_owned());
            let (client, title) = (Arc::clone(&session.client), self.title.to_owned());
            self.shown = Some(Progress::start(client, token, Origin::Server, title, false));
        }
        if let Some(shown) = self.shown.as_ref().filter(|_| !message.is_empty()) {
            shown.report(&message);
        }
    }
}
