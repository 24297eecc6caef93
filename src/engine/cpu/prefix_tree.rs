//! The evaluated sequences that are kept between requests, as one tree: what texts have in common
//! at their start is kept once.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use super::saved::Saved;
use super::sequence::Sequence;
use super::shift::{self, Chunk, Known, Rotate};
use crate::engine::EngineError;
use crate::engine::decoder::Store;
use agent_pass::pages::{PAGE, Page, Pool};

/// A tree of pages. The path to a node spells a text; its page holds the keys and values of the
/// last up to 64 tokens of it.
///
/// A node with fewer tokens has no children, and of two siblings none starts with the other, so
/// there is one way to descend.
pub struct PrefixTree {
    pool: Pool,
    context_length: usize,
    most_bytes: usize,
    nodes: Vec<Node>,
    /// Places in `nodes` that are free.
    vacant: Vec<usize>,
    /// `(last use, node)` of the nodes without children.
    leaves: BTreeSet<(u64, usize)>,
    /// Counts uses.
    clock: u64,
    /// How keys are turned, if chunks behind an edit are moved.
    rotate: Option<Rotate>,
    /// What is kept on disk, if anything is.
    saved: Option<Saved>,
}

#[derive(Debug)]
struct Node {
    tokens: Box<[u32]>,
    /// Only the root has none.
    page: Option<Arc<Page>>,
    parent: usize,
    children: Vec<usize>,
    last_use: u64,
}

const ROOT: usize = 0;

impl PrefixTree {
    /// An empty tree that keeps no more pages than fit into `most_bytes` together with those of
    /// the sequences in use.
    pub fn new(pool: &Pool, context_length: usize, most_bytes: usize) -> Self {
        let root = Node {
            tokens: Box::default(),
            page: None,
            parent: ROOT,
            children: Vec::new(),
            last_use: 0,
        };
        Self {
            pool: pool.clone(),
            context_length,
            most_bytes,
            nodes: vec![root],
            vacant: Vec::new(),
            leaves: BTreeSet::new(),
            clock: 0,
            rotate: None,
            saved: None,
        }
    }

    /// Also moves known chunks to where they are in a new text, turning their keys with `rotate`:
    /// an approximation (see [`super::shift`]).
    pub fn with_reuse_of_shifted(self, rotate: Rotate) -> Self {
        Self { rotate: Some(rotate), ..self }
    }

    /// Also finds what is kept on disk.
    pub fn with_saved(self, saved: Saved) -> Self {
        Self { saved: Some(saved), ..self }
    }

    /// Keeps the texts used last on disk, too, if there is a place for it.
    pub fn save(&mut self) -> Result<(), EngineError> {
        let Some(mut saved) = self.saved.take() else { return Ok(()) };
        // The oldest first, so that it is the first to go again.
        let texts = self.recent().into_iter().rev();
        let mut saves = texts.map(|(tokens, pages)| saved.save(&tokens, &pages));
        let outcome = saves.try_for_each(|save| save);
        self.saved = Some(saved);
        outcome.map_err(|error: io::Error| EngineError::Compute {
            message: format!("the evaluated text could not be saved: {error}"),
        })
    }

    /// A sequence that holds as many of the first of `tokens` as are at hand, but never all: the
    /// last one is evaluated anew for its logits. Makes room for the others.
    pub fn take(&mut self, tokens: &[u32]) -> Sequence {
        self.read_saved(tokens);
        self.clock += 1;
        let mut left = &tokens[..tokens.len().saturating_sub(1)];
        let mut pages = Vec::with_capacity(tokens.len().div_ceil(PAGE));
        let mut node = ROOT;
        while let Some((child, length)) = self.longest_match(node, left) {
            self.touch(child);
            pages.extend(self.nodes[child].page.clone());
            left = &left[length..];
            if length < PAGE {
                break;
            }
            node = child;
        }
        let length = tokens.len().saturating_sub(left.len() + 1);
        // Found before anything is dropped to make room.
        let known = self.known(tokens, length);
        // The last page, where it is unfinished, is copied before it is written.
        let coming = tokens.len().div_ceil(PAGE) - length / PAGE;
        let needed = coming * self.pool.shape().page_bytes();
        self.evict(self.most_bytes.saturating_sub(needed));
        let taken = tokens[..length].to_vec();
        let mut sequence = Sequence::of(&self.pool, self.context_length, taken, pages);
        sequence.will_know(known);
        sequence
    }

    /// Keeps a sequence for later, at the cost of those not used for longest.
    pub fn put(&mut self, sequence: Sequence) {
        self.clock += 1;
        let (tokens, pages) = sequence.into_parts();
        let mut node = ROOT;
        for (tokens, page) in tokens.chunks(PAGE).zip(pages) {
            node = self.child_for(node, tokens, page);
            self.touch(node);
        }
        self.evict(self.most_bytes);
    }

    /// Reads from disk what has more of `tokens` than the tree.
    fn read_saved(&mut self, tokens: &[u32]) {
        let Some(mut saved) = self.saved.take() else { return };
        if let Some(sequence) = saved.longest(tokens, self.match_length(tokens)) {
            self.put(sequence);
        }
        self.saved = Some(saved);
    }

    /// How many of the first of `tokens` the tree has.
    fn match_length(&self, tokens: &[u32]) -> usize {
        let (mut node, mut length) = (ROOT, 0);
        while let Some((child, found)) = self.longest_match(node, &tokens[length..]) {
            (node, length) = (child, length + found);
            if found < PAGE {
                break;
            }
        }
        length
    }

    /// The chunks of `tokens` behind the first `length` that are known from elsewhere, the last
    /// token aside.
    fn known(&self, tokens: &[u32], length: usize) -> Known {
        let end = tokens.len().saturating_sub(1);
        if self.rotate.is_none() || end < length + shift::SHORTEST {
            return Known::default();
        }
        let recent = self.recent();
        let sources: Vec<&[u32]> = recent.iter().map(|(tokens, _)| tokens.as_slice()).collect();
        let chunks = shift::runs(&tokens[..end], length, &sources)
            .into_iter()
            .map(|run| Chunk::of(run, tokens, &recent[run.source].1))
            .collect();
        Known { chunks, rotate: self.rotate.clone() }
    }

    /// The texts used last, and their pages; of those that differ only in their end just one.
    fn recent(&self) -> Vec<(Vec<u32>, Vec<Arc<Page>>)> {
        /// Texts that somebody works on at the same time.
        const MOST: usize = 6;
        let mut parents = BTreeSet::new();
        let leaves = self.leaves.iter().rev().map(|(_, leaf)| *leaf);
        leaves
            .filter(|leaf| parents.insert(self.nodes[*leaf].parent) || self.is_top(*leaf))
            .take(MOST)
            .map(|leaf| self.text(leaf))
            .collect()
    }

    fn is_top(&self, node: usize) -> bool {
        self.nodes[node].parent == ROOT
    }

    /// The tokens and pages of the path to `node`.
    fn text(&self, mut node: usize) -> (Vec<u32>, Vec<Arc<Page>>) {
        let mut path = Vec::new();
        while node != ROOT {
            path.push(node);
            node = self.nodes[node].parent;
        }
        let path = || path.iter().rev().map(|&node| &self.nodes[node]);
        let tokens = path().flat_map(|node| node.tokens.iter().copied()).collect();
        (tokens, path().filter_map(|node| node.page.clone()).collect())
    }

    /// The child of `node` that has the most of the first of `tokens`, and how many; `None` where
    /// no child has any.
    fn longest_match(&self, node: usize, tokens: &[u32]) -> Option<(usize, usize)> {
        let matches = self.nodes[node].children.iter().map(|&child| {
            let node = &self.nodes[child];
            (common(&node.tokens, tokens), node.last_use, child)
        });
        let (length, _, child) = matches.max()?;
        (length > 0).then_some((child, length))
    }

    /// The child of `node` that holds `tokens`; made from `page` if there is none, or if what is
    /// there holds only the first of them.
    fn child_for(&mut self, node: usize, tokens: &[u32], page: Arc<Page>) -> usize {
        let children = &self.nodes[node].children;
        let related = children.iter().find_map(|&child| {
            let length = common(&self.nodes[child].tokens, tokens);
            (length == tokens.len() || length == self.nodes[child].tokens.len())
                .then_some((child, length))
        });
        match related {
            Some((child, length)) if length == tokens.len() => child,
            Some((child, _)) => {
                self.nodes[child].tokens = tokens.into();
                self.nodes[child].page = Some(page);
                child
            }
            None => self.add(node, tokens, page),
        }
    }

    fn add(&mut self, parent: usize, tokens: &[u32], page: Arc<Page>) -> usize {
        let node = Node {
            tokens: tokens.into(),
            page: Some(page),
            parent,
            children: Vec::new(),
            last_use: self.clock,
        };
        let index = if let Some(index) = self.vacant.pop() {
            self.nodes[index] = node;
            index
        } else {
            self.nodes.push(node);
            self.nodes.len() - 1
        };
        self.leaves.remove(&(self.nodes[parent].last_use, parent));
        self.nodes[parent].children.push(index);
        self.leaves.insert((self.clock, index));
        index
    }

    fn touch(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let before = std::mem::replace(&mut node.last_use, self.clock);
        if self.leaves.remove(&(before, index)) {
            self.leaves.insert((self.clock, index));
        }
    }

    /// Drops the leaves not used for longest until all pages in use fit into `most_bytes`. A page
    /// that a sequence has as well stays: dropping it here would free nothing.
    fn evict(&mut self, most_bytes: usize) {
        while self.pool.used_bytes() > most_bytes {
            let idle = self.leaves.iter().copied().find(|(_, leaf)| {
                self.nodes[*leaf].page.as_ref().is_some_and(|page| Arc::strong_count(page) == 1)
            });
            let Some((last_use, leaf)) = idle else { return };
            self.leaves.remove(&(last_use, leaf));
            self.vacant.push(leaf);
            let node = &mut self.nodes[leaf];
            node.page = None;
            node.tokens = Box::default();
            let parent = node.parent;
            let children = &mut self.nodes[parent].children;
            children.retain(|child| *child != leaf);
            if children.is_empty() && parent != ROOT {
                self.leaves.insert((self.nodes[parent].last_use, parent));
            }
        }
    }
}

impl Store for PrefixTree {
    type Sequence = Sequence;

    fn take(&mut self, tokens: &[u32]) -> Result<Option<Sequence>, EngineError> {
        Ok(Some(self.take(tokens)))
    }

    fn put(&mut self, sequence: Sequence) {
        self.put(sequence);
    }

    fn put_fork(&mut self, fork: Sequence) {
        self.put(fork);
    }

    fn shrink(&mut self, most_bytes: usize) {
        self.evict(most_bytes);
    }

    fn save(&mut self) -> Result<(), EngineError> {
        self.save()
    }
}

/// How many of their first tokens are the same.
pub(super) fn common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests;
