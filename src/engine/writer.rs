//! One candidate at work: what it has evaluated next, and what it makes of the logits.

use super::Usage;
use super::candidate::Candidate;
use super::decoder::Sequence;
use super::speculation::{History, Pace};
use super::tokenizer::Tokenizer;
use super::worker::{Interrupted, Turn};

/// A candidate and the guesses about it.
pub(super) struct Writer {
    candidate: Candidate,
    /// `None` if nothing is guessed.
    guesser: Option<(History, Pace)>,
    /// What is evaluated next: the candidate's last token, then those guessed to follow it.
    row: Vec<u32>,
}

impl Writer {
    /// A writer for `candidate`, which has no token yet. Guesses from `history`, its prompt.
    pub(super) fn new(candidate: Candidate, history: Option<History>) -> Self {
        let guesser = history.map(|history| (history, Pace::default()));
        Self { candidate, guesser, row: Vec::new() }
    }

    /// Chooses the first token, from the `logits` after the prompt. `room` says whether the context
    /// has room for evaluating it.
    pub(super) fn start(
        &mut self,
        logits: &[f32],
        room: bool,
        tokenizer: &Tokenizer,
        turn: &Turn<'_>,
        usage: &mut Usage,
    ) -> Result<(), Interrupted> {
        usage.generated_tokens += 1;
        self.candidate.step(logits, room, tokenizer, turn)?;
        self.remember();
        Ok(())
    }

    /// Whether there is something to evaluate.
    pub(super) fn is_going(&self) -> bool {
        self.candidate.next.is_some()
    }

    /// The tokens to evaluate next, at least one while it is going, at most `room`; those after the
    /// first, at most `most`, are guessed.
    pub(super) fn prepare(&mut self, room: usize, most: usize) -> &[u32] {
        self.row.clear();
        self.row.extend(self.candidate.next);
        if let (Some((history, pace)), false) = (&mut self.guesser, self.row.is_empty()) {
            // The last token of an answer is chosen, but not evaluated.
            let useful = self.candidate.left().saturating_sub(1);
            let most = pace.next().min(most).min(useful).min(room.saturating_sub(1));
            history.guess(most, &mut self.row);
        }
        &self.row
    }

    /// Takes the logits after each of the tokens that were to be evaluated, and chooses tokens as
    /// long as the guesses agree. `sequence` holds those tokens and forgets the wrong guesses;
    /// it may get `limit` tokens long.
    pub(super) fn read<'a>(
        &mut self,
        logits: &mut impl Iterator<Item = &'a [f32]>,
        sequence: &mut impl Sequence,
        limit: usize,
        tokenizer: &Tokenizer,
        turn: &Turn<'_>,
        usage: &mut Usage,
    ) -> Result<(), Interrupted> {
        let Some(drafted) = self.row.len().checked_sub(1) else { return Ok(()) };
        let start = sequence.len() - self.row.len();
        let mut accepted = 0;
        // All of this row's logits are taken, also those after a wrong guess.
        for (index, logits) in (0..=drafted).zip(logits) {
            if index > accepted || !self.is_going() {
                continue;
            }
            usage.generated_tokens += 1;
            self.candidate.step(logits, start + index + 1 < limit, tokenizer, turn)?;
            self.remember();
            let guess = self.row.get(index + 1);
            if guess.is_some() && guess == self.candidate.next.as_ref() {
                accepted += 1;
            }
        }
        sequence.truncate(start + 1 + accepted);
        usage.drafted_tokens += drafted;
        usage.accepted_tokens += accepted;
        if let Some((_, pace)) = self.guesser.as_mut().filter(|_| drafted > 0) {
            pace.learn(drafted, accepted);
        }
        Ok(())
    }

    fn remember(&mut self) {
        if let (Some((history, _)), Some(token)) = (&mut self.guesser, self.candidate.next) {
            history.push(token);
        }
    }
}
