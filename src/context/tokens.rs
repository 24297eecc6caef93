//! How many tokens a text will have, without a tokenizer.
//!
//! Byte-level BPE vocabularies of code models cut a text first into words with the space before
//! them, runs of signs and runs of white space (Qwen2 technical report, arXiv 2407.10671, takes
//! GPT-4's pattern), and most such pieces are one token. What is counted is those pieces, with a
//! word of unusual length as several. What signs, words and changes of case cost is fitted to Qwen2's
//! tokenizer over excerpts of Rust, Python and JavaScript.

/// Quarters of a token for a sign alone before a word: the vocabularies have most words with one.
const JOINED: usize = 1;

/// About how many tokens `text` has.
pub fn estimate(text: &str) -> usize {
    let quarters = if text.is_ascii() { of_ascii(text.as_bytes()) } else { of_any(text) };
    quarters.div_ceil(4)
}

/// What an ASCII character is to the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Break,
    White,
    Sign,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Sign; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        classes[byte as usize] = match byte {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            b'\n' | b'\r' => Class::Break,
            b'\t' | b'\x0b' | b'\x0c' | b' ' => Class::White,
            _ => Class::Sign,
        };
        byte += 1;
    }
    classes
};

/// Quarters of tokens, as [`of_any`] counts them, of what code mostly is.
fn of_ascii(text: &[u8]) -> usize {
    let class = |at: usize| text.get(at).map(|byte| CLASSES[usize::from(*byte)]);
    let run = |mut at: usize, of: Class| {
        while class(at) == Some(of) {
            at += 1;
        }
        at
    };
    let (mut quarters, mut at) = (0, 0);
    while let Some(first) = class(at) {
        let start = at;
        at += 1;
        match first {
            Class::Lower | Class::Upper => {
                let (mut humps, mut before) = (0, first);
                while let Some(next @ (Class::Lower | Class::Upper)) = class(at) {
                    humps += usize::from(before == Class::Lower && next == Class::Upper);
                    before = next;
                    at += 1;
                }
                quarters += word(at - start, humps);
            }
            Class::Digit => quarters += 4,
            Class::Break => {
                at = run(at, Class::Break);
                quarters += 4;
            }
            Class::White => {
                at = run(at, Class::White);
                quarters += if at - start > 1 { 4 } else { 0 };
            }
            Class::Sign => {
                at = run(at, Class::Sign);
                let joins = matches!(class(at), Some(Class::Lower | Class::Upper));
                quarters += signs(at - start, joins);
                while text.get(at) == Some(&b'\n') {
                    at += 1;
                }
            }
        }
    }
    quarters
}

fn of_any(text: &str) -> usize {
    let mut quarters = 0_usize;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c.is_alphabetic() {
            let mut length = 1;
            let mut humps = 0;
            let mut lower = c.is_lowercase();
            while let Some(next) = rest.peek().copied().filter(|next| next.is_alphabetic()) {
                if next.is_uppercase() && lower {
                    humps += 1;
                }
                lower = next.is_lowercase();
                length += 1;
                rest.next();
            }
            quarters += word(length, humps);
        } else if c.is_numeric() {
            quarters += 4;
        } else if c == '\n' || c == '\r' {
            while rest.peek().is_some_and(|next| matches!(next, '\n' | '\r')) {
                rest.next();
            }
            quarters += 4;
        } else if c.is_whitespace() {
            let mut length = 1;
            while rest
                .peek()
                .is_some_and(|next| next.is_whitespace() && !matches!(next, '\n' | '\r'))
            {
                length += 1;
                rest.next();
            }
            // One space belongs to the word or sign after it.
            quarters += if length > 1 { 4 } else { 0 };
        } else {
            let mut length = 1;
            while rest.peek().is_some_and(|next| !next.is_alphanumeric() && !next.is_whitespace()) {
                length += 1;
                rest.next();
            }
            let joins = rest.peek().is_some_and(|next| next.is_alphabetic());
            quarters += signs(length, joins);
            // A line break right after signs belongs to them.
            if rest.peek() == Some(&'\n') {
                rest.next();
                while rest.peek() == Some(&'\n') {
                    rest.next();
                }
            }
        }
    }
    quarters
}

/// Quarters of a token for so many signs, which a word may follow.
fn signs(length: usize, joins: bool) -> usize {
    if length == 1 && joins { JOINED } else { 4 + (length - 1).min(40) }
}

/// Quarters of a token for a word of so many letters with so many changes to upper case.
fn word(length: usize, humps: usize) -> usize {
    let by_length = match length {
        0..=10 => 4,
        11..=13 => 6,
        more => more * 5 / 8,
    };
    by_length.max(4 + 2 * humps)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_are_counted_as_characters_are(text in "[a-cA-C0-9_ (;=\\t\\r\\n\\x0b]{0,60}") {
            prop_assert_eq!(of_ascii(text.as_bytes()), of_any(&text));
        }
    }
}
