//! Context and a token budget → pieces of a prompt. Pure; tokens are counted by a function that
//! comes in from outside. Only the engine turns markers into ids.

pub mod anchor;
mod bounded;
pub mod budget;
pub mod chat;
pub mod fim;
pub mod pace;
pub mod template;

use std::fmt;
use std::path::{Path, PathBuf};

/// Structure that only the engine can spell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Marker {
    /// Beginning of the text, where the model's family wants one.
    Start,
    /// Before the prefix.
    Prefix,
    /// Before the suffix.
    Suffix,
    /// Where the middle starts.
    Middle,
    /// Before the repository's name.
    Repository,
    /// Before a file's name.
    File,
}

/// A piece of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Structure.
    Marker(Marker),
    /// Untrusted text: it can never become a special token.
    Text(String),
    /// Text of a model's own chat template, in which special tokens are recognized.
    Control(String),
}

/// A rendered prompt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prompt {
    /// In order.
    pub pieces: Vec<Piece>,
    /// Texts that end the generation.
    pub stops: Vec<String>,
    /// What it cost and what was left out.
    pub trace: Trace,
}

/// How the budget was spent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    /// Tokens allowed.
    pub budget: usize,
    /// Tokens used, by kind of part, in prompt order: `("prefix", 210)`.
    pub used: Vec<(&'static str, usize)>,
    /// What was left out.
    pub dropped: Vec<LeftOut>,
    /// The parts of a fill-in-the-middle prompt, markers aside, in prompt order.
    pub parts: Vec<Shown>,
}

impl Trace {
    /// Tokens used, all together.
    pub fn tokens(&self) -> usize {
        self.used.iter().map(|(_, tokens)| tokens).sum()
    }

    fn spend(&mut self, kind: &'static str, tokens: usize) {
        match self.used.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, sum)) => *sum += tokens,
            None => self.used.push((kind, tokens)),
        }
    }
}

/// A part of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// What it is: `repository`, `imported`, `enclosing type`, `ranked`, `recent`, `path`,
    /// `prefix`, `suffix` or `typed`.
    pub kind: &'static str,
    /// The file it is from, relative to the workspace.
    pub path: PathBuf,
    /// The first line of what it was made of, from 1; 0 where it is no part of a file.
    pub start_line: u32,
    /// The last line.
    pub end_line: u32,
    /// What it costs.
    pub tokens: usize,
    /// Why it is here.
    pub reason: String,
    /// As it stands in the prompt.
    pub text: String,
}

/// Something that a prompt might have held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// What it is, as in [`Shown::kind`], or `related`.
    pub kind: &'static str,
    /// The file it is from, relative to the workspace.
    pub path: PathBuf,
    /// Its first line, from 1; 0 where it is no part of a file.
    pub start_line: u32,
    /// Its last line.
    pub end_line: u32,
    /// What it would have cost; `None` for a text too long to count on the way to an answer.
    pub tokens: Option<usize>,
    /// Why it is left out.
    pub cause: String,
}

/// `prefix src/cart.rs:1-12 (88 tokens): no room`.
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if !self.path.as_os_str().is_empty() {
            write!(f, " {}", display(&self.path))?;
        }
        if self.start_line > 0 {
            write!(f, ":{}-{}", self.start_line, self.end_line)?;
        }
        if let Some(tokens) = self.tokens {
            write!(f, " ({tokens} tokens)")?;
        }
        write!(f, ": {}", self.cause)
    }
}

/// A relative path with `/`.
fn display(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Why a prompt could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// A template has a fault or a placeholder nothing fills.
    #[error("template {name}: {message}")]
    Template {
        /// Which template (a file name, or `chat template of <model>`).
        name: String,
        /// What is wrong, with the line where known.
        message: String,
    },
}

/// Counts tokens.
pub type Count<'a> = &'a dyn Fn(&str) -> usize;
