//! Error nodes: did this edit break the file?

use tree_sitter::Node;

use super::{SyntaxTree, query::span};
use crate::text::Span;

/// The ERROR and MISSING nodes of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// ERROR nodes, outermost only, in order.
    pub errors: Vec<Span>,
    /// MISSING nodes, in order.
    pub missing: Vec<Span>,
}

impl Health {
    /// Number of faults.
    pub fn faults(&self) -> usize {
        self.errors.len() + self.missing.len()
    }
}

/// What is wrong with `tree`. Of a text that could not be parsed nothing is known: no fault.
pub fn health(tree: &SyntaxTree) -> Health {
    let mut health = Health::default();
    let mut cursor = tree.root().walk();
    loop {
        let node = cursor.node();
        if node.is_error() {
            health.errors.push(span(node));
        } else if node.is_missing() {
            health.missing.push(span(node));
        } else if node.has_error() {
            if let Some(place) = hidden_fault(node) {
                health.missing.push(Span::empty(place));
            } else if cursor.goto_first_child() {
                continue;
            }
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return health;
            }
        }
    }
}

/// Where in a faulty `node` a token is missing that the tree does not show, such as the line break
/// between two statements of Python. Next to a fault that shows it cannot be told.
fn hidden_fault(node: Node<'_>) -> Option<usize> {
    let children: Vec<Node<'_>> = node.children(&mut node.walk()).collect();
    if children.iter().any(Node::has_error) {
        return None;
    }
    let on_one_line = |pair: &&[Node<'_>]| match pair {
        [a, b] => a.is_named() && b.is_named() && a.end_position().row == b.start_position().row,
        _ => false,
    };
    let pair = children.windows(2).find(on_one_line).and_then(<[_]>::first);
    Some(pair.map_or_else(|| node.end_byte(), Node::end_byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Language;

    fn check(language: &str, text: &str) -> Health {
        health(&SyntaxTree::parse(Language::named(language).unwrap(), text))
    }

    #[test]
    fn sound_code_has_no_faults() {
        assert_eq!(check("rust", "fn f() -> u8 { 1 }\n"), Health::default());
        assert_eq!(check("python", "def f():\n    return 1\n"), Health::default());
        assert_eq!(check("rust", ""), Health::default());
    }

    #[test]
    fn a_missing_line_break_is_a_fault_between_the_statements() {
        let text = "x = 1\nfrom a import b\nfrom dataclasses import annotations dataclass\n";
        let health = check("python", text);
        assert_eq!(health.faults(), 1, "{health:?}");
        assert_eq!(health.missing, [Span::empty(text.find(" dataclass\n").unwrap())]);
    }

    #[test]
    fn missing_and_wrong_tokens_are_found_where_they_are() {
        let missing = check("rust", "fn f() { let x = 1 }\n");
        assert_eq!(missing.missing, [Span::empty(18)]);
        let wrong = check("rust", "fn f() { let x = = 1; }\nfn g() { + }\n");
        assert_eq!(wrong.errors.len(), 2, "{wrong:?}");
        assert!(wrong.errors[0].start >= 9 && wrong.errors[1].start >= 24);
        assert!(check("python", "def f(:\n    pass\n").faults() > 0);
    }
}
