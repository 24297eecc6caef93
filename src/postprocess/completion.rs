//! The passes over a completion, in order.

use super::gate::{self, Damage, Passed};
use super::passes::{GATE, PASSES};
pub use super::passes::{NAMES, Passes};
use super::repetition::repetition;
use super::statement::Statement;
use super::stop;
use super::surroundings::Surroundings;
use super::{Applied, Place};

/// A cleaned completion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cleaned {
    /// What may be inserted at the cursor; empty when nothing survived.
    pub text: String,
    /// The passes that changed something, in order.
    pub applied: Vec<Applied>,
    /// What is wrong with the file once it is inserted, never more than before; nothing where the
    /// gate is off.
    pub damage: Damage,
}

/// Longest answer looked at, in bytes: the rest of a longer one is not shown.
const LONGEST_ANSWER: usize = 16 << 10;

/// One pass can give another work; more rounds than these mean that two of them disagree.
const MOST_ROUNDS: usize = 6;

/// Runs every pass that is on, the gate last, until nothing changes. With all of them, what comes
/// back adds no ERROR or MISSING node at `place`, repeats nothing that stands around it, and would
/// come back the same again.
pub fn clean(raw: &str, place: Place<'_>, multi_line: bool, passes: Passes) -> Cleaned {
    if place.splits_word() == Some(true) {
        return Cleaned { damage: gate::as_it_is(place), ..Cleaned::default() };
    }
    let Some(around) = Surroundings::of(place, multi_line) else { return Cleaned::default() };
    let on: Vec<_> = PASSES.into_iter().filter(|(name, _)| passes.has(name)).collect();
    let mut text = raw.to_owned();
    text.truncate(text.floor_char_boundary(LONGEST_ANSWER));
    let mut applied = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let before = text.clone();
        for (pass, run) in &on {
            let new = run(&text, &around);
            note(pass, &text, &new, &mut applied);
            text = new;
        }
        let passed = if passes.has(GATE) {
            gate::gate(&text, place, &around)
        } else {
            Passed { text: text.clone(), damage: Damage::default() }
        };
        note(GATE, &text, &passed.text, &mut applied);
        text = passed.text;
        if text == before {
            return Cleaned { text, applied, damage: passed.damage };
        }
    }
    note("disagreement", &text, "", &mut applied);
    Cleaned { text: String::new(), applied, damage: gate::as_it_is(place) }
}

/// An answer that is being written: says when the rest need not be generated.
#[derive(Debug, Clone)]
pub struct Written<'a> {
    around: &'a Surroundings<'a>,
    passes: Passes,
    statement: Statement,
}

impl<'a> Written<'a> {
    /// An answer of which nothing is written yet.
    pub fn new(around: &'a Surroundings<'a>, passes: Passes) -> Self {
        Self { around, passes, statement: Statement::default() }
    }

    /// Whether `raw`, the answer so far, has gone beyond what [`clean`] would keep of it, whatever
    /// follows.
    pub fn is_finished(&mut self, raw: &str) -> bool {
        let (around, passes) = (self.around, self.passes);
        let mut text = raw.replace("\r\n", "\n");
        let length = text.len();
        for (pass, run) in PASSES.into_iter().take_while(|(pass, _)| *pass != "stop") {
            if passes.has(pass) {
                text = run(&text, around);
            }
            if pass == "characters" && text.len() < length {
                return true;
            }
        }
        // The last line is still being written: it may look like a repetition and turn out
        // otherwise.
        let lines = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
        (passes.has("stop") && stop::is_past_end(&text, around, &mut self.statement))
            || (passes.has("repetition") && repetition(lines, around).len() < lines.len())
    }
}

/// Passes work on `\n`: how lines end is no change.
fn note(pass: &'static str, old: &str, new: &str, applied: &mut Vec<Applied>) {
    if old.split('\n').map(without_return).ne(new.split('\n').map(without_return)) {
        applied.push(Applied { pass, bytes: (old.len(), new.len()) });
    }
}

fn without_return(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}

#[cfg(test)]
mod tests;
