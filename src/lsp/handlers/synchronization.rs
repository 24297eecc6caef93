//! `textDocument/didOpen`, `didChange`, `didSave`, `didClose`: applied in wire order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tower_lsp::lsp_types::{
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DidSaveTextDocumentParams, Url,
};

use super::super::convert;
use super::super::session::Session;
use crate::document::{Change, Document};
use crate::syntax::Language;
use crate::workspace::{secret, walk};

use super::watched_files::is_configuration;

/// How long a document must rest before it is indexed anew.
const REST: Duration = Duration::from_millis(500);

/// Takes a document.
pub(crate) fn did_open(session: &Arc<Session>, params: DidOpenTextDocumentParams) {
    let opened = params.text_document;
    let path = convert::path(&opened.uri);
    let language = Language::named(&opened.language_id);
    let document = Document::new(path.clone(), language, opened.version, opened.text);
    session.supersede_completion(&opened.uri);
    session.suggestions.typed(opened.uri.as_str(), None);
    session.tally.closed(opened.uri.as_str());
    session.prompts.opened(&opened.uri, opened.language_id, &path);
    let mut documents = session.documents.write().unwrap_or_else(PoisonError::into_inner);
    documents.open(opened.uri.into(), document);
    drop(documents);
    // Starts the indexing of its project.
    session.workspace_of(&path);
}

/// Applies changes. A document that cannot follow is dropped until it is opened again.
pub(crate) fn did_change(session: &Arc<Session>, params: DidChangeTextDocumentParams) {
    let DidChangeTextDocumentParams { text_document, content_changes } = params;
    let changes: Vec<Change> = content_changes.into_iter().map(convert::change).collect();
    let encoding = session.encoding();
    session.supersede_completion(&text_document.uri);
    let mut documents = session.documents.write().unwrap_or_else(PoisonError::into_inner);
    let uri = text_document.uri.as_str();
    let Some(before) = documents.get(uri) else {
        tracing::debug!("a change of a document that is not open");
        return;
    };
    let version = text_document.version;
    let changed =
        catch_unwind(AssertUnwindSafe(|| documents.change(uri, version, &changes, encoding)));
    match changed {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            session.suggestions.typed(uri, None);
            tracing::warn!("a document is out of step until it is opened again: {error}");
            return;
        }
        Err(_) => {
            documents.close(uri);
            session.suggestions.typed(uri, None);
            tracing::error!("a change could not be applied; please report this");
            return;
        }
    }
    let changed = documents.get(uri);
    drop(documents);
    session.suggestions.typed(uri, changed.as_ref().map(|document| &*document.text));
    if let Some(document) = changed {
        session.tally.edited(uri, &before.text, &document.text);
        session.prompts.touched(&document.path);
    }
    index_when_at_rest(session, text_document.uri, version);
}

/// Indexes what was saved.
pub(crate) fn did_save(session: &Arc<Session>, params: &DidSaveTextDocumentParams) {
    if let Some(document) = session.document(&params.text_document.uri) {
        if is_configuration(&document.path) {
            session.configure_again();
        }
        index(session, document);
    }
}

/// Frees a document.
pub(crate) fn did_close(session: &Arc<Session>, params: DidCloseTextDocumentParams) {
    let uri = params.text_document.uri;
    session.supersede_completion(&uri);
    session.prompts.forget(&uri);
    session.suggestions.typed(uri.as_str(), None);
    session.tally.closed(uri.as_str());
    let mut documents = session.documents.write().unwrap_or_else(PoisonError::into_inner);
    documents.close(uri.as_str());
    drop(documents);
    // What was never saved is not part of the project any more.
    let path = convert::path(&uri);
    if path.is_absolute() && !secret::leads_to_secret(&path) {
        let workspace = session.workspace_of(&path);
        tokio::task::spawn_blocking(move || {
            workspace.update(&path, walk::read(&path).ok().as_deref());
        });
    }
}

fn index_when_at_rest(session: &Arc<Session>, uri: Url, version: i32) {
    let session = Arc::clone(session);
    tokio::spawn(async move {
        tokio::time::sleep(REST).await;
        if let Some(document) = session.document(&uri).filter(|d| d.version == version) {
            index(&session, document);
        }
    });
}

fn index(session: &Arc<Session>, document: Document) {
    if document.path.is_relative() {
        return;
    }
    let workspace = session.workspace_of(&document.path);
    tokio::task::spawn_blocking(move || {
        workspace.update_document(&document);
    });
}
