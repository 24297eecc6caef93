//! Following what other programs write, for editors that do not tell.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::{Workspace, git, walk};
use crate::syntax::Language;

/// How long nothing has to happen before changes are looked at: programs write in bursts.
const QUIET: Duration = Duration::from_millis(300);
/// How long changes wait at most.
const PATIENCE: Duration = Duration::from_secs(3);
/// So many changed files are found faster by looking at all.
const MANY: usize = 64;
/// Whether a folder's watch covers the folders in it. Where the system watches folder by folder,
/// those with ignored files, often the largest, are not watched.
const WATCHES_WHOLE_TREES: bool = cfg!(any(target_os = "macos", windows));

/// What the system needs to watch; it stops when this is dropped.
pub(super) type Watch = Arc<Mutex<RecommendedWatcher>>;

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct WatchError(#[from] notify::Error);

impl Workspace {
    /// Watches the files from now on, as long as the workspace lives; changes are taken over on a
    /// thread of its own.
    pub fn watch(self: &Arc<Self>) -> Result<(), WatchError> {
        let (sender, receiver) = mpsc::channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // Nobody listens any more when the workspace is gone.
            _ = sender.send(event);
        })?;
        watch_folders(&mut watcher, self.root(), self.root())?;
        let watch = Arc::new(Mutex::new(watcher));
        let (workspace, watcher) = (Arc::downgrade(self), Arc::downgrade(&watch));
        std::thread::Builder::new()
            .name("file watch".to_owned())
            .spawn(move || follow(&workspace, &watcher, &receiver))
            .map_err(notify::Error::io)?;
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
        Ok(())
    }

    /// Whether files in the folder `path` are indexed.
    fn holds_below(&self, path: &Path) -> bool {
        let Some(relative) = self.relative(path) else { return false };
        self.index().below(&relative).any(|file| *file.path != relative)
    }

    /// Takes over what other programs wrote: these files, or whatever differs if they are many or
    /// say that git switched branches. Open documents are known better and stay.
    pub fn take_changes(&self, paths: &[PathBuf]) {
        if paths.len() > MANY || paths.iter().any(|path| git::is_head(path)) {
            self.refresh_index();
            self.save_index();
            return;
        }
        for path in paths {
            let Some(relative) = self.relative(path) else { continue };
            if !self.is_open(&relative) {
                self.update(path, walk::read(path).ok().as_deref());
            }
        }
    }
}

/// Takes changes over until the watcher or the workspace is gone.
fn follow(
    workspace: &Weak<Workspace>,
    watcher: &Weak<Mutex<RecommendedWatcher>>,
    events: &Receiver<notify::Result<Event>>,
) {
    while let Ok(first) = events.recv() {
        let mut paths = BTreeSet::new();
        let mut lost = note(first, &mut paths);
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            match events.recv_timeout(QUIET) {
                Ok(event) => lost |= note(event, &mut paths),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        let (Some(workspace), Some(watcher)) = (workspace.upgrade(), watcher.upgrade()) else {
            return;
        };
        let is_new_folder = |path: &PathBuf| path.is_dir() && !git::is_ignored(path);
        let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
            paths.into_iter().partition(is_new_folder);
        for folder in folders.iter().filter(|_| !WATCHES_WHOLE_TREES) {
            let mut watcher = watcher.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = watch_folders(&mut watcher, workspace.root(), folder) {
                tracing::warn!("{}: not watched: {error}", folder.display());
            }
        }
        // Of a folder that is removed or renamed, only its own name is told.
        lost |= files.iter().any(|path| !path.exists() && workspace.holds_below(path));
        let files: Vec<PathBuf> = files
            .into_iter()
            .filter(|path| Language::of_path(path).is_some() || git::is_head(path))
            .collect();
        if lost || !folders.is_empty() {
            workspace.refresh_index();
            workspace.save_index();
        } else {
            workspace.take_changes(&files);
        }
    }
}

/// Adds what an event is about; whether events were lost.
fn note(event: notify::Result<Event>, paths: &mut BTreeSet<PathBuf>) -> bool {
    match event {
        Ok(event) if event.need_rescan() => true,
        Ok(Event { kind: EventKind::Access(_), .. }) => false,
        Ok(event) => {
            paths.extend(event.paths);
            false
        }
        Err(error) => {
            tracing::debug!("file watch: {error}");
            true
        }
    }
}

/// Watches `folder`, those in it that are not ignored, and at the root the one where git says which
/// branch is checked out.
fn watch_folders(
    watcher: &mut RecommendedWatcher,
    root: &Path,
    folder: &Path,
) -> notify::Result<()> {
    if WATCHES_WHOLE_TREES {
        return watcher.watch(folder, RecursiveMode::Recursive);
    }
    let git = root.join(".git");
    if folder == root && git.is_dir() {
        watcher.watch(&git, RecursiveMode::NonRecursive)?;
    }
    for entry in walk::walker(folder).build().flatten() {
        if entry.file_type().is_some_and(|kind| kind.is_dir()) {
            watcher.watch(entry.path(), RecursiveMode::NonRecursive)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Waits until the index holds just these files.
    fn wait_for(workspace: &Workspace, paths: &[&str]) {
        let wanted: Vec<&Path> = paths.iter().map(Path::new).collect();
        let start = Instant::now();
        while workspace.index().paths() != wanted {
            let found = workspace.index();
            assert!(start.elapsed() < Duration::from_mins(1), "{:?}", found.paths());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn what_other_programs_write_is_followed_in_new_folders_too() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::write(root.join(".gitignore"), "out/\n").unwrap();
        fs::create_dir(root.join("out")).unwrap();
        fs::write(root.join("a.py"), "x = 1\n").unwrap();
        let workspace = Arc::new(Workspace::new(root.clone()));
        workspace.build_index();
        workspace.watch().unwrap();
        fs::write(root.join("b.py"), "y = 1\n").unwrap();
        fs::write(root.join("out/c.py"), "z = 1\n").unwrap();
        wait_for(&workspace, &["a.py", "b.py"]);
        fs::create_dir_all(root.join("new/inner")).unwrap();
        fs::write(root.join("new/inner/d.py"), "y = 1\n").unwrap();
        wait_for(&workspace, &["a.py", "b.py", "new/inner/d.py"]);
        fs::write(root.join("new/inner/e.py"), "y = 1\n").unwrap();
        fs::remove_file(root.join("a.py")).unwrap();
        wait_for(&workspace, &["b.py", "new/inner/d.py", "new/inner/e.py"]);
        fs::rename(root.join("new"), root.join("out/new")).unwrap();
        wait_for(&workspace, &["b.py"]);
    }

    #[test]
    fn many_changes_or_another_branch_mean_a_look_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let workspace = Workspace::new(root.clone());
        workspace.build_index();
        fs::write(root.join("a.py"), "x = 1\n").unwrap();
        fs::write(root.join("b.py"), "x = 1\n").unwrap();
        workspace.take_changes(&[root.join("a.py")]);
        assert_eq!(workspace.index().paths(), [Path::new("a.py")]);
        workspace.take_changes(&[root.join(".git/HEAD")]);
        assert_eq!(workspace.index().file_count(), 2);
        fs::remove_file(root.join("a.py")).unwrap();
        workspace.take_changes(&vec![root.join("c.py"); MANY + 1]);
        assert_eq!(workspace.index().paths(), [Path::new("b.py")]);
    }
}
