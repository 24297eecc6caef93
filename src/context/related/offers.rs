//! What may be shown: items, each in the forms in which it may be, and statements of functions.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::ops::Range;
use std::sync::Arc;

use super::choose::{Form, Offer, Statement};
use super::wanted::{self, Wanted};
use super::words::{NumberHasher, PartMap, TermMap, hash, words};
use super::{Ranking, body};
use crate::context::{Project, tokens};
use crate::syntax::outline::ItemKind;
use crate::workspace::index::{FileEntry, Symbol};

/// So many of the ranked items may be shown.
const RANKED: usize = wanted::LOOKED_AT;
/// Of so many functions single statements may be shown.
const LOOKED_INTO: usize = 60;
/// A longer item is not shown whole, in bytes.
const MAX_WHOLE: usize = 6000;

/// What may be shown.
pub(super) struct Offers<'a> {
    pub(super) list: Vec<Offer<'a>>,
    /// What the offers would show, one's after the other's: places in the list of what is wanted.
    pub(super) shown: Vec<u32>,
    /// For each offer why it is one; empty where it is for being alike.
    pub(super) reasons: Vec<Arc<str>>,
}

/// What may be shown of the items that `ranking` found. `wanted` are the identifiers worth a
/// thought.
pub(super) fn offers<'a>(
    ranking: &Ranking<'a>,
    wanted: &[Wanted],
    project: Project<'a>,
) -> Offers<'a> {
    let users = ranking.expected.iter().filter_map(|one| {
        let (file, item) = one.user?;
        let name = project.index.spelling(one.term);
        Some((file, item, format!("uses {name} of this file").into()))
    });
    let of_types = ranking.types.items.iter();
    let of_types = of_types.map(|one| (one.file, one.item, Arc::clone(&one.reason)));
    let alike: Arc<str> = Arc::default();
    let ranked = ranking.items.iter().take(RANKED);
    let ranked = ranked.map(|one| (ranking.files[one.file].file, one.item, Arc::clone(&alike)));
    let own = ranking.files.iter().find(|file| file.own).map(|file| Arc::as_ptr(file.file));
    let window = ranking.near.window;

    let mut known: HashSet<(*const FileEntry, usize), BuildHasherDefault<NumberHasher>> =
        HashSet::default();
    let mut maker = Maker::of(wanted, project);
    for (file, item, reason) in users.chain(of_types).chain(ranked) {
        let Some(symbol) = file.items.get(item) else { continue };
        if !known.insert((Arc::as_ptr(file), item)) {
            continue;
        }
        if own == Some(Arc::as_ptr(file)) && symbol.span.overlaps(window) {
            continue;
        }
        maker.offer(file, item, symbol);
        maker.out.reasons.resize(maker.out.list.len(), reason);
    }
    maker.out
}

struct Maker<'p, 'a> {
    /// Where an identifier is in the list of what is wanted: by its term, by its spelling.
    places: TermMap<u32>,
    places_of_words: PartMap<u32>,
    project: Project<'p>,
    looked_into: usize,
    /// What one offer shows, kept for its memory.
    one: Vec<u32>,
    out: Offers<'a>,
}

impl<'p, 'a> Maker<'p, 'a> {
    fn of(wanted: &[Wanted], project: Project<'p>) -> Self {
        let places = || wanted.iter().zip(0..);
        Self {
            places: places().map(|(one, place)| (one.term, place)).collect(),
            places_of_words: places().map(|(one, place)| (one.word, place)).collect(),
            project,
            looked_into: 0,
            one: Vec::new(),
            out: Offers { list: Vec::new(), shown: Vec::new(), reasons: Vec::new() },
        }
    }

    fn offer(&mut self, file: &'a Arc<FileEntry>, item: usize, symbol: &Symbol) {
        // An implementation declares nothing but its members.
        if symbol.kind != ItemKind::Implementation {
            let fields = symbol.fields.as_deref().unwrap_or_default();
            let shows = self.shown(words(&symbol.signature).chain(words(fields)));
            let tokens = 2 + tokens::estimate(&symbol.signature) + tokens::estimate(fields);
            let head = self.out.list.len();
            let form = Form::Signature;
            self.out.list.push(Offer { file, item, form, statement: None, shows, tokens });
            self.statements(file, item, symbol, head);
        }
        if symbol.span.len() <= MAX_WHOLE {
            let from = self.out.shown.len();
            let terms = file.terms_of(item).iter();
            self.out.shown.extend(terms.filter_map(|(term, _)| self.places.get(term)));
            let shows = from..self.out.shown.len();
            let tokens = 1 + symbol.span.len() / 4;
            let form = Form::Whole;
            self.out.list.push(Offer { file, item, form, statement: None, shows, tokens });
        }
    }

    /// The statements of a function whose signature is the offer `head`.
    fn statements(&mut self, file: &'a Arc<FileEntry>, item: usize, symbol: &Symbol, head: usize) {
        if self.looked_into == LOOKED_INTO || !symbol.kind.is_function() {
            return;
        }
        self.looked_into += 1;
        let Some(source) = (self.project.source)(&file.path) else { return };
        for span in body::statements(file, symbol, &source) {
            let text = span.of(&source).unwrap_or_default();
            let shows = self.shown(words(text));
            if !shows.is_empty() {
                let statement = Some(Statement { span, head });
                let tokens = 2 + tokens::estimate(text);
                let form = Form::Part;
                self.out.list.push(Offer { file, item, form, statement, shows, tokens });
            }
        }
    }

    /// Adds the places of `words`, each once; where they are.
    fn shown<'w>(&mut self, words: impl Iterator<Item = &'w str>) -> Range<usize> {
        let Self { places_of_words, one, .. } = self;
        one.clear();
        one.extend(words.filter_map(|word| places_of_words.get(&hash(word))));
        one.sort_unstable();
        one.dedup();
        let from = self.out.shown.len();
        self.out.shown.extend_from_slice(one);
        from..self.out.shown.len()
    }
}
