//! What a file imports, from `grammars/<lang>/imports.scm`.

use super::{
    SyntaxTree,
    language::Spec,
    query::{Match, matches_from, span},
    starts::{Purpose, Starts},
};
use crate::text::Span;

/// What the query may capture.
#[cfg(test)]
pub(super) const CAPTURES: &[&str] =
    &["import", "group", "prefix", "leaf", "whole", "default", "alias", "glob"];

/// One imported name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The path before the name: `["crate", "text"]`, `["os", "path"]`, `[".", "cart"]`; relative
    /// dots as written.
    pub path: Vec<String>,
    /// The imported item, module or file; `*` for a glob, `default` for a module's default export.
    pub name: String,
    /// What it is called here, when renamed.
    pub alias: Option<String>,
    /// The statement.
    pub span: Span,
}

/// A node whose leaves all start with `path`.
struct Group {
    span: Span,
    path: Vec<String>,
}

/// A name before the groups around it are known.
struct Leaf {
    span: Span,
    path: Vec<String>,
    alias: Option<String>,
    /// Whether the groups around it give it no prefix.
    whole: bool,
}

/// The imports of `text` in document order, nested lists flattened.
pub fn imports(tree: &SyntaxTree, text: &str) -> Vec<Import> {
    imports_from(tree, text, &Starts::find(tree, |_| {}))
}

/// The same, in a tree whose starts are found already.
pub(super) fn imports_from<'t>(
    tree: &'t SyntaxTree,
    text: &str,
    starts: &Starts<'t>,
) -> Vec<Import> {
    let spec = tree.language().spec();
    let mut statements = Vec::new();
    let mut groups = Vec::new();
    let mut leaves = Vec::new();
    for found in matches_from(tree, text, Purpose::Imports, starts) {
        statements.extend(found.node("import").map(span));
        groups.extend(group(&found, text, spec));
        leaves.extend(leaf(&found, text, spec));
    }
    groups.sort_by_key(|group| (group.span.start, std::cmp::Reverse(group.span.end)));
    leaves.sort_by_key(|leaf| leaf.span);
    statements.sort_unstable();
    leaves.into_iter().filter_map(|leaf| import(leaf, &statements, &groups, spec)).collect()
}

fn group(found: &Match<'_>, text: &str, spec: &Spec) -> Option<Group> {
    let path = segments(found.span("prefix")?.of(text)?, spec);
    Some(Group { span: span(found.node("group")?), path })
}

fn leaf(found: &Match<'_>, text: &str, spec: &Spec) -> Option<Leaf> {
    let whole = found.node("whole").is_some();
    let named = |capture: &str| found.span(capture)?.of(text).map(str::to_owned);
    let one = |node, name: &str, alias| {
        Some(Leaf { span: span(node), path: vec![name.to_owned()], alias, whole })
    };
    if let Some(glob) = found.node("glob") {
        return one(glob, "*", named("alias"));
    }
    if let Some(default) = found.node("default") {
        return one(default, "default", named("default"));
    }
    let node = found.span("leaf")?;
    Some(Leaf { span: node, path: segments(node.of(text)?, spec), alias: named("alias"), whole })
}

fn import(leaf: Leaf, statements: &[Span], groups: &[Group], spec: &Spec) -> Option<Import> {
    let at = statements.partition_point(|statement| statement.start <= leaf.span.start);
    let span = *statements.get(at.checked_sub(1)?)?;
    let first = groups.partition_point(|group| group.span.start < span.start);
    let mut path: Vec<String> = groups[first..]
        .iter()
        .take_while(|group| group.span.start <= leaf.span.start)
        .filter(|group| !leaf.whole && group.span.covers(leaf.span))
        .flat_map(|group| group.path.iter().cloned())
        .collect();
    path.extend(leaf.path);
    let mut name = path.pop()?;
    if spec.path_self == Some(name.as_str()) && !path.is_empty() {
        name = path.pop()?;
    }
    Some(Import { path, name, alias: leaf.alias, span })
}

/// The parts of a path; the dots of a relative one are its first part.
fn segments(path: &str, spec: &Spec) -> Vec<String> {
    let path: String = path.split_whitespace().collect();
    let path = path.trim_matches(['"', '<', '>']);
    let rest = path.trim_start_matches('.');
    let dots = &path[..path.len() - rest.len()];
    let parts = rest.split(spec.path_separator).filter(|part| !part.is_empty());
    std::iter::once(dots).filter(|dots| !dots.is_empty()).chain(parts).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Language;

    fn check(language: &str, text: &str) -> Vec<String> {
        let tree = SyntaxTree::parse(Language::named(language).unwrap(), text);
        imports(&tree, text)
            .into_iter()
            .map(|i| {
                let alias = i.alias.map(|alias| format!(" as {alias}")).unwrap_or_default();
                format!("{} | {}{alias}", i.path.join(" "), i.name)
            })
            .collect()
    }

    #[test]
    fn rust_trees_are_flattened() {
        let text = "use std::fmt;\nuse crate::text::{self, Span as S, diff::{edits, *}};\n\
            pub use a::*;\nuse {b, ::c::d};\nuse serde as s;\nextern crate alloc as al;\n\
            extern crate core;\nfn f() { use super::x; }\nuse self::y;\nuse z;\n";
        assert_eq!(
            check("rust", text),
            [
                "std | fmt",
                "crate | text",
                "crate text | Span as S",
                "crate text diff | edits",
                "crate text diff | *",
                "a | *",
                " | b",
                "c | d",
                " | serde as s",
                " | alloc as al",
                " | core",
                "super | x",
                "self | y",
                " | z",
            ]
        );
    }

    #[test]
    fn python_forms_are_all_read() {
        let text = "import os\nimport os.path as p, sys\nfrom a.b import c, d as e\nfrom . import f\n\
            from ..g.h import i\nfrom j import *\nfrom __future__ import annotations\n\
            from k import (\n    l,  # why\n    m as n,\n)\n";
        assert_eq!(
            check("python", text),
            [
                " | os",
                "os | path as p",
                " | sys",
                "a b | c",
                "a b | d as e",
                ". | f",
                ".. g h | i",
                "j | *",
                "__future__ | annotations",
                "k | l",
                "k | m as n",
            ]
        );
    }

    #[test]
    fn each_import_knows_its_statement() {
        let text = "use a::{b, c};\n";
        let tree = SyntaxTree::parse(Language::named("rust").unwrap(), text);
        assert!(imports(&tree, text).iter().all(|i| i.span == Span::new(0, 14)));
    }
}
