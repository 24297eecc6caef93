//! Cross-file recall: which identifiers of a masked line a context shows. `cargo bench --bench context
//! -- [--lines N] [--seed N] VOCABULARY.gguf WORKTREE…`; see benches/README.md.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it measures, and prints what it measured"
)]

mod baselines;
mod project;
mod sample;
mod tokens;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use agent::context::{self, Context, Project};
use agent::document::{Change, Document};
use agent::engine::ModelSource;
use agent::engine::gguf::Gguf;
use agent::engine::tokenizer::Tokenizer;
use agent::text::Span;
use agent::text::line_index::Encoding;
use baselines::Bm25;
use project::Repository;
use sample::{Random, Sample, words};
use tokens::Tokens;

const BUDGETS: [usize; 4] = [512, 1024, 2048, 4096];
/// Shares of the budget that the file has beside chunks of plain BM25.
const SHARES: [(&str, f64); 3] =
    [("bm25, file 1/4", 0.25), ("bm25, file 1/2", 0.5), ("bm25, file 3/4", 0.75)];

/// What was found of what was wanted.
#[derive(Default)]
struct Tally {
    wanted: usize,
    found: usize,
    fresh: usize,
    fresh_found: usize,
}

impl Tally {
    fn add(&mut self, sample: &Sample, text: &str) {
        let shown: HashSet<&str> = words(text).collect();
        for (name, fresh) in &sample.wanted {
            let found = usize::from(shown.contains(name.as_str()));
            self.wanted += 1;
            self.found += found;
            self.fresh += usize::from(*fresh);
            self.fresh_found += if *fresh { found } else { 0 };
        }
    }
}

fn main() {
    let mut lines = 1000;
    let mut seed = 1;
    let mut paths = Vec::new();
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--lines" => lines = arguments.next().unwrap().parse().unwrap(),
            "--seed" => seed = arguments.next().unwrap().parse().unwrap(),
            _ => paths.push(argument),
        }
    }
    let Some((vocabulary, worktrees)) = paths.split_first() else {
        println!("skipped: name a vocabulary (GGUF) and work trees");
        return;
    };
    let gguf = Gguf::open(&ModelSource::File(vocabulary.into())).unwrap();
    let mut tokens = Tokens::new(Tokenizer::from_gguf(&gguf).unwrap());
    for worktree in worktrees {
        measure(Path::new(worktree), lines, seed, &mut tokens);
    }
}

fn measure(worktree: &Path, lines: usize, seed: u64, tokens: &mut Tokens) {
    let mut repository = Repository::open(worktree);
    let samples = sample::draw(&repository.files, lines, seed);
    let by_lines = Bm25::by_lines(&repository.files);
    let by_characters = Bm25::by_characters(&repository.files, 500);
    let mut random = Random(seed);
    let mut rows: BTreeMap<(String, usize), Tally> = BTreeMap::new();
    let mut times: BTreeMap<usize, Vec<Duration>> = BTreeMap::new();
    let mut elsewhere = 0;
    for sample in &samples {
        elsewhere += sample
            .wanted
            .iter()
            .filter(|(name, fresh)| *fresh && repository.other_holds(name, &sample.path))
            .count();
        let visited = repository.visited(&sample.path);
        for budget in BUDGETS {
            let mut add = |row: &str, text: &str| {
                rows.entry((row.to_owned(), budget)).or_default().add(sample, text);
            };
            add("file only", &baselines::file_only(sample, budget, tokens));
            for (name, share) in SHARES {
                add(name, &baselines::bm25(sample, budget, share, &by_lines, tokens));
            }
            add("Tabby", &baselines::tabby(sample, budget, &by_characters, tokens));
            add("llama.vim", &baselines::ring(sample, budget, &visited, &mut random, tokens));
        }
        let before = typed(sample);
        // The index of an editor's document has asked for them.
        before.items();
        repository.index.insert(&sample.path, &sample.text);
        let activity = repository.activity(&sample.path);
        let masked = std::sync::Arc::<str>::from(sample.text.as_str());
        let source = |path: &Path| {
            if path == sample.path { Some(masked.clone()) } else { repository.text(path) }
        };
        let project = Project {
            repository: &repository.name,
            index: &repository.index,
            source: &source,
            activity: &activity,
        };
        for budget in BUDGETS {
            let document = without_typed(&before, sample);
            let start = Instant::now();
            let span = Span::empty(sample.offset);
            let context = context::at(&document, sample.path.clone(), span, project, budget);
            times.entry(budget).or_default().push(start.elapsed());
            let text = shown(&context, sample, budget, tokens);
            rows.entry(("ours".to_owned(), budget)).or_default().add(sample, &text);
        }
        repository.restore(&sample.path);
    }
    report(&repository.name, elsewhere, &rows, times);
}

/// The masked file with a letter typed at the cursor.
fn typed(sample: &Sample) -> Document {
    let mut text = sample.text.clone();
    text.insert(sample.offset, 'x');
    Document::new(sample.path.clone(), None, 0, text)
}

/// The masked file as an editor's next version: what is kept of the version before counts.
fn without_typed(before: &Document, sample: &Sample) -> Document {
    let position = |offset| before.lines.position(&before.text, offset, Encoding::Utf8);
    let (start, end) = (position(sample.offset), position(sample.offset + 1));
    let change = Change::Range { start, end, text: String::new() };
    let document = before.changed(1, &[change], Encoding::Utf8).unwrap();
    assert_eq!(*document.text, *sample.text);
    document
}

/// The context as a prompt within `budget` shows it.
fn shown(context: &Context, sample: &Sample, budget: usize, tokens: &mut Tokens) -> String {
    let mut text = format!("{}\n", sample.path.display());
    // The repository's name and the markers.
    let mut used = tokens.count(&text) + 8;
    for excerpt in &context.related {
        let part = format!("{}\n{}\n", excerpt.path.display(), excerpt.text.trim_end());
        let cost = tokens.count(&part) + 1;
        if used + cost <= budget {
            used += cost;
            text.push_str(&part);
        }
    }
    text + &baselines::window(sample, budget - used, tokens).0
}

fn report(
    name: &str,
    elsewhere: usize,
    rows: &BTreeMap<(String, usize), Tally>,
    times: BTreeMap<usize, Vec<Duration>>,
) {
    let fresh = rows.values().next().map_or(1, |tally| tally.fresh.max(1));
    println!(
        "{name}: {fresh} new identifiers, {:.3} of them in another file",
        elsewhere as f64 / fresh as f64
    );
    for ((row, budget), tally) in rows {
        println!(
            "{row:16} {budget:5} IR {:.3} XR {:.3}",
            tally.found as f64 / tally.wanted.max(1) as f64,
            tally.fresh_found as f64 / fresh as f64,
        );
    }
    for (budget, mut times) in times {
        times.sort_unstable();
        let (middle, late) = (times[times.len() / 2], times[times.len() * 95 / 100]);
        println!("build, {budget} tokens: p50 {middle:.1?}, p95 {late:.1?}");
    }
}
