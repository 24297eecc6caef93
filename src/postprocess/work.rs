//! What parsing for one answer may cost in all.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Place;
use crate::syntax::SyntaxTree;
use crate::text::{Span, TextEdit};

/// Reports of the parser's progress (see [`SyntaxTree::reparse_within`]) for one answer. Next to a
/// fault the parser may go over the whole rest of the file anew, at about 0.1 ms a report.
const MOST_REPORTS: usize = 1500;
/// A file is gone through plainly with one report for so many bytes …
const BYTES_PARSED: usize = 50;
/// … and that twice must be possible besides, in files of up to some hundred kilobytes.
const MOST_FOR_FILE: usize = 8000;
/// Bytes of a file that take as long to copy, and to look for faults in, as one report.
const BYTES_PER_REPORT: usize = 2000;

/// What is left of it. Counted in steps of the parser, not in time: an answer is judged the same
/// on any machine.
#[derive(Debug)]
pub struct Work(AtomicUsize);

impl Clone for Work {
    fn clone(&self) -> Self {
        Self(AtomicUsize::new(self.left()))
    }
}

impl Work {
    /// What an answer in a file of so many bytes may cost.
    pub fn for_file(bytes: usize) -> Self {
        let through = (2 * bytes / BYTES_PARSED).min(MOST_FOR_FILE);
        Self(AtomicUsize::new(MOST_REPORTS + through))
    }

    /// The file at `place` with `answer` in it and its tree; `None` where the parser does not get
    /// through it with what is left, or never does.
    pub fn insert(&self, answer: &str, place: Place<'_>) -> Option<(String, SyntaxTree)> {
        let (before, behind) = place.text.split_at_checked(place.offset)?;
        self.spend(place.text.len() / BYTES_PER_REPORT);
        let left = self.left();
        if left == 0 {
            return None;
        }
        let new = [before, answer, behind].concat();
        let edit = TextEdit { span: Span::empty(place.offset), text: answer.to_owned() };
        let (tree, spent) = place.tree?.reparse_within(place.text, &[edit], &new, left);
        self.spend(spent);
        tree.complete().then_some((new, tree))
    }

    fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn spend(&self, reports: usize) {
        self.0.store(self.left().saturating_sub(reports), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Language;

    #[test]
    fn what_is_spent_is_not_spent_again() {
        let text = "fn f() { a(); }\n".repeat(2000);
        let tree = SyntaxTree::parse(Language::named("rust").unwrap(), &text);
        let place = Place { text: &text, tree: Some(&tree), offset: 0 };
        let work = Work::for_file(text.len());
        let (new, tree) = work.insert("fn g() {}\n", place).unwrap();
        assert!(new.starts_with("fn g() {}\nfn f") && tree.complete());
        let most = work.left();
        let rounds = (0..most).take_while(|_| work.insert("fn g() {}\n", place).is_some());
        assert!((10..most).contains(&rounds.count()));
        assert!(work.clone().insert("", place).is_none());
    }

    #[test]
    fn a_line_begun_at_the_end_of_a_long_file_can_be_judged() {
        let text = "name = 'value'  # a\n".repeat(10_000) + "x = ";
        let tree = SyntaxTree::parse(Language::named("python").unwrap(), &text);
        let place = Place { text: &text, tree: Some(&tree), offset: text.len() };
        let work = Work::for_file(text.len());
        assert!(work.insert("1", place).is_some() && work.insert("1", place).is_some());
    }

    #[test]
    fn a_fault_that_needs_more_than_there_is_gives_no_tree() {
        let text = "fn f() { a(); }\n".repeat(400_000 / 16);
        let tree = SyntaxTree::parse(Language::named("rust").unwrap(), &text);
        let place = Place { text: &text, tree: Some(&tree), offset: 0 };
        let work = Work(AtomicUsize::new(500));
        assert!(work.insert("fn x( {{ \n", place).is_none());
    }
}
