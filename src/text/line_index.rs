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

impl Encoding {
    /// Code units of `text`.
    pub fn len(self, text: &str) -> usize {
        match self {
            Self::Utf8 => text.len(),
            Self::Utf16 => text.chars().map(char::len_utf16).sum(),
            Self::Utf32 => text.chars().count(),
        }
    }

    fn len_of(self, c: char) -> usize {
        match self {
            Self::Utf8 => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
            Self::Utf32 => 1,
        }
    }
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
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'\r' if bytes.get(at + 1) == Some(&b'\n') => {}
                b'\n' | b'\r' => starts.push(at + 1),
                _ => {}
            }
        }
        Self { starts }
    }

    /// Number of lines; an empty text has one.
    pub fn line_count(&self) -> usize {
        self.starts.len()
    }

    /// The bytes of `line` without its terminator, or `None` past the last line.
    pub fn line_span(&self, text: &str, line: usize) -> Option<Span> {
        let start = *self.starts.get(line)?;
        let end = self.starts.get(line + 1).copied().unwrap_or(text.len());
        let content = text.get(start..end)?;
        let content = match content.strip_suffix('\n') {
            Some(content) => content.strip_suffix('\r').unwrap_or(content),
            None => content.strip_suffix('\r').unwrap_or(content),
        };
        Some(Span::new(start, start + content.len()))
    }

    /// The zero-based line that holds `offset` (clamped to the text).
    pub fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The position of `offset`, moved back to a character boundary and clamped to the text. An
    /// offset between `\r` and `\n` has no position of its own; it means the line's end.
    pub fn position(&self, text: &str, offset: usize, encoding: Encoding) -> Position {
        let offset = text.floor_char_boundary(offset);
        let line = self.line_of(offset);
        let span = self.line_span(text, line).unwrap_or(Span::empty(offset));
        let before = text.get(span.start..offset.min(span.end)).unwrap_or_default();
        Position { line: line as u32, column: encoding.len(before) as u32 }
    }

    /// The offset of `position`; a column past the line's end means the line's end (before its
    /// terminator), a line past the text means the end of the text, and a column inside a
    /// character means its start.
    pub fn offset(&self, text: &str, position: Position, encoding: Encoding) -> usize {
        let Some(span) = self.line_span(text, position.line as usize) else { return text.len() };
        let line = span.of(text).unwrap_or_default();
        let mut left = position.column as usize;
        for (at, c) in line.char_indices() {
            let units = encoding.len_of(c);
            if left < units {
                return span.start + at;
            }
            left -= units;
        }
        span.end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENCODINGS: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

    fn position(line: u32, column: u32) -> Position {
        Position { line, column }
    }

    #[test]
    fn every_terminator_ends_a_line_and_is_not_part_of_it() {
        let text = "a\nb\r\nc\rd\r\r\n";
        let index = LineIndex::new(text);
        let lines: Vec<_> =
            (0..index.line_count()).map(|l| index.line_span(text, l).unwrap().of(text)).collect();
        assert_eq!(lines, ["a", "b", "c", "d", "", ""].map(Some));
        assert_eq!(index.line_span(text, 6), None);
    }

    #[test]
    fn an_empty_text_has_one_empty_line() {
        let index = LineIndex::new("");
        assert_eq!(index.line_count(), 1);
        assert_eq!(index.line_span("", 0), Some(Span::empty(0)));
        assert_eq!(index.offset("", position(7, 7), Encoding::Utf16), 0);
    }

    #[test]
    fn columns_count_what_the_encoding_counts() {
        let text = "\u{feff}é😀x";
        let index = LineIndex::new(text);
        let end = text.len();
        assert_eq!(index.position(text, end, Encoding::Utf8), position(0, 10));
        assert_eq!(index.position(text, end, Encoding::Utf16), position(0, 5));
        assert_eq!(index.position(text, end, Encoding::Utf32), position(0, 4));
    }

    #[test]
    fn columns_inside_a_character_or_past_the_end_are_clamped() {
        let text = "😀\r\nb";
        let index = LineIndex::new(text);
        assert_eq!(index.offset(text, position(0, 1), Encoding::Utf16), 0);
        assert_eq!(index.offset(text, position(0, 99), Encoding::Utf16), 4);
        assert_eq!(index.offset(text, position(9, 0), Encoding::Utf16), text.len());
        assert_eq!(index.position(text, 2, Encoding::Utf8), position(0, 0));
        assert_eq!(index.position(text, 5, Encoding::Utf8), position(0, 4));
        assert_eq!(index.position(text, 999, Encoding::Utf8), position(1, 1));
    }

    proptest! {
        #[test]
        fn offset_to_position_and_back_is_identity(text in "[a-c\r\n\té😀\u{feff}\u{301}]{0,40}") {
            let index = LineIndex::new(&text);
            for offset in (0..=text.len()).filter(|o| text.is_char_boundary(*o)) {
                let halves = text[..offset].ends_with('\r') && text[offset..].starts_with('\n');
                let expected = if halves { offset - 1 } else { offset };
                for encoding in ENCODINGS {
                    let position = index.position(&text, offset, encoding);
                    prop_assert_eq!(index.offset(&text, position, encoding), expected);
                }
            }
        }

        #[test]
        fn any_position_has_an_offset_on_a_character_of_its_line(
            text in "[a-c\r\né😀]{0,20}", line in 0..30_u32, column in 0..30_u32,
        ) {
            let index = LineIndex::new(&text);
            for encoding in ENCODINGS {
                let offset = index.offset(&text, position(line, column), encoding);
                prop_assert!(text.is_char_boundary(offset));
                if (line as usize) < index.line_count() {
                    prop_assert_eq!(index.line_of(offset), line as usize);
                } else {
                    prop_assert_eq!(offset, text.len());
                }
            }
        }
    }
}
