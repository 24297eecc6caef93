//! What is ours or newer than the protocol types: documented here for authors of editor clients.
//!
//! Methods
//! - `textDocument/inlineCompletion` (LSP 3.18): [`InlineCompletionParams`] → list of
//!   [`InlineCompletionItem`]. A request that is overtaken by a change of the document or by a
//!   newer request for it is answered with `ContentModified` (-32801).
//! - `agent/status` (request, no parameters): [`Status`]. To a client with the capability
//!   `experimental.agentStatus: true` the server sends the same as a notification of that name, when
//!   it changes and five times a second at most.
//! - `agent/otherSuggestions` (notification from the client): [`OtherSuggestions`]. Beside those that
//!   option `complete.give_way` names, only suggestions asked for by hand are answered.
//! - `agent/context` (request): [`ContextParams`] → [`ContextAnswer`], the prompt that a suggestion
//!   at the position would be asked with, part by part. It fails with `RequestFailed` (-32803) and the
//!   reason where there would be none: no model, a file that is excluded, a language switched off.
//!
//! Commands (`workspace/executeCommand`), each with one [`CommandArgument`]: `agent.explain`,
//! `agent.doc`, `agent.test`, `agent.fix`, `agent.rewrite`. Each answers `null` at once; progress
//! follows as work-done progress, the result as `window/showDocument`, `workspace/applyEdit` or
//! `window/showMessage`.
//!
//! Settings (`initializationOptions`, or section `agent` of the client's configuration): the
//! options of `agent.toml`, and `trusted: true` where the editor itself knows that the user trusts
//! the workspace.

use serde::{Deserialize, Serialize};
use tower_lsp::lsp_types::{Position, Range, TextDocumentIdentifier, Url};

/// Parameters of `textDocument/inlineCompletion`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InlineCompletionParams {
    /// The document.
    pub(super) text_document: TextDocumentIdentifier,
    /// The cursor.
    pub(super) position: Position,
    /// How it was asked for.
    #[serde(default)]
    pub(super) context: InlineCompletionContext,
}

/// How an inline completion was asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InlineCompletionContext {
    /// 1: by hand; 2: while typing.
    #[serde(default)]
    pub(super) trigger_kind: u8,
    /// The popup's selected item: the suggestion must go on from it.
    #[serde(default)]
    pub(super) selected_completion_info: Option<SelectedCompletionInfo>,
}

impl InlineCompletionContext {
    /// Whether the user asked by hand, and so waits for more than a guess.
    pub(super) fn invoked(&self) -> bool {
        self.trigger_kind == 1
    }
}

/// The popup's selected item.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SelectedCompletionInfo {
    /// What accepting it would replace.
    pub(super) range: Range,
    /// By what.
    pub(super) text: String,
}

/// One suggestion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InlineCompletionItem {
    /// What stands in `range` afterwards; starts with what stands there before the cursor.
    pub(super) insert_text: String,
    /// Part of one line, around the cursor.
    pub(super) range: Range,
}

/// Parameters of `agent/context`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContextParams {
    /// The document.
    pub(super) text_document: TextDocumentIdentifier,
    /// The cursor.
    pub(super) position: Position,
}

/// The answer of `agent/context`: what a prompt holds.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContextAnswer {
    /// Tokens allowed.
    pub(super) budget: usize,
    /// Tokens used, those of markers between the parts included.
    pub(super) tokens: usize,
    /// Time it took to build, in milliseconds.
    pub(super) build_ms: f64,
    /// Whether the prompt goes on from the last one in this document, in words.
    pub(super) reuse: &'static str,
    /// What it holds, in order.
    pub(super) parts: Vec<ContextPart>,
    /// What it might have held.
    pub(super) dropped: Vec<ContextLeftOut>,
    /// All of it, markers as the model's family spells them.
    pub(super) prompt: String,
}

/// A part of a prompt.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContextPart {
    /// `repository`, `imported`, `enclosing type`, `ranked`, `recent`, `path`, `prefix`, `suffix` or
    /// `typed`.
    pub(super) kind: &'static str,
    /// The file it is from, relative to its folder; empty for the repository.
    pub(super) path: String,
    /// First line, from 1; 0 where it is no part of a file.
    pub(super) start_line: u32,
    /// Last line.
    pub(super) end_line: u32,
    /// What it costs.
    pub(super) tokens: usize,
    /// Why it is here.
    pub(super) reason: String,
    /// As it stands in the prompt.
    pub(super) text: String,
}

/// Something a prompt might have held.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContextLeftOut {
    /// As for a part, or `related`.
    pub(super) kind: &'static str,
    /// The file it is from.
    pub(super) path: String,
    /// First line, from 1; 0 where it is no part of a file.
    pub(super) start_line: u32,
    /// Last line.
    pub(super) end_line: u32,
    /// What it would have cost; none where that was not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tokens: Option<usize>,
    /// Why it is left out.
    pub(super) cause: String,
}

/// The argument of every command of ours.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CommandArgument {
    /// The document.
    pub(super) uri: Url,
    /// What the command is about: the item around its start; for `agent.fix` the diagnostic (none:
    /// every error of the file).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) range: Option<Range>,
    /// The version it was offered for; a document that moved on is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<i32>,
    /// `agent.rewrite`: what to do. The server cannot ask; the client does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) instruction: Option<String>,
}

/// Parameters of `agent/otherSuggestions`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct OtherSuggestions {
    /// Names of the other programs that show ghost text now; all of them, each time.
    pub(super) active: Vec<String>,
}

/// How far the index is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Indexing {
    /// Files read.
    pub(super) done: usize,
    /// Files to be read.
    pub(super) total: usize,
}

/// The answer of `agent/status`, and its notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    /// This program's version.
    pub(super) version: &'static str,
    /// `loading`, `ready` or `failed`.
    pub(super) model_state: &'static str,
    /// The model's name, or why there is none.
    pub(super) model: String,
    /// The device it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) device: Option<String>,
    /// Files known of the open workspaces.
    pub(super) indexed_files: usize,
    /// How far the index is, while it is being built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) indexing: Option<Indexing>,
    /// Time from the last request for a suggestion to its answer that was not empty, in
    /// milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_latency_ms: Option<u64>,
    /// Why there are no suggestions while typing, where that is no matter of the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) silent: Option<String>,
    /// Open documents.
    pub(super) open_documents: usize,
}
