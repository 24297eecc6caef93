//! What is kept from one suggestion to the next: the prompt that the next one goes on from, what
//! the user worked on, and how fast the model reads.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tower_lsp::lsp_types::Url;

use crate::engine::{ModelInfo, Usage};
use crate::prompt::anchor::Anchor;
use crate::prompt::pace::Pace;
use crate::task::complete;

/// So many files count as worked on lately.
const MOST_RECENT: usize = 16;

/// What is kept.
#[derive(Debug, Default)]
pub(super) struct Prompts {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The last prompt in each open document.
    anchors: HashMap<String, Anchor>,
    /// How often all were forgotten.
    epoch: u64,
    /// The last prompt of all.
    last: Option<Anchor>,
    /// What the editor calls the language of each open document.
    languages: HashMap<String, String>,
    /// Files opened and edited, latest first.
    recent: VecDeque<PathBuf>,
    /// How fast the model of that name reads.
    pace: Option<(String, Pace)>,
}

impl Prompts {
    /// The last prompt in a document, or in any other where there was none in it: the order of its
    /// excerpts is worth keeping.
    pub(super) fn anchor(&self, uri: &Url) -> Option<Anchor> {
        let state = self.state();
        state.anchors.get(uri.as_str()).or(state.last.as_ref()).cloned()
    }

    /// Tells before a prompt is made whether it may be kept.
    pub(super) fn epoch(&self) -> u64 {
        self.state().epoch
    }

    /// Keeps the last prompt in a document; not one that was begun before all were forgotten.
    pub(super) fn keep(&self, uri: &Url, anchor: Option<Anchor>, epoch: u64) {
        let mut state = self.state();
        if epoch != state.epoch {
            return;
        }
        if anchor.is_some() {
            state.last.clone_from(&anchor);
        }
        match anchor {
            Some(anchor) => state.anchors.insert(uri.as_str().to_owned(), anchor),
            None => state.anchors.remove(uri.as_str()),
        };
    }

    /// Forgets every prompt: none may be gone on from.
    pub(super) fn renew(&self) {
        let mut state = self.state();
        state.epoch += 1;
        state.anchors.clear();
        state.last = None;
    }

    /// Takes note of a document that was opened, in what the editor calls this language.
    pub(super) fn opened(&self, uri: &Url, language: String, path: &Path) {
        self.state().languages.insert(uri.as_str().to_owned(), language);
        self.touched(path);
    }

    /// Takes note of a file that was looked at or edited.
    pub(super) fn touched(&self, path: &Path) {
        let recent = &mut self.state().recent;
        if recent.front().is_some_and(|latest| latest == path) || path.is_relative() {
            return;
        }
        recent.retain(|known| known != path);
        recent.push_front(path.to_owned());
        recent.truncate(MOST_RECENT);
    }

    /// The files below `root` that were looked at or edited, relative to it, latest first, without
    /// the one at `except`.
    pub(super) fn recent(&self, root: &Path, except: &Path) -> Vec<PathBuf> {
        let state = self.state();
        let others = state.recent.iter().filter(|path| *path != except);
        others.filter_map(|path| path.strip_prefix(root).ok().map(Path::to_owned)).collect()
    }

    /// What the editor calls the language of a document.
    pub(super) fn language(&self, uri: &Url) -> Option<String> {
        self.state().languages.get(uri.as_str()).cloned()
    }

    /// Forgets a document that was closed.
    pub(super) fn forget(&self, uri: &Url) {
        let mut state = self.state();
        state.anchors.remove(uri.as_str());
        state.languages.remove(uri.as_str());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_files_of_a_project_come_first_and_without_the_one_at_hand() {
        let prompts = Prompts::default();
        for path in ["/p/a.rs", "/p/b.rs", "/q/c.rs", "/p/a.rs", "untitled", "/p/d.rs"] {
            prompts.touched(Path::new(path));
        }
        let recent = prompts.recent(Path::new("/p"), Path::new("/p/d.rs"));
        assert_eq!(recent, ["a.rs", "b.rs"].map(PathBuf::from));
        (0..40).for_each(|number| prompts.touched(&PathBuf::from(format!("/p/{number}.rs"))));
        assert_eq!(prompts.recent(Path::new("/p"), Path::new("/")).len(), MOST_RECENT);
    }
}
