//! What may be shown: items, each in the forms in which it may be, and statements of functions.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use super::choose::{Form, Offer, Statement};
use super::words::{NumberHasher, PartMap, TermMap, hash, words};
use super::{Ranking, body, wanted};
use crate::context::{Project, tokens};
use crate::syntax::outline::ItemKind;
use crate::workspace::index::{FileEntry, Symbol};

/// So many of the ranked items may be shown.
const RANKED: usize = wanted::LOOKED_AT;
/// Of so many functions single statements may be shown.
const LOOKED_INTO: usize = 60;
/// A longer item is not shown whole, in bytes.
const MAX_WHOLE: usize = 6000;

/// The offers, and for each why it is one; empty where it is for being alike.
pub(super) struct Offers<'a> {
    pub(super) offers: Vec<Offer<'a>>,
    pub(super) reasons: Vec<String>,
}

/// What may be shown of the items that `ranking` found. `places` has the identifiers worth a
/// thought.
pub(super) fn offers<'a>(
    ranking: &Ranking<'a>,
    places: &TermMap<u32>,
    project: Project<'a>,
) -> Offers<'a> {
    let users = ranking.expected.iter().filter_map(|one| {
        let (file, item) = one.user?;
        Some((file, item, format!("uses {} of this file", project.index.spelling(one.term))))
    });
    let of_types = ranking.types.items.iter();
    let of_types = of_types.map(|one| (one.file, one.item, one.reason.clone()));
    let ranked = ranking.items.iter().take(RANKED);
    let ranked = ranked.map(|one| (ranking.files[one.file].file, one.item, String::new()));
    let own = ranking.files.iter().find(|file| file.own).map(|file| Arc::as_ptr(file.file));
    let window = ranking.near.window;

    let mut known: HashSet<(*const FileEntry, usize), BuildHasherDefault<NumberHasher>> =
        HashSet::default();
    let mut maker = Maker { places, project, looked_up: PartMap::default(), looked_into: 0 };
    let mut out = Offers { offers: Vec::new(), reasons: Vec::new() };
    for (file, item, reason) in users.chain(of_types).chain(ranked) {
        let Some(symbol) = file.items.get(item) else { continue };
        if !known.insert((Arc::as_ptr(file), item)) {
            continue;
        }
        if own == Some(Arc::as_ptr(file)) && symbol.span.overlaps(window) {
            continue;
        }
        maker.offer(file, item, symbol, &mut out.offers);
        out.reasons.resize(out.offers.len(), reason);
    }
    out
}

struct Maker<'p> {
    places: &'p TermMap<u32>,
    project: Project<'p>,
    looked_up: PartMap<Option<u32>>,
    looked_into: usize,
}

impl Maker<'_> {
    fn offer<'a>(
        &mut self,
        file: &'a Arc<FileEntry>,
        item: usize,
        symbol: &Symbol,
        out: &mut Vec<Offer<'a>>,
    ) {
        // An implementation declares nothing but its members.
        if symbol.kind != ItemKind::Implementation {
            let fields = symbol.fields.as_deref().unwrap_or_default();
            let shows = self.shown(words(&symbol.signature).chain(words(fields)));
            let tokens = 2 + tokens::estimate(&symbol.signature) + tokens::estimate(fields);
            let head = out.len();
            let form = Form::Signature;
            out.push(Offer { file, item, form, statement: None, shows, tokens });
            self.statements(file, item, symbol, head, out);
        }
        if symbol.span.len() <= MAX_WHOLE {
            let terms = file.terms_of(item).iter();
            let shows = terms.filter_map(|(term, _)| self.places.get(term).copied()).collect();
            let tokens = 1 + symbol.span.len() / 4;
            out.push(Offer { file, item, form: Form::Whole, statement: None, shows, tokens });
        }
    }

    /// The statements of a function whose signature is the offer `head`.
    fn statements<'a>(
        &mut self,
        file: &'a Arc<FileEntry>,
        item: usize,
        symbol: &Symbol,
        head: usize,
        out: &mut Vec<Offer<'a>>,
    ) {
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
                out.push(Offer { file, item, form: Form::Part, statement, shows, tokens });
            }
        }
    }

    /// The places of `words`, each once.
    fn shown<'w>(&mut self, words: impl Iterator<Item = &'w str>) -> Vec<u32> {
        let mut shows: Vec<u32> = words
            .filter_map(|word| {
                let place = || self.places.get(&self.project.index.term(word)?).copied();
                *self.looked_up.entry(hash(word)).or_insert_with(place)
            })
            .collect();
        shows.sort_unstable();
        shows.dedup();
        shows
    }
}
