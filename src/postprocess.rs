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
pub mod work;

use crate::syntax::SyntaxTree;
use crate::text::word::is_word;

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

impl Place<'_> {
    /// Whether the cursor stands inside a word, of which an answer would make two; `None` where it
    /// is no position of the text.
    pub fn splits_word(self) -> Option<bool> {
        let (before, after) = self.text.split_at_checked(self.offset)?;
        Some(before.ends_with(is_word) && after.starts_with(is_word))
    }
}

/// What a pass did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The pass.
    pub pass: &'static str,
    /// Bytes before and after.
    pub bytes: (usize, usize),
}
