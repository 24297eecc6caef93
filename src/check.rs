//! Judges: syntax, compiler, types, tests; the scratch tree and the sandbox they run in.

pub mod command;
pub mod guard;
pub mod judge;
pub mod python;
pub mod rust;
pub mod sandbox;
pub mod scratch;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::text::Span;
use sandbox::Enforcement;

/// What a check proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// It parses.
    Syntax,
    /// It compiles.
    Compile,
    /// A type checker accepts it.
    Types,
    /// Tests pass.
    Tests,
}

impl Level {
    /// Its name in JSON: `syntax`, `compile`, `types`, `tests`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Compile => "compile",
            Self::Types => "types",
            Self::Tests => "tests",
        }
    }
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The level it reaches.
    pub level: Level,
    /// The tool: `cargo`, `py_compile`, `tree-sitter`.
    pub tool: String,
    /// The command as run, or empty for what ran inside.
    pub command: String,
    /// What came out, one line: `passed`, `0 errors`, `3 passed`.
    pub result: String,
}

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Warning,
    /// It does not build.
    Error,
}

/// A diagnostic of some tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, absolute, in the user's tree (not the scratch tree).
    pub path: PathBuf,
    /// Where, in bytes of the file's text as checked.
    pub span: Span,
    /// One-based line, for messages.
    pub line: u32,
    /// How bad.
    pub severity: Severity,
    /// `E0308`, `F821`, or empty.
    pub code: String,
    /// What it says, first line.
    pub message: String,
    /// The tool.
    pub tool: String,
    /// Alternatives the tool itself proposes: each a set of edits in this file or others.
    pub suggestions: Vec<Suggestion>,
}

/// A repair that a tool proposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// What it says.
    pub message: String,
    /// Whether the tool calls it machine-applicable (or safe).
    pub machine_applicable: bool,
    /// Edits by file (absolute, user's tree), each ascending and disjoint.
    pub edits: Vec<(PathBuf, Vec<crate::text::TextEdit>)>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The diagnostics, in the tool's order.
    pub diagnostics: Vec<Diagnostic>,
    /// What was run and what came out.
    pub proof: Vec<Proof>,
    /// How far the sandbox held.
    pub enforcement: Enforcement,
}

impl Findings {
    /// The errors in the file at `path`.
    pub fn errors_in<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = &'a Diagnostic> {
        self.diagnostics.iter().filter(move |diagnostic| {
            diagnostic.severity == Severity::Error && diagnostic.path == path
        })
    }
}

/// What a run of tests came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRun {
    /// The command as run.
    pub command: String,
    /// Whether it ended well.
    pub success: bool,
    /// Names of the tests that passed, where the tool names them.
    pub passed: Vec<String>,
    /// Names of the tests that failed.
    pub failed: Vec<String>,
    /// What it printed.
    pub output: String,
    /// How far the sandbox held.
    pub enforcement: Enforcement,
}

/// How checks run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The `agent` program, which re-executes itself as the sandbox.
    pub agent: PathBuf,
    /// Python to use instead of the one found.
    pub python: Option<PathBuf>,
    /// Longest time one command may take.
    pub timeout: Duration,
    /// Where scratch trees and their build folders live.
    pub cache: PathBuf,
    /// Whether project code may be executed: an explicit command or a trusted workspace.
    pub trusted: bool,
}

/// Says what is going on, for progress bars.
pub type Report = Arc<dyn Fn(&str) + Send + Sync>;

/// What moves the cache folder.
const CACHE_MEND: &str = if cfg!(windows) {
    "make it writable"
} else {
    "make it writable, or set the environment variable XDG_CACHE_HOME to a folder that is"
};

/// Why a check could not be run (a check that ran and failed is no error).
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Project code may not be executed here.
    #[error("{}: not trusted, so nothing of it is executed; run `agent trust {}`", path.display(), path.display())]
    Untrusted {
        /// The workspace.
        path: PathBuf,
    },
    /// A program is missing.
    #[error("{program}: not found; {mend}")]
    Missing {
        /// The program.
        program: String,
        /// What to do.
        mend: String,
    },
    /// The user's own command cannot be run.
    #[error("`{line}` cannot be run: {why}")]
    Command {
        /// The command line.
        line: String,
        /// Why, and what to do.
        why: String,
    },
    /// A command took too long and was ended.
    #[error("{command}: ended after {seconds} s; raise check.timeout_seconds if it needs longer")]
    Timeout {
        /// The command.
        command: String,
        /// The limit.
        seconds: u64,
    },
    /// The folder that scratch copies lie in cannot be written to.
    #[error("the cache folder {} cannot be written to: {source}; {CACHE_MEND}", path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file or process could not be used.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A tool answered something else than expected.
    #[error("{tool}: {message}")]
    Tool {
        /// The tool.
        tool: String,
        /// What came.
        message: String,
    },
}
