//! The items of a file (functions, types, constants, modules) from `grammars/<lang>/items.scm`.

mod moved;
mod regions;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use tree_sitter::Node;

use super::{
    SyntaxTree,
    language::{Spec, Visibility},
    query::{Match, matches_from, span},
    starts::{Purpose, Starts},
};
use crate::text::Span;
pub use moved::{Version, items_moved};
use regions::Regions;

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
    "owner",
    "body",
    "value",
    "field",
    "doc",
    "doc.near",
    "attribute",
    "doc.inner",
    "documented",
    "wrapped",
    "wrapper",
    "wrapper.signature",
    "not.item",
    "public",
    "public.name",
    "public.from",
    "private",
    "private.from",
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
    /// What a data type holds (fields, variants), each with the `;` or `,` behind it, in order;
    /// empty for a language that does not mark them.
    pub fields: Vec<Span>,
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
            // A member that names its owner may stand in a namespace.
            if outer.kind.has_members() && item.owner.is_none() {
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
    for field in &marks.fields {
        let begun = items.partition_point(|item| item.span.start <= field.start);
        let owner = items[..begun].iter_mut().rev().find(|item| item.span.covers(*field));
        if let Some(owner) = owner {
            owner.fields.push(*field);
        }
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
    owner: Option<Span>,
    /// Its first node and all of it.
    body: Option<(Node<'t>, Span)>,
    value: Option<Span>,
}

/// A node that belongs to the item below it.
struct Attached {
    span: Span,
    id: usize,
    doc: bool,
    /// Whether it belongs to it only without a blank line between.
    near: bool,
}

/// A node around a definition that belongs to it.
struct Wrapper {
    span: Span,
    id: usize,
    /// Whether the item's signature begins with it.
    in_signature: bool,
}

/// Everything the queries say of a file, by node.
#[derive(Default)]
struct Marks<'t> {
    drafts: HashMap<usize, Draft<'t>>,
    attached: Vec<Attached>,
    wrappers: HashMap<usize, Wrapper>,
    inner_docs: HashMap<usize, Span>,
    fields: Vec<Span>,
    public: Vec<usize>,
    private: Vec<usize>,
    public_names: HashSet<String>,
    regions: Regions,
    tests: Vec<usize>,
    test_scopes: Vec<usize>,
}

impl<'t> Marks<'t> {
    fn read(tree: &'t SyntaxTree, text: &str, starts: &Starts<'t>) -> Self {
        let mut marks = Self::default();
        let mut not_items = Vec::new();
        let mut attached: HashMap<usize, Attached> = HashMap::new();
        for found in matches_from(tree, text, Purpose::Items, starts) {
            marks.add_draft(&found);
            for (name, doc) in [("doc", true), ("doc.near", true), ("attribute", false)] {
                let Some(node) = found.node(name) else { continue };
                let near = name == "doc.near";
                let span = trimmed(span(node), text);
                // What stands behind code on its line speaks of that.
                if near && !starts_line(span.start, text) {
                    continue;
                }
                let new = Attached { span, id: node.id(), doc: false, near };
                let one = attached.entry(node.id()).or_insert(new);
                one.doc |= doc;
                one.near &= near;
            }
            marks.add_wrapper(&found);
            not_items.extend(found.node("not.item").map(|node| node.id()));
            if let (Some(item), Some(doc)) = (found.node("documented"), found.span("doc.inner")) {
                let doc = trimmed(doc, text);
                let held = marks.inner_docs.entry(item.id()).or_insert(doc);
                held.end = held.end.max(doc.end);
            }
            marks.public.extend(found.node("public").map(|node| node.id()));
            marks.private.extend(found.node("private").map(|node| node.id()));
            marks.fields.extend(found.span("field").map(|field| with_end(field, text)));
            let named = found.span("public.name").and_then(|name| name.of(text));
            marks.public_names.extend(named.map(str::to_owned));
            for (name, public) in [("public.from", true), ("private.from", false)] {
                if let Some(node) = found.node(name) {
                    marks.regions.add(node, public);
                }
            }
        }
        for found in matches_from(tree, text, Purpose::Tests, starts) {
            marks.tests.extend(found.node("test").map(|node| node.id()));
            marks.test_scopes.extend(found.node("test.scope").map(|node| node.id()));
        }
        for id in not_items {
            marks.drafts.remove(&id);
        }
        marks.attached = attached.into_values().collect();
        marks.attached.sort_by_key(|attached| attached.span);
        let lists =
            [&mut marks.public, &mut marks.private, &mut marks.tests, &mut marks.test_scopes];
        for ids in lists {
            ids.sort_unstable();
        }
        marks.regions.sort();
        marks.fields.sort_unstable();
        marks.fields.dedup();
        marks
    }

    fn add_wrapper(&mut self, found: &Match<'t>) {
        let Some(inner) = found.node("wrapped") else { return };
        for (name, in_signature) in [("wrapper", false), ("wrapper.signature", true)] {
            if let Some(outer) = found.node(name) {
                let wrapper = Wrapper { span: span(outer), id: outer.id(), in_signature };
                self.wrappers.insert(inner.id(), wrapper);
            }
        }
    }

    /// What stands around the node `id` and belongs to it, inner before outer.
    fn around(&self, id: usize) -> impl Iterator<Item = &Wrapper> {
        std::iter::successors(self.wrappers.get(&id), |inner| self.wrappers.get(&inner.id))
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
            owner: found.span("owner"),
            body: found.node("body").zip(found.span("body")),
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
        let own = span(draft.node);
        let mut span = trimmed(self.around(id).last().map_or(own, |outer| outer.span), text);
        let head = self
            .around(id)
            .filter(|outer| outer.in_signature)
            .last()
            .map_or(own.start, |outer| outer.span.start);
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
        let owner = draft.owner.and_then(|owner| owner.of(text)).map(str::to_owned);
        let has_owner = owner.is_some() && draft.kind == ItemKind::Function;
        let mut item = Item {
            kind: if has_owner { ItemKind::Method } else { draft.kind },
            owner,
            span,
            name_span: draft.name,
            signature: signature(draft, self.after_attributes(head, text), text),
            fields: Vec::new(),
            body: draft.body.map(|(_, body)| trimmed(body, text)),
            doc,
            public: false,
            test: false,
            name,
        };
        item.public = self.is_public(draft, &item, spec);
        Some(item)
    }

    fn is_public(&self, draft: &Draft<'_>, item: &Item, spec: &Spec) -> bool {
        let region = self.regions.public_at(draft.node.start_byte());
        let private = self.is_marked(draft, item, &self.private) || region == Some(false);
        match spec.visible {
            Visibility::Marked => {
                let marked = self.is_marked(draft, item, &self.public);
                !private && (marked || self.public_names.contains(&item.name))
            }
            Visibility::UnlessMarked => !private,
            Visibility::Capitalized => item.name.starts_with(char::is_uppercase),
            Visibility::Unprefixed(prefix) => {
                !item.name.starts_with(prefix) || item.name.ends_with("__")
            }
        }
    }

    /// Where an item that starts at `start` begins to say what it is: behind the annotations that
    /// are part of it.
    fn after_attributes(&self, start: usize, text: &str) -> usize {
        let mut start = start;
        let from = self.attached.partition_point(|attached| attached.span.start < start);
        for attached in self.attached.get(from..).unwrap_or_default() {
            if attached.span.start != start {
                break;
            }
            let rest = text.get(attached.span.end..).unwrap_or_default();
            start = text.len() - rest.trim_start().len();
        }
        start
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
            let blank_line = attached.near && between.matches('\n').count() > 1;
            (!blank_line && between.trim().is_empty()).then_some(attached)
        })
    }

    /// Whether the item's node, one around it or one attached to it is among `ids` (sorted).
    fn is_marked(&self, draft: &Draft<'_>, item: &Item, ids: &[usize]) -> bool {
        if ids.is_empty() {
            return false;
        }
        let has = |id: usize| ids.binary_search(&id).is_ok();
        let start = draft.node.start_byte();
        let from = self.attached.partition_point(|attached| attached.span.start < item.span.start);
        let attached = self.attached[from..].iter().take_while(|one| one.span.start < start);
        has(draft.node.id())
            || self.around(draft.node.id()).any(|outer| has(outer.id))
            || attached.into_iter().any(|one| has(one.id))
    }
}

/// From the item's first keyword, at `start`, to its body, or to a value too long to show.
fn signature(draft: &Draft<'_>, start: usize, text: &str) -> Span {
    let end = if let Some((body, _)) = draft.body {
        end_before(draft.node, body)
    } else if draft.kind == ItemKind::Macro && draft.value.is_none() {
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

/// Where what stands before `body` in `node` ends. A comment may stand between the header and the
/// body, and the body may be a part of a part of the node.
fn end_before(node: Node<'_>, body: Node<'_>) -> usize {
    let mut end = body.start_byte();
    let mut cursor = node.walk();
    let mut deeper = cursor.goto_first_child();
    while deeper {
        let child = cursor.node();
        if child.end_byte() <= body.start_byte() {
            if !child.is_extra() {
                end = child.end_byte();
            }
            deeper = cursor.goto_next_sibling();
        } else {
            deeper = child.id() != body.id() && cursor.goto_first_child();
        }
    }
    end
}

/// `field` with the mark that ends it.
fn with_end(field: Span, text: &str) -> Span {
    let rest = text.get(field.end..).unwrap_or_default();
    Span::new(field.start, field.end + usize::from(rest.starts_with([';', ','])))
}

/// Whether only white space stands before `offset` on its line.
fn starts_line(offset: usize, text: &str) -> bool {
    let before = text.get(..offset).unwrap_or_default();
    before.trim_end_matches([' ', '\t']).ends_with('\n') || before.trim().is_empty()
}

/// Without whitespace at the end (some grammars count a comment's line end to it).
fn trimmed(span: Span, text: &str) -> Span {
    let len = span.of(text).map_or(span.len(), |text| text.trim_end().len());
    Span::new(span.start, span.start + len)
}

#[cfg(test)]
mod tests;
