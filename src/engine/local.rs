//! A model in this process: prompts in, events out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::candidate::Candidate;
use super::decoder::{Decoder, Logits, Row, Sequence as _, Store, Unfinished};
use super::encoding::{Encoded, encode};
use super::tokenizer::Tokenizer;
use super::worker::{Interrupted, Model, Turn};
use super::{EngineError, Finish, Usage, device};

/// The most answers to one request: each holds keys and values of its own.
const MOST_CANDIDATES: usize = 64;

/// A loaded model and what it remembers.
pub(super) struct LocalModel<D: Decoder, S> {
    decoder: D,
    store: S,
    tokenizer: Arc<Tokenizer>,
    threads: usize,
}

impl<D: Decoder, S: Store<Sequence = D::Sequence>> LocalModel<D, S> {
    /// A model whose unquantized products are shared among `threads` threads, its own included.
    pub(super) fn new(decoder: D, store: S, tokenizer: Arc<Tokenizer>, threads: usize) -> Self {
        Self { decoder, store, tokenizer, threads }
    }
}

impl<D: Decoder, S: Store<Sequence = D::Sequence>> Model for LocalModel<D, S> {
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
        let limit = self.decoder.context_length();
        if prompt.tokens.len() >= limit {
            let message = format!(
                "the prompt has {} tokens and leaves no room in the model's context of {limit}; \
                 shorten it",
                prompt.tokens.len()
            );
            return Err(EngineError::Request { message }.into());
        }
        let taken = self.store.take(&prompt.tokens)?;
        let mut sequences = vec![taken.unwrap_or_else(|| self.decoder.empty())];
        let outcome = self.generate(turn, &prompt, &mut sequences);
        // After an error or a cancellation, too: what they hold was evaluated.
        let mut sequences = sequences.into_iter();
        if let Some(first) = sequences.next() {
            self.store.put(first);
        }
        sequences.for_each(|fork| self.store.put_fork(fork));
        outcome
    }
}

impl<D: Decoder, S: Store<Sequence = D::Sequence>> LocalModel<D, S> {
    /// Answers `prompt`, of which the one sequence in `sequences` holds the start. Afterwards there
    /// is one for each candidate.
    fn generate(
        &mut self,
        turn: &Turn<'_>,
        prompt: &Encoded,
        sequences: &mut Vec<D::Sequence>,
    ) -> Result<Usage, Interrupted> {
        let mut usage = Usage {
            prompt_tokens: prompt.tokens.len(),
            cached_tokens: sequences.iter().map(D::Sequence::len).sum(),
            ..Usage::default()
        };
        let mut clock = Clock::start();
        let mut logits = Logits::default();
        for sequence in sequences.iter_mut() {
            self.read_prompt(turn, prompt, sequence, &mut logits, &mut clock)?;
        }
        usage.prompt_time = clock.lap();
        usage.generated_tokens =
            self.write_answers(turn, prompt, sequences, &mut logits, &mut clock)?;
        usage.generation_time = clock.lap();
        Ok(usage)
    }

    /// Evaluates what `sequence` does not hold of the prompt, for the logits after it.
    fn read_prompt(
        &mut self,
        turn: &Turn<'_>,
        prompt: &Encoded,
        sequence: &mut D::Sequence,
        logits: &mut Logits,
        clock: &mut Clock,
    ) -> Result<(), Interrupted> {
        loop {
            let left = prompt.tokens.get(sequence.len()..).unwrap_or_default();
            let tokens = left.get(..self.decoder.chunk()).unwrap_or(left);
            let last = tokens.len() == left.len();
            let row = Row { tokens, sequence, wanted: usize::from(last) };
            self.evaluate(turn, &mut [row], logits, clock)?;
            if last {
                return Ok(());
            }
        }
    }

    /// Generates all candidates, each step as one batch; the number of tokens.
    fn write_answers(
        &mut self,
        turn: &Turn<'_>,
        prompt: &Encoded,
        sequences: &mut Vec<D::Sequence>,
        logits: &mut Logits,
        clock: &mut Clock,
    ) -> Result<usize, Interrupted> {
        let request = turn.request();
        let count = request.candidates.max(1);
        let limit = self.decoder.context_length();
        let mut candidates: Vec<Candidate> =
            (0..count).map(|index| Candidate::new(index, request, prompt)).collect();
        if request.max_tokens == 0 {
            // Nothing but the evaluated prompt was wanted.
            for candidate in &mut candidates {
                candidate.finish(Finish::Length, turn)?;
            }
            return Ok(0);
        }
        let mut generated = 0;
        let after_prompt = logits.rows().next().ok_or_else(nothing)?;
        for candidate in &mut candidates {
            generated += 1;
            candidate.step(after_prompt, prompt.tokens.len() < limit, &self.tokenizer, turn)?;
        }
        if let Some(first) = sequences.first() {
            let forks = (1..count).map(|_| first.fork()).collect::<Result<Vec<_>, _>>()?;
            sequences.extend(forks);
        }
        loop {
            let next: Vec<Option<u32>> = candidates.iter().map(|c| c.next).collect();
            let mut rows: Vec<Row<'_, D::Sequence>> = next
                .iter()
                .zip(sequences.iter_mut())
                .filter_map(|(next, sequence)| {
                    let tokens = next.as_ref().map(std::slice::from_ref)?;
                    Some(Row { tokens, sequence, wanted: 1 })
                })
                .collect();
            if rows.is_empty() {
                return Ok(generated);
            }
            self.evaluate(turn, &mut rows, logits, clock)?;
            let room: Vec<bool> = rows.iter().map(|row| row.sequence.len() < limit).collect();
            let going = candidates.iter_mut().filter(|candidate| candidate.next.is_some());
            for ((candidate, logits), room) in going.zip(logits.rows()).zip(room) {
                generated += 1;
                candidate.step(logits, room, &self.tokenizer, turn)?;
            }
        }
    }

    /// Evaluates `rows`. Those a person waits for go first, also when they come in the middle of
    /// it; an answer that nobody wants any more ends it.
    fn evaluate(
        &mut self,
        turn: &Turn<'_>,
        rows: &mut [Row<'_, D::Sequence>],
        logits: &mut Logits,
        clock: &mut Clock,
    ) -> Result<(), Interrupted> {
        loop {
            clock.paused += turn.between_steps(self)?;
            match self.decoder.evaluate(rows, &|| turn.interrupted(), logits) {
                Ok(()) => return Ok(()),
                Err(Unfinished::Stopped) => {}
                Err(Unfinished::Failed(error)) => return Err(error.into()),
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

fn nothing() -> EngineError {
    EngineError::Compute { message: "the decoder returned no logits".to_owned() }
}

#[cfg(test)]
pub(super) mod tests;
