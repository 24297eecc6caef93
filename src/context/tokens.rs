//! How many tokens a text will have, without a tokenizer.
//!
//! Byte-level BPE vocabularies of code models cut a text first into words with the space before
//! them, runs of signs and runs of white space (Qwen2 technical report, arXiv 2407.10671, takes
//! GPT-4's pattern), and most such pieces are one token. What is counted is those pieces, with a
//! word of unusual length as several.

/// About how many tokens `text` has.
pub fn estimate(text: &str) -> usize {
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
            // A line break right after signs belongs to them.
            if rest.peek() == Some(&'\n') {
                rest.next();
                while rest.peek() == Some(&'\n') {
                    rest.next();
                }
            }
            quarters += 4 + 2 * (length - 1_usize).min(40);
        }
    }
    quarters.div_ceil(4)
}

/// Quarters of a token for a word of so many letters with so many changes to upper case.
fn word(length: usize, humps: usize) -> usize {
    let by_length = match length {
        0..=7 => 4,
        8..=10 => 5,
        11..=13 => 7,
        more => more * 5 / 8,
    };
    by_length.max(4 + 3 * humps)
}
