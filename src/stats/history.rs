//! Counts in all, by day and by model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::counts::{Counts, Event, OTHERS};
use super::day::Day;

/// The version of the file; it changes when a key changes its meaning or goes away.
pub const SCHEMA: u32 = 1;
/// How many days are kept one by one, today among them.
pub const MOST_DAYS: u32 = 30;
/// How many models are kept one by one.
pub const MOST_MODELS: usize = 32;
/// The longest name of a model, in bytes.
const LONGEST_MODEL: usize = 80;

/// Counts in all, by day and by model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The first day; `None` if nothing was counted.
    #[serde(default)]
    pub since: Option<Day>,
    /// Of all days and models.
    #[serde(default)]
    pub total: Counts,
    /// Of the last [`MOST_DAYS`] days on which something was counted.
    #[serde(default)]
    pub days: BTreeMap<Day, Counts>,
    /// By name of the model, of all days.
    #[serde(default)]
    pub models: BTreeMap<String, Counts>,
}

impl Default for History {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            since: None,
            total: Counts::default(),
            days: BTreeMap::new(),
            models: BTreeMap::new(),
        }
    }
}

impl History {
    /// Counts what happened `today`, for a model where one is known.
    pub fn record(&mut self, today: Day, model: Option<&str>, event: Event<'_>) {
        self.since.get_or_insert(today);
        self.total.record(event);
        if !self.days.contains_key(&today) {
            self.forget_days(today);
        }
        self.days.entry(today).or_default().record(event);
        let Some(model) = model else { return };
        if let Some(counts) = self.models.get_mut(model) {
            counts.record(event);
        } else {
            let mut counts = Counts::default();
            counts.record(event);
            self.add_model(model, &counts);
        }
    }

    /// Adds what another has counted, as of `today`: older days than are kept, and days that have
    /// not come yet (a clock was wrong), stay in the total alone.
    pub fn merge(&mut self, other: &Self, today: Day) {
        self.since = [self.since, other.since].into_iter().flatten().min();
        self.total.merge(&other.total);
        for (day, counts) in &other.days {
            self.days.entry(*day).or_default().merge(counts);
        }
        self.forget_days(today);
        for (model, counts) in &other.models {
            self.add_model(model, counts);
        }
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.since.is_none()
    }

    /// The sum of the last `days` days, `today` among them.
    pub fn last_days(&self, days: u32, today: Day) -> Counts {
        let mut sum = Counts::default();
        for (_, counts) in self.days.range(today.before(days.saturating_sub(1))..) {
            sum.merge(counts);
        }
        sum
    }

    /// Keeps the last days. Another machine's clock, or midnight, may be a day ahead.
    fn forget_days(&mut self, today: Day) {
        let kept = today.before(MOST_DAYS - 1)..=today.next();
        self.days.retain(|day, _| kept.contains(day));
    }

    /// Adds to a model; when there are too many, the one with the fewest answers joins the others.
    fn add_model(&mut self, model: &str, counts: &Counts) {
        self.models.entry(model_name(model)).or_default().merge(counts);
        while self.models.len() > MOST_MODELS {
            let answers =
                |counts: &Counts| counts.cache_hits().saturating_add(counts.cache_misses());
            let named = self.models.iter().filter(|(name, _)| *name != OTHERS);
            let least = named.min_by_key(|(_, counts)| answers(counts));
            let Some(least) = least.map(|(name, _)| name.clone()) else { return };
            let counts = self.models.remove(&least).unwrap_or_default();
            self.models.entry(OTHERS.to_owned()).or_default().merge(&counts);
        }
    }
}

/// A model's name without the folders it lies in and without its ending; short.
pub fn model_name(name: &str) -> String {
    let plain: String = name.chars().filter(|c| !c.is_control()).collect();
    let last = plain.rsplit(['/', '\\']).next().unwrap_or_default();
    let short = last.get(..last.floor_char_boundary(LONGEST_MODEL)).unwrap_or_default();
    let short = short.trim_end_matches(".gguf");
    if short.is_empty() { OTHERS } else { short }.to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SHOWN: Event<'static> = Event::Shown {
        characters: 3,
        lines: 1,
        latency: Duration::from_millis(100),
        from_cache: false,
        again: false,
    };

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn an_event_counts_in_all_for_its_day_and_for_its_model() {
        let mut history = History::default();
        assert!(history.is_empty());
        let (one, two) = (day("2026-11-21"), day("2026-11-22"));
        history.record(one, Some("/srv/secret-project/tiny.gguf"), SHOWN);
        history.record(two, Some("tiny"), SHOWN);
        history.record(two, None, SHOWN);
        assert_eq!((history.since, history.total.shown), (Some(one), 3));
        assert_eq!((history.days[&one].shown, history.days[&two].shown), (1, 2));
        assert_eq!(history.models.keys().collect::<Vec<_>>(), ["tiny"]);
        assert_eq!(history.models["tiny"].shown, 2);
        assert_eq!((history.last_days(1, two).shown, history.last_days(2, two).shown), (2, 3));
    }

    #[test]
    fn days_long_past_and_days_to_come_stay_in_the_total_alone() {
        let mut history = History::default();
        let today = day("2026-11-22");
        for late in [0, 29, 30, 400] {
            let mut other = History::default();
            other.record(today.before(late), None, SHOWN);
            history.merge(&other, today);
        }
        let mut ahead = History::default();
        ahead.record(day("2099-01-01"), None, SHOWN);
        history.merge(&ahead, today);
        assert_eq!(history.total.shown, 5);
        assert_eq!(history.days.keys().collect::<Vec<_>>(), [&today.before(29), &today]);
        assert_eq!(history.since, Some(today.before(400)));
    }

    #[test]
    fn models_beyond_those_kept_are_summed_up() {
        let mut history = History::default();
        let today = day("2026-11-22");
        for number in 0..100 {
            history.record(today, Some(&format!("model {number}")), SHOWN);
            history.record(today, Some("often used"), SHOWN);
        }
        assert_eq!(history.models.len(), MOST_MODELS);
        assert_eq!(history.models["often used"].shown, 100);
        assert_eq!(history.models.values().map(|counts| counts.shown).sum::<u64>(), 200);
    }

    #[test]
    fn a_models_name_is_short_and_tells_no_folder() {
        for (name, told) in [
            ("builtin", "builtin"),
            ("qwen2.5-coder:7b", "qwen2.5-coder:7b"),
            ("C:\\Users\\ann\\m.gguf", "m"),
            ("", OTHERS),
            ("x/", OTHERS),
            ("a\nb", "ab"),
            ("m.gguf.gguf", "m"),
        ] {
            assert_eq!(model_name(name), told);
            assert_eq!(model_name(told), told);
        }
        assert_eq!(model_name(&"é".repeat(99)), "é".repeat(LONGEST_MODEL / 2));
    }
}
