//! Which items are no part of a function: local functions and classes go with the function.

use crate::syntax::outline::{Item, ItemKind};
use crate::text::Span;

/// Tells items outside of functions from those inside, in one pass, since files of many thousand
/// items exist.
#[derive(Debug, Default)]
pub(super) struct Outside {
    function_end: usize,
}

impl Outside {
    /// Whether an item is outside of all functions. Takes the items of a file one by one in document
    /// order, outer before inner.
    pub(super) fn holds(&mut self, kind: ItemKind, span: Span) -> bool {
        let outside = span.end > self.function_end;
        if outside && kind.is_function() {
            self.function_end = span.end;
        }
        outside
    }
}

/// The items outside of functions, of those of a file.
pub(super) fn outside_functions(items: &[Item]) -> impl Iterator<Item = &Item> {
    let mut outside = Outside::default();
    items.iter().filter(move |item| outside.holds(item.kind, item.span))
}
