//! `workspace/didChangeWatchedFiles`: the index follows what other programs write.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tower_lsp::lsp_types::{
    DidChangeWatchedFilesParams, DidChangeWatchedFilesRegistrationOptions, FileSystemWatcher,
    GlobPattern, Registration, RegistrationParams, notification::DidChangeWatchedFiles,
    notification::Notification, request::RegisterCapability,
};

use super::super::convert;
use super::super::session::Session;
use crate::syntax::Language;
use crate::workspace::Workspace;

/// The name of the files with a project's options.
const CONFIGURATION: &str = "agent.toml";

/// Asks the client to tell of changed files, in the background. For clients that cannot be asked the
/// files are watched here.
pub(crate) fn register(session: &Arc<Session>) {
    if !session.support().watches_files {
        return session.projects.watch();
    }
    let endings: Vec<&str> =
        Language::all().iter().flat_map(|language| language.spec().extensions).copied().collect();
    let patterns = [
        format!("**/*.{{{}}}", endings.join(",")),
        format!("**/{CONFIGURATION}"),
        // Changes when another branch is checked out.
        "**/.git/HEAD".to_owned(),
    ];
    let watchers = patterns
        .map(|pattern| FileSystemWatcher { glob_pattern: GlobPattern::String(pattern), kind: None })
        .to_vec();
    let options = DidChangeWatchedFilesRegistrationOptions { watchers };
    let registration = Registration {
        id: "agent/files".to_owned(),
        method: DidChangeWatchedFiles::METHOD.to_owned(),
        register_options: serde_json::to_value(options).ok(),
    };
    let session = Arc::clone(session);
    tokio::spawn(async move {
        let params = RegistrationParams { registrations: vec![registration] };
        if let Err(error) = session.client.request::<RegisterCapability>(params).await {
            tracing::warn!("{error}");
        }
    });
}

/// Whether a file is a project's `agent.toml`.
pub(super) fn is_configuration(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == CONFIGURATION)
}

/// Reads options anew that changed, and indexes files that are not open; those that are open are known better.
pub(crate) fn handle(session: &Arc<Session>, params: DidChangeWatchedFilesParams) {
    let session = Arc::clone(session);
    if params.changes.iter().any(|change| is_configuration(&convert::path(&change.uri))) {
        session.configure_again();
    }
    tokio::task::spawn_blocking(move || {
        let mut changed: Vec<(Arc<Workspace>, Vec<PathBuf>)> = Vec::new();
        for change in params.changes {
            let path = convert::path(&change.uri);
            if path.is_relative() || session.open_at(&path).is_some() {
                continue;
            }
            let workspace = session.workspace_of(&path);
            match changed.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &workspace)) {
                Some((_, paths)) => paths.push(path),
                None => changed.push((workspace, vec![path])),
            }
        }
        for (workspace, paths) in changed {
            workspace.take_changes(&paths);
        }
    });
}
