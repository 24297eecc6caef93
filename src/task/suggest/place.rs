//! A place in a document, told apart from others by the text around it.

use crate::prompt::anchor::is_closed_by_an_editor;

/// So much of the text before a place tells it, in bytes.
const BEFORE: usize = 2048;
/// So much of the text after it.
const AFTER: usize = 512;

/// A cursor in a document.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    /// The document, by any name that is its own.
    pub document: &'a str,
    /// Its text.
    pub text: &'a str,
    /// The cursor's offset.
    pub offset: usize,
}

impl<'a> Cursor<'a> {
    fn around(self) -> Option<(&'a str, &'a str)> {
        self.text.split_at_checked(self.offset)
    }
}

/// What is remembered of a place: the text near it. What changes further away, such as an import
/// that is added, leaves it the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    document: Box<str>,
    before: Box<str>,
    /// Whether `before` begins where the document does.
    from_start: bool,
    after: Box<str>,
    /// Whether `after` ends where the document does.
    to_end: bool,
}

impl Spot {
    /// The place of a cursor; `None` where the cursor is no position of the text.
    pub fn of(cursor: Cursor<'_>) -> Option<Self> {
        let (before, after) = cursor.around()?;
        let start = before.ceil_char_boundary(before.len().saturating_sub(BEFORE));
        let end = after.floor_char_boundary(AFTER);
        Some(Self {
            document: cursor.document.into(),
            before: before.get(start..)?.into(),
            from_start: start == 0,
            after: after.get(..end)?.into(),
            to_end: end == after.len(),
        })
    }

    /// Whether `cursor` is where somebody gets to from here by typing `typed`, and nothing else. What
    /// an editor closes by itself may stand behind the cursor.
    pub fn leads_to(&self, cursor: Cursor<'_>, typed: &str) -> bool {
        if *self.document != *cursor.document {
            return false;
        }
        let Some((before, after)) = cursor.around() else { return false };
        let Some(before) = before.strip_suffix(typed) else { return false };
        let same_before =
            if self.from_start { *before == *self.before } else { before.ends_with(&*self.before) };
        same_before && self.is_before(after, !typed.is_empty())
    }

    fn is_before(&self, after: &str, closes: bool) -> bool {
        let is_after = |rest: &str| {
            if self.to_end { *rest == *self.after } else { rest.starts_with(&*self.after) }
        };
        let ends = after.char_indices().map(|(at, _)| at).chain([after.len()]);
        let mut closed = ends.take_while(|at| {
            *at == 0 || closes && is_closed_by_an_editor(after.get(..*at).unwrap_or_default())
        });
        closed.any(|at| after.get(at..).is_some_and(is_after))
    }

    /// What was typed from here to `cursor`, at most `most` bytes of it.
    pub fn typed<'a>(&self, cursor: Cursor<'a>, most: usize) -> Option<&'a str> {
        let (before, _) = cursor.around()?;
        let start = before.floor_char_boundary(before.len().saturating_sub(most));
        let recent = before.get(start..)?;
        let starts = recent.char_indices().map(|(at, _)| at).chain([recent.len()]).rev();
        let mut typed = starts.filter_map(|at| recent.get(at..));
        typed.find(|typed| self.leads_to(cursor, typed))
    }
}

/// What stands in `new` at `offset` of `old`, if that is all in which they differ: what was typed
/// there, with what the editor closed by itself.
pub fn inserted<'a>(old: &str, offset: usize, new: &'a str) -> Option<&'a str> {
    let (before, after) = old.split_at_checked(offset)?;
    new.strip_prefix(before)?.strip_suffix(after)
}

/// Whether an answer that begins with `said` may still be what somebody types who typed `typed` so
/// far. How both are indented is no difference.
pub fn agrees(said: &str, typed: &str) -> bool {
    let same = |typed: &str| {
        let (said, typed) = (said.trim_start(), typed.trim_start());
        said.starts_with(typed) || typed.starts_with(said)
    };
    let opened = typed.char_indices().rev().map(|(at, _)| typed.split_at(at));
    let opened = opened.take_while(|(_, closed)| is_closed_by_an_editor(closed));
    same(typed) || opened.into_iter().any(|(typed, _)| same(typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_the_making_goes_on_as_long_as_it_may_be_what_is_typed() {
        assert!(agrees("", "x") && agrees("total", "to") && agrees("to", "total + 1"));
        assert!(agrees("(a, b)", "()") && agrees("    x", "x") && agrees("x", ""));
        assert!(!agrees("total", "x") && !agrees("total", "tox") && !agrees("a", "()"));
        assert_eq!(inserted("ab", 1, "axb"), Some("x"));
        assert_eq!(inserted("ab", 1, "ab"), Some(""));
        assert_eq!(inserted("ab", 1, "b"), None);
        assert_eq!(inserted("aa", 2, "a"), None, "what was there is not counted twice");
        assert_eq!(inserted("ab", 9, "axb"), None);
    }

    /// A text with `ˇ` at the cursor.
    fn at(marked: &str) -> (String, usize) {
        (marked.replacen('ˇ', "", 1), marked.find('ˇ').unwrap())
    }

    fn typed(from: &str, to: &str) -> Option<String> {
        let ((from, start), (to, end)) = (at(from), at(to));
        let spot = Spot::of(Cursor { document: "a", text: &from, offset: start }).unwrap();
        let now = Cursor { document: "a", text: &to, offset: end };
        assert!(spot.typed(Cursor { document: "b", ..now }, 100).is_none());
        spot.typed(now, 100).map(str::to_owned)
    }

    #[test]
    fn what_was_typed_is_what_stands_between_there_and_here() {
        assert_eq!(typed("x = ˇ\ny", "x = ˇ\ny").as_deref(), Some(""));
        assert_eq!(typed("x = ˇ\ny", "x = äbˇ\ny").as_deref(), Some("äb"));
        assert_eq!(typed("ˇ", "aˇ").as_deref(), Some("a"));
    }

    #[test]
    fn what_the_editor_closed_is_not_typed() {
        assert_eq!(typed("fˇ\ny", "f(aˇ)\ny").as_deref(), Some("(a"));
        assert_eq!(typed("if aˇ\ny", "if a {\n    ˇ\n}\ny").as_deref(), Some(" {\n    "));
        // It was there before, and now it is not.
        assert_eq!(typed("f(ˇ)\ny", "f(aˇ\ny"), None);
    }

    #[test]
    fn another_place_is_not_led_to() {
        assert_eq!(typed("x = aˇ\ny", "x = ˇ\ny"), None);
        assert_eq!(typed("x = ˇ\ny", "z = aˇ\ny"), None);
        assert_eq!(typed("x = ˇ\ny", "x = aˇ\nz"), None);
        assert_eq!(typed("x = ˇ", "z\nx = ˇ"), None, "the whole file was looked at");
        let long = "l\n".repeat(BEFORE);
        let (from, to) = (format!("{long}x = ˇ"), format!("import z\n{long}x = aˇ"));
        assert_eq!(typed(&from, &to).as_deref(), Some("a"), "a change far away");
    }

    #[test]
    fn a_cursor_inside_a_character_is_no_place() {
        assert!(Spot::of(Cursor { document: "a", text: "é", offset: 1 }).is_none());
    }
}
