//! What is counted: numbers, and the names of passes and models.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::histogram::Histogram;
use crate::postprocess::Applied;

/// More passes than these are counted under [`OTHERS`].
const MOST_PASSES: usize = 64;
/// The longest name of a pass, in bytes.
const LONGEST_PASS: usize = 64;
/// What stands for the names beyond those that are kept.
pub(super) const OTHERS: &str = "others";

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// An answer with a suggestion went to the editor.
    Shown {
        /// Its characters; of the first one where there are several.
        characters: usize,
        /// Its lines.
        lines: usize,
        /// From request to answer.
        latency: Duration,
        /// Whether it came from an earlier answer, without the model.
        from_cache: bool,
        /// Whether it is the rest of the suggestion shown before: an answer, but no new suggestion.
        again: bool,
    },
    /// A request was answered with nothing to suggest.
    Empty {
        /// Whether that was known from an earlier answer, without the model.
        from_cache: bool,
    },
    /// A request was given up, since a later one or the editor made it useless.
    Superseded,
    /// A request ended in an error.
    Failed,
    /// A raw answer of the model went through the passes; these changed it.
    Cleaned(&'a [Applied]),
    /// A suggestion was taken over, in whole or in part.
    Accepted {
        /// How.
        how: How,
        /// The characters taken over.
        characters: usize,
    },
    /// Accepted text was looked at again after [`super::watch::PATIENCE`].
    Retained {
        /// Its characters, white space aside.
        characters: usize,
        /// Those of them that stand unchanged.
        standing: usize,
    },
}

/// How a suggestion came into the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// All of it, or all that the keys had left of it, in one go.
    Whole,
    /// By words or lines; the rest may have followed in the same way.
    Part,
    /// All of it, typed key by key.
    Typed,
}

/// Sums of what happened. Adding saturates: a file may hold any number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Suggestions shown.
    pub shown: u64,
    /// Their characters.
    pub shown_characters: u64,
    /// Their lines.
    pub shown_lines: u64,
    /// Suggestions accepted in one go.
    pub accepted_whole: u64,
    /// Suggestions accepted by words or lines.
    pub accepted_part: u64,
    /// Suggestions typed out key by key.
    pub typed: u64,
    /// Characters accepted, in one go or in part.
    pub accepted_characters: u64,
    /// Pieces of accepted text that were looked at again.
    pub looked_at: u64,
    /// Those that stood unchanged.
    pub unchanged: u64,
    /// Characters of the former, white space aside.
    pub looked_at_characters: u64,
    /// Those that stood unchanged.
    pub standing_characters: u64,
    /// Times to an answer with a suggestion that the model made.
    pub computed: Histogram,
    /// Times to an answer with a suggestion that was known.
    pub cached: Histogram,
    /// Answers without a suggestion.
    pub empty: u64,
    /// Those of them that were known, without the model.
    pub empty_cached: u64,
    /// Requests given up.
    pub superseded: u64,
    /// Requests that ended in an error.
    pub failed: u64,
    /// Raw answers of the model that went through the passes.
    pub candidates: u64,
    /// What each pass did to them.
    pub passes: BTreeMap<String, PassCounts>,
}

/// What a pass did to raw answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PassCounts {
    /// Answers of which it left something else.
    pub cut: u64,
    /// Answers of which it left nothing.
    pub dropped: u64,
}

impl Counts {
    /// Counts what happened.
    pub fn record(&mut self, event: Event<'_>) {
        match event {
            Event::Shown { characters, lines, latency, from_cache, again } => {
                if !again {
                    add(&mut self.shown, 1);
                    add(&mut self.shown_characters, characters as u64);
                    add(&mut self.shown_lines, lines as u64);
                }
                let times = if from_cache { &mut self.cached } else { &mut self.computed };
                times.add(latency);
            }
            Event::Empty { from_cache } => {
                add(&mut self.empty, 1);
                add(&mut self.empty_cached, from_cache.into());
            }
            Event::Superseded => add(&mut self.superseded, 1),
            Event::Failed => add(&mut self.failed, 1),
            Event::Cleaned(applied) => self.cleaned(applied),
            Event::Accepted { how: How::Typed, .. } => add(&mut self.typed, 1),
            Event::Accepted { how, characters } => {
                let whole = how == How::Whole;
                add(if whole { &mut self.accepted_whole } else { &mut self.accepted_part }, 1);
                add(&mut self.accepted_characters, characters as u64);
            }
            Event::Retained { characters, standing } => {
                add(&mut self.looked_at, 1);
                add(&mut self.unchanged, (standing >= characters).into());
                add(&mut self.looked_at_characters, characters as u64);
                add(&mut self.standing_characters, standing.min(characters) as u64);
            }
        }
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Self) {
        let Self {
            shown,
            shown_characters,
            shown_lines,
            accepted_whole,
            accepted_part,
            typed,
            accepted_characters,
            looked_at,
            unchanged,
            looked_at_characters,
            standing_characters,
            computed,
            cached,
            empty,
            empty_cached,
            superseded,
            failed,
            candidates,
            passes,
        } = other;
        for (sum, count) in [
            (&mut self.shown, shown),
            (&mut self.shown_characters, shown_characters),
            (&mut self.shown_lines, shown_lines),
            (&mut self.accepted_whole, accepted_whole),
            (&mut self.accepted_part, accepted_part),
            (&mut self.typed, typed),
            (&mut self.accepted_characters, accepted_characters),
            (&mut self.looked_at, looked_at),
            (&mut self.unchanged, unchanged),
            (&mut self.looked_at_characters, looked_at_characters),
            (&mut self.standing_characters, standing_characters),
            (&mut self.empty, empty),
            (&mut self.empty_cached, empty_cached),
            (&mut self.superseded, superseded),
            (&mut self.failed, failed),
            (&mut self.candidates, candidates),
        ] {
            add(sum, *count);
        }
        self.computed.merge(computed);
        self.cached.merge(cached);
        for (pass, counts) in passes {
            self.pass(pass, *counts);
        }
    }

    /// Answers that needed the model: with a suggestion or without.
    pub fn cache_misses(&self) -> u64 {
        self.computed.count().saturating_add(self.empty.saturating_sub(self.empty_cached))
    }

    /// Answers that were known from an earlier one.
    pub fn cache_hits(&self) -> u64 {
        self.cached.count().saturating_add(self.empty_cached)
    }

    /// Suggestions accepted in one go or in part.
    pub fn accepted(&self) -> u64 {
        self.accepted_whole.saturating_add(self.accepted_part)
    }

    /// Times to all answers with a suggestion.
    pub fn latency(&self) -> Histogram {
        let mut all = self.computed.clone();
        all.merge(&self.cached);
        all
    }

    /// A raw answer went through the passes, over some rounds: each counts once.
    fn cleaned(&mut self, applied: &[Applied]) {
        add(&mut self.candidates, 1);
        for (index, one) in applied.iter().enumerate() {
            let of_pass = |other: &&Applied| other.pass == one.pass;
            if applied.iter().take(index).any(|other| of_pass(&other)) {
                continue;
            }
            let dropped = applied.iter().filter(of_pass).any(|other| other.bytes.1 == 0);
            let counts = PassCounts { cut: (!dropped).into(), dropped: dropped.into() };
            self.pass(one.pass, counts);
        }
    }

    fn pass(&mut self, pass: &str, counts: PassCounts) {
        let known = self.passes.contains_key(pass);
        let fits = pass.len() <= LONGEST_PASS && self.passes.len() < MOST_PASSES;
        let name = if known || fits { pass } else { OTHERS };
        let sum = self.passes.entry(name.to_owned()).or_default();
        add(&mut sum.cut, counts.cut);
        add(&mut sum.dropped, counts.dropped);
    }
}

fn add(sum: &mut u64, count: u64) {
    *sum = sum.saturating_add(count);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(characters: usize, millis: u64, from_cache: bool, again: bool) -> Event<'static> {
        let latency = Duration::from_millis(millis);
        Event::Shown { characters, lines: 1, latency, from_cache, again }
    }

    fn applied(pass: &'static str, bytes: (usize, usize)) -> Applied {
        Applied { pass, bytes }
    }

    #[test]
    fn the_rest_of_a_suggestion_is_an_answer_but_no_new_suggestion() {
        let mut counts = Counts::default();
        counts.record(shown(10, 200, false, false));
        counts.record(shown(9, 1, true, true));
        counts.record(Event::Empty { from_cache: true });
        counts.record(Event::Empty { from_cache: false });
        assert_eq!((counts.shown, counts.shown_characters), (1, 10));
        assert_eq!((counts.cache_hits(), counts.cache_misses()), (2, 2));
        assert_eq!(counts.latency().count(), 2);
    }

    #[test]
    fn a_pass_counts_once_for_an_answer_whatever_the_rounds() {
        let mut counts = Counts::default();
        counts.record(Event::Cleaned(&[]));
        counts.record(Event::Cleaned(&[
            applied("stop", (30, 20)),
            applied("gate", (20, 10)),
            applied("stop", (10, 8)),
            applied("gate", (8, 0)),
        ]));
        assert_eq!(counts.candidates, 2);
        assert_eq!(counts.passes["stop"], PassCounts { cut: 1, dropped: 0 });
        assert_eq!(counts.passes["gate"], PassCounts { cut: 0, dropped: 1 });
    }

    #[test]
    fn acceptance_and_what_stands_of_it_are_counted_by_kind() {
        let mut counts = Counts::default();
        for (how, characters) in [(How::Whole, 20), (How::Part, 5), (How::Typed, 7)] {
            counts.record(Event::Accepted { how, characters });
        }
        counts.record(Event::Retained { characters: 20, standing: 20 });
        counts.record(Event::Retained { characters: 10, standing: 3 });
        assert_eq!((counts.accepted(), counts.typed, counts.accepted_characters), (2, 1, 25));
        assert_eq!((counts.looked_at, counts.unchanged), (2, 1));
        assert_eq!((counts.looked_at_characters, counts.standing_characters), (30, 23));
    }

    #[test]
    fn a_sum_is_as_if_all_had_happened_in_one_place() {
        let cut = [applied("gate", (5, 2))];
        let dropped = [applied("gate", (5, 0))];
        let events = [
            shown(4, 90, false, false),
            shown(3, 2, true, true),
            Event::Empty { from_cache: true },
            Event::Superseded,
            Event::Failed,
            Event::Cleaned(&cut),
            Event::Cleaned(&dropped),
            Event::Accepted { how: How::Whole, characters: 4 },
            Event::Accepted { how: How::Part, characters: 2 },
            Event::Accepted { how: How::Typed, characters: 2 },
            Event::Retained { characters: 4, standing: 1 },
            Event::Retained { characters: 4, standing: 4 },
        ];
        let mut both = Counts::default();
        let mut sum = Counts::default();
        for _ in 0..2 {
            let mut one = Counts::default();
            for event in events {
                both.record(event);
                one.record(event);
            }
            sum.merge(&one);
        }
        assert_eq!(sum, both);
        let written = serde_json::to_string(&sum).unwrap();
        assert!(!written.contains(":0"), "something was not counted: {written}");
    }

    #[test]
    fn numbers_and_names_from_a_file_stay_bounded() {
        let mut counts = Counts { shown: u64::MAX, ..Counts::default() };
        counts.record(shown(1, 1, false, false));
        assert_eq!(counts.shown, u64::MAX);
        let one = PassCounts { cut: 1, dropped: 0 };
        let passes = (0..200).map(|number| (format!("pass {number}"), one)).collect();
        counts.merge(&Counts { passes, ..Counts::default() });
        assert_eq!(counts.passes.len(), MOST_PASSES + 1);
        assert_eq!(counts.passes[OTHERS].cut, 200 - MOST_PASSES as u64);
    }
}
