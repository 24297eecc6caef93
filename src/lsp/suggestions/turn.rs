//! One suggestion at a time on a machine: two editors, each with its server, take turns, so that
//! none gets half of the processors.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

/// How often it is looked whether the other one is done.
const PAUSE: Duration = Duration::from_millis(10);

/// The turn; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Turn(Option<File>);

impl Drop for Turn {
    fn drop(&mut self) {
        // Closing the file would do it, too, but on some systems not at once.
        if let Some(Err(error)) = self.0.as_ref().map(File::unlock) {
            tracing::debug!("a turn was not given back: {error}");
        }
    }
}

/// Waits for the turn, `patience` at most: then, and where no file can be locked, it is taken
/// without.
pub(crate) async fn turn(folder: Option<&Path>, patience: Duration) -> Turn {
    let Some(file) = folder.and_then(open) else { return Turn(None) };
    let end = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Turn(Some(file)),
            Err(TryLockError::WouldBlock) if Instant::now() < end => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(_) => return Turn(None),
        }
    }
}

fn open(folder: &Path) -> Option<File> {
    std::fs::create_dir_all(folder).ok()?;
    let path = folder.join("turn.lock");
    File::options().create(true).truncate(false).write(true).open(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_waits_for_the_first_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let first = turn(Some(folder.path()), Duration::ZERO).await;
        assert!(first.0.is_some());
        let impatient = turn(Some(folder.path()), PAUSE * 3).await;
        assert!(impatient.0.is_none());
        let waiting = turn(Some(folder.path()), Duration::from_secs(20));
        let (second, ()) = tokio::join!(waiting, async {
            tokio::time::sleep(PAUSE * 2).await;
            drop(first);
        });
        assert!(second.0.is_some());
        assert!(turn(None, PAUSE).await.0.is_none());
    }
}
