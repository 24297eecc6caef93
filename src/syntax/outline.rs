//! The items of a file (functions, types, constants, modules) from `grammars/<lang>/items.scm`.

use super::SyntaxTree;
use crate::text::Span;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// A free function.
    Function,
    /// A function with an owner.
    Method,
    /// A class or struct.
    Class,
    /// An enumeration or union.
    Enum,
    /// A trait, interface or protocol.
    Interface,
    /// An `impl` block.
    Implementation,
    /// A module or namespace.
    Module,
    /// A constant, static or module variable.
    Constant,
    /// A type alias.
    TypeAlias,
    /// A macro definition.
    Macro,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its kind.
    pub kind: ItemKind,
    /// Its name; for an `impl`, the type's.
    pub name: String,
    /// The name of the class, impl, trait or module around it.
    pub owner: Option<String>,
    /// Everything that belongs to it: doc comment, attributes, decorators, body.
    pub span: Span,
    /// Its name.
    pub name_span: Span,
    /// From the first keyword (after docs and attributes) up to the body, trimmed:
    /// `pub fn total(&self) -> u64`, `def total(self) -> int:`.
    pub signature: Span,
    /// The body with its braces, or the indented block; `None` where there is none.
    pub body: Option<Span>,
    /// The doc comment or docstring as written.
    pub doc: Option<Span>,
    /// Whether other modules can name it.
    pub public: bool,
    /// Whether it is a test.
    pub test: bool,
}

/// The items of `text` in document order, outer before inner.
pub fn items(tree: &SyntaxTree, text: &str) -> Vec<Item> {
    let _ = (tree, text);
    unimplemented!()
}
