//! `textDocument/hover`: explanations given before; never waits for the model.

use tower_lsp::lsp_types::{Hover, HoverContents, HoverParams, MarkupContent, MarkupKind};

use super::super::convert;
use super::super::session::Session;

/// Answers with the explanation of what stands there, if one was given.
pub(crate) fn handle(session: &Session, params: &HoverParams) -> Option<Hover> {
    let at = &params.text_document_position_params;
    let document = session.document(&at.text_document.uri)?;
    let offset = convert::offset(&document, at.position, session.encoding());
    let value = session.explanations.at(&document, offset)?;
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value });
    Some(Hover { contents, range: None })
}
