//! The project on disk: the only reader of source files. What is secret is never read.

mod build;
mod cache;
pub mod census;
pub mod exclude;
pub mod git;
mod history;
pub mod index;
pub mod modules;
mod scan;
pub mod secret;
mod stamp;
mod texts;
pub mod walk;
pub mod watch;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use crate::document::Document;
use crate::syntax::survey::survey_beside;
use build::Building;
use exclude::Exclusions;
use history::History;
use index::{ContentHash, Draft, Index};
use stamp::Stamp;
use texts::Texts;

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
    /// Texts that were asked for.
    texts: Mutex<Texts>,
    /// What the user wants no model to see.
    exclusions: RwLock<Arc<Exclusions>>,
    /// What git's history says; replaced after a build.
    history: RwLock<Arc<History>>,
    /// Held by the one build at a time.
    building: Mutex<Building>,
    /// Whether a build that was asked for has yet to begin.
    waiting: AtomicBool,
    /// How far the build is.
    reading: Mutex<Option<Reading>>,
    /// Says what other programs write, where the editor does not.
    watch: Mutex<Option<watch::Watch>>,
    /// Where indexes are kept between runs, if anywhere.
    cache: Option<PathBuf>,
}

/// How far a build of the index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Files read.
    pub done: usize,
    /// Files to be read.
    pub total: usize,
}

#[derive(Debug, Default)]
struct Changes {
    /// Files updated since the last build began: newer than what the build reads from disk.
    updated: HashSet<PathBuf>,
    /// Of the files whose text on disk is the one indexed; `None` for one so new that its stamp
    /// tells nothing.
    stamps: HashMap<Arc<Path>, Option<Stamp>>,
    /// Whether a file was forgotten that may be kept on disk.
    forgotten: bool,
}

/// What stands in the root of a project, apart from `Cargo.toml`.
const ROOT_MARKERS: [&str; 4] = [".git", "agent.toml", "pyproject.toml", "setup.py"];
/// What stands in the root of each package of a project: its root only where nothing else says so.
const PACKAGE_MARKERS: [&str; 7] = [
    "go.mod",
    "package.json",
    "tsconfig.json",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "CMakeLists.txt",
];

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
            texts: Mutex::default(),
            exclusions: RwLock::default(),
            history: RwLock::default(),
            building: Mutex::default(),
            waiting: AtomicBool::new(false),
            reading: Mutex::default(),
            watch: Mutex::default(),
            cache: None,
        }
    }

    /// The same, with its index kept in `folder` between runs.
    pub fn with_cache(mut self, folder: Option<PathBuf>) -> Self {
        self.cache = folder;
        self
    }

    /// The workspace a file belongs to: the nearest folder upwards with `.git`, `Cargo.toml` (its
    /// workspace root), `pyproject.toml`, `setup.py` or `agent.toml`; else the outermost one with a
    /// manifest of Go, JavaScript, Java or `CMake`; else the file's folder.
    pub fn of_file(path: &Path) -> Self {
        let folder = existing_folder(path);
        let is_package =
            |folder: &&Path| PACKAGE_MARKERS.iter().any(|marker| folder.join(marker).exists());
        let outermost = || folder.ancestors().filter(is_package).last().map(Path::to_owned);
        let root = folder.ancestors().find_map(project_root).or_else(outermost);
        let root = root.unwrap_or_else(|| folder.clone());
        Self::new(root)
    }

    /// How far the index is, while it is being built.
    pub fn reading(&self) -> Option<Reading> {
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut changes = self.changes();
        let mut next = Index::clone(&self.index());
        let mut named: Vec<PathBuf> = next.paths().into_iter().map(Path::to_owned).collect();
        named.retain(|path| exclusions.of(path).is_some());
        // The index is copied and shown once; from its end on, fewer files have to move up.
        for path in named.into_iter().rev() {
            next.remove(&path);
            changes.forgotten = true;
            changes.stamps.remove(&*path);
            changes.updated.insert(path);
        }
        self.publish(next);
        self.texts().clear();
        true
    }

    /// What the user wants no model to see.
    pub fn exclusions(&self) -> Arc<Exclusions> {
        Arc::clone(&self.exclusions.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The text of an indexed file (path relative to the workspace): the one that is indexed, or
    /// nothing where the file has changed since and the text is not remembered.
    pub fn text(&self, path: &Path) -> Option<Arc<str>> {
        let hash = self.index().file(path)?.hash;
        let known = self.texts().get(hash);
        if known.is_some() {
            return known;
        }
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        let text = open.or_else(|| walk::read(&self.root.join(path)).ok().map(Arc::from))?;
        if ContentHash::of(&text) != hash {
            return None;
        }
        self.texts().keep(hash, &text);
        Some(text)
    }

    fn texts(&self) -> MutexGuard<'_, Texts> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files (relative paths) that the last commits changed together with `path`, with the
    /// share of its changes in which they did (0 to 1), highest first; those that are indexed.
    pub fn changed_with(&self, path: &Path) -> Vec<(PathBuf, f32)> {
        let history = Arc::clone(&self.history.read().unwrap_or_else(PoisonError::into_inner));
        let index = self.index();
        let mut found = history.changed_with(path);
        found.retain(|(other, _)| index.holds(other));
        found
    }

    /// What is known now; a snapshot.
    pub fn index(&self) -> Arc<Index> {
        Arc::clone(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces what is known of one file; `None` forgets it. Files outside the workspace, secret
    /// or ignored ones, symbolic links and what is not worth reading are left out.
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
        let draft = tree.map(|tree| {
            // The next suggestion needs them too, and mostly they are those of the version before.
            let items = document.items().to_vec();
            let survey = survey_beside(tree, &document.text, items);
            Draft::of_survey(&relative, &document.text, tree.language(), survey)
        });
        if draft.is_some() {
            let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
            open.insert(relative.clone(), Arc::clone(&document.text));
        }
        self.replace(relative, draft);
        if let Some(language) = document.language().filter(|_| readable) {
            // What the next suggestion would have to wait for.
            language.prepare();
        }
    }

    fn replace(&self, relative: PathBuf, draft: Option<Draft>) {
        let mut changes = self.changes();
        let mut next = Index::clone(&self.index());
        if let Some(draft) = draft {
            next.insert_draft(draft);
        } else {
            changes.forgotten |= next.holds(&relative);
            next.remove(&relative);
        }
        self.publish(next);
        // The text on disk may be another one.
        changes.stamps.remove(&*relative);
        changes.updated.insert(relative);
    }

    /// Whether an open document's text is indexed for a file (relative path).
    fn is_open(&self, relative: &Path) -> bool {
        self.open.read().unwrap_or_else(PoisonError::into_inner).contains_key(relative)
    }

    fn is_worth_reading(&self, relative: &Path, text: &str) -> bool {
        !secret::is_secret_path(relative)
            && self.exclusions().of(relative).is_none()
            && text.len() as u64 <= walk::MAX_FILE_SIZE
            && walk::judge(text).is_none()
            && !self.is_link(relative)
            && (self.index().holds(relative) || !self.is_hidden_or_ignored(relative))
    }

    /// Whether a file (relative path) is a symbolic link: its text may be from outside.
    fn is_link(&self, relative: &Path) -> bool {
        self.root.join(relative).symlink_metadata().is_ok_and(|file| file.is_symlink())
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
mod tests;
