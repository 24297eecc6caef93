//! Canned answers, for tests of everything above the engine.

use std::time::Duration;

/// What the scripted engine answers.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// The first rule whose `when` occurs in the prompt's text answers; none: empty answers.
    pub rules: Vec<Rule>,
    /// Time per token (word), to test cancellation.
    pub delay: Duration,
    /// Whether the model says it can fill in the middle (as the Qwen family).
    pub fim: bool,
    /// Its chat template.
    pub chat_template: Option<String>,
}

/// One canned answer.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Must occur in the prompt's text (markers are spelled `<PREFIX>`, `<SUFFIX>`, …); empty
    /// matches always.
    pub when: String,
    /// Candidate `i` gets answer `i`, the last one for all further.
    pub answers: Vec<String>,
}
