//! How likely each identifier of the workspace is to be written next at the cursor.
//!
//! Evidence for an identifier is summed over the items and files that hold it, each weighted by its
//! rank for the cursor, as relevance models do (Lavrenko and Croft, Relevance-Based Language
//! Models, SIGIR 2001); a logistic regression makes one probability of it.

use super::Ranking;
use super::near::Elsewhere;
use super::words::{TermMap, TermSet, hash, parts};
use crate::context::Project;
use crate::workspace::index::Term;

/// So many items and files are evidence, and the identifiers of so many items are looked at.
const ITEMS: usize = 60;
const FILES: usize = 40;
pub(super) const LOOKED_AT: usize = 150;

/// The kinds of evidence.
const SIGNALS: usize = 20;
/// What each says about one identifier.
type Signals = [f32; SIGNALS];

/// In how many files it is.
const FREQUENCY: usize = 0;
/// In how many of the best items, the better ones counting more.
const IN_ITEMS: usize = 1;
/// The best item that has it.
const BEST_ITEM: usize = 2;
/// In files with the same words.
const ALIKE: usize = 3;
/// In files that are imported.
const IMPORTED: usize = 4;
/// In files of the same folder.
const FOLDER: usize = 5;
/// In the file that this one tests, or that tests it.
const PAIRED: usize = 6;
/// In files that were changed together with this one.
const TOGETHER: usize = 7;
/// In files edited or viewed a short while ago.
const RECENT: usize = 8;
/// It is a member of a type that plays a part near the cursor.
const MEMBER: usize = 9;
/// Its parts stand near the cursor.
const PARTS: usize = 10;
/// The rest of the file has it.
const ELSEWHERE: usize = 11;
/// It begins with a capital letter: such names are mostly imported, and so in the file.
const UPPER: usize = 12;
/// Some item has that name.
const DEFINED: usize = 13;
/// It stands between lines like those around the cursor.
const ALIGNED: usize = 14;
/// Other files use it of this one, which does not have it.
const EXPECTED: usize = 15;
/// The square of [`FREQUENCY`]: what is in most files is seldom missing in this one.
const FREQUENT: usize = 16;
/// Most of its parts stand near the cursor.
const MOST_PARTS: usize = 17;
/// Other files import it from this one, or use it as a member of what this one has.
const CLEARLY_EXPECTED: usize = 18;
const BIAS: usize = 19;

/// What an identifier counts that the file has far from the cursor, where a completion can do
/// without: those are many, and a line seldom needs one.
const ELSEWHERE_IN_FILE: f32 = 0.05;

/// Weights by logistic regression (ridge 1) over 2,758 identifiers that a line of eight repositories
/// has, another file too, and nothing else in their own, against one in thirty of the others
/// at these places, each counted thirty times. What is recent is weighted by hand: a repository does
/// not tell it.
#[rustfmt::skip]
const WEIGHTS: Signals = [
    0.617, 0.508, 0.107, 1.313, -0.074, 0.219, 0.084, 0.109, 0.3, 1.319, 0.832, 0.0, -1.052, -0.552, 8.9, 0.779,
    -0.112, 0.944, 3.485, -10.509,
];

/// An identifier that is worth a thought.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) term: Term,
    /// The [`hash`] of its spelling.
    pub(super) word: u64,
    /// How likely it is to be written next.
    pub(super) probability: f32,
}

/// All identifiers that are worth a thought, ascending by term; those that the window around the
/// cursor shows are not among them.
pub(super) fn wanted(ranking: &Ranking<'_>, project: Project<'_>) -> Vec<Wanted> {
    let mut held = evidence(ranking);
    held.note_elsewhere(&ranking.near.elsewhere, project);
    let mut out: Vec<Wanted> = held
        .list
        .into_iter()
        .map(|(term, mut signals)| {
            let word = complete(&mut signals, &held.totals, term, ranking, project);
            Wanted { term, word, probability: probability(&signals) }
        })
        .collect();
    out.sort_unstable_by_key(|one| one.term);
    out
}

/// Adds up what the items, the files and the types found say.
fn evidence(ranking: &Ranking<'_>) -> Held {
    let Ranking { near, files, items, types, aligned, expected, .. } = ranking;
    let mut held = Held::but_for(&near.shown);
    let top = &items[..items.len().min(ITEMS)];
    let best = top.first().map_or(1.0, |item| item.score).max(f32::EPSILON);
    let total: f32 = top.iter().map(|item| weight(item.score / best)).sum();
    for (at, item) in items.iter().take(LOOKED_AT).enumerate() {
        let share = if at < top.len() { item.score / best } else { 0.0 };
        for (term, _) in files[item.file].file.terms_of(item.item) {
            let Some(signals) = held.add(*term) else { continue };
            signals[IN_ITEMS] += weight(share) / total;
            signals[BEST_ITEM] = signals[BEST_ITEM].max(share);
        }
    }
    for (term, weight) in &types.members {
        if let Some(signals) = held.add(*term) {
            signals[MEMBER] = *weight;
        }
    }
    for term in &types.named {
        held.add(*term);
    }
    for (term, fit) in aligned {
        if let Some(signals) = held.add(*term) {
            signals[ALIGNED] = *fit;
        }
    }
    for one in expected {
        if let Some(signals) = held.add(one.term) {
            signals[EXPECTED] = one.weight;
            signals[CLEARLY_EXPECTED] = f32::from(u8::from(one.weight > 0.9));
        }
    }
    for file in files.iter().filter(|file| !file.own).take(FILES) {
        let evidence = [
            (ALIKE, file.alike * file.alike),
            (IMPORTED, file.imported),
            (FOLDER, if file.folder > 0.9 { 1.0 } else { 0.0 }),
            (PAIRED, file.paired),
            (TOGETHER, file.together),
            (RECENT, file.recent),
        ];
        for (kind, weight) in evidence {
            held.totals[kind] += weight;
        }
        for (term, _) in &*file.file.terms {
            let Some(signals) = held.get(*term) else { continue };
            for (kind, weight) in evidence {
                signals[kind] += weight;
            }
        }
    }
    held
}

/// Brings sums to scale and adds what the identifier itself says; returns the hash of its spelling.
fn complete(
    signals: &mut Signals,
    totals: &Signals,
    term: Term,
    ranking: &Ranking<'_>,
    project: Project<'_>,
) -> u64 {
    let Ranking { near, .. } = ranking;
    for kind in [ALIKE, FOLDER, TOGETHER, RECENT] {
        signals[kind] = scaled(20.0 * signals[kind] / totals[kind]);
    }
    for kind in [IMPORTED, PAIRED] {
        signals[kind] = scaled(signals[kind]);
    }
    signals[IN_ITEMS] = scaled(50.0 * signals[IN_ITEMS]);
    let spelling = project.index.spelling(term);
    let word = hash(spelling);
    let (mut common, mut number) = (0.0, 0.0_f32);
    parts(spelling, |part| {
        common += near.parts.get(&part).copied().unwrap_or_default();
        number += 1.0;
    });
    signals[PARTS] = common / number.max(1.0);
    signals[MOST_PARTS] = f32::from(u8::from(signals[PARTS] > 0.5));
    let (all, with) = (project.index.file_count(), project.index.file_frequency(term));
    signals[FREQUENCY] = scaled(1000.0 * with as f32 / all as f32);
    signals[FREQUENT] = signals[FREQUENCY] * signals[FREQUENCY];
    signals[UPPER] = f32::from(u8::from(spelling.starts_with(char::is_uppercase)));
    signals[DEFINED] = f32::from(u8::from(project.index.is_defined(term)));
    signals[BIAS] = 1.0;
    word
}

/// The first of something says more than the next. Most signals of most identifiers are zero.
fn scaled(sum: f32) -> f32 {
    if sum == 0.0 { 0.0 } else { (1.0 + sum).ln() }
}

/// Signals by term, in a list, so that what is searched is small.
struct Held {
    places: TermMap<u32>,
    list: Vec<(Term, Signals)>,
    /// What each kind of evidence of files would be for an identifier in all of them.
    totals: Signals,
}

impl Held {
    /// Where a term is that is not to be held.
    const NOWHERE: u32 = u32::MAX;

    /// Nothing, and never what is `shown`.
    fn but_for(shown: &TermSet) -> Self {
        Self {
            places: shown.iter().map(|term| (*term, Self::NOWHERE)).collect(),
            list: Vec::new(),
            totals: [f32::EPSILON; SIGNALS],
        }
    }

    /// The signals of a term, which is held from now on.
    fn add(&mut self, term: Term) -> Option<&mut Signals> {
        let at = *self.places.entry(term).or_insert_with(|| {
            self.list.push((term, Signals::default()));
            self.list.len() as u32 - 1
        });
        self.list.get_mut(at as usize).map(|(_, signals)| signals)
    }

    /// Notes which terms the rest of the file has.
    fn note_elsewhere(&mut self, elsewhere: &Elsewhere<'_>, project: Project<'_>) {
        match elsewhere {
            Elsewhere::Indexed(file) => {
                for (term, _) in &*file.terms {
                    if let Some(signals) = self.get(*term) {
                        signals[ELSEWHERE] = 1.0;
                    }
                }
            }
            Elsewhere::Read(words) => {
                for (term, signals) in &mut self.list {
                    let has = words.contains(&hash(project.index.spelling(*term)));
                    signals[ELSEWHERE] = f32::from(u8::from(has));
                }
            }
        }
    }

    /// The signals of a term that is held.
    fn get(&mut self, term: Term) -> Option<&mut Signals> {
        let at = *self.places.get(&term)?;
        self.list.get_mut(at as usize).map(|(_, signals)| signals)
    }
}

/// Good items count more than many.
fn weight(share: f32) -> f32 {
    share * share * share
}

/// How likely the identifier is to be written next.
fn probability(signals: &Signals) -> f32 {
    let sum: f32 = signals.iter().zip(WEIGHTS).map(|(signal, weight)| signal * weight).sum();
    let factor = if signals[ELSEWHERE] > 0.0 { ELSEWHERE_IN_FILE } else { 1.0 };
    factor / (1.0 + (-sum).exp())
}
