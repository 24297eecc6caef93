//! A proposal becomes a workspace edit, on exactly the version it was made for.

use std::collections::HashMap;

use tower_lsp::lsp_types::{
    ApplyWorkspaceEditParams, CreateFile, CreateFileOptions, DocumentChangeOperation,
    DocumentChanges, OneOf, OptionalVersionedTextDocumentIdentifier, ResourceOp, TextDocumentEdit,
    TextEdit, Url, WorkspaceEdit, request::ApplyWorkspaceEdit,
};

use super::convert;
use super::session::Session;
use crate::edit::{FileChange, Proposal};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotApplied {
    /// A file is not what it was.
    #[error("{0}: changed meanwhile, so nothing was changed; run the command again")]
    Changed(String),
    /// The client cannot make the change.
    #[error("{0}; nothing was changed")]
    Refused(String),
}

/// One file of a workspace edit.
struct Part {
    uri: Url,
    version: Option<i32>,
    create: bool,
    edits: Vec<TextEdit>,
}

/// Asks the client to apply `proposal`.
pub(super) async fn apply(session: &Session, proposal: &Proposal) -> Result<(), NotApplied> {
    let mut parts = Vec::new();
    for change in &proposal.changes {
        parts.push(part(session, change)?);
    }
    let edit = workspace_edit(session, parts);
    let label = (!proposal.title.is_empty()).then(|| proposal.title.clone());
    let asked =
        session.client.request::<ApplyWorkspaceEdit>(ApplyWorkspaceEditParams { label, edit });
    let answer = asked.await.map_err(|error| NotApplied::Refused(error.to_string()))?;
    if answer.applied {
        return Ok(());
    }
    let reason = answer.failure_reason.filter(|reason| !reason.is_empty());
    Err(NotApplied::Refused(match reason {
        Some(reason) => format!("the editor did not apply the change: {reason}"),
        None => "the editor did not apply the change".to_owned(),
    }))
}

/// The edits of one file, if it still is what the change was made for.
fn part(session: &Session, change: &FileChange) -> Result<Part, NotApplied> {
    let stale = || NotApplied::Changed(change.display.clone());
    let (uri, version) = if let Some((uri, document)) = session.open_at(&change.path) {
        if change.base.as_deref() != Some(&*document.text) {
            return Err(stale());
        }
        (uri, Some(document.version))
    } else {
        let on_disk = std::fs::read_to_string(&change.path).ok();
        if on_disk != change.base {
            return Err(stale());
        }
        let unnamed = || NotApplied::Refused(format!("{}: no such path", change.display));
        (convert::uri(&change.path).ok_or_else(unnamed)?, None)
    };
    let base = change.base.as_deref().unwrap_or_default();
    let edits = convert::edits(base, change.edits(), session.encoding());
    Ok(Part { uri, version, create: change.base.is_none(), edits })
}

fn workspace_edit(session: &Session, parts: Vec<Part>) -> WorkspaceEdit {
    let support = session.support();
    if !support.document_changes {
        let changes: HashMap<Url, Vec<TextEdit>> =
            parts.into_iter().map(|part| (part.uri, part.edits)).collect();
        return WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
    }
    let mut operations = Vec::new();
    for Part { uri, version, create, edits } in parts {
        if create && support.create_files {
            operations.push(DocumentChangeOperation::Op(ResourceOp::Create(CreateFile {
                uri: uri.clone(),
                options: Some(CreateFileOptions {
                    overwrite: Some(false),
                    ignore_if_exists: Some(false),
                }),
                annotation_id: None,
            })));
        }
        operations.push(DocumentChangeOperation::Edit(TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier { uri, version },
            edits: edits.into_iter().map(OneOf::Left).collect(),
        }));
    }
    WorkspaceEdit {
        document_changes: Some(DocumentChanges::Operations(operations)),
        ..WorkspaceEdit::default()
    }
}
