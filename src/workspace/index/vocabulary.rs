//! The identifiers of a workspace, each with the files that hold it.
//!
//! An inverted index in shards by the word's hash. A shard is shared between snapshots until one of
//! them changes it, so that replacing a file copies the shards of the words it gains or loses, no more.

use std::sync::Arc;

use super::words::{Words, hash};

/// The number of shards is two to this power.
const SHARD_BITS: u32 = 10;
const SHARDS: usize = 1 << SHARD_BITS;
/// The lowest bits of a posting say what the file has of the word; the rest is the file's slot.
const MARK_BITS: u32 = 3;

/// The file's text holds the word.
pub(super) const HOLDS: u32 = 1;
/// The file has an item of that name.
pub(super) const DEFINES: u32 = 2;
/// The file has items whose owner has that name.
pub(super) const OWNS: u32 = 4;

/// An interned identifier. It means the same in all snapshots of one workspace, and nothing in
/// another program run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(pub(super) u32);

#[derive(Debug, Clone)]
pub(super) struct Vocabulary {
    shards: Arc<Vec<Arc<Shard>>>,
}

#[derive(Debug, Clone, Default)]
struct Shard {
    words: Words,
    /// By word.
    postings: Vec<Postings>,
}

/// Where a word occurs.
#[derive(Debug, Clone, Default)]
struct Postings {
    /// How many of the files hold it in their text, and how many have an item of that name: asked for
    /// often, and nearer than the files.
    holders: u32,
    definers: u32,
    /// Slot and marks of each file, ascending.
    files: Vec<u32>,
}

impl Default for Vocabulary {
    fn default() -> Self {
        Self { shards: Arc::new(vec![Arc::default(); SHARDS]) }
    }
}

impl Vocabulary {
    /// A known word.
    pub(super) fn find(&self, word: &str) -> Option<Term> {
        let hash = hash(word);
        let shard = shard_of(hash);
        let number = self.shards.get(shard)?.words.find(word, hash)?;
        Some(term(number, shard))
    }

    /// A word, known or new.
    pub(super) fn add(&mut self, word: &str) -> Term {
        let hash = hash(word);
        let at = shard_of(hash);
        if let Some(known) = self.shards.get(at).and_then(|shard| shard.words.find(word, hash)) {
            return term(known, at);
        }
        let number = self.shard(at).map_or(0, |shard| {
            shard.postings.push(Postings::default());
            shard.words.add(word, hash)
        });
        term(number, at)
    }

    /// How a term is spelled; empty for a term of another workspace.
    pub(super) fn spelling(&self, term: Term) -> &str {
        self.shards
            .get(shard_of_term(term))
            .map_or("", |shard| shard.words.list().get(number(term)))
    }

    /// Number of files whose text holds the term.
    pub(super) fn holders(&self, term: Term) -> u32 {
        self.postings(term).map_or(0, |postings| postings.holders)
    }

    /// Number of files with an item of that name.
    pub(super) fn definers(&self, term: Term) -> u32 {
        self.postings(term).map_or(0, |postings| postings.definers)
    }

    /// The slots of the files with one of `marks` on the term, ascending.
    pub(super) fn slots(&self, term: Term, marks: u32) -> impl Iterator<Item = u32> {
        let files = self.postings(term).map(|postings| postings.files.as_slice());
        files
            .unwrap_or_default()
            .iter()
            .filter(move |posting| **posting & marks != 0)
            .map(|posting| posting >> MARK_BITS)
    }

    /// Replaces what is said of the file in `slot`: both lists hold each term once, ascending.
    pub(super) fn replace(&mut self, slot: u32, old: &[(Term, u32)], new: &[(Term, u32)]) {
        let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
        loop {
            let next = match (old.peek(), new.peek()) {
                (Some(a), Some(b)) => a.0.min(b.0),
                (Some(one), None) | (None, Some(one)) => one.0,
                (None, None) => return,
            };
            let before = old.next_if(|(term, _)| *term == next).map_or(0, |(_, marks)| *marks);
            let after = new.next_if(|(term, _)| *term == next).map_or(0, |(_, marks)| *marks);
            if before != after {
                self.mark(next, slot, after);
            }
        }
    }

    /// Sets what is said of one term and one file.
    fn mark(&mut self, term: Term, slot: u32, marks: u32) {
        let Some(shard) = self.shard(shard_of_term(term)) else { return };
        let Some(postings) = shard.postings.get_mut(number(term) as usize) else { return };
        let files = &mut postings.files;
        let at = files.partition_point(|posting| posting >> MARK_BITS < slot);
        let known = files.get(at).copied().filter(|posting| posting >> MARK_BITS == slot);
        let posting = slot << MARK_BITS | marks;
        match (known.is_some(), marks != 0) {
            (true, true) => files[at] = posting,
            (true, false) => _ = files.remove(at),
            (false, true) => files.insert(at, posting),
            (false, false) => {}
        }
        let Postings { holders, definers, .. } = postings;
        for (count, mark) in [(holders, HOLDS), (definers, DEFINES)] {
            *count += u32::from(marks & mark != 0);
            *count -= u32::from(known.is_some_and(|known| known & mark != 0));
        }
    }

    fn postings(&self, term: Term) -> Option<&Postings> {
        self.shards.get(shard_of_term(term))?.postings.get(number(term) as usize)
    }

    fn shard(&mut self, at: usize) -> Option<&mut Shard> {
        Arc::make_mut(&mut self.shards).get_mut(at).map(Arc::make_mut)
    }
}

fn shard_of(hash: u64) -> usize {
    // The table inside a shard takes the low bits for places and the top seven for tags.
    (hash >> 40) as usize & (SHARDS - 1)
}

fn term(number: u32, shard: usize) -> Term {
    Term(number << SHARD_BITS | shard as u32)
}

fn shard_of_term(term: Term) -> usize {
    term.0 as usize & (SHARDS - 1)
}

fn number(term: Term) -> u32 {
    term.0 >> SHARD_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_seen_in_the_copy_only() {
        let mut first = Vocabulary::default();
        let [a, b] = ["alpha", "beta"].map(|word| first.add(word));
        first.replace(0, &[], &[(a.min(b), HOLDS), (a.max(b), HOLDS | DEFINES)]);
        let mut second = first.clone();
        let c = second.add("gamma");
        second.replace(0, &[(a, HOLDS)], &[]);
        let mut marks = [(b, HOLDS), (c, OWNS)];
        marks.sort_unstable();
        second.replace(7, &[], &marks);
        assert_eq!((first.holders(a), first.holders(b)), (1, 1));
        assert_eq!((second.holders(a), second.holders(b), second.holders(c)), (0, 2, 0));
        assert_eq!(second.slots(b, HOLDS).collect::<Vec<_>>(), [0, 7]);
        assert_eq!(second.slots(c, OWNS).collect::<Vec<_>>(), [7]);
        assert_eq!((first.find("gamma"), second.find("gamma")), (None, Some(c)));
        assert_eq!((second.spelling(c), second.find("alpha")), ("gamma", Some(a)));
        assert_eq!(second.add("alpha"), a);
    }
}
