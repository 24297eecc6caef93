//! What is asked of the engine.

/// Structure spelled by the model's own special tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Marker {
    /// Beginning of text, where the model's metadata asks for one; otherwise nothing.
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
    /// A special token by its meaning.
    Marker(Marker),
    /// Untrusted text: never becomes a special token.
    Text(String),
    /// Text in which the spellings of special tokens are recognized (chat templates).
    Control(String),
}

/// How tokens are chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// 0 is greedy.
    pub temperature: f32,
    /// Keep the k likeliest; 0 keeps all.
    pub top_k: usize,
    /// Keep the smallest set with this much probability; 1 keeps all.
    pub top_p: f32,
    /// Drop tokens less likely than this fraction of the likeliest; 0 keeps all.
    pub min_p: f32,
    /// Divides the logits of recent tokens; 1 does nothing.
    pub repetition_penalty: f32,
    /// How many recent tokens the penalty sees.
    pub repetition_window: usize,
    /// Same seed, same request, same answer on one machine; only where two tokens are as good as
    /// equally likely can rounding, which depends on what was cached and batched, tell them apart.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            repetition_window: 64,
            seed: 0,
        }
    }
}

/// Who waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Priority {
    /// Work that may take a while: it gives way after every step.
    Background,
    /// A person waits at the cursor; pre-empts background work.
    #[default]
    Interactive,
}

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The prompt.
    pub pieces: Vec<Piece>,
    /// How many candidates to sample on this prompt (0 counts as 1; at most 64). The first is greedy when
    /// `sampling.temperature` is 0; the others then use temperature 0.6.
    pub candidates: usize,
    /// Longest answer in tokens, per candidate; 0 only evaluates the prompt, for later.
    pub max_tokens: usize,
    /// Texts that end an answer; they are not part of it.
    pub stops: Vec<String>,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Token healing: where the text before the cursor (that after the last [`Marker::Prefix`], or
    /// the end of a plain prompt) ends in what some longer token starts with, the engine takes its
    /// last tokens back and has the answer spell them again before it goes on. The prompt is to be
    /// given whole; the answer's text never contains what was there already.
    pub heal: bool,
    /// Who waits.
    pub priority: Priority,
}
