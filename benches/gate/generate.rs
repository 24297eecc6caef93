//! What the built-in model says, to its full length and before any pass.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use agent::check;
use agent::document::Document;
use agent::engine::{Engine, EngineOptions, ModelSource};
use agent::task::Tools;
use agent::task::complete::{self, Options, PASSES, Passes};
use agent::workspace::Workspace;

use crate::sample::Sample;

/// Tokens of a prompt. What the model says matters little here, and that it says it soon.
const CONTEXT_TOKENS: usize = 768;

/// An answer for each sample; kept in `file`, or read from it where it exists.
pub(crate) fn answers(
    roots: &[PathBuf],
    samples: &[(usize, Sample)],
    seed: u64,
    file: Option<&Path>,
) -> Vec<String> {
    if let Some(text) = file.and_then(|file| fs::read_to_string(file).ok()) {
        let answers: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(answers.len(), samples.len(), "the file has answers of other places");
        return answers;
    }
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/builtin.gguf");
    let engine = Engine::load(&ModelSource::File(model), &EngineOptions::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tools: Vec<Tools> = roots.iter().map(|root| tools(&engine, root)).collect();
    let mut answers = Vec::new();
    for (number, (root, sample)) in samples.iter().enumerate() {
        let tools = Tools { seed: seed ^ number as u64, ..tools[*root].clone() };
        let path = roots[*root].join(&sample.path);
        let document = Document::new(path, Some(sample.language), 1, sample.text.clone());
        let options = Options {
            context_tokens: CONTEXT_TOKENS,
            passes: Passes::without(PASSES).unwrap(),
            ..Options::default()
        };
        // A file that no model is shown has no answer.
        let completion =
            runtime.block_on(complete::run(&tools, &document, sample.offset, &options));
        let answer = completion.ok().and_then(|found| found.candidates.into_iter().next());
        answers.push(answer.map(|answer| answer.text).unwrap_or_default());
    }
    if let Some(file) = file {
        fs::write(file, serde_json::to_string(&answers).unwrap()).unwrap();
    }
    answers
}

fn tools(engine: &Engine, root: &Path) -> Tools {
    let workspace = Workspace::new(fs::canonicalize(root).unwrap());
    workspace.build_index();
    Tools {
        engine: engine.clone(),
        workspace: Arc::new(workspace),
        templates: Arc::default(),
        check: Arc::new(check::Settings {
            agent: PathBuf::from("agent"),
            python: None,
            timeout: Duration::from_secs(1),
            cache: std::env::temp_dir().join("agent-gate"),
            trusted: false,
        }),
        seed: 0,
        report: Arc::new(|_| ()),
    }
}
