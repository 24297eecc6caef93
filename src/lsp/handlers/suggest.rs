//! Asking the completion task; shared by ghost text and the popup.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tower_lsp::jsonrpc::{self, Error, ErrorCode};
use tower_lsp::lsp_types::Url;

use super::super::model::State;
use super::super::session::Session;
use super::super::suggestions::{Arrival, Flight};
use super::super::tally::Answer;
use super::ahead;
use crate::context::Activity;
use crate::document::Document;
use crate::engine::{ModelInfo, Priority};
use crate::stats::Event;
use crate::syntax::Language;
use crate::task::complete::{self, Candidate, Completion, Prepared};
use crate::task::suggest::answers::Made;
use crate::task::suggest::costs::Costs;
use crate::task::suggest::place::Cursor;
use crate::task::suggest::plan::{self, Allowed, Plan, Trigger};
use crate::task::{TaskError, Tools};

/// How long a suggestion waits for a model that is still loading.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether suggestions are wanted in `document` at all: not where they are switched off, in general
/// or for its language or path, nor in an unsaved document that is in no language (chat boxes,
/// commit messages, scratch text).
pub(super) fn wanted(session: &Session, uri: &Url, document: &Document) -> bool {
    let language = document.language().or_else(|| Language::of_path(&document.path));
    if uri.scheme() != "file" && language.is_none() {
        return false;
    }
    match refused(session, uri, document) {
        Some(reason) => {
            tracing::debug!("no suggestion: {reason}");
            false
        }
        None => true,
    }
}

/// Why the options want no suggestions in `document`, if they do not.
pub(super) fn refused(session: &Session, uri: &Url, document: &Document) -> Option<String> {
    let settings = session.settings_at(&document.path);
    let complete = &settings.config.complete;
    if !complete.enabled {
        return Some("suggestions are switched off (complete.enabled)".to_owned());
    }
    let known = document.language().map(|language| language.name().to_owned());
    let name = session.prompts.language(uri).or(known)?;
    if !complete.wants(&name) {
        return Some(format!("suggestions are switched off for {name} (complete.languages)"));
    }
    let pattern = session.excluded(&document.path)?;
    Some(format!("the file is excluded by `{pattern}` (exclude)"))
}

/// Somebody's wish for a suggestion.
pub(super) struct Asked<'a> {
    /// The document.
    pub(super) uri: &'a Url,
    /// As it is now, or as it would be with something accepted.
    pub(super) document: &'a Document,
    /// The cursor.
    pub(super) offset: usize,
    /// Whether it was asked for by hand: such a one may take longer, and there are several.
    pub(super) by_hand: bool,
    /// Whether the document is as the editor shows it.
    pub(super) as_shown: bool,
}

impl Asked<'_> {
    fn cursor(&self) -> Cursor<'_> {
        Cursor { document: self.uri.as_str(), text: &self.document.text, offset: self.offset }
    }

    fn trigger(&self) -> Trigger {
        if self.by_hand { Trigger::ByHand } else { Trigger::Typing }
    }

    /// What was suggested before, or was made just now, and still fits, with how much of it was
    /// typed since.
    fn known(&self, session: &Session, just_now: bool) -> Option<(Vec<Candidate>, usize)> {
        let known = session.suggestions.known(self.cursor(), self.by_hand)?;
        // Who asks again where there was no time for more may get more.
        if known.cut_short && known.typed == 0 && !just_now {
            return None;
        }
        let wanted = session.settings_at(&self.document.path).config.complete.options(0);
        let fitting = complete::fitting(self.document, self.offset, &known.candidates, &wanted);
        // Where nothing is left of what was suggested elsewhere, there may be something to say here.
        (!fitting.is_empty() || known.typed == 0).then_some((fitting, known.typed))
    }
}

/// Suggestions, best first; `ContentModified` if the document moves on or a newer request comes
/// meanwhile.
pub(super) async fn at(
    session: &Arc<Session>,
    asked: Asked<'_>,
    superseded: oneshot::Receiver<()>,
) -> jsonrpc::Result<Vec<Candidate>> {
    let started = Instant::now();
    let mut given_up = GivenUp { session, is: true };
    let answer = tokio::select! {
        biased;
        _ = superseded => Err(moved_on()),
        answer = candidates(session, &asked, started) => answer,
    };
    given_up.is = false;
    let latency = started.elapsed();
    match &answer {
        Ok(found) => {
            if !found.candidates.is_empty() {
                session.suggestions.answered(latency);
                session.changed.notify_one();
            }
            if asked.as_shown && !found.unasked {
                let texts = found.candidates.iter().map(|candidate| &*candidate.text).collect();
                let Found { from_cache, .. } = *found;
                let answer = Answer { texts, offset: asked.offset, latency, from_cache };
                session.tally.answered(asked.uri.as_str(), &answer);
            }
        }
        Err(error) if error.code == ErrorCode::ContentModified => {
            session.tally.record(Event::Superseded);
        }
        Err(_) => session.tally.record(Event::Failed),
    }
    answer.map(|found| found.candidates)
}

/// What a request comes to.
#[derive(Default)]
struct Found {
    candidates: Vec<Candidate>,
    /// Whether it was known, without the model.
    from_cache: bool,
    /// Whether neither the model nor what is known was asked.
    unasked: bool,
}

impl Found {
    fn unasked() -> Self {
        Self { unasked: true, ..Self::default() }
    }
}

/// Counts a request that is dropped before it is answered: the editor cancelled it.
struct GivenUp<'s> {
    session: &'s Session,
    is: bool,
}

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        if self.is {
            self.session.tally.record(Event::Superseded);
        }
    }
}

async fn candidates(
    session: &Arc<Session>,
    asked: &Asked<'_>,
    started: Instant,
) -> jsonrpc::Result<Found> {
    let trigger = asked.trigger();
    if !asked.by_hand && gives_way(session, asked.document) {
        return Ok(Found::unasked());
    }
    if let Some((known, typed)) = asked.known(session, false) {
        ahead::look(session, asked, &known, typed);
        return Ok(Found { candidates: known, from_cache: true, unasked: false });
    }
    // Everything from here on is to be done by then.
    let until = started + plan::limit(trigger, allowed(session, asked.document));
    if let Some(flight) = session.suggestions.flight(asked.cursor(), asked.by_hand) {
        match tokio::time::timeout_at(until.into(), flight.arrival()).await {
            Ok(Arrival::Known) => {
                if let Some((candidates, typed)) = asked.known(session, true) {
                    ahead::look(session, asked, &candidates, typed);
                    return Ok(Found { candidates, ..Found::default() });
                }
            }
            Ok(Arrival::Ended | Arrival::Failed(_)) => {}
            Err(_) => return Ok(Found::default()),
        }
    }
    let Some(engine) = session.model.engine_within(PATIENCE).await else {
        return match session.model.state() {
            State::Failed(reason) if asked.by_hand => Err(failed(&reason)),
            _ => Ok(Found::unasked()),
        };
    };
    let plan = plan(session, asked.document, engine.info(), trigger);
    if trigger == Trigger::Typing && session.suggestions.set_too_slow(plan.is_none()) {
        session.changed.notify_one();
    }
    let Some(plan) = plan else { return Ok(Found::unasked()) };
    if trigger == Trigger::Typing {
        let spares = session.machine.last().spares();
        tokio::time::sleep(session.suggestions.wait(engine.info(), spares)).await;
    }
    let (document, uri) = (asked.document.clone(), asked.uri);
    let flight = Flight::new(uri.as_str(), document, asked.offset, asked.by_hand);
    let Some(flight) = flight else { return Ok(Found::default()) };
    session.suggestions.ask(Arc::clone(&flight));
    let order = Order { plan, trigger, until };
    flight.start(true, fly(Arc::clone(session), uri.clone(), Arc::clone(&flight), order));
    match flight.arrival().await {
        Arrival::Known => {
            let known = asked.known(session, true);
            let candidates = known.map(|(known, _)| known).unwrap_or_default();
            ahead::look(session, asked, &candidates, 0);
            Ok(Found { candidates, ..Found::default() })
        }
        Arrival::Ended => Err(moved_on()),
        Arrival::Failed(error) => Err(failed(&error)),
    }
}

/// Whether another program shows ghost text beside which ours is to stay silent.
pub(super) fn gives_way(session: &Session, document: &Document) -> bool {
    let complete = &session.settings_at(&document.path).config.complete;
    complete.gives_way(&session.suggestions.others())
}

/// What suggestions in `document` may cost.
fn allowed(session: &Session, document: &Document) -> Allowed {
    session.settings_at(&document.path).config.complete.allowed()
}

/// What the model is asked for in `document`, if it is to be asked.
pub(super) fn plan(
    session: &Session,
    document: &Document,
    info: &ModelInfo,
    trigger: Trigger,
) -> Option<Plan> {
    let allowed = allowed(session, document);
    let (costs, machine) = (session.suggestions.costs(info), session.machine.last());
    let plan = plan::plan(trigger, allowed, costs, machine);
    let again = || trigger == Trigger::Typing && session.suggestions.tries_again();
    plan.or_else(|| again().then(|| plan::plan(trigger, allowed, Costs::default(), machine))?)
}

/// What a flight is to bring.
pub(super) struct Order {
    /// What the model is asked for.
    pub(super) plan: Plan,
    /// Why.
    pub(super) trigger: Trigger,
    /// By when.
    pub(super) until: Instant,
}

/// Asks the model, and remembers what it says.
pub(super) async fn fly(
    session: Arc<Session>,
    uri: Url,
    flight: Arc<Flight>,
    order: Order,
) -> Arrival {
    let by_hand = order.trigger == Trigger::ByHand;
    match answer(&session, &uri, &flight, order).await {
        Ok(Completion { candidates, cut_short, .. }) => {
            let made = Made { candidates, by_hand, cut_short };
            session.suggestions.keep(flight.spot().clone(), made);
            Arrival::Known
        }
        // Nothing of such a document is remembered.
        Err(TaskError::Hidden(why)) => {
            tracing::debug!("no suggestion: {why}");
            Arrival::Known
        }
        Err(error) => {
            tracing::warn!("no suggestion for {}: {error}", uri.scheme());
            Arrival::Failed(error.to_string())
        }
    }
}

async fn answer(
    session: &Arc<Session>,
    uri: &Url,
    flight: &Flight,
    Order { plan, trigger, until }: Order,
) -> Result<Completion, TaskError> {
    let (document, offset) = (flight.document(), flight.offset());
    let workspace = session.workspace_of(&document.path);
    let tools = session.tools(workspace, Arc::new(|_| {})).await.map_err(TaskError::Model)?;
    let mut options = complete::Options {
        candidates: plan.candidates,
        max_tokens: plan.max_tokens,
        priority: match trigger {
            Trigger::Ahead => Priority::Background,
            Trigger::Typing | Trigger::ByHand => Priority::Interactive,
        },
        ..options(session, &tools, document)
    };
    if !complete::may_be_completed(document, offset) {
        return Ok(Completion::default());
    }
    let prepared = prepared(session, uri, &tools, document, offset, &options, trigger).await?;
    let left = || until.saturating_duration_since(Instant::now());
    // Another editor's server gives it back sooner, or this one goes on without.
    let _turn = session.suggestions.turn(left() / 2).await;
    options.limit = Some(left());
    let say = |said: &str| flight.say(said);
    let completion = complete::answer(&tools, document, prepared, &options, &say).await?;
    let info = tools.engine.info();
    session.tally.set_model(&info.name);
    for applied in &completion.passed {
        session.tally.record(Event::Cleaned(applied));
    }
    session.prompts.learn(info, &completion.usage);
    session.suggestions.learn(info, &completion, plan.candidates);
    Ok(completion)
}

/// What is asked in `document` by its project's options.
pub(super) fn options(session: &Session, tools: &Tools, document: &Document) -> complete::Options {
    let settings = session.settings_of(tools.workspace.root());
    let wanted = &settings.config.complete;
    let fitting = session.prompts.fitting(tools.engine.info(), wanted.latency());
    let recent = session.prompts.recent(tools.workspace.root(), &document.path);
    let activity = Activity { recent, ..Activity::default() };
    complete::Options { activity, ..wanted.options(fitting) }
}

/// The prompt at `offset`, built on a thread of its own; the next one goes on from it even if the
/// answer to this one is not waited for.
pub(super) async fn prepared(
    session: &Arc<Session>,
    uri: &Url,
    tools: &Tools,
    document: &Document,
    offset: usize,
    options: &complete::Options,
    trigger: Trigger,
) -> Result<Prepared, TaskError> {
    let (session, uri, tools) = (Arc::clone(session), uri.clone(), tools.clone());
    let (document, options) = (document.clone(), options.clone());
    let epoch = session.prompts.epoch();
    let build = move || {
        let earlier = session.prompts.anchor(&uri);
        let prepared = complete::prepare(&tools, &document, offset, &options, earlier.as_ref())?;
        tracing::debug!(
            "prompt of {} tokens in {:?}, {}",
            prepared.prompt.trace.tokens(),
            prepared.build_time,
            prepared.reuse.words()
        );
        // What may be typed one day is nothing to go on from, nor what is closed.
        if trigger != Trigger::Ahead && session.document(&uri).is_some() {
            session.prompts.keep(&uri, prepared.anchor.clone(), epoch);
        }
        Ok(prepared)
    };
    let built = tokio::task::spawn_blocking(build).await;
    built.unwrap_or_else(|_| {
        Err(TaskError::Target("internal error: the prompt could not be built".to_owned()))
    })
}

/// `RequestFailed` of LSP 3.17: the request was sound, the model was not.
pub(super) fn failed(reason: &str) -> Error {
    let mut failed = Error::new(ErrorCode::ServerError(-32803));
    failed.message = reason.to_owned().into();
    failed
}

/// The answer to a request that the document left behind.
pub(super) fn moved_on() -> Error {
    Error::new(ErrorCode::ContentModified)
}
