//! What is kept from one suggestion to the next: the prompt that the next one goes on from, and how
//! fast the model reads.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tower_lsp::lsp_types::Url;

use crate::engine::{ModelInfo, Usage};
use crate::prompt::anchor::Anchor;
use crate::prompt::pace::Pace;
use crate::task::complete;

/// What is kept.
#[derive(Debug, Default)]
pub(super) struct Prompts {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The last prompt in each open document.
    anchors: HashMap<String, Anchor>,
    /// How fast the model of that name reads.
    pace: Option<(String, Pace)>,
}

impl Prompts {
    /// The last prompt in a document.
    pub(super) fn anchor(&self, uri: &Url) -> Option<Anchor> {
        self.state().anchors.get(uri.as_str()).cloned()
    }

    /// Keeps the last prompt in a document.
    pub(super) fn keep(&self, uri: &Url, anchor: Option<Anchor>) {
        let mut state = self.state();
        match anchor {
            Some(anchor) => state.anchors.insert(uri.as_str().to_owned(), anchor),
            None => state.anchors.remove(uri.as_str()),
        };
    }

    /// Forgets a document that was closed.
    pub(super) fn forget(&self, uri: &Url) {
        self.keep(uri, None);
    }

    /// How long a prompt the model reads within `latency`, in tokens.
    pub(super) fn fitting(&self, info: &ModelInfo, latency: Duration) -> usize {
        let mut state = self.state();
        let (budget, pace) = state.pace_of(info).budget(latency);
        state.pace = Some((info.name.clone(), pace));
        budget
    }

    /// Learns from what an answer took.
    pub(super) fn learn(&self, info: &ModelInfo, usage: &Usage) {
        let mut state = self.state();
        let read = usage.prompt_tokens.saturating_sub(usage.cached_tokens);
        let pace = state.pace_of(info).learned(read, usage.prompt_time);
        state.pace = Some((info.name.clone(), pace));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pace_of(&self, info: &ModelInfo) -> Pace {
        let known = self.pace.as_ref().filter(|(name, _)| *name == info.name);
        known.map_or_else(|| complete::pace(info), |(_, pace)| *pace)
    }
}
