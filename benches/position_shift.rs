//! What it costs to move known text behind an edit to its new place instead of evaluating it anew
//! (`cache.reuse_shifted`): `cargo bench --bench position_shift`. The variable `AGENT_MODEL` names
//! another file than the built-in model.
//!
//! Of each source file of this repository that is long enough, a text is remembered, tokens are put
//! in or taken out near its start, and the bits per byte of its last tokens are compared: of an
//! engine that evaluates everything behind the edit, and of one that moves it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it measures, and prints what it measured"
)]

use std::path::{Path, PathBuf};

use agent::engine::gguf::Gguf;
use agent::engine::probe::{Finding, Probe};
use agent::engine::tokenizer::Tokenizer;
use agent::engine::{CacheOptions, Engine, EngineOptions, ModelSource};

/// Tokens of a text, of its end that is judged, and where the edit is.
const LENGTH: usize = 340;
const JUDGED: usize = 48;
const EDIT: usize = 24;

/// Tokens put in (taken out where negative).
const EDITS: [isize; 4] = [1, 12, -1, -12];

fn engine(source: &ModelSource, reuse_shifted: bool) -> Engine {
    let cache = CacheOptions { reuse_shifted, ..CacheOptions::default() };
    Engine::load(source, &EngineOptions { cache, ..EngineOptions::default() }).unwrap()
}

fn logits(engine: &Engine, tokens: &[u32], wanted: usize, remembered: bool) -> Vec<f32> {
    let probe = Probe::Logits { tokens: tokens.to_vec(), wanted, remembered };
    match engine.probe(probe).unwrap() {
        Finding::Logits(logits) => logits,
        Finding::Time { .. } => panic!("asked for logits"),
    }
}

/// Bits that the last [`JUDGED`] tokens but the first of `tokens` cost.
fn bits(logits: &[f32], tokens: &[u32]) -> f64 {
    let width = logits.len() / JUDGED;
    let next = &tokens[tokens.len() - JUDGED + 1..];
    let bits = logits.chunks(width).zip(next).map(|(logits, token)| {
        let most = logits.iter().copied().fold(f32::MIN, f32::max);
        let sum: f64 = logits.iter().map(|logit| f64::from(logit - most).exp()).sum();
        (sum.ln() - f64::from(logits[*token as usize] - most)) / std::f64::consts::LN_2
    });
    bits.sum()
}

fn edited(tokens: &[u32], by: isize) -> Vec<u32> {
    let (before, after) = tokens.split_at(EDIT);
    let count = by.unsigned_abs();
    if by > 0 {
        // Something of the text itself.
        [before, &tokens[LENGTH / 2..LENGTH / 2 + count], after].concat()
    } else {
        [before, &after[count..]].concat()
    }
}

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            out.push(path);
        }
    }
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = std::env::var_os("AGENT_MODEL");
    let path = path.map_or(root.join("models/builtin.gguf"), PathBuf::from);
    let source = ModelSource::File(path);
    let tokenizer = Tokenizer::from_gguf(&Gguf::open(&source).unwrap()).unwrap();
    let (fresh, moving) = (engine(&source, false), engine(&source, true));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    files.sort();
    println!("edit (tokens) | texts | bytes | bits/byte evaluated | moved | texts that differ");
    for by in EDITS {
        let (mut texts, mut bytes, mut differing) = (0, 0, 0);
        let (mut exact, mut shifted) = (0.0, 0.0);
        for file in &files {
            let tokens = tokenizer.encode(&std::fs::read_to_string(file).unwrap());
            let Some(tokens) = tokens.get(..LENGTH) else { continue };
            let new = edited(tokens, by);
            logits(&moving, tokens, 1, true);
            let anew = logits(&fresh, &new, JUDGED, false);
            let moved = logits(&moving, &new, JUDGED, true);
            let judged = &new[new.len() - JUDGED + 1..];
            bytes += judged.iter().map(|token| tokenizer.bytes(*token).len()).sum::<usize>();
            exact += bits(&anew, &new);
            shifted += bits(&moved, &new);
            differing += usize::from(anew != moved);
            texts += 1;
        }
        let per_byte = |bits: f64| bits / bytes as f64;
        println!(
            "{by:+} | {texts} | {bytes} | {:.4} | {:.4} | {differing}",
            per_byte(exact),
            per_byte(shifted)
        );
    }
}
