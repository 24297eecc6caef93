//! The project on disk: the only reader of source files. What is secret is never read.

pub mod git;
pub mod index;
pub mod secret;
pub mod walk;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, mpsc};

use index::Index;

/// A project folder and what is known of it.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    /// Asked for at every key stroke; the answer comes from git's files.
    name: OnceLock<String>,
    known: RwLock<Known>,
    /// Held by the one build at a time.
    building: Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    index: Arc<Index>,
    /// Files updated since the last build began: newer than what the build reads from disk.
    updated: HashSet<PathBuf>,
}

/// What stands in the root of a project, apart from `Cargo.toml`.
const ROOT_MARKERS: [&str; 4] = [".git", "agent.toml", "pyproject.toml", "setup.py"];

impl Workspace {
    /// The workspace at `root`, with nothing indexed yet. The path is made canonical where it
    /// exists.
    pub fn new(root: PathBuf) -> Self {
        let root = root.canonicalize().unwrap_or(root);
        Self { root, name: OnceLock::new(), known: RwLock::default(), building: Mutex::default() }
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

    /// What is known now; a snapshot.
    pub fn index(&self) -> Arc<Index> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner).index)
    }

    /// Reads and indexes every file worth reading. Takes as long as it takes: call it off the
    /// paths that answer an editor. Updates made meanwhile win over what is on disk.
    pub fn build_index(&self) {
        let _one_at_a_time = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(|known| known.updated.clear());

        let mut built = Index::default();
        let (sender, receiver) = mpsc::sync_channel(256);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                walk::visit(&self.root, &|path, text| {
                    let Ok(relative) = path.strip_prefix(&self.root) else { return };
                    let found = text.ok().and_then(|text| index::symbols(relative, &text));
                    if let Some(symbols) = found {
                        // The receiver outlives the walk.
                        let _ = sender.send((relative.to_owned(), symbols));
                    }
                });
            });
            for (path, symbols) in receiver {
                built.insert_symbols(path, symbols);
            }
        });

        self.write(|known| {
            for path in &known.updated {
                built.copy_from(&known.index, path);
            }
            known.index = Arc::new(built);
        });
    }

    /// Replaces what is known of one file; `None` forgets it. Files outside the workspace, secret
    /// or ignored ones and what is not worth reading are left out.
    pub fn update(&self, path: &Path, text: Option<&str>) {
        let Some(relative) = self.relative(path) else { return };
        let readable = !secret::is_secret_path(&relative)
            && (self.index().holds(&relative) || !self.is_hidden_or_ignored(&relative));
        let text = text.filter(|text| {
            readable && text.len() as u64 <= walk::MAX_FILE_SIZE && walk::judge(text).is_none()
        });
        let symbols = text.and_then(|text| index::symbols(&relative, text));
        self.write(|known| {
            let index = Arc::make_mut(&mut known.index);
            match symbols {
                Some(symbols) => index.insert_symbols(relative.clone(), symbols),
                None => index.remove(&relative),
            }
            known.updated.insert(relative);
        });
    }

    fn is_hidden_or_ignored(&self, relative: &Path) -> bool {
        let hidden =
            relative.components().any(|part| part.as_os_str().to_string_lossy().starts_with('.'));
        hidden || git::is_ignored(&self.root.join(relative))
    }

    fn write(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
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
        assert_eq!(index.named("b").len(), 1);
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
        assert_eq!((before.named("a").len(), before.named("b").len()), (1, 0));
        assert_eq!((after.named("a").len(), after.named("b").len()), (0, 1));
        assert_eq!(after.file_count(), 1);
        workspace.update(&root.join("a.py"), None);
        assert_eq!(workspace.index().file_count(), 0);
    }
}
