//! Everything the index wants to know of a file, from one walk of its tree.

use super::SyntaxTree;
use super::identifiers::is_identifier;
use super::imports::{Import, imports_from};
use super::outline::{Item, items_from};
use super::query::span;
use super::starts::Starts;
use crate::text::Span;

/// What [`survey`] finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// As [`items`](super::outline::items) finds them.
    pub items: Vec<Item>,
    /// As [`imports`](super::imports::imports) finds them.
    pub imports: Vec<Import>,
    /// As [`identifiers`](super::identifiers::identifiers) finds them.
    pub identifiers: Vec<Span>,
}

/// The items, imports and identifiers of `text`, each in document order.
pub fn survey(tree: &SyntaxTree, text: &str) -> Survey {
    survey_from(tree, text, |starts| items_from(tree, text, starts))
}

/// The same, where its `items` are known.
pub fn survey_beside(tree: &SyntaxTree, text: &str, items: Vec<Item>) -> Survey {
    survey_from(tree, text, |_| items)
}

fn survey_from<'t>(
    tree: &'t SyntaxTree,
    text: &str,
    items: impl FnOnce(&Starts<'t>) -> Vec<Item>,
) -> Survey {
    let mut identifiers = Vec::new();
    let starts = Starts::find(tree, |leaf| {
        if is_identifier(tree, leaf) {
            identifiers.push(span(leaf));
        }
    });
    Survey { items: items(&starts), imports: imports_from(tree, text, &starts), identifiers }
}
