//! A name that stands for nothing: names like it that do, and Python's standard modules.

use std::collections::BTreeMap;

use super::candidate::Edit;
use crate::check::Diagnostic;
use crate::document::Document;
use crate::syntax::scope;
use crate::text::Span;

/// How many similar names are tried.
const MAX_NAMES: usize = 6;

/// Python's built-in functions and types, as far as they are likely to be meant.
const BUILTINS: &[&str] = &[
    "abs",
    "all",
    "any",
    "bool",
    "bytes",
    "callable",
    "dict",
    "enumerate",
    "filter",
    "float",
    "frozenset",
    "getattr",
    "hasattr",
    "hash",
    "input",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "list",
    "map",
    "max",
    "min",
    "next",
    "None",
    "object",
    "open",
    "print",
    "property",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "setattr",
    "slice",
    "sorted",
    "staticmethod",
    "str",
    "sum",
    "super",
    "True",
    "False",
    "tuple",
    "type",
    "zip",
    "Exception",
    "IndexError",
    "KeyError",
    "TypeError",
    "ValueError",
    "RuntimeError",
    "StopIteration",
];

/// Spellings of other languages.
const FOREIGN: &[(&str, &str)] = &[
    ("null", "None"),
    ("nil", "None"),
    ("undefined", "None"),
    ("true", "True"),
    ("false", "False"),
    ("this", "self"),
];

/// Python's standard modules that are used as `name.attribute`.
const MODULES: &[&str] = &[
    "argparse",
    "asyncio",
    "base64",
    "bisect",
    "collections",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "glob",
    "hashlib",
    "heapq",
    "io",
    "itertools",
    "json",
    "logging",
    "math",
    "operator",
    "os",
    "pathlib",
    "pickle",
    "random",
    "re",
    "shutil",
    "socket",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "sys",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "traceback",
    "types",
    "typing",
    "unittest",
    "uuid",
];

/// Replacements for the name that `diagnostic` complains about, most alike first.
pub(super) fn candidates(document: &Document, diagnostic: &Diagnostic) -> Vec<Edit> {
    let text = &*document.text;
    let (Some(tree), true) = (&document.tree, speaks_of_a_name(diagnostic)) else {
        return Vec::new();
    };
    let all = scope::identifiers(tree, text, Span::new(0, text.len()));
    let Some((wrong, span)) = wrong_name(diagnostic, &all) else { return Vec::new() };
    let is_python = document.language().is_some_and(|language| language.name() == "python");
    let mut edits = Vec::new();
    if is_python {
        if let Some((_, right)) = FOREIGN.iter().find(|(foreign, _)| *foreign == wrong) {
            edits.push(replacement(wrong, span, right));
        }
        if MODULES.contains(&wrong) && text.get(span.end..).is_some_and(|t| t.starts_with('.')) {
            let place = Span::empty(import_place(text));
            edits.push((format!("import {wrong}"), place, format!("import {wrong}\n")));
        }
    }
    // By likeness, then by nearness to the fault.
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, at) in &all {
        let distance = at.start.abs_diff(span.start);
        let nearest = known.entry(name).or_insert(distance);
        *nearest = distance.min(*nearest);
    }
    if is_python {
        for name in BUILTINS {
            known.entry(name).or_insert(usize::MAX);
        }
    }
    let mut alike: Vec<(usize, usize, &str)> = known
        .into_iter()
        .filter(|(name, _)| *name != wrong)
        .filter_map(|(name, near)| Some((likeness(wrong, name)?, near, name)))
        .collect();
    alike.sort_unstable();
    edits.extend(alike.iter().take(MAX_NAMES).map(|(_, _, name)| replacement(wrong, span, name)));
    edits
}

/// Whether `right` is Python's word for another language's `wrong`.
pub(super) fn is_foreign(wrong: &str, right: &str) -> bool {
    FOREIGN.contains(&(wrong, right))
}

fn replacement(wrong: &str, span: Span, right: &str) -> Edit {
    (format!("replace `{wrong}` by `{right}`"), span, right.to_owned())
}

fn speaks_of_a_name(diagnostic: &Diagnostic) -> bool {
    let codes = [
        "E0425",
        "E0433",
        "E0432",
        "E0412",
        "E0405",
        "E0599",
        "E0609",
        "E0560",
        "E0026",
        "E0407",
        "E0531",
        "E0422",
        "E0574",
        "E0576",
        "F821",
        "F822",
        "reportUndefinedVariable",
        "reportAttributeAccessIssue",
        "name-defined",
        "attr-defined",
        "call-arg",
    ];
    codes.contains(&diagnostic.code.as_str())
        || ["NameError", "AttributeError", "is not defined", "has no attribute", "cannot find"]
            .iter()
            .any(|words| diagnostic.message.contains(words))
}

/// The identifier that is wrong: one named in the message's quotes within the reported lines,
/// else the last in the reported span (`a.wrong`).
fn wrong_name<'t>(diagnostic: &Diagnostic, all: &[(&'t str, Span)]) -> Option<(&'t str, Span)> {
    let inside: Vec<&(&str, Span)> =
        all.iter().filter(|(_, at)| diagnostic.span.covers(*at)).collect();
    let quoted = |name: &str| {
        ["`", "'", "\""].iter().any(|q| diagnostic.message.contains(&format!("{q}{name}{q}")))
    };
    inside.iter().find(|(name, _)| quoted(name)).or(inside.last()).map(|found| **found)
}

/// After the module's docstring, comments and `from __future__` lines: before its first import,
/// else before its first statement.
fn import_place(text: &str) -> usize {
    let mut place = 0;
    for line in text.split_inclusive('\n') {
        let is_import = line.starts_with("import ") || line.starts_with("from ");
        if is_import && !line.starts_with("from __future__") {
            return text.len() - text.get(place..).map_or(0, str::len);
        }
        if !line.starts_with('#') && !line.starts_with("from __future__") && !line.trim().is_empty()
        {
            break;
        }
        place += line.len();
    }
    // A docstring stays first.
    for quote in ["\"\"\"", "'''"] {
        if let Some(rest) = text.get(place..).and_then(|rest| rest.strip_prefix(quote))
            && let Some(end) = rest.find(quote)
        {
            let after = place + quote.len() + end + quote.len();
            let line_end = text.get(after..).and_then(|rest| rest.find('\n'));
            return line_end.map_or(text.len(), |end| after + end + 1);
        }
    }
    place
}

/// How unlike two names are, by letters to change (a swap of neighbours is one); `None` when too
/// unlike to be a slip.
pub(super) fn likeness(one: &str, other: &str) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let limit = match a.len().max(b.len()) {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    if a.len().abs_diff(b.len()) > limit || (a.len() <= 2 && a.first() != b.first()) {
        return None;
    }
    let distance = edit_distance(&a, &b);
    (distance <= limit && distance < a.len().max(b.len())).then_some(distance)
}

/// The optimal string alignment distance.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    let at = |rows: &[Vec<usize>], i: usize, j: usize| {
        rows.get(i).and_then(|row| row.get(j)).copied().unwrap_or(usize::MAX / 2)
    };
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = at(&rows, i, j) + usize::from(x != y);
            let removed = at(&rows, i, j + 1) + 1;
            let inserted = row.last().copied().unwrap_or(usize::MAX / 2) + 1;
            let mut best = changed.min(removed).min(inserted);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(&rows, i - 1, j - 1) + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    at(&rows, a.len(), b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near_and_other_words_are_not() {
        assert_eq!(likeness("totl", "total"), Some(1));
        assert_eq!(likeness("lenght", "length"), Some(1));
        assert_eq!(likeness("pritn", "print"), Some(1));
        assert_eq!(likeness("count", "values"), None);
        assert_eq!(likeness("x", "y"), None);
        assert_eq!(likeness("i", "j"), None);
    }

    #[test]
    fn imports_go_below_the_docstring_and_above_other_imports() {
        assert_eq!(import_place("x = 1\n"), 0);
        assert_eq!(import_place("#!/bin/python\n\nimport os\n"), 15);
        assert_eq!(import_place("\"\"\"Doc.\"\"\"\nx = 1\n"), 11);
        assert_eq!(import_place("from __future__ import annotations\nx = 1\n"), 35);
    }
}
