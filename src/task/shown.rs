//! Whether a model may be shown a document.

use std::path::PathBuf;

use super::{TaskError, Tools};
use crate::document::Document;
use crate::workspace::secret;

/// The path that a model is shown `document` under: relative to the workspace, outside of it the
/// file's name. [`TaskError::Hidden`] says why no model may be shown it: its name or its text says
/// that it holds secrets, or the user excludes it. Reads all of the text.
pub fn check(tools: &Tools, document: &Document) -> Result<PathBuf, TaskError> {
    let relative = tools.workspace.relative(&document.path);
    let path = relative.unwrap_or_else(|| {
        document.path.file_name().map_or_else(|| PathBuf::from("file"), PathBuf::from)
    });
    let why = if secret::is_secret_path(&path) {
        "may hold secrets".to_owned()
    } else if let Some(pattern) = tools.workspace.exclusions().of(&path) {
        format!("excluded by `{pattern}` (option `exclude`)")
    } else if secret::holds_secret(&document.text) {
        "its text holds what looks like a secret (a private key, token or password)".to_owned()
    } else {
        return Ok(path);
    };
    Err(TaskError::Hidden(format!("{}: {why}, so no model is shown it", document.path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, scripted::Script};
    use crate::prompt::fim::{FimFormat, Style};
    use crate::task::{complete, summary, tests::tools};

    #[tokio::test]
    async fn a_document_that_holds_a_secret_is_shown_to_no_model() {
        let tools = tools(Engine::scripted(Script::default()));
        let document = |text: String| Document::new("keys.py".into(), None, 0, text);
        let secret = document(format!("KEY = 'ghp_{}'\ndef f():\n    pass\n", "a1B2".repeat(9)));
        let plain = document("KEY = 1\ndef f():\n    pass\n".to_owned());
        assert!(check(&tools, &plain).is_ok());
        let said = "keys.py: its text holds what looks like a secret";
        let refused = |error: TaskError| assert!(error.to_string().starts_with(said), "{error}");
        refused(check(&tools, &secret).unwrap_err());
        let (end, options) = (secret.text.len(), complete::Options::default());
        let style = Style { format: FimFormat::Qwen, repository_level: false };
        let prompt = complete::prepare_as(&tools, &secret, end, &options, (style, 4096), None);
        refused(prompt.unwrap_err());
        let item = secret.items().last().unwrap().clone();
        refused(summary::guessed(&tools, &secret, &item, "").await.unwrap_err());
    }
}
