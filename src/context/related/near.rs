//! What stands near the cursor: the identifiers there, weighted by distance.

use super::Place;
use super::words::{PartMap, PartSet, TermMap, TermSet, WordMap, hash, parts, words};
use crate::syntax::outline::Item;
use crate::text::Span;
use crate::workspace::index::{FileEntry, Index, Term};

/// How far the search goes, in lines before and after the cursor.
const LINES_BEFORE: usize = 60;
const LINES_AFTER: usize = 30;
/// After so many lines a word counts e times less.
const FADE_BEFORE: f32 = 14.0;
const FADE_AFTER: f32 = 9.0;
/// What follows the cursor counts less than what precedes it.
const AFTER: f32 = 0.8;
/// The header of the function and the type around the cursor, however far.
const HEADER: f32 = 0.6;
/// In a larger file what is far from the cursor is what the index has of it: not what only comments
/// and strings hold. Reading all of it at each key stroke takes longer than all else.
const LARGE: usize = 1 << 16;
/// A text longer than this that is not indexed is not searched for all its words.
const MAX_TEXT: usize = 1 << 19;

/// The neighbourhood of the cursor.
#[derive(Debug)]
pub(super) struct Near<'a> {
    /// Words with their weights (0 to about 2), each once.
    pub(super) words: Vec<(&'a str, f32)>,
    /// Those of them that the index knows.
    pub(super) terms: TermMap<f32>,
    /// Parts of those words with their weights.
    pub(super) parts: PartMap<f32>,
    /// The part of the file that a prompt will show anyway.
    pub(super) window: Span,
    /// The terms in that window.
    pub(super) shown: TermSet,
    /// What the rest of the file has.
    pub(super) elsewhere: Elsewhere<'a>,
    /// The function around the cursor.
    pub(super) function: Option<&'a Item>,
    /// The name of the type around the cursor.
    pub(super) owner: Option<&'a str>,
}

/// The words of a file; what stands near the cursor is not asked for here.
#[derive(Debug)]
pub(super) enum Elsewhere<'a> {
    /// Those that the index knows, inside the window too.
    Indexed(&'a FileEntry),
    /// The hashes of the words outside of the window.
    Read(PartSet),
}

impl Elsewhere<'_> {
    /// Whether the file has a term, or a word of that spelling.
    pub(super) fn has(&self, term: Term, spelling: &str) -> bool {
        match self {
            Self::Indexed(file) => file.count(term) > 0,
            Self::Read(words) => words.contains(&hash(spelling)),
        }
    }
}

impl<'a> Near<'a> {
    pub(super) fn of(place: Place<'a>, window: Span, index: &'a Index) -> Self {
        let text: &str = &place.document.text;
        let at = text.floor_char_boundary(place.span.start);
        let end = text.ceil_char_boundary(place.span.end);
        let (before, after) = (text.get(..at).unwrap_or(text), text.get(end..).unwrap_or(""));
        let function = enclosing_function(place.items, place.span);
        let owner = enclosing_type(place.items, place.span);

        let mut weights: WordMap<'_, f32> = WordMap::default();
        let mut order: Vec<&str> = Vec::new();
        let mut add = |line: &'a str, weight: f32| {
            for word in words(line) {
                let held = weights.entry(word).or_insert_with(|| {
                    order.push(word);
                    0.0
                });
                // Said twice counts more than once, but not twice as much.
                *held = held.max(weight) + 0.2 * held.min(weight);
            }
        };
        for (distance, line) in before.rsplit('\n').take(LINES_BEFORE).enumerate() {
            add(line, (-(distance as f32) / FADE_BEFORE).exp());
        }
        for (distance, line) in after.split('\n').take(LINES_AFTER).enumerate() {
            add(line, AFTER * (-(distance as f32) / FADE_AFTER).exp());
        }
        for item in function.into_iter().chain(owner_item(place.items, place.span)) {
            add(item.signature.of(text).unwrap_or_default(), HEADER);
        }

        let words: Vec<(&str, f32)> = order
            .into_iter()
            .filter_map(|word| Some((word, *weights.get(word)?)))
            .filter(|(word, _)| word.len() > 1)
            .collect();
        let mut near = Self {
            terms: TermMap::default(),
            parts: PartMap::default(),
            window,
            shown: TermSet::default(),
            elsewhere: match index.file(place.path).filter(|_| text.len() > LARGE) {
                Some(file) => Elsewhere::Indexed(file),
                None => Elsewhere::Read(words_outside(text, window)),
            },
            function,
            owner,
            words,
        };
        for (word, weight) in &near.words {
            if let Some(term) = index.term(word) {
                near.terms.insert(term, *weight);
            }
            parts(word, |part| {
                let held = near.parts.entry(part).or_default();
                *held = held.max(*weight);
            });
        }
        near.read_window(text, index);
        near
    }

    /// Finds out which terms the window has.
    fn read_window(&mut self, text: &str, index: &Index) {
        let mut seen = PartSet::default();
        for word in words(self.window.of(text).unwrap_or_default()) {
            if seen.insert(hash(word)) {
                self.shown.extend(index.term(word));
            }
        }
    }
}

/// The hashes of the words of `text` before and after `window`.
fn words_outside(text: &str, window: Span) -> PartSet {
    let outside = [text.get(..window.start), text.get(window.end..)];
    let outside = outside.into_iter().flatten();
    let outside =
        outside.map(|part| part.get(..part.floor_char_boundary(MAX_TEXT)).unwrap_or(part));
    outside.flat_map(words).map(hash).collect()
}

/// The lines around `span` that a prompt shows within about `budget` tokens: three quarters before
/// it; what one side does not need goes to the other.
pub(super) fn window(text: &str, span: Span, budget: usize) -> Span {
    let at = text.floor_char_boundary(span.start);
    let end = text.ceil_char_boundary(span.end);
    let (before, after) = (text.get(..at).unwrap_or(text), text.get(end..).unwrap_or(""));
    let after_first = taken(after.split_inclusive('\n'), budget / 4);
    let before_all = taken(before.split_inclusive('\n').rev(), budget - after_first.1.min(budget));
    let after_all = taken(after.split_inclusive('\n'), budget - before_all.1.min(budget));
    Span::new(at - before_all.0, end + after_all.0)
}

/// Bytes and tokens of the first lines within `budget`.
fn taken<'t>(lines: impl Iterator<Item = &'t str>, budget: usize) -> (usize, usize) {
    let (mut bytes, mut tokens) = (0, 0);
    for line in lines {
        let cost = crate::context::tokens::estimate(line);
        if tokens + cost > budget {
            break;
        }
        bytes += line.len();
        tokens += cost;
    }
    (bytes, tokens)
}

fn enclosing_function(items: &[Item], span: Span) -> Option<&Item> {
    items
        .iter()
        .filter(|item| item.kind.is_function() && item.span.touches(span.start))
        .max_by_key(|item| item.span.len())
}

fn owner_item(items: &[Item], span: Span) -> Option<&Item> {
    use crate::syntax::outline::ItemKind::{Class, Enum, Implementation, Interface};
    items
        .iter()
        .filter(|item| {
            matches!(item.kind, Class | Enum | Interface | Implementation)
                && item.span.touches(span.start)
        })
        .min_by_key(|item| item.span.len())
}

/// The name of the type whose body holds the cursor.
fn enclosing_type(items: &[Item], span: Span) -> Option<&str> {
    owner_item(items, span).map(|item| item.name.as_str())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::document::Document;

    /// Whether a file with comments of so many bytes has `far` and `told` elsewhere.
    fn elsewhere(comments: usize) -> [bool; 2] {
        let filler = "// told\n".repeat(comments / 8 + 1);
        let text = format!("fn far() {{}}\n{filler}fn near() {{}}\n");
        let mut index = Index::default();
        index.insert(Path::new("a.rs"), &text);
        index.insert(Path::new("b.rs"), "fn told() {}\n");
        let document = Document::new("a.rs".into(), None, 0, text);
        let span = Span::empty(document.text.len());
        let place =
            Place { document: &document, path: Path::new("a.rs"), items: document.items(), span };
        let near = Near::of(place, window(&document.text, span, 10), &index);
        ["far", "told"].map(|name| near.elsewhere.has(index.term(name).unwrap(), name))
    }

    #[test]
    fn a_large_file_has_elsewhere_what_its_code_has() {
        assert_eq!(elsewhere(100), [true, true]);
        assert_eq!(elsewhere(LARGE), [true, false]);
    }
}
