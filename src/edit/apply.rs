//! Writing a proposal to disk: every file or none, atomically, and only what has not changed.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use super::{FileChange, Proposal};

/// Why a proposal was not applied. Nothing was changed, except where `Rollback` says so.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The file is not what it was when the proposal was made.
    #[error("{}: changed meanwhile; nothing was written; run the command again", path.display())]
    Conflict {
        /// The file.
        path: PathBuf,
    },
    /// A file that was to be new is there already.
    #[error("{}: exists already; nothing was written; move it away or run the command again", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file's permissions forbid writing.
    #[error("{}: the file is read-only; nothing was written; make it writable and run the command again", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The proposal names one file twice.
    #[error("{}: the proposal changes this file twice; nothing was written", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("{}: {source}; nothing was written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Writing stopped half way and a file could not be put back.
    #[error("{}: {source}; these files were written and could not be put back: {}", path.display(), shown(left))]
    Rollback {
        /// The file that could not be written.
        path: PathBuf,
        /// Why.
        source: io::Error,
        /// The files that hold the new text now.
        left: Vec<PathBuf>,
    },
}

fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Writes every file of `proposal`: a temporary file beside each, then renames; permissions stay,
/// symbolic links are followed. If one fails, those already renamed are put back. Folders that a
/// new file needs are made. A file with several hard links is replaced under this name only.
pub fn to_disk(proposal: &Proposal) -> Result<(), ApplyError> {
    let changes: Vec<&FileChange> = proposal
        .changes
        .iter()
        .filter(|change| change.base.as_deref() != Some(change.text.as_str()))
        .collect();
    let targets = changes.iter().map(|change| target(change)).collect::<Result<Vec<_>, _>>()?;
    for (idx, path) in targets.iter().enumerate() {
        if targets.iter().take(idx).any(|other| other == path) {
            return Err(ApplyError::Twice { path: path.clone() });
        }
    }

    let mut folders = Folders::default();
    let several = changes.len() > 1;
    let staged = changes
        .into_iter()
        .zip(targets)
        .map(|(change, path)| stage(change, path, several, &mut folders))
        .collect::<Result<Vec<_>, _>>()?;
    commit(staged)?;
    folders.keep();
    Ok(())
}

/// The file that `change` means, symbolic links followed, once it is known to be what the change
/// was made for and to be writable.
fn target(change: &FileChange) -> Result<PathBuf, ApplyError> {
    let path = &change.path;
    let Some(base) = &change.base else {
        return match fs::symlink_metadata(path) {
            Ok(_) => Err(ApplyError::Exists { path: path.clone() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.clone()),
            Err(source) => Err(ApplyError::Io { path: path.clone(), source }),
        };
    };
    let real = fs::canonicalize(path).map_err(|error| gone_or(path, error))?;
    let metadata = fs::metadata(&real).map_err(|error| gone_or(path, error))?;
    if !metadata.is_file() {
        let source = io::Error::other("not a regular file");
        return Err(ApplyError::Io { path: path.clone(), source });
    }
    unchanged(&real, base)?;
    if metadata.permissions().readonly() || !may_write(&real) {
        return Err(ApplyError::ReadOnly { path: path.clone() });
    }
    Ok(real)
}

/// A file that is gone has changed; anything else is an error of the disk.
fn gone_or(path: &Path, source: io::Error) -> ApplyError {
    if source.kind() == io::ErrorKind::NotFound {
        ApplyError::Conflict { path: path.to_owned() }
    } else {
        ApplyError::Io { path: path.to_owned(), source }
    }
}

fn unchanged(path: &Path, base: &str) -> Result<(), ApplyError> {
    let found = fs::read(path).map_err(|error| gone_or(path, error))?;
    if found == base.as_bytes() {
        Ok(())
    } else {
        Err(ApplyError::Conflict { path: path.to_owned() })
    }
}

/// Replacing a file needs no right to write to it, only to its folder: without this question,
/// a file that belongs to somebody else would be replaced.
#[cfg(unix)]
fn may_write(path: &Path) -> bool {
    nix::unistd::access(path, nix::unistd::AccessFlags::W_OK).is_ok()
}

#[cfg(not(unix))]
fn may_write(_path: &Path) -> bool {
    true
}

/// A change whose new text lies beside its target, one rename away.
struct Staged<'a> {
    path: PathBuf,
    base: Option<&'a str>,
    new: TempPath,
    /// The old text, where a later file's failure may call for it.
    old: Option<TempPath>,
}

fn stage<'a>(
    change: &'a FileChange,
    path: PathBuf,
    with_old: bool,
    folders: &mut Folders,
) -> Result<Staged<'a>, ApplyError> {
    let written = (|| {
        let folder = path.parent().ok_or_else(|| io::Error::other("has no folder"))?;
        folders.make(folder)?;
        let like = change.base.is_some().then_some(path.as_path());
        let new = temporary(folder, &change.text, like)?;
        let old = match &change.base {
            Some(base) if with_old => Some(temporary(folder, base, like)?),
            _ => None,
        };
        Ok((new, old))
    })();
    match written {
        Ok((new, old)) => Ok(Staged { path, base: change.base.as_deref(), new, old }),
        Err(source) => Err(ApplyError::Io { path, source }),
    }
}

/// A file in `folder` that holds `text` on the disk itself, with the owner and permissions of
/// `like`. It removes itself unless it is renamed.
fn temporary(folder: &Path, text: &str, like: Option<&Path>) -> io::Result<TempPath> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".agent-").suffix(".tmp");
    #[cfg(unix)]
    if like.is_none() {
        use std::os::unix::fs::PermissionsExt;
        // The umask takes away what the user does not want given.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file: NamedTempFile = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Some(like) = like {
        let metadata = fs::metadata(like)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, fchown};
            // Only the superuser may give files away; for anybody else the owner is already right
            // or cannot be kept.
            let _ = fchown(file.as_file(), Some(metadata.uid()), Some(metadata.gid()));
        }
        file.as_file().set_permissions(metadata.permissions())?;
    }
    file.as_file().sync_all()?;
    Ok(file.into_temp_path())
}

/// Renames every staged file, or puts back those it has renamed.
fn commit(staged: Vec<Staged<'_>>) -> Result<(), ApplyError> {
    let mut done: Vec<(PathBuf, Option<TempPath>)> = Vec::with_capacity(staged.len());
    for Staged { path, base, new, old } in staged {
        // Asked again: writing the temporary files took time.
        let outcome = match base {
            Some(base) => unchanged(&path, base).and_then(|()| {
                new.persist(&path)
                    .map_err(|failed| ApplyError::Io { path: path.clone(), source: failed.error })
            }),
            None => new.persist_noclobber(&path).map_err(|failed| {
                if failed.error.kind() == io::ErrorKind::AlreadyExists {
                    ApplyError::Exists { path: path.clone() }
                } else {
                    ApplyError::Io { path: path.clone(), source: failed.error }
                }
            }),
        };
        match outcome {
            Ok(()) => done.push((path, old)),
            Err(error) => return Err(put_back(done, error)),
        }
    }
    for (path, _) in &done {
        sync_folder(path);
    }
    Ok(())
}

fn put_back(done: Vec<(PathBuf, Option<TempPath>)>, cause: ApplyError) -> ApplyError {
    let mut left = Vec::new();
    for (path, old) in done.into_iter().rev() {
        let undone = match old {
            Some(old) => old.persist(&path).map_err(|failed| failed.error),
            None => fs::remove_file(&path),
        };
        if undone.is_err() {
            left.push(path);
        }
    }
    if left.is_empty() {
        return cause;
    }
    let (path, source) = match cause {
        ApplyError::Io { path, source } => (path, source),
        ApplyError::Conflict { path } => (path, io::Error::other("changed meanwhile")),
        ApplyError::Exists { path } => (path, io::Error::other("exists already")),
        other => return other,
    };
    ApplyError::Rollback { path, source, left }
}

/// Makes a rename survive a power failure, where the system can; the text itself is on disk.
fn sync_folder(path: &Path) {
    #[cfg(unix)]
    if let Some(Ok(folder)) = path.parent().map(fs::File::open) {
        let _ = folder.sync_all();
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Folders made for new files; removed again, innermost first, unless kept.
#[derive(Default)]
struct Folders {
    made: Vec<PathBuf>,
}

impl Folders {
    fn make(&mut self, folder: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = folder
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder)?;
            self.made.push(folder.to_owned());
        }
        Ok(())
    }

    fn keep(mut self) {
        self.made.clear();
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        for folder in self.made.iter().rev() {
            // Not empty means that somebody else uses it by now.
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests;
