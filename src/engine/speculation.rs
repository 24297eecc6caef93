//! Guesses what comes next in an answer from what came before, for the model to verify several
//! tokens at the price of little more than one (prompt lookup: Saxena, 2023).
//!
//! A guess never changes an answer: the model's own choice is made at every place, by the same
//! sampler with the same random numbers, and a guess only says which places can be evaluated
//! together. So greedy answers stay the same, and sampled ones keep their distribution.

/// Whether and how answers are guessed ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Speculation {
    /// From earlier occurrences of the last tokens, in the prompt and the answer; where there are
    /// none, by the draft model, if there is one.
    #[default]
    PromptLookup,
    /// Not at all: every token is evaluated by itself.
    Off,
}

/// Tokens that have to agree before the rest is guessed.
const SHORTEST: usize = 3;

/// Where more agree, no more are looked at.
const LONGEST: usize = 8;

/// Earlier occurrences that are compared, the latest first.
const MOST_COMPARED: usize = 64;

/// A text in which every three neighbouring tokens are found again.
///
/// The index is a hash table of chains as in LZ77 compressors: the last place of each hash, and for
/// each place the one before it.
#[derive(Debug, Clone)]
pub(super) struct History {
    tokens: Vec<u32>,
    /// Per hash of [`SHORTEST`] tokens: where they ended last, plus 1; 0 is nowhere.
    last: Vec<u32>,
    /// Per place: the last one before it whose hash is the same, plus 1.
    before: Vec<u32>,
}

impl History {
    /// The text so far; more comes.
    pub(super) fn new(tokens: &[u32]) -> Self {
        let mut history = Self {
            tokens: Vec::with_capacity(tokens.len() + 256),
            last: vec![0; (2 * tokens.len()).next_power_of_two().max(1024)],
            before: Vec::with_capacity(tokens.len() + 256),
        };
        for &token in tokens {
            history.push(token);
        }
        history
    }

    /// The text.
    pub(super) fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Adds a token at the end.
    pub(super) fn push(&mut self, token: u32) {
        self.tokens.push(token);
        let end = self.tokens.len();
        let slot = self.slot(end);
        let before = slot.and_then(|slot| self.last.get_mut(slot));
        let before = before.map_or(0, |last| std::mem::replace(last, end as u32));
        self.before.push(before);
    }

    /// Appends to `draft` what followed the longest earlier occurrence of the last tokens, the
    /// latest of equals: at most `most` tokens; none where the last three never occurred.
    pub(super) fn guess(&self, most: usize, draft: &mut Vec<u32>) {
        let end = self.tokens.len();
        let mut place = self.before.last().copied().unwrap_or(0) as usize;
        let mut best = (SHORTEST - 1, 0);
        for _ in 0..MOST_COMPARED {
            if place == 0 {
                break;
            }
            let backwards = |end: usize| self.tokens.iter().take(end).rev().take(LONGEST);
            let length =
                backwards(place).zip(backwards(end)).take_while(|(old, new)| old == new).count();
            if length > best.0 {
                best = (length, place);
            }
            if length == LONGEST {
                break;
            }
            place = self.before.get(place - 1).copied().unwrap_or(0) as usize;
        }
        let (_, start) = best;
        if start == 0 {
            return;
        }
        // Where it runs into the end it goes on with itself: a repetition is guessed to go on.
        let first = draft.len();
        for index in 0..most {
            let known = self.tokens.get(start + index).copied();
            let token = known.or_else(|| draft.get(first + start + index - end).copied());
            draft.extend(token);
        }
    }

    /// Where the hash of the tokens that end at `end` is kept.
    fn slot(&self, end: usize) -> Option<usize> {
        let tokens = self.tokens.get(end.checked_sub(SHORTEST)?..end)?;
        let hash = tokens.iter().fold(0u64, |hash, &token| {
            (hash ^ u64::from(token)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
        });
        Some(hash as usize & (self.last.len() - 1))
    }
}

/// How far ahead it pays to guess, learned from how the guesses of an answer turn out.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// Tokens of the next guess.
    length: usize,
    /// Guesses in a row of which nothing was right.
    failures: u32,
    /// Steps to take before the next guess.
    pause: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { length: 6, failures: 0, pause: 0 }
    }
}

impl Pace {
    const LONGEST: usize = 16;

    /// To be called before each step: how many tokens to guess.
    pub(super) fn next(&mut self) -> usize {
        if self.pause > 0 {
            self.pause -= 1;
            return 0;
        }
        self.length
    }

    /// Learns that of `drafted` tokens, at least one, the first `accepted` were right.
    pub(super) fn learn(&mut self, drafted: usize, accepted: usize) {
        if accepted == 0 {
            // Twice as long each time, as something else may be written by then.
            self.failures = (self.failures + 1).min(5);
            self.pause = (1 << self.failures) - 1;
            self.length = 2;
        } else {
            self.failures = 0;
            let right = if accepted == drafted { 2 * self.length } else { accepted + 1 };
            self.length = right.clamp(2, Self::LONGEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn guess(tokens: &[u32], most: usize) -> Vec<u32> {
        let mut draft = Vec::new();
        History::new(tokens).guess(most, &mut draft);
        draft
    }

    #[test]
    fn what_followed_the_last_tokens_before_is_guessed() {
        assert_eq!(guess(&[1, 2, 3, 4, 5, 6, 9, 1, 2, 3], 3), [4, 5, 6]);
        assert_eq!(guess(&[1, 2, 3, 4, 5, 9, 2, 3], 3), [0; 0], "two tokens are too few");
        assert_eq!(guess(&[], 3), [0; 0]);
        assert_eq!(guess(&[1, 2, 3], 3), [0; 0]);
    }

    #[test]
    fn more_agreement_counts_more_and_then_the_latest() {
        let tokens = [8, 1, 2, 3, 100, 9, 1, 2, 3, 200, 7, 1, 2, 3, 300];
        assert_eq!(guess(&[&tokens[..], &[9, 1, 2, 3]].concat(), 1), [200]);
        assert_eq!(guess(&[&tokens[..], &[5, 1, 2, 3]].concat(), 1), [300]);
    }

    #[test]
    fn a_repetition_is_guessed_to_go_on() {
        assert_eq!(guess(&[1, 2, 1, 2, 1, 2], 5), [1, 2, 1, 2, 1]);
        assert_eq!(guess(&[7, 7, 7, 7], 4), [7, 7, 7, 7]);
    }

    #[test]
    fn the_pace_grows_with_success_and_guesses_that_fail_become_rare() {
        let mut pace = Pace::default();
        for _ in 0..4 {
            let length = pace.next();
            pace.learn(length, length);
        }
        assert_eq!(pace.next(), Pace::LONGEST);
        let mut guessed = 0;
        for _ in 0..200 {
            let length = pace.next();
            if length > 0 {
                guessed += length;
                pace.learn(length, 0);
            }
        }
        assert!(guessed < 50, "{guessed} of 200 steps were guessed in vain");
        while pace.next() == 0 {}
        pace.learn(2, 1);
        assert!(pace.next() > 0, "one success ends the pause");
    }

    proptest! {
        #[test]
        fn a_guess_follows_the_longest_agreement(tokens in prop::collection::vec(0u32..3, 0..60)) {
            let agree = |place: usize| {
                let (old, new) = (tokens[..place].iter().rev(), tokens.iter().rev());
                old.zip(new).take(LONGEST).take_while(|(old, new)| old == new).count()
            };
            let best = (1..tokens.len()).map(agree).max().unwrap_or(0);
            let draft = guess(&tokens, 4);
            if best < SHORTEST {
                prop_assert!(draft.is_empty());
            } else {
                prop_assert_eq!(draft.len(), 4);
                let longest = (1..tokens.len()).rev().filter(|place| agree(*place) == best);
                let first = longest.map(|place| tokens[place]).next().unwrap();
                prop_assert_eq!(draft[0], first);
            }
        }
    }
}
