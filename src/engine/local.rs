//! A model in this process: prompts in, events out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::candidate::Candidate;
use super::encoding::{Encoded, encode};
use super::kv_cache::KvCache;
use super::model::{Decoder, Row};
use super::sequences::Sequences;
use super::tokenizer::Tokenizer;
use super::worker::{Interrupted, Model, Turn};
use super::{EngineError, Finish, Usage, device};

/// The most answers to one request: each holds keys and values of its own.
const MOST_CANDIDATES: usize = 64;

/// Sequences kept between requests.
const SEQUENCES: usize = 4;

/// Bytes of keys and values kept between requests.
const SEQUENCE_BYTES: usize = 1 << 30;

/// A loaded model and what it remembers.
pub(super) struct LocalModel {
    decoder: Box<dyn Decoder>,
    tokenizer: Arc<Tokenizer>,
    sequences: Sequences,
    threads: usize,
}

impl LocalModel {
    /// A model whose unquantized products are shared among `threads` threads, its own included.
    pub(super) fn new(
        decoder: Box<dyn Decoder>,
        tokenizer: Arc<Tokenizer>,
        threads: usize,
    ) -> Self {
        let sequences = Sequences::new(SEQUENCES, SEQUENCE_BYTES);
        Self { decoder, tokenizer, sequences, threads }
    }
}

impl Model for LocalModel {
    fn started(&mut self) {
        device::compute_here_with(self.threads);
    }

    fn answer(&mut self, turn: &Turn<'_>) -> Result<Usage, Interrupted> {
        if turn.request().candidates > MOST_CANDIDATES {
            let message = format!(
                "{} candidates; at most {MOST_CANDIDATES} are generated at once",
                turn.request().candidates
            );
            return Err(EngineError::Request { message }.into());
        }
        let prompt = encode(turn.request(), &self.tokenizer)?;
        let limit = self.decoder.cache_shape().context_length;
        if prompt.tokens.len() >= limit {
            let message = format!(
                "the prompt has {} tokens and leaves no room in the model's context of {limit}; \
                 shorten it",
                prompt.tokens.len()
            );
            return Err(EngineError::Request { message }.into());
        }
        let mut cache = self
            .sequences
            .take(&prompt.tokens, || self.decoder.new_cache())
            .map_err(out_of_memory)?;
        let outcome = self.generate(turn, &prompt, &mut cache);
        // After an error or a cancellation, too: what it holds was evaluated.
        self.sequences.put(cache);
        outcome
    }
}

impl LocalModel {
    fn generate(
        &mut self,
        turn: &Turn<'_>,
        prompt: &Encoded,
        cache: &mut KvCache,
    ) -> Result<Usage, Interrupted> {
        let mut usage = Usage {
            prompt_tokens: prompt.tokens.len(),
            cached_tokens: cache.len(),
            ..Usage::default()
        };
        let mut clock = Clock::start();
        let logits = self.read_prompt(turn, prompt, cache, &mut clock)?;
        usage.prompt_time = clock.lap();
        usage.generated_tokens = self.write_answers(turn, prompt, cache, logits, &mut clock)?;
        usage.generation_time = clock.lap();
        Ok(usage)
    }

    /// Evaluates what `cache` does not hold of the prompt; the logits after it.
    fn read_prompt(
        &mut self,
        turn: &Turn<'_>,
        prompt: &Encoded,
        cache: &mut KvCache,
        clock: &mut Clock,
    ) -> Result<Vec<f32>, Interrupted> {
        loop {
            clock.paused += turn.between_steps(self)?;
            let left = prompt.tokens.get(cache.len()..).unwrap_or_default();
            let chunk = self.decoder.chunk();
            if left.len() > chunk {
                self.decoder.absorb(&mut [Row { tokens: &left[..chunk], cache }])?;
                continue;
            }
            let logits = self.decoder.logits(&mut [Row { tokens: left, cache }])?;
            return logits.into_iter().next().ok_or_else(|| nothing().into());
        }
    }

    /// Generates all candidates, each step as one batch; the number of tokens. The first candidate
    /// continues in `cache`, the others in copies of it.
    fn write_answers(
        &mut self,
        turn: &Turn<'_>,
        prompt: &Encoded,
        cache: &mut KvCache,
        logits: Vec<f32>,
        clock: &mut Clock,
    ) -> Result<usize, Interrupted> {
        let request = turn.request();
        let count = request.candidates.max(1);
        let limit = self.decoder.cache_shape().context_length;
        let mut candidates: Vec<Candidate> =
            (0..count).map(|index| Candidate::new(index, request, prompt)).collect();
        if request.max_tokens == 0 {
            // Nothing but the evaluated prompt was wanted.
            for candidate in &mut candidates {
                candidate.finish(Finish::Length, turn)?;
            }
            return Ok(0);
        }
        let mut forks = (1..count)
            .map(|_| cache.fork(cache.len()))
            .collect::<candle_core::Result<Vec<_>>>()
            .map_err(out_of_memory)?;
        let mut generated = 0;
        for candidate in &mut candidates {
            generated += 1;
            candidate.step(&logits, cache.len() < limit, &self.tokenizer, turn)?;
        }
        drop(logits);
        loop {
            clock.paused += turn.between_steps(self)?;
            let next: Vec<Option<u32>> = candidates.iter().map(|c| c.next).collect();
            let caches = std::iter::once(&mut *cache).chain(&mut forks);
            let mut rows: Vec<Row<'_>> = next
                .iter()
                .zip(caches)
                .filter_map(|(next, cache)| {
                    Some(Row { tokens: next.as_ref().map(std::slice::from_ref)?, cache })
                })
                .collect();
            if rows.is_empty() {
                return Ok(generated);
            }
            let logits = self.decoder.logits(&mut rows)?;
            let room: Vec<bool> = rows.iter().map(|row| row.cache.len() < limit).collect();
            let going = candidates.iter_mut().filter(|candidate| candidate.next.is_some());
            for ((candidate, logits), room) in going.zip(&logits).zip(room) {
                generated += 1;
                candidate.step(logits, room, &self.tokenizer, turn)?;
            }
        }
    }
}

/// Measures the time spent on a request, without that spent on those it gave way to.
struct Clock {
    start: Instant,
    paused: Duration,
}

impl Clock {
    fn start() -> Self {
        Self { start: Instant::now(), paused: Duration::ZERO }
    }

    fn lap(&mut self) -> Duration {
        let lap = std::mem::replace(self, Self::start());
        lap.start.elapsed().saturating_sub(lap.paused)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err wants")]
fn out_of_memory(error: candle_core::Error) -> EngineError {
    EngineError::Compute { message: format!("no room for keys and values: {error}") }
}

fn nothing() -> EngineError {
    EngineError::Compute { message: "the decoder returned no logits".to_owned() }
}

#[cfg(test)]
pub(super) mod tests;
