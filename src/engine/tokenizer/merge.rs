//! Merging neighbours best first, without looking at all of them for each merge: a list of symbols
//! and a heap of the pairs that may merge, `n log n` for a word of `n` symbols.

use std::collections::BinaryHeap;

/// A run of the text that is one symbol, linked to its neighbours by index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Symbol {
    /// Its id in the rules' own numbering.
    pub(super) id: u32,
    start: u32,
    end: u32,
    previous: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

impl Symbol {
    /// Its place in the text.
    pub(super) fn span(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What merges with what.
pub(super) trait Rules {
    /// How good a merge is: greater merges first, equal ones from left to right.
    type Priority: Ord + Copy;

    /// The symbol that two neighbours make, if they may merge. `text` is their common text.
    fn merged(&self, left: u32, right: u32, text: &[u8]) -> Option<(Self::Priority, u32)>;
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pair<P: Ord> {
    priority: P,
    left: std::cmp::Reverse<u32>,
    right: u32,
    /// Length of both: a pair whose symbols have grown meanwhile is stale.
    length: u32,
    id: u32,
}

/// Merges the symbols of a text until nothing merges, and gives what is left to `take`. `parts`
/// are the first symbols: id and length in bytes.
pub(super) fn merge<R: Rules>(
    rules: &R,
    text: &[u8],
    parts: impl Iterator<Item = (u32, usize)>,
    take: impl FnMut(&Symbol),
) {
    let mut list = List { rules, text, symbols: Vec::new(), pairs: BinaryHeap::new() };
    let mut start = 0u32;
    for (id, length) in parts {
        let index = list.symbols.len() as u32;
        let end = start.saturating_add(length as u32);
        list.symbols.push(Symbol {
            id,
            start,
            end,
            previous: index.checked_sub(1).unwrap_or(NONE),
            next: index + 1,
        });
        start = end;
    }
    if let Some(last) = list.symbols.last_mut() {
        last.next = NONE;
    }
    for right in 1..list.symbols.len() as u32 {
        list.consider(right - 1, right);
    }
    list.run();
    list.symbols.iter().filter(|symbol| symbol.start < symbol.end).for_each(take);
}

struct List<'a, R: Rules> {
    rules: &'a R,
    text: &'a [u8],
    symbols: Vec<Symbol>,
    pairs: BinaryHeap<Pair<R::Priority>>,
}

impl<R: Rules> List<'_, R> {
    fn run(&mut self) {
        while let Some(pair) = self.pairs.pop() {
            let (left_index, right_index) = (pair.left.0, pair.right);
            let (Some(left), Some(right)) = (self.symbol(left_index), self.symbol(right_index))
            else {
                continue;
            };
            let is_stale = left.start == left.end
                || right.start == right.end
                || right.end - left.start != pair.length
                || left.end != right.start;
            if is_stale {
                continue;
            }
            self.change(left_index, |symbol| {
                symbol.id = pair.id;
                symbol.end = right.end;
                symbol.next = right.next;
            });
            self.change(right_index, |symbol| symbol.end = symbol.start);
            self.change(right.next, |symbol| symbol.previous = left_index);
            self.consider(left.previous, left_index);
            self.consider(left_index, right.next);
        }
    }

    fn consider(&mut self, left_index: u32, right_index: u32) {
        let (Some(left), Some(right)) = (self.symbol(left_index), self.symbol(right_index)) else {
            return;
        };
        let text = self.text.get(left.start as usize..right.end as usize).unwrap_or_default();
        if let Some((priority, id)) = self.rules.merged(left.id, right.id, text) {
            self.pairs.push(Pair {
                priority,
                left: std::cmp::Reverse(left_index),
                right: right_index,
                length: text.len() as u32,
                id,
            });
        }
    }

    fn symbol(&self, index: u32) -> Option<Symbol> {
        self.symbols.get(index as usize).copied()
    }

    fn change(&mut self, index: u32, change: impl FnOnce(&mut Symbol)) {
        if let Some(symbol) = self.symbols.get_mut(index as usize) {
            change(symbol);
        }
    }
}
