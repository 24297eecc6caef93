//! Which item a task is about.

use super::TaskError;
use crate::document::Document;
use crate::syntax::outline::Item;

/// How a place is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The innermost item at an offset.
    At(usize),
    /// An item by name: `total`, `Cart::total`, `Cart.total`.
    Named(String),
    /// The whole file.
    File,
}

/// The item that `target` names; `None` for the whole file. Not found: an error that lists what
/// is there.
pub fn resolve(document: &Document, target: &Target) -> Result<Option<Item>, TaskError> {
    let _ = (document, target);
    unimplemented!()
}
