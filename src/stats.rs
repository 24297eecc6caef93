//! Local counts of suggestions: shown, accepted, still there later, how fast, what the passes cut.
//!
//! They stay on this machine, in one file of the user's state folder, and hold numbers, days, and
//! names of models and passes: no text, no file, no project. Nothing is sent anywhere.

pub mod acceptance;
pub mod counts;
pub mod day;
pub mod histogram;
pub mod history;
pub mod standing;
pub mod store;
pub mod watch;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

pub use counts::{Counts, Event, How};
pub use day::Day;
pub use history::History;
pub use store::{Store, StoreError};
pub use watch::Watch;

/// The file is written at most this often, but for the end of the program.
const BETWEEN_WRITES: Duration = Duration::from_mins(1);

/// Counts of this process, added to the file once a minute and at the end. Any thread may count;
/// counting takes a lock for a few microseconds and never waits for the disk.
#[derive(Debug)]
pub struct Stats {
    shared: Arc<Shared>,
    enabled: AtomicBool,
    writer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    store: Option<Store>,
    state: Mutex<State>,
    /// Something was counted, or the end has come.
    changed: Condvar,
    /// Held while the file is written, so that what is counted meanwhile waits for nobody.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Not yet in the file.
    counted: History,
    model: Option<String>,
    closing: bool,
    /// Whether the log says that the file cannot be written.
    told: bool,
}

impl Stats {
    /// Counts into the file at `path`, if `enabled`; without a path, or while the file cannot be
    /// written, in memory alone, which the log says once.
    pub fn open(path: Option<PathBuf>, enabled: bool) -> Arc<Self> {
        let shared = Shared {
            store: path.map(Store::at),
            state: Mutex::default(),
            changed: Condvar::new(),
            writing: Mutex::default(),
        };
        Arc::new(Self {
            shared: Arc::new(shared),
            enabled: AtomicBool::new(enabled),
            writer: Mutex::default(),
        })
    }

    /// Counts what happened.
    pub fn record(&self, event: Event<'_>) {
        if !self.is_enabled() {
            return;
        }
        let today = Day::of(SystemTime::now());
        let first = {
            let State { counted, model, .. } = &mut *self.shared.state();
            let first = counted.is_empty();
            counted.record(today, model.as_deref(), event);
            first
        };
        if first {
            self.start_writing();
            self.shared.changed.notify_all();
        }
    }

    /// Names the model that what follows is counted for.
    pub fn set_model(&self, name: &str) {
        self.shared.state().model = Some(history::model_name(name));
    }

    /// Switches counting on or off; what is not yet in the file when it goes off is forgotten.
    pub fn set_enabled(&self, enabled: bool) {
        self.enabled.store(enabled, Ordering::Relaxed);
        if !enabled {
            self.shared.state().counted = History::default();
        }
    }

    /// Whether anything is counted.
    pub fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    /// Adds what was counted to the file now. Waits for the disk, and up to two seconds for another
    /// process: not for an async task. Needed only where the last owner is not dropped at the end.
    pub fn flush(&self) {
        self.shared.flush();
    }

    /// What this process counted and has not yet added to the file.
    pub fn pending(&self) -> History {
        self.shared.state().counted.clone()
    }

    /// Starts the thread that writes, unless it runs.
    fn start_writing(&self) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.is_some() || self.shared.store.is_none() {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name("stats".to_owned());
        match thread.spawn(move || shared.write_until_the_end()) {
            Ok(handle) => *writer = Some(handle),
            Err(error) => self.shared.tell_once(&format!("no thread to write them: {error}")),
        }
    }
}

impl Drop for Stats {
    fn drop(&mut self) {
        self.shared.state().closing = true;
        self.shared.changed.notify_all();
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // It writes what is left. Where it failed, so would this thread.
        if writer.is_none_or(|writer| writer.join().is_err()) {
            self.shared.flush();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Counts are in order after a panic too: each is one addition.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_until_the_end(&self) {
        loop {
            let idle = |state: &mut State| !state.closing && state.counted.is_empty();
            let state = self.changed.wait_while(self.state(), idle);
            let state = state.unwrap_or_else(PoisonError::into_inner);
            let open = |state: &mut State| !state.closing;
            let waited = self.changed.wait_timeout_while(state, BETWEEN_WRITES, open);
            let closing = waited.unwrap_or_else(PoisonError::into_inner).0.closing;
            self.flush();
            if closing {
                return;
            }
        }
    }

    fn flush(&self) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = std::mem::take(&mut self.state().counted);
        if counted.is_empty() {
            return;
        }
        let today = Day::of(SystemTime::now());
        let Some(store) = &self.store else {
            self.state().counted.merge(&counted, today);
            return self.tell_once("no folder to keep them in; set HOME or XDG_STATE_HOME");
        };
        match store.add(&counted, today) {
            Ok(None) => self.state().told = false,
            Ok(Some(set_aside)) => tracing::warn!(
                "counts of suggestions: {}; it was moved to {} and counting starts anew",
                set_aside.error,
                set_aside.path.display()
            ),
            Err(error) => {
                self.state().counted.merge(&counted, today);
                self.tell_once(&error.to_string());
            }
        }
    }

    fn tell_once(&self, reason: &str) {
        if !std::mem::replace(&mut self.state().told, true) {
            tracing::warn!(
                "counts of suggestions stay in memory: {reason}; `stats = false` turns them off"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent/stats.json");
        (folder, path)
    }

    fn read(path: &std::path::Path) -> History {
        Store::at(path.to_owned()).read(Day::of(SystemTime::now())).unwrap()
    }

    #[test]
    fn what_is_counted_is_in_the_file_at_the_end_whoever_counted_it() {
        let (_folder, path) = file();
        let editors =
            [Stats::open(Some(path.clone()), true), Stats::open(Some(path.clone()), true)];
        std::thread::scope(|scope| {
            for stats in &editors {
                stats.set_model("/models/tiny.gguf");
                for _ in 0..2 {
                    scope.spawn(|| {
                        for number in 0..50 {
                            stats.record(Event::Superseded);
                            if number % 20 == 0 {
                                stats.flush();
                            }
                        }
                    });
                }
            }
        });
        drop(editors);
        let history = read(&path);
        assert_eq!(history.total.superseded, 200);
        assert_eq!(history.models["tiny"].superseded, 200);
        assert_eq!(history.days.values().map(|day| day.superseded).sum::<u64>(), 200);
    }

    #[test]
    fn switched_off_nothing_is_counted_or_written() {
        let (folder, path) = file();
        let stats = Stats::open(Some(path.clone()), false);
        stats.record(Event::Failed);
        assert!(stats.pending().is_empty());
        stats.set_enabled(true);
        stats.record(Event::Failed);
        assert_eq!(stats.pending().total.failed, 1);
        stats.set_enabled(false);
        stats.flush();
        drop(stats);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_cannot_be_written_stays_in_memory_until_it_can() {
        let (folder, path) = file();
        std::fs::write(folder.path().join("agent"), "a file in place of the folder").unwrap();
        let stats = Stats::open(Some(path.clone()), true);
        stats.record(Event::Failed);
        stats.flush();
        stats.flush();
        assert_eq!(stats.pending().total.failed, 1);
        std::fs::remove_file(folder.path().join("agent")).unwrap();
        stats.record(Event::Failed);
        stats.flush();
        assert!(stats.pending().is_empty());
        assert_eq!(read(&path).total.failed, 2);
    }

    #[test]
    fn without_a_place_counting_goes_on_in_memory() {
        let stats = Stats::open(None, true);
        stats.record(Event::Failed);
        stats.flush();
        assert_eq!(stats.pending().total.failed, 1);
    }
}
