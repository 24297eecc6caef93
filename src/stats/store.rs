//! The counts on disk: one JSON file, to which several processes add under a lock.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::day::Day;
use super::history::{History, SCHEMA};

/// The largest file that is read, in bytes; about four times what can be written.
const MAX_FILE_SIZE: u64 = 4 << 20;
/// How long another process may hold the lock; each does for a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at a lock that is held.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);
/// How many files that could not be read are kept.
const MOST_SET_ASIDE: usize = 5;

/// The file, which need not exist.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
}

/// Why the file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder could not be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process did not let go of the lock in time.
    #[error("{}: held by another process", path.display())]
    Busy {
        /// The file that is locked.
        path: PathBuf,
    },
    /// The file is not what any version wrote.
    #[error("{}: damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where in the file.
        reason: String,
    },
    /// A later version wrote the file.
    #[error("{}: of a later version of this program (schema {schema}; this one reads {SCHEMA})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        schema: u64,
    },
}

/// A file that could not be read and was moved, so that counting could go on.
#[derive(Debug)]
pub struct SetAside {
    /// What is wrong with it.
    pub error: StoreError,
    /// Where it lies now.
    pub path: PathBuf,
}

impl Store {
    /// The counts kept at `path`, which ends in `.json`. Beside it lie a file for the lock and what
    /// was set aside.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was counted so far; nothing if there is no file.
    pub fn read(&self, today: Day) -> Result<History, StoreError> {
        let Some(text) = self.text()? else { return Ok(History::default()) };
        self.parse(&text, today)
    }

    /// Adds `counted` to the file, as of `today`: all of it or, on an error, nothing. A file that is
    /// damaged or of a later version is set aside first.
    pub fn add(&self, counted: &History, today: Day) -> Result<Option<SetAside>, StoreError> {
        let _lock = self.lock()?;
        let (mut history, set_aside) = match self.read(today) {
            Ok(history) => (history, None),
            Err(error @ (StoreError::Damaged { .. } | StoreError::Newer { .. })) => {
                let path = self.set_aside()?;
                (History::default(), Some(SetAside { error, path }))
            }
            Err(error) => return Err(error),
        };
        history.merge(counted, today);
        self.write(&history)?;
        Ok(set_aside)
    }

    /// Removes the file and those set aside; whether there was one.
    pub fn reset(&self) -> Result<bool, StoreError> {
        if !self.folder().exists() {
            return Ok(false);
        }
        let _lock = self.lock()?;
        let mut found = false;
        let set_aside = (1..=MOST_SET_ASIDE).map(|number| self.aside(number));
        for path in [self.path.clone()].into_iter().chain(set_aside) {
            match fs::remove_file(&path) {
                Ok(()) => found = true,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(source) => return Err(StoreError::Io { path, source }),
            }
        }
        Ok(found)
    }

    fn text(&self) -> Result<Option<String>, StoreError> {
        let io = |source| StoreError::Io { path: self.path.clone(), source };
        let metadata = match fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(io)?,
        };
        // A device in its place would never end, a named pipe not even open.
        if !metadata.is_file() {
            return Err(io(io::Error::other("not a regular file")));
        }
        let mut bytes = Vec::new();
        let file = File::open(&self.path).map_err(io)?;
        file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() as u64 > MAX_FILE_SIZE {
            return Err(self.damaged(format!("larger than {MAX_FILE_SIZE} bytes")));
        }
        String::from_utf8(bytes).map(Some).map_err(|error| self.damaged(error.to_string()))
    }

    fn parse(&self, text: &str, today: Day) -> Result<History, StoreError> {
        /// What every version writes.
        #[derive(Deserialize)]
        struct Heading {
            schema: u64,
        }
        let damaged = |error: serde_json::Error| self.damaged(error.to_string());
        let Heading { schema } = serde_json::from_str(text).map_err(damaged)?;
        if schema > u64::from(SCHEMA) {
            return Err(StoreError::Newer { path: self.path.clone(), schema });
        }
        let read: History = serde_json::from_str(text).map_err(damaged)?;
        // Names and days in the file may be any: those of a sum are bounded.
        let mut history = History::default();
        history.merge(&read, today);
        Ok(history)
    }

    fn damaged(&self, reason: String) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), reason }
    }

    /// Replaces the file at once: a reader sees the old or the new one. Private to the user (0600).
    fn write(&self, history: &History) -> Result<(), StoreError> {
        let write = || {
            let mut file = tempfile::Builder::new().prefix(".stats-").tempfile_in(self.folder())?;
            let text = serde_json::to_string(history).map_err(io::Error::other)?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map_err(|error| error.error)
        };
        write().map(drop).map_err(|source| StoreError::Io { path: self.path.clone(), source })
    }

    /// Makes the folder and takes the lock, which goes with the file that is returned. The lock is
    /// a file of its own, since the other one is replaced.
    fn lock(&self) -> Result<File, StoreError> {
        let path = self.path.with_extension("lock");
        let io = |source| StoreError::Io { path: path.clone(), source };
        fs::create_dir_all(self.folder())
            .map_err(|source| StoreError::Io { path: self.folder().to_owned(), source })?;
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                    std::thread::sleep(BETWEEN_LOOKS);
                }
                Err(TryLockError::WouldBlock) => return Err(StoreError::Busy { path }),
                Err(TryLockError::Error(source)) => return Err(io(source)),
            }
        }
    }

    /// Moves the file out of the way; the last place is used again when all are taken.
    fn set_aside(&self) -> Result<PathBuf, StoreError> {
        let free = (1..MOST_SET_ASIDE).map(|number| self.aside(number)).find(|path| !path.exists());
        let path = free.unwrap_or_else(|| self.aside(MOST_SET_ASIDE));
        match fs::rename(&self.path, &path) {
            Ok(()) => Ok(path),
            Err(source) => Err(StoreError::Io { path: self.path.clone(), source }),
        }
    }

    fn aside(&self, number: usize) -> PathBuf {
        self.path.with_extension(format!("set-aside-{number}.json"))
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::counts::Event;

    fn today() -> Day {
        "2026-11-22".parse().unwrap()
    }

    fn counted(failed: u64) -> History {
        let mut history = History::default();
        (0..failed).for_each(|_| history.record(today(), Some("tiny"), Event::Failed));
        history
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("state/agent/stats.json"));
        (folder, store)
    }

    #[test]
    fn what_is_added_is_read_back_and_adds_up() {
        let (_folder, store) = store();
        assert!(store.read(today()).unwrap().is_empty());
        assert!(store.add(&counted(2), today()).unwrap().is_none());
        store.add(&counted(3), today()).unwrap();
        assert_eq!(store.read(today()).unwrap(), counted(5));
    }

    #[test]
    fn many_that_write_at_once_lose_nothing() {
        let (_folder, store) = store();
        let add = || {
            for _ in 0..10 {
                // A slow machine may keep one waiting for longer than it has patience.
                while let Err(error) = store.add(&counted(1), today()) {
                    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
                }
            }
        };
        std::thread::scope(|scope| (0..4).for_each(|_| _ = scope.spawn(add)));
        assert_eq!(store.read(today()).unwrap(), counted(40));
    }

    #[test]
    fn a_damaged_file_is_set_aside_with_its_text_and_counting_goes_on() {
        let damaged: [&[u8]; 6] = [
            b"",
            b"{",
            b"[]",
            b"\xff\xfe",
            br#"{"schema":1,"days":{"x":{}}}"#,
            br#"{"schema":-1}"#,
        ];
        for text in damaged {
            let (_folder, store) = store();
            fs::create_dir_all(store.folder()).unwrap();
            fs::write(store.path(), text).unwrap();
            assert!(matches!(store.read(today()), Err(StoreError::Damaged { .. })));
            assert_eq!(fs::read(store.path()).unwrap(), text, "reading changes nothing");
            let set_aside = store.add(&counted(1), today()).unwrap().unwrap();
            assert!(set_aside.error.to_string().contains("stats.json: damaged"));
            assert_eq!(fs::read(&set_aside.path).unwrap(), text);
            assert_eq!(store.read(today()).unwrap(), counted(1));
        }
    }

    #[test]
    fn a_file_of_a_later_version_is_set_aside_however_it_looks_inside() {
        let (_folder, store) = store();
        fs::create_dir_all(store.folder()).unwrap();
        fs::write(store.path(), r#"{"schema":2,"total":"elsewhere"}"#).unwrap();
        let set_aside = store.add(&counted(1), today()).unwrap().unwrap();
        assert!(matches!(set_aside.error, StoreError::Newer { schema: 2, .. }));
        assert_eq!(store.read(today()).unwrap(), counted(1));
    }

    #[test]
    fn what_is_set_aside_stays_bounded_and_goes_with_a_reset() {
        let (_folder, store) = store();
        assert!(!store.reset().unwrap());
        fs::create_dir_all(store.folder()).unwrap();
        for _ in 0..2 * MOST_SET_ASIDE {
            fs::write(store.path(), "?").unwrap();
            store.add(&counted(1), today()).unwrap().unwrap();
        }
        let files = || fs::read_dir(store.folder()).unwrap().count();
        assert_eq!(files(), MOST_SET_ASIDE + 2, "the counts, the lock and those set aside");
        assert!(store.reset().unwrap());
        assert_eq!(files(), 1, "the lock stays");
        assert!(store.read(today()).unwrap().is_empty());
    }

    #[test]
    fn a_file_too_large_is_damaged_and_a_folder_in_its_place_an_error() {
        let (_folder, store) = store();
        fs::create_dir_all(store.folder()).unwrap();
        fs::write(store.path(), vec![b' '; MAX_FILE_SIZE as usize + 1]).unwrap();
        assert!(matches!(store.read(today()), Err(StoreError::Damaged { .. })));
        fs::remove_file(store.path()).unwrap();
        fs::create_dir(store.path()).unwrap();
        let error = store.add(&counted(1), today()).unwrap_err();
        assert!(error.to_string().ends_with("not a regular file"), "{error}");
    }

    #[test]
    fn a_lock_that_is_never_let_go_is_an_error_and_no_hang() {
        let (_folder, store) = store();
        let held = store.lock().unwrap();
        assert!(matches!(store.add(&counted(1), today()), Err(StoreError::Busy { .. })));
        drop(held);
        store.add(&counted(1), today()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private_and_a_folder_that_cannot_be_made_is_named() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, store) = store();
        store.add(&counted(1), today()).unwrap();
        let mode = fs::metadata(store.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let below_a_file = Store::at(store.path().join("stats.json"));
        let error = below_a_file.add(&counted(1), today()).unwrap_err().to_string();
        assert!(error.contains(&folder.path().display().to_string()), "{error}");
    }
}
