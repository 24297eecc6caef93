//! What an editor tells of somebody's typing leaves the open document with the text and the tree of
//! what was typed; `cargo bench --bench typing` does the same for recorded traces.

#![expect(clippy::expect_used, reason = "a broken test setup may panic")]

use agent::text::line_index::Encoding;
use serde_json::{Value, json};

#[path = "../benches/typing/trace.rs"]
mod trace;

use trace::{Outcome, Trace, replay};

const RUST: &str = r#"use std::fmt::{self, Display};

/// Größe in €, 😀 too.
pub struct Cart<'a> {
    items: Vec<&'a str>,
}

impl Cart<'_> {
    fn total(&self, n: u64) -> u64 {
        let label = format!("{} items ≥ {n} ({})", self.items.len(), vec![1, 2][0]);
        if n > 0 { self.total(n - 1) + 1 } else { label.len() as u64 }
    }
}
"#;

const PYTHON: &str = r#"import os.path as p


class Größe(Base):
    """é 😀
    two
    """

    def total(self, n: int = 1) -> int:
        for i in range(n):
            if self.total(i) > 3 and "ß" in f"{i} €":
                return {"a": [i, (n, 2)]}["a"][0]
        return 0
"#;

/// Somebody types a file: with slips of the finger, brackets that the editor closes, a pasted line and
/// one name changed in several places at once.
struct Typist {
    text: Vec<char>,
    transactions: Vec<Value>,
}

impl Typist {
    fn edit(&mut self, patches: &[(usize, usize, &str)]) {
        for (at, deleted, inserted) in patches {
            self.text.splice(*at..at + deleted, inserted.chars());
        }
        self.transactions.push(json!({ "patches": patches }));
    }

    fn type_file(file: &str) -> Trace {
        let mut typist = Self { text: Vec::new(), transactions: Vec::new() };
        let mut closed = Vec::new();
        for (index, c) in file.chars().enumerate() {
            if closed.last() == Some(&c) && typist.text.get(index) == Some(&c) {
                closed.pop();
                continue;
            }
            if index % 23 == 7 {
                typist.edit(&[(index, 0, "😀x")]);
                typist.edit(&[(index + 1, 1, "")]);
                typist.edit(&[(index, 1, "")]);
            }
            let closer =
                [('(', ')'), ('[', ']'), ('{', '}')].iter().find(|(opener, _)| *opener == c);
            match closer {
                Some((_, closer)) => {
                    closed.push(*closer);
                    typist.edit(&[(index, 0, &format!("{c}{closer}"))]);
                }
                None => typist.edit(&[(index, 0, &c.to_string())]),
            }
        }
        assert_eq!(typist.text, file.chars().collect::<Vec<_>>(), "typed as wanted");
        typist.paste_and_rename();
        let end: String = typist.text.iter().collect();
        let trace = json!({ "startContent": "", "endContent": end, "txns": typist.transactions });
        serde_json::from_value(trace).expect("a trace")
    }

    fn paste_and_rename(&mut self) {
        let text: String = self.text.iter().collect();
        let line = text.lines().last().expect("a line").to_owned() + "\n";
        self.edit(&[(self.text.len(), 0, &line)]);
        self.edit(&[(self.text.len() - line.chars().count(), line.chars().count(), "")]);
        let name: Vec<char> = "total".chars().collect();
        let found =
            |(at, window): (usize, &[char])| (window == name).then_some((at, 5, "sum_of_ö"));
        let mut patches: Vec<_> = self.text.windows(5).enumerate().filter_map(found).collect();
        // As editors tell of them: the last place first.
        patches.reverse();
        assert!(patches.len() > 1);
        self.edit(&patches);
    }
}

fn check(file: &str, name: &str) {
    let trace = Typist::type_file(file);
    assert!(trace.txns.len() > 250 && trace.end_content.contains("sum_of_ö"));
    for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
        let outcome = replay(&trace, name, encoding, 1);
        assert_eq!(outcome.checks, trace.txns.len());
        assert!(outcome.sound > 20, "{outcome:?}");
        let Outcome { other_texts, other_sound_trees, .. } = outcome;
        assert_eq!((other_texts, other_sound_trees), (0, 0), "{outcome:?}");
    }
}

#[test]
fn rust_typed_with_slips_and_pastes_is_what_the_document_holds() {
    check(RUST, "a.rs");
}

#[test]
fn python_typed_with_slips_and_pastes_is_what_the_document_holds() {
    check(PYTHON, "a.py");
}
