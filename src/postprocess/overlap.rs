//! Drops what already stands before or after the cursor.

use super::lexis::State;
use super::likeness::same;
use super::surroundings::Surroundings;
use crate::text::word::is_word;

/// Fewest letters and digits of a line that says something by itself: `}` and `else:` do not.
const TELLING: usize = 5;
/// Lines below the cursor that an answer is compared with.
const LINES_BELOW: usize = 3;
/// Lines above it that an answer may start by saying again.
const LINES_ABOVE: usize = 8;

/// `answer` without the text before the cursor that it starts by saying again: the lines above, the
/// line so far.
pub fn before(answer: &str, around: &Surroundings<'_>) -> String {
    let answer = without_lines_above(answer, around);
    let said = around.line_before.trim_start();
    let trimmed = answer.trim_start_matches([' ', '\t']);
    if letters(said) >= 2 && !trimmed.is_empty() {
        // The whole line again, or its last words: no more than the answer can say.
        if let Some(rest) = trimmed.strip_prefix(said.trim_end()) {
            return rest.to_owned();
        }
        let tails = said.get(said.ceil_char_boundary(said.len().saturating_sub(answer.len()))..);
        let longest = tails
            .unwrap_or_default()
            .char_indices()
            .filter_map(|(at, _)| tails?.split_at_checked(at))
            .filter(|(left, tail)| !(left.ends_with(is_word) && tail.starts_with(is_word)))
            .map(|(_, tail)| tail)
            .find(|tail| {
                letters(tail) >= 3
                    && tail.len() >= 4
                    && !tail.trim_end().ends_with(is_word)
                    && !tail.trim_end().ends_with(['(', '[', '{'])
                    && answer.starts_with(tail)
            });
        if let Some(tail) = longest {
            return answer.get(tail.len()..).unwrap_or_default().to_owned();
        }
    }
    answer.to_owned()
}

/// `answer` without the last lines above, two or more of them, where it starts with them: exactly,
/// since code that follows often looks like the code before it.
fn without_lines_above<'t>(answer: &'t str, around: &Surroundings<'_>) -> &'t str {
    if !around.starts_line() {
        return answer;
    }
    let above: Vec<&str> = around.lines_above().take(LINES_ABOVE).collect();
    let ends = answer.match_indices('\n').map(|(at, _)| at + 1);
    let said: Vec<(usize, &str)> = ends
        .zip(answer.split('\n'))
        .filter(|(_, line)| !line.trim().is_empty())
        .take(LINES_ABOVE)
        .collect();
    let again = (2..=said.len().min(above.len())).rev().find(|count| {
        let lines = above.iter().take(*count).rev();
        let told = said.iter().take(*count).map(|(_, line)| letters(line)).sum::<usize>();
        told >= 2 * TELLING && lines.zip(&said).all(|(line, (_, said))| line.trim() == said.trim())
    });
    let end = again.and_then(|count| said.get(count - 1)).map_or(0, |(end, _)| *end);
    answer.get(end..).unwrap_or_default()
}

/// `answer` without the text after the cursor that it ends by saying before its time: the end of a
/// string that is closed already, the rest of the line, the lines below.
pub fn after(answer: &str, around: &Surroundings<'_>) -> String {
    let answer = within_string(answer, around);
    let answer = without_rest_of_line(answer, around);
    without_lines_below(answer, around).to_owned()
}

/// Editors close a quote when it is opened: an answer that closes it too stops before its own.
fn within_string<'t>(answer: &'t str, around: &Surroundings<'_>) -> &'t str {
    let State::String { quote, count, hashes: None } = around.state else { return answer };
    let end: String = std::iter::repeat_n(quote, count).collect();
    if !around.line_after.contains(&end) {
        return answer;
    }
    let mut escaped = false;
    for (at, c) in answer.char_indices() {
        if !escaped && answer.get(at..).is_some_and(|rest| rest.starts_with(&end)) {
            return answer.get(..at).unwrap_or_default();
        }
        escaped = c == '\\' && !escaped;
    }
    answer
}

fn without_rest_of_line<'t>(answer: &'t str, around: &Surroundings<'_>) -> &'t str {
    let rest = around.line_after.trim();
    if rest.is_empty() {
        return answer;
    }
    // The whole rest in the middle of the answer: the answer went on beyond it.
    if letters(rest) >= TELLING
        && let Some(at) = answer.find(rest)
        && splits_no_word(answer, at)
    {
        return answer.get(..at).unwrap_or_default();
    }
    let line = answer.trim_end();
    let cut = |end: usize| {
        let part = rest.get(..end)?;
        let left = line.strip_suffix(part)?;
        let whole = end == rest.len();
        let boundary = splits_no_word(line, left.len()) && (whole || splits_no_word(rest, end));
        // Brackets are a matter of balance, which `stop` has seen to.
        let brackets_only = part.chars().all(|c| "()[]{} ".contains(c));
        let telling = letters(part) >= 3 || (letters(part) > 0 && part.len() > letters(part));
        (boundary && !brackets_only && (whole || telling)).then_some(left)
    };
    let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).rev();
    ends.filter(|end| *end <= line.len()).find_map(cut).unwrap_or(answer)
}

/// Whether `at` is not in the middle of a word of `text`.
fn splits_no_word(text: &str, at: usize) -> bool {
    let Some((left, right)) = text.split_at_checked(at) else { return false };
    !(left.ends_with(is_word) && right.starts_with(is_word))
}

/// `answer` up to the first line that is (nearly) the next line of the file.
fn without_lines_below<'t>(answer: &'t str, around: &Surroundings<'_>) -> &'t str {
    let below: Vec<&str> = around.lines_below().take(LINES_BELOW).collect();
    let Some(next) = below.first() else { return answer };
    let mut from = 0;
    let lines: Vec<&str> = answer.split('\n').collect();
    for (idx, line) in lines.iter().enumerate() {
        let whole =
            if idx == 0 { format!("{}{line}", around.line_before) } else { (*line).to_owned() };
        let in_place = around.indent_of(&whole) == around.indent_of(next);
        // What follows must not contradict: a single `}` below says nothing, `}` and the line
        // after it do.
        let follows = || {
            lines.iter().skip(idx + 1).zip(below.iter().skip(1)).all(|(a, b)| same(a, b))
                && lines.len() > idx + 1
        };
        // Only where the cursor ends its line do the lines below come next.
        if around.ends_line()
            && in_place
            && same(&whole, next)
            && (letters(next) >= TELLING || follows())
        {
            return answer.get(..from).unwrap_or_default().trim_end();
        }
        from += line.len() + 1;
    }
    answer
}

/// Letters and digits of `text`, in bytes.
fn letters(text: &str) -> usize {
    text.chars().filter(|c| is_word(*c)).map(char::len_utf8).sum()
}

#[cfg(test)]
mod tests {
    use super::super::surroundings::{check, check_python, check_rust};
    use super::*;

    #[test]
    fn the_line_so_far_is_not_said_twice() {
        check_rust(before, "fn f() { let x = ˇ }", "let x = 1;", "1;");
        check_rust(before, "fn f() {\n    let x = ˇ\n}", "let x = 1;", " 1;");
        check_python(before, "x = self.ˇ\n", "self.items", "items");
        check_python(before, "    return fib(ˇ)\n", "fib(n - 1)", "fib(n - 1)");
        check_python(before, "a = aˇ\n", " + 1", " + 1");
    }

    #[test]
    fn the_lines_above_are_not_said_twice() {
        let file = "def f(a):\n    b = first(a)\n    c = second(b)\n    ˇ\n";
        let again = "b = first(a)\n    c = second(b)\n    return third(c)";
        check_python(before, file, again, "    return third(c)");
        check_python(before, file, "c = second(b)\n    return c", "c = second(b)\n    return c");
        check_python(before, file, "b = first(a)\n    d = 1", "b = first(a)\n    d = 1");
    }

    #[test]
    fn the_rest_of_the_line_is_not_said_before_its_time() {
        check_rust(after, "f(ˇ, b);", "a, b", "a");
        check_rust(after, "let xˇ = compute(y);", ": u8 = compute(y);", ": u8 ");
        check_rust(after, "let x = ˇ;", "1;", "1");
        check_python(after, "x = ˇvalue\n", "max", "max");
        check_python(after, "print(ˇx)\n", "max", "max");
        check_python(after, "x = [ˇ, 3]\n", "1, 2, 3", "1, 2");
    }

    #[test]
    fn a_bracket_is_not_dropped_where_it_is_needed() {
        check_rust(after, "f(g(ˇ)", "x)", "x)");
    }

    #[test]
    fn a_quote_the_editor_has_closed_is_not_closed_again() {
        check_python(after, "x = \"ˇ\"\n", "hello\"", "hello");
        check_python(after, "x = 'ˇ')\n", "it\\'s' + y", "it\\'s");
        check_python(after, "x = \"ˇ\n", "hello\"", "hello\"");
    }

    #[test]
    fn the_next_line_is_not_written_again() {
        let file = "def f(items):\n    ˇ\n\n    return sum(items)\n";
        check_python(after, file, "x = 1\n    return sum(items)", "x = 1");
        check_python(after, file, "return sum(items)", "");
        check_python(
            after,
            file,
            "if x:\n        return sum(items)",
            "if x:\n        return sum(items)",
        );
    }

    #[test]
    fn nearly_the_next_line_counts_as_the_next_line() {
        let file = "def f(items):\n    ˇ\n    return sum(items, start=nothing)\n";
        check_python(after, file, "x = 1\n    return sum(items, start=nothng)", "x = 1");
    }

    #[test]
    fn a_bracket_line_repeats_only_with_what_follows_it() {
        let file = "match x {\n    1 => {\n        ˇ\n    }\n    2 => b,\n}\n";
        check(after, file, "a\n    }\n    2 => b,", "a");
        check(after, file, "if a {\n        }", "if a {\n        }");
    }
}
