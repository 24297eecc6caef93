//! Error nodes: did this edit break the file?

use super::SyntaxTree;
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

/// What is wrong with `tree`.
pub fn health(tree: &SyntaxTree) -> Health {
    let _ = tree;
    unimplemented!()
}
