//! Where a text may be cut so that no statement loses its beginning or its end.

use super::SyntaxTree;
use super::query::{matches, span};
use crate::text::Span;

/// The offsets inside `within` at which a line begins, and a statement or item begins or the one
/// before it has ended; ascending. Statements are those of the language's `scopes.scm`, also inside
/// others.
pub fn boundaries(tree: &SyntaxTree, text: &str, within: Span) -> Vec<usize> {
    let mut statements = Vec::new();
    for matched in matches(tree, text, tree.language().spec().statements(), Some(within)) {
        let nodes = matched.captures().filter(|(name, _)| *name == "statement");
        statements.extend(nodes.map(|(_, node)| span(node)));
    }
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
    fn statements_are_found_by_their_own_patterns_as_among_all() {
        for (name, text) in samples::SAMPLES {
            // A language may not be compiled in.
            let Some(language) = Language::named(name) else { continue };
            let tree = SyntaxTree::parse(language, text);
            let statements = |query| {
                let found = matches(&tree, text, query, None);
                let nodes = found.iter().flat_map(super::super::query::Match::captures);
                let mut spans: Vec<_> = nodes
                    .filter(|(name, _)| *name == "statement")
                    .map(|(_, node)| span(node))
                    .collect();
                spans.sort_unstable();
                spans
            };
            let all = statements(&language.spec().queries.scopes);
            assert!(!all.is_empty(), "{name}");
            assert_eq!(statements(language.spec().statements()), all, "{name}");
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
            let steps = super::super::query::reports(&tree, &text, within);
            assert!(steps < 100, "{name}: {steps} thousand steps");
        }
    }
}
