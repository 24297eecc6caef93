//! The identifiers of a text: the names it uses, without comments, strings and keywords.

use tree_sitter::Node;

use super::SyntaxTree;
use super::query::span;
use crate::text::Span;

/// The kinds of a grammar's leaves that are identifiers, by kind number: the named ones whose
/// kind's name ends in `identifier` (`identifier`, `type_identifier`, `field_identifier` …), which
/// all grammars follow, or in `identifier_pattern` (a name taken out of an object).
pub(super) fn kinds(grammar: &tree_sitter::Language) -> Box<[bool]> {
    let is_identifier = |id: u16| {
        grammar.node_kind_is_named(id)
            && grammar.node_kind_for_id(id).is_some_and(|kind| {
                kind.ends_with("identifier") || kind.ends_with("identifier_pattern")
            })
    };
    (0..grammar.node_kind_count()).map(|id| u16::try_from(id).is_ok_and(is_identifier)).collect()
}

/// Whether a leaf of the tree is an identifier.
pub(super) fn is_identifier(tree: &SyntaxTree, leaf: Node<'_>) -> bool {
    let kinds = &tree.language().spec().identifier_kinds;
    kinds.get(usize::from(leaf.kind_id())).is_some_and(|is_identifier| *is_identifier)
}

/// Calls `each` with the place of every identifier of the tree, in document order.
pub fn identifiers(tree: &SyntaxTree, mut each: impl FnMut(Span)) {
    let mut cursor = tree.root().walk();
    loop {
        if cursor.goto_first_child() {
            continue;
        }
        let leaf = cursor.node();
        if is_identifier(tree, leaf) {
            each(span(leaf));
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Language;

    fn check(language: &str, text: &str) -> String {
        let tree = SyntaxTree::parse(Language::named(language).unwrap(), text);
        let mut found = Vec::new();
        identifiers(&tree, |span| found.push(span.of(text).unwrap()));
        found.join(" ")
    }

    #[test]
    fn names_are_found_and_comments_strings_and_keywords_are_not() {
        let rust = "/// A doc.\nfn total(&self, n: u64) -> Vec<Item> {\n    // a comment\n    \
            let x = \"text\"; self.items.map(|i| shop::price!(i, x))\n}\n";
        assert_eq!(check("rust", rust), "total n Vec Item x items map i shop price i x");
        let python = "from a.b import c\nclass D(E):\n    \"\"\"Doc.\"\"\"\n    x = f'{y} text'\n";
        assert_eq!(check("python", python), "a b c D E x y");
        assert_eq!(check("python", ""), "");
    }
}
