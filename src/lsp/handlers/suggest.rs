//! Asking the completion task; shared by ghost text and the popup.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tower_lsp::jsonrpc::{self, Error, ErrorCode};
use tower_lsp::lsp_types::Url;

use super::super::session::Session;
use crate::document::Document;
use crate::syntax::Language;
use crate::task::complete::{self, Candidate};

/// How long a suggestion waits for a model that is still loading.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many suggestions a user who asks by hand gets to choose from.
const INVOKED_CANDIDATES: usize = 3;

/// Whether suggestions are wanted in `document` at all: not in an unsaved document that is in no
/// language (chat boxes, commit messages, scratch text).
pub(super) fn wanted(session: &Session, uri: &Url, document: &Document) -> bool {
    session.settings().config.complete.enabled
        && (uri.scheme() == "file"
            || document.language().is_some()
            || Language::of_path(&document.path).is_some())
}

/// Suggestions at `offset`, best first; `ContentModified` if the document at `uri` moves on or a
/// newer request comes meanwhile.
pub(super) async fn at(
    session: &Arc<Session>,
    uri: &Url,
    document: &Document,
    offset: usize,
    invoked: bool,
    superseded: oneshot::Receiver<()>,
) -> jsonrpc::Result<Vec<Candidate>> {
    tokio::select! {
        biased;
        _ = superseded => Err(moved_on()),
        answer = candidates(session, uri, document, offset, invoked) => answer,
    }
}

async fn candidates(
    session: &Arc<Session>,
    uri: &Url,
    document: &Document,
    offset: usize,
    invoked: bool,
) -> jsonrpc::Result<Vec<Candidate>> {
    if session.model.engine_within(PATIENCE).await.is_none() {
        return Ok(Vec::new());
    }
    let workspace = session.projects.of(&document.path);
    let Ok(tools) = session.tools(workspace, Arc::new(|_| {})).await else {
        return Ok(Vec::new());
    };
    let wanted = &session.settings().config.complete;
    let least = if invoked { INVOKED_CANDIDATES } else { 1 };
    let options = complete::Options {
        candidates: wanted.candidates.max(least),
        max_tokens: wanted.max_tokens,
        context_tokens: wanted.context_tokens,
        multi_line: wanted.multi_line,
        ..complete::Options::default()
    };
    match complete::run(&tools, document, offset, &options).await {
        Ok(completion) => Ok(completion.candidates),
        Err(error) => {
            tracing::warn!("no suggestion for {}: {error}", uri.scheme());
            // RequestFailed of LSP 3.17: the request was sound, the model was not.
            let mut failed = Error::new(ErrorCode::ServerError(-32803));
            failed.message = error.to_string().into();
            Err(failed)
        }
    }
}

/// The answer to a request that the document left behind.
pub(super) fn moved_on() -> Error {
    Error::new(ErrorCode::ContentModified)
}
