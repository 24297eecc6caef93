//! What passes and gate make of what a model says at random places of real files. `cargo bench --bench
//! gate -- [--count N] [--seeds N,N…] [--raw FILE] [--show PASS] WORKTREE…`; see benches/README.md.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it measures, and prints what it measured"
)]

mod evaluate;
mod generate;
mod rivals;
mod sample;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use agent::postprocess::Place;
use agent::postprocess::completion::{Passes, Written};
use agent::postprocess::surroundings::Surroundings;
use agent::syntax::SyntaxTree;
use evaluate::{Outcome, Tally};
use sample::{Random, Sample};

fn main() {
    let (mut count, mut seeds, mut raw, mut show, mut multi_line) =
        (5400, vec![1], None, None, true);
    let mut roots: Vec<PathBuf> = Vec::new();
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap();
        match argument.as_str() {
            "--count" => count = value().parse().unwrap(),
            "--seeds" => seeds = value().split(',').map(|seed| seed.parse().unwrap()).collect(),
            "--raw" => raw = Some(value()),
            "--show" => show = Some(value()),
            "--single-line" => multi_line = false,
            _ => roots.push(argument.into()),
        }
    }
    if roots.is_empty() {
        println!("skipped: name work trees");
        return;
    }
    let mut rows: BTreeMap<String, Tally> = BTreeMap::new();
    for seed in &seeds {
        let raw: Option<PathBuf> = raw.as_ref().map(|raw| format!("{raw}.{seed}").into());
        let samples = draw(&roots, count / seeds.len(), *seed);
        let answers = generate::answers(&roots, &samples, *seed, raw.as_deref());
        for ((_, sample), raw) in samples.iter().zip(&answers) {
            let name = sample.language.name();
            let tree = SyntaxTree::parse(sample.language, &sample.text);
            let place = Place { text: &sample.text, tree: Some(&tree), offset: sample.offset };
            let around = Surroundings::of(place, multi_line).unwrap();
            let mut written = Written::new(&around, Passes::default());
            let read = evaluate::read(raw, |part| written.is_finished(part));
            let tally = rows.entry(name.to_owned()).or_default();
            if let Some(outcome) = evaluate::evaluate(sample, raw, read, multi_line, tally)
                && let Some(show) = &show
            {
                print_outcome(sample, read, &outcome, show);
            }
        }
    }
    report(rows);
}

/// Places in the work trees, as many in each.
fn draw(roots: &[PathBuf], count: usize, seed: u64) -> Vec<(usize, Sample)> {
    let mut random = Random(seed);
    let mut samples: Vec<(usize, Sample)> = Vec::new();
    for (index, root) in roots.iter().enumerate() {
        let files = sample::files(root);
        let share = count / roots.len() + usize::from(index < count % roots.len());
        if !files.is_empty() {
            let drawn = sample::draw(&files, share, &mut random);
            samples.extend(drawn.into_iter().map(|sample| (index, sample)));
        }
    }
    samples
}

/// Prints what `wanted` (a pass, `adds`, `kept`, or `parses PASS`: only answers that parse) did.
fn print_outcome(sample: &Sample, read: &str, outcome: &Outcome, wanted: &str) {
    let applied = &outcome.cleaned.applied;
    let by = |pass: &str| applied.iter().any(|applied| applied.pass == pass) && !outcome.kept;
    let shown = match wanted {
        "adds" => outcome.adds,
        "kept" => outcome.kept,
        _ => wanted.strip_prefix("parses ").map_or_else(|| by(wanted), |p| outcome.parses && by(p)),
    };
    if !shown {
        return;
    }
    let (before, after) = sample.text.split_at(sample.offset);
    let above: Vec<&str> = before.rsplit('\n').take(4).collect();
    let above: Vec<&str> = above.into_iter().rev().collect();
    let below: Vec<&str> = after.split('\n').take(3).collect();
    println!("==== {} broken={}", sample.path.display(), sample.broken);
    println!("{}«CURSOR»{}", above.join("\n"), below.join("\n"));
    println!("---- read: {read:?}\n---- kept: {:?}", outcome.cleaned.text);
    let truth = sample.truth.as_deref().unwrap_or_default();
    let truth: String = truth.chars().take(120).collect();
    println!("---- stood there: {truth:?}\n---- {applied:?}");
}

fn report(mut rows: BTreeMap<String, Tally>) {
    let mut all = Tally::default();
    for tally in rows.values_mut() {
        all.suggestions += tally.suggestions;
        all.in_broken += tally.in_broken;
        all.panics += tally.panics;
        all.kept += tally.kept;
        all.cut += tally.cut;
        all.dropped += tally.dropped;
        all.parses += tally.parses;
        all.parses_kept += tally.parses_kept;
        all.parses_ended += tally.parses_ended;
        all.adds += tally.adds;
        for (sum, one) in [(&mut all.llama_vim, tally.llama_vim), (&mut all.tabby, tally.tabby)] {
            *sum = (sum.0 + one.0, sum.1 + one.1);
        }
        for (pass, (changed, emptied)) in &tally.passes {
            let sum = all.passes.entry(pass).or_default();
            *sum = (sum.0 + changed, sum.1 + emptied);
        }
        all.times.append(&mut tally.times);
    }
    let passes = std::mem::take(&mut all.passes);
    let mut times = std::mem::take(&mut all.times);
    rows.insert("all".to_owned(), all);
    println!(
        "| language | suggestions (in broken files) | panics | kept | cut | dropped | raw that parse | of them uncut | the same, or cut only behind the end | add a fault | llama.vim: shown, add a fault | Tabby: shown, add a fault |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (name, row) in &rows {
        let share = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        let of = |part| share(part, row.suggestions);
        println!(
            "| {name} | {} ({}) | {} | {:.1} % | {:.1} % | {:.1} % | {:.1} % | {:.1} % | {:.1} % | {} | {}, {} = {:.1} % | {}, {} = {:.1} % |",
            row.suggestions,
            row.in_broken,
            row.panics,
            of(row.kept),
            of(row.cut),
            of(row.dropped),
            of(row.parses),
            share(row.parses_kept, row.parses),
            share(row.parses_kept + row.parses_ended, row.parses),
            row.adds,
            row.llama_vim.0,
            row.llama_vim.1,
            share(row.llama_vim.1, row.llama_vim.0),
            row.tabby.0,
            row.tabby.1,
            share(row.tabby.1, row.tabby.0),
        );
    }
    println!("\n| pass | answers changed | left nothing of |\n|---|---|---|");
    for (pass, (changed, emptied)) in passes {
        println!("| {pass} | {changed} | {emptied} |");
    }
    times.sort_unstable();
    let at = |share: usize| {
        times.get(times.len() * share / 1000).or(times.last()).copied().unwrap_or(Duration::ZERO)
    };
    println!("\npasses and gate: p50 {:.2?}, p99 {:.2?}, most {:.2?}", at(500), at(990), at(1000));
}
