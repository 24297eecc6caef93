//! Counting what becomes of suggestions, on this machine alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::config::places;
use crate::stats::watch::Watch;
use crate::stats::{Event, Stats};
use crate::text::diff;

/// How readily suggestions are taken, before anything is known of it.
const FIRST: f32 = 0.4;
/// Weight of the latest suggestion against those before it.
const LATEST: f32 = 0.2;

/// The counts, and what is followed to make them.
#[derive(Default)]
pub(super) struct Tally {
    stats: OnceLock<Arc<Stats>>,
    followed: Mutex<Followed>,
}

struct Followed {
    /// By document.
    watches: HashMap<String, Watch>,
    /// How readily suggestions were taken of late, from 0 to 1.
    taken: f32,
}

impl Default for Followed {
    fn default() -> Self {
        Self { watches: HashMap::new(), taken: FIRST }
    }
}

/// An answer to a request for suggestions.
pub(super) struct Answer<'a> {
    /// What is added to the document, the best first.
    pub(super) texts: Vec<&'a str>,
    /// Where.
    pub(super) offset: usize,
    /// From request to answer.
    pub(super) latency: Duration,
    /// Whether it was known, without the model.
    pub(super) from_cache: bool,
}

impl Tally {
    /// Counts, or not, from now on.
    pub(super) fn set_enabled(&self, enabled: bool) {
        // No file is opened before something is counted.
        if enabled || self.stats.get().is_some() {
            self.stats.get_or_init(|| Stats::open(places::stats(), enabled)).set_enabled(enabled);
        }
    }

    /// Names the model that answers.
    pub(super) fn set_model(&self, name: &str) {
        if let Some(stats) = self.stats.get() {
            stats.set_model(name);
        }
    }

    /// Takes note of an answer for a document.
    pub(super) fn answered(&self, document: &str, answer: &Answer<'_>) {
        let Answer { texts, offset, latency, from_cache } = answer;
        let mut followed = self.followed();
        let watch = followed.watches.entry(document.to_owned()).or_default();
        let events = watch.answered(texts, *offset, *latency, *from_cache);
        self.take(&mut followed, &events);
    }

    /// Takes note of a change of a document.
    pub(super) fn edited(&self, document: &str, old: &str, new: &str) {
        let mut followed = self.followed();
        let Some(watch) = followed.watches.get_mut(document) else { return };
        if let Some(edit) = diff::replacement(old, new) {
            let events = watch.edited(&edit, new, Instant::now());
            self.take(&mut followed, &events);
        }
    }

    /// Takes note that a document was closed.
    pub(super) fn closed(&self, document: &str) {
        let mut followed = self.followed();
        if let Some(watch) = followed.watches.remove(document) {
            let events = watch.close(Instant::now());
            self.take(&mut followed, &events);
        }
    }

    /// Counts something that no document need be followed for.
    pub(super) fn record(&self, event: Event<'_>) {
        if let Some(stats) = self.stats.get() {
            stats.record(event);
        }
    }

    /// Whether suggestions were taken often enough of late that the next one is worth its power
    /// before this one is.
    pub(super) fn often_taken(&self) -> bool {
        self.followed().taken >= FIRST / 2.0
    }

    /// Writes what was counted. Waits for the disk.
    pub(super) fn end(&self) {
        let documents: Vec<String> = self.followed().watches.keys().cloned().collect();
        for document in &documents {
            self.closed(document);
        }
        if let Some(stats) = self.stats.get() {
            stats.flush();
        }
    }

    fn take(&self, followed: &mut Followed, events: &[Event<'static>]) {
        for event in events {
            followed.taken = match event {
                Event::Shown { again: false, .. } => followed.taken * (1.0 - LATEST),
                Event::Accepted { .. } => (followed.taken + LATEST).min(1.0),
                _ => followed.taken,
            };
            self.record(*event);
        }
    }

    fn followed(&self) -> MutexGuard<'_, Followed> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(tally: &Tally, text: &str) {
        let texts = vec![text];
        let latency = Duration::from_millis(1);
        tally.answered("a", &Answer { texts, offset: 4, latency, from_cache: false });
    }

    #[test]
    fn whoever_takes_none_is_soon_known_for_it_and_whoever_takes_some_too() {
        let tally = Tally::default();
        assert!(tally.often_taken(), "nothing is known");
        for _ in 0..5 {
            shown(&tally, "total");
            tally.edited("a", "x = ", "x = y");
            tally.edited("a", "x = y", "x = ");
        }
        assert!(!tally.often_taken());
        for _ in 0..3 {
            shown(&tally, "total");
            tally.edited("a", "x = ", "x = total");
            tally.edited("a", "x = total", "x = ");
        }
        assert!(tally.often_taken());
        tally.closed("a");
        tally.edited("a", "x = ", "x = y");
    }
}
