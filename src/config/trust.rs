//! Which workspaces the user has trusted: a list of folders, one a line, that only the user's own
//! commands write. A folder below a trusted one is trusted.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::places;

/// The largest list that is read, in bytes.
const MAX_FILE_SIZE: u64 = 4 << 20;

/// Why the list cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// There is no folder for it.
    #[error("no folder to keep the list of trusted folders in; set HOME or XDG_STATE_HOME")]
    NoPlace,
    /// A path holds what the list cannot.
    #[error("{}: a path with a line break or other than UTF-8 cannot be trusted", path.display())]
    Path {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder could not be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The user's list.
#[derive(Debug, Clone)]
pub struct TrustList {
    path: PathBuf,
}

/// Whether the user trusts `folder`; no if the list cannot be read.
pub fn is_trusted(folder: &Path) -> bool {
    TrustList::of_user().is_ok_and(|list| list.covers(folder))
}

impl TrustList {
    /// The list of the user who runs this program.
    pub fn of_user() -> Result<Self, TrustError> {
        places::state().map(|folder| Self::at(folder.join("trusted"))).ok_or(TrustError::NoPlace)
    }

    /// The list kept at `path`.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The trusted folders, sorted; none if there is no list yet.
    pub fn folders(&self) -> Result<Vec<PathBuf>, TrustError> {
        let io = |source| TrustError::Io { path: self.path.clone(), source };
        let mut text = String::new();
        match File::open(&self.path) {
            Ok(file) => file.take(MAX_FILE_SIZE).read_to_string(&mut text).map_err(io)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io(error)),
        };
        Ok(text.lines().filter(|line| !line.is_empty()).map(PathBuf::from).collect())
    }

    /// Whether `folder` or one above it is on the list.
    pub fn covers(&self, folder: &Path) -> bool {
        let Ok(folder) = folder.canonicalize() else { return false };
        self.folders().is_ok_and(|trusted| trusted.iter().any(|known| folder.starts_with(known)))
    }

    /// Adds a folder; returns its canonical path.
    pub fn add(&self, folder: &Path) -> Result<PathBuf, TrustError> {
        let io = |source| TrustError::Io { path: folder.to_owned(), source };
        let canonical = folder.canonicalize().map_err(io)?;
        if !canonical.is_dir() {
            return Err(io(std::io::Error::from(std::io::ErrorKind::NotADirectory)));
        }
        if canonical.to_str().is_none_or(|path| path.contains(['\n', '\r'])) {
            return Err(TrustError::Path { path: canonical });
        }
        let mut folders = self.folders()?;
        if !folders.contains(&canonical) {
            folders.push(canonical.clone());
            self.write(folders)?;
        }
        Ok(canonical)
    }

    /// Takes a folder off the list; whether it was on it. A folder that no longer exists is taken
    /// off by its path as listed.
    pub fn remove(&self, folder: &Path) -> Result<bool, TrustError> {
        let canonical = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let mut folders = self.folders()?;
        let before = folders.len();
        folders.retain(|known| *known != canonical);
        let removed = folders.len() < before;
        if removed {
            self.write(folders)?;
        }
        Ok(removed)
    }

    /// Replaces the list at once: a reader sees the old or the new one. Temporary files are
    /// private to the user (0600), and so is the list.
    fn write(&self, mut folders: Vec<PathBuf>) -> Result<(), TrustError> {
        folders.sort();
        let lines: Vec<String> =
            folders.iter().map(|folder| folder.display().to_string()).collect();
        let text = lines.join("\n") + "\n";
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let write = || {
            std::fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map_err(|error| error.error)
        };
        write().map(drop).map_err(|source| TrustError::Io { path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trusted_folder_covers_those_below_it_and_no_other() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["a/b", "ab"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let list = TrustList::at(root.path().join("state/trusted"));
        assert!(!list.covers(&root.path().join("a")));
        list.add(&root.path().join("a")).unwrap();
        assert!(list.covers(&root.path().join("a")) && list.covers(&root.path().join("a/b/../b")));
        for outside in ["ab", ".", "a/none", "a/../ab"] {
            assert!(!list.covers(&root.path().join(outside)), "{outside}");
        }
        assert!(list.remove(&root.path().join("a")).unwrap());
        assert!(!list.remove(&root.path().join("a")).unwrap());
        assert!(!list.covers(&root.path().join("a")));
    }

    #[cfg(unix)]
    #[test]
    fn the_list_is_private_and_holds_canonical_paths() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let root = tempfile::tempdir().unwrap();
        let real = root.path().join("real");
        std::fs::create_dir(&real).unwrap();
        symlink(&real, root.path().join("link")).unwrap();
        let list = TrustList::at(root.path().join("trusted"));
        list.add(&root.path().join("link")).unwrap();
        assert_eq!(list.folders().unwrap(), [real.canonicalize().unwrap()]);
        let mode = std::fs::metadata(root.path().join("trusted")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn files_and_missing_folders_cannot_be_trusted() {
        let root = tempfile::tempdir().unwrap();
        let list = TrustList::at(root.path().join("trusted"));
        std::fs::write(root.path().join("file"), "").unwrap();
        assert!(list.add(&root.path().join("file")).is_err());
        assert!(list.add(&root.path().join("none")).is_err());
        assert!(list.folders().unwrap().is_empty());
    }
}
