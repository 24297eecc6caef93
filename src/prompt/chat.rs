//! Messages → the model's own chat format, from the template in its GGUF metadata.

use super::{Piece, PromptError};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The task's rules.
    System,
    /// The request.
    User,
    /// The model.
    Assistant,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who.
    pub role: Role,
    /// What.
    pub content: String,
}

/// Renders `messages` with `template` and the prompt for an answer. The contents are put in as
/// placeholders first, so that nothing in them can become a special token.
pub fn render(
    template: &str,
    messages: &[Message],
    bos: &str,
    eos: &str,
) -> Result<Vec<Piece>, PromptError> {
    let _ = (template, messages, bos, eos);
    unimplemented!()
}
