//! Words of code: whole identifiers and the parts they are made of.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use crate::workspace::index::Term;

/// A map by term. Terms are small numbers, so that mixing their bits once is enough.
pub(super) type TermMap<V> = HashMap<Term, V, BuildHasherDefault<NumberHasher>>;

/// A set of terms.
pub(super) type TermSet = HashSet<Term, BuildHasherDefault<NumberHasher>>;

/// Fibonacci hashing (Knuth, The Art of Computer Programming 3, §6.4).
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

/// The words of a text that could be identifiers.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

/// A map by the hash of a word's part.
pub(super) type PartMap<V> = HashMap<u64, V, BuildHasherDefault<NumberHasher>>;

/// Where a hash starts, and one that goes on with `number` (FNV-1a).
pub(super) const HASH: u64 = 0xcbf2_9ce4_8422_2325;
pub(super) fn hashed(hash: u64, number: u64) -> u64 {
    (hash ^ number).wrapping_mul(0x0100_0000_01b3)
}

/// Calls `each` with a hash of each part of an identifier in lower case that has at least
/// three letters: `http`, `server` of `HTTPServer` and of `http_server`.
pub(super) fn parts(identifier: &str, mut each: impl FnMut(u64)) {
    let (mut hash, mut length) = (HASH, 0);
    let mut before = '_';
    let mut rest = identifier.chars().peekable();
    while let Some(c) = rest.next() {
        let starts = c.is_uppercase()
            && (before.is_lowercase()
                || (before.is_uppercase() && rest.peek().is_some_and(|next| next.is_lowercase())));
        if starts || !c.is_alphabetic() {
            if length >= 3 {
                each(hash);
            }
            (hash, length) = (HASH, 0);
        }
        if c.is_alphabetic() {
            let lower = c.to_lowercase().next().unwrap_or(c);
            hash = hashed(hash, u64::from(u32::from(lower)));
            length += 1;
        }
        before = c;
    }
    if length >= 3 {
        each(hash);
    }
}
