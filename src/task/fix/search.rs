//! The search: one error at a time, cheapest candidates first, each step checked, with a way back.

mod state;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::super::counted;
use super::candidate::{self, Candidate};
use super::effect::Effect;
use super::{Options, Outcome, TaskError, Tools, infill, located, say_sandbox, test, whole_item};
use crate::check::judge::{Judge, Verdict};
use crate::check::sandbox::Enforcement;
use crate::check::{Diagnostic, Findings, Level, Proof, Severity};
use crate::document::Document;
use crate::edit::{FileChange, Proposal};
use crate::text::apply;
use state::{STAGES, Stage, State, Step, doubts, labels, progress};

/// For how many of a file's errors candidates are made before a state is given up.
const MAX_SUBJECTS: usize = 6;

/// For how many checks a repair is sought that needs no test, once one is known that does.
const MORE_CHECKS: usize = 12;

/// The search for a repair of one document.
pub(super) struct Search<'a> {
    tools: &'a Tools,
    document: &'a Document,
    options: &'a Options,
    judge: &'a mut Judge,
    base: Findings,
    targets: Vec<Diagnostic>,
    seen: HashSet<Vec<(PathBuf, String)>>,
    checks: usize,
    started: Instant,
    /// Of the best state: errors left, what the first one is, what was done.
    best: (usize, String, Vec<Step>),
    /// What the test command said of a repair that compiles.
    failed_test: Option<String>,
    /// The first repair that the tools accept and that may change what the program does, and how
    /// many checks it took.
    unproved: Option<(Outcome, usize)>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        tools: &'a Tools,
        document: &'a Document,
        options: &'a Options,
        judge: &'a mut Judge,
        base: Findings,
        targets: Vec<Diagnostic>,
    ) -> Self {
        let first = targets.first().map(told).unwrap_or_default();
        Self {
            tools,
            document,
            options,
            judge,
            best: (targets.len(), first, Vec::new()),
            base,
            targets,
            seen: HashSet::new(),
            checks: 0,
            started: Instant::now(),
            failed_test: None,
            unproved: None,
        }
    }

    /// Searches until something is proved, the candidates are used up, or the effort is spent.
    pub(super) async fn run(mut self) -> Result<Outcome, TaskError> {
        let mut states =
            vec![State::new(Vec::new(), self.base.clone(), self.targets.clone(), vec![])];
        while let Some(state) = states.last_mut() {
            if self.is_spent() {
                break;
            }
            let Some((candidate, effect)) = state.queue.pop_front() else {
                if !self.refill(state).await? {
                    states.pop();
                }
                continue;
            };
            let Some(subject) = state.todo.get(state.subject).cloned() else { continue };
            let Some(changes) = self.changed(state, &candidate) else { continue };
            let Some(verdict) = self.judged(&candidate, &changes).await? else { continue };
            let mut steps = state.steps.clone();
            let doubt = match effect {
                Effect::Mechanical => None,
                Effect::Behavioural(doubt) => Some(doubt),
            };
            steps.push(Step { label: candidate.label, doubt });
            if verdict.accepted {
                if let Some(outcome) = self.proved(&changes, &verdict, &steps).await? {
                    return Ok(outcome);
                }
                continue;
            }
            match progress(&subject, state, &verdict) {
                Some((findings, todo)) if steps.len() < self.options.effort.rounds => {
                    self.remember(&todo, &steps);
                    states.push(State::new(changes, findings, todo, steps));
                }
                _ => state.last_reason = verdict.reason(),
            }
        }
        self.judge.restore()?;
        Ok(match self.unproved.take() {
            Some((outcome, _)) => outcome,
            None => self.not_proved(),
        })
    }

    fn is_spent(&self) -> bool {
        let effort = self.options.effort;
        let until = self.unproved.as_ref().map_or(usize::MAX, |(_, at)| at + MORE_CHECKS);
        self.checks >= effort.checks.min(until)
            || self.started.elapsed() >= Duration::from_secs(effort.seconds)
    }

    /// Makes the next candidates of `state`; `false` when there are no more.
    async fn refill(&self, state: &mut State) -> Result<bool, TaskError> {
        while let Some(stage) = STAGES.get(state.stage) {
            let Some(subject) = state.todo.get(state.subject).cloned() else {
                state.next_stage();
                continue;
            };
            if state.fresh {
                state.fresh = false;
            } else {
                state.subject += 1;
                state.fresh = true;
                if state.subject >= MAX_SUBJECTS.min(state.todo.len()) {
                    state.next_stage();
                }
                continue;
            }
            // The model has nothing to add that would be proved.
            if self.unproved.is_some() && *stage > Stage::Templates {
                return Ok(false);
            }
            let candidates = self.candidates(*stage, state, &subject).await?;
            if !candidates.is_empty() {
                state.queue = self.surest_first(state, candidates).into();
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The candidates with what they do; what may change the program comes last.
    fn surest_first(&self, state: &State, found: Vec<Candidate>) -> Vec<(Candidate, Effect)> {
        let text_of = |path: &Path| {
            let path = if path == self.judge.path() { &*self.document.path } else { path };
            let changed = state.changes.iter().find(|change| change.path == path);
            changed
                .map(|change| change.text.clone())
                .or_else(|| self.untouched(path).map(|change| change.text))
        };
        let with_effect = |candidate: Candidate| {
            let effect = candidate.effect(text_of);
            (candidate, effect)
        };
        let mut candidates: Vec<(Candidate, Effect)> = found.into_iter().map(with_effect).collect();
        candidates.sort_by_key(|(_, effect)| *effect != Effect::Mechanical);
        candidates
    }

    async fn candidates(
        &self,
        stage: Stage,
        state: &State,
        subject: &Diagnostic,
    ) -> Result<Vec<Candidate>, TaskError> {
        if stage == Stage::Suggestions {
            return Ok(candidate::suggested(subject));
        }
        let path = self.judge.path();
        if subject.path != path {
            return Ok(Vec::new());
        }
        let document = self.document_of(state);
        let samples = self.options.effort.samples;
        match stage {
            Stage::Suggestions => Ok(Vec::new()),
            Stage::Templates => Ok(candidate::templates(&document, path, subject)),
            Stage::Infill => {
                if samples > 0 {
                    (self.tools.report)(&format!("asking the model about line {}", subject.line));
                }
                infill::candidates(self.tools, &document, path, subject, samples).await
            }
            Stage::WholeItem | Stage::WholeItemAgain => {
                let again = stage == Stage::WholeItemAgain;
                if again && state.last_reason.is_empty() {
                    return Ok(Vec::new());
                }
                let problem = if again { state.last_reason.as_str() } else { "" };
                let errors = &state.todo;
                whole_item::candidates(
                    self.tools, &document, path, subject, errors, problem, samples,
                )
                .await
            }
        }
    }

    /// The document as `state` has it.
    fn document_of(&self, state: &State) -> Document {
        let own = state.changes.iter().find(|change| change.path == *self.document.path);
        match own {
            Some(change) => Document::new(
                self.document.path.to_path_buf(),
                self.document.language(),
                self.document.version,
                change.text.clone(),
            ),
            None => self.document.clone(),
        }
    }

    /// The changes of `state` with `candidate` on top; `None` if it does not fit, changes nothing
    /// or was tried before.
    fn changed(&mut self, state: &State, candidate: &Candidate) -> Option<Vec<FileChange>> {
        let mut changes = state.changes.clone();
        for (path, edits) in &candidate.edits {
            let path = if path == self.judge.path() { &*self.document.path } else { path };
            let known = changes.iter().position(|change| change.path == path);
            let mut change = match known {
                Some(index) => changes.remove(index),
                None => self.untouched(path)?,
            };
            let new = apply(&change.text, edits).ok()?;
            if new == change.text {
                return None;
            }
            change.text = new;
            changes.push(change);
        }
        changes.sort_by(|one, other| one.path.cmp(&other.path));
        let texts = changes.iter().map(|change| (change.path.clone(), change.text.clone()));
        self.seen.insert(texts.collect()).then_some(changes)
    }

    /// A file as it is, ready to be changed.
    fn untouched(&self, path: &Path) -> Option<FileChange> {
        let open = self.options.unsaved.iter().chain([self.document]).find(|d| &*d.path == path);
        let text = match open {
            Some(document) => document.text.to_string(),
            None => std::fs::read_to_string(path).ok()?,
        };
        Some(FileChange {
            path: path.to_owned(),
            display: self.display(path),
            version: open.map(|document| document.version).filter(|version| *version > 0),
            base: Some(text.clone()),
            text,
        })
    }

    /// The path relative to the workspace, with `/`.
    fn display(&self, path: &Path) -> String {
        let own = if path == &*self.document.path { self.judge.path() } else { path };
        let roots = [self.tools.workspace.root(), self.judge.scratch().root()];
        let relative = roots
            .iter()
            .find_map(|root| path.strip_prefix(root).or(own.strip_prefix(root)).ok())
            .map_or_else(|| path.file_name().map(PathBuf::from).unwrap_or_default(), PathBuf::from);
        let parts: Vec<_> =
            relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        parts.join("/")
    }

    async fn judged(
        &mut self,
        candidate: &Candidate,
        changes: &[FileChange],
    ) -> Result<Option<Verdict>, TaskError> {
        (self.tools.report)(&format!("trying: {}", candidate.label));
        let proposal = Proposal { title: String::new(), changes: changes.to_vec() };
        match self.judge.judge(&self.base, &self.targets, &proposal).await {
            Ok(verdict) => {
                self.checks += usize::from(verdict.findings.is_some());
                Ok(Some(verdict))
            }
            // One candidate may break the build as such; the check as it is did work.
            Err(
                crate::check::CheckError::Tool { .. } | crate::check::CheckError::Timeout { .. },
            ) => {
                self.checks += 1;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The outcome of changes that leave no target and bring nothing new, if the test command
    /// accepts them, too. With errors left elsewhere no tool accepts the whole, and the tests are
    /// not asked. Without a test, what may change the program is kept as a proposal.
    async fn proved(
        &mut self,
        changes: &[FileChange],
        verdict: &Verdict,
        steps: &[Step],
    ) -> Result<Option<Outcome>, TaskError> {
        let mut proof = verdict.proof.clone();
        let left = errors_left(verdict);
        let verified = left.is_empty() || self.options.others_may_remain;
        if let (true, Some(line)) = (verified, &self.options.test) {
            (self.tools.report)(&format!("running {line}"));
            let (tested, result) = test(self.judge, line).await?;
            if let Err(said) = result {
                self.failed_test = Some(said);
                return Ok(None);
            }
            proof.push(tested);
        }
        let title = format!("Fix {}", self.display(&self.document.path));
        let proposal = Proposal { title, changes: changes.to_vec() };
        let tested = proof.iter().any(|proof| proof.level == Level::Tests);
        let enforcement = verdict.findings.as_ref().map(|f| f.enforcement.clone());
        let enforcement = enforcement.unwrap_or(Enforcement::Full);
        if verified && !tested && steps.iter().any(|step| step.doubt.is_some()) {
            if self.unproved.is_none() {
                let mut message = format!(
                    "a repair that compiles was found, but nothing proves it keeps the behaviour: \
                     {}; name a test with --test, or apply it yourself",
                    doubts(steps)
                );
                say_sandbox(&mut message, &enforcement);
                let outcome = Outcome { proposal, verified: false, proof, message };
                self.unproved = Some((outcome, self.checks));
            }
            return Ok(None);
        }
        self.judge.restore()?;
        let told: Vec<String> =
            proof.iter().map(|proof| format!("{}: {}", proof.tool, proof.result)).collect();
        let mut message = format!(
            "{}; {} ({})",
            labels(steps),
            if self.targets.len() == 1 {
                "the error is gone".to_owned()
            } else {
                format!("{} errors are gone", self.targets.len())
            },
            told.join("; ")
        );
        if let Some(first) = left.first() {
            let remain = if left.len() == 1 { "remains" } else { "remain" };
            message = format!(
                "{message}, but {} {remain}: {}; fix that too{}",
                counted(left.len(), "error"),
                located(first, self.judge),
                if verified { "" } else { ", until then this repair is not proved" }
            );
        } else if !tested {
            message.push_str("; what it does was not tested");
        }
        say_sandbox(&mut message, &enforcement);
        Ok(Some(Outcome { proposal, verified, proof, message }))
    }

    fn remember(&mut self, todo: &[Diagnostic], steps: &[Step]) {
        if todo.len() < self.best.0 {
            let first = todo.first().map(told).unwrap_or_default();
            self.best = (todo.len(), first, steps.to_vec());
        }
    }

    fn not_proved(&self) -> Outcome {
        let (left, first, steps) = &self.best;
        let tried = format!(
            "{} candidate{} checked in {} s",
            self.checks,
            if self.checks == 1 { "" } else { "s" },
            self.started.elapsed().as_secs()
        );
        let mut message = if let Some(said) = &self.failed_test {
            let line = self.options.test.as_deref().unwrap_or_default();
            format!("not fixed: what compiles fails `{line}`: {said}; {tried}")
        } else if steps.is_empty() {
            format!("not fixed: {first}; {tried}, none helps")
        } else {
            format!(
                "not fixed: the best attempt ({}) leaves {left} of {} errors, {first}; {tried}",
                labels(steps),
                self.targets.len().max(*left)
            )
        };
        message.push_str("; nothing was changed");
        say_sandbox(&mut message, &self.base.enforcement);
        let proof: Vec<Proof> = self.base.proof.clone();
        Outcome { proposal: Proposal::default(), verified: false, proof, message }
    }
}

/// The errors that a check of the changed files still found, in whatever file.
fn errors_left(verdict: &Verdict) -> Vec<&Diagnostic> {
    let all = verdict.findings.iter().flat_map(|findings| &findings.diagnostics);
    all.filter(|found| found.severity == Severity::Error).collect()
}

fn told(diagnostic: &Diagnostic) -> String {
    let code =
        if diagnostic.code.is_empty() { String::new() } else { format!("[{}] ", diagnostic.code) };
    format!("line {}: {code}{}", diagnostic.line, diagnostic.message)
}
