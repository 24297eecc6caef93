//! What a tree says about the inside of an item, from `grammars/<lang>/facts.scm`.

use super::SyntaxTree;
use crate::text::Span;

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sighting {
    /// A parameter; `name` is its name, `detail` its type as written.
    Parameter,
    /// The declared result type; in `detail`.
    ReturnType,
    /// A call; `name` is what is called, as written (`self.items.len`, `foo::bar`).
    Call,
    /// A returned value; in `detail`.
    Return,
    /// An exception raised, a panic, or a `?`.
    Raise,
    /// A branch (`if`, `match`, …); `detail` is its condition.
    Branch,
    /// A loop; `detail` is its header.
    Loop,
    /// An assignment to something that outlives the function (`self.x`, a global, through `*`).
    Mutation,
    /// An `await` or a `yield`.
    Suspension,
    /// An `unsafe` block.
    Unsafe,
}

/// One sighting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What.
    pub kind: Sighting,
    /// The name, or empty.
    pub name: String,
    /// More, as written in the source, one line, or empty.
    pub detail: String,
    /// Where.
    pub span: Span,
}

/// The facts inside `span`, in document order; nested functions' insides are left out.
pub fn facts(tree: &SyntaxTree, text: &str, span: Span) -> Vec<Fact> {
    let _ = (tree, text, span);
    unimplemented!()
}
