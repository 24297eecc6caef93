//! The project on disk: the only reader of source files. What is secret is never read.

mod cache;
pub mod census;
pub mod exclude;
pub mod git;
pub mod index;
pub mod modules;
mod scan;
pub mod secret;
mod stamp;
pub mod walk;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use crate::document::Document;
use cache::Cache;
use exclude::Exclusions;
use index::{ContentHash, Draft, Index};
use scan::{Outcome, Unread};
use stamp::Stamp;

/// A project folder and what is known of it.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    /// Asked for at every key stroke; the answer comes from git's files.
    name: OnceLock<String>,
    /// The current snapshot; locked for no longer than it takes to copy or replace the reference.
    index: RwLock<Arc<Index>>,
    /// Held while the next snapshot is made.
    changes: Mutex<Changes>,
    /// Texts of open documents that were indexed; what is on disk may be another one.
    open: RwLock<HashMap<PathBuf, Arc<str>>>,
    /// What the user wants no model to see.
    exclusions: RwLock<Arc<Exclusions>>,
    /// Held by the one build at a time.
    building: Mutex<Building>,
    /// Where indexes are kept between runs, if anywhere.
    cache: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct Building {
    /// Whether there was a build.
    started: bool,
    /// Number of files in which what is kept on disk falls behind the index.
    unsaved: usize,
    /// Whether what is kept on disk holds files that are no longer to be known.
    holds_too_much: bool,
}

#[derive(Debug, Default)]
struct Changes {
    /// Files updated since the last build began: newer than what the build reads from disk.
    updated: HashSet<PathBuf>,
    /// Of the files whose text on disk is the one indexed; `None` for one so new that its stamp
    /// tells nothing.
    stamps: HashMap<Arc<Path>, Option<Stamp>>,
}

/// What a build found, to be put into the index at once.
#[derive(Debug, Default)]
struct Batch {
    changed: Vec<Draft>,
    gone: Vec<Arc<Path>>,
    stamps: Vec<(Arc<Path>, Option<Stamp>)>,
}

/// How often a build that takes long shows what it has found so far.
const SHOW_EVERY: Duration = Duration::from_secs(2);
/// The index is written anew when one file in so many is not as written.
const UNSAVED_SHARE: usize = 64;

/// What stands in the root of a project, apart from `Cargo.toml`.
const ROOT_MARKERS: [&str; 4] = [".git", "agent.toml", "pyproject.toml", "setup.py"];

impl Batch {
    fn add(&mut self, draft: Draft) -> Arc<Path> {
        let path = Arc::clone(draft.path());
        self.changed.push(draft);
        path
    }
}

impl Workspace {
    /// The workspace at `root`, with nothing indexed yet. The path is made canonical where it
    /// exists.
    pub fn new(root: PathBuf) -> Self {
        let root = root.canonicalize().unwrap_or(root);
        Self {
            root,
            name: OnceLock::new(),
            index: RwLock::default(),
            changes: Mutex::default(),
            open: RwLock::default(),
            exclusions: RwLock::default(),
            building: Mutex::default(),
            cache: None,
        }
    }

    /// The same, with its index kept in `folder` between runs.
    pub fn with_cache(mut self, folder: Option<PathBuf>) -> Self {
        self.cache = folder;
        self
    }

    /// The workspace a file belongs to: the nearest folder upwards with `.git`, `Cargo.toml` (its
    /// workspace root), `pyproject.toml`, `setup.py` or `agent.toml`; else the file's folder.
    pub fn of_file(path: &Path) -> Self {
        let folder = existing_folder(path);
        let root = folder.ancestors().find_map(project_root).unwrap_or_else(|| folder.clone());
        Self::new(root)
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The name for prompts: the repository's, else the folder's; found out once.
    pub fn name(&self) -> &str {
        self.name.get_or_init(|| {
            git::repository_name(&self.root)
                .or_else(|| Some(self.root.file_name()?.to_string_lossy().into_owned()))
                .unwrap_or_else(|| "project".to_owned())
        })
    }

    /// `path` relative to the workspace; `None` outside of it. Symbolic links in the path to the
    /// file's folder are resolved, so a link cannot pass for a file of the workspace.
    pub fn relative(&self, path: &Path) -> Option<PathBuf> {
        let path = if path.is_absolute() { path.to_owned() } else { self.root.join(path) };
        let folder = existing_folder(&path);
        // What does not exist yet stays as written, provided that it leads nowhere else.
        let rest = path.ancestors().find_map(|ancestor| {
            let exists = ancestor.canonicalize().is_ok_and(|real| real == folder);
            exists.then(|| path.strip_prefix(ancestor).ok()).flatten()
        })?;
        let inside = rest.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let relative = folder.strip_prefix(&self.root).ok()?.join(rest);
        (inside && !relative.as_os_str().is_empty()).then_some(relative)
    }

    /// Forgets the files that `exclusions` name, and leaves them out from now on. Says whether that
    /// is a change; files that may be read again are found by the next [`build_index`].
    ///
    /// [`build_index`]: Self::build_index
    pub fn exclude(&self, exclusions: Exclusions) -> bool {
        if *self.exclusions() == exclusions {
            return false;
        }
        let exclusions = Arc::new(exclusions);
        let mut current = self.exclusions.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::clone(&exclusions);
        drop(current);
        let index = self.index();
        let named = index.paths().into_iter().filter(|path| exclusions.of(path).is_some());
        for path in named {
            self.replace(path.to_owned(), None);
        }
        true
    }

    /// What the user wants no model to see.
    pub fn exclusions(&self) -> Arc<Exclusions> {
        Arc::clone(&self.exclusions.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The text of an indexed file (path relative to the workspace): the one that is indexed, or
    /// nothing where the file has changed since.
    pub fn text(&self, path: &Path) -> Option<Arc<str>> {
        let hash = self.index().file(path)?.hash;
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        let text = open.or_else(|| walk::read(&self.root.join(path)).ok().map(Arc::from))?;
        (ContentHash::of(&text) == hash).then_some(text)
    }

    /// What is known now; a snapshot.
    pub fn index(&self) -> Arc<Index> {
        Arc::clone(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Brings the index up to what is on disk: reads and indexes every file worth reading whose
    /// size or times, then content, are not those of the last time, and forgets those that are gone
    /// or not to be read any more. Takes as long as it takes: call it off the paths that answer an
    /// editor. Updates made meanwhile win over what is on disk.
    pub fn build_index(&self) {
        let mut building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        self.changes().updated.clear();
        let now = SystemTime::now();
        let mut found = walk::list(&self.root);
        let exclusions = self.exclusions();
        found.retain(|one| exclusions.of(&one.path).is_none());
        let is_found = |path: &Path| found.binary_search_by(|one| (*one.path).cmp(path)).is_ok();

        let folder = self.cache.as_deref().filter(|_| !building.started);
        let cache = folder.and_then(|folder| Cache::load(folder, &self.root));
        let index = self.index();
        let mut batch = Batch::default();
        let indexed = index.files().map(|file| &file.path);
        batch.gone.extend(indexed.filter(|path| !is_found(path)).cloned());
        let mut kept_on_disk = cache.iter().flat_map(Cache::paths);
        building.holds_too_much |= !batch.gone.is_empty() || kept_on_disk.any(|p| !is_found(p));
        building.started = true;

        let changes = self.changes();
        let unread: Vec<Unread<'_>> = found
            .iter()
            .filter_map(|one| {
                let known = index.file(&one.path);
                let stamp = known.and_then(|_| *changes.stamps.get(&*one.path)?);
                let known = known.map(|file| file.hash);
                let changed = stamp != Some(one.stamp);
                changed.then_some(Unread { path: &one.path, stamp: one.stamp, known })
            })
            .collect();
        drop(changes);

        let mut shown = Instant::now();
        scan::read_all(&self.root, &unread, cache.as_ref(), |place, outcome| {
            let Some(file) = unread.get(place) else { return };
            let path = match outcome {
                Outcome::Same => Arc::from(file.path),
                Outcome::Kept(draft) => batch.add(*draft),
                Outcome::Changed(draft) => {
                    building.unsaved += 1;
                    batch.add(*draft)
                }
                Outcome::Left => {
                    let kept = cache.as_ref().is_some_and(|cache| cache.get(file.path).is_some());
                    building.holds_too_much |= kept || file.known.is_some();
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

    /// Keeps the index for the next run, if what is kept has fallen behind so far that reading the
    /// difference would take longer than writing everything, or holds what it should not.
    pub fn save_index(&self) {
        let Some(folder) = &self.cache else { return };
        let mut building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let index = self.index();
        let behind = building.unsaved * UNSAVED_SHARE > index.file_count();
        if !behind && !building.holds_too_much {
            return;
        }
        let stamps = self.changes().stamps.clone();
        match cache::save(folder, &self.root, &index, &stamps) {
            Ok(()) => *building = Building { started: true, ..Building::default() },
            Err(error) => tracing::warn!("{}: the index is not kept: {error}", folder.display()),
        }
    }

    /// Puts in what a build found, except where an update is newer.
    fn show(&self, batch: Batch) {
        let mut changes = self.changes();
        let mut next = Index::clone(&self.index());
        let Changes { updated, stamps } = &mut *changes;
        for draft in batch.changed.into_iter().filter(|draft| !updated.contains(&**draft.path())) {
            stamps.remove(draft.path());
            next.insert_draft(draft);
        }
        for path in batch.gone.iter().filter(|path| !updated.contains(&***path)) {
            stamps.remove(path);
            next.remove(path);
        }
        stamps.extend(batch.stamps.into_iter().filter(|(path, _)| !updated.contains(&**path)));
        self.publish(next);
    }

    /// Replaces what is known of one file; `None` forgets it. Files outside the workspace, secret
    /// or ignored ones and what is not worth reading are left out.
    pub fn update(&self, path: &Path, text: Option<&str>) {
        let Some(relative) = self.relative(path) else { return };
        let text = text.filter(|text| self.is_worth_reading(&relative, text));
        let draft = text.and_then(|text| Draft::read(&relative, text));
        self.open.write().unwrap_or_else(PoisonError::into_inner).remove(&relative);
        self.replace(relative, draft);
    }

    /// Replaces what is known of an open document's file, as [`update`](Self::update) does,
    /// without parsing it again.
    pub fn update_document(&self, document: &Document) {
        let Some(relative) = self.relative(&document.path) else { return };
        let readable = self.is_worth_reading(&relative, &document.text);
        let tree = document.tree.as_ref().filter(|_| readable);
        let draft = tree.map(|tree| Draft::of_tree(&relative, &document.text, tree));
        if draft.is_some() {
            let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
            open.insert(relative.clone(), Arc::clone(&document.text));
        }
        self.replace(relative, draft);
    }

    fn replace(&self, relative: PathBuf, draft: Option<Draft>) {
        let mut changes = self.changes();
        let mut next = Index::clone(&self.index());
        match draft {
            Some(draft) => next.insert_draft(draft),
            None => next.remove(&relative),
        }
        self.publish(next);
        // The text on disk may be another one.
        changes.stamps.remove(&*relative);
        changes.updated.insert(relative);
    }

    fn is_worth_reading(&self, relative: &Path, text: &str) -> bool {
        !secret::is_secret_path(relative)
            && self.exclusions().of(relative).is_none()
            && text.len() as u64 <= walk::MAX_FILE_SIZE
            && walk::judge(text).is_none()
            && (self.index().holds(relative) || !self.is_hidden_or_ignored(relative))
    }

    fn is_hidden_or_ignored(&self, relative: &Path) -> bool {
        let hidden =
            relative.components().any(|part| part.as_os_str().to_string_lossy().starts_with('.'));
        hidden || git::is_ignored(&self.root.join(relative))
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, next: Index) {
        let next = Arc::new(next);
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *index, next);
        // Freeing what only the old one held takes time that no reader should wait for.
        drop(index);
        drop(old);
    }
}

/// The folder of `path`, or the nearest one above it that exists; canonical.
fn existing_folder(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let start = if absolute.is_dir() { Some(absolute.as_path()) } else { absolute.parent() };
    start
        .and_then(|folder| folder.ancestors().find_map(|ancestor| ancestor.canonicalize().ok()))
        .unwrap_or(absolute)
}

/// The root of the project that `folder` is the top of, if it is one.
fn project_root(folder: &Path) -> Option<PathBuf> {
    if folder.join("Cargo.toml").is_file() {
        return Some(cargo_workspace(folder));
    }
    let marked = ROOT_MARKERS.iter().any(|marker| folder.join(marker).exists());
    marked.then(|| folder.to_owned())
}

/// The root of the cargo workspace that the package in `folder` is part of: the nearest manifest
/// upwards, within the same repository, with a `[workspace]` table; else the folder itself.
fn cargo_workspace(folder: &Path) -> PathBuf {
    for ancestor in folder.ancestors() {
        let manifest = walk::read(&ancestor.join("Cargo.toml")).unwrap_or_default();
        let declares = manifest.lines().any(|line| {
            let line = line.trim();
            line.starts_with("[workspace]") || line.starts_with("[workspace.")
        });
        if declares {
            return ancestor.to_owned();
        }
        if ancestor.join(".git").exists() {
            break;
        }
    }
    folder.to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = folder.path().canonicalize().unwrap();
        (folder, root)
    }

    #[test]
    fn the_nearest_project_folder_is_the_root() {
        let (_folder, root) = tree(&[
            ("agent.toml", ""),
            ("py/pyproject.toml", ""),
            ("py/src/shop/cart.py", ""),
            ("loose/a.py", ""),
            ("rust/Cargo.toml", "[workspace]\nmembers = [\"a\"]\n"),
            ("rust/a/Cargo.toml", "[package]\nname = \"a\"\n"),
            ("rust/a/src/lib.rs", ""),
        ]);
        let of = |path: &str| Workspace::of_file(&root.join(path)).root().to_owned();
        assert_eq!(of("py/src/shop/cart.py"), root.join("py"));
        assert_eq!(of("py/src/not/yet/there.py"), root.join("py"));
        assert_eq!(of("loose/a.py"), root);
        assert_eq!(of("rust/a/src/lib.rs"), root.join("rust"));
        let (_folder, root) = tree(&[("a.py", "")]);
        assert_eq!(Workspace::of_file(&root.join("a.py")).root(), root);
    }

    #[test]
    fn paths_are_relative_to_the_root_and_never_lead_outside() {
        let (_folder, root) = tree(&[("a/b.py", ""), ("other/c.py", "")]);
        let workspace = Workspace::new(root.join("a"));
        assert_eq!(workspace.relative(&root.join("a/b.py")), Some("b.py".into()));
        assert_eq!(workspace.relative(&root.join("a/new/d.py")), Some("new/d.py".into()));
        assert_eq!(workspace.relative(&root.join("other/c.py")), None);
        assert_eq!(workspace.relative(&root.join("a/../other/c.py")), None);
        assert_eq!(workspace.relative(&root.join("a/new/../../other/c.py")), None);
        assert_eq!(workspace.relative(&root.join("a")), None);
    }

    #[test]
    fn building_reads_what_may_be_read() {
        let (_folder, root) = tree(&[
            (".gitignore", "ignored.py\n"),
            ("a.py", "def a():\n    pass\n"),
            ("sub/b.rs", "fn b() {}\n"),
            ("ignored.py", "def c():\n    pass\n"),
        ]);
        let workspace = Workspace::new(root);
        workspace.build_index();
        let index = workspace.index();
        assert_eq!(index.paths(), [Path::new("a.py"), Path::new("sub/b.rs")]);
        assert_eq!(index.named("b").count(), 1);
    }

    #[test]
    fn an_update_is_seen_in_the_next_snapshot_only() {
        let (_folder, root) = tree(&[("a.py", "def a():\n    pass\n"), (".gitignore", "no.py\n")]);
        git2::Repository::init(&root).unwrap();
        let workspace = Workspace::new(root.clone());
        workspace.build_index();
        let before = workspace.index();
        workspace.update(&root.join("a.py"), Some("def b():\n    pass\n"));
        workspace.update(&root.join("no.py"), Some("def c():\n    pass\n"));
        workspace.update(&root.join(".hidden.py"), Some("def d():\n    pass\n"));
        workspace.update(Path::new("/elsewhere/e.py"), Some("def e():\n    pass\n"));
        let after = workspace.index();
        assert_eq!((before.named("a").count(), before.named("b").count()), (1, 0));
        assert_eq!((after.named("a").count(), after.named("b").count()), (0, 1));
        assert_eq!(after.file_count(), 1);
        workspace.update(&root.join("a.py"), None);
        assert_eq!(workspace.index().file_count(), 0);
    }

    #[test]
    fn excluded_files_are_forgotten_and_come_back_when_they_are_not_any_more() {
        let (_folder, root) =
            tree(&[("a.py", "def a():\n    pass\n"), ("vendor/b.py", "def b():\n    pass\n")]);
        let workspace = Workspace::new(root.clone());
        workspace.build_index();
        assert_eq!(workspace.index().file_count(), 2);
        let exclusions = Exclusions::new(&["vendor/".to_owned()]);
        assert!(workspace.exclude(exclusions.clone()) && !workspace.exclude(exclusions));
        assert_eq!(workspace.index().paths(), [Path::new("a.py")]);
        workspace.build_index();
        workspace.update(&root.join("vendor/b.py"), Some("def c():\n    pass\n"));
        assert_eq!(workspace.index().paths(), [Path::new("a.py")]);
        assert!(workspace.exclude(Exclusions::default()));
        workspace.build_index();
        assert_eq!(workspace.index().file_count(), 2);
    }

    #[test]
    fn the_text_of_a_file_is_the_one_that_is_indexed() {
        let (_folder, root) = tree(&[("a.py", "def a():\n    pass\n"), ("b.py", "x = 1\n")]);
        let workspace = Workspace::new(root.clone());
        workspace.build_index();
        let text = |path: &str| workspace.text(Path::new(path));
        assert_eq!(text("a.py").as_deref(), Some("def a():\n    pass\n"));
        let unsaved = "def a():\n    return 1\n".to_owned();
        let document = Document::new(root.join("a.py"), None, 2, unsaved.clone());
        workspace.update_document(&document);
        assert_eq!(text("a.py"), Some(unsaved.into()));
        fs::write(root.join("b.py"), "x = 2\n").unwrap();
        assert_eq!((text("b.py"), text("none.py")), (None, None));
        workspace.update(&root.join("a.py"), Some("def a():\n    pass\n"));
        assert_eq!(text("a.py").as_deref(), Some("def a():\n    pass\n"));
    }
}
