//! Trained models through the engine's own door.

#![expect(clippy::unwrap_used, reason = "a broken test setup may panic")]

use std::path::{Path, PathBuf};

use agent::engine::{
    Engine, EngineOptions, Event, FimFamily, Finish, Marker, ModelSource, Piece, Priority, Request,
    Sampling, Usage,
};

fn engine(file: &str) -> Engine {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    Engine::load(&ModelSource::File(path), &EngineOptions::default()).unwrap()
}

fn builtin() -> Engine {
    engine("models/builtin.gguf")
}

fn fim(prefix: &str, suffix: &str) -> Request {
    Request {
        pieces: vec![
            Piece::Marker(Marker::Prefix),
            Piece::Text(prefix.to_owned()),
            Piece::Marker(Marker::Suffix),
            Piece::Text(suffix.to_owned()),
            Piece::Marker(Marker::Middle),
        ],
        max_tokens: 24,
        ..Request::default()
    }
}

const PREFIX: &str = "fn add(a: i32, b: i32) -> i32 {\n    ";
const SUFFIX: &str = "\n}\n";

#[derive(Debug, Default)]
struct Answer {
    texts: Vec<String>,
    logprobs: Vec<f32>,
    reasons: Vec<Option<Finish>>,
    usage: Usage,
}

fn run(engine: &Engine, request: Request) -> Answer {
    let count = request.candidates.max(1);
    let mut answer = Answer {
        texts: vec![String::new(); count],
        logprobs: vec![0.0; count],
        reasons: vec![None; count],
        usage: Usage::default(),
    };
    let mut generation = engine.generate(request);
    while let Some(event) = generation.next_blocking() {
        match event {
            Event::Text { candidate, text, logprob, .. } => {
                answer.texts[candidate].push_str(&text);
                answer.logprobs[candidate] += logprob;
            }
            Event::Read(_) => {}
            Event::Finished { candidate, reason } => answer.reasons[candidate] = Some(reason),
            Event::Done(usage) => {
                answer.usage = usage;
                return answer;
            }
            Event::Failed(error) => panic!("{error}"),
        }
    }
    panic!("no last event");
}

#[test]
fn the_built_in_model_says_what_it_is() {
    let engine = builtin();
    let info = engine.info();
    assert_eq!(info.architecture, "qwen3");
    assert_eq!(info.fim, Some(FimFamily::Qwen));
    assert_eq!(info.quantization, "Q8_0");
    assert!(info.parameters > 1_000_000 && info.size > 1_000_000, "{info:?}");
    assert!(info.context_length > 0 && info.device.starts_with("cpu ("), "{info:?}");
    assert!(engine.count("fn main() {}") > 2);
}

#[test]
fn a_middle_is_filled_in_and_asking_again_costs_one_token_of_the_prompt() {
    let engine = builtin();
    let first = run(&engine, fim(PREFIX, SUFFIX));
    assert_eq!(first.reasons, [Some(Finish::EndOfText)]);
    assert!(!first.texts[0].trim().is_empty());
    assert!(!first.texts[0].contains("<|"), "{first:?}");
    assert!(first.logprobs[0] < 0.0);
    let again = run(&engine, fim(PREFIX, SUFFIX));
    assert_eq!(again.texts, first.texts);
    assert_eq!(again.usage.cached_tokens, again.usage.prompt_tokens - 1);
}

#[test]
fn candidates_share_the_prompt_and_the_first_is_what_it_is_alone() {
    let engine = builtin();
    let alone = run(&engine, fim(PREFIX, SUFFIX));
    let request = Request { candidates: 4, ..fim(PREFIX, SUFFIX) };
    let four = run(&engine, request.clone());
    assert_eq!(four.texts[0], alone.texts[0]);
    assert!(four.reasons.iter().all(Option::is_some));
    assert!(four.texts.iter().any(|text| *text != four.texts[0]), "{four:?}");
    assert_eq!(run(&engine, request).texts, four.texts, "the same seed, the same answers");
    let mut other = fim(PREFIX, SUFFIX);
    other.sampling = Sampling { temperature: 1.0, seed: 1, ..Sampling::default() };
    let mut another = other.clone();
    another.sampling.seed = 2;
    assert_ne!(run(&engine, other).texts, run(&engine, another).texts);
}

#[test]
fn a_healed_middle_continues_the_word_at_the_cursor() {
    let engine = builtin();
    let prefix = "use std::collections::HashMap;\n\npub fn parse(text: &str) -> Resu";
    let healed = run(&engine, Request { heal: true, ..fim(prefix, " {\n}\n") });
    assert!(healed.texts[0].starts_with("lt"), "{healed:?}");
}

#[test]
fn interactive_work_pre_empts_background_work_without_changing_it() {
    let engine = builtin();
    let other = || Request { max_tokens: 4, ..fim("def f(x):\n    ", "\n") };
    let story = |priority| Request {
        pieces: vec![Piece::Text("import os\n\n".to_owned())],
        max_tokens: 60,
        priority,
        sampling: Sampling { temperature: 1.2, ..Sampling::default() },
        ..Request::default()
    };
    let expected = run(&engine, story(Priority::Interactive));
    let urgent_alone = run(&engine, other());

    let engine = builtin();
    let mut background = engine.generate(story(Priority::Background));
    let mut text = String::new();
    let mut urgent_at = 0;
    while let Some(event) = background.next_blocking() {
        match event {
            Event::Text { text: more, .. } => {
                if text.is_empty() {
                    // It is running: from here on the other one goes first.
                    assert_eq!(run(&engine, other()).texts, urgent_alone.texts);
                    urgent_at = text.len();
                }
                text.push_str(&more);
            }
            Event::Failed(error) => panic!("{error}"),
            Event::Read(_) | Event::Finished { .. } | Event::Done(_) => {}
        }
    }
    assert_eq!(text, expected.texts[0]);
    assert!(urgent_at < text.len());
}

#[test]
fn a_trained_story_model_tells_its_story_from_text() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("data/golden.json")).unwrap();
    for name in ["TinyStories-656K.Q8_0", "TinyStories-656K.Q4_0"] {
        let engine = engine(&format!("tests/data/{name}.gguf"));
        let golden = &golden[name];
        let prompt = golden["prompt"].as_str().unwrap();
        let expected = golden["text"].as_str().unwrap();
        let answer = run(
            &engine,
            Request {
                pieces: vec![Piece::Marker(Marker::Start), Piece::Text(prompt.to_owned())],
                max_tokens: 60,
                ..Request::default()
            },
        );
        let told = format!(" {prompt}{}", answer.texts[0]);
        let same = told.bytes().zip(expected.bytes()).take_while(|(a, b)| a == b).count();
        assert!(same >= expected.len() / 2, "{told}");
        assert_eq!(answer.reasons, [Some(Finish::Length)]);
    }
}

#[test]
fn what_is_not_there_or_not_a_model_is_an_error_that_names_it() {
    let error = |path: PathBuf| {
        Engine::load(&ModelSource::File(path), &EngineOptions::default()).err().unwrap().to_string()
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(error(root.join("nothing.gguf")).contains("nothing.gguf"));
    assert!(error(root.join("Cargo.toml")).contains("Cargo.toml"));
}

#[test]
fn a_marker_the_model_lacks_is_refused() {
    let engine = engine("tests/data/TinyStories-656K.Q8_0.gguf");
    assert_eq!(engine.info().fim, None);
    let mut generation = engine.generate(fim("a", "b"));
    match generation.next_blocking() {
        Some(Event::Failed(error)) => assert!(error.to_string().contains("Prefix"), "{error}"),
        other => panic!("{other:?}"),
    }
}
