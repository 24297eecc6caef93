//! One candidate at work: what it has evaluated next, and what it makes of the logits.

use super::candidate::Candidate;
use super::decoder::Sequence;
use super::drafter::Drafter;
use super::speculation::{History, Pace};
use super::tokenizer::Tokenizer;
use super::worker::{Interrupted, Turn};
use super::{EngineError, Usage};

/// A candidate and the guesses about it.
pub(super) struct Writer {
    candidate: Candidate,
    /// `None` if nothing is guessed.
    guesser: Option<Guesser>,
    /// What is evaluated next: the candidate's last token, then those guessed to follow it.
    row: Vec<u32>,
}

impl Writer {
    /// A writer for `candidate`, which has no token yet. Guesses from `history`, its prompt.
    pub(super) fn new(candidate: Candidate, history: Option<History>) -> Self {
        let guesser = history.map(Guesser::new);
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
    /// first, at most `most`, are guessed, by `drafter` where the text itself gives no hint.
    pub(super) fn prepare(
        &mut self,
        room: usize,
        most: usize,
        drafter: Option<&mut (dyn Drafter + 'static)>,
        turn: &Turn<'_>,
    ) -> Result<&[u32], Interrupted> {
        self.row.clear();
        self.row.extend(self.candidate.next);
        if let (Some(guesser), false) = (&mut self.guesser, self.row.is_empty()) {
            // The last token of an answer is chosen, but not evaluated.
            let useful = self.candidate.left().saturating_sub(1);
            let most = most.min(useful).min(room.saturating_sub(1));
            guesser.guess(most, drafter, turn, &mut self.row)?;
        }
        Ok(&self.row)
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
        if let Some(guesser) = self.guesser.as_mut().filter(|_| drafted > 0) {
            guesser.pace().learn(drafted, accepted);
        }
        Ok(())
    }

    fn remember(&mut self) {
        if let (Some(guesser), Some(token)) = (&mut self.guesser, self.candidate.next) {
            guesser.history.push(token);
        }
    }
}

/// Who guesses for an answer, and how well each does.
struct Guesser {
    history: History,
    of_history: Pace,
    of_drafter: Pace,
    /// Whether the last guess was the drafter's.
    drafted: bool,
}

impl Guesser {
    fn new(history: History) -> Self {
        let (of_history, of_drafter) = <(Pace, Pace)>::default();
        Self { history, of_history, of_drafter, drafted: false }
    }

    /// Appends at most `most` tokens to `row`.
    fn guess(
        &mut self,
        most: usize,
        drafter: Option<&mut (dyn Drafter + 'static)>,
        turn: &Turn<'_>,
        row: &mut Vec<u32>,
    ) -> Result<(), EngineError> {
        let before = row.len();
        self.history.guess(self.of_history.next().min(most), row);
        self.drafted = row.len() == before;
        match drafter {
            Some(drafter) if self.drafted => {
                let most = self.of_drafter.next().min(most);
                drafter.draft(self.history.tokens(), most, &|| turn.interrupted(), row)
            }
            _ => Ok(()),
        }
    }

    /// The pace of whoever guessed last.
    fn pace(&mut self) -> &mut Pace {
        if self.drafted { &mut self.of_drafter } else { &mut self.of_history }
    }
}
