//! The items of a text from those of an earlier one, where all that changed is the inside of a
//! function's body.

use std::ops::Range;

use tree_sitter::Node;

use super::Item;
use crate::syntax::SyntaxTree;
use crate::syntax::language::Blocks;
use crate::text::{Span, TextEdit, diff};

/// One version of a text with its tree.
#[derive(Clone, Copy)]
pub struct Version<'a> {
    /// The tree.
    pub tree: &'a SyntaxTree,
    /// The text.
    pub text: &'a str,
}

/// The items of `new`, which has to be what [`items`](super::items) finds, from the `items` of
/// `old`: the same ones, moved. `None` where they may not be the same.
pub fn items_moved(old: Version<'_>, items: &[Item], new: Version<'_>) -> Option<Vec<Item>> {
    if !old.tree.complete() || !new.tree.complete() {
        return None;
    }
    let Some(edit) = diff::replacement(old.text, new.text) else { return Some(items.to_vec()) };
    let shift = Shift { edit: edit.span, length: edit.text.len() };
    let (before, now) = changed(old, &edit, new)?;
    let function = function_around(items, before)?;
    let body = function.body?;
    if old.tree.language().spec().blocks == Blocks::Indentation {
        // The first statement may be the documentation.
        let documented = function.doc.is_some_and(|doc| doc.end >= before.start);
        let after_first = |version: Version<'_>, changed: Span| {
            first_statement(version.tree, body.start, changed)
                .is_some_and(|first| first.end < changed.start)
        };
        if documented || !after_first(old, before) || !after_first(new, now) {
            return None;
        }
    }
    // What else reaches into the body, as a constant's value does, may end elsewhere now.
    let reaches = |span: &Span| span.overlaps(before);
    if items.iter().any(|item| reaches(&item.signature) || item.fields.iter().any(reaches)) {
        return None;
    }
    let around = outer_starts(old.tree, before, body)?;
    let new_body = Span::new(body.start, shift.of(body.end));
    if around != outer_starts(new.tree, now, new_body)? {
        return None;
    }
    Some(items.iter().map(|item| shift.item(item)).collect())
}

/// Where the trees differ, in the old text and in the new one.
fn changed(old: Version<'_>, edit: &TextEdit, new: Version<'_>) -> Option<(Span, Span)> {
    let tree = old.tree.edited(old.text, std::slice::from_ref(edit));
    let inserted = edit.span.start + edit.text.len();
    let ranges: Vec<Range<usize>> =
        tree.changed_ranges(&new.tree.tree).map(|range| range.start_byte..range.end_byte).collect();
    let first = ranges.iter().map(|range| range.start).min().unwrap_or(edit.span.start);
    let last = ranges.iter().map(|range| range.end).max().unwrap_or(inserted);
    let now = Span::new(first.min(edit.span.start), last.max(inserted).min(new.text.len()));
    let before = Span::new(now.start, edit.span.end + (now.end.checked_sub(inserted)?));
    Some((before, now))
}

/// The function whose body holds `changed` and all of whose items do not touch it.
fn function_around(items: &[Item], changed: Span) -> Option<&Item> {
    let inside = |span: Span| span.start < changed.start && changed.end < span.end;
    let touched = || {
        items.iter().filter(|item| item.span.start <= changed.end && changed.start <= item.span.end)
    };
    let function = touched().min_by_key(|item| item.span.len())?;
    let fits = function.kind.is_function()
        && function.body.is_some_and(inside)
        && touched().all(|item| item.span.covers(function.span));
    fits.then_some(function)
}

/// The first statement in the block of indented lines that starts at `start` and holds `changed`.
fn first_statement(tree: &SyntaxTree, start: usize, changed: Span) -> Option<Span> {
    let mut cursor = tree.root().walk();
    while cursor.node().start_byte() != start {
        cursor.goto_first_child_for_byte(changed.start)?;
        if cursor.node().start_byte() > start {
            return None;
        }
    }
    let node = cursor.node();
    let first = node.named_child(0)?;
    Some(Span::new(first.start_byte(), first.end_byte()))
}

/// The kinds and starts of the nodes that touch `changed` and may start a pattern of the items'
/// queries; `None` where one of them does not stand around `body`.
fn outer_starts(tree: &SyntaxTree, changed: Span, body: Span) -> Option<Vec<(u16, usize)>> {
    let kinds = tree.language().spec().kinds();
    let mut out = Vec::new();
    let mut cursor = tree.root().walk();
    loop {
        let node = cursor.node();
        let touches =
            |node: Node<'_>| node.start_byte() <= changed.end && changed.start <= node.end_byte();
        if touches(node) {
            if kinds.start_items(node) {
                if node.start_byte() >= body.start || node.end_byte() < body.end {
                    return None;
                }
                out.push((node.kind_id(), node.start_byte()));
            }
            // A node that ends where the change starts touches it.
            if cursor.goto_first_child_for_byte(changed.start.saturating_sub(1)).is_some() {
                continue;
            }
        }
        loop {
            // What follows one that begins later does so too.
            if cursor.goto_next_sibling() && cursor.node().start_byte() <= changed.end {
                break;
            }
            if !cursor.goto_parent() {
                return Some(out);
            }
        }
    }
}

/// An edit, by its lengths.
struct Shift {
    edit: Span,
    length: usize,
}

impl Shift {
    /// Where an offset is that the edit did not touch.
    fn of(&self, offset: usize) -> usize {
        if offset <= self.edit.start {
            offset
        } else {
            offset.saturating_sub(self.edit.len()) + self.length
        }
    }

    fn span(&self, span: Span) -> Span {
        Span::new(self.of(span.start), self.of(span.end))
    }

    fn item(&self, item: &Item) -> Item {
        Item {
            span: self.span(item.span),
            name_span: self.span(item.name_span),
            signature: self.span(item.signature),
            body: item.body.map(|body| self.span(body)),
            fields: item.fields.iter().map(|field| self.span(*field)).collect(),
            doc: item.doc.map(|doc| self.span(doc)),
            ..item.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::items;
    use super::*;
    use crate::syntax::{Language, samples};
    use crate::text::apply;

    /// Whether the items could be moved; then they are those of the new text.
    fn check(language: Language, old: &str, edit: &TextEdit) -> bool {
        let new = apply(old, std::slice::from_ref(edit)).unwrap();
        let tree = SyntaxTree::parse(language, old);
        let changed = tree.reparse(old, std::slice::from_ref(edit), &new);
        let known = items(&tree, old);
        let (before, now) =
            (Version { tree: &tree, text: old }, Version { tree: &changed, text: &new });
        let moved = items_moved(before, &known, now);
        if let Some(moved) = &moved {
            assert_eq!(*moved, items(&changed, &new), "{new}");
        }
        moved.is_some()
    }

    #[test]
    fn what_is_typed_inside_a_body_moves_the_items() {
        let rust =
            "/// A.\nfn a() {\n    let x = 1;\n    g();\n}\n\nimpl B {\n    fn c(&self) {}\n}\n";
        let python = "class A:\n    def b(self):\n        \"\"\"Doc.\"\"\"\n        x = 1\n        \
            y = 2\n        return y\n\n\ndef c():\n    return 1\n";
        for (name, text, at, typed, moves) in [
            ("rust", rust, "x = 1", "yz + ", true),
            ("rust", rust, "g();", "if a { b() }\n    ", true),
            ("rust", rust, "g();", "fn d() {}\n    ", false),
            ("rust", rust, "a() {", "b", false),
            ("rust", rust, "impl B", "fn e() {}\n", false),
            ("rust", "const A: fn() = { fn g() { h(); i() } g };\n", "i()", "\n", false),
            ("python", python, "y = 2", "f(1)\n        ", true),
            ("python", python, "y = 2", "class D: pass\n        ", false),
            ("python", python, "Doc.", "More ", false),
            ("python", python, "def c", "x = 1\n", false),
        ] {
            let span = Span::empty(text.find(at).unwrap());
            let edit = TextEdit { span, text: typed.to_owned() };
            assert_eq!(check(Language::named(name).unwrap(), text, &edit), moves, "{name} {typed}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn moved_items_are_those_of_the_new_text(
            which in 0..samples::SAMPLES.len(),
            at in any::<prop::sample::Index>(),
            length in 0..12_usize,
            typed in proptest::sample::select(vec![
                "", "x", "x = 1", "\n", "{", "}", "(", ")", "\"", "'", "/*", "//", "#", "class A", "fn f() {}",
                "def f(): pass\n", "f(a, b)", ";", "    ", "return", "static int x;", "\"\"\"", "function g() {}",
                "type T = {};", "export", "@", "public:",
            ]),
        ) {
            let (name, text) = samples::SAMPLES[which];
            // A language may not be compiled in.
            if let Some(language) = Language::named(name) {
                let start = text.floor_char_boundary(at.index(text.len()));
                let end = text.floor_char_boundary(start + length).max(start);
                let edit = TextEdit { span: Span::new(start, end), text: typed.to_owned() };
                check(language, text, &edit);
            }
        }
    }
}
