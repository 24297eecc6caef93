//! `textDocument/completion`: the popup, for clients without ghost text.

use std::sync::Arc;

use tower_lsp::jsonrpc;
use tower_lsp::lsp_types::{
    CompletionItem, CompletionItemKind, CompletionList, CompletionParams, CompletionResponse,
    CompletionTextEdit, Documentation, InsertTextFormat, InsertTextMode, MarkupContent, MarkupKind,
    TextEdit,
};

use super::super::convert;
use super::super::session::Session;
use super::suggest::Asked;
use super::{detach, suggest};
use crate::document::Document;
use crate::text::Span;
use crate::text::line_index::Encoding;
use crate::text::word::is_word;

/// The longest item: popups are not made for more. A longer one is not cut, since what is left
/// might not parse.
const MAX_LINES: usize = 30;
/// The longest label, in characters.
const MAX_LABEL: usize = 60;

/// Answers with suggestions whose popup is their preview.
pub(crate) async fn handle(
    session: &Arc<Session>,
    params: CompletionParams,
) -> jsonrpc::Result<Option<CompletionResponse>> {
    let at = params.text_document_position;
    let uri = &at.text_document.uri;
    let Some(document) = session.document(uri) else { return Ok(None) };
    if session.support().inline_completion || !suggest::wanted(session, uri, &document) {
        return Ok(None);
    }
    let superseded = session.begin_completion(uri);
    detach().await;
    let encoding = session.encoding();
    let cursor = convert::offset(&document, at.position, encoding);
    let asked = Asked { uri, document: &document, offset: cursor, by_hand: false, as_shown: true };
    let candidates = suggest::at(session, asked, superseded).await?;
    if session.document(uri).is_none_or(|now| now.version != document.version) {
        return Err(suggest::moved_on());
    }
    let items = candidates.iter().filter_map(|c| item(&document, cursor, &c.text, encoding));
    // Never complete: the next letter may bring something better.
    let list = CompletionList { is_incomplete: true, items: items.collect() };
    Ok(Some(CompletionResponse::List(list)))
}

fn item(
    document: &Document,
    cursor: usize,
    text: &str,
    encoding: Encoding,
) -> Option<CompletionItem> {
    let word = word_before(&document.text, cursor);
    let typed = word.of(&document.text).unwrap_or_default();
    if text.lines().count() > MAX_LINES {
        return None;
    }
    let new_text = format!("{typed}{}", text.trim_end());
    let first = new_text.lines().find(|line| !line.trim().is_empty())?;
    let language = document.language().map_or("", |language| language.name());
    Some(CompletionItem {
        label: first.trim().chars().take(MAX_LABEL).collect(),
        kind: Some(CompletionItemKind::TEXT),
        detail: Some("agent".to_owned()),
        documentation: Some(Documentation::MarkupContent(MarkupContent {
            kind: MarkupKind::Markdown,
            value: fenced(language, &new_text),
        })),
        preselect: Some(true),
        // What was typed, so that no client sorts the item out.
        filter_text: Some(if typed.is_empty() { new_text.clone() } else { typed.to_owned() }),
        insert_text_format: Some(InsertTextFormat::PLAIN_TEXT),
        // Its lines are indented for their place already.
        insert_text_mode: Some(InsertTextMode::AS_IS),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit {
            range: convert::range(document, word, encoding),
            new_text,
        })),
        ..CompletionItem::default()
    })
}

/// The letters, digits and underscores just before the cursor.
fn word_before(text: &str, cursor: usize) -> Span {
    let before = text.get(..cursor).unwrap_or_default();
    let word = before.trim_end_matches(is_word);
    Span::new(word.len(), before.len())
}

/// A code block whose fence is longer than any inside.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_item_replaces_the_word_and_its_popup_shows_it() {
        let document = Document::new("x.txt".into(), None, 1, "é = tot".to_owned());
        let item = item(&document, 8, "al(x)\n  y\n", Encoding::Utf16).unwrap();
        assert_eq!(item.label, "total(x)");
        assert_eq!(item.filter_text.as_deref(), Some("tot"));
        let Some(CompletionTextEdit::Edit(edit)) = item.text_edit else { panic!("no edit") };
        assert_eq!((edit.range.start.character, edit.range.end.character), (4, 7));
        assert_eq!(edit.new_text, "total(x)\n  y");
        assert_eq!(item.insert_text_mode, Some(InsertTextMode::AS_IS));
    }

    #[test]
    fn nothing_to_show_is_no_item() {
        let document = Document::new("x.txt".into(), None, 1, "a ".to_owned());
        assert!(item(&document, 2, "\n \n", Encoding::Utf8).is_none());
        let long = "f(\n".repeat(MAX_LINES + 1);
        assert!(item(&document, 2, &long, Encoding::Utf8).is_none());
    }

    #[test]
    fn fences_in_the_text_do_not_end_the_block() {
        assert_eq!(fenced("", "a\n````\nb"), "`````\na\n````\nb\n`````");
    }
}
