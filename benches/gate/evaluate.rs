//! What the passes and the gate make of one answer, and whether the file is the worse for it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use agent::postprocess::completion::{Cleaned, Passes, clean};
use agent::postprocess::{Applied, Place};
use agent::syntax::SyntaxTree;
use agent::syntax::health::health;

use crate::rivals::{self, Lines};
use crate::sample::Sample;

/// What became of the answers of one language.
#[derive(Default)]
pub(crate) struct Tally {
    /// Answers that were not empty, and those of files broken on purpose.
    pub(crate) suggestions: usize,
    pub(crate) in_broken: usize,
    pub(crate) panics: usize,
    pub(crate) kept: usize,
    pub(crate) cut: usize,
    pub(crate) dropped: usize,
    /// Answers after which the file had no more faults than before, and those of them that
    /// stayed whole.
    pub(crate) parses: usize,
    pub(crate) parses_kept: usize,
    /// Those that lost only what came behind the end of the statement or block, which had to be
    /// read for the end to show.
    pub(crate) parses_ended: usize,
    /// What was shown and added a fault.
    pub(crate) adds: usize,
    /// What a rival shows, and what of it adds a fault.
    pub(crate) llama_vim: (usize, usize),
    pub(crate) tabby: (usize, usize),
    /// Answers each pass changed, and left nothing of.
    pub(crate) passes: BTreeMap<&'static str, (usize, usize)>,
    pub(crate) times: Vec<Duration>,
}

/// What became of one answer, to be shown.
pub(crate) struct Outcome {
    pub(crate) cleaned: Cleaned,
    /// Whether the answer as it came adds no fault.
    pub(crate) parses: bool,
    pub(crate) kept: bool,
    pub(crate) adds: bool,
}

/// ERROR and MISSING nodes of `sample` with `text` at the cursor, parsed from nothing.
fn faults(sample: &Sample, text: &str) -> usize {
    let (before, after) = sample.text.split_at(sample.offset);
    let new = [before, text, after].concat();
    health(&SyntaxTree::parse(sample.language, &new)).faults()
}

/// The answer without white space.
fn characters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_whitespace())
}

/// Counts `raw`, which is what was generated to its full length, of which the product read
/// `read`. `None` where there was no answer.
pub(crate) fn evaluate(
    sample: &Sample,
    raw: &str,
    read: &str,
    multi_line: bool,
    tally: &mut Tally,
) -> Option<Outcome> {
    if read.trim().is_empty() {
        return None;
    }
    tally.suggestions += 1;
    tally.in_broken += usize::from(sample.broken);
    let tree = SyntaxTree::parse(sample.language, &sample.text);
    let place = Place { text: &sample.text, tree: Some(&tree), offset: sample.offset };
    let started = Instant::now();
    let cleaned =
        catch_unwind(AssertUnwindSafe(|| clean(read, place, multi_line, Passes::default())));
    tally.times.push(started.elapsed());
    let Ok(cleaned) = cleaned else {
        tally.panics += 1;
        return None;
    };
    let before = faults(sample, "");
    let parses = faults(sample, read) <= before;
    let kept = characters(read).eq(characters(&cleaned.text));
    let shown = !cleaned.text.is_empty();
    let adds = shown && faults(sample, &cleaned.text) > before;
    match (shown, kept) {
        (false, _) => tally.dropped += 1,
        (true, true) => tally.kept += 1,
        (true, false) => tally.cut += 1,
    }
    tally.parses += usize::from(parses);
    let changed = |applied: &Applied| !matches!(applied.pass, "trailing white space" | "indent");
    let only_ended = shown
        && !kept
        && cleaned.applied.iter().filter(|one| changed(one)).all(|one| one.pass == "stop")
        && read.lines().count() > cleaned.text.lines().count();
    tally.parses_kept += usize::from(parses && kept);
    tally.parses_ended += usize::from(parses && only_ended);
    tally.adds += usize::from(adds);
    let mut emptied = false;
    for applied in &cleaned.applied {
        let (changed, left_nothing) = tally.passes.entry(applied.pass).or_default();
        *changed += 1;
        if applied.bytes.1 == 0 && !emptied {
            *left_nothing += 1;
            emptied = true;
        }
    }
    let lines = Lines::of(&sample.text, sample.offset);
    for (text, (count, broken)) in [
        (rivals::llama_vim(raw, &lines), &mut tally.llama_vim),
        (rivals::tabby(raw, &lines), &mut tally.tabby),
    ] {
        if !text.is_empty() {
            *count += 1;
            *broken += usize::from(faults(sample, &text) > before);
        }
    }
    Some(Outcome { cleaned, parses, kept, adds })
}

/// What of `raw` has been read when `is_finished` says that the rest need not be, word by word.
pub(crate) fn read(raw: &str, mut is_finished: impl FnMut(&str) -> bool) -> &str {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    for (at, _) in raw.char_indices().skip(1) {
        let (part, rest) = raw.split_at(at);
        if !(part.ends_with(word) && rest.starts_with(word)) && is_finished(part) {
            return part;
        }
    }
    raw
}
