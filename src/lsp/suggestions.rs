//! Suggestions made and in the making, shared by all requests of the session.

mod flight;
mod turn;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::config::places;
use crate::engine::ModelInfo;
use crate::task::complete::{self, Completion};
use crate::task::suggest::answers::{Answers, Known, Made};
use crate::task::suggest::costs::Costs;
use crate::task::suggest::place::{Cursor, Spot};
use crate::task::suggest::typing::Typing;

pub(super) use flight::{Arrival, Flight};
use turn::Turn;

/// How long the model is guessed to take as long as that was not measured.
const GUESSED_ANSWER: Duration = Duration::from_millis(200);

/// After this long, a model that was too slow is tried once more.
const SECOND_TRY: Duration = Duration::from_mins(1);

/// What is known of suggestions.
#[derive(Default)]
pub(super) struct Suggestions {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answers: Answers,
    typing: Typing,
    /// What the model costs that [`complete::identity`] tells.
    costs: (String, Costs),
    /// Those that somebody waits for, or did: one for each document.
    asked: Vec<Arc<Flight>>,
    /// The one for after the suggestion that is shown.
    ahead: Option<Arc<Flight>>,
    /// Time from request to answer of the last that was not empty.
    latency: Option<Duration>,
    /// Other programs that show ghost text.
    others: Vec<String>,
    /// Since when the model is too slow to be asked.
    too_slow: Option<Instant>,
    /// The turn that a flight of this server has.
    turn: Weak<Turn>,
}

impl Suggestions {
    /// What was suggested before and still fits.
    pub(super) fn known(&self, cursor: Cursor<'_>, by_hand: bool) -> Option<Known> {
        self.state().answers.find(cursor, by_hand, Instant::now())
    }

    /// Remembers what was suggested.
    pub(super) fn keep(&self, spot: Spot, made: Made) {
        self.state().answers.keep(spot, made, Instant::now());
    }

    /// Takes note that a document changed: ends the flights that its text is no longer for.
    pub(super) fn typed(&self, document: &str, text: Option<&str>) {
        let mut state = self.state();
        state.typing.key(Instant::now());
        state.end_asked(|flight| !flight.fits(document, text));
        if state.ahead.as_ref().is_some_and(|flight| !flight.may_come(document, text)) {
            end(&mut state.ahead);
        }
    }

    /// The flight whose answer may be the one wanted at `cursor`.
    pub(super) fn flight(&self, cursor: Cursor<'_>, by_hand: bool) -> Option<Arc<Flight>> {
        let state = self.state();
        let flights = state.asked.iter().chain(&state.ahead);
        let mut fitting = flights.filter(|flight| flight.leads_to(cursor, by_hand));
        fitting.next().cloned()
    }

    /// Takes a flight that somebody waits for; those that give way to it are ended, and the one that
    /// looked ahead: it was for something else.
    pub(super) fn ask(&self, flight: Arc<Flight>) {
        let mut state = self.state();
        state.end_asked(|before| before.gives_way_to(&flight));
        end(&mut state.ahead);
        state.asked.push(flight);
    }

    /// Takes a flight for after what is shown; the one before is ended.
    pub(super) fn look_ahead(&self, flight: Arc<Flight>) {
        let mut state = self.state();
        end(&mut state.ahead);
        state.ahead = Some(flight);
    }

    /// Whether something is known or in the making for `cursor`.
    pub(super) fn has(&self, cursor: Cursor<'_>) -> bool {
        self.flight(cursor, false).is_some() || self.known(cursor, false).is_some()
    }

    /// How long to wait for the next key before the model is asked; on a battery, as if it took
    /// twice as long.
    pub(super) fn wait(&self, info: &ModelInfo, spares: bool) -> Duration {
        let state = self.state();
        let answer = state.costs_of(info).answer().unwrap_or(GUESSED_ANSWER);
        state.typing.wait(if spares { answer * 2 } else { answer }, Instant::now())
    }

    /// What the model's answers cost.
    pub(super) fn costs(&self, info: &ModelInfo) -> Costs {
        self.state().costs_of(info)
    }

    /// Learns from what an answer cost.
    pub(super) fn learn(&self, info: &ModelInfo, answer: &Completion, candidates: usize) {
        let mut state = self.state();
        let costs = state.costs_of(info).learned(&answer.usage, candidates, answer.cut_short);
        state.costs = (complete::identity(info), costs);
    }

    /// Takes note of an answer that was not empty.
    pub(super) fn answered(&self, latency: Duration) {
        self.state().latency = Some(latency);
    }

    /// Time from request to answer of the last that was not empty.
    pub(super) fn latency(&self) -> Option<Duration> {
        self.state().latency
    }

    /// Takes the names of the other programs that show ghost text.
    pub(super) fn set_others(&self, others: Vec<String>) {
        self.state().others = others;
    }

    /// Those names.
    pub(super) fn others(&self) -> Vec<String> {
        self.state().others.clone()
    }

    /// Takes note whether the model can write anything in the time allowed. Whether that is news.
    pub(super) fn set_too_slow(&self, too_slow: bool) -> bool {
        let mut state = self.state();
        let news = state.too_slow.is_some() != too_slow;
        if news {
            state.too_slow = too_slow.then(Instant::now);
        }
        news
    }

    /// Whether it could not when somebody last typed.
    pub(super) fn too_slow(&self) -> bool {
        self.state().too_slow.is_some()
    }

    /// Whether a model that was too slow is to be tried again: the machine may have been busy. Once
    /// in a while.
    pub(super) fn tries_again(&self) -> bool {
        let since = &mut self.state().too_slow;
        let again = since.is_some_and(|since| since.elapsed() > SECOND_TRY);
        if again {
            *since = Some(Instant::now());
        }
        again
    }

    /// The turn on this machine: the one that another flight of this server has, or a new one that
    /// is waited for, `patience` at most.
    pub(super) async fn turn(&self, patience: Duration) -> Arc<Turn> {
        if let Some(turn) = self.state().turn.upgrade() {
            return turn;
        }
        let turn = Arc::new(turn::turn(places::cache().as_deref(), patience).await);
        self.state().turn = Arc::downgrade(&turn);
        turn
    }

    /// Forgets what was suggested and ends what is in the making: the model or the options are
    /// others.
    pub(super) fn renew(&self) {
        let mut state = self.state();
        state.answers.clear();
        state.too_slow = None;
        state.costs = (String::new(), Costs::default());
        state.end_asked(|_| true);
        end(&mut state.ahead);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends those that are asked for in vain, and forgets those that have ended.
    fn end_asked(&mut self, in_vain: impl Fn(&Flight) -> bool) {
        self.asked.retain(|flight| {
            if in_vain(flight) {
                flight.end();
            }
            flight.is_on()
        });
    }

    fn costs_of(&self, info: &ModelInfo) -> Costs {
        let same = self.costs.0 == complete::identity(info);
        if same { self.costs.1 } else { Costs::default() }
    }
}

fn end(flight: &mut Option<Arc<Flight>>) {
    if let Some(flight) = flight.take() {
        flight.end();
    }
}
