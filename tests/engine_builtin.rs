//! The built-in model, end to end.

use std::path::PathBuf;

use agent::engine::{
    Engine, EngineOptions, Event, Finish, Marker, ModelSource, Piece, Request, Usage,
};

fn engine() -> Engine {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models/builtin.gguf");
    Engine::load(&ModelSource::File(path), &EngineOptions::default()).unwrap()
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

fn run(engine: &Engine, request: Request) -> (String, Finish, Usage) {
    let mut generation = engine.generate(request);
    let (mut text, mut finish) = (String::new(), None);
    while let Some(event) = generation.next_blocking() {
        match event {
            Event::Text { text: more, .. } => text.push_str(&more),
            Event::Finished { reason, .. } => finish = Some(reason),
            Event::Done(usage) => return (text, finish.unwrap(), usage),
            Event::Failed(error) => panic!("{error}"),
        }
    }
    panic!("no last event");
}

#[test]
fn a_middle_is_filled_in() {
    let engine = engine();
    println!("{:?}", engine.info());
    let (text, finish, usage) = run(&engine, fim("fn add(a: i32, b: i32) -> i32 {\n    ", "\n}\n"));
    println!("{text:?} {finish:?} {usage:?}");
    assert_eq!(finish, Finish::EndOfText);
    assert!(!text.trim().is_empty());
    assert!(!text.contains("<|"), "{text:?}");
}
