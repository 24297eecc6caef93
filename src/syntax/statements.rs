//! Where a text may be cut so that no statement loses its beginning or its end.

use tree_sitter::{Language as Grammar, Node, Query};

use super::SyntaxTree;
use super::query::{MAX_DEPTH, Search, span};
use super::starts::{all_roots, kind_ids, skip_space};
use crate::text::Span;

/// Which nodes are statements, by kind number.
#[derive(Debug)]
pub(super) struct Kinds {
    /// Those that are, wherever they stand.
    plain: Box<[bool]>,
    /// Those at which one of the `others` starts.
    roots: Box<[bool]>,
    /// The patterns that ask for more than a kind.
    others: Query,
}

impl Kinds {
    /// Of the `patterns` that find statements; `compiled` makes a query of some of them.
    pub(super) fn of(
        grammar: &Grammar,
        patterns: &[&str],
        compiled: impl FnOnce(&str) -> Query,
    ) -> Self {
        let none = || vec![false; grammar.node_kind_count()].into_boxed_slice();
        let (mut plain, mut roots) = (none(), none());
        let mut others = String::new();
        for pattern in patterns {
            let ids = plain_kind(pattern, grammar).map(|kind| kind_ids(grammar, kind, true));
            match ids {
                Some(ids) => ids.for_each(|id| plain[usize::from(id)] = true),
                None => others.push_str(pattern),
            }
        }
        let query = compiled(&others);
        match all_roots(&query, &others, grammar) {
            Some(known) if known.iter().flatten().all(|root| !root.is_child) => {
                let ids = known.iter().flatten();
                let ids = ids.flat_map(|root| kind_ids(grammar, root.kind, root.named));
                ids.for_each(|id| roots[usize::from(id)] = true);
            }
            _ => roots.fill(true),
        }
        Self { plain, roots, others: query }
    }

    fn are_plain(&self, node: Node<'_>) -> bool {
        self.plain.get(usize::from(node.kind_id())).is_some_and(|plain| *plain)
    }

    fn start_others(&self, node: Node<'_>) -> bool {
        self.roots.get(usize::from(node.kind_id())).is_some_and(|root| *root)
    }
}

/// The kind that a pattern of the form `(kind) @statement` asks for, and nothing else.
fn plain_kind<'p>(pattern: &'p str, grammar: &Grammar) -> Option<&'p str> {
    let (kind, rest) = skip_space(pattern).strip_prefix('(')?.split_once(')')?;
    let rest = rest.trim_start().strip_prefix("@statement")?;
    let id = grammar.id_for_node_kind(kind, true);
    let is_plain = id != 0 && !grammar.node_kind_is_supertype(id) && skip_space(rest).is_empty();
    is_plain.then_some(kind)
}

/// The offsets inside `within` at which a line begins, and a statement or item begins or the one
/// before it has ended; ascending. Statements are those of the language's `scopes.scm`, also inside
/// others.
pub fn boundaries(tree: &SyntaxTree, text: &str, within: Span) -> Vec<usize> {
    let statements = statements(tree, text, within);
    cuts(text, &statements, within)
}

/// The starts of lines before `statements` and after them.
fn cuts(text: &str, statements: &[Span], within: Span) -> Vec<usize> {
    let starts = statements.iter().map(|statement| statement.start).collect();
    let ends = statements.iter().map(|statement| statement.end).collect();
    let mut found = Vec::new();
    lines_before(text, starts, &mut found);
    lines_after(text, ends, &mut found);
    found.retain(|offset| within.touches(*offset));
    found.sort_unstable();
    found.dedup();
    found
}

/// The statements that touch `within`, but for those inside of others on one line; of a nesting
/// too deep and of a fault that is no code at all, what [`Search`] allows.
fn statements(tree: &SyntaxTree, text: &str, within: Span) -> Vec<Span> {
    let mut found = Vec::new();
    let kinds = tree.language().spec().statements();
    let Some(mut search) = Search::at_roots(tree, &kinds.others, text, within) else {
        return found;
    };
    let end = within.end.max(within.start + 1);
    let mut cursor = tree.root().walk();
    let mut depth = 0;
    loop {
        let node = cursor.node();
        let is_on_one_line = node.start_position().row == node.end_position().row;
        let is_plain = kinds.are_plain(node);
        if is_plain {
            found.push(span(node));
        }
        let mut holds_cuts = !is_on_one_line || !is_plain && is_at_end_of_line(text, span(node));
        if holds_cuts && kinds.start_others(node) {
            search.run(node, |matched| {
                let nodes = matched.captures().filter(|(name, _)| *name == "statement");
                found.extend(nodes.map(|(_, node)| span(node)));
            });
        }
        holds_cuts &= depth < MAX_DEPTH;
        if holds_cuts && cursor.goto_first_child_for_byte(within.start).is_some() {
            depth += 1;
            if cursor.node().start_byte() < end {
                continue;
            }
        }
        while !(cursor.goto_next_sibling() && cursor.node().start_byte() < end) {
            if !cursor.goto_parent() {
                return found;
            }
            depth -= 1;
        }
    }
}

/// Whether nothing but white space and separators stands on the line before a part of it, or after
/// it. Elsewhere no line begins or ends with a statement inside of that part.
fn is_at_end_of_line(text: &str, part: Span) -> bool {
    let (before, after) = text.as_bytes().split_at(part.start.min(text.len()));
    let before = before.iter().rev().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
    let after = after.get(part.len()..).unwrap_or_default();
    let after = after.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b';' | b','));
    [before, after].into_iter().any(|byte| byte.is_none_or(|byte| *byte == b'\n'))
}

/// Where the lines of `offsets` begin, if only white space stands before them there. One pass,
/// since lines of many thousand statements exist.
fn lines_before(text: &str, mut offsets: Vec<usize>, found: &mut Vec<usize>) {
    offsets.sort_unstable();
    let (mut start, mut blank, mut seen) = (0, true, 0);
    for offset in offsets {
        let Some(passed) = text.get(seen..offset) else { continue };
        let rest = passed.rfind('\n').map_or(passed, |newline| {
            (start, blank) = (seen + newline + 1, true);
            &passed[newline + 1..]
        });
        blank &= rest.trim().is_empty();
        seen = offset;
        if blank {
            found.push(start);
        }
    }
}

/// Where the lines after those of `offsets` begin, if nothing but white space and separators stands
/// between. One pass, from the last on.
fn lines_after(text: &str, mut offsets: Vec<usize>, found: &mut Vec<usize>) {
    offsets.sort_unstable();
    let (mut next, mut clear, mut seen) = (None, true, text.len());
    for offset in offsets.into_iter().rev() {
        let Some(passed) = text.get(offset..seen) else { continue };
        let rest = passed.find('\n').map_or(passed, |newline| {
            (next, clear) = (Some(offset + newline + 1), true);
            &passed[..newline]
        });
        clear &= rest.trim_matches([';', ',', ' ', '\t', '\r']).is_empty();
        seen = offset;
        if text.get(..offset).is_some_and(|before| before.ends_with('\n')) {
            found.push(offset);
        } else if clear {
            found.extend(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::{Match, matches};
    use super::*;
    use crate::syntax::{Language, samples};

    /// The text with `|` at each boundary.
    fn marked(language: &str, text: &str) -> String {
        let tree = SyntaxTree::parse(Language::named(language).unwrap(), text);
        let mut out = text.to_owned();
        for offset in boundaries(&tree, text, Span::new(0, text.len())).into_iter().rev() {
            out.insert(offset, '|');
        }
        out
    }

    #[test]
    fn rust_is_cut_between_statements_and_never_inside_one() {
        let text =
            "fn f() {\n    let a = g(\n        1,\n    );\n    if a {\n        h();\n    }\n}\n";
        let marked = marked("rust", text);
        assert!(
            marked.contains("|    let a = g(\n        1,\n    );\n|    if a {\n|        h();\n|"),
            "{marked}"
        );
    }

    #[test]
    fn python_is_cut_between_statements_and_never_inside_one() {
        let text =
            "def f():\n    a = g(\n        1,\n    )\n    return \"\"\"x\n    y\"\"\"\n\nz = 1\n";
        let marked = marked("python", text);
        assert!(
            marked.contains("|    a = g(\n        1,\n    )\n|    return \"\"\"x\n    y\"\"\"\n|"),
            "{marked}"
        );
    }

    #[test]
    fn cuts_by_the_kinds_of_statements_are_those_of_the_query() {
        let rust = "fn f() {\n    match a {\n        A => b,\n        C =>\n            d(),\n    }\n    \
            g! {}\n    h\n}\nx!();\nimpl A {\n    y! {\n    }\n}\n";
        let python = "if a: b()\nelse: c()\nfor d in e:\n    f(); g()\ndef h():\n    return i\n";
        let own = [("rust", rust), ("python", python)];
        for (name, text) in samples::SAMPLES.iter().chain(&own) {
            // A language may not be compiled in.
            let Some(language) = Language::named(name) else { continue };
            let tree = SyntaxTree::parse(language, text);
            let all: Vec<_> = matches(&tree, text, &language.spec().queries.scopes, None)
                .iter()
                .flat_map(Match::captures)
                .filter(|(name, _)| *name == "statement")
                .map(|(_, node)| span(node))
                .collect();
            assert!(!all.is_empty(), "{name}");
            let whole = Span::new(0, text.len());
            let found = statements(&tree, text, whole);
            assert!(found.iter().all(|statement| all.contains(statement)), "{name}");
            assert_eq!(cuts(text, &found, whole), cuts(text, &all, whole), "{name}");
        }
    }

    #[test]
    fn only_what_lies_within_is_looked_at() {
        let text = "a = 1\nb = 2\nc = 3\nd = 4\n";
        let tree = SyntaxTree::parse(Language::named("python").unwrap(), text);
        assert_eq!(boundaries(&tree, text, Span::new(6, 12)), [6, 12]);
    }

    #[test]
    fn a_line_of_many_statements_is_cut_before_and_after_it_alone() {
        let text = format!("a();\n{}\nb();\n", "var a=1;".repeat(5_000));
        let starts: Vec<_> = (0..text.len()).collect();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        lines_before(&text, starts.clone(), &mut before);
        lines_after(&text, starts, &mut after);
        before.dedup();
        after.sort_unstable();
        after.dedup();
        assert_eq!(before, [0, 5, 40_006]);
        assert_eq!(after, [5, 40_006, 40_011]);
    }

    #[test]
    fn nesting_of_a_hundred_thousand_levels_is_given_up_early() {
        let nested = [
            ("rust", format!("fn f() {{{}", "(".repeat(100_000))),
            ("go", format!("package a\nvar x = {}", "[]".repeat(50_000))),
            ("c", format!("int f(){{{}", "{".repeat(80_000))),
        ];
        for (name, text) in nested {
            let Some(language) = Language::named(name) else { continue };
            let tree = SyntaxTree::parse(language, &text);
            let within = Span::new(26_000, 74_000);
            assert!(boundaries(&tree, &text, within).len() <= 2, "{name}");
        }
    }
}
