//! The tokens of a pass, one behind the other.

use super::Input;

/// Tokens whose attention to one head is a part of its own.
const QUERY_TILE: usize = 16;

/// A token of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) id: u32,
    pub(super) position: usize,
    /// Which input it is of.
    pub(super) input: usize,
}

#[derive(Debug)]
pub(super) struct Batch<'a> {
    pub(super) inputs: &'a [Input<'a>],
    pub(super) tokens: Vec<Token>,
    /// Indices of the tokens that logits are wanted after.
    pub(super) wanted: Vec<usize>,
    /// `(input, first token, tokens)` whose attention is one part, per head.
    pub(super) tiles: Vec<(usize, usize, usize)>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(inputs: &'a [Input<'a>]) -> Self {
        let mut batch = Self { inputs, tokens: Vec::new(), wanted: Vec::new(), tiles: Vec::new() };
        for (input, row) in inputs.iter().enumerate() {
            let first = batch.tokens.len();
            let count = row.tokens.len();
            batch.tokens.extend(row.tokens.iter().enumerate().map(|(index, &id)| Token {
                id,
                position: row.start + index,
                input,
            }));
            batch.wanted.extend(first + count - row.logits.min(count)..first + count);
            for start in (0..count).step_by(QUERY_TILE) {
                batch.tiles.push((input, first + start, QUERY_TILE.min(count - start)));
            }
        }
        batch
    }
}
