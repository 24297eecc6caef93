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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::local::tests::tokenizer;

    fn bytes(tokenizer: &Tokenizer, tokens: &[u32]) -> Vec<u8> {
        tokens.iter().flat_map(|&token| tokenizer.bytes(token)).copied().collect()
    }

    #[test]
    fn a_word_cut_short_is_taken_back_as_far_as_a_longer_token_starts_with_it() {
        let tokenizer = tokenizer();
        let whole = tokenizer.encode("    return");
        let last = *whole.last().unwrap();
        let word = tokenizer.bytes(last).to_vec();
        assert!(word.ends_with(b"return"), "the vocabulary has the word");
        let mut tokens = tokenizer.encode("    retu");
        let healed = cut_back(&mut tokens, &tokenizer);
        assert!(word.starts_with(&healed) && healed.ends_with(b"retu"), "{healed:?}");
        assert_eq!(tokens, whole[..whole.len() - 1]);
        let allowed = Healing::new(healed).allowed(&tokenizer).unwrap();
        assert!(allowed.contains(&last));
    }

    #[test]
    fn allowed_tokens_spell_what_is_left_and_every_way_leads_there() {
        let tokenizer = tokenizer();
        let mut healing = Healing::new(b" retu".to_vec());
        for &id in &healing.allowed(&tokenizer).unwrap() {
            let token = tokenizer.bytes(id);
            assert!(token.starts_with(b" retu") || b" retu".starts_with(token), "{token:?}");
        }
        assert_eq!(healing.advance(b" re"), 3);
        let allowed = healing.allowed(&tokenizer).unwrap();
        assert!(allowed.iter().all(|&id| tokenizer.bytes(id).starts_with(b"t")));
        assert_eq!(healing.advance(b"turn x"), 2);
        assert_eq!(healing.allowed(&tokenizer), None);
        assert_eq!(healing.advance(b"y"), 0);
    }

    proptest! {
        #[test]
        fn cutting_back_loses_nothing_and_can_always_be_spelled_again(text in "(\\PC|[ \n_.a-z]){0,12}") {
            let tokenizer = tokenizer();
            let all = tokenizer.encode(&text);
            let mut kept = all.clone();
            let healed = cut_back(&mut kept, &tokenizer);
            prop_assert_eq!([bytes(&tokenizer, &kept), healed.clone()].concat(), bytes(&tokenizer, &all));
            prop_assert!(all.len() - kept.len() <= MOST_TOKENS);
            let mut healing = Healing::new(healed);
            for &token in &all[kept.len()..] {
                prop_assert!(healing.allowed(&tokenizer).unwrap().contains(&token));
                healing.advance(tokenizer.bytes(token));
            }
            prop_assert_eq!(healing.allowed(&tokenizer), None);
        }
    }
}
