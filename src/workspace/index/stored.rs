//! What is known of one file as bytes, for the cache on disk.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::entry::{ContentHash, Draft, FileEntry};
use super::symbol::Symbol;
use super::vocabulary::Vocabulary;
use super::words::List;
use crate::syntax::Language;
use crate::syntax::imports::Import;
use crate::syntax::outline::ItemKind;
use crate::text::Span;

/// A [`Draft`] with borrowed texts; names are numbers of words.
#[derive(Serialize, Deserialize)]
struct Stored<'s> {
    words: &'s str,
    lengths: Vec<u32>,
    counts: Vec<u32>,
    uses: Vec<(u32, u32)>,
    #[serde(borrow)]
    items: Vec<StoredItem<'s>>,
    #[serde(borrow)]
    imports: Vec<StoredImport<'s>>,
}

#[derive(Serialize, Deserialize)]
struct StoredItem<'s> {
    line: u32,
    end_line: u32,
    start: u32,
    len: u32,
    kind: ItemKind,
    name: u32,
    owner: Option<u32>,
    signature: &'s str,
    doc: Option<&'s str>,
    fields: Option<&'s str>,
    public: bool,
    test: bool,
    /// How many of `uses` are its own.
    uses: u32,
}

#[derive(Serialize, Deserialize)]
struct StoredImport<'s> {
    #[serde(borrow)]
    path: Vec<&'s str>,
    name: &'s str,
    alias: Option<&'s str>,
    start: u32,
    len: u32,
}

/// The bytes of an entry whose terms are those of `vocabulary`; `None` if they cannot be made.
pub(super) fn encode(entry: &FileEntry, vocabulary: &Vocabulary) -> Option<Vec<u8>> {
    // A word's number is the place of its term in the file's list, then in order of appearance.
    let mut words = List::default();
    for (term, _) in &entry.terms {
        words.push(vocabulary.spelling(*term));
    }
    let word = |term| entry.terms.binary_search_by_key(&term, |(known, _)| *known).ok();
    let mut name_words = |names: &[(super::Term, u32)]| -> Vec<(u32, u32)> {
        let numbered = names.iter().map(|(term, item)| {
            let known = word(*term).map(|number| number as u32);
            (*item, known.unwrap_or_else(|| words.push(vocabulary.spelling(*term))))
        });
        let mut by_item: Vec<_> = numbered.collect();
        by_item.sort_unstable();
        by_item
    };
    let (names, owners) = (name_words(&entry.names), name_words(&entry.owners));
    let items = entry.items.iter().zip(&names).enumerate().map(|(number, (item, (_, name)))| {
        let owner = owners.binary_search_by_key(&(number as u32), |(item, _)| *item);
        StoredItem {
            line: item.line,
            end_line: item.end_line,
            start: item.span.start as u32,
            len: item.span.len() as u32,
            kind: item.kind,
            name: *name,
            owner: owner.ok().map(|at| owners[at].1),
            signature: &item.signature,
            doc: item.doc.as_deref(),
            fields: item.fields.as_deref(),
            public: item.public,
            test: item.test,
            uses: item.uses.len() as u32,
        }
    });
    let imports = entry.imports.iter().map(|import| StoredImport {
        path: import.path.iter().map(String::as_str).collect(),
        name: &import.name,
        alias: import.alias.as_deref(),
        start: import.span.start as u32,
        len: import.span.len() as u32,
    });
    let uses = entry.uses.iter().map(|(term, count)| Some((word(*term)? as u32, *count)));
    let ends = std::iter::once(&0).chain(&words.ends);
    let stored = Stored {
        lengths: words.ends.iter().zip(ends).map(|(end, start)| end - start).collect(),
        counts: entry.terms.iter().map(|(_, count)| *count).collect(),
        uses: uses.collect::<Option<_>>()?,
        items: items.collect(),
        imports: imports.collect(),
        words: &words.text,
    };
    postcard::to_allocvec(&stored).ok()
}

/// The file `path` (relative) with the text of that hash, from its bytes; `None` for bytes that
/// mean nothing.
pub(in crate::workspace) fn decode(path: &Path, hash: ContentHash, bytes: &[u8]) -> Option<Draft> {
    let stored: Stored<'_> = postcard::from_bytes(bytes).ok()?;
    let path: Arc<Path> = path.into();
    let words = list(stored.words, &stored.lengths)?;
    let known = |number: u32| ((number as usize) < words.len()).then_some(number);
    let (mut names, mut owners) = (Vec::new(), Vec::new());
    let mut used: u32 = 0;
    let items: Option<Vec<Symbol>> = stored
        .items
        .into_iter()
        .enumerate()
        .map(|(number, item)| {
            let number = number as u32;
            names.push((known(item.name)?, number));
            if let Some(owner) = item.owner {
                owners.push((known(owner)?, number));
            }
            let start = used;
            used = start.checked_add(item.uses)?;
            Some(Symbol {
                path: Arc::clone(&path),
                line: item.line,
                end_line: item.end_line,
                span: span(item.start, item.len)?,
                kind: item.kind,
                name: words.get(item.name).to_owned(),
                owner: item.owner.map(|owner| words.get(owner).to_owned()),
                signature: item.signature.to_owned(),
                doc: item.doc.map(str::to_owned),
                fields: item.fields.map(str::to_owned),
                public: item.public,
                test: item.test,
                uses: start..used,
            })
        })
        .collect();
    let imports: Option<Vec<Import>> = stored
        .imports
        .into_iter()
        .map(|import| {
            Some(Import {
                path: import.path.into_iter().map(str::to_owned).collect(),
                name: import.name.to_owned(),
                alias: import.alias.map(str::to_owned),
                span: span(import.start, import.len)?,
            })
        })
        .collect();
    let identifiers = stored.counts.len();
    let sound = identifiers <= words.len()
        && used as usize == stored.uses.len()
        && stored.uses.iter().all(|(word, _)| (*word as usize) < identifiers);
    sound.then_some(())?;
    Some(Draft {
        language: Language::of_path(&path)?,
        hash,
        items: items?,
        imports: imports?,
        counts: stored.counts,
        uses: stored.uses,
        names,
        owners,
        words,
        path,
    })
}

fn list(text: &str, lengths: &[u32]) -> Option<List> {
    let mut ends = Vec::with_capacity(lengths.len());
    let mut end: u32 = 0;
    for length in lengths {
        end = end.checked_add(*length)?;
        ends.push(end);
    }
    let sound =
        end as usize == text.len() && ends.iter().all(|end| text.is_char_boundary(*end as usize));
    sound.then(|| List { text: text.to_owned(), ends })
}

fn span(start: u32, len: u32) -> Option<Span> {
    Some(Span::new(start as usize, start.checked_add(len)? as usize))
}

#[cfg(test)]
mod tests {
    use super::super::Index;
    use super::*;

    const TEXT: &str = "use a::{b as c, *};\n/// Größe.\npub struct Cart { x: u64 }\n\
        impl Cart { fn total(&self) -> u64 { self.x + f(self.total()) } }\n#[test]\nfn f() {}\n";

    fn stored() -> (Draft, Vec<u8>) {
        let mut index = Index::default();
        index.insert(Path::new("z.rs"), "fn other() { total() }\n");
        index.insert(Path::new("a.rs"), TEXT);
        let entry = index.file(Path::new("a.rs")).unwrap();
        let bytes = encode(entry, &index.vocabulary).unwrap();
        (Draft::read(Path::new("a.rs"), TEXT).unwrap(), bytes)
    }

    #[test]
    fn what_is_stored_comes_back() {
        let (draft, bytes) = stored();
        let back = decode(Path::new("a.rs"), draft.hash, &bytes).unwrap();
        let mut vocabulary = Vocabulary::default();
        assert_eq!(back.finish(&mut vocabulary), draft.finish(&mut vocabulary));
    }

    #[test]
    fn broken_bytes_mean_nothing_or_something_sound() {
        let (draft, bytes) = stored();
        for cut in 0..bytes.len() {
            assert_eq!(decode(Path::new("a.rs"), draft.hash, &bytes[..cut]), None);
        }
        for at in 0..bytes.len() {
            for flip in [1, 16, 128, 255] {
                let mut broken = bytes.clone();
                broken[at] ^= flip;
                if let Some(read) = decode(Path::new("a.rs"), draft.hash, &broken) {
                    read.finish(&mut Vocabulary::default());
                }
            }
        }
    }
}
