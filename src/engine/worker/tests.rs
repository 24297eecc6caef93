//! Order, cancellation and the end of the queue.

use super::*;
use crate::engine::Piece;

/// Notes its steps and saves; panics or fails on demand; reports which request it works on.
struct Fake {
    steps: Arc<Mutex<Vec<String>>>,
}

impl Model for Fake {
    fn answer(&mut self, turn: &Turn<'_>) -> Result<Usage, Interrupted> {
        let Some(Piece::Text(name)) = turn.request().pieces.first().cloned() else {
            return Err(EngineError::Request { message: "no text".to_owned() }.into());
        };
        assert!(name != "panic", "asked to");
        for _ in 0..turn.request().max_tokens {
            turn.between_steps(self)?;
            self.steps.lock().unwrap().push(name.clone());
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(Usage::default())
    }

    fn rest(&mut self) {
        self.steps.lock().unwrap().push("rested".to_owned());
    }

    fn save(&mut self) -> Result<(), EngineError> {
        self.steps.lock().unwrap().push("saved".to_owned());
        Ok(())
    }
}

fn request(name: &str, priority: Priority, max_tokens: usize) -> Request {
    Request {
        pieces: vec![Piece::Text(name.to_owned())],
        priority,
        max_tokens,
        ..Request::default()
    }
}

fn fake() -> (Queue, Arc<Mutex<Vec<String>>>) {
    let steps = Arc::default();
    (Queue::start(Fake { steps: Arc::clone(&steps) }), steps)
}

#[test]
fn a_panic_is_the_answer_and_the_queue_lives_on() {
    let (queue, _) = fake();
    let mut bad = queue.submit(request("panic", Priority::Interactive, 1));
    match bad.next_blocking() {
        Some(Event::Failed(EngineError::Compute { message })) => {
            assert!(message.contains("asked to"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    assert!(bad.next_blocking().is_none());
    let mut good = queue.submit(request("a", Priority::Interactive, 1));
    assert!(matches!(good.next_blocking(), Some(Event::Done(_))));
}

#[test]
fn an_interactive_request_goes_before_running_and_waiting_background_work() {
    let (queue, steps) = fake();
    let mut running = queue.submit(request("running", Priority::Background, 50));
    let mut waiting = queue.submit(request("waiting", Priority::Background, 1));
    while steps.lock().unwrap().is_empty() {
        std::thread::yield_now();
    }
    let mut urgent = queue.submit(request("urgent", Priority::Interactive, 3));
    assert!(matches!(urgent.next_blocking(), Some(Event::Done(_))));
    assert!(!steps.lock().unwrap().iter().any(|s| s == "waiting"));
    let Some(Event::Done(usage)) = running.next_blocking() else { panic!() };
    assert!(usage.queue_time >= Duration::from_millis(6), "{usage:?}");
    assert!(matches!(waiting.next_blocking(), Some(Event::Done(_))));
    let steps = steps.lock().unwrap();
    let urgent = steps.iter().position(|s| s == "urgent").unwrap();
    assert!(steps.iter().rposition(|s| s == "running").unwrap() > urgent);
    assert_eq!(steps.iter().filter(|s| *s == "running").count(), 50);
}

#[test]
fn a_dropped_answer_stops_the_work_and_a_dropped_waiting_one_never_starts() {
    let (queue, steps) = fake();
    let endless = queue.submit(request("endless", Priority::Interactive, usize::MAX));
    let skipped = queue.submit(request("skipped", Priority::Interactive, 1));
    while steps.lock().unwrap().is_empty() {
        std::thread::yield_now();
    }
    drop(skipped);
    drop(endless);
    let mut next = queue.submit(request("next", Priority::Interactive, 1));
    assert!(matches!(next.next_blocking(), Some(Event::Done(_))));
    assert!(!steps.lock().unwrap().iter().any(|s| s == "skipped"));
}

#[test]
fn what_is_queued_is_answered_after_the_last_handle_is_gone_and_then_the_thread_ends() {
    let (queue, steps) = fake();
    let mut answer = queue.submit(request("a", Priority::Background, 2));
    let shared = Arc::clone(&queue.handle.shared);
    drop(queue);
    assert!(matches!(answer.next_blocking(), Some(Event::Done(_))));
    while !shared.lock().stopped {
        std::thread::yield_now();
    }
    // The thread's own reference goes right after that.
    while Arc::strong_count(&shared) > 1 {
        std::thread::yield_now();
    }
    assert_eq!(*steps.lock().unwrap(), ["a", "a", "saved"]);
}

#[test]
fn without_work_it_saves_and_then_rests_once() {
    let (shared, steps) = (Shared::default(), Arc::<Mutex<Vec<String>>>::default());
    let (events, _kept) = unbounded_channel();
    let work = Work::Answer(request("a", Priority::Background, 1));
    shared.push(Job { work, events, queued: Instant::now() });
    let mut model = Fake { steps: Arc::clone(&steps) };
    let brief = Duration::from_millis(1);
    std::thread::scope(|scope| {
        scope.spawn(|| serve(&mut model, &shared, brief, brief));
        while steps.lock().unwrap().last().is_none_or(|step| step != "rested") {
            std::thread::yield_now();
        }
        std::thread::sleep(brief * 20);
        shared.lock().closed = true;
        shared.wake.notify_all();
    });
    assert_eq!(*steps.lock().unwrap(), ["a", "saved", "rested"]);
}

#[test]
fn saving_waits_for_its_turn_and_says_that_it_is_done() {
    let (queue, steps) = fake();
    let running = queue.submit(request("a", Priority::Interactive, 3));
    let mut saved = queue.save();
    assert!(matches!(saved.next_blocking(), Some(Event::Done(_))));
    assert_eq!(*steps.lock().unwrap(), ["a", "a", "a", "saved"]);
    drop(running);
}

#[test]
fn a_stopped_queue_says_so() {
    let (queue, _) = fake();
    queue.handle.shared.stop();
    let mut answer = queue.submit(request("a", Priority::Background, 2));
    assert!(matches!(answer.next_blocking(), Some(Event::Failed(EngineError::Stopped))));
}
