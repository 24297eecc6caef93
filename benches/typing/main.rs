//! Replays an editing trace through the open documents, and judges suggestions that were shown
//! while it was typed.
//!
//! `cargo bench --profile dev --bench typing -- --trace FILE.json [--name FILE.rs]` compares text and
//! tree with an oracle after every 500th edit. With `--judge RUN.json…` it parses the file with each
//! suggestion of these runs of `replay.py` accepted and writes what came of it into
//! `RUN.verdicts.json`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement may panic and prints"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use agent::document::Document;
use agent::syntax::health::health;
use agent::text::line_index::Encoding;
use serde_json::Value;

mod trace;

use trace::{Oracle, Trace, replay};

/// How often text and tree are compared with the oracle.
const EVERY: usize = 500;

fn main() -> ExitCode {
    let all: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = all.iter().position(|argument| argument == name)?;
        all.get(at + 1).cloned()
    };
    let Some(file) = value("--trace") else {
        println!("nothing to replay: name a trace with --trace");
        return ExitCode::SUCCESS;
    };
    let name = value("--name").unwrap_or_else(|| "src/lib.rs".to_owned());
    let trace: Trace = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    if let Some(at) = all.iter().position(|argument| argument == "--judge") {
        for run in &all[at + 1..] {
            judge(&trace, &name, Path::new(run));
        }
        return ExitCode::SUCCESS;
    }
    let mut same = true;
    for encoding in [Encoding::Utf8, Encoding::Utf16] {
        let start = Instant::now();
        let outcome = replay(&trace, &name, encoding, EVERY);
        let edits = trace.txns.len();
        println!("{encoding:?}: {edits} edits in {:.1?}, {outcome:?}", start.elapsed());
        same &= outcome.other_texts == 0 && outcome.other_sound_trees == 0;
    }
    if same { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Parses the file with each suggestion of a run accepted. A verdict is the number of faults before
/// and after.
fn judge(trace: &Trace, name: &str, run: &Path) {
    let read: Value = serde_json::from_slice(&fs::read(run).unwrap()).unwrap();
    let first = read["first"].as_u64().unwrap() as usize;
    let entries = read["log"].as_array().unwrap();
    let mut wanted: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, entry) in
        entries.iter().enumerate().filter(|(_, entry)| entry["insert"].is_string())
    {
        let step = entry["step"].as_u64().unwrap() as usize;
        wanted.entry(first + step).or_default().push(index);
    }
    let mut oracle = Oracle::new(trace);
    let mut verdicts = vec![Value::Null; entries.len()];
    let faults = |text: String| {
        let document = Document::new(PathBuf::from(name), None, 0, text);
        document.tree.as_ref().map_or(0, |tree| health(tree).faults())
    };
    for (index, transaction) in trace.txns.iter().enumerate() {
        _ = oracle.apply(transaction, Encoding::Utf8);
        let Some(shown) = wanted.get(&index) else { continue };
        let text: Vec<char> = oracle.text().chars().collect();
        let before = faults(text.iter().collect());
        for entry in shown {
            let place = |at: usize| entries[*entry]["replaces"][at].as_u64().unwrap() as usize;
            let mut after = text.clone();
            after.splice(place(0)..place(1), entries[*entry]["insert"].as_str().unwrap().chars());
            verdicts[*entry] = serde_json::json!([before, faults(after.into_iter().collect())]);
        }
    }
    let output = run.with_extension("verdicts.json");
    fs::write(&output, Value::Array(verdicts).to_string()).unwrap();
    println!("{}", output.display());
}
