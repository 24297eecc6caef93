//! One indexed item: what a prompt may say of it without its text.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::syntax::Language;
use crate::syntax::language::Blocks;
use crate::syntax::outline::{Item, ItemKind};
use crate::text::Span;
use crate::text::line_index::LineIndex;
use crate::text::word::is_word;

/// Bytes of a signature, and of a doc comment's line, beyond this number are left out.
const MAX_LINE: usize = 600;
/// Data types with more text than this are indexed without their fields.
const MAX_FIELDS: usize = 800;

/// One indexed item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Path relative to the workspace.
    pub path: Arc<Path>,
    /// Zero-based line of its name.
    pub line: u32,
    /// Zero-based last line.
    pub end_line: u32,
    /// The whole item in bytes of its file, docs and attributes included.
    pub span: Span,
    /// Its kind.
    pub kind: ItemKind,
    /// Its name.
    pub name: String,
    /// The class, impl, trait or module around it.
    pub owner: Option<String>,
    /// Its signature on one or more lines.
    pub signature: String,
    /// First line of its doc comment, without comment marks.
    pub doc: Option<String>,
    /// What a data type holds, as written: the block of a small struct or enum in Rust, in other
    /// languages its fields or variants on a line each, without braces.
    pub fields: Option<String>,
    /// Whether other modules can name it.
    pub public: bool,
    /// Whether it is a test, or stands in a part that is only compiled or collected for tests.
    pub test: bool,
    /// Where its identifiers are in the file's list.
    pub(super) uses: Range<u32>,
}

/// The symbol of an item of `text`.
pub(super) fn symbol(
    language: Language,
    item: Item,
    text: &str,
    lines: &LineIndex,
    path: Arc<Path>,
    uses: Range<u32>,
) -> Symbol {
    let line = |offset| u32::try_from(lines.line_of(offset)).unwrap_or(u32::MAX);
    Symbol {
        path,
        line: line(item.name_span.start),
        end_line: line(item.span.end),
        span: item.span,
        kind: item.kind,
        signature: cut(item.signature.of(text).unwrap_or_default()).to_owned(),
        doc: item.doc.and_then(|doc| doc.of(text)).and_then(summary),
        fields: fields(language, &item, text),
        public: item.public,
        test: item.test,
        name: item.name,
        owner: item.owner,
        uses,
    }
}

/// What a small data type holds; see [`Symbol::fields`].
fn fields(language: Language, item: &Item, text: &str) -> Option<String> {
    let marked = language.marks_fields();
    let is_data = matches!(item.kind, ItemKind::Class | ItemKind::Enum)
        || (marked && item.kind == ItemKind::Interface);
    if !is_data {
        return None;
    }
    let body = item.body?.of(text)?;
    if marked {
        // A comment up to a line's end would swallow what follows on the one line.
        let fits =
            |field: &&str| !field.contains('\n') || !field.contains(language.spec().line_comment);
        let fields: Vec<String> = item
            .fields
            .iter()
            .filter_map(|field| field.of(text))
            .filter(fits)
            .map(|field| field.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let fields = fields.join("\n");
        return (!fields.is_empty() && fields.len() <= MAX_FIELDS).then_some(fields);
    }
    match language.spec().blocks {
        Blocks::Braces => {
            (body.len() <= MAX_FIELDS && !body.contains("=>")).then(|| body.to_owned())
        }
        Blocks::Indentation => {
            let annotated = |line: &&str| {
                let name = line.split([':', ' ']).next().unwrap_or_default();
                let is_name = name.chars().all(is_word);
                !name.is_empty()
                    && is_name
                    && line.get(name.len()..).is_some_and(|r| r.starts_with(": "))
            };
            let depth = |line: &str| line.len() - line.trim_start().len();
            // The body begins after the indentation of its first line.
            let first = body.lines().nth(1).map_or(0, depth);
            let lines = body.lines().enumerate();
            let own = lines.filter(|(number, line)| *number == 0 || depth(line) == first);
            let fields: Vec<&str> = own.map(|(_, line)| line.trim()).filter(annotated).collect();
            let fields = fields.join("\n");
            (!fields.is_empty() && fields.len() <= MAX_FIELDS).then_some(fields)
        }
    }
}

/// The first line of a doc comment or docstring that says something, without comment marks and
/// quotes.
pub fn summary(doc: &str) -> Option<String> {
    let doc = doc.trim_start();
    // A raw docstring has a letter before its quotes.
    let doc = match doc.strip_prefix(['r', 'R', 'u', 'U']) {
        Some(rest) if rest.starts_with(['"', '\'']) => rest,
        _ => doc,
    };
    doc.lines()
        .map(|line| {
            let line = line.trim().trim_start_matches(['/', '!', '*', '#', '"', '\'']);
            line.trim_end_matches(['*', '/', '"', '\'']).trim()
        })
        .find(|line| !line.is_empty())
        .map(|line| cut(line).to_owned())
}

/// The longest beginning of `text` within [`MAX_LINE`] bytes.
fn cut(text: &str) -> &str {
    let end = text.floor_char_boundary(MAX_LINE);
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_first_line_that_says_something() {
        for (doc, expected) in [
            ("/// Adds.\n/// More.", Some("Adds.")),
            ("/**\n * Adds.\n */", Some("Adds.")),
            ("\"\"\"Adds.\"\"\"", Some("Adds.")),
            ("r'''\n    Adds.\n    '''", Some("Adds.")),
            ("# returns it", Some("returns it")),
            ("///", None),
        ] {
            assert_eq!(summary(doc).as_deref(), expected, "{doc}");
        }
    }
}
