//! What was suggested lately, to be offered again where it still fits what was typed.

use std::collections::VecDeque;

use super::place::{Cursor, Spot};
use crate::task::complete::Candidate;

/// So many places are remembered.
const MOST: usize = 64;

/// What was suggested lately.
#[derive(Debug, Default)]
pub struct Answers {
    /// Latest last.
    known: VecDeque<Answer>,
}

#[derive(Debug)]
struct Answer {
    spot: Spot,
    candidates: Vec<Candidate>,
    by_hand: bool,
}

/// What is known for a cursor.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    /// What is left of each suggestion that what was typed is the beginning of, best first; empty
    /// where the model had nothing to suggest at this very place.
    pub candidates: Vec<Candidate>,
    /// Bytes typed since the suggestions were made.
    pub typed: usize,
}

impl Answers {
    /// Remembers what was suggested at a place; nothing, too.
    pub fn keep(&mut self, spot: Spot, candidates: Vec<Candidate>, by_hand: bool) {
        self.known.retain(|known| known.spot != spot || known.by_hand && !by_hand);
        self.known.push_back(Answer { spot, candidates, by_hand });
        if self.known.len() > MOST {
            self.known.pop_front();
        }
    }

    /// What is known for `cursor`. Who asks `by_hand` wants more than the one suggestion that
    /// typing brought.
    pub fn find(&self, cursor: Cursor<'_>, by_hand: bool) -> Option<Known> {
        let mut enough = self.known.iter().rev().filter(|known| known.by_hand || !by_hand);
        enough.find_map(|known| known.at(cursor))
    }

    /// Forgets everything: another model, or other options.
    pub fn clear(&mut self) {
        self.known.clear();
    }
}

impl Answer {
    fn at(&self, cursor: Cursor<'_>) -> Option<Known> {
        let longest = self.candidates.iter().map(|candidate| candidate.text.len()).max();
        let typed = self.spot.typed(cursor, longest.unwrap_or_default())?;
        let left = |candidate: &Candidate| {
            let rest = candidate.text.strip_prefix(typed)?;
            let worth = !rest.trim().is_empty();
            worth.then(|| Candidate { text: rest.to_owned(), ..candidate.clone() })
        };
        let candidates: Vec<Candidate> = self.candidates.iter().filter_map(left).collect();
        let known = !candidates.is_empty() || typed.is_empty() && self.candidates.is_empty();
        known.then_some(Known { candidates, typed: typed.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(text: &str) -> Candidate {
        Candidate { text: text.to_owned(), logprob: -1.0, applied: Vec::new() }
    }

    fn cursor(text: &str) -> Cursor<'_> {
        Cursor { document: "a", text, offset: text.len() }
    }

    fn suggested(place: &str, texts: &[&str]) -> Answers {
        let mut answers = Answers::default();
        let candidates = texts.iter().map(|text| candidate(text)).collect();
        answers.keep(Spot::of(cursor(place)).unwrap(), candidates, false);
        answers
    }

    fn left(answers: &Answers, text: &str) -> Option<Vec<String>> {
        let known = answers.find(cursor(text), false)?;
        Some(known.candidates.into_iter().map(|candidate| candidate.text).collect())
    }

    #[test]
    fn what_is_typed_through_is_taken_off_and_put_back_when_deleted() {
        let answers = suggested("x = ", &["total + 1", "top"]);
        assert_eq!(left(&answers, "x = ").unwrap(), ["total + 1", "top"]);
        assert_eq!(left(&answers, "x = to").unwrap(), ["tal + 1", "p"]);
        assert_eq!(left(&answers, "x = tota").unwrap(), ["l + 1"]);
        assert_eq!(left(&answers, "x = t").unwrap(), ["otal + 1", "op"]);
        assert_eq!(answers.find(cursor("x = tot"), false).unwrap().typed, 3);
    }

    #[test]
    fn another_word_or_the_end_of_a_suggestion_is_not_known() {
        let answers = suggested("x = ", &["total"]);
        assert_eq!(left(&answers, "x = ta"), None);
        assert_eq!(left(&answers, "x = total"), None);
        assert_eq!(left(&answers, "x ="), None);
    }

    #[test]
    fn that_there_was_nothing_is_known_at_that_place_only() {
        let answers = suggested("x = ", &[]);
        assert_eq!(left(&answers, "x = ").unwrap(), [""; 0]);
        assert_eq!(left(&answers, "x = t"), None);
    }

    #[test]
    fn who_asks_by_hand_gets_what_was_found_for_it_and_typing_takes_that_too() {
        let mut answers = suggested("x = ", &["one"]);
        assert!(answers.find(cursor("x = "), true).is_none());
        let spot = Spot::of(cursor("x = ")).unwrap();
        answers.keep(spot.clone(), vec![candidate("two"), candidate("three")], true);
        assert_eq!(answers.find(cursor("x = "), true).unwrap().candidates.len(), 2);
        assert_eq!(left(&answers, "x = t").unwrap(), ["wo", "hree"]);
        answers.keep(spot, vec![candidate("one")], false);
        assert_eq!(answers.find(cursor("x = "), true).unwrap().candidates.len(), 2);
        answers.clear();
        assert_eq!(left(&answers, "x = "), None);
    }

    #[test]
    fn the_latest_places_are_remembered() {
        let mut answers = suggested("first", &["1"]);
        for number in 0..MOST {
            let text = format!("{number}");
            answers.keep(Spot::of(cursor(&text)).unwrap(), vec![candidate("x")], false);
        }
        assert_eq!(left(&answers, "first"), None);
        assert_eq!(left(&answers, "0").unwrap(), ["x"]);
    }
}
