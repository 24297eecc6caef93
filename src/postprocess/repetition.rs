//! Cuts repeated lines and blocks, and characters that run on.

use super::likeness::same;
use super::surroundings::Surroundings;

/// Longest period of repeated lines looked for.
const LONGEST_BLOCK: usize = 8;
/// Longest period of repeated text in a line, in characters.
const LONGEST_PIECE: usize = 40;
/// Longest line looked at for repeated pieces; a longer one is cut there.
const LONGEST_LINE: usize = 400;
/// How often a rule of `-`, `=`, `*`, `#`, `~` or `_` may repeat its character.
const RULE: usize = 80;
/// How often any other character may stand in a row.
const RUN: usize = 16;

/// `answer` up to its first repetition: a line like the one above it, a block of lines twice
/// in a row, a line for the third time, a piece of a line again and again.
pub fn repetition(answer: &str, around: &Surroundings<'_>) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let above = if around.starts_line() { around.lines_above().next() } else { None };
    for line in answer.split('\n') {
        let again = match kept.last() {
            None => above.is_some_and(|above| telling(line) && same(above, line)),
            Some(last) => telling(line) && same(last, line),
        };
        let often =
            telling(line) && kept.iter().filter(|other| other.trim() == line.trim()).count() >= 2;
        if again || often {
            break;
        }
        let sound = runs_on(line);
        kept.push(line.get(..sound).unwrap_or(line));
        if sound < line.len() {
            break;
        }
        if let Some(period) = repeated_block(&kept) {
            kept.truncate(kept.len() - period);
            break;
        }
    }
    kept.join("\n")
}

/// A line that is more than brackets and keywords in a row.
fn telling(line: &str) -> bool {
    line.chars().filter(|c| c.is_alphanumeric()).count() >= 4
}

/// The period of the block at the end of `lines` that stands there twice.
fn repeated_block(lines: &[&str]) -> Option<usize> {
    (2..=LONGEST_BLOCK.min(lines.len() / 2)).find(|period| {
        let (rest, last) = lines.split_at(lines.len() - period);
        let before = rest.get(rest.len() - period..).unwrap_or_default();
        last.iter().zip(before).all(|(a, b)| a == b) && last.iter().any(|line| telling(line))
    })
}

/// How many bytes of `line` come before it runs on.
fn runs_on(line: &str) -> usize {
    let chars: Vec<(usize, char)> = line.char_indices().take(LONGEST_LINE).collect();
    let end = line.char_indices().nth(LONGEST_LINE).map_or(line.len(), |(at, _)| at);
    let byte = |idx: usize| chars.get(idx).map_or(end, |(at, _)| *at);
    for start in 0..chars.len() {
        for period in 1..=LONGEST_PIECE.min((chars.len() - start) / 2) {
            let piece = chars.get(start..start + period).unwrap_or_default();
            if period > 1 && piece.windows(2).all(|pair| matches!(pair, [(_, a), (_, b)] if a == b))
            {
                continue;
            }
            // How far the text from `start` equals itself shifted by one period.
            let same = chars
                .iter()
                .skip(start)
                .zip(chars.iter().skip(start + period))
                .take_while(|((_, a), (_, b))| a == b)
                .count();
            let copies = 1 + same / period;
            if copies > allowed(piece) {
                return byte(start + period);
            }
        }
    }
    end
}

/// How many copies in a row a piece may have.
fn allowed(piece: &[(usize, char)]) -> usize {
    match piece {
        [(_, ' ' | '\t')] => LONGEST_LINE,
        [(_, '-' | '=' | '*' | '#' | '~' | '_' | '/' | '0')] => RULE,
        [_] => RUN,
        // `0, 0, 0, 0` is a table, `a.b.a.b.a.b.a.b` is not.
        short if short.len() < 6 => 8,
        piece if piece.len() < 12 => 4,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::super::surroundings::check;
    use super::*;

    #[test]
    fn a_line_is_not_written_twice_in_a_row() {
        check(repetition, "ˇ", "push(x);\npush(x);\npush(x);", "push(x);");
        check(repetition, "    push(x);\n    ˇ", "push(x);", "");
        check(repetition, "ˇ", "}\n}\n}", "}\n}\n}");
    }

    #[test]
    fn a_line_is_not_written_three_times() {
        check(repetition, "ˇ", "alpha\nb1\nalpha\nc22\nalpha\nd", "alpha\nb1\nalpha\nc22");
    }

    #[test]
    fn a_block_is_not_written_twice_in_a_row() {
        check(repetition, "ˇ", "if alpha {\n  x\n}\nif alpha {\n  x\n}\n", "if alpha {\n  x\n}");
    }

    #[test]
    fn characters_do_not_run_on() {
        check(repetition, "ˇ", &format!("x = {}", "a".repeat(60)), "x = a");
        check(repetition, "ˇ", &"self.items.".repeat(9), "self.items.");
        let rule = format!("# {}", "-".repeat(70));
        check(repetition, "ˇ", &rule, &rule);
        check(repetition, "ˇ", "[0, 0, 0, 0, 0, 0]", "[0, 0, 0, 0, 0, 0]");
    }

    #[test]
    fn a_long_line_is_looked_at_in_reasonable_time() {
        let line: String = (0..40_000).map(|n| char::from(b'a' + (n * n % 23) as u8)).collect();
        let around = super::super::Place { text: "", tree: None, offset: 0 };
        let around = Surroundings::of(around, true).unwrap();
        assert!(repetition(&line, &around).len() <= LONGEST_LINE);
    }
}
