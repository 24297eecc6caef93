//! Replays the added lines of a git history key by key, and counts the tokens of each prompt that
//! were not in the one before.
//!
//! `cargo bench --profile dev --bench keystrokes -- --git DIR --vocabulary FILE.gguf [--commits N]
//! [--keys N] [--budget N]`: `DIR` is a git directory, `FILE.gguf` has the tokenizer of Qwen.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement may panic and prints"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use agent::engine::ModelSource;
use agent::engine::gguf::Gguf;
use agent::engine::tokenizer::Tokenizer;
use agent::prompt::anchor::Reuse;
use agent::syntax::Language;
use agent::workspace::Workspace;

mod typing;

use typing::{Editor, Key, Prompts, Tokens, percentile};

/// Longer additions are pasted rather than typed.
const MOST_LINES: usize = 40;
/// So many additions of one commit are replayed.
const MOST_HUNKS: usize = 12;

struct Arguments {
    git: String,
    vocabulary: String,
    commits: usize,
    keys: usize,
    budget: usize,
}

impl Arguments {
    fn read() -> Option<Self> {
        let all: Vec<String> = std::env::args().collect();
        let value = |name: &str| {
            let at = all.iter().position(|argument| argument == name)?;
            all.get(at + 1).cloned()
        };
        let number = |name: &str, default: usize| {
            value(name).map_or(default, |value| value.parse().expect("a number"))
        };
        Some(Self {
            git: value("--git")?,
            vocabulary: value("--vocabulary")?,
            commits: number("--commits", 60),
            keys: number("--keys", 10_000),
            budget: number("--budget", 2048),
        })
    }
}

/// Lines added to a file at one place.
struct Hunk {
    /// Lines taken away there.
    removed: usize,
    /// The first added line, from 0, once everything before it is done.
    line: usize,
    added: String,
}

fn main() {
    let Some(arguments) = Arguments::read() else {
        println!(
            "nothing to replay: name a git directory with --git and a tokenizer with --vocabulary"
        );
        return;
    };
    let gguf = Gguf::open(&ModelSource::File(PathBuf::from(&arguments.vocabulary))).unwrap();
    let tokens = Tokens::new(Tokenizer::from_gguf(&gguf).unwrap());
    println!("| keys | prompts | tokens read anew: median | p95 | p99 | most | mean |");
    println!("|---|---|---|---|---|---|---|");
    for (name, keeps, closes) in [
        ("from scratch each time", false, false),
        ("going on", true, false),
        ("going on, brackets closed by the editor", true, true),
    ] {
        Replay::new(&arguments, &tokens, keeps, closes).run().print(name);
    }
}

struct Replay<'a> {
    arguments: &'a Arguments,
    tokens: &'a Tokens,
    keeps: bool,
    closes: bool,
    folder: tempfile::TempDir,
    costs: BTreeMap<&'static str, Vec<usize>>,
    reasons: BTreeMap<&'static str, usize>,
    prompt: Vec<usize>,
    keys: usize,
}

impl<'a> Replay<'a> {
    fn new(arguments: &'a Arguments, tokens: &'a Tokens, keeps: bool, closes: bool) -> Self {
        Self {
            arguments,
            tokens,
            keeps,
            closes,
            folder: tempfile::tempdir().unwrap(),
            costs: BTreeMap::new(),
            reasons: BTreeMap::new(),
            prompt: Vec::new(),
            keys: 0,
        }
    }

    fn run(mut self) -> Self {
        let number = format!("-{}", self.arguments.commits);
        let listed = self.git(&["log", "--first-parent", "--no-merges", "--format=%H", &number]);
        let commits: Vec<&str> = listed.lines().rev().collect();
        let start = format!("{}^", commits[0]);
        self.check_out(&start);
        let workspace = Workspace::new(self.folder.path().to_owned());
        workspace.build_index();
        let mut last = None;
        for commit in commits {
            if self.keys >= self.arguments.keys {
                break;
            }
            self.commit(&workspace, commit, &mut last);
        }
        self
    }

    fn commit<'w>(&mut self, workspace: &'w Workspace, commit: &str, last: &mut Option<Prompts<'w>>)
    where
        'a: 'w,
    {
        let range = format!("{commit}^..{commit}");
        let names = self.git(&["diff", "--name-status", "--no-renames", &range]);
        for line in names.lines() {
            let Some((status, name)) = line.split_once('\t') else { continue };
            let path = Path::new(name);
            if status == "M" && Language::of_path(path).is_some() {
                let old = self.git(&["show", &format!("{commit}^:{name}")]);
                let diff = self.git(&["diff", "-U0", "--no-renames", &range, "--", name]);
                self.file(workspace, path, old, &hunks(&diff), last);
            }
        }
        for line in names.lines() {
            let Some((status, name)) = line.split_once('\t') else { continue };
            let path = self.folder.path().join(name);
            if status == "D" {
                let _ = fs::remove_file(&path);
                workspace.update(&path, None);
            } else {
                let text = self.git(&["show", &format!("{commit}:{name}")]);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                if fs::write(&path, &text).is_ok() {
                    workspace.update(&path, Some(&text));
                }
            }
        }
    }

    fn file<'w>(
        &mut self,
        workspace: &'w Workspace,
        path: &Path,
        mut text: String,
        hunks: &[Hunk],
        last: &mut Option<Prompts<'w>>,
    ) where
        'a: 'w,
    {
        let budget = self.arguments.budget;
        let path = path.to_owned();
        let mut prompts =
            Prompts::new(workspace, self.tokens, path, budget, self.keeps, last.take());
        for (number, hunk) in hunks.iter().enumerate() {
            let start: usize = text.split_inclusive('\n').take(hunk.line).map(str::len).sum();
            let rest = &text[start..];
            let removed: usize = rest.split_inclusive('\n').take(hunk.removed).map(str::len).sum();
            text.replace_range(start..start + removed, "");
            let typed = number < MOST_HUNKS
                && hunk.added.lines().count() <= MOST_LINES
                && self.keys < self.arguments.keys;
            if !typed {
                text.insert_str(start, &hunk.added);
                continue;
            }
            // A new line is opened first, as an editor does.
            let added = hunk.added.trim_end_matches('\n');
            let indentation = added.len() - added.trim_start().len();
            let (opened, added) = added.split_at(indentation);
            text.insert_str(start, &format!("{opened}\n"));
            let mut editor = Editor::new(text, start + opened.len(), self.closes);
            self.count(Key::Place, &mut prompts, &editor);
            editor.type_text(added, |editor, key| self.count(key, &mut prompts, editor));
            text = editor.text;
        }
        *last = Some(prompts);
    }

    fn count(&mut self, key: Key, prompts: &mut Prompts<'_>, editor: &Editor) {
        let cost = prompts.at(editor);
        let kind = match key {
            Key::Character => "within a line",
            Key::LineBreak => "at a line break",
            Key::Place => "first at a place",
        };
        self.costs.entry(kind).or_default().push(cost.fresh);
        self.prompt.push(cost.tokens);
        if let (Reuse::Renewed(_), true) = (cost.reuse, key != Key::Place) {
            *self.reasons.entry(cost.reuse.words()).or_default() += 1;
        }
        self.keys += 1;
    }

    fn print(mut self, name: &str) {
        let mean =
            |values: &[usize]| values.iter().sum::<usize>() as f64 / values.len().max(1) as f64;
        println!(
            "| **{name}**: prompts of {:.0} tokens in the mean | | | | | | |",
            mean(&self.prompt)
        );
        for (kind, values) in &mut self.costs {
            let mean = mean(values);
            let [median, p95, p99, most] =
                [50, 95, 99, 100].map(|percent| percentile(values, percent));
            println!(
                "| {kind} | {} | {median} | {p95} | {p99} | {most} | {mean:.1} |",
                values.len()
            );
        }
        for (reason, count) in self.reasons.iter().filter(|_| self.keeps) {
            println!("| not at a new place, {reason} | {count} | | | | | |");
        }
    }

    fn check_out(&self, commit: &str) {
        let mut archive = Command::new("git")
            .args(["--git-dir", &self.arguments.git, "archive", commit])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let unpacked = Command::new("tar")
            .args(["-x", "-C"])
            .arg(self.folder.path())
            .stdin(archive.stdout.take().unwrap())
            .status()
            .unwrap();
        assert!(unpacked.success() && archive.wait().unwrap().success());
    }

    fn git(&self, arguments: &[&str]) -> String {
        let run = Command::new("git")
            .args(["--git-dir", &self.arguments.git])
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8_lossy(&run.stdout).into_owned()
    }
}

/// The hunks of a diff without context.
fn hunks(diff: &str) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    for line in diff.lines() {
        if let Some(header) = line.strip_prefix("@@ -") {
            let mut ranges = header.split(' ').map(|range| {
                let range = range.trim_start_matches('+');
                let (start, count) = range.split_once(',').unwrap_or((range, "1"));
                (start.parse::<usize>().unwrap_or(0), count.parse::<usize>().unwrap_or(0))
            });
            let (_, removed) = ranges.next().unwrap();
            let (start, added) = ranges.next().unwrap();
            let line = if added == 0 { start } else { start.saturating_sub(1) };
            hunks.push(Hunk { removed, line, added: String::new() });
        } else if let (Some(added), Some(hunk)) = (line.strip_prefix('+'), hunks.last_mut()) {
            hunk.added.push_str(added);
            hunk.added.push('\n');
        }
    }
    hunks.retain(|hunk| hunk.removed > 0 || !hunk.added.trim().is_empty());
    hunks
}
