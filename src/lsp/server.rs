//! The wire table: which method goes to which handler.
//!
//! What must be in order with other messages is not here but in [`super::order`].

use std::sync::Arc;

use serde_json::Value;
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{
    CodeActionParams, CodeActionResponse, CompletionParams, CompletionResponse,
    DidChangeConfigurationParams, DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams,
    ExecuteCommandParams, Hover, HoverParams, InitializeParams, InitializeResult,
    InitializedParams, ServerInfo,
};
use tower_lsp::{ClientSocket, LanguageServer, LspService, async_trait};

use super::capabilities;
use super::ext::{
    ContextAnswer, ContextParams, InlineCompletionItem, InlineCompletionParams, OtherSuggestions,
    Status,
};
use super::handlers::{
    code_action, completion, configuration, context, execute_command, hover, inline_completion,
    watched_files,
};
use super::report;
use super::session::Session;

/// The handlers with what they share.
pub(super) struct Server {
    session: Arc<Session>,
}

/// The router of every method.
pub(super) fn router(session: Arc<Session>) -> (LspService<Server>, ClientSocket) {
    let builder = LspService::build(|_| Server { session })
        .custom_method("textDocument/inlineCompletion", Server::inline_completion)
        .custom_method("agent/context", Server::context)
        .custom_method("agent/status", Server::status)
        .custom_method("agent/otherSuggestions", Server::other_suggestions);
    // Lets a test see that a panic in a handler is answered.
    #[cfg(debug_assertions)]
    let builder = builder.custom_method("agent/panic", Server::panic);
    builder.finish()
}

impl Server {
    async fn inline_completion(
        &self,
        params: InlineCompletionParams,
    ) -> Result<Option<Vec<InlineCompletionItem>>> {
        inline_completion::handle(&self.session, params).await
    }

    async fn context(&self, params: ContextParams) -> Result<ContextAnswer> {
        context::handle(&self.session, params).await
    }

    #[expect(clippy::unused_async, reason = "the router takes async functions only")]
    async fn status(&self) -> Result<Status> {
        Ok(report::status(&self.session))
    }

    #[expect(clippy::unused_async, reason = "the router takes async functions only")]
    async fn other_suggestions(&self, params: OtherSuggestions) {
        self.session.suggestions.set_others(params.active);
        self.session.changed.notify_one();
    }

    #[cfg(debug_assertions)]
    #[expect(clippy::panic, reason = "asked for by a test")]
    async fn panic(&self) -> Result<Value> {
        super::handlers::detach().await;
        panic!("asked for")
    }
}

#[async_trait]
impl LanguageServer for Server {
    async fn initialize(&self, _: InitializeParams) -> Result<InitializeResult> {
        Ok(InitializeResult {
            capabilities: capabilities::offered(&self.session.support()),
            server_info: Some(ServerInfo {
                name: "agent".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        configuration::pull(&self.session);
        watched_files::register(&self.session);
        tokio::spawn(report::changes(Arc::clone(&self.session)));
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        configuration::did_change(&self.session, &params);
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        configuration::folders_changed(&self.session, &params);
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        watched_files::handle(&self.session, params);
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        completion::handle(&self.session, params).await
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        Ok(hover::handle(&self.session, &params))
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        Ok(code_action::handle(&self.session, params).await)
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        execute_command::handle(&self.session, params).map(|()| None)
    }
}
