//! `cargo check`, `rustc`, `cargo test`: diagnostics and proofs for Rust.

mod messages;
mod project;

use std::path::{Path, PathBuf};

use super::command::{Invocation, Output};
use super::sandbox::Enforcement;
use super::scratch::Scratch;
use super::{CheckError, Diagnostic, Findings, Level, Proof, Settings, Severity, TestRun};

pub use project::Project;

/// How a Rust file is checked.
#[derive(Debug, Clone)]
pub enum Subject {
    /// As part of a Cargo package.
    Package(Project),
    /// On its own, by `rustc`.
    File(PathBuf),
}

impl Subject {
    /// How the file at `path` (absolute) is checked; errors as of [`Project::of`].
    pub fn of(path: &Path) -> Result<Self, CheckError> {
        let project = Project::of(path)?;
        Ok(project.map_or_else(|| Self::File(path.to_owned()), Self::Package))
    }

    /// Compiles what stands in `scratch` without running it (build scripts and macros do run).
    /// `text` is the text of the file at `path` as it stands there.
    pub async fn check(
        &self,
        settings: &Settings,
        scratch: &Scratch,
        path: &Path,
        text: &str,
    ) -> Result<Findings, CheckError> {
        match self {
            Self::Package(project) => check_package(settings, scratch, project, path).await,
            Self::File(file) => check_file(settings, scratch, file, text).await,
        }
    }

    /// Runs the tests of the package, or of the file, whose names contain `filter`.
    pub async fn test(
        &self,
        settings: &Settings,
        scratch: &Scratch,
        filter: Option<&str>,
    ) -> Result<TestRun, CheckError> {
        match self {
            Self::Package(project) => {
                let mut invocation = cargo(settings, scratch, project, "test")?
                    .args(["--no-fail-fast"])
                    .args(project.target_flags());
                if let Some(filter) = filter {
                    invocation = invocation.args(["--", filter]);
                }
                let (output, enforcement) = scratch.run(settings, &invocation).await?;
                Ok(test_run(&invocation, &output, enforcement))
            }
            Self::File(file) => test_file(settings, scratch, file, filter).await,
        }
    }
}

async fn check_package(
    settings: &Settings,
    scratch: &Scratch,
    project: &Project,
    path: &Path,
) -> Result<Findings, CheckError> {
    let invocation = cargo(settings, scratch, project, "check")?
        .args(["--message-format=json"])
        .args(project.target_flags());
    let (output, enforcement) = scratch.run(settings, &invocation).await?;
    let folder = scratch.placed(project.root())?;
    let diagnostics = messages::of_cargo(&output.stdout, scratch, &folder);
    let errors = errors(&diagnostics);
    if !output.success() && errors == 0 {
        return Err(cargo_failed(&output));
    }
    if errors == 0 && !project::is_compiled(&scratch.target(), &folder, &scratch.placed(path)?) {
        return Err(CheckError::Tool {
            tool: "cargo check".to_owned(),
            message: format!(
                "{} is not part of package {}: no target and no `mod` names it, so the compiler \
                 never sees it",
                path.display(),
                project.package()
            ),
        });
    }
    let command = invocation.display().replace(" --message-format=json", "");
    Ok(findings(diagnostics, "cargo", command, enforcement))
}

/// A Cargo command for the project's package, in the copy.
fn cargo(
    settings: &Settings,
    scratch: &Scratch,
    project: &Project,
    subcommand: &str,
) -> Result<Invocation, CheckError> {
    for folder in project.outside_folders() {
        scratch.link_outside(&folder)?;
    }
    let folder = scratch.placed(project.root())?;
    // Quiet tests are dots without names.
    let quiet = (subcommand != "test").then_some("--quiet");
    Ok(Invocation::new("cargo", &folder, settings.timeout)
        .args([subcommand, "--offline"])
        .args(quiet)
        .args(["--package", project.package()]))
}

/// What Cargo said when it failed before any compiler ran, and what helps.
fn cargo_failed(output: &Output) -> CheckError {
    let said: Vec<&str> = output.stderr.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let has = |what: &str| output.stderr.contains(what);
    let mend = if has("--offline") || has("offline was specified") || has("failed to download") {
        "; checks run offline: run `cargo fetch` once"
    } else if has("custom build command") {
        "; build scripts run without network and may write to their own folder only"
    } else if has("is not installed") {
        "; install that toolchain with rustup, checks download nothing"
    } else {
        ""
    };
    let said = said.iter().take(6).copied().collect::<Vec<_>>().join("; ");
    let said = if said.is_empty() { output.exit() } else { said };
    CheckError::Tool { tool: "cargo".to_owned(), message: format!("{said}{mend}") }
}

async fn check_file(
    settings: &Settings,
    scratch: &Scratch,
    file: &Path,
    text: &str,
) -> Result<Findings, CheckError> {
    let plain = rustc(settings, scratch, file, text)?.arg("--emit=metadata");
    let (output, mut enforcement) = scratch.run(settings, &plain).await?;
    let mut diagnostics = messages::of_rustc(&output.stderr, scratch);
    refuse_silence(&output, &diagnostics)?;
    if has_tests(text) {
        let tests = rustc(settings, scratch, file, text)?.args(["--emit=metadata", "--test"]);
        let (output, second) = scratch.run(settings, &tests).await?;
        let more = messages::of_rustc(&output.stderr, scratch);
        refuse_silence(&output, &more)?;
        messages::merge(&mut diagnostics, more);
        enforcement = enforcement.and(second);
    }
    let command = format!("rustc --edition 2024 --emit=metadata {}", name(file));
    Ok(findings(diagnostics, "rustc", command, enforcement))
}

/// `rustc` for one file, as a program if it has a `main`, in the copy.
fn rustc(
    settings: &Settings,
    scratch: &Scratch,
    file: &Path,
    text: &str,
) -> Result<Invocation, CheckError> {
    let inner = scratch.placed(file)?;
    let folder = inner.parent().unwrap_or(scratch.tree()).to_owned();
    let kind = if text.contains("fn main(") { "bin" } else { "lib" };
    Ok(Invocation::new("rustc", &folder, settings.timeout)
        .args(["--edition", "2024", "--crate-type", kind, "--crate-name", "file"])
        .args(["--error-format=json", "--out-dir"])
        .arg(scratch.target())
        .arg(inner))
}

async fn test_file(
    settings: &Settings,
    scratch: &Scratch,
    file: &Path,
    filter: Option<&str>,
) -> Result<TestRun, CheckError> {
    let text = scratch.read(file)?;
    let build = rustc(settings, scratch, file, &text)?.arg("--test");
    let (output, _) = scratch.run(settings, &build).await?;
    let found = messages::of_rustc(&output.stderr, scratch);
    refuse_silence(&output, &found)?;
    if let Some(error) = found.iter().find(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(CheckError::Tool {
            tool: "rustc --test".to_owned(),
            message: format!("{}:{}: {}", name(file), error.line, error.message),
        });
    }
    let program = scratch.target().join(format!("file{}", std::env::consts::EXE_SUFFIX));
    let invocation = Invocation::new(program, scratch.tree(), settings.timeout)
        .args(filter.map(std::ffi::OsString::from));
    let (output, enforcement) = scratch.run(settings, &invocation).await?;
    let mut run = test_run(&invocation, &output, enforcement);
    run.command = format!("rustc --edition 2024 --test {}", name(file));
    Ok(run)
}

/// A compiler that fails without a diagnostic is broken, not a judge.
fn refuse_silence(output: &Output, diagnostics: &[Diagnostic]) -> Result<(), CheckError> {
    if output.success() || errors(diagnostics) > 0 {
        return Ok(());
    }
    let said = output.stderr.lines().next().unwrap_or_default();
    Err(CheckError::Tool {
        tool: "rustc".to_owned(),
        message: format!("{}: {said}", output.exit()),
    })
}

fn has_tests(text: &str) -> bool {
    text.contains("#[test]") || text.contains("#[cfg(test)]")
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn errors(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
}

fn findings(
    diagnostics: Vec<Diagnostic>,
    tool: &str,
    command: String,
    enforcement: Enforcement,
) -> Findings {
    let errors = errors(&diagnostics);
    let result = format!("{errors} error{}", if errors == 1 { "" } else { "s" });
    let proof = vec![Proof { level: Level::Compile, tool: tool.to_owned(), command, result }];
    Findings { diagnostics, proof, enforcement }
}

/// Reads what the standard test harness prints.
fn test_run(invocation: &Invocation, output: &Output, enforcement: Enforcement) -> TestRun {
    let mut run = TestRun {
        command: invocation.display(),
        success: output.success(),
        passed: Vec::new(),
        failed: Vec::new(),
        output: output.text(),
        enforcement,
    };
    for line in output.stdout.lines() {
        let Some((name, result)) =
            line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... "))
        else {
            continue;
        };
        let name = name.trim_end_matches(" - should panic").to_owned();
        match result {
            "ok" => run.passed.push(name),
            "FAILED" => run.failed.push(name),
            _ => {}
        }
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_results_are_read_by_name() {
        let output = Output {
            code: Some(101),
            stdout: "running 3 tests\ntest a::ok ... ok\ntest boom - should panic ... ok\n\
                     test bad ... FAILED\ntest later ... ignored\n"
                .to_owned(),
            ..Output::default()
        };
        let invocation =
            Invocation::new("cargo", Path::new("/"), std::time::Duration::from_secs(1)).arg("test");
        let run = test_run(&invocation, &output, Enforcement::Full);
        assert_eq!(run.passed, ["a::ok", "boom"]);
        assert_eq!(run.failed, ["bad"]);
        assert!(!run.success);
        assert_eq!(run.command, "cargo test");
    }

    #[test]
    fn a_failure_of_cargo_itself_says_what_helps() {
        let output = Output {
            code: Some(101),
            stderr: "error: no matching package named `serde` found\nlocation searched: \
                     registry\nAs a reminder, you're using offline mode (--offline) which\n"
                .to_owned(),
            ..Output::default()
        };
        let message = cargo_failed(&output).to_string();
        assert!(message.starts_with("cargo: error: no matching package named `serde` found"));
        assert!(message.ends_with("run `cargo fetch` once"), "{message}");
    }
}
