//! Bringing the index up to what is on disk, and keeping it there.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::cache::{self, Cache};
use super::history::History;
use super::index::{Draft, Index};
use super::scan::{self, Outcome, Unread};
use super::stamp::Stamp;
use super::walk::{self, Found};
use super::{Changes, Reading, Workspace};

/// How often a build that takes long shows what it has found so far.
const SHOW_EVERY: Duration = Duration::from_secs(2);
/// The index is written anew when one file in so many is not as written.
const UNSAVED_SHARE: usize = 64;

/// What builds leave for the next one.
#[derive(Debug, Default)]
pub(super) struct Building {
    /// Whether there was a build.
    started: bool,
    /// Number of files in which what is kept on disk falls behind the index.
    unsaved: usize,
    /// Whether what is kept on disk holds files that are no longer to be known.
    holds_too_much: bool,
}

/// What a build found, to be put into the index at once.
#[derive(Debug, Default)]
struct Batch {
    changed: Vec<Draft>,
    gone: Vec<Arc<Path>>,
    stamps: Vec<(Arc<Path>, Option<Stamp>)>,
}

impl Batch {
    fn add(&mut self, draft: Draft) -> Arc<Path> {
        let path = Arc::clone(draft.path());
        self.changed.push(draft);
        path
    }
}

/// Says how far a build is, until it ends in whatever way.
struct Announced<'w> {
    workspace: &'w Workspace,
    total: usize,
}

impl<'w> Announced<'w> {
    fn new(workspace: &'w Workspace, total: usize) -> Self {
        let announced = Self { workspace, total };
        announced.read(0);
        announced
    }

    fn read(&self, done: usize) {
        self.set(Some(Reading { done, total: self.total }));
    }

    fn set(&self, reading: Option<Reading>) {
        *self.workspace.reading.lock().unwrap_or_else(PoisonError::into_inner) = reading;
    }
}

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        self.set(None);
    }
}

impl Workspace {
    /// Brings the index up to what is on disk: reads and indexes every file worth reading whose
    /// size or times, then content, are not those of the last time, and forgets those that are gone
    /// or not to be read any more. Takes as long as it takes: call it off the paths that answer an
    /// editor. Open documents, and updates made meanwhile, win over what is on disk. Git's history
    /// is read beside.
    pub fn build_index(&self) {
        let mut building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        // What happens from here on is for the next build: history too is read after this.
        self.waiting.store(false, Ordering::SeqCst);
        std::thread::scope(|scope| {
            let history = std::thread::Builder::new().spawn_scoped(scope, || self.read_history());
            self.read_files(&mut building);
            if history.is_err() {
                self.read_history();
            }
        });
    }

    fn read_files(&self, building: &mut Building) {
        self.changes().updated.clear();
        let now = SystemTime::now();
        let mut found = walk::list(&self.root);
        let exclusions = self.exclusions();
        found.retain(|one| exclusions.of(&one.path).is_none());
        let is_found = |path: &Path| found.binary_search_by(|one| (*one.path).cmp(path)).is_ok();

        let folder = self.cache.as_deref().filter(|_| !building.started);
        let cache = folder.and_then(|folder| Cache::load(folder, &self.root));
        building.started = true;
        let index = self.index();
        let mut batch = Batch::default();
        let indexed = index.files().map(|file| &file.path);
        batch.gone.extend(indexed.filter(|path| !is_found(path)).cloned());
        let mut kept_on_disk = cache.iter().flat_map(Cache::paths);
        building.holds_too_much |= !batch.gone.is_empty() || kept_on_disk.any(|p| !is_found(p));

        let unread = self.unread(&found, &index);
        let reading = Announced::new(self, unread.len());
        let mut shown = Instant::now();
        scan::read_all(&self.root, &unread, cache.as_ref(), |place, outcome| {
            let Some(file) = unread.get(place) else { return };
            reading.read(place + 1);
            let kept = cache.as_ref().and_then(|cache| cache.get(file.path));
            let path = match outcome {
                Outcome::Same => file.path.into(),
                Outcome::Kept(draft) => {
                    let is_as_kept = kept.is_some_and(|kept| kept.stamp == Some(file.stamp));
                    building.unsaved += usize::from(!is_as_kept);
                    batch.add(*draft)
                }
                Outcome::Changed(draft) => {
                    building.unsaved += 1;
                    batch.add(*draft)
                }
                Outcome::Left => {
                    building.holds_too_much |= kept.is_some() || file.known.is_some();
                    return batch.gone.push(file.path.into());
                }
            };
            batch.stamps.push((path, Some(file.stamp).filter(|stamp| stamp.is_settled(now))));
            if shown.elapsed() > SHOW_EVERY {
                self.show(std::mem::take(&mut batch));
                shown = Instant::now();
            }
        });
        self.show(batch);
    }

    /// Learns which files change together, if there are other commits than the last time.
    fn read_history(&self) {
        let known = Arc::clone(&self.history.read().unwrap_or_else(PoisonError::into_inner));
        if let Some(history) = History::read(&self.root, &known) {
            let mut current = self.history.write().unwrap_or_else(PoisonError::into_inner);
            *current = Arc::new(history);
        }
    }

    /// The same after something happened that may have changed many files, such as a switch of
    /// branches; returns at once where such a build has yet to begin.
    pub fn refresh_index(&self) {
        if !self.waiting.swap(true, Ordering::SeqCst) {
            self.build_index();
        }
    }

    /// Keeps the index for the next run, if what is kept has fallen behind so far that reading the
    /// difference would take longer than writing everything, or holds what it should not.
    pub fn save_index(&self) {
        let Some(folder) = &self.cache else { return };
        let mut building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changes = self.changes();
        building.holds_too_much |= std::mem::take(&mut changes.forgotten);
        let index = self.index();
        let behind = building.unsaved * UNSAVED_SHARE > index.file_count();
        if !behind && !building.holds_too_much {
            return;
        }
        let stamps = changes.stamps.clone();
        drop(changes);
        match cache::save(folder, &self.root, &index, &stamps) {
            Ok(()) => *building = Building { started: true, ..Building::default() },
            Err(error) => tracing::warn!("{}: the index is not kept: {error}", folder.display()),
        }
    }

    /// The files whose stamps say that they may not be as indexed.
    fn unread<'f>(&self, found: &'f [Found], index: &Index) -> Vec<Unread<'f>> {
        let changes = self.changes();
        let unread = found.iter().filter_map(|one| {
            let known = index.file(&one.path);
            let stamp = known.and_then(|_| *changes.stamps.get(&*one.path)?);
            let known = known.map(|file| file.hash);
            let changed = stamp != Some(one.stamp);
            changed.then_some(Unread { path: &one.path, stamp: one.stamp, known })
        });
        unread.collect()
    }

    /// Puts in what a build found, except where something newer is known.
    fn show(&self, batch: Batch) {
        let mut changes = self.changes();
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let exclusions = self.exclusions();
        let mut next = Index::clone(&self.index());
        let Changes { updated, stamps, .. } = &mut *changes;
        let takes = |path: &Path| !updated.contains(path) && !open.contains_key(path);
        let reads = |path: &Path| takes(path) && exclusions.of(path).is_none();
        for draft in batch.changed.into_iter().filter(|draft| reads(draft.path())) {
            stamps.remove(draft.path());
            next.insert_draft(draft);
        }
        for path in batch.gone.iter().filter(|path| takes(path)) {
            stamps.remove(path);
            next.remove(path);
        }
        stamps.extend(batch.stamps.into_iter().filter(|(path, _)| reads(path)));
        drop(open);
        self.publish(next);
    }
}
