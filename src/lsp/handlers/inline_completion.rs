//! `textDocument/inlineCompletion`: ghost text at the cursor.

use std::sync::Arc;

use tower_lsp::jsonrpc;
use tower_lsp::lsp_types::Url;

use super::super::convert;
use super::super::ext::{InlineCompletionItem, InlineCompletionParams, SelectedCompletionInfo};
use super::super::session::Session;
use super::suggest::Asked;
use super::{detach, suggest};
use crate::document::{Change, Document};
use crate::text::Span;
use crate::text::line_index::Encoding;

/// Answers with one suggestion, or a few when asked by hand.
pub(crate) async fn handle(
    session: &Arc<Session>,
    params: InlineCompletionParams,
) -> jsonrpc::Result<Option<Vec<InlineCompletionItem>>> {
    let uri: &Url = &params.text_document.uri;
    let Some(document) = session.document(uri) else { return Ok(None) };
    if !suggest::wanted(session, uri, &document) {
        return Ok(None);
    }
    let superseded = session.begin_completion(uri);
    detach().await;
    let encoding = session.encoding();
    let cursor = convert::offset(&document, params.position, encoding);
    let invoked = params.context.invoked();
    let selected = params.context.selected_completion_info;
    let Some(place) = Place::new(&document, cursor, selected, encoding) else { return Ok(None) };
    let (then, offset) = (&place.document, place.cursor);
    let as_shown = place.before.is_empty();
    let asked = Asked { uri, document: then, offset, by_hand: invoked, as_shown };
    let candidates = suggest::at(session, asked, superseded).await?;
    // The answer carries no version: the client would put it into whatever it shows now.
    if session.document(uri).is_none_or(|now| now.version != document.version) {
        return Err(suggest::moved_on());
    }
    let items = candidates.iter().map(|candidate| place.item(&document, &candidate.text, encoding));
    Ok(Some(items.collect()))
}

/// Where a suggestion goes.
struct Place {
    /// The document to complete: as it would be with the popup's selected item accepted.
    document: Document,
    /// The cursor in it.
    cursor: usize,
    /// What an item replaces in the client's document, on one line.
    replaced: Span,
    /// What every item starts with.
    before: String,
}

impl Place {
    fn new(
        document: &Document,
        cursor: usize,
        selected: Option<SelectedCompletionInfo>,
        encoding: Encoding,
    ) -> Option<Self> {
        let Some(selected) = selected else {
            return Some(Self {
                document: document.clone(),
                cursor,
                replaced: Span::empty(cursor),
                before: String::new(),
            });
        };
        let (from, to) = (selected.range.start, selected.range.end);
        if from.line != to.line || from.character > to.character {
            return None;
        }
        let replaced = convert::span(document, selected.range, encoding);
        let change = Change::Range {
            start: document.lines.position(&document.text, replaced.start, encoding),
            end: document.lines.position(&document.text, replaced.end, encoding),
            text: selected.text.clone(),
        };
        let version = document.version.checked_add(1)?;
        let accepted = document.changed(version, &[change], encoding).ok()?;
        let cursor = replaced.start + selected.text.len();
        Some(Self { document: accepted, cursor, replaced, before: selected.text })
    }

    /// The item for `text` at the cursor. Clients show only ranges of one line; one of several
    /// lines must go on to the end of its line, so what stands there is part of the item.
    fn item(&self, document: &Document, text: &str, encoding: Encoding) -> InlineCompletionItem {
        let mut insert_text = format!("{}{text}", self.before);
        let mut replaced = self.replaced;
        let line = document.lines.line_of(replaced.end);
        if insert_text.contains('\n')
            && let Some(line) = document.lines.line_span(&document.text, line)
            && let Some(rest) = document.text.get(replaced.end..line.end)
        {
            insert_text.push_str(rest);
            replaced.end = line.end;
        }
        // Editors put in the file's own line ends, and some show what does not belong to them.
        let insert_text = insert_text.replace("\r\n", "\n");
        InlineCompletionItem { insert_text, range: convert::range(document, replaced, encoding) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower_lsp::lsp_types::{Position, Range};

    fn document(text: &str) -> Document {
        Document::new("x.txt".into(), None, 1, text.to_owned())
    }

    fn range(start: u32, end: u32) -> Range {
        Range::new(Position::new(0, start), Position::new(0, end))
    }

    #[test]
    fn one_line_is_inserted_at_the_cursor() {
        let document = document("a😀()\n");
        let place = Place::new(&document, 6, None, Encoding::Utf16).unwrap();
        let item = place.item(&document, "x, y", Encoding::Utf16);
        assert_eq!(item, InlineCompletionItem { insert_text: "x, y".into(), range: range(4, 4) });
    }

    #[test]
    fn several_lines_take_the_rest_of_the_line_with_them() {
        let document = document("f()\r\nz");
        let place = Place::new(&document, 2, None, Encoding::Utf8).unwrap();
        let item = place.item(&document, "a,\n  b", Encoding::Utf8);
        assert_eq!(item.insert_text, "a,\n  b)");
        assert_eq!(item.range, range(2, 3));
        let theirs = place.item(&document, "a,\r\n  b", Encoding::Utf8);
        assert_eq!(theirs, item, "the editor puts in the file's line ends");
    }

    #[test]
    fn a_selected_popup_item_is_gone_on_from() {
        let document = document("x.le = 1");
        let selected = SelectedCompletionInfo { range: range(2, 4), text: "length".into() };
        let place = Place::new(&document, 4, Some(selected), Encoding::Utf8).unwrap();
        assert_eq!(&*place.document.text, "x.length = 1");
        assert_eq!(place.cursor, 8);
        let item = place.item(&document, "()", Encoding::Utf8);
        assert_eq!(
            item,
            InlineCompletionItem { insert_text: "length()".into(), range: range(2, 4) }
        );
    }
}
