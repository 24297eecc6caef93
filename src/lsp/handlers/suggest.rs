//! Asking the completion task; shared by ghost text and the popup.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tower_lsp::jsonrpc::{self, Error, ErrorCode};
use tower_lsp::lsp_types::Url;

use super::super::session::Session;
use crate::context::Activity;
use crate::document::Document;
use crate::syntax::Language;
use crate::task::complete::{self, Candidate, Prepared};
use crate::task::{TaskError, Tools};

/// How long a suggestion waits for a model that is still loading.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many suggestions a user who asks by hand gets to choose from.
const INVOKED_CANDIDATES: usize = 3;

/// Whether suggestions are wanted in `document` at all: not where they are switched off, in general
/// or for its language or path, nor in an unsaved document that is in no language (chat boxes,
/// commit messages, scratch text).
pub(super) fn wanted(session: &Session, uri: &Url, document: &Document) -> bool {
    let language = document.language().or_else(|| Language::of_path(&document.path));
    if uri.scheme() != "file" && language.is_none() {
        return false;
    }
    match refused(session, uri, document) {
        Some(reason) => {
            tracing::debug!("no suggestion: {reason}");
            false
        }
        None => true,
    }
}

/// Why the options want no suggestions in `document`, if they do not.
pub(super) fn refused(session: &Session, uri: &Url, document: &Document) -> Option<String> {
    let workspace = session.workspace_of(&document.path);
    let settings = session.settings_of(workspace.root());
    let complete = &settings.config.complete;
    if !complete.enabled {
        return Some("suggestions are switched off (complete.enabled)".to_owned());
    }
    let known = document.language().map(|language| language.name().to_owned());
    let name = session.prompts.language(uri).or(known)?;
    if !complete.wants(&name) {
        return Some(format!("suggestions are switched off for {name} (complete.languages)"));
    }
    let pattern = session.excluded(&document.path)?;
    Some(format!("the file is excluded by `{pattern}` (exclude)"))
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
    let workspace = session.workspace_of(&document.path);
    let Ok(tools) = session.tools(workspace, Arc::new(|_| {})).await else {
        return Ok(Vec::new());
    };
    let info = tools.engine.info().clone();
    let mut options = options(session, &tools, document);
    options.candidates = options.candidates.max(if invoked { INVOKED_CANDIDATES } else { 1 });
    if !complete::may_be_completed(document, offset, &options) {
        return Ok(Vec::new());
    }
    let prepared = prepared(session, uri, &tools, document, offset, &options).await;
    let answer = match prepared {
        Ok(prepared) => complete::answer(&tools, document, prepared, &options, &|_| {}).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(completion) => {
            session.prompts.learn(&info, &completion.usage);
            Ok(completion.candidates)
        }
        Err(TaskError::Hidden(why)) => {
            tracing::debug!("no suggestion: {why}");
            Ok(Vec::new())
        }
        Err(error) => {
            tracing::warn!("no suggestion for {}: {error}", uri.scheme());
            Err(failed(&error))
        }
    }
}

/// What is asked in `document` by its project's options.
pub(super) fn options(session: &Session, tools: &Tools, document: &Document) -> complete::Options {
    let settings = session.settings_of(tools.workspace.root());
    let wanted = &settings.config.complete;
    let fitting = session.prompts.fitting(tools.engine.info(), wanted.latency());
    let recent = session.prompts.recent(tools.workspace.root(), &document.path);
    let activity = Activity { recent, ..Activity::default() };
    complete::Options { activity, ..wanted.options(fitting) }
}

/// The prompt at `offset`, built on a thread of its own; the next one goes on from it even if the
/// answer to this one is not waited for.
pub(super) async fn prepared(
    session: &Arc<Session>,
    uri: &Url,
    tools: &Tools,
    document: &Document,
    offset: usize,
    options: &complete::Options,
) -> Result<Prepared, TaskError> {
    let (session, uri, tools) = (Arc::clone(session), uri.clone(), tools.clone());
    let (document, options) = (document.clone(), options.clone());
    let build = move || {
        let earlier = session.prompts.anchor(&uri);
        let prepared = complete::prepare(&tools, &document, offset, &options, earlier.as_ref())?;
        tracing::debug!(
            "prompt of {} tokens in {:?}, {}",
            prepared.prompt.trace.tokens(),
            prepared.build_time,
            prepared.reuse.words()
        );
        session.prompts.keep(&uri, prepared.anchor.clone());
        Ok(prepared)
    };
    let built = tokio::task::spawn_blocking(build).await;
    built.unwrap_or_else(|_| {
        Err(TaskError::Target("internal error: the prompt could not be built".to_owned()))
    })
}

/// `RequestFailed` of LSP 3.17: the request was sound, the model was not.
pub(super) fn failed(error: &TaskError) -> Error {
    let mut failed = Error::new(ErrorCode::ServerError(-32803));
    failed.message = error.to_string().into();
    failed
}

/// The answer to a request that the document left behind.
pub(super) fn moved_on() -> Error {
    Error::new(ErrorCode::ContentModified)
}
