//! One answer in the making: tokens → text → events.

use super::healing::Healing;
use super::sampler::{Choice, Sampler};
use super::stop_text::{Passed, StopText};
use super::tokenizer::{Decoder, Tokenizer};
use super::worker::{Interrupted, Turn};
use super::{Event, Finish, Request, Sampling};
use crate::engine::EngineError;
use crate::engine::encoding::Encoded;

/// A candidate that is being generated.
pub(super) struct Candidate {
    index: usize,
    sampler: Sampler,
    healing: Healing,
    /// Bytes → whole characters.
    characters: Decoder,
    stop: StopText,
    /// Tokens of the answer, healing aside.
    tokens: usize,
    most_tokens: usize,
    /// What the next event will report: tokens whose text was held back so far.
    unreported: usize,
    unreported_logprob: f32,
    /// The token to evaluate next; `None` once the candidate ended.
    pub(super) next: Option<u32>,
}

impl Candidate {
    /// Candidate `index` of `request`.
    pub(super) fn new(index: usize, request: &Request, prompt: &Encoded) -> Self {
        /// What makes the other candidates differ from a greedy first one.
        const OTHERS: f32 = 0.6;
        let greedy = request.sampling.temperature <= 0.0;
        let temperature = if greedy && index > 0 { OTHERS } else { request.sampling.temperature };
        let sampling = Sampling { temperature, ..request.sampling.clone() };
        Self {
            index,
            sampler: Sampler::new(&sampling, index, &prompt.tokens),
            healing: Healing::new(prompt.heal.clone()),
            characters: Decoder::default(),
            stop: StopText::new(&request.stops),
            tokens: 0,
            most_tokens: request.max_tokens,
            unreported: 0,
            unreported_logprob: 0.0,
            next: None,
        }
    }

    /// How many more tokens it may get.
    pub(super) fn left(&self) -> usize {
        self.most_tokens.saturating_sub(self.tokens)
    }

    /// Chooses the next token from `logits` and reports what it adds. `room` says whether the
    /// context has room for evaluating it.
    pub(super) fn step(
        &mut self,
        logits: &[f32],
        room: bool,
        tokenizer: &Tokenizer,
        turn: &Turn<'_>,
    ) -> Result<(), Interrupted> {
        // Ids beyond the vocabulary are padding of the matrix.
        let logits = logits.get(..tokenizer.vocabulary_size()).unwrap_or(logits);
        let allowed = self.healing.allowed(tokenizer);
        let Some(Choice { token, logprob }) = self.sampler.choose(logits, allowed.as_deref())
        else {
            let message = "its output has no number in it; the file may be damaged".to_owned();
            return Err(EngineError::Compute { message }.into());
        };
        self.sampler.accept(token);
        self.next = Some(token);
        if allowed.is_none() && tokenizer.ends_generation(token) {
            return self.finish(Finish::EndOfText, turn);
        }
        let bytes = tokenizer.bytes(token);
        let again = self.healing.advance(bytes);
        if allowed.is_none() || again < bytes.len() {
            self.tokens += 1;
            self.unreported += 1;
            self.unreported_logprob += logprob;
        }
        let text = self.characters.push(bytes.get(again..).unwrap_or_default());
        let passed = self.stop.push(&text);
        let stopped = matches!(passed, Passed::Stopped(_));
        let (Passed::On(text) | Passed::Stopped(text)) = passed;
        self.report(text, turn)?;
        if stopped {
            self.finish(Finish::Stop, turn)
        } else if self.tokens >= self.most_tokens {
            self.finish(Finish::Length, turn)
        } else if room {
            Ok(())
        } else {
            self.finish(Finish::ContextFull, turn)
        }
    }

    /// Ends the candidate. An unfinished character at its end is dropped.
    pub(super) fn finish(&mut self, reason: Finish, turn: &Turn<'_>) -> Result<(), Interrupted> {
        self.next = None;
        let text = self.stop.finish();
        self.report(text, turn)?;
        turn.send(Event::Finished { candidate: self.index, reason })
    }

    fn report(&mut self, text: String, turn: &Turn<'_>) -> Result<(), Interrupted> {
        if text.is_empty() {
            return Ok(());
        }
        let tokens = std::mem::take(&mut self.unreported);
        let logprob = std::mem::take(&mut self.unreported_logprob);
        turn.send(Event::Text { candidate: self.index, text, logprob, tokens })
    }
}
