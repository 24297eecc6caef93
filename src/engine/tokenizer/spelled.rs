//! Tokens that are matched as a whole in a text before it is cut into words.

/// Longer spellings are not matched: the bound keeps the scan linear whatever the file says, and
/// no token in use comes near it.
const LONGEST: usize = 256;

/// Spellings with their ids, sorted: all that start alike are neighbours.
#[derive(Debug, Default)]
pub(super) struct Spelled {
    tokens: Vec<(Box<str>, u32)>,
    /// Which bytes a spelling may start with.
    starts: Vec<bool>,
}

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    Token(u32),
}

impl Spelled {
    pub(super) fn new<'a>(tokens: impl Iterator<Item = (&'a str, u32)>) -> Self {
        let mut tokens: Vec<(Box<str>, u32)> = tokens
            .filter(|(spelling, _)| (1..=LONGEST).contains(&spelling.len()))
            .map(|(spelling, id)| (spelling.into(), id))
            .collect();
        tokens.sort_unstable();
        tokens.dedup_by(|second, first| second.0 == first.0);
        let mut starts = vec![false; 256];
        for (spelling, _) in &tokens {
            let first = spelling.as_bytes().first().copied().unwrap_or_default();
            if let Some(start) = starts.get_mut(usize::from(first)) {
                *start = true;
            }
        }
        Self { tokens, starts }
    }

    /// Cuts a text at the spelled tokens: the leftmost first, of those the longest.
    pub(super) fn cut<'a>(&self, text: &'a str) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((start, length, id)) = self.find(rest) {
            if let Some(before) = rest.get(..start).filter(|before| !before.is_empty()) {
                parts.push(Part::Text(before));
            }
            parts.push(Part::Token(id));
            rest = rest.get(start + length..).unwrap_or_default();
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest));
        }
        parts
    }

    /// The first token in `text`: where it starts, its length, its id.
    fn find(&self, text: &str) -> Option<(usize, usize, u32)> {
        if self.tokens.is_empty() {
            return None;
        }
        let starts_token =
            |byte: u8| self.starts.get(usize::from(byte)).copied().unwrap_or_default();
        text.as_bytes().iter().enumerate().filter(|(_, byte)| starts_token(**byte)).find_map(
            |(start, _)| {
                let (length, id) = self.longest(text.as_bytes().get(start..)?)?;
                Some((start, length, id))
            },
        )
    }

    /// The longest token that `text` starts with, by narrowing the sorted spellings byte by byte.
    fn longest(&self, text: &[u8]) -> Option<(usize, u32)> {
        let mut candidates = self.tokens.as_slice();
        let mut found = None;
        for (depth, byte) in text.iter().enumerate() {
            let at = |token: &(Box<str>, u32)| token.0.as_bytes().get(depth).copied();
            let first = candidates.partition_point(|token| at(token) < Some(*byte));
            let last = candidates.partition_point(|token| at(token) <= Some(*byte));
            candidates = candidates.get(first..last).unwrap_or_default();
            // A spelling that ends here sorts before those it is the start of.
            let Some((spelling, id)) = candidates.first() else {
                return found;
            };
            if spelling.len() == depth + 1 {
                found = Some((depth + 1, *id));
                if candidates.len() == 1 {
                    return found;
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_of_the_leftmost_is_taken() {
        let spelled = Spelled::new([("<a>", 1), ("<a><b>", 2), ("ß", 3), ("<abc", 4)].into_iter());
        assert_eq!(
            spelled.cut("x<a><b><a>ß<ab"),
            [Part::Text("x"), Part::Token(2), Part::Token(1), Part::Token(3), Part::Text("<ab")]
        );
        assert_eq!(spelled.cut(""), []);
    }

    #[test]
    fn nothing_is_found_without_tokens() {
        let none = Spelled::new(std::iter::empty());
        assert_eq!(none.cut("<a>"), [Part::Text("<a>")]);
        assert_eq!(Spelled::new([("", 1)].into_iter()).cut("a"), [Part::Text("a")]);
    }
}
