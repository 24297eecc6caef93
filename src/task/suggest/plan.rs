//! Whether the model is asked, and for how much: by who asks, by what it will take, by the machine.

use std::time::Duration;

use super::costs::Costs;

/// Who asks by hand gets to choose from so many.
const BY_HAND: usize = 3;
/// Who asks by hand waits for an answer so many times as long as usual …
const BY_HAND_LENGTH: usize = 4;
/// … for at least this time.
const BY_HAND_TIME: Duration = Duration::from_secs(10);
/// Fewer tokens than this are no suggestion.
const LEAST_TOKENS: u32 = 4;
/// What each candidate more costs, as a share of the first, when they are sampled together.
const ONE_MORE: f64 = 0.35;

/// Why a suggestion is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Somebody types.
    Typing,
    /// Somebody asks for one.
    ByHand,
    /// Nobody asks yet: somebody may, who accepts the suggestion that is shown.
    Ahead,
}

/// How the machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Machine {
    /// It runs on its battery.
    pub on_battery: bool,
    /// Its processors have more to do than they can.
    pub busy: bool,
}

impl Machine {
    /// Whether only what somebody waits for is worth its power.
    pub fn spares(self) -> bool {
        self.on_battery || self.busy
    }
}

/// What the options allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// Candidates.
    pub candidates: usize,
    /// Tokens of an answer.
    pub max_tokens: usize,
    /// Time for an answer while somebody types.
    pub limit: Duration,
}

/// What the model is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Candidates.
    pub candidates: usize,
    /// Tokens of an answer.
    pub max_tokens: usize,
    /// Time for it.
    pub limit: Duration,
}

/// How long who asks may wait.
pub fn limit(trigger: Trigger, allowed: Allowed) -> Duration {
    match trigger {
        Trigger::ByHand => allowed.limit.max(BY_HAND_TIME),
        Trigger::Typing | Trigger::Ahead => allowed.limit,
    }
}

/// What to ask the model for; `None` where it had better not be asked.
pub fn plan(trigger: Trigger, allowed: Allowed, costs: Costs, machine: Machine) -> Option<Plan> {
    let Allowed { candidates, max_tokens, .. } = allowed;
    let limit = limit(trigger, allowed);
    if trigger == Trigger::ByHand {
        return Some(Plan {
            candidates: candidates.max(BY_HAND),
            max_tokens: max_tokens.saturating_mul(BY_HAND_LENGTH),
            limit,
        });
    }
    // A model that cannot say anything in time had better not begin.
    if costs.per_token().is_some_and(|token| token * LEAST_TOKENS > limit) {
        return None;
    }
    if trigger == Trigger::Ahead {
        return (!machine.spares()).then_some(Plan { candidates: 1, max_tokens, limit });
    }
    // More than one only where even all of them are quick.
    let answer = costs.answer().unwrap_or(limit);
    let quick = |n: &usize| answer.mul_f64(1.0 + ONE_MORE * (n - 1) as f64) * 4 <= limit;
    let candidates =
        if machine.spares() { 1 } else { (2..=candidates).rev().find(quick).unwrap_or(1) };
    Some(Plan { candidates, max_tokens, limit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Usage;

    const ALLOWED: Allowed =
        Allowed { candidates: 4, max_tokens: 64, limit: Duration::from_millis(1500) };
    const RESTED: Machine = Machine { on_battery: false, busy: false };

    /// A model of which an answer of ten tokens takes this long.
    fn taking(milliseconds: u64) -> Costs {
        let generation_time = Duration::from_millis(milliseconds);
        Costs::default().learned(
            &Usage { generated_tokens: 10, generation_time, ..Usage::default() },
            1,
            false,
        )
    }

    fn candidates(costs: Costs, machine: Machine) -> usize {
        plan(Trigger::Typing, ALLOWED, costs, machine).unwrap().candidates
    }

    #[test]
    fn there_are_as_many_candidates_as_time_allows() {
        assert_eq!(candidates(taking(50), RESTED), 4);
        assert_eq!(candidates(taking(250), RESTED), 2);
        assert_eq!(candidates(taking(1000), RESTED), 1);
        assert_eq!(candidates(Costs::default(), RESTED), 1, "nothing is known yet");
    }

    #[test]
    fn a_battery_and_other_work_are_spared() {
        for machine in [Machine { on_battery: true, ..RESTED }, Machine { busy: true, ..RESTED }] {
            assert_eq!(candidates(taking(50), machine), 1);
            assert_eq!(plan(Trigger::Ahead, ALLOWED, taking(50), machine), None);
            let by_hand = plan(Trigger::ByHand, ALLOWED, taking(50), machine).unwrap();
            assert_eq!(by_hand.candidates, 4);
        }
        assert!(plan(Trigger::Ahead, ALLOWED, taking(50), RESTED).is_some());
    }

    #[test]
    fn what_cannot_be_done_in_time_is_not_begun_but_by_hand() {
        let slow = taking(10_000);
        assert_eq!(plan(Trigger::Typing, ALLOWED, slow, RESTED), None);
        assert_eq!(plan(Trigger::Ahead, ALLOWED, slow, RESTED), None);
        let by_hand = plan(Trigger::ByHand, ALLOWED, slow, RESTED).unwrap();
        assert_eq!((by_hand.max_tokens, by_hand.limit), (256, BY_HAND_TIME));
        let few = Allowed { candidates: 1, ..ALLOWED };
        assert_eq!(plan(Trigger::ByHand, few, slow, RESTED).unwrap().candidates, BY_HAND);
    }
}
