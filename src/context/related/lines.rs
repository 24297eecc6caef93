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

/// What is known of words, each looked up once: what it says, and its term.
struct Lexicon<'a> {
    project: Project<'a>,
    known: PartMap<(f32, Option<Term>)>,
}

/// A line around the cursor: its words, ascending by hash, with what each says.
type Weighted = Vec<(u64, f32)>;

/// How well the places fit at which ranked items use a term: about 1 where all lines around are the
/// same.
pub(super) fn aligned(
    place: Place<'_>,
    files: &[Candidate<'_>],
    items: &[Ranked],
    project: Project<'_>,
) -> TermMap<f32> {
    let mut lexicon = Lexicon { project, known: PartMap::default() };
    let around = Around::of(place, &mut lexicon);
    let mut fits: TermMap<f32> = TermMap::default();
    let mut alike: Vec<Alike> = Vec::new();
    let others = items.iter().filter(|item| files.get(item.file).is_some_and(|file| !file.own));
    for item in others.take(ITEMS) {
        let file = files[item.file].file;
        let Some(symbol) = file.items.get(item.item) else { continue };
        if symbol.span.len() > MAX_ITEM {
            continue;
        }
        let Some(source) = (project.source)(&file.path) else { continue };
        let text = symbol.span.of(&source).unwrap_or_default();
        let lines: Vec<&str> = text.lines().filter(|line| words(line).next().is_some()).collect();
        alike.clear();
        alike.extend(lines.iter().map(|line| around.alike(line, &mut lexicon)));
        for (line, fit) in lines.into_iter().zip(fits_of(&alike)) {
            if fit < LEAST {
                continue;
            }
            for term in words(line).filter_map(|word| lexicon.of(word, hash(word)).1) {
                let held = fits.entry(term).or_default();
                *held = held.max(fit);
            }
        }
    }
    fits
}

/// The lines around the cursor, nearest first.
struct Around {
    before: Vec<Weighted>,
    after: Vec<Weighted>,
    /// Which of the lines have a word, a bit for each, those before the cursor first.
    having: PartMap<u8>,
}

/// How alike a line is to each of those around the cursor.
#[derive(Default)]
struct Alike {
    before: [f32; BEFORE],
    after: [f32; AFTER],
}

impl Around {
    fn of(place: Place<'_>, lexicon: &mut Lexicon<'_>) -> Self {
        let text = &*place.document.text;
        let start = text.floor_char_boundary(place.span.start);
        let end = text.ceil_char_boundary(place.span.end);
        let before = text.get(..start).unwrap_or_default().rsplit('\n');
        let after = text.get(end..).unwrap_or_default().split('\n');
        let said = |line: &Weighted| !line.is_empty();
        let before = before.map(|line| lexicon.line(line)).filter(said).take(BEFORE).collect();
        let after = after.map(|line| lexicon.line(line)).filter(said).take(AFTER).collect();
        let mut around = Self { before, after, having: PartMap::default() };
        for (at, line) in around.before.iter().enumerate() {
            for (word, _) in line {
                *around.having.entry(*word).or_default() |= 1 << at;
            }
        }
        for (at, line) in around.after.iter().enumerate() {
            for (word, _) in line {
                *around.having.entry(*word).or_default() |= 1 << (BEFORE + at);
            }
        }
        around
    }

    /// Most lines share no word with those here, and need not be looked at further.
    fn alike(&self, line: &str, lexicon: &mut Lexicon<'_>) -> Alike {
        let mut alike = Alike::default();
        let having = words(line).filter_map(|word| self.having.get(&hash(word)));
        let having = having.fold(0, |all, one| all | one);
        if having == 0 {
            return alike;
        }
        let line = lexicon.line(line);
        let likeness = |at: usize, other: &Weighted| {
            if having & 1 << at == 0 { 0.0 } else { overlap(other, &line) }
        };
        for (at, (held, other)) in alike.before.iter_mut().zip(&self.before).enumerate() {
            *held = likeness(at, other);
        }
        for (at, (held, other)) in alike.after.iter_mut().zip(&self.after).enumerate() {
            *held = likeness(BEFORE + at, other);
        }
        alike
    }
}

/// For each line of an item how well it fits to be missing at the cursor, alone or as one of
/// [`MISSING`].
fn fits_of(lines: &[Alike]) -> Vec<f32> {
    let mut fits = vec![0.0_f32; lines.len()];
    for first in 0..lines.len() {
        // The lines from there on would be what is missing.
        let head = lines[..first].iter().rev().enumerate();
        let head = faded(head.map_while(|(at, line)| line.before.get(at).copied()));
        for missing in 1..=MISSING {
            let tail = lines.iter().skip(first + missing).enumerate();
            let tail = faded(tail.map_while(|(at, line)| line.after.get(at).copied()));
            let fit = (head + AFTER_COUNTS * tail) / 4.0;
            for held in fits.iter_mut().skip(first).take(missing) {
                *held = held.max(fit);
            }
        }
    }
    fits
}

/// The sum, the first counting most.
fn faded(alike: impl Iterator<Item = f32>) -> f32 {
    let mut factor = 1.0 / FADE;
    alike
        .map(|one| {
            factor *= FADE;
            factor * one
        })
        .sum()
}

impl Lexicon<'_> {
    /// What a word says, and its term.
    fn of(&mut self, word: &str, hash: u64) -> (f32, Option<Term>) {
        let project = self.project;
        *self.known.entry(hash).or_insert_with(|| {
            let term = project.index.term(word);
            (term.map_or(UNKNOWN, |term| inverse_frequency(project, term)).max(0.1), term)
        })
    }

    fn line(&mut self, text: &str) -> Weighted {
        let mut line: Weighted = words(text)
            .map(|word| {
                let hash = hash(word);
                (hash, self.of(word, hash).0)
            })
            .collect();
        line.sort_unstable_by_key(|(hash, _)| *hash);
        line.dedup_by_key(|(hash, _)| *hash);
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
