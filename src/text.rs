//! Spans and edits over text, in UTF-8 bytes. Everything inside the program counts this way.

pub mod diff;
pub mod line_index;
pub mod printable;
pub mod word;

/// A half-open byte range `start..end` of some text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The span `start..end`; `end` must not be before `start`.
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end);
        Self { start, end }
    }

    /// The empty span at `offset`.
    pub fn empty(offset: usize) -> Self {
        Self { start: offset, end: offset }
    }

    /// Number of bytes.
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether the span covers no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `offset` lies in the span or at its end (where a cursor still touches it).
    pub fn touches(self, offset: usize) -> bool {
        self.start <= offset && offset <= self.end
    }

    /// Whether the spans have at least a byte in common, or an empty one lies inside the other.
    pub fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether `other` lies wholly inside.
    pub fn covers(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The text of the span, or `None` outside `text` or inside a character.
    pub fn of(self, text: &str) -> Option<&str> {
        text.get(self.start..self.end)
    }
}

/// Replaces `span` of the old text by `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// What is replaced, in bytes of the old text.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// Why a set of edits cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditsError {
    /// An edit lies outside the text or cuts a character in half.
    #[error(
        "edit {edit} covers bytes {start}..{end}, which is not a range of characters of a text of {len} bytes"
    )]
    OutOfRange {
        /// Index of the edit.
        edit: usize,
        /// Its first byte.
        start: usize,
        /// One past its last byte.
        end: usize,
        /// Length of the text.
        len: usize,
    },
    /// Two edits overlap or are not in ascending order.
    #[error("edit {edit} starts before the end of the one before it")]
    Overlap {
        /// Index of the later edit.
        edit: usize,
    },
}

/// Applies ascending, disjoint `edits` to `text`.
pub fn apply(text: &str, edits: &[TextEdit]) -> Result<String, EditsError> {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (edit, TextEdit { span, text: new }) in edits.iter().enumerate() {
        let Span { start, end } = *span;
        if start < done {
            return Err(EditsError::Overlap { edit });
        }
        let out_of_range = EditsError::OutOfRange { edit, start, end, len: text.len() };
        if start > end || span.of(text).is_none() {
            return Err(out_of_range);
        }
        out.push_str(text.get(done..start).ok_or(out_of_range)?);
        out.push_str(new);
        done = end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, end: usize, text: &str) -> TextEdit {
        TextEdit { span: Span { start, end }, text: text.to_owned() }
    }

    #[test]
    fn edits_apply_from_left_to_right() {
        let edits = [edit(0, 1, "x"), edit(1, 1, "y"), edit(3, 3, "z")];
        assert_eq!(apply("abc", &edits).as_deref(), Ok("xybcz"));
    }

    #[test]
    fn edits_that_overlap_or_cut_a_character_are_refused() {
        assert_eq!(
            apply("abc", &[edit(0, 2, ""), edit(1, 3, "")]),
            Err(EditsError::Overlap { edit: 1 })
        );
        for (start, end) in [(1, 2), (0, 9), (2, 1)] {
            assert!(matches!(
                apply("é", &[edit(start, end, "")]),
                Err(EditsError::OutOfRange { edit: 0, .. })
            ));
        }
    }
}
