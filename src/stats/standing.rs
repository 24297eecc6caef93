//! How much of an accepted text still stands, after edits of the document around and in it.

use std::ops::Range;

use crate::text::{Span, TextEdit};

/// An accepted text, followed through the edits of its document.
#[derive(Debug, Clone)]
pub struct Standing {
    text: String,
    /// What is left of it, in order, none of it empty.
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// Its first byte in the document.
    start: usize,
    /// Which bytes of the accepted text it is.
    of: Range<usize>,
}

impl Standing {
    /// `text`, which stands at byte `start` of the document.
    pub fn new(text: &str, start: usize) -> Self {
        let all = Piece { start, of: 0..text.len() };
        Self { text: text.to_owned(), pieces: if text.is_empty() { Vec::new() } else { vec![all] } }
    }

    /// Follows an edit of the document, relative to the text before it. What an edit writes anew as
    /// it stood counts as standing: formatters replace whole files.
    pub fn edit(&mut self, edit: &TextEdit) {
        let (text, pieces) = (&self.text, &self.pieces);
        self.pieces = pieces.iter().flat_map(|piece| piece.after(edit, text)).collect();
        // Two pieces may each find themselves in the same new bytes: those are the first one's.
        let mut end = 0;
        self.pieces.retain(|piece| {
            let own = piece.start >= end;
            end = end.max(piece.start + piece.of.len());
            own
        });
    }

    /// Characters of the accepted text without white space; with it, if there is nothing else.
    pub fn characters(&self) -> usize {
        self.count(&self.text)
    }

    /// Those of them that stand unchanged.
    pub fn standing(&self) -> usize {
        let texts = self.pieces.iter().filter_map(|piece| self.text.get(piece.of.clone()));
        texts.map(|text| self.count(text)).sum()
    }

    fn count(&self, text: &str) -> usize {
        if self.text.trim().is_empty() {
            return text.chars().count();
        }
        text.chars().filter(|c| !c.is_whitespace()).count()
    }
}

impl Piece {
    /// What `edit` leaves of it; `text` is the accepted text.
    fn after(&self, edit: &TextEdit, text: &str) -> Vec<Self> {
        let here = Span::new(self.start, self.start + self.of.len());
        let (start, end) = (edit.span.start, edit.span.end);
        let moved = |offset: usize| offset.saturating_sub(edit.span.len()) + edit.text.len();
        if end <= here.start {
            return vec![Self { start: moved(self.start), of: self.of.clone() }];
        }
        if start >= here.end {
            return vec![self.clone()];
        }
        let (from, to) = (start.max(here.start), end.min(here.end));
        // Bytes of the accepted text that were replaced.
        let replaced = self.of.start + (from - here.start)..self.of.start + (to - here.start);
        let written = rewritten(text.get(replaced.clone()).unwrap_or_default(), edit, from, to);
        let mut pieces = vec![Self { start: here.start, of: self.of.start..replaced.start }];
        for (place, of) in written {
            let of = replaced.start + of.start..replaced.start + of.end;
            pieces.push(Self { start: start + place, of });
        }
        pieces.push(Self { start: moved(to.max(end)), of: replaced.end..self.of.end });
        pieces.retain(|piece| !piece.of.is_empty());
        pieces
    }
}

/// What `edit` writes anew of `old`, the bytes `from..to` that it replaces: the beginning, as far
/// from the edit's start as before, and the end, as far from its end. Each as its place in the text
/// of the edit and bytes of `old`.
fn rewritten(old: &str, edit: &TextEdit, from: usize, to: usize) -> [(usize, Range<usize>); 2] {
    let new = edit.text.as_bytes();
    let at = from - edit.span.start;
    let after = new.get(at..).unwrap_or_default();
    let same = old.bytes().zip(after).take_while(|(old, new)| old == *new).count();
    let head = old.floor_char_boundary(same);
    // What is left of both for the end.
    let before = new.len().saturating_sub(edit.span.end - to);
    let left = new.get((at + head).min(before)..before).unwrap_or_default();
    let rest = old.bytes().skip(head).rev();
    let same = rest.zip(left.iter().rev()).take_while(|(old, new)| old == *new).count();
    let tail = old.len() - old.ceil_char_boundary(old.len() - same);
    [(at, 0..head), (before - tail, old.len() - tail..old.len())]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text;

    fn edit(start: usize, end: usize, text: &str) -> TextEdit {
        TextEdit { span: Span::new(start, end), text: text.to_owned() }
    }

    /// What stands of `text` at byte 4 after `edits`.
    fn standing(text: &str, edits: &[TextEdit]) -> usize {
        let mut standing = Standing::new(text, 4);
        for edit in edits {
            standing.edit(edit);
        }
        standing.standing()
    }

    #[test]
    fn edits_around_it_leave_it_as_it_is() {
        assert_eq!(standing("abcd", &[]), 4);
        assert_eq!(standing("abcd", &[edit(0, 0, "xyz"), edit(0, 2, ""), edit(9, 9, "x")]), 4);
        assert_eq!(standing("abcd", &[edit(4, 4, "x"), edit(9, 9, "x"), edit(3, 4, "")]), 4);
    }

    #[test]
    fn what_is_deleted_or_overwritten_is_gone_and_stays_so() {
        assert_eq!(standing("abcd", &[edit(5, 7, "")]), 2);
        assert_eq!(standing("abcd", &[edit(0, 6, ""), edit(0, 9, "")]), 0);
        assert_eq!(standing("abcd", &[edit(5, 6, "x")]), 3);
        assert_eq!(standing("abcd", &[edit(4, 8, ""), edit(4, 4, "abcd")]), 0, "typed anew");
    }

    #[test]
    fn an_insertion_in_it_leaves_both_sides() {
        assert_eq!(standing("abcd", &[edit(6, 6, "xx"), edit(7, 8, ""), edit(7, 8, "")]), 3);
    }

    #[test]
    fn a_file_written_anew_keeps_what_is_the_same_in_it() {
        // "1234abcd5678" becomes the second text as a whole.
        let anew = |text: &str| standing("abcd", &[edit(0, 12, text)]);
        assert_eq!(anew("1234abcd5678"), 4);
        assert_eq!(anew("1234abcd"), 4);
        assert_eq!(anew("9999 1234abcd5678"), 4);
        assert_eq!(anew("1234ab!cd5678"), 4);
        assert_eq!(anew("1234abd5678"), 3);
        assert_eq!(anew(""), 0);
    }

    #[test]
    fn what_is_written_anew_once_is_not_taken_for_two() {
        let edits = [edit(5, 5, "-"), edit(4, 7, "baa")];
        assert_eq!(standing("aa", &edits), 1);
    }

    #[test]
    fn white_space_counts_only_where_there_is_nothing_else() {
        assert_eq!(Standing::new("a\n    b", 0).characters(), 2);
        assert_eq!(standing("a\n    b", &[edit(6, 8, "")]), 2);
        assert_eq!(
            (Standing::new("\n  ", 0).characters(), Standing::new("", 0).characters()),
            (3, 0)
        );
    }

    proptest! {
        #[test]
        fn what_is_said_to_stand_does_stand_there_in_this_order(
            before in "[aé ]{0,4}", accepted in "[abé\n]{0,8}", after in "[aé ]{0,4}",
            edits in prop::collection::vec((0_usize..20, 0_usize..6, "[abé\n]{0,5}"), 0..6),
        ) {
            let mut document = format!("{before}{accepted}{after}");
            let mut followed = Standing::new(&accepted, before.len());
            for (start, len, new) in edits {
                let start = document.floor_char_boundary(start);
                let end = document.floor_char_boundary(start + len);
                let edit = edit(start, end.max(start), &new);
                document = text::apply(&document, std::slice::from_ref(&edit)).unwrap();
                followed.edit(&edit);
                let mut last = (0, 0);
                for Piece { start, of } in &followed.pieces {
                    prop_assert!(*start >= last.0 && of.start >= last.1 && !of.is_empty());
                    let there = document.get(*start..start + of.len());
                    prop_assert_eq!(there, accepted.get(of.clone()));
                    last = (start + of.len(), of.end);
                }
                prop_assert!(followed.standing() <= followed.characters());
            }
        }
    }
}
