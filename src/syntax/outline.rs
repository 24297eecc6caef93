//! The items of a file (functions, types, constants, modules) from `grammars/<lang>/items.scm`.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use tree_sitter::Node;

use super::{
    SyntaxTree,
    language::Spec,
    query::{Match, matches_from, span},
    starts::{Purpose, Starts},
};
use crate::text::Span;

/// What `items.scm` may capture.
#[cfg(test)]
pub(super) const CAPTURES: &[&str] = &[
    "item.function",
    "item.class",
    "item.enum",
    "item.interface",
    "item.implementation",
    "item.module",
    "item.constant",
    "item.type",
    "item.macro",
    "name",
    "body",
    "value",
    "doc",
    "attribute",
    "doc.inner",
    "documented",
    "wrapped",
    "wrapper",
    "public",
];

/// What `tests.scm` may capture.
#[cfg(test)]
pub(super) const TEST_CAPTURES: &[&str] = &["test", "test.scope"];

/// A constant's value up to this many bytes, on one line, is part of its signature.
const SHORT_VALUE: usize = 60;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ItemKind {
    /// A free function; its owner, if any, is a module.
    Function,
    /// A function of a class, enumeration, interface or implementation.
    Method,
    /// A class or struct.
    Class,
    /// An enumeration or union.
    Enum,
    /// A trait, interface or protocol.
    Interface,
    /// An `impl` block.
    Implementation,
    /// A module or namespace.
    Module,
    /// A constant, static or module variable.
    Constant,
    /// A type alias.
    TypeAlias,
    /// A macro definition.
    Macro,
}

impl ItemKind {
    /// Whether it can be called and has parameters.
    pub fn is_function(self) -> bool {
        matches!(self, Self::Function | Self::Method)
    }

    /// Whether the items inside are its members.
    pub fn has_members(self) -> bool {
        self.has_methods() || self == Self::Module
    }

    fn has_methods(self) -> bool {
        matches!(self, Self::Class | Self::Enum | Self::Interface | Self::Implementation)
    }

    fn of_capture(name: &str) -> Option<Self> {
        Some(match name {
            "item.function" => Self::Function,
            "item.class" => Self::Class,
            "item.enum" => Self::Enum,
            "item.interface" => Self::Interface,
            "item.implementation" => Self::Implementation,
            "item.module" => Self::Module,
            "item.constant" => Self::Constant,
            "item.type" => Self::TypeAlias,
            "item.macro" => Self::Macro,
            _ => return None,
        })
    }
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its kind.
    pub kind: ItemKind,
    /// Its name; for an `impl`, the type's.
    pub name: String,
    /// The name of the class, impl, trait or module around it.
    pub owner: Option<String>,
    /// Everything that belongs to it: doc comment, attributes, decorators, body.
    pub span: Span,
    /// Its name.
    pub name_span: Span,
    /// From the first keyword (after docs and attributes) up to the body, trimmed:
    /// `pub fn total(&self) -> u64`, `def total(self) -> int:`.
    pub signature: Span,
    /// The body with its braces, or the indented block; `None` where there is none.
    pub body: Option<Span>,
    /// The doc comment or docstring as written.
    pub doc: Option<Span>,
    /// Whether other modules can name it.
    pub public: bool,
    /// Whether it is a test, or stands in a part that is only compiled or collected for tests.
    pub test: bool,
}

/// The items of `text` in document order, outer before inner.
pub fn items(tree: &SyntaxTree, text: &str) -> Vec<Item> {
    items_from(tree, text, &Starts::find(tree, |_| {}))
}

/// The same, in a tree whose starts are found already.
pub(super) fn items_from<'t>(tree: &'t SyntaxTree, text: &str, starts: &Starts<'t>) -> Vec<Item> {
    let spec = tree.language().spec();
    let marks = Marks::read(tree, text, starts);
    let mut drafts = marks.drafts.values().collect::<Vec<_>>();
    drafts.sort_by_key(|draft| (draft.node.start_byte(), Reverse(draft.node.end_byte())));
    let mut items: Vec<Item> = Vec::with_capacity(drafts.len());
    // The items around the current one: index, whether all inside is test code.
    let mut around: Vec<(usize, bool)> = Vec::new();
    for draft in drafts {
        let Some(mut item) = marks.item(draft, text, spec) else { continue };
        while around.pop_if(|(outer, _)| !items[*outer].span.covers(item.span)).is_some() {}
        let mut test_code = marks.is_marked(draft, &item, &marks.test_scopes);
        if let Some((outer, outer_is_test)) = around.last() {
            let outer = &items[*outer];
            test_code |= outer_is_test;
            if outer.kind.has_members() {
                item.owner = Some(outer.name.clone());
            }
            if item.kind == ItemKind::Function && outer.kind.has_methods() {
                item.kind = ItemKind::Method;
            }
        }
        item.test = test_code || marks.is_marked(draft, &item, &marks.tests);
        around.push((items.len(), test_code));
        items.push(item);
    }
    items
}

/// The documentation of the file itself: `//!` lines or a module docstring at its top.
pub fn file_doc(tree: &SyntaxTree, text: &str) -> Option<Span> {
    let marks = Marks::read(tree, text, &Starts::find(tree, |_| {}));
    marks.inner_docs.get(&tree.root().id()).copied()
}

/// An item as matched.
struct Draft<'t> {
    pattern: usize,
    kind: ItemKind,
    node: Node<'t>,
    name: Span,
    body: Option<Node<'t>>,
    value: Option<Span>,
}

/// A node that belongs to the item below it.
struct Attached {
    span: Span,
    id: usize,
    doc: bool,
}

/// Everything the queries say of a file, by node.
#[derive(Default)]
struct Marks<'t> {
    drafts: HashMap<usize, Draft<'t>>,
    attached: Vec<Attached>,
    wrappers: HashMap<usize, Span>,
    inner_docs: HashMap<usize, Span>,
    public: Vec<usize>,
    tests: Vec<usize>,
    test_scopes: Vec<usize>,
}

impl<'t> Marks<'t> {
    fn read(tree: &'t SyntaxTree, text: &str, starts: &Starts<'t>) -> Self {
        let mut marks = Self::default();
        let mut attached: HashMap<usize, Attached> = HashMap::new();
        for found in matches_from(tree, text, Purpose::Items, starts) {
            marks.add_draft(&found);
            for (name, doc) in [("doc", true), ("attribute", false)] {
                if let Some(node) = found.node(name) {
                    let one = attached.entry(node.id()).or_insert(Attached {
                        span: trimmed(span(node), text),
                        id: node.id(),
                        doc: false,
                    });
                    one.doc |= doc;
                }
            }
            if let (Some(inner), Some(outer)) = (found.node("wrapped"), found.node("wrapper")) {
                marks.wrappers.insert(inner.id(), span(outer));
            }
            if let (Some(item), Some(doc)) = (found.node("documented"), found.span("doc.inner")) {
                let doc = trimmed(doc, text);
                let held = marks.inner_docs.entry(item.id()).or_insert(doc);
                held.end = held.end.max(doc.end);
            }
            marks.public.extend(found.node("public").map(|node| node.id()));
        }
        for found in matches_from(tree, text, Purpose::Tests, starts) {
            marks.tests.extend(found.node("test").map(|node| node.id()));
            marks.test_scopes.extend(found.node("test.scope").map(|node| node.id()));
        }
        marks.attached = attached.into_values().collect();
        marks.attached.sort_by_key(|attached| attached.span);
        for ids in [&mut marks.public, &mut marks.tests, &mut marks.test_scopes] {
            ids.sort_unstable();
        }
        marks
    }

    /// Of several patterns that match a node the first in the file wins.
    fn add_draft(&mut self, found: &Match<'t>) {
        let item = found.captures().find_map(|(n, node)| Some((ItemKind::of_capture(n)?, node)));
        let (Some((kind, node)), Some(name)) = (item, found.node("name")) else { return };
        let draft = Draft {
            pattern: found.pattern,
            kind,
            node,
            name: span(name),
            body: found.node("body"),
            value: found.span("value"),
        };
        match self.drafts.get(&node.id()) {
            Some(held) if held.pattern <= found.pattern => {}
            _ => _ = self.drafts.insert(node.id(), draft),
        }
    }

    fn item(&self, draft: &Draft<'t>, text: &str, spec: &Spec) -> Option<Item> {
        let name = draft.name.of(text)?.to_owned();
        let id = draft.node.id();
        let mut span = self.wrappers.get(&id).copied().unwrap_or_else(|| span(draft.node));
        span = trimmed(span, text);
        let mut doc = self.inner_docs.get(&id).copied();
        for attached in self.above(span.start, text) {
            span.start = attached.span.start;
            if attached.doc {
                let end = doc.map_or(attached.span.end, |doc| doc.end.max(attached.span.end));
                // A docstring or inner doc and outer lines are not one text: the outer ones win.
                let end = if end > draft.node.start_byte() { attached.span.end } else { end };
                doc = Some(Span::new(attached.span.start, end));
            }
        }
        let mut item = Item {
            kind: draft.kind,
            owner: None,
            span,
            name_span: draft.name,
            signature: signature(draft, text),
            body: draft.body.map(|body| trimmed(super::query::span(body), text)),
            doc,
            public: false,
            test: false,
            name,
        };
        item.public = match spec.private_prefix {
            Some(prefix) => !item.name.starts_with(prefix) || item.name.ends_with("__"),
            None => self.is_marked(draft, &item, &self.public),
        };
        Some(item)
    }

    /// The nodes attached to what starts at `start`, nearest first.
    fn above<'m>(&'m self, start: usize, text: &'m str) -> impl Iterator<Item = &'m Attached> {
        let mut at = self.attached.partition_point(|attached| attached.span.start < start);
        let mut start = start;
        std::iter::from_fn(move || {
            at = at.checked_sub(1)?;
            let attached = self.attached.get(at)?;
            let between = text.get(attached.span.end..start)?;
            start = attached.span.start;
            between.trim().is_empty().then_some(attached)
        })
    }

    /// Whether the item's node, or one attached to it, is among `ids` (sorted).
    fn is_marked(&self, draft: &Draft<'_>, item: &Item, ids: &[usize]) -> bool {
        let has = |id: usize| ids.binary_search(&id).is_ok();
        let start = draft.node.start_byte();
        let from = self.attached.partition_point(|attached| attached.span.start < item.span.start);
        let attached = self.attached[from..].iter().take_while(|one| one.span.start < start);
        has(draft.node.id()) || attached.into_iter().any(|one| has(one.id))
    }
}

/// From the item's first keyword to its body, or to a value too long to show.
fn signature(draft: &Draft<'_>, text: &str) -> Span {
    let start = draft.node.start_byte();
    let end = if let Some(body) = draft.body {
        // A comment may stand between the header and the body.
        let mut cursor = draft.node.walk();
        draft
            .node
            .children(&mut cursor)
            .take_while(|child| child.end_byte() <= body.start_byte())
            .filter(|child| !child.is_extra())
            .last()
            .map_or(body.start_byte(), |child| child.end_byte())
    } else if draft.kind == ItemKind::Macro {
        draft.name.end
    } else if let Some(value) = draft.value.filter(|value| {
        value.len() > SHORT_VALUE || value.of(text).is_some_and(|value| value.contains('\n'))
    }) {
        value.start
    } else {
        draft.node.end_byte()
    };
    let whole = text.get(start..end).unwrap_or_default();
    Span::new(start, start + whole.trim_end_matches([';', ',', '=', ' ', '\t', '\r', '\n']).len())
}

/// Without whitespace at the end (some grammars count a comment's line end to it).
fn trimmed(span: Span, text: &str) -> Span {
    let len = span.of(text).map_or(span.len(), |text| text.trim_end().len());
    Span::new(span.start, span.start + len)
}

#[cfg(test)]
mod tests;
