//! Raw generation → completion, code or prose: lists of named, pure passes.

pub mod characters;
pub mod completion;
pub mod gate;
pub mod indent;
pub mod lexis;
pub mod likeness;
pub mod names;
pub mod overlap;
pub mod passes;
pub mod prose;
pub mod repetition;
pub mod reply;
pub mod statement;
pub mod stop;
pub mod surroundings;
pub mod whitespace;

use crate::syntax::SyntaxTree;

/// The place an answer goes to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The text of the file.
    pub text: &'a str,
    /// Its tree.
    pub tree: Option<&'a SyntaxTree>,
    /// The cursor.
    pub offset: usize,
}

/// What a pass did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The pass.
    pub pass: &'static str,
    /// Bytes before and after.
    pub bytes: (usize, usize),
}
