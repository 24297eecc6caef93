//! Files of canned answers (`--model scripted:FILE.json`), for tests and for work on editors.
//!
//! ```json
//! {
//!   "fim": true,
//!   "delay_ms": 0,
//!   "chat_template": null,
//!   "rules": [{"when": "def add", "answers": ["return a + b"]}, {"when": "", "answers": ["pass"]}]
//! }
//! ```
//!
//! The first rule whose `when` occurs in the prompt answers; every key but `rules` may be left out.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::ModelError;
use crate::engine::scripted::{Rule, Script};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rules: Vec<FileRule>,
    #[serde(default = "yes")]
    fim: bool,
    #[serde(default)]
    delay_ms: u64,
    #[serde(default)]
    chat_template: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRule {
    #[serde(default)]
    when: String,
    answers: Vec<String>,
}

fn yes() -> bool {
    true
}

/// Reads a file of canned answers.
pub fn read(path: &Path) -> Result<Script, ModelError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ModelError::Io { path: path.to_owned(), source })?;
    let file: File = serde_json::from_str(&text).map_err(|error| ModelError::Script {
        path: path.to_owned(),
        message: error.to_string(),
    })?;
    Ok(Script {
        rules: file
            .rules
            .into_iter()
            .map(|rule| Rule { when: rule.when, answers: rule.answers })
            .collect(),
        delay: Duration::from_millis(file.delay_ms),
        fim: file.fim,
        chat_template: file.chat_template,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Script, ModelError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.json");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn rules_and_defaults_are_read() {
        let script = read_text(r#"{"rules": [{"when": "a", "answers": ["b", "c"]}]}"#).unwrap();
        assert!(script.fim && script.chat_template.is_none() && script.delay.is_zero());
        assert_eq!(script.rules[0].when, "a");
        assert_eq!(script.rules[0].answers, ["b", "c"]);
    }

    #[test]
    fn a_fault_is_told_with_file_and_line() {
        let error = read_text("{\"rules\": [],\n \"speed\": 1}").unwrap_err().to_string();
        assert!(error.contains("answers.json") && error.contains("line 2"), "{error}");
    }
}
