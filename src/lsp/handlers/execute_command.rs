//! `workspace/executeCommand`: answers at once; the work goes on in the background.

use std::sync::Arc;

use tower_lsp::jsonrpc::{self, Error};
use tower_lsp::lsp_types::ExecuteCommandParams;

use super::super::commands::{self, Kind};
use super::super::ext::CommandArgument;
use super::super::session::Session;

/// Starts a command.
pub(crate) fn handle(session: &Arc<Session>, params: ExecuteCommandParams) -> jsonrpc::Result<()> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.command() == params.command);
    let kind =
        kind.ok_or_else(|| Error::invalid_params(format!("{}: no such command", params.command)))?;
    let argument = params.arguments.into_iter().next().unwrap_or_default();
    let argument: CommandArgument = serde_json::from_value(argument).map_err(|_| {
        Error::invalid_params(format!(
            "{}: wants one argument {{uri, range?, version?, instruction?}}",
            params.command
        ))
    })?;
    commands::start(session, kind, argument, params.work_done_progress_params.work_done_token);
    Ok(())
}
