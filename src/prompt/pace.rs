//! How long a prompt may be so that the first suggestion at a place comes in time: the speed at
//! which a model reads is guessed from its size, then learned from what it did.

use std::time::Duration;

/// The lengths that are chosen from, in tokens. Few, so that the length changes seldom.
const STEPS: [usize; 9] = [384, 512, 768, 1024, 1536, 2048, 2560, 3072, 4096];
/// Fewer new tokens than this say little about speed: what is fixed in a request weighs too much.
const LEAST_READ: usize = 64;
/// Weight of the latest measurement against those before it.
const LATEST: f64 = 0.3;
/// The next longer step is taken only when it would fit with this much to spare.
const SPARE: f64 = 1.2;
/// Multiply-adds that a processor and a graphics card are guessed to make in a second: one is
/// needed for each weight and token.
const GUESSED_CPU: f64 = 4e11;
const GUESSED_GPU: f64 = 1e13;

/// What is known of how fast a model reads, and the length of prompts that follows from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Tokens per second.
    speed: f64,
    /// What was learned from measurements, not guessed.
    measured: bool,
    /// The length in force.
    budget: Option<usize>,
}

impl Pace {
    /// A guess for a model with so many weights.
    pub fn guessed(parameters: u64, on_cpu: bool) -> Self {
        let rate = if on_cpu { GUESSED_CPU } else { GUESSED_GPU };
        Self { speed: rate / (parameters.max(1) as f64), measured: false, budget: None }
    }

    /// What is known after `tokens` new ones were read in `time`.
    pub fn learned(self, tokens: usize, time: Duration) -> Self {
        if tokens < LEAST_READ || time.is_zero() {
            return self;
        }
        let latest = tokens as f64 / time.as_secs_f64();
        let speed = if self.measured {
            // By ratio: half and double speed are as far from the mean.
            (self.speed.ln() * (1.0 - LATEST) + latest.ln() * LATEST).exp()
        } else {
            latest
        };
        Self { speed, measured: true, ..self }
    }

    /// Tokens per second.
    pub fn speed(self) -> f64 {
        self.speed
    }

    /// The length that is read within `latency`, and what is known afterwards. The length in force
    /// stays while it fits and the next longer step fits only just.
    pub fn budget(self, latency: Duration) -> (usize, Self) {
        let fits = self.speed * latency.as_secs_f64();
        let within = |limit: f64| {
            let longest = STEPS.iter().rev().find(|step| (**step as f64) <= limit);
            longest.or(STEPS.first()).copied().unwrap_or_default()
        };
        let budget = match self.budget {
            Some(now) if (now as f64) <= fits => now.max(within(fits / SPARE)),
            _ => within(fits),
        };
        (budget, Self { budget: Some(budget), ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn reads(pace: Pace, speed: f64) -> Pace {
        pace.learned(1000, Duration::from_secs_f64(1000.0 / speed))
    }

    #[test]
    fn a_large_model_starts_with_a_short_prompt_and_a_small_one_with_a_long_one() {
        assert_eq!(Pace::guessed(7_000_000_000, true).budget(SECOND).0, 384);
        assert_eq!(Pace::guessed(500_000_000, true).budget(SECOND).0, 768);
        assert_eq!(Pace::guessed(4_000_000, true).budget(SECOND).0, 4096);
        assert_eq!(Pace::guessed(7_000_000_000, false).budget(SECOND).0, 1024);
        assert_eq!(Pace::guessed(0, true).budget(Duration::ZERO).0, 384);
    }

    #[test]
    fn what_was_measured_counts_more_than_the_guess() {
        let pace = reads(Pace::guessed(7_000_000_000, true), 2100.0);
        assert!((pace.speed() - 2100.0).abs() < 1.0);
        assert_eq!(pace.budget(SECOND).0, 2048);
        assert_eq!(pace.budget(SECOND / 2).0, 1024);
    }

    #[test]
    fn a_few_tokens_or_no_time_teach_nothing() {
        let pace = Pace::guessed(500_000_000, true);
        assert_eq!(pace.learned(LEAST_READ - 1, SECOND), pace);
        assert_eq!(pace.learned(1000, Duration::ZERO), pace);
    }

    #[test]
    fn the_length_does_not_swing_with_the_measurements() {
        let mut pace = reads(Pace::guessed(500_000_000, true), 1100.0);
        let mut budgets = Vec::new();
        for round in 0..40 {
            let (budget, next) = pace.budget(SECOND);
            budgets.push(budget);
            pace = reads(next, if round % 2 == 0 { 1200.0 } else { 1050.0 });
        }
        budgets.dedup();
        assert_eq!(budgets, [1024]);
    }

    #[test]
    fn a_machine_that_slows_down_gets_shorter_prompts_and_later_longer_ones_again() {
        let mut pace = reads(Pace::guessed(500_000_000, true), 4000.0);
        let mut run = |speed: f64| {
            for _ in 0..20 {
                pace = reads(pace.budget(SECOND).1, speed);
            }
            pace.budget(SECOND).0
        };
        assert_eq!((run(900.0), run(5000.0)), (768, 4096));
    }
}
