//! Offsets ⇄ lines and columns in UTF-8, UTF-16 and UTF-32: the only place that counts code units.

use super::Span;

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units.
    Utf16,
    /// Unicode scalar values.
    Utf32,
}

/// A zero-based line and column; what the column counts is said beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Zero-based line.
    pub line: u32,
    /// Zero-based column in code units of some [`Encoding`].
    pub column: u32,
}

/// Where the lines of one text start. `\n`, `\r\n` and a lone `\r` end a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Indexes `text`.
    pub fn new(text: &str) -> Self {
        let _ = text;
        unimplemented!()
    }

    /// Number of lines; an empty text has one.
    pub fn line_count(&self) -> usize {
        self.starts.len()
    }

    /// The bytes of `line` without its terminator, or `None` past the last line.
    pub fn line_span(&self, text: &str, line: usize) -> Option<Span> {
        let _ = (text, line);
        unimplemented!()
    }

    /// The zero-based line that holds `offset` (clamped to the text).
    pub fn line_of(&self, offset: usize) -> usize {
        let _ = offset;
        unimplemented!()
    }

    /// The position of `offset`, moved back to a character boundary and clamped to the text.
    pub fn position(&self, text: &str, offset: usize, encoding: Encoding) -> Position {
        let _ = (text, offset, encoding);
        unimplemented!()
    }

    /// The offset of `position`; a column past the line's end means the line's end (before its
    /// terminator), a line past the text means the end of the text, and a column inside a
    /// character means its start.
    pub fn offset(&self, text: &str, position: Position, encoding: Encoding) -> usize {
        let _ = (text, position, encoding);
        unimplemented!()
    }
}
