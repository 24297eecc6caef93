//! Which items are shown: the most that is likely to be wanted for each token.
//!
//! Maximum coverage under a budget: an identifier counts once, however often it is shown. The
//! greedy choice by gain per cost, evaluated lazily because gains only fall (Minoux 1978; Leskovec
//! and others, Cost-effective Outbreak Detection in Networks, KDD 2007).

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use super::files::FileMap;
use super::words::NumberHasher;
use crate::workspace::index::{FileEntry, Symbol};

/// How much of an item is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// What it declares.
    Signature,
    /// What it declares, with an empty body, where the language does not take it without one.
    Stub,
    /// All of it.
    Whole,
}

/// An item that may be shown.
#[derive(Debug, Clone)]
pub(super) struct Offer<'a> {
    pub(super) file: &'a Arc<FileEntry>,
    pub(super) item: usize,
    pub(super) form: Form,
    /// What it would show, each once, as places in a list of weights.
    pub(super) shows: Vec<u32>,
    /// What it costs by itself.
    pub(super) tokens: usize,
}

impl<'a> Offer<'a> {
    pub(super) fn symbol(&self) -> &'a Symbol {
        &self.file.items[self.item]
    }
}

/// What was chosen: which offer, and its gain per token when it was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chosen {
    pub(super) offer: usize,
    pub(super) score: f32,
}

/// Entry of the heap.
struct Entry {
    score: f32,
    offer: usize,
    round: usize,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.offer.cmp(&self.offer))
    }
}

/// Chooses from `offers` within `budget` tokens. `header` is what the first item of a file costs
/// beyond itself.
pub(super) fn choose(
    offers: &[Offer<'_>],
    wanted: &[f32],
    budget: usize,
    header: &dyn Fn(&FileEntry) -> usize,
) -> Vec<Chosen> {
    let mut state = State {
        offers,
        wanted,
        covered: vec![false; wanted.len()],
        files: FileMap::default(),
        shown: HashMap::default(),
        header,
    };
    let mut heap: BinaryHeap<Entry> = (0..offers.len())
        .map(|offer| Entry { score: state.score(offer).0, offer, round: 0 })
        .collect();
    let (mut left, mut round) = (budget, 0);
    let mut chosen: Vec<Chosen> = Vec::new();
    while let Some(entry) = heap.pop() {
        if entry.score <= 0.0 {
            break;
        }
        let (score, cost) = state.score(entry.offer);
        if entry.round < round && heap.peek().is_some_and(|next| next.score > score) {
            heap.push(Entry { score, round, ..entry });
            continue;
        }
        if score <= 0.0 || cost > left {
            continue;
        }
        left -= cost;
        round += 1;
        let replaced = state.take(entry.offer);
        chosen.retain(|one| Some(one.offer) != replaced);
        chosen.push(Chosen { offer: entry.offer, score });
    }
    chosen
}

struct State<'o> {
    offers: &'o [Offer<'o>],
    wanted: &'o [f32],
    covered: Vec<bool>,
    /// Files with something shown.
    files: FileMap<Vec<usize>>,
    /// Offers by item.
    shown: HashMap<(*const FileEntry, usize), usize, BuildHasherDefault<NumberHasher>>,
    header: &'o dyn Fn(&FileEntry) -> usize,
}

impl State<'_> {
    /// Gain per token, and cost, of an offer now.
    fn score(&self, offer: usize) -> (f32, usize) {
        let one = &self.offers[offer];
        let key = Arc::as_ptr(one.file);
        let mut cost = one.tokens;
        if let Some(held) = self.shown.get(&(key, one.item)) {
            if self.offers[*held].form >= one.form {
                return (0.0, cost);
            }
            cost = cost.saturating_sub(self.offers[*held].tokens).max(1);
        }
        match self.files.get(&key) {
            None => cost += (self.header)(one.file),
            Some(others) => {
                let span = one.symbol().span;
                for other in others {
                    let other = &self.offers[*other];
                    let theirs = other.symbol().span;
                    let inside = other.item != one.item
                        && ((other.form == Form::Whole && theirs.covers(span))
                            || (one.form == Form::Whole && span.covers(theirs)));
                    if inside {
                        return (0.0, cost);
                    }
                }
            }
        }
        let gain: f32 = one
            .shows
            .iter()
            .filter(|at| !self.covered[**at as usize])
            .map(|at| self.wanted[*at as usize])
            .sum();
        if gain <= 0.0 {
            return (0.0, cost);
        }
        (gain / cost as f32, cost)
    }

    /// Shows an offer; returns the one it takes the place of.
    fn take(&mut self, offer: usize) -> Option<usize> {
        let one = &self.offers[offer];
        let key = Arc::as_ptr(one.file);
        for at in &one.shows {
            self.covered[*at as usize] = true;
        }
        let replaced = self.shown.insert((key, one.item), offer);
        let in_file = self.files.entry(key).or_default();
        in_file.retain(|held| Some(*held) != replaced);
        in_file.push(offer);
        replaced
    }
}
