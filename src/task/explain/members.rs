//! What an item holds, calls and is named by, looked up in the file and the workspace's index.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::markdown::Page;
use super::reading::{self, Reading, code};
use super::{Explanation, summary};
use crate::document::Document;
use crate::syntax::Language;
use crate::syntax::imports;
use crate::syntax::outline::{self, Item, ItemKind};
use crate::syntax::scope;
use crate::task::{Tools, target};
use crate::text::Span;
use crate::workspace::index::Symbol;

/// Lists longer than this are cut, and say so.
const MAX_LISTED: usize = 40;
/// A name with more definitions than this tells nothing about a call.
const MAX_DEFINITIONS: usize = 3;
/// Bodies of types up to this many lines are shown whole.
const SHORT_BODY: usize = 16;

/// What a function calls, with definitions where the index holds them.
pub(super) fn calls(
    page: &mut Page<'_>,
    tools: &Tools,
    document: &Document,
    item: &Item,
    reading: &Reading,
) {
    if reading.calls.is_empty() {
        return;
    }
    let index = tools.workspace.index();
    page.heading("Calls");
    for call in reading.calls.iter().take(MAX_LISTED) {
        let lines = page.lines(&call.lines);
        let named: Vec<&Symbol> = index
            .named(reading::last_part(&call.name).trim_end_matches('!'))
            .filter_map(|(file, item)| file.items.get(item))
            .filter(|symbol| !symbol.test)
            .collect();
        let found = definitions(&named, document, item, &call.name, page.path());
        let own = own_definitions(document, item, &call.name);
        let mut text = format!("{} {lines}", code(&call.name));
        let mut definition = String::new();
        if let [line] = own.as_slice() {
            let own_path = page.path().to_owned();
            _ = write!(text, ", defined at {}", page.other_line(&own_path, *line));
            definition = format!(", defined at line {line}");
        } else if own.is_empty() && !found.is_empty() && found.len() <= MAX_DEFINITIONS {
            let places: Vec<String> =
                found.iter().map(|symbol| page.other_line(&symbol.path, symbol.line + 1)).collect();
            let which = if found.len() > 1 { "one of the definitions" } else { "defined" };
            _ = write!(text, ", {which} at {}", places.join(", "));
            if let [symbol] = found.as_slice() {
                _ = write!(text, ": {}", code(&one_line(&symbol.signature)));
                definition = format!(", defined at {}:{}", symbol.path.display(), symbol.line + 1);
            }
        }
        page.bullet(&text);
        for line in &call.lines {
            page.fact("call", &format!("{}{definition}", call.name), *line);
        }
    }
    cut(page, reading.calls.len());
}

/// The members of a type or module: the items inside, and for a type those of its `impl` blocks.
pub(super) fn list(page: &mut Page<'_>, document: &Document, item: &Item) {
    let text = &document.text;
    let shows_body = matches!(item.kind, ItemKind::Class | ItemKind::Enum);
    let whole = Span::new(item.signature.start, item.span.end).of(text).unwrap_or_default();
    let items = document.items();
    let inside = |other: &Item| item.span.covers(other.span) && other.span != item.span;
    let braces = document
        .language()
        .is_some_and(|l| l.spec().blocks == crate::syntax::language::Blocks::Braces);
    if shows_body && braces && item.body.is_some() && whole.lines().count() <= SHORT_BODY {
        page.heading("Definition");
        page.code(whole);
    }
    if let Some(tree) = document.tree.as_ref().filter(|_| item.kind == ItemKind::Constant) {
        let names = scope::identifiers(tree, text, Span::new(item.name_span.end, item.span.end));
        if !names.is_empty() {
            page.heading("Made from");
            let mut seen = std::collections::BTreeSet::new();
            for (name, at) in names.into_iter().filter(|(name, _)| seen.insert(*name)) {
                let lines = page.lines(&[target::line(document, at.start)]);
                page.bullet(&format!("{} {lines}", code(name)));
            }
        }
    }
    let is_type = matches!(item.kind, ItemKind::Class | ItemKind::Enum | ItemKind::Interface);
    let members: Vec<&Item> = items
        .iter()
        .filter(|other| {
            let direct = inside(other) && other.owner.as_deref() == Some(item.name.as_str());
            let of_impl = is_type
                && other.kind == ItemKind::Method
                && other.owner.as_deref() == Some(item.name.as_str());
            direct || of_impl
        })
        .collect();
    members_list(page, document, "Members", &members);
}

/// Where in this file the item is named outside of itself: callers and tests.
pub(super) fn mentions(page: &mut Page<'_>, document: &Document, item: &Item) {
    let Some(tree) = &document.tree else { return };
    if item.kind == ItemKind::Implementation {
        return;
    }
    let items = document.items();
    let all = Span::new(0, document.text.len());
    let mut places: BTreeMap<usize, (String, bool, Vec<u32>)> = BTreeMap::new();
    for (name, at) in scope::identifiers(tree, &document.text, all) {
        if name != item.name || item.span.covers(at) {
            continue;
        }
        let around = scope::enclosing_item(items, at.start)
            .filter(|around| around.name_span != at && around.kind != ItemKind::Implementation);
        let Some(around) = around else { continue };
        let line = target::line(document, at.start);
        let place = places
            .entry(around.span.start)
            .or_insert_with(|| (target::full_name(document, around), around.test, Vec::new()));
        if !place.2.contains(&line) {
            place.2.push(line);
        }
    }
    if places.is_empty() {
        return;
    }
    page.heading("Named in this file by");
    let count = places.len();
    for (name, test, lines) in places.into_values().take(MAX_LISTED) {
        let links = page.lines(&lines);
        let what = if test { "test code " } else { "" };
        page.bullet(&format!("{what}{name} {links}"));
        for line in lines {
            page.fact("use", &format!("{what}{name}"), line);
        }
    }
    cut(page, count);
}

/// A whole file: its documentation, imports and items.
pub(super) fn file(tools: &Tools, document: &Document) -> Explanation {
    let path = tools.workspace.relative(&document.path);
    let name = path.as_deref().unwrap_or(&document.path).display().to_string();
    let mut page = Page::new(tools, document, format!("file {name}"));
    let language = document.language().map_or("no known language", Language::name);
    let lines = document.text.lines().count();
    page.paragraph(&format!("{lines} lines, {language}"));
    let Some(tree) = &document.tree else { return page.finished(None) };
    let doc = outline::file_doc(tree, &document.text).and_then(|doc| doc.of(&document.text));
    let said = doc.and_then(|doc| summary::first_sentence(&summary::plain(doc)));
    if let Some(said) = &said {
        page.paragraph(&format!("**Documented as:** {said}"));
    }
    let imports = imports::imports(tree, &document.text);
    if !imports.is_empty() {
        page.heading("Imports");
        let separator = document.language().map_or("::", |l| l.spec().path_separator);
        for import in imports.iter().take(MAX_LISTED) {
            let line = target::line(document, import.span.start);
            let mut path = import.path.clone();
            path.push(import.name.clone());
            let alias =
                import.alias.as_ref().map(|alias| format!(" as {alias}")).unwrap_or_default();
            let path = format!("{}{alias}", path.join(separator));
            let lines = page.lines(&[line]);
            page.bullet(&format!("{} {lines}", code(&path)));
            page.fact("import", &path, line);
        }
        cut(&mut page, imports.len());
    }
    let items = document.items();
    let outer: Vec<&Item> =
        items.iter().filter(|item| item.owner.is_none() && !item.test).collect();
    members_list(&mut page, document, "Items", &outer);
    let methods: Vec<&Item> =
        items.iter().filter(|item| item.kind == ItemKind::Method && !item.test).collect();
    members_list(&mut page, document, "Methods", &methods);
    let tests: Vec<&Item> =
        items.iter().filter(|item| item.test && item.kind.is_function()).collect();
    members_list(&mut page, document, "Test code", &tests);
    page.finished(said)
}

fn members_list(page: &mut Page<'_>, document: &Document, heading: &str, members: &[&Item]) {
    if members.is_empty() {
        return;
    }
    page.heading(heading);
    for member in members.iter().take(MAX_LISTED) {
        let line = target::line(document, member.name_span.start);
        let signature = one_line(member.signature.of(&document.text).unwrap_or_default());
        let owner = match &member.owner {
            Some(owner) if heading == "Methods" => format!("{} ", code(owner)),
            _ => String::new(),
        };
        let doc = summary::documented(document, member)
            .map(|summary| format!(": {}", summary.text))
            .unwrap_or_default();
        let lines = page.lines(&[line]);
        page.bullet(&format!("{owner}{} {lines}{doc}", code(&signature)));
        page.fact("member", &signature, line);
    }
    cut(page, members.len());
}

fn cut(page: &mut Page<'_>, count: usize) {
    if count > MAX_LISTED {
        page.bullet(&format!("and {} more", count - MAX_LISTED));
    }
}

/// One-based lines of this file that define what is called.
fn own_definitions(document: &Document, item: &Item, name: &str) -> Vec<u32> {
    let (last, owner) = (reading::last_part(name).trim_end_matches('!'), owner_of(item, name));
    document
        .items()
        .iter()
        .filter(|other| other.name == last && can_be_called(other.kind))
        .filter(|other| fits(other.owner.as_deref(), owner, name))
        .map(|other| target::line(document, other.name_span.start))
        .collect()
}

/// The symbols of other files, in the same language, that may be what is called.
fn definitions<'s>(
    named: &[&'s Symbol],
    document: &Document,
    item: &Item,
    name: &str,
    own_path: &Path,
) -> Vec<&'s Symbol> {
    let owner = owner_of(item, name);
    named
        .iter()
        .filter(|symbol| *symbol.path != *own_path && can_be_called(symbol.kind))
        .filter(|symbol| match (Language::of_path(&symbol.path), document.language()) {
            (Some(other), Some(own)) => other.is_kin(own),
            _ => false,
        })
        .filter(|symbol| fits(symbol.owner.as_deref(), owner, name))
        .copied()
        .collect()
}

fn can_be_called(kind: ItemKind) -> bool {
    kind.is_function() || matches!(kind, ItemKind::Class | ItemKind::Macro)
}

/// Whose member is called, where the name tells: `Cart` of `Cart::new`, the own type of `self.x`.
fn owner_of<'n>(item: &'n Item, name: &'n str) -> Option<&'n str> {
    let before =
        name.strip_suffix(reading::last_part(name))?.trim_end_matches([':', '.', '-', '>']);
    match before {
        "self" | "Self" | "cls" | "this" => item.owner.as_deref(),
        _ if before.contains('.') => None,
        _ => Some(reading::last_part(before)).filter(|part| part.starts_with(char::is_uppercase)),
    }
}

/// Whether a definition with `owner` can be meant. A call without a dot is no method.
fn fits(owner: Option<&str>, wanted: Option<&str>, name: &str) -> bool {
    match wanted {
        Some(wanted) => owner == Some(wanted),
        None => {
            name.contains(['.', ':'])
                || owner.is_none_or(|owner| !owner.starts_with(char::is_uppercase))
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
