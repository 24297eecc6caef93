//! `workspace/didChangeConfiguration` and `didChangeWorkspaceFolders`.

use std::sync::Arc;

use tower_lsp::lsp_types::{DidChangeConfigurationParams, DidChangeWorkspaceFoldersParams};

use super::super::convert;
use super::super::session::Session;

/// Takes new settings: those that came along, else those the client gives when asked.
pub(crate) fn did_change(session: &Arc<Session>, params: &DidChangeConfigurationParams) {
    let ours = params.settings.get("agent").is_some_and(serde_json::Value::is_object);
    if ours || !session.support().configuration {
        session.configure(&params.settings);
        return;
    }
    pull(session);
}

/// Asks the client for its settings, in the background.
pub(crate) fn pull(session: &Arc<Session>) {
    let session = Arc::clone(session);
    tokio::spawn(async move { session.pull_configuration().await });
}

/// Takes new folders.
pub(crate) fn folders_changed(session: &Session, params: &DidChangeWorkspaceFoldersParams) {
    let paths = |folders: &[tower_lsp::lsp_types::WorkspaceFolder]| {
        let files = folders.iter().filter(|folder| folder.uri.scheme() == "file");
        files.map(|folder| convert::path(&folder.uri)).collect()
    };
    let removed: Vec<_> = paths(&params.event.removed);
    session.projects.change_folders(paths(&params.event.added), &removed);
    session.configure_again();
}
