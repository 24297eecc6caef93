//! `agent/context`: what a suggestion would be asked with.

use std::sync::Arc;

use tower_lsp::jsonrpc;

use super::super::convert;
use super::super::ext::{ContextAnswer, ContextLeftOut, ContextParams, ContextPart};
use super::super::session::Session;
use super::{detach, suggest};
use crate::prompt::fim;
use crate::prompt::{LeftOut, Shown};
use crate::task::complete::{self, Prepared};
use crate::task::suggest::plan::Trigger;

/// Builds the prompt that a suggestion would go on from, without asking for one.
pub(crate) async fn handle(
    session: &Arc<Session>,
    params: ContextParams,
) -> jsonrpc::Result<ContextAnswer> {
    let uri = &params.text_document.uri;
    let document = session.document(uri);
    let document =
        document.ok_or_else(|| suggest::failed("the document is not open, or holds secrets"))?;
    detach().await;
    if let Some(reason) = suggest::refused(session, uri, &document) {
        return Err(suggest::failed(&reason));
    }
    let offset = convert::offset(&document, params.position, session.encoding());
    let workspace = session.workspace_of(&document.path);
    let tools = session
        .tools(workspace, Arc::new(|_| {}))
        .await
        .map_err(|error| suggest::failed(&error))?;
    let options = suggest::options(session, &tools, &document);
    let trigger = Trigger::Typing;
    let prepared =
        suggest::prepared(session, uri, &tools, &document, offset, &options, trigger).await;
    let prepared = prepared.map_err(|error| suggest::failed(&error.to_string()))?;
    let style = complete::style_of(tools.engine.info());
    let pieces = &prepared.prompt.pieces;
    let prompt = style.map(|style| fim::spelled(pieces, style.format)).unwrap_or_default();
    Ok(answer(prepared, prompt))
}

fn answer(prepared: Prepared, prompt: String) -> ContextAnswer {
    let Prepared { reuse, build_time, prompt: built, .. } = prepared;
    let trace = built.trace;
    ContextAnswer {
        budget: trace.budget,
        tokens: trace.tokens(),
        build_ms: (build_time.as_secs_f64() * 1e6).round() / 1e3,
        reuse: reuse.words(),
        parts: trace.parts.into_iter().map(part).collect(),
        dropped: trace.dropped.into_iter().map(left_out).collect(),
        prompt,
    }
}

fn part(part: Shown) -> ContextPart {
    let Shown { kind, path, start_line, end_line, tokens, reason, text } = part;
    let path = path.display().to_string();
    ContextPart { kind, path, start_line, end_line, tokens, reason, text }
}

fn left_out(left: LeftOut) -> ContextLeftOut {
    let LeftOut { kind, path, start_line, end_line, tokens, cause } = left;
    let path = path.display().to_string();
    ContextLeftOut { kind, path, start_line, end_line, tokens, cause }
}
