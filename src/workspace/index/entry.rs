//! What is known of one file: its items, imports and identifiers.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::symbol::{self, Symbol};
use super::vocabulary::{DEFINES, HOLDS, OWNS, Term, Vocabulary};
use super::words::{List, Words, hash};
use crate::syntax::imports::Import;
use crate::syntax::survey::{Survey, survey};
use crate::syntax::{Language, SyntaxTree};
use crate::text::line_index::LineIndex;

/// Identifiers shorter than this, in bytes, say nothing.
const MIN_IDENTIFIER: usize = 3;
/// Identifiers longer than this, in bytes, are data.
const MAX_IDENTIFIER: usize = 100;
/// Symbols and imports of one file beyond this number are left out.
const MAX_LISTED: usize = 4000;

/// A text's identity: the first half of its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHash(pub(in crate::workspace) [u8; 16]);

impl ContentHash {
    /// The hash of a text.
    pub fn of(text: &str) -> Self {
        let whole: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let mut half = [0; 16];
        half.copy_from_slice(&whole[..16]);
        Self(half)
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What is known of one file. Never changes; a file that does gets a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Path relative to the workspace.
    pub path: Arc<Path>,
    /// Its language.
    pub language: Language,
    /// Of the text that was read.
    pub hash: ContentHash,
    /// Its items in document order, outer before inner, tests too; the first 4,000.
    pub items: Box<[Symbol]>,
    /// Its imports in document order; the first 4,000.
    pub imports: Box<[Import]>,
    /// The identifiers in its text (at least three bytes; not in comments or strings) and how often
    /// each stands there; ascending by term.
    pub terms: Box<[(Term, u32)]>,
    /// The same for each item, one item's after the other's.
    pub(super) uses: Box<[(Term, u32)]>,
    /// The items with their names, ascending.
    pub(super) names: Box<[(Term, u32)]>,
    /// The items that have an owner with its name, ascending.
    pub(super) owners: Box<[(Term, u32)]>,
}

impl FileEntry {
    /// The identifiers inside the span of the item with this number and how often each stands
    /// there, ascending by term; those of items inside it included.
    pub fn terms_of(&self, item: usize) -> &[(Term, u32)] {
        let uses = self.items.get(item).and_then(|symbol| {
            let Range { start, end } = symbol.uses;
            self.uses.get(start as usize..end as usize)
        });
        uses.unwrap_or_default()
    }

    /// How often the identifier stands in the file.
    pub fn count(&self, term: Term) -> u32 {
        let at = self.terms.binary_search_by_key(&term, |(known, _)| *known);
        at.ok().and_then(|at| self.terms.get(at)).map_or(0, |(_, count)| *count)
    }

    /// What the vocabulary is to say of the file: each term once, ascending, with its marks.
    pub(super) fn marks(&self) -> Vec<(Term, u32)> {
        let lists = [(&self.terms, HOLDS), (&self.names, DEFINES), (&self.owners, OWNS)];
        let mut marks: Vec<(Term, u32)> = lists
            .into_iter()
            .flat_map(|(list, mark)| list.iter().map(move |(term, _)| (*term, mark)))
            .collect();
        marks.sort_unstable();
        marks.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 |= if same { next.1 } else { 0 };
            same
        });
        marks
    }
}

/// What a file holds, with words of its own instead of the workspace's terms: made in parallel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workspace) struct Draft {
    pub(super) path: Arc<Path>,
    pub(super) language: Language,
    pub(super) hash: ContentHash,
    pub(super) items: Vec<Symbol>,
    pub(super) imports: Vec<Import>,
    /// First the identifiers of the text, then the names of items that are none.
    pub(super) words: List,
    /// How often each identifier stands in the text.
    pub(super) counts: Vec<u32>,
    /// Word and count, for each item.
    pub(super) uses: Vec<(u32, u32)>,
    /// The word that each item is called.
    pub(super) names: Vec<(u32, u32)>,
    /// The words that owners are called, with their items.
    pub(super) owners: Vec<(u32, u32)>,
}

impl Draft {
    /// Reads `text` as the file `path` (relative); `None` for an unknown language.
    pub(in crate::workspace) fn read(path: &Path, text: &str) -> Option<Self> {
        let language = Language::of_path(path)?;
        let tree = SyntaxTree::parse(language, text);
        Some(Self::of_survey(path, text, language, survey(&tree, text)))
    }

    /// What `survey` found in `text`.
    pub(in crate::workspace) fn of_survey(
        path: &Path,
        text: &str,
        language: Language,
        survey: Survey,
    ) -> Self {
        let path: Arc<Path> = path.into();
        let mut words = Words::default();
        // Where each identifier starts, and its word.
        let mut found: Vec<(usize, u32)> = Vec::new();
        for span in survey.identifiers {
            let word = span.of(text).unwrap_or_default();
            if (MIN_IDENTIFIER..=MAX_IDENTIFIER).contains(&word.len()) {
                found.push((span.start, words.add(word, hash(word))));
            }
        }
        let mut counts = vec![0; words.list().len()];
        for (_, word) in &found {
            counts[*word as usize] += 1;
        }

        let lines = LineIndex::new(text);
        let mut inside = Counter::new(counts.len());
        let (mut items, mut uses) = (Vec::new(), Vec::new());
        let (mut names, mut owners) = (Vec::new(), Vec::new());
        let is_test_file = language.is_test_file(&path);
        for mut item in survey.items.into_iter().take(MAX_LISTED) {
            item.test |= is_test_file;
            let number = items.len() as u32;
            names.push((words.add(&item.name, hash(&item.name)), number));
            owners.extend(item.owner.as_ref().map(|owner| (words.add(owner, hash(owner)), number)));
            let from = found.partition_point(|(start, _)| *start < item.span.start);
            let within = found[from..].iter().take_while(|(start, _)| *start < item.span.end);
            within.for_each(|(_, word)| inside.add(*word));
            let start = uses.len() as u32;
            inside.drain(&mut uses);
            let used = start..uses.len() as u32;
            let path = Arc::clone(&path);
            items.push(symbol::symbol(language, item, text, &lines, path, used));
        }
        Self {
            hash: ContentHash::of(text),
            language,
            items,
            imports: survey.imports.into_iter().take(MAX_LISTED).collect(),
            words: words.into_list(),
            counts,
            uses,
            names,
            owners,
            path,
        }
    }

    /// The file.
    pub(in crate::workspace) fn path(&self) -> &Arc<Path> {
        &self.path
    }

    /// The entry, in the terms of `vocabulary`.
    pub(super) fn finish(self, vocabulary: &mut Vocabulary) -> FileEntry {
        let terms: Vec<Term> = self.words.iter().map(|word| vocabulary.add(word)).collect();
        let term = |word: u32| terms.get(word as usize).copied().unwrap_or(Term(u32::MAX));
        let sorted = |list: Vec<(u32, u32)>| {
            let mut list: Box<[_]> = list.into_iter().map(|(word, n)| (term(word), n)).collect();
            list.sort_unstable();
            list
        };
        let mut uses: Box<[_]> = self.uses.into_iter().map(|(word, n)| (term(word), n)).collect();
        for item in &self.items {
            let Range { start, end } = item.uses;
            uses[start as usize..end as usize].sort_unstable();
        }
        let counts = self.counts.into_iter().enumerate();
        FileEntry {
            path: self.path,
            language: self.language,
            hash: self.hash,
            imports: self.imports.into(),
            terms: sorted(counts.map(|(word, count)| (word as u32, count)).collect()),
            uses,
            names: sorted(self.names),
            owners: sorted(self.owners),
            items: self.items.into(),
        }
    }
}

/// Counts words by number; as fast to empty as what it holds.
struct Counter {
    counts: Vec<u32>,
    seen: Vec<u32>,
}

impl Counter {
    fn new(words: usize) -> Self {
        Self { counts: vec![0; words], seen: Vec::new() }
    }

    fn add(&mut self, word: u32) {
        let count = &mut self.counts[word as usize];
        if *count == 0 {
            self.seen.push(word);
        }
        *count += 1;
    }

    /// Moves the counts to `out`.
    fn drain(&mut self, out: &mut Vec<(u32, u32)>) {
        let Self { counts, seen } = self;
        out.extend(seen.drain(..).map(|word| (word, std::mem::take(&mut counts[word as usize]))));
    }
}
