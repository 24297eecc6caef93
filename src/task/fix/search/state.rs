//! Where the search stands: a text on the way, what is left to do on it, and what was done.

use std::collections::VecDeque;

use super::super::candidate::Candidate;
use super::super::effect::Effect;
use super::super::phase::Phase;
use crate::check::judge::{Verdict, remaining, unmatched};
use crate::check::{Diagnostic, Findings, Severity};
use crate::edit::FileChange;

/// Where candidates come from, cheapest first. All errors go through one stage before the first
/// goes to the next: what is hopeless now is often a consequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Suggestions,
    Templates,
    Infill,
    WholeItem,
    WholeItemAgain,
}

pub(super) const STAGES: &[Stage] =
    &[Stage::Suggestions, Stage::Templates, Stage::Infill, Stage::WholeItem, Stage::WholeItemAgain];

/// A text on the way, and what can still be tried on it.
pub(super) struct State {
    pub(super) changes: Vec<FileChange>,
    pub(super) findings: Findings,
    /// What has to go: targets left, then errors that came.
    pub(super) todo: Vec<Diagnostic>,
    /// What was done to get here.
    pub(super) steps: Vec<Step>,
    pub(super) stage: usize,
    pub(super) subject: usize,
    pub(super) queue: VecDeque<(Candidate, Effect)>,
    /// Whether the candidates of this stage and subject are still to be made.
    pub(super) fresh: bool,
    pub(super) last_reason: String,
}

/// One repair on the way.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) label: String,
    /// Why what it does has to be tested.
    pub(super) doubt: Option<String>,
}

impl State {
    pub(super) fn next_stage(&mut self) {
        self.stage += 1;
        self.subject = 0;
        self.fresh = true;
    }

    pub(super) fn new(
        changes: Vec<FileChange>,
        findings: Findings,
        mut todo: Vec<Diagnostic>,
        steps: Vec<Step>,
    ) -> Self {
        // A command's places stay in its order, the innermost frame first.
        if todo.iter().any(|found| found.tool != "check") {
            todo.sort_by_key(|found| (Phase::of(found), found.span.start));
        }
        Self {
            changes,
            findings,
            todo,
            steps,
            stage: 0,
            subject: 0,
            queue: VecDeque::new(),
            last_reason: String::new(),
            fresh: true,
        }
    }
}

/// What is left to do after a step that helped: its subject is gone, and what came instead is less
/// than before or lies in a later phase, which the tool had not reached.
pub(super) fn progress(
    subject: &Diagnostic,
    state: &State,
    verdict: &Verdict,
) -> Option<(Findings, Vec<Diagnostic>)> {
    let findings = verdict.findings.clone()?;
    let (before, after) = (&state.findings.diagnostics, &findings.diagnostics);
    let phase = Phase::of(subject);
    let gone = if phase == Phase::Syntax {
        // Only the first syntax error is told; the same message may come again further down.
        let same_file = |found: &&Diagnostic| {
            found.path == subject.path
                && found.severity == Severity::Error
                && Phase::of(found) == Phase::Syntax
        };
        after.iter().filter(same_file).all(|found| found.line > subject.line)
    } else {
        remaining(std::slice::from_ref(subject), before, after).is_empty()
    };
    let todo: Vec<Diagnostic> = verdict
        .remaining
        .iter()
        .chain(&verdict.new)
        .cloned()
        .map(|old| current(old, after))
        .collect();
    let came = unmatched(after, before);
    let came = came.iter().filter(|found| found.severity == Severity::Error);
    let only_later = came.clone().all(|found| {
        Phase::of(found) > phase || (phase == Phase::Syntax && found.line > subject.line)
    });
    // A program that is run stops at its first fault: another one means that it got further.
    let another = subject.tool == "check" && todo.len() <= state.todo.len();
    (gone && (todo.len() < state.todo.len() || only_later || another)).then_some((findings, todo))
}

/// The diagnostic `old` as the last check has it: its place may have moved.
fn current(old: Diagnostic, now: &[Diagnostic]) -> Diagnostic {
    let alike = now.iter().filter(|found| {
        (&found.path, &found.tool, &found.code, &found.message)
            == (&old.path, &old.tool, &old.code, &old.message)
    });
    alike.min_by_key(|found| found.line.abs_diff(old.line)).cloned().unwrap_or(old)
}

pub(super) fn labels(steps: &[Step]) -> String {
    steps.iter().map(|step| step.label.as_str()).collect::<Vec<_>>().join("; ")
}

/// What the steps do that has to be tested.
pub(super) fn doubts(steps: &[Step]) -> String {
    let told = |step: &Step| {
        let doubt = step.doubt.as_ref()?;
        Some(if *doubt == step.label { doubt.clone() } else { format!("{} ({doubt})", step.label) })
    };
    steps.iter().filter_map(told).collect::<Vec<_>>().join("; ")
}
