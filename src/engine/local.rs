//! A model in this process: prompts in, events out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::candidate::Candidate;
use super::decoder::{Decoder, Logits, Row, Sequence as _, Store, Unfinished};
use super::drafter::Drafter;
use super::encoding::{Encoded, encode};
use super::probe::{self, Finding, Probe};
use super::speculation::{History, Speculation};
use super::tokenizer::Tokenizer;
use super::worker::{Interrupted, Model, Turn};
use super::writer::Writer;
use super::{EngineError, Event, Finish, Usage, device};

/// The most answers to one request: each holds keys and values of its own.
const MOST_CANDIDATES: usize = 64;

/// Bytes of keys and values that stay when nobody has asked for long: about what the last prompt of a
/// small model takes.
const KEPT_AT_REST: usize = 64 << 20;

/// A loaded model and what it remembers.
pub(super) struct LocalModel<D: Decoder, S> {
    decoder: D,
    store: S,
    tokenizer: Arc<Tokenizer>,
    threads: Option<usize>,
    speculation: Speculation,
    drafter: Option<Box<dyn Drafter>>,
}

impl<D: Decoder, S: Store<Sequence = D::Sequence>> LocalModel<D, S> {
    /// A model whose unquantized products are shared among `threads` threads, its own included.
    pub(super) fn new(
        decoder: D,
        store: S,
        tokenizer: Arc<Tokenizer>,
        threads: Option<usize>,
    ) -> Self {
        let speculation = Speculation::default();
        Self { decoder, store, tokenizer, threads, speculation, drafter: None }
    }

    /// Guesses ahead in this way, where the decoder says that it pays.
    pub(super) fn with_speculation(self, speculation: Speculation) -> Self {
        Self { speculation, ..self }
    }

    /// Asks `drafter` where the text gives no hint of what comes next.
    pub(super) fn with_drafter(self, drafter: Option<Box<dyn Drafter>>) -> Self {
        Self { drafter, ..self }
    }
}

impl<D: Decoder, S: Store<Sequence = D::Sequence>> Model for LocalModel<D, S> {
    fn started(&mut self) {
        if let Some(threads) = self.threads {
            device::compute_here_with(threads);
        }
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
        for fork in sequences {
            self.store.put_fork(fork);
        }
        outcome
    }

    fn probe(&mut self, probe: &Probe) -> Result<Finding, EngineError> {
        probe::run(&mut self.decoder, &mut self.store, probe)
    }

    fn rest(&mut self) {
        self.store.shrink(KEPT_AT_REST);
    }

    fn save(&mut self) -> Result<(), EngineError> {
        self.store.save()
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
            self.read_prompt(turn, prompt, sequence, &mut logits, &mut clock, &mut usage)?;
        }
        usage.prompt_time = clock.lap();
        turn.send(Event::Read(usage))?;
        self.write_answers(turn, prompt, sequences, &mut logits, &mut clock, &mut usage)?;
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
        usage: &mut Usage,
    ) -> Result<(), Interrupted> {
        loop {
            let before = sequence.len();
            let known = sequence.append_known()?;
            usage.cached_tokens += sequence.len() - before;
            let end = known.unwrap_or(prompt.tokens.len());
            let left = prompt.tokens.get(sequence.len()..end).unwrap_or_default();
            let tokens = left.get(..self.decoder.chunk()).unwrap_or(left);
            let last = known.is_none() && tokens.len() == left.len();
            let row = Row { tokens, sequence, wanted: usize::from(last) };
            self.evaluate(turn, &mut [row], logits, clock)?;
            if last {
                return Ok(());
            }
        }
    }

    /// Generates all candidates, each step as one batch.
    fn write_answers(
        &mut self,
        turn: &Turn<'_>,
        prompt: &Encoded,
        sequences: &mut Vec<D::Sequence>,
        logits: &mut Logits,
        clock: &mut Clock,
        usage: &mut Usage,
    ) -> Result<(), Interrupted> {
        let request = turn.request();
        let count = request.candidates.max(1);
        let limit = self.decoder.context_length();
        let candidates = (0..count).map(|index| Candidate::new(index, request, prompt));
        if request.max_tokens == 0 {
            // Nothing but the evaluated prompt was wanted.
            for mut candidate in candidates {
                candidate.finish(Finish::Length, turn)?;
            }
            return Ok(());
        }
        let budget = match self.speculation {
            Speculation::PromptLookup => self.decoder.most_drafted(),
            Speculation::Off => 0,
        };
        let history = (budget > 0).then(|| History::new(&prompt.tokens));
        let mut writers: Vec<Writer> =
            candidates.map(|candidate| Writer::new(candidate, history.clone())).collect();
        let after_prompt = logits.rows().next().ok_or_else(nothing)?;
        let room = prompt.tokens.len() < limit;
        for writer in &mut writers {
            writer.start(after_prompt, room, &self.tokenizer, turn, usage)?;
        }
        if let Some(first) = sequences.first() {
            let forks = (1..count).map(|_| first.fork()).collect::<Result<Vec<_>, _>>()?;
            sequences.extend(forks);
        }
        loop {
            let going = writers.iter().filter(|writer| writer.is_going()).count();
            if going == 0 {
                return Ok(());
            }
            let mut rows = Vec::with_capacity(going);
            for (writer, sequence) in writers.iter_mut().zip(&mut *sequences) {
                let room = limit - sequence.len();
                let drafter = self.drafter.as_deref_mut();
                let tokens = writer.prepare(room, budget / going, drafter, turn)?;
                if !tokens.is_empty() {
                    rows.push(Row { tokens, sequence, wanted: tokens.len() });
                }
            }
            self.evaluate(turn, &mut rows, logits, clock)?;
            let mut logits = logits.rows();
            for (writer, sequence) in writers.iter_mut().zip(&mut *sequences) {
                writer.read(&mut logits, sequence, limit, &self.tokenizer, turn, usage)?;
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
