//! Which items are shown: the most that is likely to be wanted for each token.
//!
//! Maximum coverage under a budget: an identifier counts once, however often it is shown. The
//! greedy choice by gain per cost, evaluated lazily because gains only fall (Minoux 1978; Leskovec
//! and others, Cost-effective Outbreak Detection in Networks, KDD 2007).

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::hash::BuildHasherDefault;
use std::ops::Range;
use std::sync::Arc;

use super::files::FileMap;
use super::words::NumberHasher;
use crate::text::Span;
use crate::workspace::index::{FileEntry, Symbol};

/// What it costs to close a body and to say that some of it is left out, in tokens.
pub(super) const OMITTED: usize = 6;

/// How much of an item is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// What it declares.
    Signature,
    /// What it declares, with an empty body, where the language does not take it without one.
    Stub,
    /// What it declares and some statements of its body.
    Part,
    /// All of it.
    Whole,
}

/// A statement that may be shown behind the signature of its function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Statement {
    /// Its lines.
    pub(super) span: Span,
    /// The offer of the signature.
    pub(super) head: usize,
}

/// An item, or a statement of one, that may be shown.
#[derive(Debug, Clone)]
pub(super) struct Offer<'a> {
    pub(super) file: &'a Arc<FileEntry>,
    pub(super) item: usize,
    pub(super) form: Form,
    /// The statement, where it is one of a function; the offer before the first of them is then
    /// the function's signature.
    pub(super) statement: Option<Statement>,
    /// Where the list of all that is shown says what it would show: places in a list of weights, each
    /// once.
    pub(super) shows: Range<usize>,
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

/// Chooses from `offers`, which show what `shown` says, within `budget` tokens. `header` is what
/// the first item of a file costs beyond itself.
pub(super) fn choose(
    offers: &[Offer<'_>],
    shown: &[u32],
    wanted: &[f32],
    budget: usize,
    header: &dyn Fn(&FileEntry) -> usize,
) -> Vec<Chosen> {
    let mut state = State {
        offers,
        shown,
        wanted,
        covered: vec![false; wanted.len()],
        files: FileMap::default(),
        held: HashMap::default(),
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
        chosen.retain(|one| !replaced.contains(&one.offer));
        chosen.push(Chosen { offer: entry.offer, score });
    }
    chosen
}

struct State<'o> {
    offers: &'o [Offer<'o>],
    shown: &'o [u32],
    wanted: &'o [f32],
    covered: Vec<bool>,
    /// Files with something shown.
    files: FileMap<Vec<usize>>,
    /// Offers by item.
    held: HashMap<(*const FileEntry, usize), Vec<usize>, BuildHasherDefault<NumberHasher>>,
    header: &'o dyn Fn(&FileEntry) -> usize,
}

impl State<'_> {
    /// Gain per token, and cost, of an offer now.
    fn score(&self, offer: usize) -> (f32, usize) {
        let one = &self.offers[offer];
        let key = Arc::as_ptr(one.file);
        let mut cost = one.tokens;
        let mut head = None;
        match self.held.get(&(key, one.item)).map_or(&[][..], Vec::as_slice) {
            [] => head = one.statement.map(|statement| &self.offers[statement.head]),
            held if held.contains(&offer) => return (0.0, cost),
            held => {
                let most = held.iter().map(|held| self.offers[*held].form).max();
                if most.is_some_and(|most| most > one.form || one.form < Form::Part) {
                    return (0.0, cost);
                }
                if one.form == Form::Whole {
                    let known: usize = held.iter().map(|held| self.offers[*held].tokens).sum();
                    cost = cost.saturating_sub(known).max(1);
                }
            }
        }
        cost += head.map_or(0, |head| head.tokens + OMITTED);
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
        let new = |at: &&u32| !self.covered[**at as usize];
        let weight = |at: &u32| self.wanted[*at as usize];
        let shows = self.shows(one);
        let gain: f32 = shows.iter().filter(new).map(weight).sum();
        let with_head = |head: &Offer<'_>| {
            let others = self.shows(head).iter().filter(|at| !shows.contains(at)).filter(new);
            others.map(weight).sum::<f32>()
        };
        let gain = gain + head.map_or(0.0, with_head);
        if gain <= 0.0 {
            return (0.0, cost);
        }
        (gain / cost as f32, cost)
    }

    /// What an offer shows.
    fn shows(&self, offer: &Offer<'_>) -> &[u32] {
        self.shown.get(offer.shows.clone()).unwrap_or_default()
    }

    /// Shows an offer; returns those that it takes the place of.
    fn take(&mut self, offer: usize) -> Vec<usize> {
        let one = &self.offers[offer];
        let key = Arc::as_ptr(one.file);
        let held = self.held.entry((key, one.item)).or_default();
        let replaced = if one.form == Form::Whole { std::mem::take(held) } else { Vec::new() };
        let head = one.statement.map(|statement| statement.head).filter(|_| held.is_empty());
        let new = [head, Some(offer)];
        held.extend(new.iter().flatten());
        let in_file = self.files.entry(key).or_default();
        in_file.retain(|held| !replaced.contains(held));
        for offer in new.into_iter().flatten() {
            in_file.push(offer);
            for at in &self.shown[self.offers[offer].shows.clone()] {
                self.covered[*at as usize] = true;
            }
        }
        replaced
    }
}
