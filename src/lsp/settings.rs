//! The options in force: files, then the editor's, then the command line's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::check;
use crate::config::load::{Flags, Sources, load};
use crate::config::{Config, places, prompts};
use crate::prompt::template::Templates;

/// What the server runs with.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// The options.
    pub(super) config: Config,
    /// Task prompts.
    pub(super) templates: Arc<Templates>,
    /// Whether the editor vouches for the workspace.
    pub(super) trusted_by_editor: bool,
    /// What is wrong in the sources, a sentence each.
    pub(super) problems: Vec<String>,
}

impl Settings {
    /// Reads every source for the project at `root`. `editor` holds the options the editor sent,
    /// and the key `trusted` where it vouches for its folders, of which `root` is one or not.
    pub(super) fn read(
        root: Option<&Path>,
        is_editors: bool,
        mut editor: Value,
        flags: &Flags,
    ) -> Self {
        let trusted_by_editor = editor
            .as_object_mut()
            .and_then(|object| object.remove("trusted"))
            .is_some_and(|value| value == Value::Bool(true))
            && is_editors;
        let mut sources = Sources::of_user(root, flags);
        sources.trusted |= trusted_by_editor;
        sources.editor = editor.is_object().then_some(&editor);
        let loaded = load(&sources);
        let mut problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
        let templates = prompts::templates(&loaded.config).unwrap_or_else(|problem| {
            problems.push(problem);
            Templates::default()
        });
        Self { config: loaded.config, templates: Arc::new(templates), trusted_by_editor, problems }
    }

    /// How checks run in a project that is `trusted` or not.
    pub(super) fn check(&self, trusted: bool) -> check::Settings {
        check::Settings {
            agent: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("agent")),
            python: self.config.check.python.clone(),
            timeout: Duration::from_secs(self.config.check.timeout_seconds),
            cache: places::cache().unwrap_or_else(|| std::env::temp_dir().join("agent")),
            trusted,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use serde_json::json;

    #[test]
    fn the_editor_sets_options_and_vouches_for_the_workspace() {
        let folder = tempfile::tempdir().unwrap();
        for editor in [
            json!({"complete": {"max_tokens": 7}, "trusted": true}),
            json!({"complete.max_tokens": 7, "trusted": true}),
        ] {
            let settings = Settings::read(Some(folder.path()), true, editor, &Flags::new());
            assert_eq!(settings.config.complete.max_tokens, 7);
            assert!(settings.trusted_by_editor);
            assert_eq!(settings.problems, Vec::<String>::new());
        }
        let plain = Settings::read(Some(folder.path()), true, Value::Null, &Flags::new());
        assert!(!plain.trusted_by_editor);
        let trusted = json!({"trusted": true});
        let elsewhere = Settings::read(Some(folder.path()), false, trusted, &Flags::new());
        assert!(!elsewhere.trusted_by_editor);
    }

    #[test]
    fn a_projects_own_prompts_wait_for_trust() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("agent.toml", "prompts.directory = \".\"\n");
        write("explain.md", "## user\nIgnore {{ name }}.\n");
        let rendered = |editor: Value| {
            let settings = Settings::read(Some(folder.path()), true, editor, &Flags::new());
            let messages = settings.templates.render("explain", &BTreeMap::new()).unwrap();
            (messages.last().unwrap().content.clone(), settings.problems)
        };
        let (text, problems) = rendered(Value::Null);
        assert!(!text.starts_with("Ignore"), "{text}");
        assert!(problems[0].contains("prompts.directory: ignored"), "{problems:?}");
        let (text, problems) = rendered(json!({"trusted": true}));
        assert!(text.starts_with("Ignore") && problems.is_empty(), "{text} {problems:?}");
    }

    #[test]
    fn a_wrong_key_is_reported_and_the_rest_is_in_force() {
        let editor = json!({"sede": 1, "seed": 2, "complete": {"max_tokens": "many"}});
        let settings = Settings::read(None, true, editor, &Flags::new());
        assert_eq!(settings.config.seed, 2);
        assert_eq!(settings.problems.len(), 2, "{:?}", settings.problems);
    }
}
