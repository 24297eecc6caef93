//! The passes over a completion, and which of them are on.

use super::characters::characters;
use super::indent::indent;
use super::repetition::repetition;
use super::stop::stop;
use super::surroundings::Surroundings;
use super::{overlap, whitespace};

/// The pass that lets the parser judge.
pub const GATE: &str = "gate";

/// A pass: what it leaves of an answer at a place.
pub(super) type Pass = fn(&str, &Surroundings<'_>) -> String;

/// The passes before the gate, in the order in which they run. Each does one thing and is
/// idempotent.
pub(super) const PASSES: [(&str, Pass); 8] = [
    ("characters", characters),
    ("overlap before", overlap::before),
    ("indent", indent),
    ("stop", stop),
    ("overlap after", overlap::after),
    ("repetition", repetition),
    ("trailing white space", whitespace::trailing),
    ("line ends", whitespace::line_ends),
];

/// Their names, and last the gate's.
pub const NAMES: [&str; PASSES.len() + 1] = {
    let mut names = [GATE; PASSES.len() + 1];
    let mut at = 0;
    while at < PASSES.len() {
        names[at] = PASSES[at].0;
        at += 1;
    }
    names
};

/// A set of passes; by default all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passes {
    /// A bit for each of [`NAMES`] that is off.
    off: u16,
}

impl Passes {
    /// All but those named; as an error, what is wrong with a name.
    pub fn without<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, String> {
        let mut passes = Self::default();
        for name in names {
            let Some(index) = NAMES.iter().position(|known| *known == name) else {
                return Err(format!("{name} is none of {}", NAMES.join(", ")));
            };
            passes.off |= 1 << index;
        }
        Ok(passes)
    }

    /// Whether the pass of that name is on.
    pub fn has(self, name: &str) -> bool {
        !self.off().any(|off| off == name)
    }

    /// The names of those that are off, in order.
    pub fn off(self) -> impl Iterator<Item = &'static str> {
        let is_off = move |index: &usize| self.off & (1 << index) != 0;
        NAMES.into_iter().enumerate().filter(move |(index, _)| is_off(index)).map(|(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_are_switched_off_by_name() {
        let all = Passes::default();
        assert!(NAMES.iter().all(|name| all.has(name)) && all.off().next().is_none());
        let some = Passes::without(["gate", "indent", "gate"]).unwrap();
        assert_eq!(some.off().collect::<Vec<_>>(), ["indent", "gate"]);
        assert!(some.has("stop") && !some.has("indent"));
        let none = Passes::without(NAMES).unwrap();
        assert_eq!(none.off().collect::<Vec<_>>(), NAMES);
    }

    #[test]
    fn an_unknown_name_is_said_with_those_there_are() {
        let error = Passes::without(["gates"]).unwrap_err();
        assert!(error.starts_with("gates is none of characters, overlap before"), "{error}");
    }
}
