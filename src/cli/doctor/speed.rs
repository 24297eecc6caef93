//! How fast the model reads and writes, by a short real run.

use std::time::{Duration, Instant};

use crate::engine::{Engine, EngineError, Event, Piece, Request, Sampling, Usage};

/// Text to read: code, since its tokens are what matters here.
const SAMPLE: &str = include_str!("machine.rs");
/// Most bytes of it that make up one prompt, about 500 tokens.
const PROMPT: usize = 1600;
/// Tokens to write in one run.
const LENGTH: usize = 32;
/// Tokens to write in all.
const ENOUGH: usize = 4 * LENGTH;
/// No further run starts after this time.
const PATIENCE: Duration = Duration::from_secs(3);

/// Tokens per second.
#[derive(Debug)]
pub(super) struct Speed {
    /// Reading a prompt.
    pub(super) prompt: f64,
    /// Writing.
    pub(super) generation: f64,
    /// How many of each the figures stand on, in words.
    pub(super) measured_on: String,
}

/// Measures `engine` on prompts that share nothing, so that none is answered from a cache.
pub(super) async fn measure(engine: &Engine) -> Result<Speed, EngineError> {
    let start = Instant::now();
    let mut total = Usage::default();
    for chunk in SAMPLE.as_bytes().chunks(prompt_size(engine)) {
        if start.elapsed() > PATIENCE || total.generated_tokens >= ENOUGH {
            break;
        }
        let usage = read_and_write(engine, &String::from_utf8_lossy(chunk)).await?;
        total.prompt_tokens += usage.prompt_tokens - usage.cached_tokens;
        total.prompt_time += usage.prompt_time;
        total.generated_tokens += usage.generated_tokens;
        total.generation_time += usage.generation_time;
    }
    let per_second = |tokens: usize, time: Duration| {
        if time.is_zero() { 0.0 } else { tokens as f64 / time.as_secs_f64() }
    };
    Ok(Speed {
        prompt: per_second(total.prompt_tokens, total.prompt_time),
        generation: per_second(total.generated_tokens, total.generation_time),
        measured_on: format!(
            "{} tokens read, {} written",
            total.prompt_tokens, total.generated_tokens
        ),
    })
}

/// Bytes of a prompt that take at most half of the model's context.
fn prompt_size(engine: &Engine) -> usize {
    let mut size = PROMPT;
    let fits = |size| {
        let start = SAMPLE.get(..size).unwrap_or_default();
        engine.count(start) <= engine.info().context_length / 2
    };
    while size > 64 && !fits(size) {
        size /= 2;
    }
    size
}

async fn read_and_write(engine: &Engine, text: &str) -> Result<Usage, EngineError> {
    let mut generation = engine.generate(Request {
        pieces: vec![Piece::Text(text.to_owned())],
        candidates: 1,
        max_tokens: LENGTH,
        sampling: Sampling { temperature: 1.0, ..Sampling::default() },
        ..Request::default()
    });
    while let Some(event) = generation.next().await {
        match event {
            Event::Done(usage) => return Ok(usage),
            Event::Failed(error) => return Err(error),
            Event::Read(_) | Event::Text { .. } | Event::Finished { .. } => {}
        }
    }
    Err(EngineError::Stopped)
}
