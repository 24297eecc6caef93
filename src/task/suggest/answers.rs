//! What was suggested lately, to be offered again where it still fits what was typed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::place::{Cursor, Spot};
use crate::task::complete::Candidate;

/// So many places are remembered.
const MOST: usize = 64;
/// For so long: by then, what they were made from may have changed elsewhere.
const LIFE: Duration = Duration::from_mins(2);
/// For so long, where there was nothing to suggest.
const LIFE_OF_NOTHING: Duration = Duration::from_secs(15);

/// What was suggested lately.
#[derive(Debug, Default)]
pub struct Answers {
    /// Latest last.
    known: VecDeque<Answer>,
}

#[derive(Debug)]
struct Answer {
    spot: Spot,
    made: Made,
    when: Instant,
}

/// What was made at a place.
#[derive(Debug, Clone, Default)]
pub struct Made {
    /// The suggestions, best first.
    pub candidates: Vec<Candidate>,
    /// Whether they were asked for by hand.
    pub by_hand: bool,
    /// Whether the model had no time for more.
    pub cut_short: bool,
}

/// What is known for a cursor.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    /// What is left of each suggestion that what was typed is the beginning of, best first; empty
    /// where the model had nothing to suggest at this very place.
    pub candidates: Vec<Candidate>,
    /// Bytes typed since the suggestions were made.
    pub typed: usize,
    /// Whether the model had no time for more.
    pub cut_short: bool,
}

impl Answers {
    /// Remembers what was suggested at a place; nothing, too.
    pub fn keep(&mut self, spot: Spot, made: Made, when: Instant) {
        let by_hand = made.by_hand;
        self.known.retain(|known| known.spot != spot || known.made.by_hand && !by_hand);
        self.known.push_back(Answer { spot, made, when });
        if self.known.len() > MOST {
            self.known.pop_front();
        }
    }

    /// What is known for `cursor` at `now`. Who asks `by_hand` wants more than the one suggestion
    /// that typing brought.
    pub fn find(&self, cursor: Cursor<'_>, by_hand: bool, now: Instant) -> Option<Known> {
        let fits = |known: &&Answer| (known.made.by_hand || !by_hand) && !known.is_old(now);
        self.known.iter().rev().filter(fits).find_map(|known| known.at(cursor))
    }

    /// Forgets everything: another model, or other options.
    pub fn clear(&mut self) {
        self.known.clear();
    }
}

impl Answer {
    fn is_old(&self, now: Instant) -> bool {
        let life = if self.made.candidates.is_empty() { LIFE_OF_NOTHING } else { LIFE };
        now.saturating_duration_since(self.when) > life
    }

    fn at(&self, cursor: Cursor<'_>) -> Option<Known> {
        let Made { candidates, cut_short, .. } = &self.made;
        let longest = candidates.iter().map(|candidate| candidate.text.len()).max();
        let typed = self.spot.typed(cursor, longest.unwrap_or_default())?;
        let left = |candidate: &Candidate| {
            let rest = candidate.text.strip_prefix(typed)?;
            let worth = !rest.trim().is_empty();
            worth.then(|| Candidate { text: rest.to_owned(), ..candidate.clone() })
        };
        let rests: Vec<Candidate> = candidates.iter().filter_map(left).collect();
        let known = !rests.is_empty() || typed.is_empty() && candidates.is_empty();
        known.then_some(Known { candidates: rests, typed: typed.len(), cut_short: *cut_short })
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

    fn made(texts: &[&str], by_hand: bool) -> Made {
        let candidates = texts.iter().map(|text| candidate(text)).collect();
        Made { candidates, by_hand, cut_short: false }
    }

    fn suggested(place: &str, texts: &[&str]) -> Answers {
        let mut answers = Answers::default();
        answers.keep(Spot::of(cursor(place)).unwrap(), made(texts, false), Instant::now());
        answers
    }

    fn find(answers: &Answers, text: &str, by_hand: bool) -> Option<Known> {
        answers.find(cursor(text), by_hand, Instant::now())
    }

    fn left(answers: &Answers, text: &str) -> Option<Vec<String>> {
        let known = find(answers, text, false)?;
        Some(known.candidates.into_iter().map(|candidate| candidate.text).collect())
    }

    #[test]
    fn what_is_typed_through_is_taken_off_and_put_back_when_deleted() {
        let answers = suggested("x = ", &["total + 1", "top"]);
        assert_eq!(left(&answers, "x = ").unwrap(), ["total + 1", "top"]);
        assert_eq!(left(&answers, "x = to").unwrap(), ["tal + 1", "p"]);
        assert_eq!(left(&answers, "x = tota").unwrap(), ["l + 1"]);
        assert_eq!(left(&answers, "x = t").unwrap(), ["otal + 1", "op"]);
        assert_eq!(find(&answers, "x = tot", false).unwrap().typed, 3);
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
        assert!(find(&answers, "x = ", true).is_none());
        let spot = Spot::of(cursor("x = ")).unwrap();
        answers.keep(spot.clone(), made(&["two", "three"], true), Instant::now());
        assert_eq!(find(&answers, "x = ", true).unwrap().candidates.len(), 2);
        assert_eq!(left(&answers, "x = t").unwrap(), ["wo", "hree"]);
        answers.keep(spot, made(&["one"], false), Instant::now());
        assert_eq!(find(&answers, "x = ", true).unwrap().candidates.len(), 2);
        answers.clear();
        assert_eq!(left(&answers, "x = "), None);
    }

    #[test]
    fn what_is_known_grows_old_and_that_there_was_nothing_sooner() {
        let (some, none) = (suggested("x = ", &["total"]), suggested("x = ", &[]));
        let later = |answers: &Answers, time: Duration| {
            answers.find(cursor("x = "), false, Instant::now() + time).is_some()
        };
        assert!(later(&some, LIFE_OF_NOTHING * 2) && !later(&none, LIFE_OF_NOTHING * 2));
        assert!(later(&none, LIFE_OF_NOTHING / 2) && !later(&some, LIFE * 2));
    }

    #[test]
    fn the_latest_places_are_remembered() {
        let mut answers = suggested("first", &["1"]);
        for number in 0..MOST {
            let text = format!("{number}");
            let spot = Spot::of(cursor(&text)).unwrap();
            answers.keep(spot, made(&["x"], false), Instant::now());
        }
        assert_eq!(left(&answers, "first"), None);
        assert_eq!(left(&answers, "0").unwrap(), ["x"]);
    }
}
