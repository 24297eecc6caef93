//! The answer to a request: a stream of events. Dropping it cancels the work.

use std::time::Duration;

use tokio::sync::mpsc;

use super::EngineError;

/// Why a candidate ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// An end-of-generation token.
    EndOfText,
    /// A stop text.
    Stop,
    /// The longest answer was reached.
    Length,
    /// The context is full.
    ContextFull,
}

/// What an answer cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// How many of them were already in the KV cache.
    pub cached_tokens: usize,
    /// Tokens generated, all candidates together.
    pub generated_tokens: usize,
    /// Tokens guessed ahead and evaluated, all candidates together.
    pub drafted_tokens: usize,
    /// How many of them the model chose, too.
    pub accepted_tokens: usize,
    /// Time to evaluate the prompt.
    pub prompt_time: Duration,
    /// Time to generate.
    pub generation_time: Duration,
    /// Time spent waiting for other requests.
    pub queue_time: Duration,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The prompt is evaluated: what it cost so far. Whoever gives up the answer later knows that
    /// much.
    Read(Usage),
    /// More text of a candidate: whole characters only.
    Text {
        /// Which candidate.
        candidate: usize,
        /// The text.
        text: String,
        /// Sum of the log-probabilities of its tokens in the model's own distribution (no
        /// temperature, penalty or cut); while healing, among the tokens that were allowed.
        logprob: f32,
        /// Number of its tokens.
        tokens: usize,
    },
    /// A candidate ended.
    Finished {
        /// Which candidate.
        candidate: usize,
        /// Why.
        reason: Finish,
    },
    /// Every candidate ended; the last event of a successful request.
    Done(Usage),
    /// The request failed; the last event.
    Failed(EngineError),
}

/// The stream of a request's events.
#[derive(Debug)]
pub struct Generation {
    events: mpsc::UnboundedReceiver<Event>,
}

impl Generation {
    /// A stream fed by `events`.
    pub(super) fn new(events: mpsc::UnboundedReceiver<Event>) -> Self {
        Self { events }
    }

    /// The next event; `None` after the last.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// The next event if it is there already.
    pub fn try_next(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    /// The next event, blocking the thread; not for async code.
    pub fn next_blocking(&mut self) -> Option<Event> {
        self.events.blocking_recv()
    }
}
