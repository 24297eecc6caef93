//! A model that drafts for another: the same answers, and a clear refusal where it cannot.

#![expect(clippy::unwrap_used, reason = "a broken test setup may panic")]

use std::path::{Path, PathBuf};

use agent::engine::{
    Engine, EngineError, EngineOptions, Event, ModelSource, Piece, Request, Sampling, Usage,
};

fn file(name: &str) -> ModelSource {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    ModelSource::File(path)
}

fn builtin(draft: Option<&str>) -> Engine {
    let options = EngineOptions { draft: draft.map(file), ..EngineOptions::default() };
    Engine::load(&file("models/builtin.gguf"), &options).unwrap()
}

fn answer(engine: &Engine, text: &str, temperature: f32) -> (String, Usage) {
    let request = Request {
        pieces: vec![Piece::Text(text.to_owned())],
        max_tokens: 40,
        sampling: Sampling { temperature, seed: 3, ..Sampling::default() },
        ..Request::default()
    };
    let mut generation = engine.generate(request);
    let mut text = String::new();
    loop {
        match generation.next_blocking().unwrap() {
            Event::Text { text: more, .. } => text += &more,
            Event::Done(usage) => return (text, usage),
            Event::Read(_) | Event::Finished { .. } => {}
            Event::Failed(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_draft_model_changes_no_answer() {
    let (alone, drafted) = (builtin(None), builtin(Some("models/builtin.gguf")));
    let mut accepted = 0;
    for text in ["fn largest(values: &[u32]) -> Option<u32> {\n    ", "import os\n\ndef main():\n"]
    {
        for temperature in [0.0, 0.7] {
            let (expected, without) = answer(&alone, text, temperature);
            let (found, with) = answer(&drafted, text, temperature);
            assert_eq!(found, expected);
            // Some guesses are the text's own.
            accepted += with.accepted_tokens.saturating_sub(without.accepted_tokens);
        }
    }
    assert!(accepted > 0, "no guess of the draft model was right, although it is the same model");
}

#[test]
fn a_draft_model_of_another_vocabulary_is_refused_by_name() {
    let other = "tests/data/TinyStories-656K.Q8_0.gguf";
    let options = EngineOptions { draft: Some(file(other)), ..EngineOptions::default() };
    let error = Engine::load(&file("models/builtin.gguf"), &options).unwrap_err();
    assert!(matches!(error, EngineError::Malformed { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains("TinyStories-656K.Q8_0.gguf"), "{message}");
    assert!(message.contains("a smaller one of the same family"), "{message}");
}
