//! Text → trees: the only module that knows tree-sitter. Parsing never fails; broken code is data.

pub mod facts;
pub mod health;
pub mod identifiers;
pub mod imports;
pub mod language;
pub mod names;
pub mod outline;
mod query;
#[cfg(test)]
mod samples;
pub mod scope;
mod starts;
pub mod statements;
mod strain;
pub mod strict;
pub mod survey;

use std::cell::Cell;
use std::ops::ControlFlow;

use tree_sitter::{InputEdit, ParseOptions, ParseState, Parser, Point, Tree};

pub use language::Language;

use crate::text::{Span, TextEdit};

/// Texts larger than this are not parsed: a tree takes about ten times the memory of its text.
const MAX_BYTES: usize = 64 << 20;

/// How often the parser may report progress (every hundred steps) before it is stopped, per byte
/// of text and at least. Ordinary code takes one or two steps per byte.
const REPORTS_PER_BYTE: usize = 1;
const REPORTS: usize = 5_000;

/// The tree of one text in one language. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SyntaxTree {
    language: Language,
    tree: Tree,
    complete: bool,
}

impl SyntaxTree {
    /// Parses `text` from nothing. A text too large or too slow to parse gets an empty tree that
    /// is not [`complete`](Self::complete).
    pub fn parse(language: Language, text: &str) -> Self {
        parse(language, text, None, usize::MAX).0
    }

    /// The tree of `new`, reusing what the ascending, disjoint `edits` of `old` left alone. Of
    /// sound code it equals a fresh parse; around a fault the recovery may differ.
    pub fn reparse(&self, old: &str, edits: &[TextEdit], new: &str) -> Self {
        self.reparse_within(old, edits, new, usize::MAX).0
    }

    /// The same with at most `most` reports of the parser's progress (one in every hundred steps;
    /// ordinary code takes one or two steps per byte), and how many there were. Where they do not do
    /// the tree is not [`complete`](Self::complete).
    pub fn reparse_within(
        &self,
        old: &str,
        edits: &[TextEdit],
        new: &str,
        most: usize,
    ) -> (Self, usize) {
        let edited = self.complete.then(|| self.edited(old, edits));
        parse(self.language, new, edited.as_ref(), most)
    }

    /// The tree with the places of its nodes moved as `edits` of `old` move them.
    fn edited(&self, old: &str, edits: &[TextEdit]) -> Tree {
        let mut tree = self.tree.clone();
        // Last edit first: what stands before an edit is then still as in `old`.
        for (edit, start, end) in points(old, edits).into_iter().rev() {
            tree.edit(&InputEdit {
                start_byte: edit.span.start,
                old_end_byte: edit.span.end,
                new_end_byte: edit.span.start + edit.text.len(),
                start_position: start,
                old_end_position: end,
                new_end_position: advanced(start, &edit.text),
            });
        }
        tree
    }

    /// The language it was parsed as.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Whether the text was parsed; a tree that is not complete holds nothing.
    pub fn complete(&self) -> bool {
        self.complete
    }

    /// The leaves of the tree that hold text, with the grammar's name for each, in order.
    pub fn tokens(&self) -> Vec<(&str, Span)> {
        let mut out = Vec::new();
        let mut cursor = self.root().walk();
        loop {
            if cursor.goto_first_child() {
                continue;
            }
            let leaf = cursor.node();
            if leaf.start_byte() < leaf.end_byte() {
                out.push((leaf.kind(), query::span(leaf)));
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return out;
                }
            }
        }
    }

    /// Whether `other` has the same nodes, missing ones too, at the same places: what a tree kept up
    /// to date is checked by.
    pub fn same_nodes(&self, other: &Self) -> bool {
        let (mut one, mut two) = (self.root().walk(), other.root().walk());
        loop {
            let (a, b) = (one.node(), two.node());
            let same = a.kind_id() == b.kind_id()
                && a.range() == b.range()
                && a.is_missing() == b.is_missing()
                && one.field_id() == two.field_id();
            if !same {
                return false;
            }
            let mut down = (one.goto_first_child(), two.goto_first_child());
            while down == (false, false) {
                down = (one.goto_next_sibling(), two.goto_next_sibling());
                if down == (false, false) {
                    match (one.goto_parent(), two.goto_parent()) {
                        (true, true) => {}
                        parents => return parents == (false, false),
                    }
                }
            }
            if down != (true, true) {
                return false;
            }
        }
    }

    /// The root node; visible to `syntax` alone.
    fn root(&self) -> tree_sitter::Node<'_> {
        self.tree.root_node()
    }
}

thread_local! {
    /// A parser that has parsed before: it keeps its memory for the next text, and most are short.
    static PARSER: Cell<Option<Parser>> = const { Cell::new(None) };
}

/// The tree of `text`, and how often the parser reported progress, at most `most` times.
fn parse(language: Language, text: &str, old: Option<&Tree>, most: usize) -> (SyntaxTree, usize) {
    let most = strain::reports(text).min(REPORTS + REPORTS_PER_BYTE * text.len()).min(most);
    let mut left = most;
    let feasible = text.len() <= MAX_BYTES && left > 0;
    let mut progress = |_: &ParseState| {
        left = left.saturating_sub(1);
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let bytes = text.as_bytes();
    let mut read = |offset: usize, _: Point| bytes.get(offset..).unwrap_or_default();
    let mut parser = PARSER.take().unwrap_or_default();
    // The table's tests show that this runtime takes every grammar.
    _ = parser.set_language(&language.spec().grammar);
    let options = ParseOptions::new().progress_callback(&mut progress);
    let parsed =
        feasible.then(|| parser.parse_with_options(&mut read, old, Some(options))).flatten();
    let spent = most - left;
    if let Some(tree) = parsed {
        PARSER.set(Some(parser));
        return (SyntaxTree { language, tree, complete: true }, spent);
    }
    parser.reset();
    match parser.parse("", None) {
        Some(tree) => (SyntaxTree { language, tree, complete: false }, spent),
        // Without a language there is no tree at all, and the language was just set.
        None => unreachable!("parsing nothing in {language:?} gave no tree"),
    }
}

/// The edits with the points where they start and end in `old`.
fn points<'e>(old: &str, edits: &'e [TextEdit]) -> Vec<(&'e TextEdit, Point, Point)> {
    let (mut at, mut point) = (0, Point::new(0, 0));
    let mut to = |offset: usize| {
        point = advanced(point, old.get(at..offset).unwrap_or_default());
        at = offset;
        point
    };
    edits.iter().map(|edit| (edit, to(edit.span.start), to(edit.span.end))).collect()
}

/// Where `point` is after `text`; rows end at `\n`, columns count bytes.
fn advanced(point: Point, text: &str) -> Point {
    match text.rfind('\n') {
        Some(last) => {
            let rows = text.bytes().filter(|byte| *byte == b'\n').count();
            Point::new(point.row + rows, text.len() - last - 1)
        }
        None => Point::new(point.row, point.column + text.len()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::apply;

    /// Every node with its kind and place, without recursion.
    fn dump(tree: &SyntaxTree) -> Vec<String> {
        let mut out = Vec::new();
        let mut cursor = tree.root().walk();
        loop {
            let node = cursor.node();
            out.push(format!(
                "{}{:?} {:?} {} {}",
                " ".repeat(cursor.depth() as usize),
                cursor.field_name(),
                node.range(),
                node.kind(),
                node.is_missing()
            ));
            if cursor.goto_first_child() || cursor.goto_next_sibling() {
                continue;
            }
            loop {
                if !cursor.goto_parent() {
                    return out;
                }
                if cursor.goto_next_sibling() {
                    break;
                }
            }
        }
    }

    const RUST: &str = "use std::fmt::{self, Display};\n\n/// größe 😀\npub struct Cart<'a> {\r\n    \
        items: Vec<&'a str>,\n}\n\nimpl Cart<'_> {\n    fn total(&self, n: u64) -> u64 {\n        \
        let s = \"é\\n\";\n        if n > 0 { self.total(n - 1) + 1 } else { vec![1, 2].len() as u64 }\n    \
        }\n}\n";
    const PYTHON: &str = "import os.path as p\n\n\nclass Größe(Base):\n    \"\"\"é 😀\n    two\n    \
        \"\"\"\n\n    def total(self, n: int = 1) -> int:\n        for i in range(n):\n            \
        if i:\r\n                yield f\"{i!r} 😀\"\n        return [x for x in (1, 2)]\n\n\nx = 1\n";

    fn fragments() -> impl Strategy<Value = String> {
        let pieces = [
            "{",
            "}",
            "(",
            ")",
            "\"",
            "'",
            "\n",
            "\r\n",
            "    ",
            "fn f() {}",
            "def f():\n",
            "é",
            "😀",
            "x",
            ":",
            ";",
            "#",
            "//",
            "\"\"\"",
            "<",
            "if ",
            "\\",
            "/*",
            "*/",
            "r#\"",
        ];
        proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..4)
            .prop_map(|pieces| pieces.concat())
    }

    /// Ascending, disjoint edits at arbitrary places of `text`.
    fn edits_of(text: &str, raw: &[(usize, usize, String)]) -> Vec<TextEdit> {
        let mut edits = Vec::new();
        let mut done = 0;
        for (skip, delete, insert) in raw {
            let start = text.floor_char_boundary(done + skip).max(done);
            let end = text.floor_char_boundary(start + delete).max(start);
            edits.push(TextEdit { span: Span::new(start, end), text: insert.clone() });
            done = end;
        }
        edits
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn an_incremental_parse_equals_a_fresh_one(
            python in any::<bool>(),
            rounds in proptest::collection::vec(
                proptest::collection::vec((0..160_usize, 0..24_usize, fragments()), 0..3), 1..4),
        ) {
            let (name, text) = if python { ("python", PYTHON) } else { ("rust", RUST) };
            let mut text = text.to_owned();
            let mut tree = SyntaxTree::parse(Language::named(name).unwrap(), &text);
            for raw in rounds {
                let edits = edits_of(&text, &raw);
                let new = apply(&text, &edits).unwrap();
                tree = tree.reparse(&text, &edits, &new);
                let fresh = SyntaxTree::parse(tree.language(), &new);
                prop_assert!(tree.root().end_byte() <= new.len());
                // How an error is recovered from depends on what could be reused; sound code has
                // one tree.
                if health::health(&fresh).faults() == 0 {
                    let (tree, fresh) = (dump(&tree), dump(&fresh));
                    let differs = tree.iter().zip(&fresh).find(|(a, b)| a != b);
                    prop_assert_eq!((tree.len(), differs), (fresh.len(), None));
                }
                text = new;
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn sound_edits_keep_the_tree_of_a_fresh_parse(
            python in any::<bool>(),
            edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..3_usize), 1..6),
        ) {
            // Edits between statements and inside names and comments keep the code sound.
            let (name, text, anchors, inserts) = if python {
                ("python", PYTHON, ["\n\n\n", "total", "range"], ["\n\n\nz = 1\n\n\n", "é", "x"])
            } else {
                ("rust", RUST, ["\n\n", "total", "größe"], ["\n\nfn z() {}\n\n", "é", "😀"])
            };
            let mut text = text.to_owned();
            let mut tree = SyntaxTree::parse(Language::named(name).unwrap(), &text);
            for (index, kind) in edits {
                let places: Vec<usize> = text.match_indices(anchors[kind]).map(|m| m.0).collect();
                let Some(at) = (!places.is_empty()).then(|| *index.get(&places)) else { continue };
                let at = at + anchors[kind].len();
                let edit = TextEdit { span: Span::empty(at), text: inserts[kind].to_owned() };
                let new = apply(&text, std::slice::from_ref(&edit)).unwrap();
                tree = tree.reparse(&text, &[edit], &new);
                let fresh = SyntaxTree::parse(tree.language(), &new);
                prop_assert_eq!(health::health(&fresh).faults(), 0, "{}", new);
                let (ours, fresh) = (dump(&tree), dump(&fresh));
                let differs = ours.iter().zip(&fresh).find(|(a, b)| a != b);
                prop_assert_eq!((ours.len(), differs), (fresh.len(), None));
                text = new;
            }
        }

        #[test]
        fn no_text_makes_a_query_panic(
            python in any::<bool>(),
            pieces in proptest::collection::vec(fragments(), 0..12),
            offset in 0..200_usize,
        ) {
            let text = pieces.concat();
            let name = if python { "python" } else { "rust" };
            let tree = SyntaxTree::parse(Language::named(name).unwrap(), &text);
            let all = Span::new(0, text.len());
            for item in outline::items(&tree, &text) {
                prop_assert!(item.span.covers(item.signature), "{:?}", item);
                prop_assert_eq!(item.name_span.of(&text), Some(item.name.as_str()));
                let inner = [item.body, item.doc].into_iter().flatten();
                prop_assert!(inner.into_iter().all(|part| part.of(&text).is_some()));
                facts::facts(&tree, &text, item.span);
            }
            _ = imports::imports(&tree, &text);
            _ = facts::facts(&tree, &text, all);
            _ = scope::extent(&tree, &text, offset);
            _ = scope::literals(&tree, &text, all);
            prop_assert!(scope::ancestors(&tree, offset).windows(2).all(|w| w[1].covers(w[0])));
        }
    }

    #[test]
    fn a_hundred_thousand_nested_parentheses_do_no_harm() {
        for (name, head) in [("rust", "fn f() { "), ("python", "x = ")] {
            let tail = if name == "rust" { " }" } else { "" };
            let text = format!("{head}{}1{}{tail}", "(".repeat(100_000), ")".repeat(100_000));
            let tree = SyntaxTree::parse(Language::named(name).unwrap(), &text);
            let all = Span::new(0, text.len());
            assert!(tree.complete());
            assert_eq!(health::health(&tree), health::Health::default());
            _ = outline::items(&tree, &text);
            _ = imports::imports(&tree, &text);
            _ = facts::facts(&tree, &text, all);
            _ = scope::extent(&tree, &text, text.len() / 2);
            _ = scope::statements(&tree, &text, all);
            assert!(scope::ancestors(&tree, text.len() / 2).len() > 90_000);
        }
    }
}
