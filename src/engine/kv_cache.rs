//! Keys and values of evaluated tokens: truncates to a common prefix, forks for candidates.
//!
//! A layer's keys lie as `[capacity, key-value heads, head size]`, position first: appending
//! writes one contiguous block, growing copies one, and any number of positions from the start is
//! a contiguous view. A cache knows the tokens it holds, so that it can never be out of step
//! with them.

use candle_core::{DType, Device, Result, Tensor};

use super::EngineError;
use super::decoder::Sequence;

/// The sizes of a model's cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheShape {
    /// Number of layers.
    pub layers: usize,
    /// Heads of keys and values, per layer.
    pub kv_heads: usize,
    /// Size of a head.
    pub head_dim: usize,
    /// No more than this many tokens, ever.
    pub context_length: usize,
}

impl CacheShape {
    /// Bytes per token: keys and values of all layers in f32.
    pub fn bytes_per_token(&self) -> usize {
        2 * self.layers * self.kv_heads * self.head_dim * size_of::<f32>()
    }
}

/// The evaluated tokens of one sequence.
#[derive(Debug)]
pub struct KvCache {
    shape: CacheShape,
    device: Device,
    tokens: Vec<u32>,
    /// Positions there is room for.
    capacity: usize,
    /// Per layer; empty while there is no room for anything.
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    /// `[capacity, kv_heads, head_dim]`, f32.
    keys: Tensor,
    /// `[capacity, kv_heads, head_dim]`, f32.
    values: Tensor,
}

impl KvCache {
    /// The least room that is made at once.
    const BLOCK: usize = 64;

    /// An empty cache; memory is taken when tokens come.
    pub fn new(shape: CacheShape, device: &Device) -> Self {
        Self { shape, device: device.clone(), tokens: Vec::new(), capacity: 0, layers: Vec::new() }
    }

    /// The tokens it holds, in order.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Number of tokens it holds.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Bytes it occupies.
    pub fn bytes(&self) -> usize {
        self.capacity * self.shape.bytes_per_token()
    }

    /// Forgets all tokens after the first `length`; keeps its memory.
    pub fn truncate(&mut self, length: usize) {
        self.tokens.truncate(length);
    }

    /// A copy of the first `length` tokens that goes its own way.
    pub fn fork(&self, length: usize) -> Result<Self> {
        let length = length.min(self.len());
        let mut fork = Self::new(self.shape, &self.device);
        if length > 0 {
            // Room for what comes next: a fork is made to be continued.
            fork.reserve((Self::BLOCK + length).min(self.shape.context_length))?;
            for (to, from) in fork.layers.iter().zip(&self.layers) {
                to.keys.slice_set(&from.keys.narrow(0, 0, length)?, 0, 0)?;
                to.values.slice_set(&from.values.narrow(0, 0, length)?, 0, 0)?;
            }
            fork.tokens.extend(self.tokens.iter().take(length));
        }
        Ok(fork)
    }

    /// Makes room for `more` tokens after those it holds, growing by at least half.
    pub(super) fn reserve(&mut self, more: usize) -> Result<()> {
        let needed = self.len() + more;
        if needed <= self.capacity {
            return Ok(());
        }
        if needed > self.shape.context_length {
            candle_core::bail!(
                "{needed} tokens do not fit into a context of {}",
                self.shape.context_length
            );
        }
        let capacity = needed
            .next_multiple_of(Self::BLOCK)
            .max(self.capacity + self.capacity / 2)
            .min(self.shape.context_length);
        let length = self.len();
        let grown = |old: Option<&Tensor>| {
            let shape = (capacity, self.shape.kv_heads, self.shape.head_dim);
            let new = Tensor::zeros(shape, DType::F32, &self.device)?;
            if let Some(old) = old.filter(|_| length > 0) {
                new.slice_set(&old.narrow(0, 0, length)?, 0, 0)?;
            }
            Ok::<_, candle_core::Error>(new)
        };
        // Layer by layer: never more than one layer twice in memory.
        for index in 0..self.shape.layers {
            let old = self.layers.get(index);
            let layer = Layer {
                keys: grown(old.map(|old| &old.keys))?,
                values: grown(old.map(|old| &old.values))?,
            };
            match self.layers.get_mut(index) {
                Some(old) => *old = layer,
                None => self.layers.push(layer),
            }
        }
        self.capacity = capacity;
        Ok(())
    }

    /// Writes keys and values `[n, kv_heads, head_dim]` of the next `n` tokens of `layer` and
    /// returns those of all positions so far, `[len + n, kv_heads, head_dim]` each, without
    /// copying. The tokens count only once [`Self::commit`] names them.
    pub(super) fn extend(
        &self,
        layer: usize,
        keys: &Tensor,
        values: &Tensor,
    ) -> Result<(Tensor, Tensor)> {
        let Some(layer) = self.layers.get(layer) else {
            candle_core::bail!("the cache has no layer {layer} yet");
        };
        let start = self.len();
        let end = start + keys.dim(0)?;
        layer.keys.slice_set(keys, 0, start)?;
        layer.values.slice_set(values, 0, start)?;
        Ok((layer.keys.narrow(0, 0, end)?, layer.values.narrow(0, 0, end)?))
    }

    /// Counts `tokens` as evaluated, after every layer got their keys and values.
    pub(super) fn commit(&mut self, tokens: &[u32]) {
        self.tokens.extend_from_slice(tokens);
    }
}

impl Sequence for KvCache {
    fn tokens(&self) -> &[u32] {
        self.tokens()
    }

    fn truncate(&mut self, length: usize) {
        self.truncate(length);
    }

    fn fork(&self) -> std::result::Result<Self, EngineError> {
        self.fork(self.len()).map_err(|error| EngineError::Compute {
            message: format!("no room for keys and values: {error}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: CacheShape =
        CacheShape { layers: 2, kv_heads: 1, head_dim: 2, context_length: 200 };

    fn append(cache: &mut KvCache, tokens: &[u32]) {
        cache.reserve(tokens.len()).unwrap();
        for layer in 0..SHAPE.layers {
            let rows: Vec<f32> = tokens.iter().flat_map(|&t| [t as f32, layer as f32]).collect();
            let keys = Tensor::from_vec(rows, (tokens.len(), 1, 2), &Device::Cpu).unwrap();
            cache.extend(layer, &keys, &keys.neg().unwrap()).unwrap();
        }
        cache.commit(tokens);
    }

    fn keys(cache: &KvCache, layer: usize) -> Vec<f32> {
        let keys = cache.layers[layer].keys.narrow(0, 0, cache.len()).unwrap();
        keys.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().step_by(2).collect()
    }

    #[test]
    fn growing_keeps_what_was_there() {
        let mut cache = KvCache::new(SHAPE, &Device::Cpu);
        for start in (0..200).step_by(40) {
            append(&mut cache, &(start..start + 40).collect::<Vec<_>>());
        }
        let expected: Vec<f32> = (0..200u16).map(f32::from).collect();
        assert_eq!(keys(&cache, 0), expected);
        assert_eq!(keys(&cache, 1), expected);
        assert_eq!(cache.bytes(), 200 * SHAPE.bytes_per_token());
    }

    #[test]
    fn truncating_then_appending_overwrites() {
        let mut cache = KvCache::new(SHAPE, &Device::Cpu);
        append(&mut cache, &[1, 2, 3, 4]);
        cache.truncate(2);
        append(&mut cache, &[9]);
        assert_eq!(cache.tokens(), [1, 2, 9]);
        assert_eq!(keys(&cache, 1), [1.0, 2.0, 9.0]);
    }

    #[test]
    fn a_nearly_full_sequence_can_be_forked() {
        let mut cache = KvCache::new(SHAPE, &Device::Cpu);
        append(&mut cache, &(0..199).collect::<Vec<_>>());
        let mut fork = cache.fork(199).unwrap();
        append(&mut fork, &[7]);
        assert_eq!(fork.len(), SHAPE.context_length);
    }

    #[test]
    fn a_fork_and_its_origin_do_not_see_each_other() {
        let mut cache = KvCache::new(SHAPE, &Device::Cpu);
        append(&mut cache, &[1, 2, 3]);
        let mut fork = cache.fork(2).unwrap();
        append(&mut fork, &[7]);
        append(&mut cache, &[4]);
        assert_eq!((fork.tokens(), keys(&fork, 0)), (&[1, 2, 7][..], vec![1.0, 2.0, 7.0]));
        assert_eq!(keys(&cache, 0), [1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn a_fork_at_the_end_of_the_context_has_room_for_what_is_left() {
        let mut cache = KvCache::new(SHAPE, &Device::Cpu);
        append(&mut cache, &[1; 199]);
        let mut fork = cache.fork(usize::MAX).unwrap();
        append(&mut fork, &[2]);
        assert_eq!(fork.len(), 200);
        assert!(fork.reserve(1).is_err());
    }

    #[test]
    fn more_than_the_context_is_an_error() {
        let mut cache = KvCache::new(SHAPE, &Device::Cpu);
        assert!(cache.reserve(201).is_err());
        assert!(cache.reserve(200).is_ok());
    }

    #[test]
    fn tokens_that_were_not_committed_are_not_there() {
        let mut cache = KvCache::new(SHAPE, &Device::Cpu);
        append(&mut cache, &[1]);
        cache.reserve(1).unwrap();
        let stray = Tensor::ones((1, 1, 2), DType::F32, &Device::Cpu).unwrap();
        cache.extend(0, &stray, &stray).unwrap();
        append(&mut cache, &[2]);
        assert_eq!(keys(&cache, 0), [1.0, 2.0]);
    }
}
