//! A growing list of distinct words, each with a number; looked up by a hash made once.

use std::hash::{DefaultHasher, Hasher};

use hashbrown::HashTable;

/// Words one after the other in one string.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct List {
    pub(super) text: String,
    /// Where each word ends.
    pub(super) ends: Vec<u32>,
}

/// Distinct words in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    list: List,
    table: HashTable<u32>,
}

/// The hash of a word, the same in every run.
pub(super) fn hash(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(word.as_bytes());
    hasher.finish()
}

impl List {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The word with a number; empty where there is none.
    pub(super) fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let before = number.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = before.copied().unwrap_or(0);
        let end = self.ends.get(number).copied().unwrap_or(start);
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Every word, by number.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len() as u32).map(|number| self.get(number))
    }

    /// Adds a word, known or not; its number.
    pub(super) fn push(&mut self, word: &str) -> u32 {
        self.text.push_str(word);
        self.ends.push(self.text.len() as u32);
        self.len() as u32 - 1
    }
}

impl Words {
    /// The words.
    pub(super) fn list(&self) -> &List {
        &self.list
    }

    /// The words alone.
    pub(super) fn into_list(self) -> List {
        self.list
    }

    /// The number of a word with this hash.
    pub(super) fn find(&self, word: &str, hash: u64) -> Option<u32> {
        self.table.find(hash, |number| self.list.get(*number) == word).copied()
    }

    /// The number of a word with this hash; a new one where it is not yet known.
    pub(super) fn add(&mut self, new: &str, hash_of_new: u64) -> u32 {
        if let Some(known) = self.find(new, hash_of_new) {
            return known;
        }
        let number = self.list.push(new);
        let list = &self.list;
        self.table.insert_unique(hash_of_new, number, |other| hash(list.get(*other)));
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_keeps_its_number() {
        let mut words = Words::default();
        let add = |words: &mut Words, word: &str| words.add(word, hash(word));
        let numbers: Vec<u32> = (0..1000).map(|n| add(&mut words, &format!("w{n}"))).collect();
        assert_eq!(numbers, (0..1000).collect::<Vec<u32>>());
        assert_eq!(add(&mut words, "w7"), 7);
        assert_eq!((words.list.get(999), words.list.get(1000)), ("w999", ""));
        assert_eq!(words.find("none", hash("none")), None);
        assert_eq!(words.list.iter().count(), words.list.len());
    }
}
