//! The language of test fixtures: files and cursor markers in one string.
//!
//! `//- /path` starts a file, `ˇ` is the cursor, `«…»` a selection.

use crate::text::Span;

/// One file of a fixture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path as written after `//- /`; `main` when the fixture names none.
    pub path: String,
    /// Text without markers.
    pub text: String,
    /// Offsets of `ˇ`, in order.
    pub cursors: Vec<usize>,
    /// Spans of `«…»`, in order.
    pub selections: Vec<Span>,
}

/// Parses a fixture.
pub fn parse(fixture: &str) -> Vec<File> {
    let _ = fixture;
    unimplemented!()
}

/// The fixture that `parse` would read as `file`'s text, cursors and selections.
pub fn marked(file: &File) -> String {
    let _ = file;
    unimplemented!()
}
