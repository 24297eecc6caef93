//! What stands around an offset: nodes, items, indentation.

use super::{
    SyntaxTree,
    outline::Item,
    query::{matches, span},
};
use crate::text::Span;

/// What `scopes.scm` may capture.
#[cfg(test)]
pub(super) const CAPTURES: &[&str] =
    &["statement", "block", "list", "literal", "literal.line", "code", "identifier"];

/// The innermost item of `items` whose span touches `offset`, functions and classes alike.
pub fn enclosing_item(items: &[Item], offset: usize) -> Option<&Item> {
    items.iter().filter(|item| item.span.touches(offset)).min_by_key(|item| item.span.len())
}

/// Where a completion at `offset` has to stop, by the syntax around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Inside a statement or expression that goes on after the cursor: this line only.
    Line,
    /// At a place where a block's content is expected: up to the end of that block.
    Block,
    /// Inside a comment or string.
    Literal,
}

/// How much a completion at `offset` may write.
pub fn extent(tree: &SyntaxTree, text: &str, offset: usize) -> Extent {
    let offset = text.floor_char_boundary(offset);
    let near = Span::new(offset.saturating_sub(1), (offset + 1).min(text.len().max(1)));
    let mut literal: Option<(Span, bool)> = None;
    let mut around: Option<(Span, Extent)> = None;
    for found in matches(tree, text, &tree.language().spec().queries.scopes, Some(near)) {
        for (name, node) in found.captures() {
            let node = span(node);
            let inside = node.start < offset && offset < node.end;
            match name {
                "literal" | "code" if inside && smaller(node, literal) => {
                    literal = Some((node, name == "literal"));
                }
                "literal.line" if on_line(node, text, offset) => return Extent::Literal,
                "block" if node.touches(offset) && smaller(node, around) => {
                    around = Some((node, Extent::Block));
                }
                "list" if inside && smaller(node, around) => around = Some((node, Extent::Line)),
                _ => {}
            }
        }
    }
    if literal.is_some_and(|(_, literal)| literal) {
        return Extent::Literal;
    }
    let rest = text.get(offset..).unwrap_or_default();
    let rest = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
    if !rest.trim().is_empty() {
        return Extent::Line;
    }
    around.map_or(Extent::Block, |(_, extent)| extent)
}

/// The spans of the named nodes that hold `offset`, innermost first, the root last.
pub fn ancestors(tree: &SyntaxTree, offset: usize) -> Vec<Span> {
    let mut out = Vec::new();
    let mut cursor = tree.root().walk();
    loop {
        if cursor.node().is_named() {
            out.push(span(cursor.node()));
        }
        // The child that holds the offset, else the one that ends there.
        if cursor.goto_first_child_for_byte(offset).is_some() {
            if cursor.node().start_byte() <= offset {
                continue;
            }
            if !cursor.goto_previous_sibling() {
                break;
            }
        } else if !cursor.goto_last_child() {
            break;
        }
        if cursor.node().end_byte() != offset {
            break;
        }
    }
    out.reverse();
    out
}

/// The statements of `text` inside `span`: spans of the nodes that `grammars/<lang>/scopes.scm`
/// captures as `@statement`, in document order, outer before inner.
pub fn statements(tree: &SyntaxTree, text: &str, span: Span) -> Vec<Span> {
    captured(tree, text, span, "statement")
}

/// A statement of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// Where it is.
    pub span: Span,
    /// Whether it has no ERROR or MISSING node in it.
    pub sound: bool,
    /// Whether it has a body.
    pub compound: bool,
}

/// The outermost statement of `text` that starts at `offset`; the innermost around `offset` where
/// none does and `inside` is set.
pub fn statement(tree: &SyntaxTree, text: &str, offset: usize, inside: bool) -> Option<Statement> {
    let near = Span::new(offset.saturating_sub(1), (offset + 1).min(text.len()));
    let mut starts: Option<Statement> = None;
    let mut around: Option<Statement> = None;
    for found in matches(tree, text, &tree.language().spec().queries.scopes, Some(near)) {
        let Some(node) = found.node("statement") else { continue };
        let has = |field| node.child_by_field_name(field).is_some();
        let compound = ["body", "consequence", "definition"].into_iter().any(has);
        let one = Statement { span: span(node), sound: !node.has_error(), compound };
        if one.span.start == offset && starts.is_none_or(|held| held.span.end < one.span.end) {
            starts = Some(one);
        }
        if one.span.start < offset
            && offset <= one.span.end
            && around.is_none_or(|held| one.span.len() < held.span.len())
        {
            around = Some(one);
        }
    }
    starts.or(around.filter(|_| inside))
}

/// The identifiers of `text` inside `span`, with repetitions, in document order.
pub fn identifiers<'t>(tree: &SyntaxTree, text: &'t str, span: Span) -> Vec<(&'t str, Span)> {
    captured(tree, text, span, "identifier")
        .into_iter()
        .filter_map(|span| Some((span.of(text)?, span)))
        .collect()
}

/// The comments and strings of `text` inside `span`, in document order, outer before inner.
pub fn literals(tree: &SyntaxTree, text: &str, span: Span) -> Vec<Span> {
    let mut all = captured(tree, text, span, "literal");
    all.extend(captured(tree, text, span, "literal.line"));
    all.sort_unstable_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    all
}

fn captured(tree: &SyntaxTree, text: &str, within: Span, capture: &str) -> Vec<Span> {
    let mut out: Vec<Span> =
        matches(tree, text, &tree.language().spec().queries.scopes, Some(within))
            .iter()
            .filter_map(|found| found.node(capture))
            .map(span)
            .filter(|node| within.covers(*node))
            .collect();
    out.sort_unstable_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    out.dedup();
    out
}

fn smaller<T>(node: Span, held: Option<(Span, T)>) -> bool {
    held.is_none_or(|(held, _)| node.len() <= held.len())
}

/// Whether `offset` is in the line comment `node` and not on the line below it.
fn on_line(node: Span, text: &str, offset: usize) -> bool {
    node.start < offset
        && offset <= node.end
        && text.get(node.start..offset).is_some_and(|before| !before.contains('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::syntax::Language;

    fn parsed(language: &str, fixture: &str) -> (SyntaxTree, String, usize) {
        let file = fixture::parse(fixture).remove(0);
        let tree = SyntaxTree::parse(Language::named(language).unwrap(), &file.text);
        (tree, file.text, file.cursors.first().copied().unwrap_or_default())
    }

    fn check(language: &str, fixture: &str, expected: Extent) {
        let (tree, text, offset) = parsed(language, fixture);
        assert_eq!(extent(&tree, &text, offset), expected, "{fixture}");
    }

    #[test]
    fn at_the_end_of_a_line_in_a_block_a_block_may_follow() {
        for fixture in [
            "fn f() {\n    ˇ\n}\n",
            "fn f() {ˇ\n}\n",
            "fn f() {\n    let x = ˇ\n}\n",
            "fn f() {\n    if a {\n        ˇ",
            "struct S {\n    ˇ\n}\n",
            "ˇ",
            "fn f() {}\nˇ",
        ] {
            check("rust", fixture, Extent::Block);
        }
        for fixture in
            ["def f():\n    ˇ\n", "def f():ˇ\n", "def f():\n    return ˇ\n\nx = 1\n", "x = 1\nˇ"]
        {
            check("python", fixture, Extent::Block);
        }
    }

    #[test]
    fn with_code_after_the_cursor_only_the_line_is_filled() {
        check("rust", "fn f() { g(ˇ) }\n", Extent::Line);
        check("rust", "fn f() {\n    let x = ˇ;\n}\n", Extent::Line);
        check("rust", "fn f() {\n    g(\n        ˇ\n    );\n}\n", Extent::Line);
        check("python", "x = f(ˇ)\n", Extent::Line);
        check("python", "x = [\n    1,\n    ˇ\n]\n", Extent::Line);
    }

    #[test]
    fn comments_and_strings_are_literals() {
        for fixture in [
            "// aˇ b\n",
            "// abˇ\nfn f() {}\n",
            "/// abˇ\nfn f() {}\n",
            "/* aˇ */",
            "fn f() { g(\"aˇ\") }",
        ] {
            check("rust", fixture, Extent::Literal);
        }
        check("rust", "/// ab\nˇ\nfn f() {}\n", Extent::Block);
        check("rust", "fn f() { g(ˇ\"a\") }", Extent::Line);
        check("python", "def f():\n    \"\"\"aˇ\n    \"\"\"\n", Extent::Literal);
        check("python", "x = 1  # aˇ\n", Extent::Literal);
        check("python", "x = f\"a{ˇb}\"\n", Extent::Line);
        check("python", "x = f\"aˇ{b}\"\n", Extent::Literal);
    }

    #[test]
    fn ancestors_go_from_the_innermost_node_to_the_root() {
        let (tree, text, offset) = parsed("rust", "fn f() { g(abˇc) }\n");
        let spans: Vec<_> =
            ancestors(&tree, offset).into_iter().map(|s| s.of(&text).unwrap()).collect();
        assert_eq!(
            spans,
            ["abc", "(abc)", "g(abc)", "{ g(abc) }", "fn f() { g(abc) }", text.as_str()]
        );
        let (tree, text, _) = parsed("rust", "fn f() {}");
        let at_end = ancestors(&tree, text.len());
        assert_eq!(at_end.first().and_then(|s| s.of(&text)), Some("{}"));
        assert_eq!(ancestors(&tree, 999), [Span::new(0, text.len())]);
    }

    #[test]
    fn statements_come_outer_before_inner() {
        let (tree, text, _) =
            parsed("rust", "fn f() { let a = 1; if a > 0 { g(); } h(a) }\nfn z() { q(); }\n");
        let all = |range: Span| -> Vec<_> {
            statements(&tree, &text, range).into_iter().map(|s| s.of(&text).unwrap()).collect()
        };
        assert_eq!(all(Span::new(9, 44)), ["let a = 1;", "if a > 0 { g(); }", "g();", "h(a)"]);
        let (tree, text, _) = parsed("python", "def f():\n    if a:\n        return 1\n    g()\n");
        let all: Vec<_> = statements(&tree, &text, Span::new(9, text.len()))
            .into_iter()
            .map(|s| s.of(&text).unwrap())
            .collect();
        assert_eq!(all, ["if a:\n        return 1", "return 1", "g()"]);
    }

    #[test]
    fn a_statement_is_found_where_it_starts_and_around_a_place() {
        let check = |language: &str, marked: &str, inside: bool, expected: Option<(&str, bool)>| {
            let (tree, text, offset) = parsed(language, marked);
            let found = statement(&tree, &text, offset, inside);
            let found = found.map(|one| (one.span.of(&text).unwrap(), one.sound));
            assert_eq!(found, expected, "{marked}");
        };
        check(
            "rust",
            "fn f() {\n    ˇa\n        .b();\n    c();\n}\n",
            false,
            Some(("a\n        .b();", true)),
        );
        check("rust", "fn f() {\n    let x = ˇa;\n}\n", true, Some(("let x = a;", true)));
        check("rust", "fn f() {\n    let x = ˇa;\n}\n", false, None);
        check(
            "python",
            "ˇif a:\n    b()\nelse:\n    c()\nd()\n",
            false,
            Some(("if a:\n    b()\nelse:\n    c()", true)),
        );
        check("rust", "fn f() {\n    ˇlet x = = 1;\n}\n", false, Some(("let x = = 1;", false)));
    }

    #[test]
    fn identifiers_of_a_span_keep_their_order() {
        let (tree, text, _) = parsed("rust", "fn f(a: Cart) { a.total(b); m!(c) }\n");
        let names: Vec<_> =
            identifiers(&tree, &text, Span::new(0, text.len())).into_iter().map(|i| i.0).collect();
        assert_eq!(names, ["f", "a", "Cart", "a", "total", "b", "m", "c"]);
    }
}
