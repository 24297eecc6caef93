//! Counting with the real tokenizer.

use std::collections::HashMap;

use agent::engine::tokenizer::Tokenizer;

/// A tokenizer that remembers what it counted.
pub(crate) struct Tokens {
    tokenizer: Tokenizer,
    lines: HashMap<String, usize>,
}

impl Tokens {
    pub(crate) fn new(tokenizer: Tokenizer) -> Self {
        Self { tokenizer, lines: HashMap::new() }
    }

    /// Tokens of a text.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.tokenizer.encode(text).len()
    }

    /// Tokens of a line with its end, as a line among others: added up they are never fewer than
    /// the whole has.
    pub(crate) fn of_line(&mut self, line: &str) -> usize {
        if let Some(count) = self.lines.get(line) {
            return *count;
        }
        let count = self.count(line);
        self.lines.insert(line.to_owned(), count);
        count
    }
}
