//! The one thread that owns the model: queue, priorities, cancellation.
//!
//! Interactive requests go first and pre-empt background work: a background request asks between
//! two steps whether somebody waits and, if so, answers them before it goes on. A request whose
//! [`Generation`] was dropped is skipped, or stops at its next step. A panic in the model becomes
//! the answer of the request that met it. The thread ends when the last handle is gone and the
//! queue is empty.

use std::any::Any;
use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::probe::{Finding, Probe};
use super::{EngineError, Event, Generation, Priority, Request, Usage};

/// After this long without work, what the model remembers is saved, if it is a model that does.
const IDLE: Duration = Duration::from_secs(20);
/// And after this long, most of it is forgotten: somebody else on the machine has use for the
/// memory, such as the same program for another editor.
const AWAY: Duration = Duration::from_mins(5);

/// What the worker thread runs: a model, or something that stands in for one.
pub(super) trait Model {
    /// Called once, on the thread that all answers are given on.
    fn started(&mut self) {}

    /// Answers the request of `turn`, sending its events through it, except the last one. Calls
    /// [`Turn::between_steps`] at least once per token and per chunk of the prompt.
    fn answer(&mut self, turn: &Turn<'_>) -> Result<Usage, Interrupted>;

    /// Looks at the model from inside, for measurements and comparisons.
    fn probe(&mut self, _probe: &Probe) -> Result<Finding, EngineError> {
        Err(EngineError::Request { message: "there is no model to be measured".to_owned() })
    }

    /// Forgets most of what it remembers.
    fn rest(&mut self) {}

    /// Keeps what it remembers for the next run of the program, if it is one that does.
    fn save(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Why a request ended early.
#[derive(Debug)]
pub(super) enum Interrupted {
    /// Nobody wants the answer any more.
    Cancelled,
    /// It failed.
    Failed(EngineError),
}

impl From<EngineError> for Interrupted {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

/// A handle to the worker's queue. The last one to go ends the thread.
#[derive(Debug, Clone)]
pub struct Queue {
    handle: Arc<Handle>,
}

impl Queue {
    /// Starts a thread that runs `model`.
    pub(super) fn start<M: Model + Send + 'static>(mut model: M) -> Self {
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("agent-model".to_owned()).spawn(move || {
            let stopped = StopOnDrop(&for_thread);
            model.started();
            serve(&mut model, stopped.0, IDLE, AWAY);
        });
        if let Err(error) = thread {
            tracing::error!("the model's thread could not be started: {error}");
            shared.stop();
        }
        Self { handle: Arc::new(Handle { shared }) }
    }

    /// Queues a request.
    pub fn submit(&self, request: Request) -> Generation {
        self.push(Work::Answer(request))
    }

    /// Queues saving what the model remembers.
    pub fn save(&self) -> Generation {
        self.push(Work::Save)
    }

    fn push(&self, work: Work) -> Generation {
        let (events, receiver) = unbounded_channel();
        self.handle.shared.push(Job { work, events, queued: Instant::now() });
        Generation::new(receiver)
    }

    /// Queues a probe and waits for what it finds.
    pub fn probe(&self, probe: Probe) -> Result<Finding, EngineError> {
        let (found, receiver) = channel();
        // Nobody reads its events: what it finds goes another way.
        drop(self.push(Work::Probe(probe, found)));
        receiver.recv().unwrap_or(Err(EngineError::Stopped))
    }
}

/// A request being answered.
pub(super) struct Turn<'a> {
    job: &'a Job,
    request: &'a Request,
    shared: &'a Shared,
    /// Time spent on those it gave way to.
    paused: &'a Cell<Duration>,
}

impl Turn<'_> {
    /// What is asked.
    pub(super) fn request(&self) -> &Request {
        self.request
    }

    /// Sends an event to whoever asked.
    pub(super) fn send(&self, event: Event) -> Result<(), Interrupted> {
        self.job.events.send(event).map_err(|_| Interrupted::Cancelled)
    }

    /// Whether a step that has begun had better be given up: nobody wants its result any more, or a
    /// person waits. [`Self::between_steps`] then says which. Takes a few nanoseconds.
    pub(super) fn interrupted(&self) -> bool {
        let gives_way = self.request.priority == Priority::Background;
        self.job.events.is_closed()
            || gives_way && self.shared.interactive_waiting.load(Ordering::Relaxed) > 0
    }

    /// To be called between two steps: ends a cancelled request, and lets a background one give
    /// way to those a person waits for. They are answered by the same `model`, which must
    /// therefore be between two steps, too. Returns how long that took.
    pub(super) fn between_steps(&self, model: &mut dyn Model) -> Result<Duration, Interrupted> {
        let start = Instant::now();
        if self.request.priority == Priority::Background {
            while let Some(job) = self.shared.take_interactive() {
                run(model, &job, self.shared);
            }
        }
        let pause = start.elapsed();
        self.paused.set(self.paused.get() + pause);
        if self.job.events.is_closed() {
            return Err(Interrupted::Cancelled);
        }
        Ok(pause)
    }
}

/// Answers until there is nobody left who could ask; saves after some time without work, and before
/// the end, and rests when it gets longer.
fn serve(model: &mut dyn Model, shared: &Shared, idle: Duration, away: Duration) {
    /// What is yet to be done when nothing else is.
    enum Due {
        Save,
        Rest,
        Nothing,
    }
    let mut due = Due::Nothing;
    loop {
        let patience = match due {
            Due::Save => Some(idle),
            Due::Rest => Some(away),
            Due::Nothing => None,
        };
        match (shared.wait(patience), &due) {
            (Next::Job(job), _) => {
                run(model, &job, shared);
                due = Due::Save;
            }
            (Next::Nothing, Due::Save) => {
                save(model);
                due = Due::Rest;
            }
            (Next::Nothing, _) => {
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| model.rest())) {
                    tracing::warn!("{}", panicked(&*panic));
                }
                due = Due::Nothing;
            }
            (Next::End, Due::Save) => return save(model),
            (Next::End, _) => return,
        }
    }
}

fn run(model: &mut dyn Model, job: &Job, shared: &Shared) {
    if let Work::Probe(probe, found) = &job.work {
        let finding = catch_unwind(AssertUnwindSafe(|| model.probe(probe)));
        // Whoever asked may be gone by now, which is fine.
        let _ = found.send(finding.unwrap_or_else(|panic| Err(panicked(&*panic))));
        return;
    }
    if job.events.is_closed() {
        return;
    }
    let started = Instant::now();
    let paused = Cell::default();
    let work = || match &job.work {
        Work::Answer(request) => model.answer(&Turn { job, request, shared, paused: &paused }),
        Work::Save => Ok(model.save().map(|()| Usage::default())?),
        Work::Probe(..) => Ok(Usage::default()),
    };
    // What a panic leaves behind is the request's own state, which goes with it: a model takes
    // what it works on out of its caches and puts it back when it is consistent.
    let last = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(usage)) => Event::Done(Usage {
            queue_time: started.duration_since(job.queued) + paused.get(),
            ..usage
        }),
        Ok(Err(Interrupted::Cancelled)) => return,
        Ok(Err(Interrupted::Failed(error))) => Event::Failed(error),
        Err(panic) => Event::Failed(panicked(&*panic)),
    };
    // The receiver may be gone by now, which is fine.
    let _ = job.events.send(last);
}

/// Saves without being asked to; only the log hears of it.
fn save(model: &mut dyn Model) {
    match catch_unwind(AssertUnwindSafe(|| model.save())) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("{error}"),
        Err(panic) => tracing::warn!("{}", panicked(&*panic)),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> EngineError {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown");
    EngineError::Compute { message: format!("internal error: {text}") }
}

/// What the worker does next.
enum Next {
    Job(Job),
    /// There has been nothing to do for a while.
    Nothing,
    /// There can be nothing to do any more.
    End,
}

#[derive(Debug)]
enum Work {
    Answer(Request),
    Save,
    /// What to look at, and where to say what was found.
    Probe(Probe, Sender<Result<Finding, EngineError>>),
}

impl Work {
    fn priority(&self) -> Priority {
        match self {
            Self::Answer(request) => request.priority,
            Self::Save | Self::Probe(..) => Priority::Background,
        }
    }
}

#[derive(Debug)]
struct Job {
    work: Work,
    events: UnboundedSender<Event>,
    queued: Instant,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_all();
    }
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// How many interactive jobs wait, for those who would rather not lock.
    interactive_waiting: AtomicUsize,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    interactive: VecDeque<Job>,
    background: VecDeque<Job>,
    /// No handle is left.
    closed: bool,
    /// The thread is gone.
    stopped: bool,
}

impl Shared {
    fn push(&self, job: Job) {
        let mut state = self.lock();
        if state.stopped {
            let _ = job.events.send(Event::Failed(EngineError::Stopped));
            return;
        }
        match job.work.priority() {
            Priority::Interactive => state.interactive.push_back(job),
            Priority::Background => state.background.push_back(job),
        }
        self.count(&state);
        drop(state);
        self.wake.notify_one();
    }

    /// The next job; nothing if none comes within `patience`.
    fn wait(&self, patience: Option<Duration>) -> Next {
        let start = Instant::now();
        let mut state = self.lock();
        loop {
            let next = state.interactive.pop_front().or_else(|| state.background.pop_front());
            if let Some(job) = next {
                self.count(&state);
                return Next::Job(job);
            }
            if state.closed {
                return Next::End;
            }
            state = match patience.map(|patience| patience.checked_sub(start.elapsed())) {
                None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(None) => return Next::Nothing,
                Some(Some(left)) => {
                    self.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn take_interactive(&self) -> Option<Job> {
        if self.interactive_waiting.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut state = self.lock();
        let next = state.interactive.pop_front();
        self.count(&state);
        next
    }

    /// To be called after each change, before the lock is given back.
    fn count(&self, state: &State) {
        self.interactive_waiting.store(state.interactive.len(), Ordering::Relaxed);
    }

    fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        let left: Vec<Job> = std::mem::take(&mut state.interactive)
            .into_iter()
            .chain(std::mem::take(&mut state.background))
            .collect();
        self.count(&state);
        drop(state);
        for job in left {
            let _ = job.events.send(Event::Failed(EngineError::Stopped));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under the lock, and a queue is consistent after each call.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers what is left in the queue, however the thread ends.
struct StopOnDrop<'a>(&'a Shared);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests;
