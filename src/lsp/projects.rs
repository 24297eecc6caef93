//! The workspaces of the open documents, indexed in the background.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::config::places;
use crate::workspace::exclude::Exclusions;
use crate::workspace::{Reading, Workspace};

/// The workspaces in use.
#[derive(Default)]
pub(super) struct Projects {
    state: Mutex<State>,
    /// Woken when more or less is known of them.
    changed: Arc<Notify>,
}

#[derive(Default)]
struct State {
    folders: Vec<PathBuf>,
    open: Vec<Arc<Workspace>>,
    /// Whether files are watched here, because the editor does not tell of changes.
    watches: bool,
}

impl Projects {
    /// None yet; `changed` is woken when more or less is known of them.
    pub(super) fn new(changed: Arc<Notify>) -> Self {
        Self { changed, ..Self::default() }
    }

    /// Takes the editor's folders; those already in use keep what is known of them.
    pub(super) fn set_folders(&self, folders: Vec<PathBuf>) {
        let mut state = self.state();
        state.folders = folders;
        let State { folders, open, .. } = &mut *state;
        open.retain(|workspace| folders.iter().any(|folder| folder == workspace.root()));
    }

    /// Adds and removes folders.
    pub(super) fn change_folders(&self, added: Vec<PathBuf>, removed: &[PathBuf]) {
        let mut folders = self.state().folders.clone();
        folders.retain(|folder| !removed.contains(folder));
        folders.extend(added);
        self.set_folders(folders);
    }

    /// Watches the files of every project from now on.
    pub(super) fn watch(&self) {
        let mut state = self.state();
        state.watches = true;
        for workspace in &state.open {
            watch(workspace);
        }
    }

    /// The first folder the editor opened.
    pub(super) fn first_folder(&self) -> Option<PathBuf> {
        self.state().folders.first().cloned()
    }

    /// Whether `root` lies in the editor's folders; without any, everything it opens is its own.
    pub(super) fn holds(&self, root: &Path) -> bool {
        let state = self.state();
        state.folders.is_empty() || state.folders.iter().any(|folder| root.starts_with(folder))
    }

    /// The workspace of a file: the innermost folder of the editor's around it, else the project
    /// the file lies in. One that is new is indexed in the background, without what `exclusions`
    /// says of its root.
    pub(super) fn of(
        &self,
        path: &Path,
        exclusions: &dyn Fn(&Path) -> Exclusions,
    ) -> Arc<Workspace> {
        if let Some(known) = self.known(path) {
            return known;
        }
        let folder = self.folder_of(path);
        let workspace = match folder {
            Some(folder) => Workspace::new(folder),
            None if path.is_absolute() => Workspace::of_file(path),
            // An unsaved document outside any folder belongs to no project.
            None => return Arc::new(Workspace::new(PathBuf::new())),
        };
        let workspace = Arc::new(workspace.with_cache(places::indexes()));
        workspace.exclude(exclusions(workspace.root()));
        let mut state = self.state();
        if let Some(raced) = state.open.iter().find(|open| open.root() == workspace.root()) {
            return Arc::clone(raced);
        }
        state.open.push(Arc::clone(&workspace));
        if state.watches {
            watch(&workspace);
        }
        drop(state);
        self.index(&workspace);
        workspace
    }

    /// Takes what is excluded now; projects in which that is something else are read anew. Whether
    /// there are any.
    pub(super) fn exclude(&self, exclusions: &dyn Fn(&Path) -> Exclusions) -> bool {
        let mut open = self.state().open.clone();
        open.retain(|open| open.exclude(exclusions(open.root())));
        for workspace in &open {
            self.index(workspace);
        }
        !open.is_empty()
    }

    /// How far the indexes are that are being built, all together.
    pub(super) fn reading(&self) -> Option<Reading> {
        let open = self.state().open.clone();
        let readings = open.iter().filter_map(|workspace| workspace.reading());
        readings.reduce(|a, b| Reading { done: a.done + b.done, total: a.total + b.total })
    }

    /// Files known, all workspaces together.
    pub(super) fn indexed_files(&self) -> usize {
        self.state().open.iter().map(|workspace| workspace.index().file_count()).sum()
    }

    /// Reads a workspace in the background.
    fn index(&self, workspace: &Arc<Workspace>) {
        let (workspace, changed) = (Arc::clone(workspace), Arc::clone(&self.changed));
        changed.notify_one();
        tokio::task::spawn_blocking(move || {
            workspace.build_index();
            changed.notify_one();
            tracing::info!("indexed {} files", workspace.index().file_count());
            workspace.save_index();
        });
    }

    fn folder_of(&self, path: &Path) -> Option<PathBuf> {
        let state = self.state();
        if path.is_relative() {
            return state.folders.first().cloned();
        }
        let around = state.folders.iter().filter(|folder| path.starts_with(folder));
        around.max_by_key(|folder| folder.as_os_str().len()).cloned()
    }

    fn known(&self, path: &Path) -> Option<Arc<Workspace>> {
        let folder = self.folder_of(path);
        let state = self.state();
        let fits = |workspace: &&Arc<Workspace>| match &folder {
            Some(folder) => workspace.root() == folder,
            None => path.is_absolute() && path.starts_with(workspace.root()),
        };
        state.open.iter().filter(fits).max_by_key(|open| open.root().as_os_str().len()).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches a workspace's files, from the background.
fn watch(workspace: &Arc<Workspace>) {
    let workspace = Arc::clone(workspace);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = workspace.watch() {
            tracing::warn!("{}: its files are not watched: {error}", workspace.root().display());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_editors_folders_hold_what_lies_in_them_and_no_more() {
        let projects = Projects::default();
        assert!(projects.holds(Path::new("/anywhere")));
        projects.set_folders(vec![PathBuf::from("/a"), PathBuf::from("/b")]);
        assert!(projects.holds(Path::new("/b")) && projects.holds(Path::new("/a/inner")));
        assert!(!projects.holds(Path::new("/ab")) && !projects.holds(Path::new("/")));
    }
}
