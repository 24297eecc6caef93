//! Other programs that checks use when they are there.

use std::path::Path;
use std::time::Duration;

use crate::check::Settings;
use crate::check::command::{self, Invocation};

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
    let python = settings.python.clone().unwrap_or_else(|| "python3".into()).into_os_string();
    let python = &python;
    let on_path = |name: &'static str, mend: &'static str| async move {
        Tool {
            name,
            version: version(Invocation::new(name, root, PATIENCE).arg("--version")).await,
            mend,
        }
    };
    let (cargo, rustc, interpreter, pytest, ruff, mypy, pyright) = futures_util::join!(
        on_path("cargo", "Rust projects are checked with it; https://rustup.rs installs it"),
        on_path("rustc", "single Rust files are checked with it; https://rustup.rs installs it"),
        version(Invocation::new(python, root, PATIENCE).arg("--version")),
        version(Invocation::new(python, root, PATIENCE).args(["-m", "pytest", "--version"])),
        on_path("ruff", "Python names are checked with it; `pip install ruff`"),
        on_path("mypy", "Python types are checked with it; `pip install mypy`"),
        on_path("pyright", "Python types are checked with it; `pip install pyright`"),
    );
    let python = Tool {
        name: "python",
        version: interpreter.map(|version| format!("{version} ({})", Path::new(python).display())),
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
