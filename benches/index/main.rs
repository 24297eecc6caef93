//! How long the index of a folder takes: cold, from its cache, after an edit; and its memory.
//!
//! `cargo bench --bench index -- FOLDER [RUNS]`. Each figure comes from a process of its own, is the
//! median of the runs, and is given as wall-clock and processor time (user and system), because the
//! former says little on a machine that does other things too.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints, and has nobody to recover for"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use agent::document::{Change, Document};
use agent::text::line_index::{Encoding, Position};
use agent::workspace::Workspace;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// The most files that are edited.
const EDITS: usize = 400;
const RUNS: usize = 5;

/// Figures by name; times in milliseconds, sizes in MiB.
type Figures = BTreeMap<String, f64>;

fn main() -> ExitCode {
    // Cargo passes `--bench` along.
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--phase", phase, folder, cache] => {
            for (name, value) in measure(phase, Path::new(folder), Path::new(cache)) {
                println!("{name}\t{value}");
            }
        }
        [folder] => report(folder, RUNS),
        [folder, runs] if runs.parse::<usize>().is_ok_and(|runs| runs > 0) => {
            report(folder, runs.parse().unwrap());
        }
        _ => {
            eprintln!("usage: cargo bench --bench index -- FOLDER [RUNS]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Runs every phase in a process of its own, and prints the medians as a table.
fn report(folder: &str, runs: usize) {
    let cache = tempfile::tempdir().unwrap();
    let cache = cache.path().to_str().unwrap();
    let mut all: BTreeMap<&str, Vec<Figures>> = BTreeMap::new();
    for _ in 0..runs {
        for phase in ["cold", "warm", "edit"] {
            if phase == "cold" {
                _ = std::fs::remove_dir_all(cache);
            }
            all.entry(phase).or_default().push(run(phase, folder, cache));
        }
    }
    let figure = |phase: &str, name: &str| {
        let mut values: Vec<f64> = all[phase].iter().map(|figures| figures[name]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "{} files, {} items, {} identifiers in files; medians of {runs} runs; load average at the end {}\n",
        figure("cold", "files"),
        figure("cold", "items"),
        figure("cold", "terms"),
        load.split(' ').next().unwrap_or("unknown"),
    );
    println!("| | wall | user + system | resident, peak |\n|---|---|---|---|");
    for (phase, words) in [("cold", "cold build"), ("warm", "warm start from the cache")] {
        let [wall, cpu, peak] = ["wall", "cpu", "peak"].map(|name| figure(phase, name));
        println!("| {words} | {:.2} s | {:.2} s | {peak:.0} MiB |", wall / 1e3, cpu / 1e3);
    }
    let [wall, cpu, size] = ["save wall", "save cpu", "cache"].map(|name| figure("cold", name));
    println!("| writing the cache, {size:.0} MiB | {wall:.0} ms | {cpu:.0} ms | |");
    let [wall, cpu] = ["rescan wall", "rescan cpu"].map(|name| figure("warm", name));
    println!("| looking for changes, none | {wall:.0} ms | {cpu:.0} ms | |");
    for kind in ["text", "document"] {
        let words = if kind == "text" { "one file, parsed anew" } else { "one open document" };
        let [p50, p95, cpu50, cpu95] = ["p50", "p95", "cpu p50", "cpu p95"]
            .map(|name| figure("edit", &format!("{kind} {name}")));
        println!("| {words}, p50 / p95 | {p50:.1} / {p95:.1} ms | {cpu50:.1} / {cpu95:.1} ms | |");
    }
}

fn run(phase: &str, folder: &str, cache: &str) -> Figures {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).args(["--phase", phase, folder, cache]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let figure = |line: &str| {
        let (name, value) = line.split_once('\t').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    text.lines().map(figure).collect()
}

fn measure(phase: &str, folder: &Path, cache: &Path) -> Figures {
    let workspace = Workspace::new(folder.to_owned());
    let mut figures = Figures::new();
    if phase == "edit" {
        workspace.build_index();
        edit(&workspace, &mut figures);
        return figures;
    }
    let workspace = workspace.with_cache(Some(cache.to_owned()));
    timed(&mut figures, "", || workspace.build_index());
    figures.insert("peak".to_owned(), peak());
    let index = workspace.index();
    figures.insert("files".to_owned(), index.file_count() as f64);
    let items: usize = index.files().map(|file| file.items.len()).sum();
    let terms: usize = index.files().map(|file| file.terms.len()).sum();
    figures.insert("items".to_owned(), items as f64);
    figures.insert("terms".to_owned(), terms as f64);
    if phase == "cold" {
        timed(&mut figures, "save ", || workspace.save_index());
        let sizes = std::fs::read_dir(cache).unwrap().map(|file| file.unwrap().metadata().unwrap());
        figures.insert("cache".to_owned(), sizes.map(|file| file.len()).sum::<u64>() as f64 / MIB);
    } else {
        timed(&mut figures, "rescan ", || workspace.build_index());
    }
    figures
}

/// Edits every so manieth file in two ways: as a whole text, and as an open document in which a line
/// was typed.
fn edit(workspace: &Workspace, figures: &mut Figures) {
    let index = workspace.index();
    let paths: Vec<PathBuf> = index.files().map(|file| workspace.root().join(&file.path)).collect();
    drop(index);
    let step = paths.len().div_ceil(EDITS).max(1);
    let mut times: BTreeMap<&str, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for (number, path) in paths.iter().enumerate().step_by(step) {
        let text = std::fs::read_to_string(path).unwrap();
        let line = format!("\nlet edited_{number} = some_name_{number};\n");
        let document = Document::new(path.clone(), None, 0, text.clone());
        let middle = Position { line: document.lines.line_count() as u32 / 2, column: 0 };
        let typed = Change::Range { start: middle, end: middle, text: line.clone() };
        let document = document.changed(1, &[typed], Encoding::Utf8).unwrap();
        let text = text + &line;
        for (kind, change) in [
            ("text", &(|| workspace.update(path, Some(&text))) as &dyn Fn()),
            ("document", &|| workspace.update_document(&document)),
        ] {
            let mut one = Figures::new();
            timed(&mut one, "", change);
            let (wall, cpu) = times.entry(kind).or_default();
            wall.push(one["wall"]);
            cpu.push(one["cpu"]);
        }
    }
    for (kind, (mut wall, mut cpu)) in times {
        for (name, values) in [("", &mut wall), ("cpu ", &mut cpu)] {
            values.sort_by(f64::total_cmp);
            let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
            figures.insert(format!("{kind} {name}p50"), at(0.5));
            figures.insert(format!("{kind} {name}p95"), at(0.95));
        }
    }
}

const MIB: f64 = (1 << 20) as f64;

/// Adds the wall-clock and processor time of `work`.
fn timed(figures: &mut Figures, name: &str, work: impl FnOnce()) {
    let (start, cpu) = (Instant::now(), processor_time());
    work();
    figures.insert(format!("{name}wall"), start.elapsed().as_secs_f64() * 1e3);
    let cpu = processor_time().saturating_sub(cpu);
    figures.insert(format!("{name}cpu"), cpu.as_secs_f64() * 1e3);
}

fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros as u64)
}

/// The most memory that was resident, in MiB.
fn peak() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    // Linux counts in KiB.
    usage.max_rss() as f64 * 1024.0 / MIB
}
