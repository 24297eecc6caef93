//! Reading files in parallel, handed over in their order.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::cache::{Cache, Cached};
use super::index::{ContentHash, Draft};
use super::stamp::Stamp;
use super::walk;

/// The most threads that read at once.
const MAX_THREADS: usize = 8;
/// The most files that wait to be handed over.
const MAX_WAITING: usize = 64;

/// A file that has to be looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unread<'f> {
    /// Relative to the workspace.
    pub(super) path: &'f Path,
    /// What the file system says of it.
    pub(super) stamp: Stamp,
    /// Of the text that is indexed.
    pub(super) known: Option<ContentHash>,
}

/// What reading a file gave.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The text is the one that is known.
    Same,
    /// It holds this, as it did when it was last kept in the cache.
    Kept(Box<Draft>),
    /// It holds this.
    Changed(Box<Draft>),
    /// It is not to be read, or could not be.
    Left,
}

/// Reads each of `files` below `root`, or takes what `cache` holds of it where that is the same, and
/// calls `each` on this thread with its place in `files`, in their order.
pub(super) fn read_all(
    root: &Path,
    files: &[Unread<'_>],
    cache: Option<&Cache>,
    mut each: impl FnMut(usize, Outcome),
) {
    let next = AtomicUsize::new(0);
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = available.min(MAX_THREADS).min(files.len());
    let (sender, receiver) = mpsc::sync_channel(MAX_WAITING);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(place) else { return };
                    if sender.send((place, read(root, file, cache))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (place, outcome) in receiver {
            early.insert(place, outcome);
            while let Some(outcome) = early.remove(&due) {
                each(due, outcome);
                due += 1;
            }
        }
    });
}

fn read(root: &Path, file: &Unread<'_>, cache: Option<&Cache>) -> Outcome {
    let kept = cache.and_then(|cache| Some((cache, cache.get(file.path)?)));
    let draft = |fits: &dyn Fn(&Cached) -> bool| {
        let (cache, _) = kept.filter(|(_, cached)| fits(cached))?;
        Some(Outcome::Kept(Box::new(cache.draft(file.path)?)))
    };
    if let Some(kept) = draft(&|cached| cached.stamp == Some(file.stamp)) {
        return kept;
    }
    let Ok(text) = walk::read(&root.join(file.path)) else { return Outcome::Left };
    if file.known.is_some() || kept.is_some() {
        let hash = ContentHash::of(&text);
        if file.known == Some(hash) {
            return Outcome::Same;
        }
        if let Some(kept) = draft(&|cached| cached.hash == hash) {
            return kept;
        }
    }
    Draft::read(file.path, &text).map_or(Outcome::Left, |draft| Outcome::Changed(Box::new(draft)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_come_in_order_and_say_what_changed() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..50).map(|n| format!("a{n}.py")).collect();
        for (n, name) in names.iter().enumerate() {
            std::fs::write(folder.path().join(name), format!("x{n} = 1\n")).unwrap();
        }
        std::fs::remove_file(folder.path().join(&names[7])).unwrap();
        let stamp = Stamp { modified: 0, changed: 0, size: 0 };
        let known = |n| (n == 3).then(|| ContentHash::of("x3 = 1\n"));
        let unread = |(n, name)| Unread { path: Path::new(name), stamp, known: known(n) };
        let files: Vec<_> = names.iter().enumerate().map(unread).collect();
        let mut seen = Vec::new();
        read_all(folder.path(), &files, None, |place, outcome| seen.push((place, outcome)));
        assert!(seen.iter().map(|(place, _)| *place).eq(0..50));
        for (place, outcome) in seen {
            let right = match place {
                3 => matches!(outcome, Outcome::Same),
                7 => matches!(outcome, Outcome::Left),
                _ => matches!(outcome, Outcome::Changed(_)),
            };
            assert!(right, "{place}: {outcome:?}");
        }
    }
}
