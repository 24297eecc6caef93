//! Which part of a context gets how many tokens, what is dropped first, and what stays as it was.
//!
//! How many tokens are for excerpts is what [`related::share`] says; every other budget is declared
//! here. What one part leaves goes to the others. A choice made before is kept as long as it fits:
//! the excerpts stay in their order and new ones come behind them, the prefix begins and the suffix
//! ends where they did; so that the head of the prompt stays the same, which is what a KV cache
//! rewards. What has to be cut is cut further than needed, so that the next cut is far away.

use super::Count;
use crate::context::{Kind, related};

/// Percent of the excerpts for each kind; what one kind leaves another may take.
pub const EXCERPTS: [(Kind, usize); 4] =
    [(Kind::Imported, 24), (Kind::EnclosingType, 16), (Kind::Ranked, 50), (Kind::Recent, 10)];
/// Percent of the file's share for what stands before the cursor; the rest is for what follows it.
pub const PREFIX: usize = 66;
/// What is typed behind the middle marker gets one part in so many of a prompt …
const TYPED: usize = 8;
/// … and no more than so many tokens: after them the prompt is made anew.
const MOST_TYPED: usize = 192;

/// A text with more bytes per token than this is taken to be too long without counting it.
const MAX_BYTES_PER_TOKEN: usize = 16;
/// The same for parts of a line, which may be one run of white space.
const MAX_BYTES_PER_TOKEN_IN_A_LINE: usize = 64;
/// What is cut gets this many percent of what it could have, so that the cut can stay a while.
const CUT: usize = 85;
/// A text that was cut before gets more of the file when it needs less than this many percent of
/// what it may have.
const ROOMY: usize = 60;

/// The tokens of a prompt of `budget` that are left for what will be typed.
pub fn typed(budget: usize) -> usize {
    (budget / TYPED).min(MOST_TYPED)
}

/// An excerpt that might be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// What it is to the cursor.
    pub kind: Kind,
    /// How useful it is for its size.
    pub score: f32,
    /// As it will stand in the prompt.
    pub text: String,
}

/// What is to be shared out.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// Excerpts, in the order in which they belong into a prompt.
    pub excerpts: &'a [Wanted],
    /// Tokens that each excerpt costs beside its text.
    pub markers_per_excerpt: usize,
    /// The file before the cursor, in blocks.
    pub prefix: &'a [String],
    /// The file after the cursor, in blocks.
    pub suffix: &'a [String],
    /// Where the prefix may be cut inside a block, ascending.
    pub prefix_cuts: &'a [usize],
    /// Where the suffix may be cut inside a block, ascending.
    pub suffix_cuts: &'a [usize],
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// Which excerpts, as indices, in the order in which they stand in the prompt.
    pub excerpts: Vec<usize>,
    /// The prefix that is kept: an end of the whole.
    pub prefix: String,
    /// The suffix that is kept: a beginning of the whole.
    pub suffix: String,
}

/// What was chosen before at nearly the same place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Earlier {
    /// How many of today's excerpts, the first ones, are those of the earlier prompt that are good
    /// enough still, in the earlier order.
    pub excerpts: usize,
    /// Bytes of the file that were left out before the prefix.
    pub before: usize,
    /// Bytes of the file that were left out after the suffix.
    pub after: usize,
}

/// Shares `budget` tokens among `parts`. The parts' counts are added up piece by piece; joined,
/// the same text may cost a little more, so the caller counts the result once more.
pub fn choose(
    parts: Parts<'_>,
    earlier: Option<&Earlier>,
    budget: usize,
    count: Count<'_>,
) -> Choice {
    let prefix = parts.prefix.concat();
    let suffix = parts.suffix.concat();
    let last_line = prefix.rsplit_once('\n').map_or(prefix.as_str(), |(_, line)| line);
    let last_cost = bounded_count(last_line, budget, count);
    if last_cost > budget {
        let prefix = end_within(last_line, budget, count).to_owned();
        return Choice { prefix, ..Choice::default() };
    }

    let share = budget - related::share(budget);
    let prefix_need = need(parts.prefix.iter().rev(), budget, count);
    let suffix_need = need(parts.suffix, budget, count);
    let least_prefix = prefix_need.min(share * PREFIX / 100).max(last_cost);
    let least_suffix = suffix_need.min(share * (100 - PREFIX) / 100).min(budget - least_prefix);
    let room = budget - least_prefix - least_suffix;
    let (excerpts, used) = excerpts_within(parts, earlier, room, count);

    let of_file = budget - used;
    let least_suffix = suffix_need.min(of_file * (100 - PREFIX) / 100);
    let room = (of_file - least_suffix).max(last_cost);
    let start = earlier.map(|earlier| earlier.before);
    let whole = prefix.len();
    let prefix = prefix_within(&prefix, parts, start, room, count).to_owned();
    // What a cut prefix leaves is for what will be typed, not for the suffix.
    let cost = if prefix.len() < whole { room } else { bounded_count(&prefix, budget, count) };
    let room = of_file.saturating_sub(cost);
    let end = earlier.map(|earlier| earlier.after);
    let suffix = suffix_within(&suffix, parts, end, room, count).to_owned();
    Choice { excerpts, prefix, suffix }
}

/// The tokens of `text`, or `limit + 1` where its length alone says that there are more.
fn bounded_count(text: &str, limit: usize, count: Count<'_>) -> usize {
    if text.len() / MAX_BYTES_PER_TOKEN_IN_A_LINE > limit { limit + 1 } else { count(text) }
}

/// The tokens of `blocks`, or more than `limit`.
fn need<'a>(blocks: impl IntoIterator<Item = &'a String>, limit: usize, count: Count<'_>) -> usize {
    let mut sum = 0;
    for block in blocks {
        sum += block_cost(block, limit.saturating_sub(sum), count);
        if sum > limit {
            break;
        }
    }
    sum
}

/// The tokens of `block`, or more than `limit`.
fn block_cost(block: &str, limit: usize, count: Count<'_>) -> usize {
    if block.len() / MAX_BYTES_PER_TOKEN > limit { limit + 1 } else { count(block) }
}

/// Whether `text` has no more than `limit` tokens.
pub(super) fn fits(text: &str, limit: usize, count: Count<'_>) -> bool {
    bounded_count(text, limit, count) <= limit
}

/// The excerpts that fit, in the order in which they are to stand, and their tokens. Those of the
/// earlier prompt come first; then the best, each class within its share; then whatever still fits.
/// One that does not fit does not keep out a later, smaller one.
fn excerpts_within(
    parts: Parts<'_>,
    earlier: Option<&Earlier>,
    room: usize,
    count: Count<'_>,
) -> (Vec<usize>, usize) {
    let mut left = room;
    let mut shares = EXCERPTS.map(|(kind, share)| (kind, room * share / 100));
    let mut costs: Vec<Option<usize>> = vec![None; parts.excerpts.len()];
    let mut chosen: Vec<usize> = Vec::new();
    let mut take = |index: usize, within_share: bool, chosen: &mut Vec<usize>| {
        let Some(wanted) = parts.excerpts.get(index) else { return };
        let Some(cost) = costs.get_mut(index) else { return };
        let cost = *cost.get_or_insert_with(|| {
            bounded_count(&wanted.text, room, count) + parts.markers_per_excerpt
        });
        let share = shares.iter_mut().find(|(kind, _)| *kind == wanted.kind);
        let Some((_, share)) = share else { return };
        if cost > left || (within_share && cost > *share) || chosen.contains(&index) {
            return;
        }
        left -= cost;
        *share = share.saturating_sub(cost);
        chosen.push(index);
    };

    for index in 0..earlier.map_or(0, |earlier| earlier.excerpts) {
        take(index, false, &mut chosen);
    }
    let kept = chosen.len();
    let mut best: Vec<usize> = (0..parts.excerpts.len()).collect();
    let score = |index: &usize| parts.excerpts.get(*index).map_or(0.0, |wanted| wanted.score);
    best.sort_by(|a, b| score(b).total_cmp(&score(a)));
    for within_share in [true, false] {
        for &index in &best {
            take(index, within_share, &mut chosen);
        }
    }
    // What is new stands behind what stays.
    if let Some(new) = chosen.get_mut(kept..) {
        new.sort_unstable();
    }
    (chosen, room - left)
}

/// The end of `text` within `room`: from the earlier `start`, if that fits still.
fn prefix_within<'a>(
    text: &'a str,
    parts: Parts<'_>,
    start: Option<usize>,
    room: usize,
    count: Count<'_>,
) -> &'a str {
    if let Some(kept) = start.and_then(|start| text.get(start..))
        && stays(kept, kept.len() == text.len(), room, count)
    {
        return kept;
    }
    if need(parts.prefix.iter().rev(), room, count) <= room {
        return text;
    }
    // The line of the cursor in any case.
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    let least = bounded_count(last_line, room, count).min(room);
    ending(text, parts, (room * CUT / 100).max(least), count)
}

/// The beginning of `text` within `room`: up to the earlier end, if that fits still.
fn suffix_within<'a>(
    text: &'a str,
    parts: Parts<'_>,
    left_out: Option<usize>,
    room: usize,
    count: Count<'_>,
) -> &'a str {
    let end = left_out.and_then(|bytes| text.len().checked_sub(bytes));
    if let Some(kept) = end.and_then(|end| text.get(..end))
        && stays(kept, kept.len() == text.len(), room, count)
    {
        return kept;
    }
    if need(parts.suffix, room, count) <= room {
        return text;
    }
    beginning(text, parts, room * CUT / 100, count)
}

/// Whether a text that was chosen before stays as it is.
fn stays(kept: &str, whole: bool, room: usize, count: Count<'_>) -> bool {
    if kept.len() / MAX_BYTES_PER_TOKEN > room {
        return false;
    }
    let cost = count(kept);
    cost <= room && (whole || cost * 100 >= room * ROOMY)
}

/// The longest beginning of the suffix `text` within `budget`: whole blocks; where they leave half
/// of the budget, statements of the next one; where there is nothing else, lines, then characters.
fn beginning<'a>(text: &'a str, parts: Parts<'_>, budget: usize, count: Count<'_>) -> &'a str {
    let mut end = 0;
    let mut left = budget;
    for length in parts.suffix.iter().map(String::len) {
        let block = text.get(end..end + length).unwrap_or_default();
        let cost = block_cost(block, left, count);
        if cost > left {
            if left > budget / 2 || end == 0 {
                let from = parts.suffix_cuts.partition_point(|cut| *cut <= end);
                let inside = parts.suffix_cuts.get(from..).unwrap_or_default();
                let inside = inside.get(..inside.partition_point(|cut| *cut < end + length));
                let fits = |cut: &usize| {
                    let kept = text.get(end..*cut).unwrap_or_default();
                    block_cost(kept, left, count) <= left
                };
                let inside = inside.unwrap_or_default();
                let kept = inside.partition_point(fits).checked_sub(1);
                match kept.and_then(|last| inside.get(last)) {
                    Some(cut) => end = *cut,
                    None if end == 0 => end = first_lines(block, left, count).len(),
                    None => {}
                }
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

/// The longest end of the prefix `text` within `budget`; see [`beginning`].
fn ending<'a>(text: &'a str, parts: Parts<'_>, budget: usize, count: Count<'_>) -> &'a str {
    let mut start = text.len();
    let mut left = budget;
    for length in parts.prefix.iter().rev().map(String::len) {
        let block = text.get(start - length..start).unwrap_or_default();
        let cost = block_cost(block, left, count);
        if cost > left {
            if left > budget / 2 || start == text.len() {
                let to = parts.prefix_cuts.partition_point(|cut| *cut < start);
                let inside = parts.prefix_cuts.get(..to).unwrap_or_default();
                let inside = inside.get(inside.partition_point(|cut| *cut <= start - length)..);
                let too_long = |cut: &usize| {
                    let kept = text.get(*cut..start).unwrap_or_default();
                    block_cost(kept, left, count) > left
                };
                let inside = inside.unwrap_or_default();
                match inside.get(inside.partition_point(too_long)) {
                    Some(cut) => start = *cut,
                    None if start == text.len() => {
                        start -= last_lines(block, left, count).len();
                    }
                    None => {}
                }
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
    let mut start = block.len();
    let mut left = budget;
    for line in block.split_inclusive('\n').rev() {
        let cost = bounded_count(line, left, count);
        if cost > left {
            break;
        }
        left -= cost;
        start -= line.len();
    }
    block.get(start..).unwrap_or_default()
}

/// The longest start of one line within `budget`, by characters.
fn start_within<'a>(line: &'a str, budget: usize, count: Count<'_>) -> &'a str {
    let cuts = boundaries(line, line.len().min(budget * MAX_BYTES_PER_TOKEN_IN_A_LINE));
    let fits = |cut: &usize| count(line.get(..*cut).unwrap_or_default()) <= budget;
    let kept = cuts.partition_point(fits);
    line.get(..cuts.get(kept.wrapping_sub(1)).copied().unwrap_or(0)).unwrap_or_default()
}

/// The longest end of one line within `budget`, by characters.
pub(super) fn end_within<'a>(line: &'a str, budget: usize, count: Count<'_>) -> &'a str {
    let shortest = line.len().saturating_sub(budget * MAX_BYTES_PER_TOKEN_IN_A_LINE);
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
mod tests;
