//! Lines of ranked items that stand where the cursor would be: between lines like those around it.

use std::cmp::Ordering;

use super::Place;
use super::files::{Candidate, inverse_frequency};
use super::items::Ranked;
use super::words::{PartMap, TermMap, hash, words};
use crate::context::Project;
use crate::workspace::index::Term;

/// So many items are looked into.
const ITEMS: usize = 16;
/// An item with more text is not looked into, in bytes.
const MAX_ITEM: usize = 8000;
/// So many lines before and after the cursor are compared.
const BEFORE: usize = 4;
const AFTER: usize = 3;
/// What each further line counts, and what those after the cursor count.
const FADE: f32 = 0.6;
const AFTER_COUNTS: f32 = 0.8;
/// At most so many lines may be missing between those before and those after the cursor.
const MISSING: usize = 2;
/// A place that fits less says nothing.
const LEAST: f32 = 0.05;
/// What a word says that no file has.
const UNKNOWN: f32 = 0.3;

/// A line of text.
struct Line {
    /// Its words, as hashes, ascending, with what each says.
    words: Vec<(u64, f32)>,
    /// Those of its words that the index knows.
    terms: Vec<Term>,
}

/// What is known of words, each looked up once.
struct Lexicon<'a> {
    project: Project<'a>,
    known: PartMap<(f32, Option<Term>)>,
}

/// How well the places fit at which ranked items use a term: about 1 where all lines around are the
/// same.
pub(super) fn aligned(
    place: Place<'_>,
    files: &[Candidate<'_>],
    items: &[Ranked],
    project: Project<'_>,
) -> TermMap<f32> {
    let text = &*place.document.text;
    let start = text.floor_char_boundary(place.span.start);
    let end = text.ceil_char_boundary(place.span.end);
    let before = text.get(..start).unwrap_or_default().rsplit('\n');
    let after = text.get(end..).unwrap_or_default().split('\n');
    let said = |line: &Line| !line.words.is_empty();
    let mut lexicon = Lexicon { project, known: PartMap::default() };
    let before: Vec<Line> =
        before.map(|text| lexicon.line(text)).filter(said).take(BEFORE).collect();
    let after: Vec<Line> = after.map(|text| lexicon.line(text)).filter(said).take(AFTER).collect();

    let mut fits: TermMap<f32> = TermMap::default();
    let others = items.iter().filter(|item| files.get(item.file).is_some_and(|file| !file.own));
    for item in others.take(ITEMS) {
        let file = files[item.file].file;
        let Some(symbol) = file.items.get(item.item) else { continue };
        if symbol.span.len() > MAX_ITEM {
            continue;
        }
        let Some(source) = (project.source)(&file.path) else { continue };
        let text = symbol.span.of(&source).unwrap_or_default();
        let lines: Vec<Line> = text.lines().map(|text| lexicon.line(text)).filter(said).collect();
        let tails: Vec<f32> = (0..=lines.len() + MISSING)
            .map(|from| similarity(&after, lines.get(from..).unwrap_or_default().iter()))
            .collect();
        for gap in 0..=lines.len() {
            // The lines from `gap` on would be what is missing.
            let head = lines.get(..gap).unwrap_or_default().iter().rev();
            let head = similarity(&before, head);
            for missing in 1..=MISSING {
                let fit = (head + AFTER_COUNTS * tails[gap + missing]) / 4.0;
                if fit < LEAST {
                    continue;
                }
                for term in lines.iter().skip(gap).take(missing).flat_map(|line| &line.terms) {
                    let held = fits.entry(*term).or_default();
                    *held = held.max(fit);
                }
            }
        }
    }
    fits
}

/// How alike lines are, one by one, the first counting most.
fn similarity<'l>(lines: &[Line], others: impl Iterator<Item = &'l Line>) -> f32 {
    let mut factor = 1.0 / FADE;
    lines
        .iter()
        .zip(others)
        .map(|(line, other)| {
            factor *= FADE;
            factor * overlap(&line.words, &other.words)
        })
        .sum()
}

impl Lexicon<'_> {
    fn line(&mut self, text: &str) -> Line {
        let mut line = Line { words: Vec::new(), terms: Vec::new() };
        for word in words(text) {
            let hash = hash(word);
            let project = self.project;
            let (weight, term) = *self.known.entry(hash).or_insert_with(|| {
                let term = project.index.term(word);
                (term.map_or(UNKNOWN, |term| inverse_frequency(project, term)).max(0.1), term)
            });
            line.words.push((hash, weight));
            line.terms.extend(term);
        }
        line.words.sort_unstable_by_key(|(hash, _)| *hash);
        line.words.dedup_by_key(|(hash, _)| *hash);
        line
    }
}

/// Weighted overlap of two lines (Jaccard).
fn overlap(a: &[(u64, f32)], b: &[(u64, f32)]) -> f32 {
    let (mut common, mut all) = (0.0, 0.0);
    let (mut i, mut j) = (0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        match x.0.cmp(&y.0) {
            Ordering::Equal => {
                common += x.1;
                all += x.1;
                i += 1;
                j += 1;
            }
            Ordering::Less => {
                all += x.1;
                i += 1;
            }
            Ordering::Greater => {
                all += y.1;
                j += 1;
            }
        }
    }
    all += a.iter().skip(i).chain(b.iter().skip(j)).map(|(_, weight)| weight).sum::<f32>();
    if all > 0.0 { common / all } else { 0.0 }
}
