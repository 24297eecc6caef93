//! What the identifiers of a piece of code are there for: to define, to call, to use.

use tree_sitter::Node;

use super::SyntaxTree;
use super::identifiers::is_identifier;
use super::query::span;
use crate::text::Span;

/// How far up it is looked for what an identifier belongs to.
const MOST_LEVELS: usize = 8;

/// What an identifier is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It gives a name to something: a variable, a parameter, a function, an import.
    Defined,
    /// It is what is called.
    Called,
    /// It is a member of something else, or a named argument.
    Member,
    /// It is a member that is called.
    CalledMember,
    /// Anything else.
    Used,
}

/// The identifiers of `tree` that touch `within`, with what each is there for, in document order.
pub fn names(tree: &SyntaxTree, within: Span) -> Vec<(Span, Role)> {
    let mut out = Vec::new();
    let mut cursor = tree.root().walk();
    // Asking a node for its parent goes down from the root, over all that stands before it.
    let mut around = Vec::new();
    loop {
        let node = cursor.node();
        let touches = node.start_byte() <= within.end && within.start <= node.end_byte();
        if touches && node.child_count() == 0 && is_identifier(tree, node) {
            out.push((span(node), role(node, &around)));
        }
        if touches && cursor.goto_first_child_for_byte(within.start).is_some() {
            around.push(node);
            continue;
        }
        // What comes behind `within` needs no look, nor do the siblings of what does.
        while cursor.node().start_byte() > within.end || !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return out;
            }
            around.pop();
        }
    }
}

/// What the `leaf` in the nodes `around` it, the root first, is there for.
fn role(leaf: Node<'_>, around: &[Node<'_>]) -> Role {
    let Some((parent, beyond)) = around.split_last() else { return Role::Used };
    let member = is_member(leaf, *parent);
    // `b` of `a.b` is called where `a.b` is.
    let member_called = || beyond.last().is_some_and(|beyond| is_callee(*parent, *beyond));
    let called = is_callee(leaf, *parent) || (member && member_called());
    match (member, called) {
        (true, true) => Role::CalledMember,
        (true, false) => Role::Member,
        (false, true) => Role::Called,
        (false, false) if defines(leaf, around) => Role::Defined,
        (false, false) => Role::Used,
    }
}

fn has(parent: Node<'_>, field: &str, node: Node<'_>) -> bool {
    parent.child_by_field_name(field) == Some(node)
}

fn is_member(leaf: Node<'_>, parent: Node<'_>) -> bool {
    let kind = parent.kind();
    matches!(leaf.kind(), "field_identifier" | "property_identifier")
        || (kind == "keyword_argument" && has(parent, "name", leaf))
        || ["attribute", "field", "property"].iter().any(|field| has(parent, field, leaf))
        || (has(parent, "name", leaf)
            && (parent.child_by_field_name("object").is_some()
                || kind.starts_with("scoped")
                || kind.starts_with("qualified")))
}

fn is_callee(node: Node<'_>, parent: Node<'_>) -> bool {
    has(parent, "function", node)
        || has(parent, "macro", node)
        || (parent.kind() == "method_invocation" && has(parent, "name", node))
}

/// Whether an identifier gives a name: it lies, through patterns and lists alone, in a place where
/// names are given, or in an import.
fn defines(leaf: Node<'_>, around: &[Node<'_>]) -> bool {
    const PLACES: [&str; 8] =
        ["pattern", "left", "alias", "parameter", "parameters", "declarator", "name", "target"];
    const THROUGH: [&str; 6] =
        ["pattern", "parameter", "declarator", "tuple", "expression_list", "identifier_list"];
    let mut node = leaf;
    for parent in around.iter().rev().take(MOST_LEVELS).copied() {
        if PLACES.iter().any(|place| has(parent, place, node)) || left_of_list(parent, node) {
            return true;
        }
        // The value of a pattern is a pattern.
        let is_value = has(parent, "value", node) && !parent.kind().contains("pattern");
        if has(parent, "type", node) || is_value {
            break;
        }
        if !THROUGH.iter().any(|kind| parent.kind().contains(kind)) {
            break;
        }
        node = parent;
    }
    let mut node = leaf;
    for _ in 0..MOST_LEVELS {
        let Some(parent) = node.parent() else { return false };
        if ["import", "use_", "include"].iter().any(|kind| parent.kind().starts_with(kind)) {
            return true;
        }
        node = parent;
    }
    false
}

/// Whether `node` is one of several children in the field of names of `parent`: `var a, b int`.
fn left_of_list(parent: Node<'_>, node: Node<'_>) -> bool {
    let mut cursor = parent.walk();
    parent.children_by_field_name("name", &mut cursor).any(|child| child == node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Language;

    /// `text`'s identifiers, each behind a mark for its role.
    fn check(language: &str, text: &str, expected: &str) {
        let Some(known) = Language::named(language) else { return };
        let tree = SyntaxTree::parse(known, text);
        let found = names(&tree, Span::new(0, text.len()));
        let found: Vec<String> = found
            .into_iter()
            .map(|(span, role)| {
                let mark = match role {
                    Role::Defined => "=",
                    Role::Called => "!",
                    Role::Member => ".",
                    Role::CalledMember => ".!",
                    Role::Used => "",
                };
                format!("{mark}{}", span.of(text).unwrap())
            })
            .collect();
        assert_eq!(found.join(" "), expected, "{text}");
    }

    #[test]
    fn roles_are_told_in_every_language() {
        let rust = "fn f(a: B) { let (c, d) = g(a); c.e(d.h); i!(j); K::l(); for m in n {} }";
        check("rust", rust, "=f =a B =c =d !g a c .!e d .h !i j K .!l =m n");
        let python = "from a import b\ndef f(c: D = e):\n    g, h = i(c, j=k)\n    g.l = h.m()\n    for n in o: pass\n";
        check("python", python, "=a =b =f =c D e =g =h !i c .j k g .l h .!m =n o");
        check("typescript", "const {a, b: c} = d(e.f, (g) => g.h());", "=a .b =c !d e .f =g g .!h");
        check(
            "go",
            "package p\nfunc f(a B) { c, d := g(a); e.h(c, d); var i, j K }",
            "p =f =a B =c =d !g a e .!h c d =i =j K",
        );
        check(
            "java",
            "class A { void f(B a) { C c = g(a); c.d(e.h); } }",
            "=A =f B =a C =c !g a c .!d e .h",
        );
        check("c", "int f(A *a) { B b = g(a); return b->c; }", "=f A =a B =b !g a b .c");
    }

    #[test]
    fn only_those_that_touch_the_span_are_told() {
        let text = "fn f() { a(b); c(d); e(g); }";
        let tree = SyntaxTree::parse(Language::named("rust").unwrap(), text);
        let at = text.find("c(d)").unwrap();
        let found = names(&tree, Span::new(at, at + 4));
        let found: Vec<_> = found.into_iter().map(|(span, _)| span.of(text).unwrap()).collect();
        assert_eq!(found, ["c", "d"]);
    }
}
