//! Context and a token budget → pieces of a prompt. Pure; tokens are counted by a function that
//! comes in from outside. Only the engine turns markers into ids.

pub mod budget;
pub mod chat;
pub mod fim;
pub mod template;

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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Tokens used, by part, in prompt order: `("prefix", 210)`.
    pub used: Vec<(&'static str, usize)>,
    /// What was left out, in words: `related src/cart.rs (88 tokens)`.
    pub dropped: Vec<String>,
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
