//! What the workspace holds, by file, name and identifier. A snapshot: updating makes a new one that
//! shares the rest.

mod entry;
mod stored;
mod symbol;
mod vocabulary;
mod words;

use std::path::Path;
use std::sync::Arc;

pub(super) use entry::Draft;
pub use entry::{ContentHash, FileEntry};
pub(super) use stored::decode;
pub use symbol::{Symbol, summary};
pub use vocabulary::Term;

use crate::syntax::outline::ItemKind;
use vocabulary::{DEFINES, HOLDS, OWNS, Vocabulary};

/// What is known of the workspace's files. Cheap to clone; a clone never changes.
#[derive(Debug, Clone, Default)]
pub struct Index {
    files: Arc<Files>,
    vocabulary: Vocabulary,
}

/// The files by slot, which stays the same while a file is known and is what postings name.
#[derive(Debug, Clone, Default)]
struct Files {
    slots: Vec<Option<Arc<FileEntry>>>,
    free: Vec<u32>,
    /// The slots in the order of their paths.
    order: Vec<u32>,
    /// Place in `order`, by slot.
    ranks: Vec<u32>,
}

impl Index {
    /// Number of files.
    pub fn file_count(&self) -> usize {
        self.files.order.len()
    }

    /// Every file, sorted by path.
    pub fn files(&self) -> impl Iterator<Item = &Arc<FileEntry>> {
        self.files.order.iter().filter_map(|slot| self.files.at(*slot))
    }

    /// The files in `folder` (relative) and the folders below it, sorted by path.
    pub fn below<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = &'a Arc<FileEntry>> {
        let from = self.files.find(folder).unwrap_or_else(|place| place);
        let order = self.files.order.get(from..).unwrap_or_default();
        let files = order.iter().filter_map(|slot| self.files.at(*slot));
        files.take_while(move |file| file.path.starts_with(folder))
    }

    /// A file by its relative path.
    pub fn file(&self, path: &Path) -> Option<&Arc<FileEntry>> {
        self.files.at(self.files.slot(path)?)
    }

    /// Whether a file (relative path) is indexed, with or without items.
    pub fn holds(&self, path: &Path) -> bool {
        self.files.slot(path).is_some()
    }

    /// The items of one file (relative path), in document order, tests too.
    pub fn of_file(&self, path: &Path) -> &[Symbol] {
        self.file(path).map(|file| &*file.items).unwrap_or_default()
    }

    /// The items named `name`, each as a file and a number into its items, sorted by path and place.
    pub fn named(&self, name: &str) -> impl Iterator<Item = (&Arc<FileEntry>, usize)> {
        self.items(name, DEFINES, |file| &file.names)
    }

    /// The items whose owner (class, impl, trait, module around them) has that name, each as a file
    /// and a number into its items, sorted by path and place.
    pub fn members(&self, owner: &str) -> impl Iterator<Item = (&Arc<FileEntry>, usize)> {
        self.items(owner, OWNS, |file| &file.owners)
    }

    /// The types named `name` and the members of types of that name, without tests, sorted by path
    /// and place.
    pub fn around(&self, name: &str) -> Vec<&Symbol> {
        let types = self.named(name).filter(|(file, item)| {
            file.items.get(*item).is_some_and(|symbol| {
                matches!(
                    symbol.kind,
                    ItemKind::Class | ItemKind::Enum | ItemKind::Interface | ItemKind::TypeAlias
                )
            })
        });
        let mut found: Vec<&Symbol> = types
            .chain(self.members(name))
            .filter_map(|(file, item)| file.items.get(item))
            .filter(|symbol| !symbol.test)
            .collect();
        found.sort_unstable_by(|a, b| (&a.path, a.span, a.line).cmp(&(&b.path, b.span, b.line)));
        // A type may have an owner of its own name.
        found.dedup_by(|a, b| std::ptr::eq(*a, *b));
        found
    }

    /// An identifier that the text of some file holds.
    pub fn term(&self, identifier: &str) -> Option<Term> {
        self.vocabulary.find(identifier).filter(|term| self.file_frequency(*term) > 0)
    }

    /// How a term is spelled.
    pub fn spelling(&self, term: Term) -> &str {
        self.vocabulary.spelling(term)
    }

    /// Number of files whose text holds the identifier.
    pub fn file_frequency(&self, term: Term) -> u32 {
        self.vocabulary.holders(term)
    }

    /// Whether some item has that name.
    pub fn is_defined(&self, term: Term) -> bool {
        self.vocabulary.definers(term) > 0
    }

    /// The files whose text holds the identifier, in an order that means nothing; how often says
    /// [`FileEntry::count`].
    pub fn holders(&self, term: Term) -> impl Iterator<Item = &Arc<FileEntry>> {
        self.vocabulary.slots(term, HOLDS).filter_map(|slot| self.files.at(slot))
    }

    /// The path of every file, sorted.
    pub fn paths(&self) -> Vec<&Path> {
        self.files().map(|file| &*file.path).collect()
    }

    fn items<'i>(
        &'i self,
        name: &str,
        mark: u32,
        list: fn(&FileEntry) -> &[(Term, u32)],
    ) -> impl Iterator<Item = (&'i Arc<FileEntry>, usize)> {
        self.vocabulary.find(name).into_iter().flat_map(move |term| {
            self.marked(term, mark).flat_map(move |file| {
                let list = list(file);
                let from = list.partition_point(|(other, _)| *other < term);
                list[from..]
                    .iter()
                    .take_while(move |(other, _)| *other == term)
                    .map(move |(_, item)| (file, *item as usize))
            })
        })
    }

    fn marked(&self, term: Term, mark: u32) -> impl Iterator<Item = &Arc<FileEntry>> {
        let mut slots: Vec<u32> = self.vocabulary.slots(term, mark).collect();
        slots.sort_unstable_by_key(|slot| self.files.ranks.get(*slot as usize));
        slots.into_iter().filter_map(|slot| self.files.at(slot))
    }

    /// Indexes `text` as the file `path` (relative). A file of an unknown language is forgotten.
    pub fn insert(&mut self, path: &Path, text: &str) {
        match Draft::read(path, text) {
            Some(draft) => self.insert_draft(draft),
            None => self.remove(path),
        }
    }

    /// Replaces what is known of the draft's file.
    pub(super) fn insert_draft(&mut self, draft: Draft) {
        let entry = draft.finish(&mut self.vocabulary);
        self.insert_entry(entry);
    }

    /// What is known of a file, as bytes for [`decode`].
    pub(super) fn encode(&self, entry: &FileEntry) -> Option<Vec<u8>> {
        stored::encode(entry, &self.vocabulary)
    }

    /// Forgets a file.
    pub fn remove(&mut self, path: &Path) {
        let Some(slot) = self.files.slot(path) else { return };
        let old = Arc::make_mut(&mut self.files).take(slot);
        let marks = old.map(|old| old.marks()).unwrap_or_default();
        self.vocabulary.replace(slot, &marks, &[]);
    }

    /// Replaces what is known of the entry's file; its terms are those of this vocabulary.
    fn insert_entry(&mut self, entry: FileEntry) {
        let marks = entry.marks();
        let (slot, old) = Arc::make_mut(&mut self.files).put(Arc::new(entry));
        let old = old.map(|old| old.marks()).unwrap_or_default();
        self.vocabulary.replace(slot, &old, &marks);
    }
}

impl Files {
    fn at(&self, slot: u32) -> Option<&Arc<FileEntry>> {
        self.slots.get(slot as usize)?.as_ref()
    }

    fn slot(&self, path: &Path) -> Option<u32> {
        self.order.get(self.find(path).ok()?).copied()
    }

    /// The place of a path in the order, or where it would be.
    fn find(&self, path: &Path) -> Result<usize, usize> {
        self.order.binary_search_by(|slot| {
            let other = self.at(*slot).map(|file| &*file.path);
            other.cmp(&Some(path))
        })
    }

    /// Puts a file in; its slot and what stood there before.
    fn put(&mut self, entry: Arc<FileEntry>) -> (u32, Option<Arc<FileEntry>>) {
        match self.find(&entry.path) {
            Ok(place) => {
                let slot = self.order[place];
                (slot, self.slots[slot as usize].replace(entry))
            }
            Err(place) => {
                let slot = self.free.pop().unwrap_or_else(|| {
                    self.slots.push(None);
                    self.ranks.push(0);
                    self.slots.len() as u32 - 1
                });
                self.slots[slot as usize] = Some(entry);
                self.order.insert(place, slot);
                self.rank_from(place);
                (slot, None)
            }
        }
    }

    /// Frees a slot; what stood there.
    fn take(&mut self, slot: u32) -> Option<Arc<FileEntry>> {
        let place = self.ranks.get(slot as usize).copied()? as usize;
        let old = self.slots.get_mut(slot as usize)?.take()?;
        self.order.remove(place);
        self.free.push(slot);
        self.rank_from(place);
        Some(old)
    }

    fn rank_from(&mut self, place: usize) {
        let Self { order, ranks, .. } = self;
        for (rank, slot) in order.iter().enumerate().skip(place) {
            ranks[*slot as usize] = rank as u32;
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
