//! Token healing: where the text before the cursor ends inside what the model would rather spell
//! as one token (`retu|`), the prompt is cut back by a few tokens and the answer has to spell their
//! bytes again before it goes on.

use super::tokenizer::Tokenizer;

/// The most tokens that are taken back.
const MOST_TOKENS: usize = 6;

/// Removes the last tokens of `tokens`, as many as some longer token starts with, and returns their
/// bytes; nothing where no token does.
pub(super) fn cut_back(tokens: &mut Vec<u32>, tokenizer: &Tokenizer) -> Vec<u8> {
    let mut best = (0, Vec::new());
    let mut tail = Vec::new();
    for (index, &token) in tokens.iter().rev().take(MOST_TOKENS).enumerate() {
        let bytes = tokenizer.bytes(token);
        if bytes.is_empty() {
            break;
        }
        tail.splice(0..0, bytes.iter().copied());
        if starting_with(tokenizer, &tail).iter().any(|&id| tokenizer.bytes(id).len() > tail.len())
        {
            best = (index + 1, tail.clone());
        }
    }
    let (count, bytes) = best;
    tokens.truncate(tokens.len() - count);
    bytes
}

/// What an answer still has to spell again.
#[derive(Debug, Clone)]
pub(super) struct Healing {
    left: Vec<u8>,
}

impl Healing {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { left: bytes }
    }

    /// The tokens that may come next: those that start with all of what is left, and those that are
    /// a part of it. `None` when nothing is left, and every token may come.
    pub(super) fn allowed(&self, tokenizer: &Tokenizer) -> Option<Vec<u32>> {
        if self.left.is_empty() {
            return None;
        }
        let mut allowed = starting_with(tokenizer, &self.left).to_vec();
        for length in 1..self.left.len() {
            let part = &self.left[..length];
            allowed.extend(
                starting_with(tokenizer, part)
                    .iter()
                    // The shortest come first.
                    .take_while(|&&id| tokenizer.bytes(id).len() == length),
            );
        }
        Some(allowed)
    }

    /// Counts `bytes` of a token as spelled; the number of them that were only spelled again.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> usize {
        let again = self.left.len().min(bytes.len());
        self.left.drain(..again);
        again
    }
}

/// The ids of the tokens whose bytes start with `start`.
fn starting_with<'a>(tokenizer: &'a Tokenizer, start: &[u8]) -> &'a [u32] {
    let sorted = tokenizer.sorted_by_bytes();
    let low = sorted.partition_point(|&id| tokenizer.bytes(id) < start);
    let rest = sorted.get(low..).unwrap_or_default();
    let count = rest.partition_point(|&id| tokenizer.bytes(id).starts_with(start));
    rest.get(..count).unwrap_or_default()
}
