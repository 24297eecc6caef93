//! Where a text may be cut so that no statement loses its beginning or its end.

use super::SyntaxTree;
use super::query::{matches, span};
use crate::text::Span;

/// The offsets inside `within` at which a line begins, and a statement or item begins or the one
/// before it has ended; ascending. Statements are those of the language's `scopes.scm`, also inside
/// others.
pub fn boundaries(tree: &SyntaxTree, text: &str, within: Span) -> Vec<usize> {
    let mut found = Vec::new();
    for matched in matches(tree, text, &tree.language().spec().queries.scopes, Some(within)) {
        for (_, node) in matched.captures().filter(|(name, _)| *name == "statement") {
            let statement = span(node);
            found.extend(line_before(text, statement.start));
            found.extend(line_after(text, statement.end));
        }
    }
    found.retain(|offset| within.touches(*offset));
    found.sort_unstable();
    found.dedup();
    found
}

/// Where the line of `offset` begins, if only white space stands before it there.
fn line_before(text: &str, offset: usize) -> Option<usize> {
    let before = text.get(..offset)?;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    before.get(start..)?.trim().is_empty().then_some(start)
}

/// Where the line after that of `offset` begins, if nothing but white space and separators stands
/// between.
fn line_after(text: &str, offset: usize) -> Option<usize> {
    if text.get(..offset)?.ends_with('\n') {
        return Some(offset);
    }
    let rest = text.get(offset..)?;
    let end = rest.find('\n')?;
    let between = rest.get(..end)?;
    between.trim_matches([';', ',', ' ', '\t', '\r']).is_empty().then_some(offset + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Language;

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
    fn only_what_lies_within_is_looked_at() {
        let text = "a = 1\nb = 2\nc = 3\nd = 4\n";
        let tree = SyntaxTree::parse(Language::named("python").unwrap(), text);
        assert_eq!(boundaries(&tree, text, Span::new(6, 12)), [6, 12]);
    }
}
