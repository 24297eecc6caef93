//! Copying what changed: the workspace's files into the scratch tree, and nothing else left there.

use std::collections::{HashMap, HashSet};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ignore::WalkBuilder;

use super::super::CheckError;
use super::{Extent, io, lexically_joined};
use crate::workspace::secret;

/// The largest workspace that is copied, in bytes and in files.
const MAX_BYTES: u64 = 2 << 30;
const MAX_FILES: usize = 100_000;

/// The largest file that is copied from a folder that is no project.
const MAX_LONE_FILE: u64 = 8 << 20;

/// Folders that hold no source, by name.
const EXCLUDED: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".jj",
    ".tox",
    ".nox",
    ".idea",
    "node_modules",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
];

/// Per file (relative path): the user's modification time and size when it was copied, and the
/// copy's modification time. A file whose three numbers still hold is not read again.
type Manifest = HashMap<String, (u64, u64, u64)>;

/// Makes `tree` hold exactly the files of `root` that a build may need.
pub(super) fn refresh(
    root: &Path,
    extent: Extent,
    tree: &Path,
    manifest: &Path,
) -> Result<(), CheckError> {
    let old: Manifest = std::fs::read(manifest)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let mut new = Manifest::new();
    let files: Vec<(PathBuf, PathBuf)> = files(root, extent)
        .into_iter()
        .filter_map(|path| Some((path.strip_prefix(root).ok()?.to_owned(), path)))
        .collect();
    if files.len() > MAX_FILES {
        return Err(too_large(root));
    }
    // First, so that a file never stands where a folder has to be.
    remove_others(tree, &files.iter().map(|(relative, _)| tree.join(relative)).collect());
    let mut bytes = 0;
    for (relative, path) in files {
        let Ok(data) = path.symlink_metadata() else { continue };
        let copy = tree.join(&relative);
        if data.is_symlink() {
            copy_link(root, tree, &path, &copy)?;
            continue;
        }
        bytes += data.len();
        if bytes > MAX_BYTES {
            return Err(too_large(root));
        }
        let known = relative.to_str().and_then(|name| old.get(name));
        let entry = copy_file(&path, &data, &copy, known)?;
        if let Some(name) = relative.to_str() {
            new.insert(name.to_owned(), entry);
        }
    }
    let text = serde_json::to_vec(&new).unwrap_or_default();
    std::fs::write(manifest, text).map_err(io("writing", manifest))
}

fn too_large(root: &Path) -> CheckError {
    CheckError::Tool {
        tool: "scratch tree".to_owned(),
        message: format!(
            "{} holds more than {} GiB or {MAX_FILES} files outside .gitignore; checks work on a \
             copy: ignore what builds do not need, or open a smaller folder",
            root.display(),
            MAX_BYTES >> 30
        ),
    }
}

/// The files and links of `root` that a build may need, folders before what they hold.
fn files(root: &Path, extent: Extent) -> Vec<PathBuf> {
    let folder_only = extent == Extent::Folder;
    let walk = WalkBuilder::new(root)
        .max_depth(folder_only.then_some(1))
        .max_filesize(folder_only.then_some(MAX_LONE_FILE))
        .hidden(false)
        .ignore(false)
        .require_git(false)
        .follow_links(false)
        .filter_entry(|entry| {
            entry.depth() == 0
                || if entry.file_type().is_some_and(|kind| kind.is_dir()) {
                    !is_excluded(entry.path())
                } else {
                    !secret::is_secret_path(entry.path())
                }
        })
        .build();
    let mut files: Vec<PathBuf> = walk
        .flatten()
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file() || kind.is_symlink()))
        .map(ignore::DirEntry::into_path)
        .collect();
    // Libraries often ignore it, and offline builds fail without it.
    let locks: Vec<PathBuf> = files
        .iter()
        .filter(|path| path.file_name().is_some_and(|name| name == "Cargo.toml"))
        .map(|path| path.with_file_name("Cargo.lock"))
        .filter(|lock| lock.is_file())
        .collect();
    files.extend(locks);
    files.sort_unstable();
    files.dedup();
    files
}

fn is_excluded(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    EXCLUDED.contains(&name)
        || folder.join("pyvenv.cfg").exists()
        || folder.join("CACHEDIR.TAG").exists()
        || (name == "target" && folder.with_file_name("Cargo.toml").exists())
}

/// Copies one file unless the copy is already the same; the copy gets a new modification time
/// exactly when its content changes.
fn copy_file(
    path: &Path,
    data: &Metadata,
    copy: &Path,
    known: Option<&(u64, u64, u64)>,
) -> Result<(u64, u64, u64), CheckError> {
    let user = (nanoseconds(data), data.len());
    let copied = copy.symlink_metadata().ok().filter(Metadata::is_file);
    if let Some(copied) = &copied
        && copied.len() == user.1
    {
        let modified = nanoseconds(copied);
        let unchanged = known == Some(&(user.0, user.1, modified));
        if unchanged || same_content(path, copy) {
            return Ok((user.0, user.1, modified));
        }
    }
    if let Some(folder) = copy.parent() {
        std::fs::create_dir_all(folder).map_err(io("creating", folder))?;
    }
    remove(copy);
    std::fs::copy(path, copy).map_err(io("copying", path))?;
    let data = make_writable(copy).map_err(io("copying", path))?;
    Ok((user.0, user.1, nanoseconds(&data)))
}

fn same_content(one: &Path, other: &Path) -> bool {
    matches!((std::fs::read(one), std::fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

/// The copy of a read-only file is ours to change; its time becomes now on every system.
fn make_writable(copy: &Path) -> std::io::Result<Metadata> {
    let data = std::fs::metadata(copy)?;
    let mut permissions = data.permissions();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        permissions.set_mode(permissions.mode() | 0o600);
    }
    #[cfg(not(unix))]
    permissions.set_readonly(false);
    std::fs::set_permissions(copy, permissions)?;
    std::fs::File::options().write(true).open(copy)?.set_modified(SystemTime::now())?;
    std::fs::metadata(copy)
}

fn nanoseconds(data: &Metadata) -> u64 {
    data.modified()
        .ok()
        .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .map_or(0, |since| since.as_nanos() as u64)
}

/// Recreates a link whose target lies in the workspace; any other is left out.
fn copy_link(root: &Path, tree: &Path, path: &Path, copy: &Path) -> Result<(), CheckError> {
    let Some((target, folder)) = inner_target(root, tree, path).zip(copy.parent()) else {
        remove(copy);
        return Ok(());
    };
    if std::fs::read_link(copy).is_ok_and(|old| old == target) {
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(io("creating", folder))?;
    remove(copy);
    link(&target, copy).map_err(io("linking", copy))
}

/// What the copy of link `path` points to; `None` if that would not lie in the workspace.
fn inner_target(root: &Path, tree: &Path, path: &Path) -> Option<PathBuf> {
    let target = std::fs::read_link(path).ok()?;
    let resolved = lexically_joined(path.parent()?, &target);
    let relative = resolved.strip_prefix(root).ok()?;
    let really_inside = path.canonicalize().is_ok_and(|real| real.starts_with(root));
    really_inside.then(|| if target.is_absolute() { tree.join(relative) } else { target })
}

/// Makes `place` a symbolic link to `target`.
#[cfg(unix)]
pub(super) fn link(target: &Path, place: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

/// Makes `place` a symbolic link to `target`.
#[cfg(windows)]
pub(super) fn link(target: &Path, place: &Path) -> std::io::Result<()> {
    if target.is_dir() {
        std::os::windows::fs::symlink_dir(target, place)
    } else {
        std::os::windows::fs::symlink_file(target, place)
    }
}

/// Removes what is in `tree` but not `wanted`: files deleted since, and what checks left behind.
fn remove_others(tree: &Path, wanted: &HashSet<PathBuf>) {
    let walk = WalkBuilder::new(tree).standard_filters(false).follow_links(false).build();
    let mut entries: Vec<PathBuf> = walk.flatten().map(ignore::DirEntry::into_path).collect();
    // Deepest first, so that emptied folders go, too.
    entries.sort_unstable_by(|one, other| other.cmp(one));
    for path in entries {
        let is_folder = path.symlink_metadata().is_ok_and(|data| data.is_dir());
        if is_folder && path != tree {
            // Fails, as it should, while something is in it.
            let _ = std::fs::remove_dir(&path);
        } else if !is_folder && !wanted.contains(&path) {
            remove(&path);
        }
    }
}

fn remove(path: &Path) {
    if path.symlink_metadata().is_ok_and(|data| data.is_dir()) {
        let _ = std::fs::remove_dir_all(path);
    } else {
        let _ = std::fs::remove_file(path);
    }
}
