//! The tokens of a piece of code, as far as telling two versions of it apart needs them.

use crate::text::diff::runs;
use crate::text::word::is_word;

/// What kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword.
    Word,
    Number,
    /// A quoted text, up to its end or that of its line.
    Text,
    /// One character of anything else.
    Mark,
}

/// One token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    /// Whether it is the last of its line.
    pub(super) ends_line: bool,
}

/// A place where two texts differ: what is gone there, what came.
#[derive(Debug)]
pub(super) struct Hunk<'t> {
    pub(super) gone: Vec<Token<'t>>,
    pub(super) came: Vec<Token<'t>>,
}

/// The tokens of `code`; a text may start with one of `quotes`.
pub(super) fn tokens<'t>(code: &'t str, quotes: &[char]) -> Vec<Token<'t>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            if first == '\n'
                && let Some(last) = tokens.last_mut()
            {
                last.ends_line = true;
            }
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        }
        let (kind, length) = if first.is_ascii_digit() {
            (Kind::Number, number(rest))
        } else if is_word(first) {
            (Kind::Word, rest.find(|c| !is_word(c)).unwrap_or(rest.len()))
        } else if quotes.contains(&first) {
            (Kind::Text, quoted(rest, first))
        } else {
            (Kind::Mark, first.len_utf8())
        };
        let (text, after) = rest.split_at(length);
        tokens.push(Token { kind, text: text.trim_end(), ends_line: after.is_empty() });
        rest = after;
    }
    tokens
}

/// Where `old` and `new` differ.
pub(super) fn hunks<'t>(old: &[Token<'t>], new: &[Token<'t>]) -> Vec<Hunk<'t>> {
    let texts = |tokens: &[Token<'t>]| tokens.iter().map(|t| t.text).collect::<Vec<_>>();
    runs(&texts(old), &texts(new))
        .into_iter()
        .filter(|run| !run.equal)
        .map(|run| Hunk {
            gone: old.get(run.old).unwrap_or_default().to_vec(),
            came: new.get(run.new).unwrap_or_default().to_vec(),
        })
        .collect()
}

/// The length of the number at the start: a point belongs to it before a digit.
fn number(code: &str) -> usize {
    let mut characters = code.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let digit_follows = characters.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        if !(is_word(c) || c == '.' && digit_follows) {
            return at;
        }
    }
    code.len()
}

/// The length of the quoted text at the start.
fn quoted(code: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in code.char_indices().skip(1) {
        match c {
            '\n' => return at,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + quote.len_utf8(),
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_texts_are_whole() {
        let found = |code| tokens(code, &['"', '\'']).iter().map(|t| t.text).collect::<Vec<_>>();
        assert_eq!(found("x = 1.50$"), ["x", "=", "1.50", "$"]);
        assert_eq!(found("f('a b\nc"), ["f", "(", "'a b", "c"]);
        assert_eq!(found("0o7.max(é)"), ["0o7", ".", "max", "(", "é", ")"]);
        assert_eq!(found("'a\\'b'.c"), ["'a\\'b'", ".", "c"]);
    }

    #[test]
    fn a_token_knows_whether_its_line_ends() {
        let ends: Vec<bool> = tokens("a; b;\nc", &[]).iter().map(|t| t.ends_line).collect();
        assert_eq!(ends, [false, false, false, true, true]);
    }
}
