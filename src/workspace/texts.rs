//! Texts of indexed files that were read a short while ago, so that a key stroke reads no file twice.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::index::ContentHash;

/// So many bytes of text are kept, and one more text where it alone is larger.
const MAX_BYTES: usize = 32 << 20;

/// Texts by what they hash to; of too many, those read first go first.
#[derive(Debug, Default)]
pub(super) struct Texts {
    known: HashMap<ContentHash, Arc<str>>,
    order: VecDeque<ContentHash>,
    bytes: usize,
}

impl Texts {
    /// The text with that hash, if it is kept.
    pub(super) fn get(&self, hash: ContentHash) -> Option<Arc<str>> {
        self.known.get(&hash).cloned()
    }

    /// Keeps a text, which has that hash.
    pub(super) fn keep(&mut self, hash: ContentHash, text: &Arc<str>) {
        if self.known.insert(hash, Arc::clone(text)).is_some() {
            return;
        }
        self.order.push_back(hash);
        self.bytes += text.len();
        while self.bytes > MAX_BYTES && self.order.len() > 1 {
            let first = self.order.pop_front().and_then(|first| self.known.remove(&first));
            self.bytes -= first.map_or(0, |text| text.len());
        }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_texts_the_latest_are_kept() {
        let mut texts = Texts::default();
        let large: Vec<Arc<str>> =
            ["a", "b", "c"].map(|letter| letter.repeat(MAX_BYTES / 2).into()).into();
        let hashes: Vec<ContentHash> = large.iter().map(|text| ContentHash::of(text)).collect();
        for (hash, text) in hashes.iter().zip(&large) {
            texts.keep(*hash, text);
            texts.keep(*hash, text);
        }
        assert!(texts.get(hashes[0]).is_none());
        assert_eq!(texts.get(hashes[1]).as_ref(), Some(&large[1]));
        assert_eq!(texts.get(hashes[2]).as_ref(), Some(&large[2]));
        texts.clear();
        assert!(texts.get(hashes[2]).is_none());
    }
}
