//! `py_compile`, ruff, mypy, pyright, pytest: diagnostics and proofs for Python.
//!
//! The interpreter's compiler proves the syntax and nothing more; the other tools run when they
//! are installed. A type checker's findings count as errors only where the project configures that
//! checker: elsewhere they are warnings.

mod find;
mod report;

use std::path::{Path, PathBuf};

use super::command::{Invocation, Output};
use super::sandbox::Enforcement;
use super::scratch::Scratch;
use super::{CheckError, Findings, Level, Proof, Settings, Severity, TestRun};

use find::Tool;

/// Compiles a file as the interpreter would and prints what came of it as one line of JSON. It
/// always prints one: a missing report is no sound file.
const COMPILE: &str = r"
import json, sys
path = sys.argv[1]
report = None
try:
    with open(path, 'rb') as file:
        compile(file.read(), path, 'exec', dont_inherit=True)
except (SyntaxError, ValueError) as error:
    message = str(getattr(error, 'msg', None) or error)
    report = {
        'message': message.encode('utf-8', 'replace').decode(), 'kind': type(error).__name__,
        'line': getattr(error, 'lineno', None), 'column': getattr(error, 'offset', None),
        'end_line': getattr(error, 'end_lineno', None),
        'end_column': getattr(error, 'end_offset', None)}
print(json.dumps({'error': report}))
";

/// The Python that a file belongs to, and the tools installed beside it.
#[derive(Debug, Clone)]
pub struct Subject {
    interpreter: PathBuf,
    ruff: Option<Tool>,
    types: Option<Tool>,
}

impl Subject {
    /// The interpreter for the file at `path` in the workspace at `root`: the configured one, that
    /// of the active virtual environment, of `.venv` or `venv` upwards from the file, or the
    /// first in `PATH`; ruff, and mypy or pyright (the one that the project configures, else the
    /// first that is there), from the same environment or `PATH`.
    pub fn find(settings: &Settings, path: &Path, root: &Path) -> Result<Self, CheckError> {
        let interpreter = find::interpreter(settings.python.as_deref(), path, root)?;
        let tool = |name| find::tool(name, &interpreter, root);
        let types = [tool("mypy"), tool("pyright")]
            .into_iter()
            .flatten()
            .max_by_key(|tool| (tool.configured, tool.name == "mypy"));
        Ok(Self { ruff: tool("ruff"), types, interpreter })
    }

    /// The interpreter.
    pub fn interpreter(&self) -> &Path {
        &self.interpreter
    }

    /// Checks the file at `path` (absolute, the user's) as it stands in `scratch`, where its text
    /// is `text`: the syntax first, names only if that is sound. `known`: what an earlier check
    /// found; then what it knows of types stands in as long as names are wrong, since type
    /// checkers are slow.
    pub async fn check(
        &self,
        settings: &Settings,
        scratch: &Scratch,
        path: &Path,
        text: &str,
        known: Option<&Findings>,
    ) -> Result<Findings, CheckError> {
        let file = report::File::new(path, text);
        let mut findings = self.compile(settings, scratch, &file).await?;
        let sound = findings.errors_in(path).next().is_none();
        if let (true, Some(ruff)) = (sound, &self.ruff) {
            self.run_tool(ruff, settings, scratch, &file, known, &mut findings).await?;
        }
        let wrong = findings.errors_in(path).next().is_some();
        match (known, &self.types) {
            (Some(known), Some(types)) if wrong => {
                let known = known.diagnostics.iter().filter(|found| found.tool == types.name);
                findings.diagnostics.extend(known.cloned());
            }
            (_, Some(types)) if sound => {
                self.run_tool(types, settings, scratch, &file, known, &mut findings).await?;
            }
            _ => {}
        }
        Ok(findings)
    }

    async fn compile(
        &self,
        settings: &Settings,
        scratch: &Scratch,
        file: &report::File<'_>,
    ) -> Result<Findings, CheckError> {
        let inner = scratch.placed(file.path)?;
        let invocation = Invocation::new(&self.interpreter, scratch.tree(), settings.timeout)
            .args(["-I", "-c", COMPILE])
            .arg(inner);
        let (output, enforcement) = scratch.run(settings, &invocation).await?;
        if !output.success() {
            let said = output.stderr.lines().last().unwrap_or_default();
            return Err(CheckError::Tool {
                tool: self.interpreter.display().to_string(),
                message: format!("{}: {said}", output.exit()),
            });
        }
        let error = file.of_compiler(&output.stdout).map_err(|why| CheckError::Tool {
            tool: self.interpreter.display().to_string(),
            message: format!("{}: {}: {why}", file.name(), output.exit()),
        })?;
        let diagnostics: Vec<_> = error.into_iter().collect();
        let result = if diagnostics.is_empty() { "syntax is valid" } else { "1 error" };
        let proof = vec![Proof {
            level: Level::Syntax,
            tool: "py_compile".to_owned(),
            command: format!("python -m py_compile {}", file.name()),
            result: result.to_owned(),
        }];
        Ok(Findings { diagnostics, proof, enforcement })
    }

    async fn run_tool(
        &self,
        tool: &Tool,
        settings: &Settings,
        scratch: &Scratch,
        file: &report::File<'_>,
        known: Option<&Findings>,
        findings: &mut Findings,
    ) -> Result<(), CheckError> {
        let inner = scratch.placed(file.path)?;
        let invocation = Invocation::new(&tool.path, scratch.tree(), settings.timeout);
        let invocation = match tool.name {
            "ruff" => invocation.args(["check", "--no-cache", "--output-format", "json"]),
            "mypy" => invocation
                .args(["--output", "json", "--show-error-end", "--python-executable"])
                .arg(&self.interpreter),
            _ => invocation.args(["--outputjson", "--pythonpath"]).arg(&self.interpreter),
        };
        let mut invocation = invocation.arg(inner).env("PYTHONPATH", python_path(scratch));
        if let Some(home) = std::env::home_dir() {
            // The wrapper from PyPI looks for its downloaded program below the cache folder.
            let cache = home.join(".cache/pyright-python");
            invocation = invocation.env("PYRIGHT_PYTHON_CACHE_DIR", cache);
        }
        let (output, enforcement) = scratch.run(settings, &invocation).await?;
        let found = match tool.name {
            "ruff" => file.of_ruff(&output),
            "mypy" => file.of_mypy(&output, scratch),
            _ => file.of_pyright(&output, scratch),
        };
        let refused = |why: &str| CheckError::Tool {
            tool: tool.name.to_owned(),
            message: format!("{}: {why}: {}", output.exit(), first_line(&output)),
        };
        let found = found.map_err(refused)?;
        let command = match tool.name {
            "ruff" => format!("ruff check {}", file.name()),
            name => format!("{name} {}", file.name()),
        };
        let level = if tool.name == "ruff" { Level::Syntax } else { Level::Types };
        let (tool_name, configured) = (tool.name.to_owned(), tool.configured);
        // A tool that does not work here judges nothing, and the proof says so; one that worked
        // before, or that the project relies on, must not fall silent.
        let Some(mut found) = found else {
            let worked =
                |proof: &Proof| proof.tool == tool.name && !proof.result.starts_with(UNUSABLE);
            if known.is_some_and(|known| known.proof.iter().any(worked)) {
                return Err(refused("gave no report on the changed file"));
            }
            if configured {
                return Err(refused(
                    "gave no report, though the project configures it; mend it, or name another \
                     command with --check",
                ));
            }
            let result = format!("{UNUSABLE}: {}", first_line(&output));
            findings.proof.push(Proof { level, tool: tool_name, command, result });
            return Ok(());
        };
        if level == Level::Types && !configured {
            for diagnostic in &mut found {
                diagnostic.severity = Severity::Warning;
            }
        }
        let errors = found.iter().filter(|d| d.severity == Severity::Error).count();
        let warnings = found.len() - errors;
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let result =
            format!("{errors} error{}, {warnings} warning{}", plural(errors), plural(warnings));
        findings.proof.push(Proof { level, tool: tool_name, command, result });
        findings.diagnostics.extend(found);
        findings.enforcement = findings.enforcement.clone().and(enforcement);
        Ok(())
    }

    /// Runs the tests in `file` (all of the project's when `None`) whose names match `filter`:
    /// with pytest where it is installed, else with unittest.
    pub async fn test(
        &self,
        settings: &Settings,
        scratch: &Scratch,
        file: Option<&Path>,
        filter: Option<&str>,
    ) -> Result<TestRun, CheckError> {
        let python = Invocation::new(&self.interpreter, scratch.tree(), settings.timeout);
        let probe = python.clone().args(["-c", "import pytest"]);
        let (probe, _) = self.run_python(settings, scratch, &probe).await?;
        let pytest = probe.success();
        let mut invocation = if pytest {
            python.args(["-m", "pytest", "-p", "no:cacheprovider", "--color=no", "-q", "-rA"])
        } else {
            python.args(["-m", "unittest", "-v"])
        };
        if let Some(filter) = filter {
            invocation = invocation.args(["-k", filter]);
        }
        if let Some(file) = file {
            let inner = scratch.placed(file)?;
            let relative = inner.strip_prefix(scratch.tree()).unwrap_or(&inner).to_owned();
            invocation = invocation.arg(relative);
        } else if !pytest {
            invocation = invocation.arg("discover");
        }
        let (output, enforcement) = self.run_python(settings, scratch, &invocation).await?;
        let (passed, failed) = if pytest {
            report::pytest_results(&output.stdout)
        } else {
            report::unittest_results(&output.stderr)
        };
        Ok(TestRun {
            command: invocation.display(),
            success: output.success(),
            passed,
            failed,
            output: output.text(),
            enforcement,
        })
    }

    /// Runs `invocation` with the copy's modules found before installed ones (an editable install
    /// points to the user's files).
    pub async fn run_python(
        &self,
        settings: &Settings,
        scratch: &Scratch,
        invocation: &Invocation,
    ) -> Result<(Output, Enforcement), CheckError> {
        let invocation = invocation.clone().env("PYTHONPATH", python_path(scratch));
        scratch.run(settings, &invocation).await
    }
}

/// How the proof begins of a tool that does not work.
const UNUSABLE: &str = "not usable here";

/// The first line of what a tool said that is not blank.
fn first_line(output: &Output) -> String {
    let said = output.text();
    said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

fn python_path(scratch: &Scratch) -> std::ffi::OsString {
    let source = scratch.tree().join("src");
    let folders = [source.is_dir().then_some(source), Some(scratch.tree().to_owned())];
    let inherited = std::env::var_os("PYTHONPATH").unwrap_or_default();
    let inherited = std::env::split_paths(&inherited).filter(|path| !path.as_os_str().is_empty());
    std::env::join_paths(folders.into_iter().flatten().chain(inherited)).unwrap_or_default()
}
