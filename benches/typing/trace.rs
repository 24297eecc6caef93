//! A recorded editing trace, replayed as an editor tells of it.

use std::path::PathBuf;

use agent::document::store::Store;
use agent::document::{Change, Document};
use agent::syntax::SyntaxTree;
use agent::syntax::health::health;
use agent::text::line_index::{Encoding, Position};
use serde::Deserialize;

/// Position, number of characters taken away there, characters put there; in code points.
type Patch = (usize, usize, String);

/// A sequential trace of josephg/editing-traces.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trace {
    start_content: String,
    /// The text when everything was typed.
    pub(crate) end_content: String,
    /// What was done, in order; each in one go.
    pub(crate) txns: Vec<Transaction>,
}

/// Changes made in one go, each relative to the text before it.
#[derive(Deserialize)]
pub(crate) struct Transaction {
    patches: Vec<Patch>,
}

/// The text by the trace alone: what every other text has to equal.
pub(crate) struct Oracle {
    lines: Vec<Vec<char>>,
}

impl Oracle {
    /// Before the first transaction.
    pub(crate) fn new(trace: &Trace) -> Self {
        Self { lines: trace.start_content.split('\n').map(|line| line.chars().collect()).collect() }
    }

    /// Makes the changes of one transaction; returns them as an editor sends them.
    pub(crate) fn apply(&mut self, transaction: &Transaction, encoding: Encoding) -> Vec<Change> {
        let mut changes = Vec::new();
        for (at, deleted, inserted) in &transaction.patches {
            let (start, end) = (self.place(*at), self.place(at + deleted));
            let position = |(line, column): (usize, usize)| {
                let before: String = self.lines[line][..column].iter().collect();
                Position { line: line as u32, column: encoding.len(&before) as u32 }
            };
            let (from, to) = (position(start), position(end));
            changes.push(Change::Range { start: from, end: to, text: inserted.clone() });
            let before: String = self.lines[start.0][..start.1].iter().collect();
            let after: String = self.lines[end.0][end.1..].iter().collect();
            let replaced = format!("{before}{inserted}{after}");
            let replaced = replaced.split('\n').map(|line| line.chars().collect());
            self.lines.splice(start.0..=end.0, replaced);
        }
        changes
    }

    /// The text now.
    pub(crate) fn text(&self) -> String {
        let lines: Vec<String> = self.lines.iter().map(|line| line.iter().collect()).collect();
        lines.join("\n")
    }

    /// Line and column of a character.
    fn place(&self, at: usize) -> (usize, usize) {
        let mut left = at;
        for (index, line) in self.lines.iter().enumerate() {
            if left <= line.len() {
                return (index, left);
            }
            left -= line.len() + 1;
        }
        panic!("there is no character {at}");
    }
}

/// What a replay came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Places looked at.
    pub(crate) checks: usize,
    /// Of these, where the text was another than the oracle's.
    pub(crate) other_texts: usize,
    /// Where the text has no fault.
    pub(crate) sound: usize,
    /// Of these, where the tree had other nodes than one parsed anew.
    pub(crate) other_sound_trees: usize,
    /// Of those with a fault, where it had other nodes.
    pub(crate) other_faulty_trees: usize,
    /// Of those with a fault, where it had another number of faults.
    pub(crate) other_faults: usize,
}

/// Replays a trace through the open documents and compares text and tree after every so many
/// transactions and at the end.
pub(crate) fn replay(trace: &Trace, name: &str, encoding: Encoding, every: usize) -> Outcome {
    let mut outcome = Outcome::default();
    let mut oracle = Oracle::new(trace);
    let mut store = Store::default();
    let uri = format!("file:///{name}");
    store.open(uri.clone(), Document::new(PathBuf::from(name), None, 0, oracle.text()));
    for (index, transaction) in trace.txns.iter().enumerate() {
        let changes = oracle.apply(transaction, encoding);
        let changed = store.change(&uri, index as i32 + 1, &changes, encoding);
        assert_eq!(changed, Ok(()), "transaction {index}");
        if (index + 1) % every == 0 || index + 1 == trace.txns.len() {
            let document = store.get(&uri).expect("open");
            outcome.check(&document, &oracle.text());
        }
    }
    assert_eq!(oracle.text(), trace.end_content, "the trace itself");
    outcome
}

impl Outcome {
    fn check(&mut self, document: &Document, text: &str) {
        self.checks += 1;
        self.other_texts += usize::from(&*document.text != text);
        let Some(tree) = &document.tree else { return };
        let fresh = SyntaxTree::parse(tree.language(), text);
        let faults = health(&fresh).faults();
        let other = !tree.same_nodes(&fresh);
        if faults == 0 {
            self.sound += 1;
            self.other_sound_trees += usize::from(other);
        } else {
            self.other_faulty_trees += usize::from(other);
            self.other_faults += usize::from(faults != health(tree).faults());
        }
    }
}
