//! What of a text makes a parser's recovery from faults slow, read off its brackets.

/// How many open brackets may be gone over in all: recovery from a fault may look at each that is
/// open, and does so about once per report of progress.
const LOOKS: usize = 2_000_000;

/// Up to so many open brackets nothing is held back: code of people has at most about a hundred,
/// those in its strings counted.
const ORDINARY: usize = 500;

/// How many angle brackets may stand open at once. Each may be a comparison or open type arguments;
/// choosing among so many takes the square of their number, in one step that cannot be stopped.
const MAX_ANGLES: usize = 2000;

/// How often the parser may report progress on `text`; a text of code is never held back by it.
/// Nothing for one that must not be parsed.
pub(super) fn reports(text: &str) -> usize {
    let (mut braces, mut deepest, mut others, mut angles) = (0_usize, 0_usize, 0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'{' => {
                braces += 1;
                deepest = deepest.max(braces);
            }
            b'}' => braces = braces.saturating_sub(1),
            b'(' | b'[' => others += 1,
            b')' | b']' => others = others.saturating_sub(1),
            b'<' => {
                angles += 1;
                if angles > MAX_ANGLES {
                    return 0;
                }
            }
            b'>' => angles = angles.saturating_sub(1),
            _ => {}
        }
        // No type argument of an expression goes on past these.
        if matches!(byte, b'{' | b'}' | b')' | b';' | b':' | b'=' | b'"' | b'\'' | b'#') {
            angles = 0;
        }
    }
    let open = deepest + others;
    if open > ORDINARY { LOOKS / open } else { usize::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{Language, SyntaxTree, samples};

    #[test]
    fn nesting_that_never_ends_is_given_up() {
        let Some(language) = Language::named("typescript") else { return };
        for text in ["type A = {a:\n".repeat(15_000), "a<b,".repeat(10_000)] {
            assert!(reports(&text) < 2000, "{}", reports(&text));
            assert!(!SyntaxTree::parse(language, &text).complete());
        }
    }

    #[test]
    fn ordinary_code_has_room() {
        // Ordinary code takes less than a report in ten bytes.
        for (name, text) in samples::SAMPLES {
            assert!(reports(text) > 10 * text.len(), "{name}: {}", reports(text));
        }
        assert!(reports(&"if a < b && c << 2 > d { e(); }\n".repeat(10_000)) > 1_000_000);
        assert_eq!(reports(&format!("{}{}", "(".repeat(100_000), ")".repeat(100_000))), usize::MAX);
    }
}
