//! What guesses ahead beside a text's own repetitions: anything that says what may come next, and a
//! small model of the same vocabulary that does (Leviathan et al., 2023; here the large model makes
//! its own choice at every place, see [`speculation`](super::speculation), so that the answer stays
//! the same).

use super::EngineError;
use super::decoder::{Decoder, Logits, Row, Sequence as _, Store, Unfinished};
use super::sampler::Sampler;
use super::tokenizer::Tokenizer;
use super::{Sampling, gguf::Gguf};

/// Guesses what comes next. A wrong guess costs time and nothing else.
pub trait Drafter: Send {
    /// Appends to `draft` at most `most` tokens that may follow `text`, the likeliest continuation;
    /// none where it has no idea. Gives up early when `stop` says so.
    ///
    /// Texts come in any order; most continue an earlier one.
    fn draft(
        &mut self,
        text: &[u32],
        most: usize,
        stop: &dyn Fn() -> bool,
        draft: &mut Vec<u32>,
    ) -> Result<(), EngineError>;
}

/// A guess goes on as long as it is, by the small model's word, at least this likely to be right
/// up to there. A step of a model a third as large costs about as much of a step of the large one.
const LEAST_PROBABILITY: f32 = 0.4;

/// A model that guesses for a larger one.
pub(super) struct DraftModel<D, S> {
    decoder: D,
    store: S,
    logits: Logits,
    sampler: Sampler,
    /// Token ids of the vocabulary; those beyond are padding of the matrix.
    vocabulary: usize,
}

impl<D: Decoder, S: Store<Sequence = D::Sequence>> DraftModel<D, S> {
    /// A drafter for texts of a vocabulary of so many tokens.
    pub(super) fn new(decoder: D, store: S, vocabulary: usize) -> Self {
        let sampler = Sampler::new(&Sampling::default(), 0, &[]);
        Self { decoder, store, logits: Logits::default(), sampler, vocabulary }
    }

    /// Evaluates what `sequence` does not hold of `text`, then steps.
    fn steps(
        &mut self,
        sequence: &mut D::Sequence,
        text: &[u32],
        most: usize,
        stop: &dyn Fn() -> bool,
        draft: &mut Vec<u32>,
    ) -> Result<(), Unfinished> {
        let mut left = text.get(sequence.len()..).unwrap_or_default();
        while !left.is_empty() {
            let (now, later) = left.split_at_checked(self.decoder.chunk()).unwrap_or((left, &[]));
            let wanted = usize::from(later.is_empty());
            let row = Row { tokens: now, sequence, wanted };
            self.decoder.evaluate(&mut [row], stop, &mut self.logits)?;
            left = later;
        }
        let mut probability = 1.0;
        for index in 0..most {
            let Some(logits) = self.logits.rows().next() else { break };
            let logits = logits.get(..self.vocabulary).unwrap_or(logits);
            let Some(choice) = self.sampler.choose(logits, None) else { break };
            probability *= choice.logprob.exp();
            if probability < LEAST_PROBABILITY {
                break;
            }
            draft.push(choice.token);
            if index + 1 < most {
                let row = Row { tokens: &[choice.token], sequence, wanted: 1 };
                self.decoder.evaluate(&mut [row], stop, &mut self.logits)?;
            }
        }
        Ok(())
    }
}

impl<D: Decoder, S: Store<Sequence = D::Sequence>> Drafter for DraftModel<D, S> {
    fn draft(
        &mut self,
        text: &[u32],
        most: usize,
        stop: &dyn Fn() -> bool,
        draft: &mut Vec<u32>,
    ) -> Result<(), EngineError> {
        let room = self.decoder.context_length().saturating_sub(text.len() + 1);
        let most = most.min(room);
        if most == 0 || text.is_empty() {
            return Ok(());
        }
        let taken = self.store.take(text)?;
        let mut sequence = taken.unwrap_or_else(|| self.decoder.empty());
        let outcome = self.steps(&mut sequence, text, most, stop, draft);
        // With what was guessed: right guesses are found again.
        self.store.put(sequence);
        match outcome {
            Ok(()) | Err(Unfinished::Stopped) => Ok(()),
            Err(Unfinished::Failed(error)) => Err(error),
        }
    }
}

/// Says what is wrong if `draft`, from the file `gguf`, does not have the vocabulary of `tokenizer`:
/// the same bytes for every id.
pub(super) fn check_vocabulary(
    gguf: &Gguf,
    draft: &Tokenizer,
    tokenizer: &Tokenizer,
) -> Result<(), EngineError> {
    let size = tokenizer.vocabulary_size();
    let differs = |id: &u32| draft.bytes(*id) != tokenizer.bytes(*id);
    let problem = if draft.vocabulary_size() == size {
        let ids = 0..u32::try_from(size).unwrap_or(u32::MAX);
        ids.into_iter().find(differs).map(|id| format!("token {id} is another one"))
    } else {
        Some(format!("{} tokens in place of {size}", draft.vocabulary_size()))
    };
    problem.map_or(Ok(()), |problem| {
        let message = format!(
            "{problem}; a draft model needs the vocabulary of the model that it drafts for: choose \
             a smaller one of the same family"
        );
        Err(gguf.malformed("tokenizer.ggml.tokens", message))
    })
}
