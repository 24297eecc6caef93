//! The threads of a pass: they go through all of it together and wait for each other at its seams.
//!
//! A thread that waits spins for a while, since the next step is microseconds away; then it offers
//! its processor to others at every turn, so that a busy machine is not held up; between two passes
//! it sleeps.
#![expect(unsafe_code, reason = "a pass lends its stack to the threads for as long as it runs")]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::thread::{JoinHandle, Thread};

/// Turns of a busy loop before a waiting thread begins to offer its processor: some 20 µs.
const SPINS: u32 = 2_000;

/// Turns after which a thread without work goes to sleep: with the offers between them at least
/// a millisecond, so that it is awake for the next token.
const IDLE: u32 = 20_000;

/// A fixed number of threads, the caller's own included.
#[derive(Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

/// One thread's place in a pass.
#[derive(Debug)]
pub(crate) struct Member<'a> {
    /// Which of the threads this is.
    pub index: usize,
    /// How many there are.
    pub threads: usize,
    shared: &'a Shared,
}

type Work<'a> = dyn Fn(&Member<'_>) + Sync + 'a;

#[derive(Debug)]
struct Shared {
    threads: usize,
    /// Counts the passes; a change wakes the workers.
    pass: Line<AtomicUsize>,
    /// What the pass does: a pointer to a `&Work` on the caller's stack.
    work: AtomicPtr<()>,
    /// Workers that have not yet finished the pass.
    busy: Line<AtomicUsize>,
    /// Workers asleep, or about to be.
    sleeping: AtomicUsize,
    /// Members that have reached the next seam, and how many seams there were.
    arrived: Line<AtomicUsize>,
    seams: Line<AtomicUsize>,
    /// A member panicked: nobody may wait for it.
    broken: AtomicBool,
    stop: AtomicBool,
}

/// On a cache line of its own (two, where lines are fetched in pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line<T>(T);

impl Pool {
    /// Starts `threads - 1` threads; where the system refuses, there are fewer.
    pub(crate) fn new(threads: usize) -> Self {
        let wanted = threads.max(1);
        // The number of threads has to be known to them all, so those that start wait for it.
        let (ready, shares): (Vec<_>, Vec<_>) =
            (1..wanted).map(|_| std::sync::mpsc::channel::<Arc<Shared>>()).unzip();
        let mut workers = Vec::new();
        for (index, share) in shares.into_iter().enumerate() {
            let thread = std::thread::Builder::new().name("agent-compute".to_owned());
            let started = thread.spawn(move || {
                if let Ok(shared) = share.recv() {
                    attend(&shared, index + 1);
                }
            });
            match started {
                Ok(worker) => workers.push(worker),
                Err(error) => {
                    tracing::warn!("computing with {} threads: {error}", index + 1);
                    break;
                }
            }
        }
        let shared = Arc::new(Shared {
            threads: workers.len() + 1,
            pass: Line::default(),
            work: AtomicPtr::new(std::ptr::null_mut()),
            busy: Line::default(),
            sleeping: AtomicUsize::new(0),
            arrived: Line::default(),
            seams: Line::default(),
            broken: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        for ready in ready.iter().take(workers.len()) {
            // A thread that is gone already is found out at the first pass.
            let _ = ready.send(Arc::clone(&shared));
        }
        Self { shared, workers }
    }

    /// Number of threads.
    pub(crate) fn threads(&self) -> usize {
        self.shared.threads
    }

    /// Runs `work` once on every thread, this one included, and returns when all are done. A panic
    /// on any of them is passed on.
    ///
    /// It takes `&mut self`: two passes at a time would wait at each other's seams.
    pub(crate) fn run(&mut self, work: &Work<'_>) {
        let shared = &*self.shared;
        let mut work = work;
        let pointer: *mut &Work<'_> = &raw mut work;
        shared.busy.0.store(self.workers.len(), Ordering::Relaxed);
        shared.work.store(pointer.cast(), Ordering::Relaxed);
        shared.pass.0.fetch_add(1, Ordering::SeqCst);
        if shared.sleeping.load(Ordering::SeqCst) > 0 {
            self.workers.iter().map(JoinHandle::thread).for_each(Thread::unpark);
        }
        let own = shared.attempt(work, 0);
        // The workers use what lies on this stack until then, also after a panic.
        wait_until(|| shared.busy.0.load(Ordering::Acquire) == 0);
        let broken = shared.broken.swap(false, Ordering::Relaxed);
        shared.arrived.0.store(0, Ordering::Relaxed);
        match own {
            Err(panic) => resume_unwind(panic),
            Ok(()) => assert!(!broken, "a thread of the pass failed"),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.pass.0.fetch_add(1, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // It cannot have panicked: what it runs is caught.
            let _ = worker.join();
        }
    }
}

impl Member<'_> {
    /// Waits until all threads are here; what any of them wrote before, all see after.
    pub(crate) fn seam(&self) {
        let shared = self.shared;
        if shared.threads == 1 {
            return;
        }
        let seam = shared.seams.0.load(Ordering::Relaxed);
        if shared.arrived.0.fetch_add(1, Ordering::AcqRel) + 1 == shared.threads {
            shared.arrived.0.store(0, Ordering::Relaxed);
            shared.seams.0.store(seam.wrapping_add(1), Ordering::Release);
            return;
        }
        wait_until(|| {
            shared.seams.0.load(Ordering::Acquire) != seam || shared.broken.load(Ordering::Relaxed)
        });
        assert!(!shared.broken.load(Ordering::Relaxed), "another thread of the pass failed");
    }
}

impl Shared {
    fn attempt(&self, work: &Work<'_>, index: usize) -> Result<(), Box<dyn Any + Send>> {
        let member = Member { index, threads: self.threads, shared: self };
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&member)));
        if outcome.is_err() {
            self.broken.store(true, Ordering::Relaxed);
        }
        outcome
    }
}

/// The life of a worker.
fn attend(shared: &Shared, index: usize) {
    let mut seen = 0;
    loop {
        wait_for_work(shared, seen);
        seen = seen.wrapping_add(1);
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        let work = shared.work.load(Ordering::Relaxed).cast::<&Work<'_>>();
        // SAFETY: `run` stored it before it raised `pass`, which was seen to be raised, and stays
        // until `busy` is 0, which this thread is still counted in.
        let work = unsafe { *work };
        // What it was is told by `broken`; the payload of the caller's own thread is passed on.
        let _ = shared.attempt(work, index);
        shared.busy.0.fetch_sub(1, Ordering::Release);
    }
}

fn wait_for_work(shared: &Shared, seen: usize) {
    let come = || shared.pass.0.load(Ordering::SeqCst) != seen;
    for turn in 0..IDLE {
        if come() {
            return;
        }
        rest(turn);
    }
    // Announced before the last look: who raises `pass` after it sees a sleeper to wake.
    shared.sleeping.fetch_add(1, Ordering::SeqCst);
    while !come() {
        std::thread::park();
    }
    shared.sleeping.fetch_sub(1, Ordering::SeqCst);
}

fn wait_until(done: impl Fn() -> bool) {
    let mut turn = 0;
    while !done() {
        rest(turn);
        turn = turn.saturating_add(1);
    }
}

fn rest(turn: u32) {
    if turn < SPINS {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn every_thread_runs_once_and_seams_order_what_they_write() {
        for threads in 1..=5 {
            let mut pool = Pool::new(threads);
            assert_eq!(pool.threads(), threads);
            for _ in 0..200 {
                let counts: Vec<AtomicUsize> = (0..threads).map(|_| AtomicUsize::new(0)).collect();
                pool.run(&|member| {
                    for step in 1..=3 {
                        counts[member.index].fetch_add(1, Ordering::Relaxed);
                        member.seam();
                        assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) >= step));
                        member.seam();
                    }
                });
                assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) == 3));
            }
        }
    }

    #[test]
    fn a_panic_on_any_thread_is_passed_on_and_the_pool_lives() {
        let mut pool = Pool::new(3);
        for index in 0..3 {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                pool.run(&|member| {
                    assert!(member.index != index, "asked to");
                    member.seam();
                });
            }));
            assert!(outcome.is_err());
            let seen = Mutex::new(Vec::new());
            pool.run(&|member| {
                member.seam();
                seen.lock().unwrap().push(member.index);
            });
            let mut seen = seen.into_inner().unwrap();
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2]);
        }
    }

    #[test]
    fn threads_that_fell_asleep_are_woken() {
        let mut pool = Pool::new(2);
        pool.run(&|_| {});
        while pool.shared.sleeping.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        let count = AtomicUsize::new(0);
        pool.run(&|member| {
            count.fetch_add(1, Ordering::Relaxed);
            member.seam();
        });
        assert_eq!(count.into_inner(), 2);
    }
}
