//! What stands around an offset: nodes, items, indentation.

use super::{SyntaxTree, outline::Item};
use crate::text::Span;

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
    let _ = (tree, text, offset);
    unimplemented!()
}

/// The spans of the named nodes that hold `offset`, innermost first, the root last.
pub fn ancestors(tree: &SyntaxTree, offset: usize) -> Vec<Span> {
    let _ = (tree, offset);
    unimplemented!()
}

/// The statements of `text` inside `span`: spans of the nodes that `grammars/<lang>/scopes.scm`
/// captures as `@statement`, in document order, outer before inner.
pub fn statements(tree: &SyntaxTree, text: &str, span: Span) -> Vec<Span> {
    let _ = (tree, text, span);
    unimplemented!()
}

/// The identifiers of `text` inside `span`, with repetitions, in document order.
pub fn identifiers<'t>(tree: &SyntaxTree, text: &'t str, span: Span) -> Vec<(&'t str, Span)> {
    let _ = (tree, text, span);
    unimplemented!()
}
