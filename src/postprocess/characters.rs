//! Cuts what no source file holds: control characters, spelled-out special tokens, Markdown fences.

use super::lexis::State;
use super::surroundings::Surroundings;

/// Beginnings and ends of special tokens as model families spell them.
const SPECIAL: [(&str, &str); 5] =
    [("<|", "|>"), ("<｜", "｜>"), ("<fim_", ">"), ("<file_", ">"), ("<repo_", ">")];
/// Special tokens without marks of their own.
const SPELLED: [&str; 7] = ["<PRE>", "<SUF>", "<MID>", "<EOT>", "[PREFIX]", "[SUFFIX]", "[MIDDLE]"];
/// Longest name between the two.
const LONGEST_NAME: usize = 32;

/// `answer` with `\n` at its line ends, without a Markdown fence around it, up to the first
/// control or bidirectional character, broken character or special token. A token that the file
/// itself spells is the user's text.
pub fn characters(answer: &str, around: &Surroundings<'_>) -> String {
    let answer = answer.replace("\r\n", "\n");
    let answer = without_fence(&answer, around);
    let end = answer.find(is_foreign).unwrap_or(answer.len());
    let end = special_token(answer, around).map_or(end, |token| token.min(end));
    answer.get(..end).unwrap_or_default().to_owned()
}

/// A chat model wraps code in a fence; only at the start, or behind a sentence that announces it,
/// can it be told from user text.
fn without_fence<'t>(answer: &'t str, around: &Surroundings<'_>) -> &'t str {
    if around.state != State::Code {
        return answer;
    }
    // A sentence may stand before it, which no line of code looks like.
    let text = answer.trim_start();
    let said = text.split_once('\n').map_or("", |(first, _)| first);
    let sentence = said.ends_with(':') && said.split(' ').count() > 3;
    let fenced = if sentence { text.split_once("\n```").map(|(_, inside)| inside) } else { None };
    let Some(inside) = fenced.or_else(|| text.strip_prefix("```")) else { return answer };
    let inside = inside.split_once('\n').map_or("", |(_, inside)| inside);
    inside.find("\n```").and_then(|end| inside.get(..end)).unwrap_or(inside)
}

fn is_foreign(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || c == '\u{fffd}'
        || c == '\u{feff}'
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Where the first special token starts.
fn special_token(answer: &str, around: &Surroundings<'_>) -> Option<usize> {
    let is_text = |token: &str| around.before.contains(token) || around.after.contains(token);
    let spelled = SPELLED.iter().filter_map(|token| Some((answer.find(token)?, *token)));
    let mut first = spelled.filter(|(_, token)| !is_text(token)).map(|(at, _)| at).min();
    for (start, end) in SPECIAL {
        for (at, _) in answer.match_indices(start) {
            let name = answer.get(at + start.len()..).unwrap_or_default();
            let length = name.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '▁' | '-'));
            let Some(length) = length.filter(|length| *length <= LONGEST_NAME) else { continue };
            if !name.get(length..).is_some_and(|rest| rest.starts_with(end)) {
                continue;
            }
            let token = answer.get(at..at + start.len() + length + end.len()).unwrap_or_default();
            if !is_text(token) {
                first = Some(first.map_or(at, |first: usize| first.min(at)));
            }
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::super::surroundings::check;
    use super::*;

    #[test]
    fn an_answer_ends_where_a_control_character_stands() {
        check(characters, "ˇ", "x = 1\u{1b}[31m", "x = 1");
        check(characters, "ˇ", "x\u{202e} = 1", "x");
        check(characters, "ˇ", "x\u{0}", "x");
        check(characters, "ˇ", "\tx = \"é😀\"\n", "\tx = \"é😀\"\n");
    }

    #[test]
    fn an_answer_ends_where_a_special_token_is_spelled() {
        check(characters, "ˇ", "a + b<|fim_suffix|>c", "a + b");
        check(characters, "ˇ", "a<fim_middle>b<|endoftext|>", "a");
        check(characters, "ˇ", "a <| b || c |> d", "a <| b || c |> d");
        check(characters, "ˇ", "a + b <EOT> c", "a + b ");
        check(characters, "ˇ", "a + b[SUFFIX]", "a + b");
    }

    #[test]
    fn a_token_that_the_file_spells_is_text() {
        let file = "const END: &str = \"<|endoftext|>\";\nconst E: &str = ˇ";
        check(characters, file, "\"<|endoftext|>\";", "\"<|endoftext|>\";");
    }

    #[test]
    fn a_fence_around_the_answer_goes() {
        check(characters, "ˇ", "```rust\nx();\n```\nThis calls x.", "x();");
        check(characters, "ˇ", "x();\n/// ```\n", "x();\n/// ```\n");
        check(characters, "ˇ", "Here is the code:\n\n```\nx();\n```\n", "x();");
    }

    #[test]
    fn line_ends_are_newlines() {
        check(characters, "ˇ", "a\r\nb", "a\nb");
    }
}
