//! What the client can do, and what we offer it.

use serde_json::Value;
use tower_lsp::lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionOptions,
    ExecuteCommandOptions, HoverProviderCapability, OneOf, PositionEncodingKind,
    ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    TextDocumentSyncSaveOptions, WorkDoneProgressOptions, WorkspaceFoldersServerCapabilities,
    WorkspaceServerCapabilities,
};

use super::commands::Kind;
use crate::text::line_index::Encoding;

/// What a client declared, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one capability of the protocol")]
pub(super) struct ClientSupport {
    /// Columns count this.
    pub(super) encoding: Encoding,
    /// Whether the client chose among encodings (only then may we name one).
    pub(super) encoding_negotiated: bool,
    /// It shows ghost text.
    pub(super) inline_completion: bool,
    /// Workspace edits may name versions.
    pub(super) document_changes: bool,
    /// Workspace edits may create files.
    pub(super) create_files: bool,
    /// It shows a document when asked.
    pub(super) show_document: bool,
    /// It shows progress that we start.
    pub(super) progress: bool,
    /// It wants to be told how the server is ([`super::ext::Status`]).
    pub(super) status: bool,
    /// It can be asked for its settings.
    pub(super) configuration: bool,
    /// It tells of changed files when asked to.
    pub(super) watches_files: bool,
    /// Code actions may be more than commands.
    pub(super) action_literals: bool,
    /// It shows why an action cannot be used.
    pub(super) disabled_actions: bool,
}

impl Default for ClientSupport {
    fn default() -> Self {
        Self::of(&Value::Null)
    }
}

impl ClientSupport {
    /// Reads the parameters of `initialize`.
    pub(super) fn of(params: &Value) -> Self {
        let at = |path: &str| params.pointer(&format!("/capabilities/{path}"));
        let yes = |path: &str| at(path).and_then(Value::as_bool).unwrap_or(false);
        let lists = |path: &str, wanted: &str| {
            at(path).and_then(Value::as_array).is_some_and(|list| list.iter().any(|v| v == wanted))
        };
        let encodings = at("general/positionEncodings").filter(|list| list.is_array());
        let utf8 = lists("general/positionEncodings", "utf-8");
        let name = params.pointer("/clientInfo/name").and_then(Value::as_str);
        Self {
            encoding: if utf8 { Encoding::Utf8 } else { Encoding::Utf16 },
            encoding_negotiated: encodings.is_some(),
            inline_completion: at("textDocument/inlineCompletion").is_some_and(Value::is_object),
            // Neovim 0.11 does not declare it, yet honours it and refuses stale versions.
            document_changes: yes("workspace/workspaceEdit/documentChanges")
                || name == Some("Neovim"),
            create_files: lists("workspace/workspaceEdit/resourceOperations", "create"),
            show_document: yes("window/showDocument/support"),
            progress: yes("window/workDoneProgress"),
            status: yes("experimental/agentStatus"),
            configuration: yes("workspace/configuration"),
            watches_files: yes("workspace/didChangeWatchedFiles/dynamicRegistration"),
            action_literals: at("textDocument/codeAction/codeActionLiteralSupport")
                .is_some_and(Value::is_object),
            disabled_actions: yes("textDocument/codeAction/disabledSupport"),
        }
    }
}

/// What we offer to a client that can do `support`. `inlineCompletionProvider` is newer than these
/// types; [`super::order`] adds it.
pub(super) fn offered(support: &ClientSupport) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: support.encoding_negotiated.then_some(match support.encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::Supported(true)),
            ..TextDocumentSyncOptions::default()
        })),
        // Where ghost text is shown, the popup stays free of our items.
        completion_provider: (!support.inline_completion).then(|| CompletionOptions {
            // None, so that another server's `.` is not delayed.
            trigger_characters: Some(Vec::new()),
            ..CompletionOptions::default()
        }),
        // The way to read an explanation where no document can be shown.
        hover_provider: (!support.show_document).then_some(HoverProviderCapability::Simple(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![
                CodeActionKind::QUICKFIX,
                CodeActionKind::REFACTOR_REWRITE,
                Kind::Explain.action_kind(),
                Kind::Test.action_kind(),
            ]),
            ..CodeActionOptions::default()
        })),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: Kind::ALL.iter().map(|kind| kind.command().to_owned()).collect(),
            work_done_progress_options: WorkDoneProgressOptions { work_done_progress: Some(true) },
        }),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: None,
        }),
        ..ServerCapabilities::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn utf8_is_chosen_where_offered_and_named_only_to_clients_that_gave_a_list() {
        let of = |encodings: Value| {
            ClientSupport::of(
                &json!({"capabilities": {"general": {"positionEncodings": encodings}}}),
            )
        };
        let neovim = of(json!(["utf-16", "utf-8"]));
        assert_eq!(neovim.encoding, Encoding::Utf8);
        assert_eq!(offered(&neovim).position_encoding, Some(PositionEncodingKind::UTF8));
        let vscode = of(json!(["utf-16"]));
        assert_eq!(offered(&vscode).position_encoding, Some(PositionEncodingKind::UTF16));
        let old = ClientSupport::of(&json!({"capabilities": {}}));
        assert_eq!(old.encoding, Encoding::Utf16);
        assert_eq!(offered(&old).position_encoding, None);
    }

    #[test]
    fn plain_completion_is_offered_only_without_ghost_text() {
        let ghost = ClientSupport::of(
            &json!({"capabilities": {"textDocument": {"inlineCompletion": {"dynamicRegistration": true}}}}),
        );
        assert!(offered(&ghost).completion_provider.is_none());
        assert!(offered(&ClientSupport::default()).completion_provider.is_some());
    }

    #[test]
    fn neovim_gets_versioned_edits_though_it_does_not_say_so() {
        let neovim = json!({"clientInfo": {"name": "Neovim"}, "capabilities": {}});
        assert!(ClientSupport::of(&neovim).document_changes);
        assert!(!ClientSupport::default().document_changes);
    }

    #[test]
    fn odd_shapes_are_taken_as_absent() {
        let odd = json!({"capabilities": {"general": {"positionEncodings": 3}, "window": [], "workspace": null}});
        assert_eq!(ClientSupport::of(&odd), ClientSupport::default());
    }
}
