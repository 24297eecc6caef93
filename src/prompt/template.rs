//! Task prompts: `prompts/*.md`, embedded, each replaceable by the user's file of the same name.

use std::collections::BTreeMap;

use super::{PromptError, chat::Message};

/// The task prompts in force.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    overrides: BTreeMap<String, String>,
}

impl Templates {
    /// The embedded prompts, with `overrides` (name without `.md` → text) in their place. A name
    /// that does not exist or a fault in a text is an error that names it.
    pub fn new(overrides: BTreeMap<String, String>) -> Result<Self, PromptError> {
        let _ = overrides;
        unimplemented!()
    }

    /// The messages of task prompt `name` with `values` for its placeholders.
    pub fn render(
        &self,
        name: &str,
        values: &BTreeMap<&str, String>,
    ) -> Result<Vec<Message>, PromptError> {
        let _ = (name, values, &self.overrides);
        unimplemented!()
    }
}
