//! The evaluated sequences that are kept between requests, so that a prompt that starts like an
//! earlier one costs only its new end.

use super::EngineError;
use super::decoder::Store;
use super::kv_cache::KvCache;

/// Idle sequences, least recently used first.
#[derive(Debug)]
pub(super) struct Sequences {
    idle: Vec<KvCache>,
    /// No more sequences than this: completion, chat and background work do not evict each other.
    most: usize,
    /// No more bytes than this, the most recently used one aside.
    most_bytes: usize,
}

impl Sequences {
    /// Keeps sequences of no more than so many bytes.
    pub(super) fn new(most_bytes: usize) -> Self {
        const MOST: usize = 4;
        Self { idle: Vec::new(), most: MOST, most_bytes }
    }

    fn bytes(&self) -> usize {
        self.idle.iter().map(KvCache::bytes).sum()
    }
}

impl Store for Sequences {
    type Sequence = KvCache;

    /// A sequence of which more than half would be thrown away is copied as far as it fits and
    /// stays.
    fn take(&mut self, tokens: &[u32]) -> Result<Option<KvCache>, EngineError> {
        let usable = &tokens[..tokens.len().saturating_sub(1)];
        let best = self
            .idle
            .iter()
            .enumerate()
            .map(|(index, cache)| (index, common(cache.tokens(), usable)))
            // The more recently used of equals.
            .max_by_key(|(index, length)| (*length, *index))
            .filter(|(_, length)| *length > 0);
        let Some((index, length)) = best else {
            return Ok(None);
        };
        if 2 * length < self.idle[index].len() {
            let copy = self.idle[index].fork(length).map_err(|error| EngineError::Compute {
                message: format!("no room for keys and values: {error}"),
            })?;
            return Ok(Some(copy));
        }
        let mut cache = self.idle.remove(index);
        cache.truncate(length);
        Ok(Some(cache))
    }

    fn put(&mut self, cache: KvCache) {
        if cache.is_empty() {
            return;
        }
        // What another one continues is of no use.
        self.idle.retain(|old| common(old.tokens(), cache.tokens()) < old.len());
        self.idle.push(cache);
        while self.idle.len() > 1 && (self.idle.len() > self.most || self.bytes() > self.most_bytes)
        {
            self.idle.remove(0);
        }
    }

    fn shrink(&mut self, most_bytes: usize) {
        while !self.idle.is_empty() && self.bytes() > most_bytes {
            self.idle.remove(0);
        }
    }
}

fn common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::engine::kv_cache::CacheShape;

    const SHAPE: CacheShape =
        CacheShape { layers: 1, kv_heads: 1, head_dim: 2, context_length: 1000 };

    fn holding(tokens: &[u32]) -> KvCache {
        let mut cache = KvCache::new(SHAPE, &Device::Cpu);
        cache.reserve(tokens.len()).unwrap();
        cache.commit(tokens);
        cache
    }

    fn take(sequences: &mut Sequences, tokens: &[u32]) -> Vec<u32> {
        let cache = sequences.take(tokens).unwrap();
        cache.map(|cache| cache.tokens().to_vec()).unwrap_or_default()
    }

    fn kept(sequences: &Sequences) -> Vec<&[u32]> {
        sequences.idle.iter().map(KvCache::tokens).collect()
    }

    #[test]
    fn the_longest_common_start_is_taken_but_never_the_whole_prompt() {
        let mut sequences = Sequences::new(usize::MAX);
        sequences.put(holding(&[1, 2, 3, 4]));
        sequences.put(holding(&[1, 2, 9]));
        assert_eq!(take(&mut sequences, &[1, 2, 3, 4]), [1, 2, 3]);
        assert_eq!(kept(&sequences), [[1, 2, 9]]);
        assert_eq!(take(&mut sequences, &[7]), [0u32; 0]);
    }

    #[test]
    fn a_sequence_that_hardly_fits_is_copied_not_destroyed() {
        let mut sequences = Sequences::new(usize::MAX);
        sequences.put(holding(&[1, 2, 3, 4, 5, 6]));
        assert_eq!(take(&mut sequences, &[1, 2, 9, 9]), [1, 2]);
        assert_eq!(kept(&sequences), [[1, 2, 3, 4, 5, 6]]);
    }

    #[test]
    fn the_least_recently_used_go_first_for_number_and_for_memory() {
        let mut sequences = Sequences { most: 2, ..Sequences::new(usize::MAX) };
        for token in 1..=3 {
            sequences.put(holding(&[token]));
        }
        assert_eq!(kept(&sequences), [[2], [3]]);

        let mut sequences = Sequences::new(2 * holding(&[1]).bytes());
        for token in 1..=3 {
            sequences.put(holding(&[token]));
        }
        assert_eq!(kept(&sequences), [[2], [3]]);
        sequences.put(holding(&(0..900).collect::<Vec<_>>()));
        assert_eq!(sequences.idle.len(), 1, "the newest stays, whatever its size");
        sequences.shrink(0);
        assert!(sequences.idle.is_empty());
    }

    #[test]
    fn what_a_newer_sequence_continues_is_dropped() {
        let mut sequences = Sequences::new(usize::MAX);
        sequences.put(holding(&[1, 2]));
        sequences.put(holding(&[1, 2, 3]));
        sequences.put(KvCache::new(SHAPE, &Device::Cpu));
        assert_eq!(kept(&sequences), [[1, 2, 3]]);
    }
}
