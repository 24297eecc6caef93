//! One file's judge: lays a proposal into a scratch tree and says what the tools say of it.

mod command_check;
#[cfg(test)]
mod compare_tests;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::command::{Invocation, Output};
use super::guard::{self, Violation};
use super::sandbox::Enforcement;
use super::scratch::{Extent, Scratch};
use super::{
    CheckError, Diagnostic, Findings, Proof, Report, Settings, Severity, TestRun, python, rust,
};
use crate::document::Document;
use crate::edit::Proposal;
use crate::syntax::Language;
use crate::workspace::Workspace;

/// What a folder must hold to count as a project, which is copied whole.
const PROJECT_MARKS: &[&str] =
    &[".git", "Cargo.toml", "pyproject.toml", "setup.py", "setup.cfg", "agent.toml"];

/// Who judges.
#[derive(Debug)]
enum Subject {
    Rust(rust::Subject),
    Python(python::Subject),
    /// The user's own command: its exit code.
    Command(String),
}

/// The judge of one document's project. Holds the scratch tree; one check at a time.
#[derive(Debug)]
pub struct Judge {
    settings: Arc<Settings>,
    scratch: Scratch,
    subject: Subject,
    path: PathBuf,
    /// Files that a proposal replaced, with the text to put back (`None`: there was none).
    laid: BTreeMap<PathBuf, Option<String>>,
}

/// What a proposal came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// No violation, no target left, no new error.
    pub accepted: bool,
    /// What was run.
    pub proof: Vec<Proof>,
    /// Targets that are still there.
    pub remaining: Vec<Diagnostic>,
    /// Errors (and type checkers' warnings) that were not there before.
    pub new: Vec<Diagnostic>,
    /// What the proposal must not do; then nothing was run.
    pub violations: Vec<Violation>,
    /// Everything found; `None` when nothing was run.
    pub findings: Option<Findings>,
}

impl Verdict {
    /// Why it was not accepted, in one line; empty when it was.
    pub fn reason(&self) -> String {
        if let Some(violation) = self.violations.first() {
            return violation.to_string();
        }
        let told = |diagnostic: &Diagnostic| {
            let code = if diagnostic.code.is_empty() {
                String::new()
            } else {
                format!("[{}] ", diagnostic.code)
            };
            format!("line {}: {code}{}", diagnostic.line, diagnostic.message)
        };
        match (self.new.first(), self.remaining.first()) {
            (Some(new), _) => format!("adds {}", told(new)),
            (None, Some(left)) => format!("leaves {}", told(left)),
            (None, None) => String::new(),
        }
    }
}

impl Judge {
    /// The judge for `document` with `unsaved` documents laid over the copy. `check`: a command
    /// whose exit code judges instead of the language's own tools. Nothing is executed yet, and
    /// never will be in a workspace that is not trusted.
    pub async fn open(
        settings: Arc<Settings>,
        workspace: &Workspace,
        document: &Document,
        unsaved: &[Document],
        check: Option<&str>,
        report: &Report,
    ) -> Result<Self, CheckError> {
        let root = root_of(workspace, document);
        if !settings.trusted {
            return Err(CheckError::Untrusted { path: root });
        }
        let subject = subject(&settings, document, &root, check)?;
        report("copying the workspace into the scratch tree");
        let scratch = open_scratch(&settings, &root).await?;
        if scratch.is_cold() {
            report("first check here: it builds everything once and takes longer");
        }
        for other in unsaved.iter().chain([document]) {
            if scratch.inside(&other.path).is_some() {
                scratch.write(&other.path, &other.text)?;
            }
        }
        let path = scratch
            .inside(&document.path)
            .and_then(|inside| scratch.outside(&inside))
            .unwrap_or_else(|| document.path.to_path_buf());
        Ok(Self { settings, scratch, subject, path, laid: BTreeMap::new() })
    }

    /// Whether there is a checker for the document's language, so that no command need be named.
    pub fn knows(document: &Document) -> bool {
        let language = Language::of_path(&document.path).map(Language::name);
        matches!(language, Some("rust" | "python"))
    }

    /// The document's path as diagnostics name it: absolute, with links resolved.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The scratch tree.
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// The Python that the document belongs to, if it is Python.
    pub fn python(&self) -> Option<&python::Subject> {
        match &self.subject {
            Subject::Python(subject) => Some(subject),
            _ => None,
        }
    }

    /// Checks what lies in the scratch tree now.
    pub async fn check(&self) -> Result<Findings, CheckError> {
        self.check_knowing(None).await
    }

    /// The same; what `known` says of a part that is slow to check may stand in while there are
    /// errors in a quick one.
    async fn check_knowing(&self, known: Option<&Findings>) -> Result<Findings, CheckError> {
        let text = self.text()?;
        match &self.subject {
            Subject::Rust(subject) => {
                subject.check(&self.settings, &self.scratch, &self.path, &text).await
            }
            Subject::Python(subject) => {
                subject.check(&self.settings, &self.scratch, &self.path, &text, known).await
            }
            Subject::Command(line) => {
                let (output, enforcement) = self.shell(line).await?;
                let root = &self.scratch;
                Ok(command_check::findings(line, &output, enforcement, root, &self.path, &text))
            }
        }
    }

    /// The document's text as it lies in the scratch tree.
    fn text(&self) -> Result<String, CheckError> {
        self.scratch.read(&self.path)
    }

    /// Lays `proposal` into the scratch tree in the place of the one before it.
    pub fn lay(&mut self, proposal: &Proposal) -> Result<(), CheckError> {
        let stays =
            |path: &Path| proposal.changes.iter().any(|change| change.path.as_path() == path);
        let gone: Vec<PathBuf> = self.laid.keys().filter(|path| !stays(path)).cloned().collect();
        for path in gone {
            self.put_back(&path)?;
        }
        for change in &proposal.changes {
            self.laid.entry(change.path.clone()).or_insert_with(|| change.base.clone());
            self.scratch.write(&change.path, &change.text)?;
        }
        Ok(())
    }

    /// Takes the proposal out of the scratch tree again.
    pub fn restore(&mut self) -> Result<(), CheckError> {
        self.lay(&Proposal::default())
    }

    fn put_back(&mut self, path: &Path) -> Result<(), CheckError> {
        match self.laid.remove(path) {
            Some(Some(text)) => self.scratch.write(path, &text),
            Some(None) => self.scratch.remove(path),
            None => Ok(()),
        }
    }

    /// Judges `proposal`: the guard first, then the tools, with the proposal left in the scratch
    /// tree. Accepted: none of `targets` (diagnostics of `base`) is left, and nothing that `base`
    /// lacks came. Without targets: it does no harm.
    pub async fn judge(
        &mut self,
        base: &Findings,
        targets: &[Diagnostic],
        proposal: &Proposal,
    ) -> Result<Verdict, CheckError> {
        let violations: Vec<Violation> = proposal
            .changes
            .iter()
            .flat_map(|change| {
                let language = Language::of_path(&change.path);
                let base = change.base.as_deref().unwrap_or_default();
                guard::violations(language, base, &change.text, None)
            })
            .collect();
        if !violations.is_empty() {
            return Ok(Verdict {
                accepted: false,
                proof: Vec::new(),
                remaining: targets.to_vec(),
                new: Vec::new(),
                violations,
                findings: None,
            });
        }
        self.lay(proposal)?;
        let findings = self.check_knowing(Some(base)).await?;
        let new = unmatched(&findings.diagnostics, &base.diagnostics);
        let new: Vec<Diagnostic> = new.into_iter().filter(counts).collect();
        let remaining = remaining(targets, &base.diagnostics, &findings.diagnostics);
        Ok(Verdict {
            accepted: remaining.is_empty() && new.is_empty(),
            proof: findings.proof.clone(),
            remaining,
            new,
            violations,
            findings: Some(findings),
        })
    }

    /// Runs the project's tests on what lies in the scratch tree: all, or those whose names hold
    /// `filter`; for Python only those in `file` if given.
    pub async fn test(
        &self,
        file: Option<&Path>,
        filter: Option<&str>,
    ) -> Result<TestRun, CheckError> {
        match &self.subject {
            Subject::Rust(subject) => subject.test(&self.settings, &self.scratch, filter).await,
            Subject::Python(subject) => {
                subject.test(&self.settings, &self.scratch, file, filter).await
            }
            Subject::Command(_) => Err(CheckError::Tool {
                tool: "test".to_owned(),
                message: "a check command has no tests of its own; give a test command".to_owned(),
            }),
        }
    }

    /// Runs the user's own command line in the scratch tree. An error when there is nothing to
    /// run, or the shell cannot run it: that is no judgement.
    pub async fn shell(&self, line: &str) -> Result<(Output, Enforcement), CheckError> {
        refuse_blank(line)?;
        let folder = self.scratch.tree();
        let invocation = Invocation::shell(line, folder, self.settings.timeout);
        let (output, enforcement) = self.scratch.run(&self.settings, &invocation).await?;
        if output.code.is_some_and(|code| NOT_RUN.contains(&code)) {
            let said = output.text();
            let said = said.lines().map(str::trim).rfind(|line| !line.is_empty());
            let why = format!(
                "{}: {}; name a program that is installed, and a script of the project by its \
                 path and executable (git-ignored files are not in the copy it runs in)",
                output.exit(),
                said.unwrap_or("not found or not executable")
            );
            return Err(CheckError::Command { line: line.to_owned(), why });
        }
        Ok((output, enforcement))
    }
}

/// Exit codes of the shell for a program that is there but cannot be run, and one that is not
/// there: of `sh`, and of Windows.
const NOT_RUN: &[i32] = if cfg!(windows) { &[9009] } else { &[126, 127] };

/// An error for a command line without a command, which would pass as proof of anything.
pub(crate) fn refuse_blank(line: &str) -> Result<(), CheckError> {
    let is_nothing = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if line.lines().all(is_nothing) {
        return Err(CheckError::Command {
            line: line.to_owned(),
            why: "there is no command in it; name one that fails when something is wrong"
                .to_owned(),
        });
    }
    Ok(())
}

/// The folder to copy: the workspace, or the Cargo workspace around it.
fn root_of(workspace: &Workspace, document: &Document) -> PathBuf {
    let path = real(&document.path);
    let root = real(workspace.root());
    // A broken manifest is told once it is trusted and matters.
    if let Ok(rust::Subject::Package(project)) = rust::Subject::of(&path)
        && is_rust(document)
        && (root.starts_with(project.root()) || !path.starts_with(&root))
    {
        return project.root().to_owned();
    }
    if path.starts_with(&root) { root } else { path.parent().unwrap_or(&root).to_owned() }
}

fn is_rust(document: &Document) -> bool {
    Language::of_path(&document.path).is_some_and(|language| language.name() == "rust")
}

/// `path` with the links in its folder resolved; the file itself need not exist.
fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

fn subject(
    settings: &Settings,
    document: &Document,
    root: &Path,
    check: Option<&str>,
) -> Result<Subject, CheckError> {
    if let Some(line) = check {
        refuse_blank(line)?;
        return Ok(Subject::Command(line.to_owned()));
    }
    let path = real(&document.path);
    match Language::of_path(&path).map(Language::name) {
        Some("rust") => Ok(Subject::Rust(rust::Subject::of(&path)?)),
        Some("python") => Ok(Subject::Python(python::Subject::find(settings, &path, root)?)),
        _ => Err(CheckError::Tool {
            tool: "check".to_owned(),
            message: format!(
                "{}: Rust and Python are checked by their own tools, this kind of file is not; name \
                 a command that fails when something is wrong with --check",
                path.display()
            ),
        }),
    }
}

async fn open_scratch(settings: &Settings, root: &Path) -> Result<Scratch, CheckError> {
    let is_project = PROJECT_MARKS.iter().any(|mark| root.join(mark).exists());
    let extent = if is_project { Extent::Project } else { Extent::Folder };
    let (cache, root) = (settings.cache.clone(), root.to_owned());
    tokio::task::spawn_blocking(move || Scratch::open(&cache, &root, extent)).await.map_err(
        |error| CheckError::Tool { tool: "scratch tree".to_owned(), message: error.to_string() },
    )?
}

/// What tells two diagnostics apart when lines have moved.
type Key<'a> = (&'a Path, &'a str, &'a str, &'a str);

fn key(diagnostic: &Diagnostic) -> Key<'_> {
    (&diagnostic.path, &diagnostic.tool, &diagnostic.code, &diagnostic.message)
}

fn tally(diagnostics: &[Diagnostic]) -> HashMap<Key<'_>, usize> {
    let mut tally = HashMap::new();
    for diagnostic in diagnostics {
        *tally.entry(key(diagnostic)).or_insert(0) += 1;
    }
    tally
}

/// The diagnostics of `found` that `known` does not have, repetitions counted.
pub(crate) fn unmatched(found: &[Diagnostic], known: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut known = tally(known);
    found
        .iter()
        .filter(|diagnostic| match known.get_mut(&key(diagnostic)) {
            Some(count @ 1..) => {
                *count -= 1;
                false
            }
            _ => true,
        })
        .cloned()
        .collect()
}

/// The targets that `after` still has: of `n` alike before, as many are gone as `after` has fewer.
pub(crate) fn remaining(
    targets: &[Diagnostic],
    before: &[Diagnostic],
    after: &[Diagnostic],
) -> Vec<Diagnostic> {
    let (before, after) = (tally(before), tally(after));
    let mut gone: HashMap<Key<'_>, usize> = before
        .iter()
        .map(|(key, count)| (*key, count.saturating_sub(after.get(key).copied().unwrap_or(0))))
        .collect();
    targets
        .iter()
        .filter(|target| match gone.get_mut(&key(target)) {
            Some(count @ 1..) => {
                *count -= 1;
                false
            }
            _ => true,
        })
        .cloned()
        .collect()
}

/// Whether a new diagnostic speaks against a proposal: errors, and what type checkers say.
fn counts(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error || ["mypy", "pyright"].contains(&&*diagnostic.tool)
}
