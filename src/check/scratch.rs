//! A scratch copy of the work tree with a build folder of its own; unsaved text laid over it.
//!
//! One folder per workspace under the cache, kept between runs so that builds stay incremental:
//! `tree/` mirrors the workspace's absolute path (so that `../sibling` can be linked in beside
//! it), `target/` and `caches/` belong to the tools, `tmp/` is emptied at each start. A second
//! process (or a second task of this one) gets a temporary folder instead of waiting.

mod mirror;

use std::ffi::OsString;
use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::command::{Invocation, Output};
use super::sandbox::{self, Enforcement};
use super::{CheckError, Settings};

/// Scratch folders that were not used for this long are removed.
const KEPT_FOR: Duration = Duration::from_hours(14 * 24);

/// The largest file of a scratch folder that is read, in bytes.
const MAX_READ: u64 = 64 << 20;

/// How much of a folder is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Everything a build may need: the folder is a project.
    Project,
    /// The files right in it, of moderate size: the folder merely holds a file (it may be a home
    /// folder).
    Folder,
}

/// A scratch copy; holds its folder's lock until dropped.
#[derive(Debug)]
pub struct Scratch {
    root: PathBuf,
    folder: PathBuf,
    tree: PathBuf,
    cold: bool,
    _lock: File,
    _temporary: Option<tempfile::TempDir>,
}

impl Scratch {
    /// Copies what changed in the workspace at `root` into its scratch folder under `cache`.
    /// Git-ignored files and secrets are left out (`Cargo.lock` is not). Blocks.
    pub fn open(cache: &Path, root: &Path, extent: Extent) -> Result<Self, CheckError> {
        let root = root.canonicalize().map_err(io("resolving", root))?;
        let parent = prepare(cache)?;
        remove_unused(&parent);
        let (folder, lock, temporary) = claim(&parent, &root)?;
        let tree = folder.join("tree").join(without_root(&root));
        let scratch =
            Self { cold: !tree.exists(), tree, folder, root, _lock: lock, _temporary: temporary };
        let _ = std::fs::remove_dir_all(scratch.temporary());
        for folder in scratch.writable() {
            std::fs::create_dir_all(&folder).map_err(io("creating", &folder))?;
        }
        let manifest = scratch.folder.join("manifest.json");
        mirror::refresh(&scratch.root, extent, &scratch.tree, &manifest)?;
        for name in ["rust-toolchain", "rust-toolchain.toml", ".cargo/config.toml"] {
            for ancestor in scratch.root.ancestors().skip(1) {
                scratch.link_outside(&ancestor.join(name))?;
            }
        }
        Ok(scratch)
    }

    /// The workspace it is a copy of.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the copy is.
    pub fn tree(&self) -> &Path {
        &self.tree
    }

    /// Whether nothing was ever built here: the first check takes long.
    pub fn is_cold(&self) -> bool {
        self.cold
    }

    /// Cargo's target directory.
    pub fn target(&self) -> PathBuf {
        self.folder.join("target")
    }

    fn temporary(&self) -> PathBuf {
        self.folder.join("tmp")
    }

    /// The folders that checks may write to.
    pub fn writable(&self) -> Vec<PathBuf> {
        vec![self.tree.clone(), self.target(), self.temporary(), self.folder.join("caches")]
    }

    /// What tools must be told to keep their files in here.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let caches = self.folder.join("caches");
        let pairs = [
            ("TMPDIR", self.temporary()),
            ("CARGO_TARGET_DIR", self.target()),
            ("XDG_CACHE_HOME", caches.clone()),
            ("PYTHONPYCACHEPREFIX", caches.join("python")),
            ("MYPY_CACHE_DIR", caches.join("mypy")),
            ("RUFF_CACHE_DIR", caches.join("ruff")),
        ];
        pairs.into_iter().map(|(name, path)| (name.into(), path.into())).collect()
    }

    /// Where a file of the workspace (absolute) lies in the copy; `None` for a file outside.
    pub fn inside(&self, path: &Path) -> Option<PathBuf> {
        let relative = if let Ok(relative) = path.strip_prefix(&self.root) {
            relative.to_owned()
        } else {
            // The folder may be named through a link, and the file need not exist.
            let folder = path.parent()?.canonicalize().ok()?;
            folder.strip_prefix(&self.root).ok()?.join(path.file_name()?)
        };
        let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
        plain.then(|| self.tree.join(relative))
    }

    /// The user's file that `path` is a copy of; `path` is absolute or relative to the copy.
    pub fn outside(&self, path: &Path) -> Option<PathBuf> {
        let path = lexically_joined(&self.tree, path);
        Some(self.root.join(path.strip_prefix(&self.tree).ok()?))
    }

    /// Puts `text` in the place of a workspace file. The copy's modification time changes only
    /// when its text does, and always then: build tools go by it.
    pub fn write(&self, path: &Path, text: &str) -> Result<(), CheckError> {
        let inside = self.placed(path)?;
        if self.read(path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        if let Some(folder) = inside.parent() {
            std::fs::create_dir_all(folder).map_err(io("creating", folder))?;
            self.refuse_detour(folder)?;
        }
        // Not through a link to another file.
        let _ = std::fs::remove_file(&inside);
        std::fs::write(&inside, text).map_err(io("writing", &inside))
    }

    /// Takes a file out of the copy.
    pub fn remove(&self, path: &Path) -> Result<(), CheckError> {
        let inside = self.placed(path)?;
        if let Some(folder) = inside.parent().filter(|folder| folder.exists()) {
            self.refuse_detour(folder)?;
        }
        match std::fs::remove_file(&inside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(io("removing", &inside)(error))
            }
            _ => Ok(()),
        }
    }

    /// Runs `invocation` in the sandbox, where it keeps its files in this folder and can write
    /// nowhere else.
    pub async fn run(
        &self,
        settings: &Settings,
        invocation: &Invocation,
    ) -> Result<(Output, Enforcement), CheckError> {
        let mut invocation = invocation.clone();
        invocation.environment.extend(self.environment());
        sandbox::run(settings, &invocation, &self.writable()).await
    }

    /// The text of the copy of a workspace file.
    pub fn read(&self, path: &Path) -> Result<String, CheckError> {
        let inside = self.placed(path)?;
        read_regular(&inside).map_err(io("reading", &inside))
    }

    /// Project code may have put a link in a folder's place, and nothing but the sandbox keeps it
    /// from the user's files: this program must not follow it there.
    fn refuse_detour(&self, folder: &Path) -> Result<(), CheckError> {
        let resolved = |path: &Path| path.canonicalize().map_err(io("resolving", path));
        if resolved(folder)?.starts_with(resolved(&self.tree)?) {
            return Ok(());
        }
        Err(CheckError::Tool {
            tool: "scratch tree".to_owned(),
            message: format!(
                "{} leads out of the copy: what was run there replaced a folder by a link",
                folder.display()
            ),
        })
    }

    /// Where a file of the workspace lies in the copy; an error for a file outside.
    pub(super) fn placed(&self, path: &Path) -> Result<PathBuf, CheckError> {
        self.inside(path).ok_or_else(|| CheckError::Tool {
            tool: "scratch tree".to_owned(),
            message: format!(
                "{} does not belong to the workspace {}",
                path.display(),
                self.root.display()
            ),
        })
    }

    /// Links a file or folder outside the workspace into its mirrored place, so that relative
    /// paths to it hold; the sandbox lets it be read only. What does not exist is no error.
    pub fn link_outside(&self, path: &Path) -> Result<(), CheckError> {
        let place = self.folder.join("tree").join(without_root(path));
        if !path.exists() || place.starts_with(&self.tree) || place.symlink_metadata().is_ok() {
            return Ok(());
        }
        let Some(folder) = place.parent() else { return Ok(()) };
        std::fs::create_dir_all(folder).map_err(io("creating", folder))?;
        mirror::link(path, &place).map_err(io("linking", &place))
    }
}

/// The folder under `cache` that scratch folders lie in, made and found to be writable.
pub fn prepare(cache: &Path) -> Result<PathBuf, CheckError> {
    let parent = cache.join("scratch");
    let attempt = || {
        std::fs::create_dir_all(&parent)?;
        let mut file = tempfile::NamedTempFile::new_in(&parent)?;
        std::io::Write::write_all(&mut file, b"x")
    };
    attempt().map_err(|source| CheckError::Cache { path: cache.to_owned(), source })?;
    Ok(parent)
}

/// The workspace's own folder, or a temporary one while another process works in it.
fn claim(
    parent: &Path,
    root: &Path,
) -> Result<(PathBuf, File, Option<tempfile::TempDir>), CheckError> {
    let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
    let bytes = digest.iter().take(8).fold(0, |all, byte| (all << 8) | u64::from(*byte));
    let name = format!("{bytes:016x}");
    let folder = parent.join(name);
    std::fs::create_dir_all(&folder).map_err(io("creating", &folder))?;
    let lock = File::create(folder.join("lock")).map_err(io("locking", &folder))?;
    // Another process may have found the folder too old and removed it since it was opened.
    if lock.try_lock().is_ok() && folder.join("lock").exists() {
        // Its age says when the folder was last used.
        let _ = lock.set_modified(SystemTime::now());
        return Ok((folder, lock, None));
    }
    let temporary = tempfile::Builder::new()
        .prefix("busy-")
        .tempdir_in(parent)
        .map_err(io("creating a folder in", parent))?;
    let lock = File::create(temporary.path().join("lock")).map_err(io("locking", parent))?;
    lock.try_lock().map_err(|error| io("locking", parent)(error.into()))?;
    Ok((temporary.path().to_owned(), lock, Some(temporary)))
}

/// Removes scratch folders nobody has used for long. Failing is harmless.
fn remove_unused(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for folder in entries.flatten().map(|entry| entry.path()) {
        let Ok(lock) = File::open(folder.join("lock")) else { continue };
        let age = lock.metadata().and_then(|data| data.modified()).ok();
        let old = age.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > KEPT_FOR);
        if old && lock.try_lock().is_ok() {
            let _ = std::fs::remove_dir_all(&folder);
        }
    }
}

/// `path` without what makes it absolute.
fn without_root(path: &Path) -> PathBuf {
    path.components().filter(|part| matches!(part, Component::Normal(_))).collect()
}

/// `path` relative to `base`, with `.` and `..` resolved by name alone.
fn lexically_joined(base: &Path, path: &Path) -> PathBuf {
    let mut joined = PathBuf::new();
    for part in base.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                joined.pop();
            }
            other => joined.push(other),
        }
    }
    joined
}

/// The text of a file that project code may have written: a regular one of moderate size, since a
/// pipe would hang the reader and a device never ends.
pub(super) fn read_regular(path: &Path) -> std::io::Result<String> {
    let data = path.symlink_metadata()?;
    if !data.is_file() || data.len() > MAX_READ {
        return Err(std::io::Error::other("no regular file of moderate size"));
    }
    std::fs::read_to_string(path)
}

/// Turns an I/O error into one that says what was being done to which path.
fn io(doing: &str, path: &Path) -> impl FnOnce(std::io::Error) -> CheckError {
    let context = format!("{doing} {}", path.display());
    move |source| CheckError::Io { context, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn listing(scratch: &Scratch) -> Vec<String> {
        let mut names: Vec<String> = ignore::WalkBuilder::new(scratch.tree())
            .standard_filters(false)
            .build()
            .flatten()
            .filter(|entry| !entry.file_type().unwrap().is_dir())
            .map(|entry| entry.path().strip_prefix(scratch.tree()).unwrap().display().to_string())
            .collect();
        names.sort();
        names
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_project_code_left_does_not_lead_to_the_users_files() {
        let project = project(&[("src/main.rs", "fn main() {}\n")]);
        let cache = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(cache.path(), project.path(), Extent::Project).unwrap();
        std::fs::remove_dir_all(scratch.tree().join("src")).unwrap();
        let victim = project.path().join("src");
        std::os::unix::fs::symlink(&victim, scratch.tree().join("src")).unwrap();
        let file = scratch.root().join("src/main.rs");
        let error = scratch.write(&file, "overwritten").unwrap_err().to_string();
        assert!(error.contains("leads out of the copy"), "{error}");
        assert!(scratch.remove(&file).is_err());
        let text = std::fs::read_to_string(victim.join("main.rs")).unwrap();
        assert_eq!(text, "fn main() {}\n");
    }

    #[cfg(unix)]
    #[test]
    fn what_never_ends_is_not_read() {
        let project = project(&[("a.py", "")]);
        let cache = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(cache.path(), project.path(), Extent::Folder).unwrap();
        let copy = scratch.tree().join("a.py");
        std::fs::remove_file(&copy).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &copy).unwrap();
        assert!(scratch.read(&scratch.root().join("a.py")).is_err());
        scratch.write(&scratch.root().join("a.py"), "x = 1\n").unwrap();
        assert_eq!(std::fs::read_to_string(&copy).unwrap(), "x = 1\n");
    }

    #[test]
    fn builds_get_what_they_need_and_no_more() {
        let project = project(&[
            ("Cargo.toml", ""),
            ("Cargo.lock", ""),
            (".gitignore", "Cargo.lock\nout/\n*.log\n"),
            (".cargo/config.toml", ""),
            ("src/main.rs", ""),
            ("data/table.csv", ""),
            ("out/x", ""),
            ("a.log", ""),
            (".env", "TOKEN=1"),
            (".git/config", ""),
            ("target/debug/x", ""),
            (".venv/pyvenv.cfg", ""),
            ("node_modules/x/y.js", ""),
            ("pkg/__pycache__/m.pyc", ""),
        ]);
        let cache = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(cache.path(), project.path(), Extent::Project).unwrap();
        assert!(scratch.is_cold());
        assert_eq!(
            listing(&scratch),
            [
                ".cargo/config.toml",
                ".gitignore",
                "Cargo.lock",
                "Cargo.toml",
                "data/table.csv",
                "src/main.rs"
            ]
        );
    }

    #[test]
    fn a_second_opening_touches_only_what_changed() {
        let project = project(&[("a.py", "a"), ("b.py", "b"), ("c.py", "c"), ("d.py", "d")]);
        let cache = tempfile::tempdir().unwrap();
        let modified = |scratch: &Scratch, name: &str| {
            std::fs::metadata(scratch.tree().join(name)).unwrap().modified().unwrap()
        };
        let scratch = Scratch::open(cache.path(), project.path(), Extent::Project).unwrap();
        let before = modified(&scratch, "a.py");
        // A candidate that an earlier run left behind, and a file a test wrote.
        scratch.write(&scratch.root().join("c.py"), "candidate").unwrap();
        std::fs::write(scratch.tree().join("left.py"), "").unwrap();
        drop(scratch);
        std::fs::write(project.path().join("b.py"), "new").unwrap();
        std::fs::remove_file(project.path().join("d.py")).unwrap();
        let scratch = Scratch::open(cache.path(), project.path(), Extent::Project).unwrap();
        assert!(!scratch.is_cold());
        assert_eq!(listing(&scratch), ["a.py", "b.py", "c.py"]);
        assert_eq!(modified(&scratch, "a.py"), before);
        let text = |name: &str| std::fs::read_to_string(scratch.tree().join(name)).unwrap();
        assert_eq!((text("b.py").as_str(), text("c.py").as_str()), ("new", "c"));
    }

    #[test]
    fn a_folder_that_is_no_project_is_not_copied_whole() {
        let project = project(&[("a.py", "a"), ("deep/b.py", "b"), ("big.bin", "")]);
        let big =
            std::fs::File::options().write(true).open(project.path().join("big.bin")).unwrap();
        big.set_len(100 << 20).unwrap();
        let cache = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(cache.path(), project.path(), Extent::Folder).unwrap();
        assert_eq!(listing(&scratch), ["a.py"]);
    }

    #[test]
    fn the_users_files_stay_as_they_are() {
        let project = project(&[("a.py", "a")]);
        let cache = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(cache.path(), project.path(), Extent::Project).unwrap();
        let path = scratch.root().join("a.py");
        scratch.write(&path, "candidate").unwrap();
        scratch.write(&scratch.root().join("new/b.py"), "b").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a");
        assert!(!scratch.root().join("new").exists());
        assert_eq!(listing(&scratch), ["a.py", "new/b.py"]);
    }

    #[test]
    fn paths_map_both_ways_and_never_out_of_the_tree() {
        let project = project(&[("src/a.py", "a")]);
        let cache = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(cache.path(), project.path(), Extent::Project).unwrap();
        let path = scratch.root().join("src/a.py");
        let inside = scratch.inside(&path).unwrap();
        assert_eq!(inside, scratch.tree().join("src/a.py"));
        assert_eq!(scratch.outside(&inside), Some(path.clone()));
        assert_eq!(scratch.outside(Path::new("./src/../src/a.py")), Some(path));
        assert_eq!(scratch.outside(Path::new("../elsewhere.py")), None);
        assert_eq!(scratch.inside(&scratch.root().join("../x.py")), None);
        assert_eq!(scratch.inside(Path::new("/etc/hosts")), None);
        assert!(scratch.write(&scratch.root().join("../x.py"), "x").is_err());
    }

    #[test]
    fn two_openings_at_once_do_not_share_a_folder() {
        let project = project(&[("a.py", "a")]);
        let cache = tempfile::tempdir().unwrap();
        let first = Scratch::open(cache.path(), project.path(), Extent::Project).unwrap();
        let second = Scratch::open(cache.path(), project.path(), Extent::Project).unwrap();
        assert_ne!(first.tree(), second.tree());
        let tree = second.tree().to_owned();
        drop(second);
        assert!(!tree.exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_inside_are_kept_and_links_outside_are_not() {
        use std::os::unix::fs::symlink;
        let project = project(&[("a.py", "a")]);
        symlink("a.py", project.path().join("inner.py")).unwrap();
        symlink(project.path().join("a.py"), project.path().join("absolute.py")).unwrap();
        symlink("/etc/hosts", project.path().join("outer")).unwrap();
        let cache = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(cache.path(), project.path(), Extent::Project).unwrap();
        assert_eq!(listing(&scratch), ["a.py", "absolute.py", "inner.py"]);
        let target = std::fs::canonicalize(scratch.tree().join("absolute.py")).unwrap();
        assert_eq!(target, scratch.tree().join("a.py").canonicalize().unwrap());
        // Again: links are recognized as unchanged.
        drop(scratch);
        let scratch = Scratch::open(cache.path(), project.path(), Extent::Project).unwrap();
        assert_eq!(listing(&scratch), ["a.py", "absolute.py", "inner.py"]);
    }
}
