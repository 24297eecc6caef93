//! Words of code: whole identifiers and the parts they are made of.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use crate::text::word::is_word;
use crate::workspace::index::Term;

/// A map by term. Terms are small numbers, so that mixing their bits once is enough.
pub(super) type TermMap<V> = HashMap<Term, V, BuildHasherDefault<NumberHasher>>;

/// A set of terms.
pub(super) type TermSet = HashSet<Term, BuildHasherDefault<NumberHasher>>;

/// Says of most terms that they are not in a set, without looking there: a Bloom filter with one hash
/// (Bloom, Space/Time Trade-offs in Hash Coding with Allowable Errors, 1970).
#[derive(Debug)]
pub(super) struct Sieve([u64; SIEVE / 64]);

/// Bits of a sieve: many times the words that stand near a cursor, and no more than a few cache lines.
const SIEVE: usize = 8192;

impl Sieve {
    pub(super) fn of<'t>(terms: impl Iterator<Item = &'t Term>) -> Self {
        let mut sieve = Self([0; SIEVE / 64]);
        for term in terms {
            let (at, bit) = Self::place(*term);
            sieve.0[at] |= bit;
        }
        sieve
    }

    /// False where the term is not in the set.
    pub(super) fn may_hold(&self, term: Term) -> bool {
        let (at, bit) = Self::place(term);
        self.0[at] & bit != 0
    }

    fn place(term: Term) -> (usize, u64) {
        let mut hasher = NumberHasher::default();
        term.hash(&mut hasher);
        let at = hasher.finish() as usize % SIEVE;
        (at / 64, 1 << (at % 64))
    }
}

/// Fibonacci hashing (Knuth, The Art of Computer Programming 3, §6.4).
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (eights, rest) = bytes.as_chunks();
        for eight in eights {
            self.write_u64(u64::from_le_bytes(*eight));
        }
        let mut last = [0; 8];
        for (held, byte) in last.iter_mut().zip(rest) {
            *held = *byte;
        }
        self.write_u64(u64::from_le_bytes(last));
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

/// A map by word.
pub(super) type WordMap<'w, V> = HashMap<&'w str, V, BuildHasherDefault<NumberHasher>>;

/// The words of a text that could be identifiers: the longest runs of letters, digits and
/// underscores that do not begin with a digit.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = past(text, at, Class::Other);
            let first = *text.as_bytes().get(start)?;
            at = past(text, start, Class::OfWord);
            let word = text.get(start..at)?;
            match first {
                b'0'..=b'9' => {}
                128.. if !word.starts_with(char::is_alphabetic) => {}
                _ => return Some(word),
            }
        }
    })
}

/// What a byte says of the character that it is or begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// It may stand in an identifier.
    OfWord,
    /// It may not.
    Other,
    /// The character has to be looked at.
    Unknown,
}

/// Nearly all bytes that are read are ASCII.
const CLASSES: [Class; 256] = {
    let mut table = [Class::Unknown; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        let is_word = byte.is_ascii_alphanumeric() || byte == b'_';
        table[byte as usize] = if is_word { Class::OfWord } else { Class::Other };
        byte += 1;
    }
    table
};

/// Where the run of `class` ends that begins at `at`.
fn past(text: &str, mut at: usize, class: Class) -> usize {
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match CLASSES[usize::from(*byte)] {
            known if known == class => at += 1,
            Class::Unknown => {
                let next = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
                if is_word(next) != (class == Class::OfWord) {
                    break;
                }
                at += next.len_utf8();
            }
            _ => break,
        }
    }
    at
}

/// A map by the hash of a word or of a part of one.
pub(super) type PartMap<V> = HashMap<u64, V, BuildHasherDefault<NumberHasher>>;

/// A set of such hashes.
pub(super) type PartSet = HashSet<u64, BuildHasherDefault<NumberHasher>>;

/// The hash of a word, eight bytes at a time; the last step may look again at bytes of the one before.
pub(super) fn hash(word: &str) -> u64 {
    let bytes = word.as_bytes();
    let mut hasher = NumberHasher::default();
    hasher.write_usize(bytes.len() + 1);
    let (eights, rest) = bytes.as_chunks();
    for eight in eights {
        hasher.write_u64(u64::from_le_bytes(*eight));
    }
    let last = match (bytes.last_chunk(), rest.first_chunk(), rest.last_chunk()) {
        (Some(eight), ..) => u64::from_le_bytes(*eight),
        (None, Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
        }
        _ => rest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
    };
    hasher.write_u64(last);
    hasher.finish()
}

/// Where a hash starts, and one that goes on with `number` (FNV-1a).
const HASH: u64 = 0xcbf2_9ce4_8422_2325;
fn hashed(hash: u64, number: u64) -> u64 {
    (hash ^ number).wrapping_mul(0x0100_0000_01b3)
}

/// Calls `each` with a hash of each part of an identifier in lower case that has at least
/// three letters: `http`, `server` of `HTTPServer` and of `http_server`.
pub(super) fn parts(identifier: &str, each: impl FnMut(u64)) {
    if identifier.bytes().all(|byte| byte.is_ascii()) {
        parts_of_ascii(identifier.as_bytes(), each);
    } else {
        parts_of(identifier.chars(), each);
    }
}

/// What [`parts_of`] finds, in what nearly all identifiers are.
fn parts_of_ascii(identifier: &[u8], mut each: impl FnMut(u64)) {
    let (mut hash, mut length) = (HASH, 0);
    let mut before = b'_';
    for (at, byte) in identifier.iter().enumerate() {
        let starts = byte.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || (before.is_ascii_uppercase()
                    && identifier.get(at + 1).is_some_and(u8::is_ascii_lowercase)));
        if starts || !byte.is_ascii_alphabetic() {
            if length >= 3 {
                each(hash);
            }
            (hash, length) = (HASH, 0);
        }
        if byte.is_ascii_alphabetic() {
            hash = hashed(hash, u64::from(byte.to_ascii_lowercase()));
            length += 1;
        }
        before = *byte;
    }
    if length >= 3 {
        each(hash);
    }
}

fn parts_of(characters: impl Iterator<Item = char>, mut each: impl FnMut(u64)) {
    let (mut hash, mut length) = (HASH, 0);
    let mut before = '_';
    let mut rest = characters.peekable();
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_are_runs_of_what_names_are_made_of(text in "[a-zA-Z0-9_ .é😀²β\\n]{0,40}") {
            let expected = text
                .split(|c: char| !is_word(c))
                .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'));
            prop_assert_eq!(words(&text).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        }

        #[test]
        fn parts_are_the_same_by_bytes_as_by_characters(name in "[a-dA-D0-9_]{0,20}") {
            let (mut bytes, mut characters) = (Vec::new(), Vec::new());
            parts_of_ascii(name.as_bytes(), |part| bytes.push(part));
            parts_of(name.chars(), |part| characters.push(part));
            prop_assert_eq!(bytes, characters);
        }
    }

    #[test]
    fn parts_are_the_words_in_an_identifier() {
        let of = |name: &str| {
            let mut found = Vec::new();
            parts(name, |part| found.push(part));
            found
        };
        assert_eq!(of("HTTPServer"), of("http_server"));
        assert_eq!(of("größeXyz"), of("GrößeXyz"));
        assert!(of("a_bc").is_empty());
    }
}
