//! Code inside templates, and patterns (`/…/`), of the languages that share JavaScript's marks.

use super::{Lexis, State, step};
use crate::text::word::is_word;

/// A substitution is looked through so far for its end, in bytes: each one that never ends is
/// looked through again from the next on.
const LONGEST_SUBSTITUTION: usize = 4096;
/// Words behind which an expression starts.
const BEFORE_EXPRESSION: [&str; 14] = [
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "delete",
    "void",
    "throw",
    "new",
    "do",
    "else",
    "yield",
    "await",
    "instanceof",
];

/// The length of the substitution `${code}` that `rest` starts with; `None` where it does not, or
/// where the end is not there.
pub(super) fn substitution(rest: &str) -> Option<usize> {
    let mut at = rest.strip_prefix("${").map(|_| 2)?;
    // Open braces in the code of each substitution, outer before inner.
    let mut open = vec![0usize];
    let mut state = State::Code;
    let template = State::String { quote: '`', count: 1, hashes: None };
    while at < LONGEST_SUBSTITUTION {
        let (before, text) = rest.split_at_checked(at)?;
        match (state, text.chars().next()?) {
            (State::Code, '{') => *open.last_mut()? += 1,
            (State::Code, '}') => match open.pop()? {
                0 if open.is_empty() => return Some(at + 1),
                0 => {
                    (at, state) = (at + 1, template);
                    continue;
                }
                count => open.push(count - 1),
            },
            (inside, '$') if inside == template && text.starts_with("${") => {
                open.push(0);
                (at, state) = (at + 2, State::Code);
                continue;
            }
            _ => {}
        }
        let (length, next) = step(text, Lexis::Ecmascript, state, before);
        (at, state) = (at + length, next);
    }
    None
}

/// The length of the pattern that `rest`, which starts with `/` and stands behind `before`, starts
/// with; `None` where that divides, or does not end on its line.
pub(super) fn pattern(rest: &str, before: &str) -> Option<usize> {
    starts_expression(before, rest).then_some(())?;
    let mut in_class = false;
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' => return None,
            '\\' => _ = chars.next().filter(|(_, c)| *c != '\n')?,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Whether an expression may start behind `before`. Where nothing stands there, as at the start of
/// an answer, the space behind a division's mark tells.
fn starts_expression(before: &str, rest: &str) -> bool {
    let code = before.trim_end();
    if code.is_empty() {
        return !rest.get(1..).is_some_and(|rest| rest.starts_with(char::is_whitespace));
    }
    if code.ends_with(is_word) {
        let start = code.trim_end_matches(is_word).len();
        let member = code.get(..start).is_some_and(|code| code.ends_with('.'));
        return !member && code.get(start..).is_some_and(|word| BEFORE_EXPRESSION.contains(&word));
    }
    !code.ends_with("++")
        && !code.ends_with("--")
        && (code.ends_with("=>") || code.ends_with(|c| "(,=:[!&|?{;+-*%~^".contains(c)))
}
