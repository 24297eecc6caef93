//! Known text at another place: keys and values of a chunk that stood elsewhere in an earlier text
//! are moved instead of computed.
//!
//! This is an approximation. A moved chunk's keys are turned to their new positions, but keys and
//! values of all layers above the first still speak of what stood before the chunk then, not now.

mod copy;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use agent_pass::pages::{PAGE, Page};

/// Turns keys `[count, head_dim]` of one head by so many positions, all by the same.
pub type Rotate = Arc<dyn Fn(&mut [f32], i64) + Send + Sync>;

/// No shorter chunk is moved.
pub const SHORTEST: usize = 64;

/// Tokens by which chunks are found. Every chunk of [`SHORTEST`] has a piece of this length that
/// starts at a multiple of it.
const PIECE: usize = SHORTEST / 2;

/// Places of one piece that are looked at.
const MOST_PLACES: usize = 8;

/// Tokens of a new text that an earlier one has, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// Where they are in the new text.
    pub(super) at: usize,
    /// Which of the earlier texts.
    pub(super) source: usize,
    /// Where they are in it.
    pub(super) start: usize,
    /// How many.
    pub(super) length: usize,
}

/// Chunks of `new` behind `from` that are in one of `sources`, in order and without overlap.
pub(super) fn runs(new: &[u32], from: usize, sources: &[&[u32]]) -> Vec<Run> {
    let mut places: HashMap<&[u32], Vec<(usize, usize)>> = HashMap::new();
    for (source, tokens) in sources.iter().enumerate() {
        for (index, piece) in tokens.chunks_exact(PIECE).enumerate() {
            let known = places.entry(piece).or_default();
            if known.len() < MOST_PLACES {
                known.push((source, index * PIECE));
            }
        }
    }
    let mut found = Vec::new();
    let (mut from, mut at) = (from, from);
    while let Some(piece) = new.get(at..at + PIECE) {
        let around = |&(source, place): &(usize, usize)| {
            let old = sources[source];
            let same = |(a, b): &(&u32, &u32)| a == b;
            let behind = new[at..].iter().zip(&old[place..]).take_while(same).count();
            let before = new[from..at].iter().rev().zip(old[..place].iter().rev());
            let before = before.take_while(same).count();
            Run { at: at - before, source, start: place - before, length: before + behind }
        };
        let known = places.get(piece).map(Vec::as_slice).unwrap_or_default();
        match known.iter().map(around).max_by_key(|run| run.length) {
            Some(run) if run.length >= SHORTEST => {
                from = run.at + run.length;
                at = from;
                found.push(run);
            }
            _ => at += 1,
        }
    }
    found
}

/// Chunks to come in a sequence whose keys and values are at hand.
#[derive(Default)]
pub(super) struct Known {
    pub(super) chunks: VecDeque<Chunk>,
    pub(super) rotate: Option<Rotate>,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chunks.fmt(f)
    }
}

/// One such chunk.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Its position in the sequence.
    pub(super) at: usize,
    pub(super) tokens: Vec<u32>,
    /// Its position where it was.
    pub(super) start: usize,
    /// The pages it is in, from that of its first token on.
    pub(super) pages: Vec<Arc<Page>>,
}

impl Chunk {
    /// The chunk `run` of `new`, whose source has `pages`.
    pub(super) fn of(run: Run, new: &[u32], pages: &[Arc<Page>]) -> Self {
        let end = run.start + run.length;
        Self {
            at: run.at,
            tokens: new[run.at..run.at + run.length].to_vec(),
            start: run.start,
            pages: pages[run.start / PAGE..end.div_ceil(PAGE)].to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(range: std::ops::Range<u32>) -> Vec<u32> {
        range.collect()
    }

    #[test]
    fn what_is_behind_an_edit_is_found_wherever_it_starts() {
        let old = numbers(0..300);
        for at in [1, 70, 100] {
            for inserted in [1, 5, 64] {
                let edited = vec![900; inserted];
                let new = [&old[..at], &edited, &old[at + 3..]].concat();
                let length = old.len() - at - 3;
                let expected = Run { at: at + inserted, source: 1, start: at + 3, length };
                assert_eq!(runs(&new, at, &[&[7; 80], &old]), [expected]);
            }
        }
    }

    #[test]
    fn short_chunks_are_not_worth_it_and_moved_ones_are_found() {
        let old = numbers(0..300);
        let new = [&old[200..263], &[999], &old[10..120], &old[200..290]].concat();
        let expected = [
            Run { at: 64, source: 0, start: 10, length: 110 },
            Run { at: 174, source: 0, start: 200, length: 90 },
        ];
        assert_eq!(runs(&new, 0, &[&old]), expected);
        assert_eq!(runs(&new, 0, &[]), []);
        assert_eq!(runs(&[1, 2], 5, &[&old]), []);
    }

    proptest! {
        #[test]
        fn chunks_are_equal_ordered_and_long_and_a_long_one_is_not_missed(
            first in prop::collection::vec(0u32..3, 0..400),
            second in prop::collection::vec(0u32..1000, 0..400),
            cut in 0usize..400,
            moved in 0usize..100,
            from in 0usize..50,
        ) {
            let tail = second.get(cut..).unwrap_or_default();
            let new = [&vec![5000; moved], tail, &first[..first.len() / 2]].concat();
            let sources = [&first[..], &second[..]];
            let found = runs(&new, from, &sources);
            let mut end = from;
            for run in &found {
                prop_assert!(run.at >= end && run.length >= SHORTEST);
                end = run.at + run.length;
                let old = &sources[run.source][run.start..run.start + run.length];
                prop_assert_eq!(&new[run.at..end], old);
            }
            if tail.len() >= SHORTEST + 50 {
                prop_assert!(found.iter().any(|run| run.at < moved.max(from) + SHORTEST));
            }
        }
    }
}
