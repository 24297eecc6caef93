//! What an edit took over of a suggestion: found from the text alone, since few editors say it.

use crate::text::TextEdit;

/// What an edit took over of a suggestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// So many bytes, as one key types them.
    Typed(usize),
    /// So many bytes in one go: a word, a line.
    Part(usize),
    /// All of it in one go.
    Whole,
}

/// What `edit` took over of `shown`, a suggestion for the place `at` of the text before it; `after`
/// is the text after it. `None` if the edit did anything else than to put the beginning of `shown`
/// there.
///
/// Editors send the same change in several ways: as an insertion further on, where what is
/// inserted repeats what stands there (a line break before the next one), or as a replacement that
/// covers the word before the cursor. What counts is the text that comes of it.
///
/// A suggestion of a single character cannot be told from a typed one, nor what an input method
/// types at once from a part.
pub fn accepted(shown: &str, at: usize, edit: &TextEdit, after: &str) -> Option<Taken> {
    let len = edit.text.len().checked_sub(edit.span.len()).filter(|len| *len > 0)?;
    let taken = shown.get(..len)?;
    let there = after.get(at..at.checked_add(len)?)? == taken;
    if !there || !is_insertion_at(at, len, edit, after) {
        return None;
    }
    Some(match is_of_one_key(taken) {
        true => Taken::Typed(len),
        false if len == shown.len() => Taken::Whole,
        false => Taken::Part(len),
    })
}

/// Whether `edit` is the same as to insert the `len` bytes that stand at `at` afterwards.
fn is_insertion_at(at: usize, len: usize, edit: &TextEdit, after: &str) -> bool {
    if !edit.span.is_empty() {
        // What it replaces is not known any more: taken to be what stands there again.
        return edit.span.touches(at);
    }
    let (low, high) = (at.min(edit.span.start), at.max(edit.span.start));
    // What lies between the two places would be pushed to the other side of the insertion.
    let between = |start: usize| after.as_bytes().get(low + start..high + start);
    between(0).is_some_and(|text| between(len) == Some(text))
}

/// Whether a key types `text`: a character, a line break with indentation, a tab as spaces, a pair
/// of brackets or quotes.
fn is_of_one_key(text: &str) -> bool {
    const PAIRS: [&str; 7] = ["()", "[]", "{}", "<>", "\"\"", "''", "``"];
    text.chars().nth(1).is_none() || text.chars().all(char::is_whitespace) || PAIRS.contains(&text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::{Span, diff};

    /// What an edit of `before` by `start..end` → `text` took over of `shown` at byte `at`.
    fn taken(shown: &str, at: usize, before: &str, change: (usize, usize, &str)) -> Option<Taken> {
        let (start, end, text) = change;
        let mut after = before.to_owned();
        after.replace_range(start..end, text);
        let edit = TextEdit { span: Span::new(start, end), text: text.to_owned() };
        accepted(shown, at, &edit, &after)
    }

    #[test]
    fn a_word_a_line_and_all_of_it_are_told_from_keys() {
        let of = |text| taken("total(x)\n    y", 4, "x = \n", (4, 4, text));
        assert_eq!(of("t"), Some(Taken::Typed(1)));
        assert_eq!(of("total"), Some(Taken::Part(5)));
        assert_eq!(of("total(x)"), Some(Taken::Part(8)));
        assert_eq!(of("total(x)\n    y"), Some(Taken::Whole));
        for other in ["z", "sum", "total(y", "total(x)\n    yz", ""] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn what_one_key_types_at_once_is_no_acceptance() {
        for text in ["(", "é", "()", "\"\"", "\n    ", "    ", "\r\n\t"] {
            let shown = format!("{text}rest");
            let typed = taken(&shown, 1, "f", (1, 1, text));
            assert_eq!(typed, Some(Taken::Typed(text.len())), "{text:?}");
        }
        assert_eq!(taken(";", 1, "f", (1, 1, ";")), Some(Taken::Typed(1)));
    }

    #[test]
    fn an_edit_elsewhere_is_none_of_it() {
        assert_eq!(taken("ab", 4, "x = \n", (5, 5, "ab")), None);
        assert_eq!(taken("ab", 4, "x = ab\n", (7, 7, "ab")), None, "it stood there before");
        assert_eq!(taken("ab", 4, "x = \n", (0, 0, "ab")), None);
        assert_eq!(taken("ab", 4, "x = \n", (3, 4, "")), None);
        assert_eq!(taken("ab", 99, "x", (1, 1, "ab")), None);
    }

    #[test]
    fn a_popup_that_replaces_the_word_before_the_cursor_accepts_too() {
        assert_eq!(taken("tal()", 2, "to", (0, 2, "total()")), Some(Taken::Whole));
        assert_eq!(taken("tal()", 2, "to", (0, 2, "total")), Some(Taken::Part(3)));
        assert_eq!(taken("tal()", 2, "to", (0, 2, "toto()x")), None);
    }

    #[test]
    fn a_new_line_sent_as_one_before_the_next_line_is_the_same() {
        let (before, shown) = ("if x:\ny\n", "\n    z()");
        assert_eq!(taken(shown, 5, before, (6, 6, "    z()\n")), Some(Taken::Whole));
        assert_eq!(taken(shown, 5, before, (6, 6, "   zz()\n")), None);
    }

    proptest! {
        #[test]
        fn acceptance_is_found_in_any_text_however_the_change_is_cut(
            head in "[ab\n ]{0,6}", shown in "[ab\n ]{2,8}", tail in "[ab\n ]{0,6}",
        ) {
            let (before, after) = (format!("{head}{tail}"), format!("{head}{shown}{tail}"));
            let edit = diff::replacement(&before, &after).unwrap();
            let expected = if is_of_one_key(&shown) { Taken::Typed(shown.len()) } else { Taken::Whole };
            prop_assert_eq!(accepted(&shown, head.len(), &edit, &after), Some(expected));
        }

        #[test]
        fn nothing_makes_it_panic(
            shown in ".{0,6}", at in 0_usize..12, start in 0_usize..12, len in 0_usize..4,
            text in ".{0,6}", after in ".{0,8}",
        ) {
            let edit = TextEdit { span: Span::new(start, start + len), text };
            _ = accepted(&shown, at, &edit, &after);
        }
    }
}
