//! The evaluated tokens of one text: which tokens, and the pages that hold their keys and values.

use std::sync::Arc;

use super::shift::Known;
use crate::engine::{EngineError, decoder};
use agent_pass::pages::{PAGE, Page, Pool};

/// A sequence of evaluated tokens. Position `p` is in page `p / 64` at `p % 64`.
///
/// Pages may be shared with other sequences and with the cache; a page that is about to be written
/// is copied first if it is.
#[derive(Debug)]
pub struct Sequence {
    pool: Pool,
    context_length: usize,
    tokens: Vec<u32>,
    /// At least as many as the tokens need.
    pages: Vec<Arc<Page>>,
    /// Chunks to come that need not be evaluated.
    known: Known,
}

impl Sequence {
    /// An empty sequence of at most `context_length` tokens.
    pub fn new(pool: &Pool, context_length: usize) -> Self {
        Self {
            pool: pool.clone(),
            context_length,
            tokens: Vec::new(),
            pages: Vec::new(),
            known: Known::default(),
        }
    }

    /// The sequence of `tokens`, whose keys and values are in `pages`.
    pub(super) fn of(
        pool: &Pool,
        context_length: usize,
        tokens: Vec<u32>,
        pages: Vec<Arc<Page>>,
    ) -> Self {
        debug_assert_eq!(pages.len(), tokens.len().div_ceil(PAGE));
        Self { pool: pool.clone(), context_length, tokens, pages, known: Known::default() }
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

    /// Its pages, in order; after [`Self::reserve`] also those of the positions to come. Two
    /// sequences that share their start have the same pages there ([`Arc::ptr_eq`]).
    pub fn pages(&self) -> &[Arc<Page>] {
        &self.pages
    }

    /// Makes room for `more` tokens after those it holds. Afterwards nobody else has the pages of
    /// the positions `len..len + more`, and those positions may be written ([`Page`] says how)
    /// until the sequence is used otherwise. After an error the sequence is as it was.
    pub fn reserve(&mut self, more: usize) -> Result<(), EngineError> {
        let needed = self.len() + more;
        if needed > self.context_length {
            let limit = self.context_length;
            let message = format!("{needed} tokens do not fit into a context of {limit}");
            return Err(EngineError::Compute { message });
        }
        // Pages behind the tokens may be shared, too, if a fork was made after `reserve`.
        let first_written = self.len() / PAGE;
        for page in self.pages.iter_mut().take(needed.div_ceil(PAGE)).skip(first_written) {
            if Arc::get_mut(page).is_none() {
                *page = Arc::new(self.pool.copy(page)?);
            }
        }
        while self.pages.len() < needed.div_ceil(PAGE) {
            self.pages.push(Arc::new(self.pool.page()?));
        }
        Ok(())
    }

    /// Counts `tokens` as evaluated, after all their keys and values were written where
    /// [`Self::reserve`] made room.
    pub fn commit(&mut self, tokens: &[u32]) {
        debug_assert!(self.len() + tokens.len() <= self.pages.len() * PAGE);
        self.tokens.extend_from_slice(tokens);
    }

    /// Forgets all tokens after the first `length`, and the pages that only they needed.
    pub fn truncate(&mut self, length: usize) {
        self.tokens.truncate(length);
        self.pages.truncate(self.tokens.len().div_ceil(PAGE));
    }

    /// Another sequence of the same tokens that goes its own way. Copies no keys and values: that
    /// happens to the last, unfinished page when one of the two is continued.
    pub fn fork(&self) -> Self {
        let pages = self.tokens.len().div_ceil(PAGE);
        Self {
            pool: self.pool.clone(),
            context_length: self.context_length,
            tokens: self.tokens.clone(),
            pages: self.pages.iter().take(pages).cloned().collect(),
            known: Known::default(),
        }
    }

    /// The page of that index, if nobody else has it: what [`Self::reserve`] made room in.
    pub(super) fn page_mut(&mut self, index: usize) -> Option<&mut Page> {
        Arc::get_mut(self.pages.get_mut(index)?)
    }

    /// Names chunks that are appended when the sequence gets to them.
    pub(super) fn will_know(&mut self, known: Known) {
        self.known = known;
    }

    /// What it holds, for the cache.
    pub(super) fn into_parts(mut self) -> (Vec<u32>, Vec<Arc<Page>>) {
        self.truncate(self.tokens.len());
        (self.tokens, self.pages)
    }
}

impl decoder::Sequence for Sequence {
    fn tokens(&self) -> &[u32] {
        self.tokens()
    }

    fn truncate(&mut self, length: usize) {
        self.truncate(length);
    }

    fn fork(&self) -> Result<Self, EngineError> {
        Ok(self.fork())
    }

    fn append_known(&mut self) -> Result<Option<usize>, EngineError> {
        let mut known = std::mem::take(&mut self.known);
        let appended = known.append(self);
        let next = known.next(self.len());
        self.known = known;
        appended.map(|()| next)
    }
}

#[cfg(test)]
#[expect(unsafe_code, reason = "pages are written through pointers")]
pub(super) mod tests {
    use super::*;
    use agent_pass::pages::{KvFormat, PageShape};

    pub(in crate::engine::cpu) const SHAPE: PageShape =
        PageShape { layers: 1, kv_heads: 2, head_dim: 4, format: KvFormat::F16 };

    /// What stands for the keys and values of the last of `tokens`: they depend on all of them.
    fn stamp(so_far: u16, token: u32) -> u16 {
        so_far.wrapping_mul(31).wrapping_add(token as u16 + 1)
    }

    /// "Evaluates" tokens: writes the stamp of every prefix in all places of its position.
    pub(in crate::engine::cpu) fn append(sequence: &mut Sequence, tokens: &[u32]) {
        sequence.reserve(tokens.len()).unwrap();
        let mut so_far = sequence.tokens().iter().fold(7, |so_far, token| stamp(so_far, *token));
        for (position, token) in (sequence.len()..).zip(tokens) {
            so_far = stamp(so_far, *token);
            let page = &sequence.pages()[position / PAGE];
            let at = position % PAGE;
            for head in 0..SHAPE.kv_heads {
                for d in 0..SHAPE.head_dim {
                    // SAFETY: `reserve` made room and nobody else writes.
                    unsafe {
                        *page.keys_ptr(0, head).add(d * PAGE + at) = so_far ^ d as u16;
                        *page.values_ptr(0, head).add(at * SHAPE.head_dim + d) = so_far;
                    }
                }
            }
        }
        sequence.commit(tokens);
    }

    /// That a sequence holds what evaluating its tokens anew would write.
    pub(in crate::engine::cpu) fn check(sequence: &Sequence) {
        assert_eq!(sequence.fork().pages().len(), sequence.len().div_ceil(PAGE));
        let mut so_far = 7;
        for (position, token) in sequence.tokens().iter().enumerate() {
            so_far = stamp(so_far, *token);
            let page = &sequence.pages()[position / PAGE];
            let at = position % PAGE;
            for head in 0..SHAPE.kv_heads {
                for d in 0..SHAPE.head_dim {
                    let key = page.keys(0, head)[d * PAGE + at];
                    let value = page.values(0, head)[at * SHAPE.head_dim + d];
                    assert_eq!((key ^ d as u16, value), (so_far, so_far), "position {position}");
                }
            }
        }
    }

    fn numbers(count: u32) -> Vec<u32> {
        (0..count).collect()
    }

    #[test]
    fn appending_truncating_and_appending_gives_what_was_appended() {
        let pool = Pool::new(SHAPE);
        let mut sequence = Sequence::new(&pool, 1000);
        append(&mut sequence, &numbers(200));
        check(&sequence);
        sequence.truncate(130);
        assert_eq!(pool.used_bytes(), 3 * SHAPE.page_bytes());
        append(&mut sequence, &[9, 9]);
        check(&sequence);
        sequence.truncate(128);
        assert_eq!(sequence.pages().len(), 2);
        append(&mut sequence, &numbers(65));
        check(&sequence);
    }

    #[test]
    fn a_fork_costs_nothing_until_it_goes_its_own_way() {
        let pool = Pool::new(SHAPE);
        let mut sequence = Sequence::new(&pool, 1000);
        append(&mut sequence, &numbers(100));
        let mut forks: Vec<Sequence> = (0..3).map(|_| sequence.fork()).collect();
        assert_eq!(pool.used_bytes(), 2 * SHAPE.page_bytes());
        for (index, fork) in forks.iter_mut().enumerate() {
            append(fork, &[index as u32 + 500, 7]);
        }
        append(&mut sequence, &[400]);
        forks.iter().chain([&sequence]).for_each(check);
        // One page in common; the last to write kept the unfinished one.
        assert_eq!(pool.used_bytes(), (1 + 4) * SHAPE.page_bytes());
    }

    #[test]
    fn room_that_was_made_before_a_fork_is_not_shared_afterwards() {
        let pool = Pool::new(SHAPE);
        let mut sequence = Sequence::new(&pool, 1000);
        append(&mut sequence, &numbers(60));
        sequence.reserve(100).unwrap();
        let mut fork = sequence.fork();
        append(&mut sequence, &numbers(80));
        append(&mut fork, &[1; 80]);
        check(&sequence);
        check(&fork);
    }

    #[test]
    fn more_than_the_context_is_an_error_and_changes_nothing() {
        let pool = Pool::new(SHAPE);
        let mut sequence = Sequence::new(&pool, 100);
        append(&mut sequence, &numbers(90));
        assert!(sequence.reserve(11).is_err());
        assert_eq!(sequence.pages().len(), 2);
        append(&mut sequence, &[1; 10]);
        check(&sequence);
    }
}
