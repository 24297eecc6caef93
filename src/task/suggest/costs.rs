//! How long suggestions take, learned from those that were made.

use std::time::Duration;

use crate::engine::Usage;

/// Weight of the latest against those before it.
const LATEST: f64 = 0.4;
/// Fewer tokens than this say little of the time that one takes.
const LEAST_TOKENS: usize = 4;

/// What is known of the time a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Costs {
    per_token: Option<Duration>,
    answer: Option<Duration>,
}

impl Costs {
    /// What is known after an answer of a model to which nobody else put questions meanwhile. One
    /// that was `cut_short` tells at least that the next token would have taken longer.
    pub fn learned(self, usage: &Usage, candidates: usize, cut_short: bool) -> Self {
        let steps = usage.generated_tokens / candidates.max(1);
        let begun = cut_short && usage.prompt_tokens > 0;
        let worth = (steps >= LEAST_TOKENS || begun) && !usage.generation_time.is_zero();
        let per_token =
            worth.then(|| usage.generation_time / (steps as u32 + u32::from(begun)).max(1));
        let answer = usage.prompt_time + usage.generation_time;
        Self {
            per_token: mean(self.per_token, per_token),
            answer: mean(self.answer, (!answer.is_zero()).then_some(answer)),
        }
    }

    /// Time for one token of an answer.
    pub fn per_token(self) -> Option<Duration> {
        self.per_token
    }

    /// Time for a whole answer.
    pub fn answer(self) -> Option<Duration> {
        self.answer
    }
}

fn mean(before: Option<Duration>, latest: Option<Duration>) -> Option<Duration> {
    match (before, latest) {
        (Some(before), Some(latest)) => Some(before.mul_f64(1.0 - LATEST) + latest.mul_f64(LATEST)),
        (before, latest) => latest.or(before),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(tokens: usize, milliseconds: u64) -> Usage {
        Usage {
            generated_tokens: tokens,
            prompt_time: Duration::from_millis(20),
            generation_time: Duration::from_millis(milliseconds),
            ..Usage::default()
        }
    }

    #[test]
    fn the_first_answer_is_all_that_is_known_and_later_ones_move_it() {
        let costs = Costs::default().learned(&usage(20, 200), 2, false);
        assert_eq!(costs.per_token(), Some(Duration::from_millis(20)));
        assert_eq!(costs.answer(), Some(Duration::from_millis(220)));
        let slower = costs.learned(&usage(10, 400), 1, false).per_token().unwrap();
        assert!(slower > Duration::from_millis(20) && slower < Duration::from_millis(40));
    }

    #[test]
    fn a_few_tokens_tell_nothing_of_one() {
        assert_eq!(Costs::default().learned(&usage(2, 200), 1, false).per_token(), None);
        assert_eq!(Costs::default().learned(&Usage::default(), 0, true), Costs::default());
    }

    #[test]
    fn a_model_that_was_cut_short_is_known_to_be_slow() {
        let reading = usage(0, 1500);
        assert_eq!(Costs::default().learned(&reading, 1, true).per_token(), None, "it only read");
        let slow = Usage { prompt_tokens: 100, ..usage(2, 1500) };
        let costs = Costs::default().learned(&slow, 1, true);
        assert_eq!(costs.per_token(), Some(Duration::from_millis(500)));
    }
}
