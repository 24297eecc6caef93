//! Open files: versioned text and its tree, always consistent with each other.

pub mod store;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::syntax::outline::{self, Item};
use crate::syntax::{Language, SyntaxTree};
use crate::text::diff;
use crate::text::line_index::{Encoding, LineIndex, Position};

/// One version of one file. Cheap to clone; a clone never changes.
#[derive(Debug, Clone)]
pub struct Document {
    /// Where it lives; need not exist on disk.
    pub path: Arc<Path>,
    /// The editor's version, 0 for a file read from disk.
    pub version: i32,
    /// Its text.
    pub text: Arc<str>,
    /// Its lines.
    pub lines: Arc<LineIndex>,
    /// Its tree; `None` for a language that is not compiled in.
    pub tree: Option<SyntaxTree>,
    /// Its items, once asked for.
    items: Arc<OnceLock<Arc<[Item]>>>,
    /// The last version before this one whose items were asked for, to go on from.
    outlined: Option<Arc<Outlined>>,
}

/// A version whose items are known.
#[derive(Debug)]
struct Outlined {
    text: Arc<str>,
    tree: SyntaxTree,
    items: Arc<[Item]>,
}

/// One change of a document, as editors send them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The whole text anew.
    Full(String),
    /// Replaces `start..end`.
    Range {
        /// Where it starts.
        start: Position,
        /// Where it ends.
        end: Position,
        /// What stands there afterwards.
        text: String,
    },
}

/// Why a change was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The version does not follow the one held.
    #[error("version {got} does not follow version {held}")]
    Version {
        /// The version held.
        held: i32,
        /// The version of the change.
        got: i32,
    },
    /// A change of a document that is not open.
    #[error("the document is not open; open it first")]
    NotOpen,
    /// The range ends before it starts.
    #[error("change {change} ends before it starts")]
    Backwards {
        /// Index of the change.
        change: usize,
    },
}

impl Document {
    /// A document with its tree, parsed as `language` (else by the path's ending).
    pub fn new(path: PathBuf, language: Option<Language>, version: i32, text: String) -> Self {
        let language = language.or_else(|| Language::of_path(&path));
        Self {
            path: path.into(),
            version,
            lines: Arc::new(LineIndex::new(&text)),
            tree: language.map(|language| SyntaxTree::parse(language, &text)),
            text: text.into(),
            items: Arc::default(),
            outlined: None,
        }
    }

    /// The document after `changes`, each relative to the text before it, columns in `encoding`.
    /// The version must be higher than the one held.
    pub fn changed(
        &self,
        version: i32,
        changes: &[Change],
        encoding: Encoding,
    ) -> Result<Self, ChangeError> {
        if version <= self.version {
            return Err(ChangeError::Version { held: self.version, got: version });
        }
        let mut text = String::from(&*self.text);
        let mut lines = Arc::clone(&self.lines);
        for (index, change) in changes.iter().enumerate() {
            match change {
                Change::Full(new) => text.clone_from(new),
                Change::Range { start, end, .. } if start > end => {
                    return Err(ChangeError::Backwards { change: index });
                }
                Change::Range { start, end, text: new } => {
                    let start = lines.offset(&text, *start, encoding);
                    let end = lines.offset(&text, *end, encoding);
                    text.replace_range(start..end, new);
                }
            }
            lines = Arc::new(LineIndex::new(&text));
        }
        let tree = self.tree.as_ref().map(|tree| {
            let edit = diff::replacement(&self.text, &text);
            tree.reparse(&self.text, edit.as_slice(), &text)
        });
        Ok(Self {
            path: Arc::clone(&self.path),
            version,
            text: text.into(),
            lines,
            tree,
            items: Arc::default(),
            outlined: self.outlined(),
        })
    }

    /// Its language.
    pub fn language(&self) -> Option<Language> {
        self.tree.as_ref().map(SyntaxTree::language)
    }

    /// Its items; empty without a tree. Found when they are first asked for, by this snapshot or a
    /// clone of it.
    pub fn items(&self) -> &[Item] {
        self.items.get_or_init(|| {
            let Some(tree) = &self.tree else { return Arc::default() };
            let new = outline::Version { tree, text: &self.text };
            let moved = self.outlined.as_ref().and_then(|known| {
                let old = outline::Version { tree: &known.tree, text: &known.text };
                outline::items_moved(old, &known.items, new)
            });
            moved.unwrap_or_else(|| outline::items(tree, &self.text)).into()
        })
    }

    /// What the next version can go on from.
    fn outlined(&self) -> Option<Arc<Outlined>> {
        let (Some(items), Some(tree)) = (self.items.get(), &self.tree) else {
            return self.outlined.clone();
        };
        let (text, items) = (Arc::clone(&self.text), Arc::clone(items));
        Some(Arc::new(Outlined { text, tree: tree.clone(), items }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::syntax::health::health;

    fn document(path: &str, text: &str) -> Document {
        Document::new(PathBuf::from(path), None, 1, text.to_owned())
    }

    fn range(start: (u32, u32), end: (u32, u32), text: &str) -> Change {
        let position = |(line, column)| Position { line, column };
        Change::Range { start: position(start), end: position(end), text: text.to_owned() }
    }

    #[test]
    fn a_document_knows_its_language_by_name_or_ending() {
        assert_eq!(document("a.rs", "").language(), Language::named("rust"));
        assert_eq!(document("a.txt", "").language(), None);
        let python = Language::named("python");
        let named = Document::new(PathBuf::from("script"), python, 1, String::new());
        assert_eq!(named.language(), python);
    }

    #[test]
    fn each_change_is_relative_to_the_text_before_it() {
        let before = document("a.rs", "fn f() {}\n");
        let changes = [
            range((0, 3), (0, 4), "größe"),
            range((0, 8), (0, 9), "(😀"),
            range((0, 11), (0, 11), "x"),
        ];
        let after = before.changed(2, &changes, Encoding::Utf16).unwrap();
        assert_eq!(&*after.text, "fn größe(😀x) {}\n");
        assert_eq!(after.version, 2);
        assert_eq!(&*before.text, "fn f() {}\n", "a snapshot never changes");
    }

    #[test]
    fn versions_have_to_increase_and_ranges_to_go_forwards() {
        let before = document("a.rs", "ab");
        for got in [1, 0, -1] {
            let refused = before.changed(got, &[], Encoding::Utf8).unwrap_err();
            assert_eq!(refused, ChangeError::Version { held: 1, got });
        }
        let backwards = [range((0, 0), (0, 1), ""), range((0, 1), (0, 0), "")];
        let refused = before.changed(2, &backwards, Encoding::Utf8).unwrap_err();
        assert_eq!(refused, ChangeError::Backwards { change: 1 });
    }

    /// Offset of a position by walking the text, to compare with.
    fn naive_offset(text: &str, line: u32, column: u32, encoding: Encoding) -> usize {
        let mut rest = text;
        for _ in 0..line {
            let Some(end) = rest.find(['\n', '\r']) else { return text.len() };
            let len = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
            rest = &rest[end + len..];
        }
        let start = text.len() - rest.len();
        let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
        let units = |c: char| match encoding {
            Encoding::Utf8 => c.len_utf8(),
            Encoding::Utf16 => c.len_utf16(),
            Encoding::Utf32 => 1,
        };
        let (mut at, mut used) = (0, 0);
        for c in line.chars() {
            if used + units(c) > column as usize {
                break;
            }
            used += units(c);
            at += c.len_utf8();
        }
        start + at
    }

    type Raw = ((u32, u32), (u32, u32), String);

    fn changes() -> impl Strategy<Value = Vec<Raw>> {
        let text = "[a-c\r\né😀 (){}:]{0,6}";
        let place = || (0..8_u32, 0..14_u32);
        proptest::collection::vec((place(), place(), text), 0..5)
    }

    proptest! {
        #[test]
        fn changes_do_what_they_do_to_a_string(
            text in "[a-c\r\né😀 (){}:]{0,40}", rounds in proptest::collection::vec(changes(), 1..4),
        ) {
            for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
                let mut document = document("a.py", &text);
                let mut model = text.clone();
                for raw in &rounds {
                    let mut changes = Vec::new();
                    for (a, b, new) in raw {
                        let (start, end) = (a.min(b), a.max(b));
                        let from = naive_offset(&model, start.0, start.1, encoding);
                        let to = naive_offset(&model, end.0, end.1, encoding);
                        model.replace_range(from..to, new);
                        changes.push(range(*start, *end, new));
                    }
                    document = document.changed(document.version + 1, &changes, encoding).unwrap();
                    prop_assert_eq!(&*document.text, model.as_str());
                    prop_assert_eq!(&*document.lines, &LineIndex::new(&model));
                    let tree = document.tree.as_ref().unwrap();
                    let fresh = SyntaxTree::parse(tree.language(), &model);
                    if health(&fresh).faults() == 0 {
                        prop_assert_eq!(tree.tokens(), fresh.tokens());
                    }
                }
            }
        }
    }
}
