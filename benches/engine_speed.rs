//! How fast a model runs here: `cargo bench --bench engine_speed`. The variable `AGENT_MODEL` names
//! another file than the built-in model.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it measures, and prints what it measured"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use agent::engine::{Engine, EngineOptions, Event, ModelSource, Piece, Request, Usage};

fn run(engine: &Engine, text: &str, max_tokens: usize, candidates: usize) -> Usage {
    let request = Request {
        pieces: vec![Piece::Text(text.to_owned())],
        max_tokens,
        candidates,
        ..Request::default()
    };
    let mut generation = engine.generate(request);
    while let Some(event) = generation.next_blocking() {
        match event {
            Event::Done(usage) => return usage,
            Event::Failed(error) => panic!("{error}"),
            Event::Read(_) | Event::Text { .. } | Event::Finished { .. } => {}
        }
    }
    panic!("no last event");
}

fn rate(tokens: usize, time: Duration) -> f64 {
    tokens as f64 / time.as_secs_f64()
}

/// The most memory this process ever had, in MiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}

/// How long a request waits for one that was given up in the middle of its prompt, or of its answer.
fn cancel(engine: &Engine) {
    let short = |round: usize| {
        let start = Instant::now();
        run(engine, &format!("// {round}"), 1, 1);
        start.elapsed()
    };
    let mut alone: Vec<Duration> = (0..10).map(short).collect();
    alone.sort_unstable();
    for (name, prompt, max_tokens) in [("prompt", 200, 0), ("answer", 2, 10_000)] {
        let mut waits: Vec<Duration> = Vec::new();
        for round in 0..20_u64 {
            let text =
                format!("// {name} {round}\n") + &"let value = map.get(key);\n".repeat(prompt);
            let request =
                Request { pieces: vec![Piece::Text(text)], max_tokens, ..Request::default() };
            let generation = engine.generate(request);
            std::thread::sleep(Duration::from_millis(60 + 7 * round));
            drop(generation);
            waits.push(short(100 + round as usize).saturating_sub(alone[5]));
        }
        waits.sort_unstable();
        println!(
            "given up in its {name}: the next request waits {:.1?} (median), {:.1?} (most); alone it takes {:.1?}",
            waits[10], waits[19], alone[5]
        );
    }
}

fn main() {
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/builtin.gguf");
    let path = std::env::var_os("AGENT_MODEL").map_or(built_in, PathBuf::from);
    let start = Instant::now();
    let engine = Engine::load(&ModelSource::File(path), &EngineOptions::default()).unwrap();
    let load = start.elapsed();
    println!("{} on {}: loaded in {load:?}", engine.info().name, engine.info().device);
    // Different first words: nothing of a prompt is cached.
    for round in 0..5 {
        let words = "let value = map.get(key).unwrap_or(0);\n".repeat(14);
        let text = format!("// round {round}\n{words}");
        let read = run(&engine, &text, 0, 1);
        let alone = run(&engine, &text, 100, 1);
        let four = run(&engine, &text, 50, 4);
        println!(
            "prompt {} tokens: {:.0} t/s; generation: {:.0} t/s alone ({}), {:.0} t/s as four ({})",
            read.prompt_tokens,
            rate(read.prompt_tokens - read.cached_tokens, read.prompt_time),
            rate(alone.generated_tokens, alone.generation_time),
            alone.generated_tokens,
            rate(four.generated_tokens, four.generation_time),
            four.generated_tokens,
        );
    }
    cancel(&engine);
    println!("peak memory {} MiB", peak_memory());
}
