//! Repairs a file: diagnostics → candidates, cheapest first → checks in a scratch copy → proof.

mod candidate;
mod effect;
mod infill;
mod names;
mod phase;
mod python_syntax;
mod rust_templates;
mod search;
mod tokens;
mod whole_item;

use super::{Outcome, TaskError, Tools};
use crate::check::judge::{Judge, refuse_blank};
use crate::check::sandbox::Enforcement;
use crate::check::{Diagnostic, Findings, Level, Proof, Severity};
use crate::document::Document;
use crate::edit::Proposal;
use crate::text::Span;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only diagnostics that touch this span; `None`: every error of the file.
    pub span: Option<Span>,
    /// A command instead of the compiler: exit 0 means sound.
    pub check: Option<String>,
    /// A command that must pass afterwards; it proves what the repair does.
    pub test: Option<String>,
    /// Whether errors that nobody asked to repair may remain in a repair that counts as verified:
    /// an editor takes one error at a time.
    pub others_may_remain: bool,
    /// Other unsaved files, laid over the scratch copy.
    pub unsaved: Vec<Document>,
    /// How hard to try.
    pub effort: Effort,
}

/// Where the search for a repair ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// The most candidates that are checked.
    pub checks: usize,
    /// The most repairs in a row: new errors appear once others are gone.
    pub rounds: usize,
    /// The longest time in seconds; a check under way is finished.
    pub seconds: u64,
    /// How many lines or items are sampled from the model for one error; 0 asks no model.
    pub samples: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { checks: 80, rounds: 16, seconds: 180, samples: 4 }
    }
}

/// Repairs `document`. A file with nothing wrong: verified, an empty proposal, a message. A file
/// that no candidate repairs whole: not verified, an empty proposal, and how far it got. A file
/// that is repaired while the tool finds errors elsewhere: not verified, the proposal, and what
/// remains where. A repair that may change what the program does is verified by tests only;
/// without them it is proposed, not verified.
pub async fn run(
    tools: &Tools,
    document: &Document,
    options: &Options,
) -> Result<Outcome, TaskError> {
    let report = &tools.report;
    // Now, not after the search.
    options.test.as_deref().map_or(Ok(()), refuse_blank)?;
    let mut judge = Judge::open(
        tools.check.clone(),
        &tools.workspace,
        document,
        &options.unsaved,
        options.check.as_deref(),
        report,
    )
    .await?;
    report("checking the file as it is");
    let base = judge.check().await?;
    let targets = targets(&base, &judge, options);
    if targets.is_empty() {
        return nothing_to_fix(&judge, &base, options).await;
    }
    report(&format!("{} to repair", super::counted(targets.len(), "error")));
    search::Search::new(tools, document, options, &mut judge, base, targets).run().await
}

/// What has to go: the errors of the file, or what touches the span asked for. There, a warning
/// counts if its tool proposes a repair and nothing worse is there.
fn targets(base: &Findings, judge: &Judge, options: &Options) -> Vec<Diagnostic> {
    let errors = base.errors_in(judge.path());
    let Some(span) = options.span else { return errors.cloned().collect() };
    let touching =
        |found: &&Diagnostic| found.span.start <= span.end && span.start <= found.span.end;
    let errors: Vec<Diagnostic> = errors.filter(touching).cloned().collect();
    if !errors.is_empty() {
        return errors;
    }
    let warnings = base.diagnostics.iter().filter(|found| {
        found.severity == Severity::Warning
            && found.path == judge.path()
            && !found.suggestions.is_empty()
    });
    warnings.filter(touching).cloned().collect()
}

/// Tools whose error in one file may keep them from looking at another.
const STOPPED_BY_ANY_FILE: [&str; 2] = ["rustc", "check"];

/// The outcome for a file without targets; the tests asked for still have their say.
async fn nothing_to_fix(
    judge: &Judge,
    base: &Findings,
    options: &Options,
) -> Result<Outcome, TaskError> {
    let told: Vec<String> =
        base.proof.iter().map(|proof| format!("{}: {}", proof.tool, proof.result)).collect();
    let place = if options.span.is_some() { " at this place" } else { "" };
    let mut message = format!("nothing to fix{place} ({})", told.join("; "));
    let elsewhere = base
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error && found.path != judge.path());
    if let Some(other) = elsewhere.clone().next() {
        message = format!(
            "nothing to fix in this file, but {} in other files: {}",
            super::counted(elsewhere.count(), "error"),
            located(other, judge)
        );
    }
    let mut proof = base.proof.clone();
    // A compiler that stopped at another file, or a command that failed there, proves nothing here.
    let mut verified = !base.diagnostics.iter().any(|found| {
        found.severity == Severity::Error
            && found.path != judge.path()
            && STOPPED_BY_ANY_FILE.contains(&&*found.tool)
    });
    if let Some(line) = &options.test {
        let tested = test(judge, line).await?;
        if let Err(said) = &tested.1 {
            verified = false;
            message = format!(
                "{message}, but `{line}` fails: {said}; repairs that start from a failing test \
                 need it as the check command"
            );
        }
        proof.push(tested.0);
    }
    say_sandbox(&mut message, &base.enforcement);
    Ok(Outcome { proposal: Proposal::default(), verified, proof, message })
}

/// `src/a.rs:3: message`, with the path as the project's root has it.
fn located(found: &Diagnostic, judge: &Judge) -> String {
    let file = found.path.strip_prefix(judge.scratch().root()).unwrap_or(&found.path);
    format!("{}:{}: {}", file.display(), found.line, found.message)
}

/// Runs the user's test command on what lies in the scratch tree; an error holds what it said
/// last.
async fn test(judge: &Judge, line: &str) -> Result<(Proof, Result<(), String>), TaskError> {
    let (output, _) = judge.shell(line).await?;
    let said = output.text();
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let result = if output.success() { "passed".to_owned() } else { output.exit() };
    let proof = Proof {
        level: Level::Tests,
        tool: line.split_whitespace().next().unwrap_or_default().to_owned(),
        command: line.to_owned(),
        result,
    };
    let verdict = if output.success() { Ok(()) } else { Err(last.to_owned()) };
    Ok((proof, verdict))
}

/// Adds how far the sandbox held, where it did not hold fully.
pub(super) fn say_sandbox(message: &mut String, enforcement: &Enforcement) {
    if *enforcement != Enforcement::Full {
        *message = format!("{message} (sandbox: {enforcement})");
    }
}
