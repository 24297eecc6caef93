//! Which part of a context gets how many tokens, and what is dropped first.
//!
//! The line at the cursor comes first. Then, where not everything fits: a quarter for related
//! code, a quarter for what follows the cursor and the rest for what stands before it, nearest
//! first; what one part leaves goes to the others. Fixed shares keep the head of the prompt the
//! same from one key stroke to the next, which is what a KV cache rewards.

use super::Count;

/// A text of more bytes per token than this is too long; that saves counting it.
const MAX_BYTES_PER_TOKEN: usize = 64;
/// Where many lines survive, the cut stands at a multiple of this many lines, so that it moves
/// seldom while the cursor moves down.
const LINES_PER_CUT: usize = 16;

/// What is to be shared out.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// Excerpts as they will stand in the prompt, best first.
    pub related: &'a [String],
    /// Tokens that each excerpt costs beside its text.
    pub markers_per_excerpt: usize,
    /// The file before the cursor, in blocks.
    pub prefix: &'a [String],
    /// The file after the cursor, in blocks.
    pub suffix: &'a [String],
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// Which excerpts, as indices, ascending.
    pub related: Vec<usize>,
    /// The prefix that is kept: an end of the whole.
    pub prefix: String,
    /// The suffix that is kept: a beginning of the whole.
    pub suffix: String,
}

/// Shares `budget` tokens among `parts`. The parts' counts are added up piece by piece; joined,
/// the same text may cost a little more, so the caller counts the result once more.
pub fn choose(parts: Parts<'_>, budget: usize, count: Count<'_>) -> Choice {
    let prefix = parts.prefix.concat();
    let suffix = parts.suffix.concat();
    let cursor_line = prefix.rsplit_once('\n').map_or(prefix.as_str(), |(_, line)| line);
    let cursor_cost = bounded_count(cursor_line, budget, count);
    if cursor_cost > budget {
        let prefix = end_within(cursor_line, budget, count).to_owned();
        return Choice { prefix, ..Choice::default() };
    }

    let spare = budget - cursor_cost;
    let quarter = spare / 4;
    let prefix_need = bounded_count(&prefix, budget, count).saturating_sub(cursor_cost);
    let (_, related_need) = related_within(parts, spare, count);

    let suffix_budget = quarter.max(spare.saturating_sub(prefix_need + related_need.min(quarter)));
    let suffix = beginning(&suffix, &lengths(parts.suffix), suffix_budget, count);
    let left = spare.saturating_sub(bounded_count(suffix, spare, count));

    let related_budget = quarter.max(left.saturating_sub(prefix_need)).min(left);
    let (related, related_cost) = related_within(parts, related_budget, count);

    let prefix_budget = cursor_cost + left - related_cost;
    let prefix = ending(&prefix, &lengths(parts.prefix), prefix_budget, count);
    Choice { related, prefix: prefix.to_owned(), suffix: suffix.to_owned() }
}

/// The tokens of `text`, or `limit + 1` where its length alone says that there are more.
fn bounded_count(text: &str, limit: usize, count: Count<'_>) -> usize {
    if text.len() / MAX_BYTES_PER_TOKEN > limit { limit + 1 } else { count(text) }
}

fn lengths(blocks: &[String]) -> Vec<usize> {
    blocks.iter().map(String::len).collect()
}

/// The best excerpts that fit, and their tokens. One that does not fit does not keep out a later,
/// smaller one.
fn related_within(parts: Parts<'_>, budget: usize, count: Count<'_>) -> (Vec<usize>, usize) {
    let mut chosen = Vec::new();
    let mut left = budget;
    for (index, text) in parts.related.iter().enumerate() {
        let cost = bounded_count(text, left, count) + parts.markers_per_excerpt;
        if cost <= left {
            chosen.push(index);
            left -= cost;
        }
    }
    (chosen, budget - left)
}

/// The longest beginning of `text` within `budget`: whole blocks; lines of the next one where
/// the blocks leave half of the budget; characters where not even one line fits.
fn beginning<'a>(text: &'a str, blocks: &[usize], budget: usize, count: Count<'_>) -> &'a str {
    let mut end = 0;
    let mut left = budget;
    for length in blocks {
        let block = text.get(end..end + length).unwrap_or_default();
        let cost = bounded_count(block, left, count);
        if cost > left {
            if left > budget / 2 || end == 0 {
                end += first_lines(block, left, count).len();
            }
            break;
        }
        end += length;
        left -= cost;
    }
    if end > 0 || text.is_empty() {
        return text.get(..end).unwrap_or_default();
    }
    start_within(text.split_inclusive('\n').next().unwrap_or_default(), budget, count)
}

/// The longest end of `text` within `budget`; see [`beginning`].
fn ending<'a>(text: &'a str, blocks: &[usize], budget: usize, count: Count<'_>) -> &'a str {
    let mut start = text.len();
    let mut left = budget;
    for length in blocks.iter().rev() {
        let block = text.get(start - length..start).unwrap_or_default();
        let cost = bounded_count(block, left, count);
        if cost > left {
            if left > budget / 2 || start == text.len() {
                start -= last_lines(block, left, count).len();
            }
            break;
        }
        start -= length;
        left -= cost;
    }
    text.get(start..).unwrap_or_default()
}

/// The first lines of `block` within `budget`.
fn first_lines<'a>(block: &'a str, budget: usize, count: Count<'_>) -> &'a str {
    let mut end = 0;
    let mut left = budget;
    for line in block.split_inclusive('\n') {
        let cost = bounded_count(line, left, count);
        if cost > left {
            break;
        }
        left -= cost;
        end += line.len();
    }
    block.get(..end).unwrap_or_default()
}

/// The last lines of `block` within `budget`.
fn last_lines<'a>(block: &'a str, budget: usize, count: Count<'_>) -> &'a str {
    let mut lines: Vec<&str> = block.split_inclusive('\n').collect();
    if block.ends_with('\n') {
        // The cursor's own line, still empty.
        lines.push("");
    }
    let mut left = budget;
    let mut first = lines.len();
    for line in lines.iter().rev() {
        let cost = bounded_count(line, left, count);
        if cost > left {
            break;
        }
        left -= cost;
        first -= 1;
    }
    if lines.len() - first > 2 * LINES_PER_CUT {
        first = first.next_multiple_of(LINES_PER_CUT);
    }
    let length: usize = lines.iter().skip(first).map(|line| line.len()).sum();
    block.get(block.len() - length..).unwrap_or_default()
}

/// The longest start of one line within `budget`, by characters.
fn start_within<'a>(line: &'a str, budget: usize, count: Count<'_>) -> &'a str {
    let cuts = boundaries(line, line.len().min(budget * MAX_BYTES_PER_TOKEN));
    let fits = |cut: &usize| count(line.get(..*cut).unwrap_or_default()) <= budget;
    let kept = cuts.partition_point(fits);
    line.get(..cuts.get(kept.wrapping_sub(1)).copied().unwrap_or(0)).unwrap_or_default()
}

/// The longest end of one line within `budget`, by characters.
fn end_within<'a>(line: &'a str, budget: usize, count: Count<'_>) -> &'a str {
    let shortest = line.len().saturating_sub(budget * MAX_BYTES_PER_TOKEN);
    let mut cuts = boundaries(line, line.len());
    cuts.retain(|cut| *cut >= shortest);
    let too_long = |cut: &usize| count(line.get(*cut..).unwrap_or_default()) > budget;
    let first = cuts.partition_point(too_long);
    line.get(cuts.get(first).copied().unwrap_or(line.len())..).unwrap_or_default()
}

/// The character boundaries of `line` up to `end`.
fn boundaries(line: &str, end: usize) -> Vec<usize> {
    (0..=end).filter(|offset| line.is_char_boundary(*offset)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token for each character.
    fn characters(text: &str) -> usize {
        text.chars().count()
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn chosen(related: &[&str], prefix: &[&str], suffix: &[&str], budget: usize) -> Choice {
        let (related, prefix, suffix) = (strings(related), strings(prefix), strings(suffix));
        let parts =
            Parts { related: &related, markers_per_excerpt: 0, prefix: &prefix, suffix: &suffix };
        choose(parts, budget, &characters)
    }

    #[test]
    fn everything_is_kept_where_it_fits() {
        let choice = chosen(&["r1", "r2"], &["a\n", "b"], &["c\n", "d\n"], 12);
        assert_eq!(choice.related, [0, 1]);
        assert_eq!((choice.prefix.as_str(), choice.suffix.as_str()), ("a\nb", "c\nd\n"));
    }

    #[test]
    fn the_cursor_line_survives_longest() {
        for budget in 0..8 {
            let choice = chosen(&["r"], &["far away\n", "near\n01234567"], &["tail\n"], budget);
            assert!("01234567".ends_with(&choice.prefix), "{choice:?}");
            assert_eq!(choice.prefix.len(), budget);
            assert_eq!(choice.suffix, "");
        }
        assert_eq!(chosen(&["r"], &["near\n01234567"], &["tail\n"], 8).prefix, "01234567");
    }

    #[test]
    fn a_block_that_fits_is_kept_whole_and_a_distant_one_goes_first() {
        let choice = chosen(&[], &["aaaa\n", "bbbb\n", "cc"], &["dddd\n", "eeee\n"], 13);
        assert_eq!((choice.prefix.as_str(), choice.suffix.as_str()), ("bbbb\ncc", "dd"));
    }

    #[test]
    fn a_block_too_big_is_cut_at_a_line() {
        let choice = chosen(&[], &["one\ntwo\nthree\nfour"], &[], 11);
        assert_eq!(choice.prefix, "three\nfour");
        let choice = chosen(&[], &["x"], &["one\ntwo\nthree\n"], 10);
        assert_eq!(choice.suffix, "one\ntwo\n");
    }

    #[test]
    fn related_code_has_a_share_of_a_large_file() {
        let prefix = "let x = 1;\n".repeat(100);
        let choice = chosen(&["0123456789\n"], &[&prefix], &[&prefix], 200);
        assert_eq!(choice.related, [0]);
        assert!(choice.prefix.len() > 80, "{choice:?}");
        assert!(choice.suffix.len() > 20, "{choice:?}");
    }

    #[test]
    fn the_cut_stays_while_lines_are_typed() {
        let cut = |lines: usize| {
            let prefix =
                (0..lines).fold(String::new(), |text, line| text + &format!("line {line:4}\n"));
            chosen(&[], &[&prefix], &[], 500).prefix.lines().next().map(str::to_owned)
        };
        let starts: Vec<_> = (100..116).map(cut).collect();
        let mut distinct = starts.clone();
        distinct.dedup();
        assert!(distinct.len() <= 2, "{starts:?}");
    }

    #[test]
    fn one_huge_line_is_cut_by_characters() {
        let huge = "ä".repeat(1 << 20);
        assert_eq!(chosen(&[], &[&huge], &[], 7).prefix, "ä".repeat(7));
        assert_eq!(chosen(&[], &[""], &[&huge], 7).suffix, "ä".repeat(7));
    }
}
