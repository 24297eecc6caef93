//! Prose from a model, checked for what may be shown.

use std::collections::BTreeSet;

/// Shortest summary worth showing, in characters.
const SHORTEST: usize = 10;
/// Longest summary that is still one line of thought, in characters.
const LONGEST: usize = 200;
/// Comment and docstring marks in front of a line, longest first.
const COMMENT_MARKS: [&str; 10] =
    ["///", "//!", "//", "\"\"\"", "'''", "r\"\"\"", "/**", "/*", "*", "#"];
/// Words with a full stop that ends no sentence.
const ABBREVIATIONS: [&str; 5] = ["e.g.", "i.e.", "etc.", "vs.", "cf."];
/// Words of notices and notes, which say nothing about the code.
const NOTICES: [&str; 8] =
    ["copyright", "license", "licence", "todo", "fixme", "http:", "https:", "deprecated"];

/// The first sentence of `raw` (comment marks taken off, on one line, with a full stop), if it
/// can stand as a summary: 10 to 200 characters, mostly letters, no code, no repetition, and
/// no name that looks like an identifier unless `known` holds it. Such a name would be invented.
pub fn summary(raw: &str, known: &BTreeSet<&str>) -> Option<String> {
    let text = paragraph(raw);
    // What is judged is what will be shown, lest a space decide.
    let sentence = first_sentence(&text).trim_end_matches([',', ':', ' ', '-']);
    let sound = is_sized(sentence)
        && is_mostly_letters(sentence)
        && !has_code(sentence)
        && !is_notice(sentence)
        && !is_repetitive(sentence)
        && names_are_known(sentence, known);
    sound.then(|| finished(sentence))
}

/// The first paragraph of `raw` on one line, without comment marks.
fn paragraph(raw: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for line in raw.lines() {
        let line = without_marks(line);
        if line.is_empty() && !words.is_empty() {
            break;
        }
        words.extend(line.split_whitespace());
    }
    words.join(" ")
}

fn without_marks(line: &str) -> &str {
    let line = line.trim();
    let line = COMMENT_MARKS.iter().find_map(|mark| line.strip_prefix(mark)).unwrap_or(line);
    let ends = ["\"\"\"", "'''", "*/"];
    ends.iter().find_map(|mark| line.strip_suffix(mark)).unwrap_or(line).trim()
}

/// Up to the first full stop that ends a sentence; the stop is left out.
fn first_sentence(text: &str) -> &str {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(['.', '!', '?'])) {
        let stop = from + at;
        let (before, after) = text.split_at(stop);
        let ends = after.get(1..).is_none_or(|rest| rest.is_empty() || rest.starts_with(' '));
        let word = before.rsplit(' ').next().unwrap_or_default();
        let abbreviated = ABBREVIATIONS.iter().any(|known| {
            known.trim_end_matches('.').eq_ignore_ascii_case(word.trim_start_matches('('))
        });
        if ends && !abbreviated {
            return before;
        }
        from = stop + 1;
    }
    text
}

fn is_sized(sentence: &str) -> bool {
    (SHORTEST..=LONGEST).contains(&sentence.chars().count())
        && sentence.split(' ').count() >= 3
        && sentence.starts_with(|c: char| c.is_alphabetic() || c == '`')
}

fn is_mostly_letters(sentence: &str) -> bool {
    let letters = sentence.chars().filter(|c| c.is_alphabetic() || *c == ' ').count();
    letters * 20 >= sentence.chars().count() * 17
}

/// Characters and pairs that belong to code, to markup or to nothing one can print.
fn has_code(sentence: &str) -> bool {
    let forbidden = |c: char| {
        c.is_control()
            || matches!(
                c,
                '{' | '}'
                    | ';'
                    | '='
                    | '<'
                    | '>'
                    | '|'
                    | '\\'
                    | '@'
                    | '$'
                    | '#'
                    | '['
                    | ']'
                    | '*'
                    | '~'
                    | '^'
                    | '"'
                    | '\u{fffd}'
            )
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    sentence.contains(forbidden)
        || ["::", "->", "//", "__", "( ", " )", ",,", "..", "self."]
            .iter()
            .any(|junk| sentence.contains(junk))
        || !sentence.matches('`').count().is_multiple_of(2)
        || sentence.matches('(').count() != sentence.matches(')').count()
}

fn is_notice(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    NOTICES.iter().any(|notice| lower.contains(notice))
}

/// A word twice in a row, a pair of words twice, or few different words.
fn is_repetitive(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    let words: Vec<&str> = words(&lower).collect();
    let distinct: BTreeSet<&&str> = words.iter().collect();
    let pairs: Vec<&[&str]> = words.windows(2).collect();
    let twice = |pair: &&[&str]| {
        // "of the" may stand twice in a sound sentence; a pair with content may not.
        let content = pair.iter().any(|word| word.chars().count() > 4);
        content && pairs.iter().filter(|other| other == &pair).count() > 1
    };
    pairs.iter().any(|pair| pair.first() == pair.last())
        || pairs.iter().any(twice)
        || distinct.len() * 3 < words.len() * 2
}

/// Words without the punctuation around them.
fn words(sentence: &str) -> impl Iterator<Item = &str> {
    sentence
        .split([' ', '/'])
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| !word.is_empty())
}

fn names_are_known(sentence: &str, known: &BTreeSet<&str>) -> bool {
    let quoted = sentence.split('`').skip(1).step_by(2);
    let shaped = words(sentence).filter(|word| looks_like_a_name(word));
    quoted.chain(shaped).all(|name| {
        let name = name.strip_suffix("()").unwrap_or(name);
        name.split(['.', ':']).filter(|part| !part.is_empty()).all(|part| known.contains(part))
    })
}

/// `snake_case`, `camelCase`, `CamelCase`, `a.b`, `name2`; `HTTP`, `URLs` and `UTF-8` are prose.
fn looks_like_a_name(word: &str) -> bool {
    if ABBREVIATIONS.iter().any(|known| known.trim_end_matches('.').eq_ignore_ascii_case(word)) {
        return false;
    }
    let chars: Vec<char> = word.chars().collect();
    let capital_inside = chars.windows(2).any(
        |pair| matches!(pair, [first, second] if first.is_lowercase() && second.is_uppercase()),
    );
    let digit_after_letter =
        chars.windows(2).any(|pair| matches!(pair, [a, b] if a.is_alphabetic() && b.is_numeric()));
    word.contains(['_', '.', ':']) || capital_inside || digit_after_letter
}

fn finished(sentence: &str) -> String {
    let mut chars = sentence.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known() -> BTreeSet<&'static str> {
        BTreeSet::from(["total_price", "Cart", "LineItem", "self"])
    }

    fn check(raw: &str, expected: Option<&str>) {
        assert_eq!(summary(raw, &known()).as_deref(), expected, "{raw:?}");
    }

    #[test]
    fn the_first_sentence_of_a_doc_comment_is_kept() {
        check(
            "/// returns the sum of all prices\n/// in the cart. Panics never.\nfn x() {}",
            Some("Returns the sum of all prices in the cart."),
        );
        check("\"\"\"Return the sum.\n\n    Or not.\"\"\"", Some("Return the sum."));
        check(
            "# Adds one item, e.g. a book, to the cart",
            Some("Adds one item, e.g. a book, to the cart."),
        );
    }

    #[test]
    fn what_is_too_short_or_too_long_is_refused() {
        check("Ok.", None);
        check("Returns it.", None);
        check(&format!("This is {} long.", "very unusually ".repeat(20)), None);
        check("", None);
    }

    #[test]
    fn code_is_refused() {
        check("let total = items.iter().sum();", None);
        check("Returns Vec<u8> of the given slice", None);
        check("fn total(&self) -> u64 {", None);
        check("Returns the (unbalanced sum of items", None);
        check("1234 5678 90 12 34 56", None);
    }

    #[test]
    fn repetition_is_refused() {
        check("Returns the the value of a thing", None);
        check("The value is the value is the value is the value", None);
        check("Return the number of items and the number of items", None);
    }

    #[test]
    fn a_name_that_is_not_there_is_refused() {
        check("Returns the total_price of a cart", Some("Returns the total_price of a cart."));
        check("Returns the grand_total of a cart", None);
        check("Adds a LineItem to the `Cart` given", Some("Adds a LineItem to the `Cart` given."));
        check("Adds a CartEntry to the cart given", None);
        check("Calls `frobnicate` on every item", None);
        check("Calls `total_price()` on every item", Some("Calls `total_price()` on every item."));
    }

    #[test]
    fn abbreviations_in_capitals_are_prose() {
        check(
            "Parses HTTP headers and URLs as UTF-8",
            Some("Parses HTTP headers and URLs as UTF-8."),
        );
    }

    #[test]
    fn a_space_before_the_full_stop_changes_nothing() {
        check("the e.g. éthe.", None);
        check("the e.g. éthe .", None);
        check("Returns the sum of prices .", Some("Returns the sum of prices."));
    }

    #[test]
    fn notices_and_controls_are_refused() {
        check("Copyright by the authors of this file", None);
        check("Returns the sum \u{202e}of all prices", None);
        check("Returns the sum \u{1b}[31mof all prices", None);
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_accepted_again(raw in "([A-Za-z]{1,8}|[ .,`_()/#\n]|the |e\\.g\\. |é){0,40}") {
            if let Some(once) = summary(&raw, &known()) {
                prop_assert!(once.chars().count() <= LONGEST + 1);
                prop_assert_eq!(summary(&once, &known()), Some(once));
            }
        }

        #[test]
        fn nothing_panics(raw in "\\PC{0,80}") {
            let _ = summary(&raw, &known());
        }
    }
}
