//! How likely each identifier of the workspace is to be written next at the cursor.
//!
//! Evidence for an identifier is summed over the items and files that hold it, each weighted by its
//! rank for the cursor, as relevance models do (Lavrenko and Croft, Relevance-Based Language
//! Models, SIGIR 2001); a logistic regression makes one probability of it.

use super::files::Candidate;
use super::items::Ranked;
use super::near::Near;
use super::types::Types;
use super::words::{TermMap, parts};
use crate::context::Project;
use crate::workspace::index::Term;

/// So many items and files are evidence.
const ITEMS: usize = 60;
const FILES: usize = 40;

/// The kinds of evidence.
pub(super) const SIGNALS: usize = 18;
/// What each says about one identifier.
pub(super) type Signals = [f32; SIGNALS];

const FREQUENCY: usize = 0;
const IN_ITEMS: usize = 1;
const BEST_ITEM: usize = 2;
const ALIKE: usize = 3;
const IMPORTED: usize = 4;
const FOLDER: usize = 5;
const PAIRED: usize = 6;
const TOGETHER: usize = 7;
const RECENT: usize = 8;
const MEMBER: usize = 9;
const PARTS: usize = 10;
const ELSEWHERE: usize = 11;
const UPPER: usize = 12;
const LENGTH: usize = 13;
const IN_ITEMS_FLAT: usize = 14;
const DEFINED: usize = 15;
const RANK: usize = 16;
const BIAS: usize = 17;

/// What an identifier counts that the file has far from the cursor, where a completion can do
/// without: those are many, and a line seldom needs one.
const ELSEWHERE_IN_FILE: f32 = 0.1;

/// Weights by logistic regression over the lines of two repositories that have an identifier which
/// is in another file and nowhere else in their own.
#[rustfmt::skip]
const WEIGHTS: Signals = [
    -0.068, 0.800, 0.383, 1.556, -0.137, 0.215, 0.199, -0.058, 0.000, 1.476, 1.555, 0.000, -0.605, 0.069, 0.023, -0.499, 0.681, -10.304,
];

/// The signals of all identifiers that are worth a thought; those that the window around the
/// cursor shows are not among them.
pub(super) fn signals(
    files: &[Candidate<'_>],
    items: &[Ranked],
    types: &Types<'_>,
    near: &Near<'_>,
    project: Project<'_>,
) -> Vec<(Term, Signals)> {
    let mut held: TermMap<Signals> = TermMap::default();
    let top = &items[..items.len().min(ITEMS)];
    let best = top.first().map_or(1.0, |item| item.score).max(f32::EPSILON);
    let total: f32 = top.iter().map(|item| weight(item.score / best)).sum();
    for (rank, item) in top.iter().enumerate() {
        let share = item.score / best;
        for (term, _) in files[item.file].file.terms_of(item.item) {
            let signals = held.entry(*term).or_default();
            signals[IN_ITEMS] += weight(share) / total;
            signals[BEST_ITEM] = signals[BEST_ITEM].max(share);
            signals[RANK] = signals[RANK].max(1.0 / (2.0 + rank as f32));
            signals[IN_ITEMS_FLAT] += 1.0 / top.len() as f32;
        }
    }
    let mut totals: Signals = [f32::EPSILON; SIGNALS];
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
            totals[kind] += weight;
        }
        for (term, _) in &*file.file.terms {
            let signals = held.entry(*term).or_default();
            for (kind, weight) in evidence {
                signals[kind] += weight;
            }
        }
    }
    for (term, weight) in &types.members {
        held.entry(*term).or_default()[MEMBER] = *weight;
    }
    for (term, count) in &near.elsewhere {
        held.entry(*term).or_default()[ELSEWHERE] = (1.0 + *count as f32).ln();
    }

    let all = project.index.file_count() as f32;
    let mut out: Vec<(Term, Signals)> = held
        .into_iter()
        .filter(|(term, _)| !near.shown.contains_key(term))
        .map(|(term, mut signals)| {
            for kind in [ALIKE, FOLDER, TOGETHER, RECENT] {
                signals[kind] = (1.0 + 20.0 * signals[kind] / totals[kind]).ln();
            }
            signals[IMPORTED] = (1.0 + signals[IMPORTED]).ln();
            signals[PAIRED] = (1.0 + signals[PAIRED]).ln();
            signals[IN_ITEMS] = (1.0 + 50.0 * signals[IN_ITEMS]).ln();
            signals[IN_ITEMS_FLAT] = (1.0 + 50.0 * signals[IN_ITEMS_FLAT]).ln();
            let spelling = project.index.spelling(term);
            let (mut common, mut number) = (0.0, 0.0_f32);
            parts(spelling, |part| {
                common += near.parts.get(&part).copied().unwrap_or_default();
                number += 1.0;
            });
            signals[PARTS] = common / number.max(1.0);
            signals[FREQUENCY] =
                (1.0 + 1000.0 * project.index.file_frequency(term) as f32 / all).ln();
            signals[UPPER] = f32::from(u8::from(spelling.starts_with(char::is_uppercase)));
            signals[DEFINED] = f32::from(u8::from(project.index.named(spelling).next().is_some()));
            signals[LENGTH] = (spelling.len() as f32).ln();
            signals[BIAS] = 1.0;
            (term, signals)
        })
        .filter(|(term, _)| project.index.spelling(*term).len() >= 3)
        .collect();
    // The order of the map is not that of a run.
    out.sort_unstable_by_key(|(term, _)| *term);
    out
}

/// Good items count more than many.
fn weight(share: f32) -> f32 {
    share * share * share
}

/// How likely the identifier is to be written next.
pub(super) fn probability(signals: &Signals) -> f32 {
    let sum: f32 = signals.iter().zip(WEIGHTS).map(|(signal, weight)| signal * weight).sum();
    let factor = if signals[ELSEWHERE] > 0.0 { ELSEWHERE_IN_FILE } else { 1.0 };
    factor / (1.0 + (-sum).exp())
}
