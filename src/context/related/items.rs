//! Items ranked for the cursor.

use super::files::{Candidate, inverse_frequency};
use super::near::Near;
use super::words::{Sieve, TermMap, parts};
use crate::context::Project;
use crate::context::outside::Outside;
use crate::syntax::outline::ItemKind;

/// The length of an item that is neither rewarded nor punished, in distinct terms.
const MEAN_LENGTH: f32 = 22.0;
/// The same name as the function around the cursor.
const SAME_NAME: f32 = 6.0;
/// Names with all parts in common.
const ALIKE_NAME: f32 = 4.0;

/// An item of a candidate file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    /// The file's place among the candidates.
    pub(super) file: usize,
    /// The item's place in its file.
    pub(super) item: usize,
    pub(super) score: f32,
}

/// The items of `files` by BM25 of the words near the cursor over the identifiers they use, helped
/// by their names and their files, best first.
pub(super) fn ranked(
    files: &[Candidate<'_>],
    near: &Near<'_>,
    project: Project<'_>,
) -> Vec<Ranked> {
    let weights: TermMap<f32> = near
        .terms
        .iter()
        .map(|(term, weight)| (*term, weight * inverse_frequency(project, *term)))
        .collect();
    let sieve = Sieve::of(weights.keys());
    let name = near.function.map(|function| function.name.as_str());
    let mut name_parts: Vec<u64> = Vec::new();
    parts(name.unwrap_or_default(), |part| name_parts.push(part));

    let mut out = Vec::new();
    for (at, candidate) in files.iter().enumerate() {
        let boost = 1.0
            + 0.3 * candidate.imported
            + 0.4 * candidate.paired
            + 0.3 * candidate.together
            + 0.3 * candidate.folder
            + 0.3 * candidate.recent;
        let mut outside = Outside::default();
        for (item, symbol) in candidate.file.items.iter().enumerate() {
            if !outside.holds(symbol.kind, symbol.span) || symbol.kind == ItemKind::Module {
                continue;
            }
            if candidate.own && symbol.span.overlaps(near.window) {
                continue;
            }
            let terms = candidate.file.terms_of(item);
            let norm = 1.2 * (0.3 + 0.7 * terms.len() as f32 / MEAN_LENGTH);
            let mut score = 0.0;
            for (term, count) in terms.iter().filter(|(term, _)| sieve.may_hold(*term)) {
                if let Some(weight) = weights.get(term) {
                    let count = *count as f32;
                    score += weight * count * 2.2 / (count + norm);
                }
            }
            if let Some(name) = name {
                score += alike_name(name, &name_parts, &symbol.name);
            }
            if score > 0.0 {
                out.push(Ranked { file: at, item, score: score * boost });
            }
        }
    }
    out.sort_unstable_by(|a, b| {
        b.score.total_cmp(&a.score).then_with(|| (a.file, a.item).cmp(&(b.file, b.item)))
    });
    out
}

fn alike_name(name: &str, name_parts: &[u64], other: &str) -> f32 {
    if name == other {
        return SAME_NAME;
    }
    let (mut common, mut all) = (0, name_parts.len());
    parts(other, |part| {
        if name_parts.contains(&part) {
            common += 1;
        } else {
            all += 1;
        }
    });
    if common == 0 { 0.0 } else { ALIKE_NAME * common as f32 / all as f32 }
}
