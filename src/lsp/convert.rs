//! Between the client's positions and URIs and our offsets and paths.

use std::path::{Path, PathBuf};

use tower_lsp::lsp_types::{self as proto, Url};

use crate::document::{Change, Document};
use crate::text::line_index::{Encoding, LineIndex, Position};
use crate::text::{Span, TextEdit};

/// The offset of a position; past the end of a line or of the text means that end.
pub(super) fn offset(document: &Document, position: proto::Position, encoding: Encoding) -> usize {
    document.lines.offset(&document.text, from_position(position), encoding)
}

/// The span of a range; a backwards one is turned around.
pub(super) fn span(document: &Document, range: proto::Range, encoding: Encoding) -> Span {
    let start = offset(document, range.start, encoding);
    let end = offset(document, range.end, encoding);
    Span::new(start.min(end), start.max(end))
}

/// The range of a span.
pub(super) fn range(document: &Document, span: Span, encoding: Encoding) -> proto::Range {
    range_in(&document.text, &document.lines, span, encoding)
}

/// Edits of `base` as the client counts.
pub(super) fn edits(base: &str, edits: Vec<TextEdit>, encoding: Encoding) -> Vec<proto::TextEdit> {
    let lines = LineIndex::new(base);
    edits
        .into_iter()
        .map(|edit| {
            let edit = around_line_ends(base, edit);
            proto::TextEdit {
                range: range_in(base, &lines, edit.span, encoding),
                new_text: edit.text,
            }
        })
        .collect()
}

/// The same edit with no end between `\r` and `\n`, a place that positions cannot name.
fn around_line_ends(base: &str, edit: TextEdit) -> TextEdit {
    let inside = |offset: usize| {
        offset > 0 && base.as_bytes().get(offset - 1..=offset) == Some(b"\r\n".as_slice())
    };
    let TextEdit { mut span, mut text } = edit;
    if inside(span.start) {
        span.start -= 1;
        text.insert(0, '\r');
    }
    if inside(span.end) {
        span.end += 1;
        text.push('\n');
    }
    TextEdit { span, text }
}

/// A change of a document.
pub(super) fn change(event: proto::TextDocumentContentChangeEvent) -> Change {
    match event.range {
        None => Change::Full(event.text),
        Some(range) => Change::Range {
            start: from_position(range.start),
            end: from_position(range.end),
            text: event.text,
        },
    }
}

/// The file a URI names. What is not a file (`untitled:`) gets a relative path of its own.
pub(super) fn path(uri: &Url) -> PathBuf {
    if uri.scheme() == "file"
        && let Ok(path) = uri.to_file_path()
    {
        return path;
    }
    let name: String = uri
        .path()
        .chars()
        .map(|c| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
        .collect();
    PathBuf::from(name.trim_start_matches('.'))
}

/// The URI of an absolute path.
pub(super) fn uri(path: &Path) -> Option<Url> {
    Url::from_file_path(path).ok()
}

fn from_position(position: proto::Position) -> Position {
    Position { line: position.line, column: position.character }
}

fn range_in(text: &str, lines: &LineIndex, span: Span, encoding: Encoding) -> proto::Range {
    let at = |offset| {
        let position = lines.position(text, offset, encoding);
        proto::Position::new(position.line, position.column)
    };
    proto::Range::new(at(span.start), at(span.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_uris_become_paths_and_come_back() {
        for (text, expected) in [
            ("file:///tmp/a%20b/%C3%BC.py", "/tmp/a b/ü.py"),
            ("file:///tmp/100%25.rs", "/tmp/100%.rs"),
            ("file:///tmp/a#b.py", "/tmp/a"),
        ] {
            let got = path(&Url::parse(text).unwrap());
            #[cfg(unix)]
            assert_eq!(got, Path::new(expected));
            #[cfg(unix)]
            assert_eq!(path(&uri(&got).unwrap()), got);
            let _ = (got, expected);
        }
    }

    #[cfg(windows)]
    #[test]
    fn drive_letters_survive_however_they_are_spelled() {
        for text in ["file:///c:/src/a.py", "file:///c%3A/src/a.py"] {
            assert_eq!(path(&Url::parse(text).unwrap()), Path::new(r"c:\src\a.py"));
        }
    }

    #[test]
    fn an_edit_between_the_bytes_of_a_line_end_is_widened() {
        let edit =
            |start, end, text: &str| TextEdit { span: Span::new(start, end), text: text.into() };
        let got = edits("a\r\nb", vec![edit(2, 3, "x\n")], Encoding::Utf16);
        assert_eq!(got[0].new_text, "\rx\n");
        assert_eq!(
            got[0].range,
            proto::Range::new(proto::Position::new(0, 1), proto::Position::new(1, 0))
        );
        let got = edits("a\r\nb", vec![edit(0, 2, "c")], Encoding::Utf16);
        assert_eq!(got[0].new_text, "c\n");
    }

    #[test]
    fn columns_count_what_was_negotiated() {
        let document = Document::new("x.txt".into(), None, 1, "a😀ß!\r\nz".to_owned());
        for (encoding, column) in [(Encoding::Utf8, 7), (Encoding::Utf16, 4), (Encoding::Utf32, 3)]
        {
            let position = proto::Position::new(0, column);
            assert_eq!(offset(&document, position, encoding), 7);
            assert_eq!(range(&document, Span::new(7, 8), encoding).start, position);
        }
        assert_eq!(
            offset(&document, proto::Position::new(9, 9), Encoding::Utf16),
            document.text.len()
        );
    }

    #[test]
    fn what_is_no_file_gets_a_relative_path() {
        assert_eq!(path(&Url::parse("untitled:Untitled-1").unwrap()), Path::new("Untitled-1"));
        assert_eq!(path(&Url::parse("untitled:../../etc/x").unwrap()), Path::new("_.._etc_x"));
        assert!(path(&Url::parse("vscode-remote://host/a/b.py").unwrap()).is_relative());
    }
}
