//! Other programs that checks use when they are there.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::check::Settings;
use crate::check::command::{self, Invocation};
use crate::check::python::Subject;

/// How long a program may take to tell its version.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// One program.
pub(super) struct Tool {
    /// What it is called.
    pub(super) name: &'static str,
    /// What it says when asked; `None` if it is not there.
    pub(super) version: Option<String>,
    /// What it would be good for and how to get it.
    pub(super) mend: &'static str,
}

/// Asks every program for its version.
pub(super) async fn find(settings: &Settings, root: &Path) -> Vec<Tool> {
    // A file that need not exist: what matters is the folder.
    let subject = Subject::find(settings, &root.join("module.py"), root).ok();
    let python = subject.as_ref().map_or(Path::new("python3"), Subject::interpreter);
    let ask =
        |program: OsString| version(Invocation::new(program, root, PATIENCE).arg("--version"));
    let on_path = |name: &'static str, mend: &'static str| async move {
        Tool { name, version: ask(name.into()).await, mend }
    };
    let beside_python = |name: &'static str, mend: &'static str| async move {
        let beside = python.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        let program = if beside.is_file() { beside.into_os_string() } else { name.into() };
        Tool { name, version: ask(program).await, mend }
    };
    let (cargo, rustc, interpreter, pytest, ruff, mypy, pyright) = futures_util::join!(
        on_path("cargo", "Rust projects are checked with it; https://rustup.rs installs it"),
        on_path("rustc", "single Rust files are checked with it; https://rustup.rs installs it"),
        ask(python.into()),
        version(Invocation::new(python, root, PATIENCE).args(["-m", "pytest", "--version"])),
        beside_python("ruff", "Python names are checked with it; `pip install ruff`"),
        beside_python("mypy", "Python types are checked with it; `pip install mypy`"),
        beside_python("pyright", "Python types are checked with it; `pip install pyright`"),
    );
    let python = Tool {
        name: "python",
        version: interpreter.map(|version| format!("{version} ({})", python.display())),
        mend: "Python files are checked and tested with it; install Python 3 or set check.python",
    };
    let pytest = Tool {
        name: "pytest",
        version: pytest,
        mend: "Python tests are run with it where there, else with unittest; `pip install pytest`",
    };
    vec![cargo, rustc, python, pytest, ruff, mypy, pyright]
}

/// The first line of what a program says.
async fn version(invocation: Invocation) -> Option<String> {
    let output = command::run(&invocation).await.ok().filter(command::Output::success)?;
    let line = output.stdout.lines().chain(output.stderr.lines()).next()?.trim().to_owned();
    Some(line)
}
