//! How fast somebody types, and how long to wait for the next key before the model is asked.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many gaps between keys are looked at.
const MOST: usize = 64;
/// With fewer, nothing is known.
const LEAST: usize = 8;
/// A longer gap is a pause, which tells nothing of the pace.
const PAUSE: Duration = Duration::from_secs(2);
/// Waits are tried in such steps.
const STEP: Duration = Duration::from_millis(20);
/// The longest wait.
const MOST_WAIT: Duration = Duration::from_millis(400);
/// The wait as long as nothing is known.
const FIRST_WAIT: Duration = Duration::from_millis(60);

/// The pace of somebody's keys.
#[derive(Debug, Clone, Default)]
pub struct Typing {
    gaps: VecDeque<Duration>,
    last: Option<Instant>,
}

impl Typing {
    /// Takes note of a key at `now`.
    pub fn key(&mut self, now: Instant) {
        let gap = self.last.map(|last| now.saturating_duration_since(last));
        self.last = Some(now);
        let Some(gap) = gap.filter(|gap| *gap < PAUSE) else { return };
        self.gaps.push_back(gap);
        if self.gaps.len() > MOST {
            self.gaps.pop_front();
        }
    }

    /// How long to wait from `now` before work is begun that takes `work`: the shortest wait after
    /// which the next key is less likely than not to come before the work is done, as far as the
    /// gaps so far tell. With pauses for thought the wait ends soon; within a word it lasts.
    pub fn wait(&self, work: Duration, now: Instant) -> Duration {
        let passed = self.last.map_or(MOST_WAIT, |last| now.saturating_duration_since(last));
        if self.gaps.len() < LEAST {
            return FIRST_WAIT.saturating_sub(passed);
        }
        let steps = (0u32..).map(|step| STEP * step).take_while(|wait| *wait < MOST_WAIT);
        let ready = steps.filter(|wait| *wait >= passed).find(|wait| {
            let still = self.gaps.iter().filter(|gap| *gap >= wait);
            let disturbed = self.gaps.iter().filter(|gap| *gap >= wait && **gap < *wait + work);
            disturbed.count() * 2 <= still.count()
        });
        ready.unwrap_or(MOST_WAIT).saturating_sub(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Somebody whose keys come after these gaps, again and again, and the time of the last.
    fn typing(gaps: &[u32]) -> (Typing, Instant) {
        let mut typing = Typing::default();
        let mut now = Instant::now();
        for gap in gaps.iter().cycle().take(MOST + 1) {
            typing.key(now);
            now += MS * *gap;
        }
        typing.key(now);
        (typing, now)
    }

    #[test]
    fn work_that_is_done_before_the_next_key_begins_at_once() {
        let (typing, now) = typing(&[150, 200, 250]);
        assert_eq!(typing.wait(MS * 100, now), Duration::ZERO);
    }

    #[test]
    fn work_that_the_next_key_would_disturb_waits_for_a_pause() {
        let (typing, now) = typing(&[100, 120, 140, 1500]);
        let wait = typing.wait(MS * 200, now);
        assert!(wait > MS * 100 && wait <= MS * 160, "{wait:?}");
        assert_eq!(typing.wait(MS * 200, now + MS * 1000), Duration::ZERO, "it has paused");
        let some = typing.wait(MS * 200, now + MS * 100);
        assert!(some < wait && some > Duration::ZERO, "{some:?}");
    }

    #[test]
    fn nobody_waits_longer_than_is_bearable() {
        let (typing, now) = typing(&[380]);
        assert!(typing.wait(MS * 5000, now) <= MOST_WAIT);
    }

    #[test]
    fn pauses_are_no_pace_and_little_is_known_at_first() {
        let (typing, now) = typing(&[5000]);
        assert!(typing.gaps.is_empty());
        assert_eq!(typing.wait(MS * 100, now), FIRST_WAIT);
        assert_eq!(Typing::default().wait(MS * 100, now), Duration::ZERO);
    }
}
