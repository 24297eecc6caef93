//! Parts of a step, shared out among threads: each has a run of neighbouring parts to itself, and
//! one that is done helps another from the far end.
//!
//! Neighbouring parts are neighbouring memory. What a thread fetches ahead is then what it reads
//! next, where parts dealt out one by one would leave it to another thread.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which parts of one step are taken.
#[derive(Debug)]
pub(super) struct Shares {
    /// By thread.
    runs: Box<[Run]>,
}

/// How many parts are taken of a run: from its start in the lower half, from its end in the upper.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Run(AtomicU64);

impl Shares {
    /// For so many threads; nothing is taken.
    pub(super) fn new(threads: usize) -> Self {
        Self { runs: (0..threads).map(|_| Run::default()).collect() }
    }

    /// Nothing is taken any more.
    pub(super) fn reset(&self) {
        self.runs.iter().for_each(|run| run.0.store(0, Ordering::Relaxed));
    }

    /// The next of `parts` parts for the thread of that index; each is given once. All threads say
    /// the same number.
    pub(super) fn take(&self, thread: usize, parts: usize) -> Option<usize> {
        let threads = self.runs.len();
        (0..threads).find_map(|step| {
            let owner = (thread + step) % threads;
            let run = run(owner, threads, parts);
            let taken = self.runs.get(owner)?.take(run.len(), step == 0)?;
            Some(if step == 0 { run.start + taken } else { run.end - 1 - taken })
        })
    }
}

/// The parts that are a thread's own.
pub(super) fn run(thread: usize, threads: usize, parts: usize) -> Range<usize> {
    parts * thread / threads..parts * (thread + 1) / threads
}

impl Run {
    /// Takes one of `length` parts; how many were taken before from that end.
    fn take(&self, length: usize, from_start: bool) -> Option<usize> {
        let taken = |both: u64| ((both & 0xffff_ffff) as usize, (both >> 32) as usize);
        let next = |both| {
            let (start, end) = taken(both);
            let one = if from_start { 1 } else { 1 << 32 };
            (start + end < length).then_some(both + one)
        };
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        let (start, end) = taken(before);
        Some(if from_start { start } else { end })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_thread_takes_its_own_parts_in_order_and_then_those_of_others_from_their_end() {
        let shares = Shares::new(2);
        let taken: Vec<_> = std::iter::from_fn(|| shares.take(0, 7)).collect();
        assert_eq!(taken, [0, 1, 2, 6, 5, 4, 3]);
        assert_eq!(shares.take(1, 7), None);
        shares.reset();
        assert_eq!(shares.take(1, 7), Some(3));
        assert_eq!(shares.take(0, 7), Some(0));
        assert_eq!(Shares::new(3).take(1, 0), None);
    }

    #[test]
    fn every_part_is_given_once_whoever_asks() {
        for (threads, parts) in [(1, 5), (2, 1), (3, 2), (3, 100), (4, 37)] {
            let shares = Shares::new(threads);
            let all = Mutex::new(Vec::new());
            std::thread::scope(|scope| {
                for thread in 0..threads {
                    let (shares, all) = (&shares, &all);
                    scope.spawn(move || {
                        while let Some(part) = shares.take(thread, parts) {
                            all.lock().unwrap().push(part);
                        }
                    });
                }
            });
            let mut all = all.into_inner().unwrap();
            all.sort_unstable();
            assert_eq!(all, (0..parts).collect::<Vec<_>>(), "{threads} threads");
        }
    }
}
