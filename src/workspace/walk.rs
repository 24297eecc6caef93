//! Files worth reading: ignore rules, secrets, size, binary and generated files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ignore::{WalkBuilder, WalkState};

use super::secret;
use super::stamp::Stamp;
use crate::syntax::Language;

/// Why a file, or a whole folder, was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Skipped {
    /// Its name, or a folder's on its path, says that it holds secrets.
    SecretName,
    /// Its text holds a secret.
    SecretText,
    /// The user's patterns exclude it.
    Excluded,
    /// A `.gitignore`, `.ignore` or git's own exclude file covers it.
    Ignored,
    /// Its name starts with a dot.
    Hidden,
    /// A symbolic link; what it leads to is not followed.
    Link,
    /// Its first lines say that a program wrote it.
    Generated,
    /// Its lines are too long for people.
    Minified,
    /// Larger than [`MAX_FILE_SIZE`].
    Oversized,
    /// Not UTF-8 text.
    Binary,
    /// It could not be read, or is no regular file.
    Unreadable,
    /// The workspace has more than [`MAX_FILES`].
    TooMany,
    /// Its ending is none of a known language's.
    UnknownLanguage,
}

impl Skipped {
    /// The reason in words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::SecretName => "secret by its name",
            Self::SecretText => "holds a secret",
            Self::Excluded => "excluded by the configuration",
            Self::Ignored => "ignored by git or .ignore",
            Self::Hidden => "hidden",
            Self::Link => "symbolic link",
            Self::Generated => "generated",
            Self::Minified => "minified",
            Self::Oversized => "larger than 1 MiB",
            Self::Binary => "not UTF-8 text",
            Self::Unreadable => "cannot be read",
            Self::TooMany => "beyond the first 50,000 files",
            Self::UnknownLanguage => "no known language",
        }
    }
}

/// The largest file that is read, in bytes.
pub const MAX_FILE_SIZE: u64 = 1 << 20;
/// The largest number of files that is indexed: the first ones by path.
pub const MAX_FILES: usize = 50_000;
/// The largest number of files that is looked for.
const MAX_WALKED: usize = 8 * MAX_FILES;
/// A text whose lines are longer than this on average is minified.
const MAX_MEAN_LINE: usize = 400;

/// A file that may be worth reading.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Relative to the workspace.
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
}

/// Every file of a known language under `root`, sorted, but not ignored or hidden ones, nor what
/// symbolic links lead to. At most [`MAX_FILES`].
pub(super) fn list(root: &Path) -> Vec<Found> {
    let found = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    walker(root).threads(threads).build_parallel().run(|| {
        Box::new(|entry| {
            let Ok(entry) = entry else { return WalkState::Continue };
            let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
            if !is_file || Language::of_path(entry.path()).is_none() {
                return WalkState::Continue;
            }
            let relative = entry.path().strip_prefix(root).map(Path::to_owned);
            let (Ok(path), Ok(metadata)) = (relative, entry.metadata()) else {
                return WalkState::Continue;
            };
            if secret::is_secret_path(&path) {
                return WalkState::Continue;
            }
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            if found.len() >= MAX_WALKED {
                return WalkState::Quit;
            }
            found.push(Found { path, stamp: Stamp::of(&metadata) });
            WalkState::Continue
        })
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    found.truncate(MAX_FILES);
    found
}

/// Walks what is not ignored or hidden, and follows no links.
pub(super) fn walker(root: &Path) -> WalkBuilder {
    let mut walker = WalkBuilder::new(root);
    // A work tree without `.git` may still say what is to be ignored.
    walker.require_git(false).follow_links(false);
    walker
}

/// The text of a file that may be read; symbolic links are refused.
pub fn read(path: &Path) -> Result<String, Skipped> {
    if secret::is_secret_path(path) {
        return Err(Skipped::SecretName);
    }
    let metadata = path.symlink_metadata().map_err(|_| Skipped::Unreadable)?;
    if !metadata.is_file() {
        return Err(Skipped::Unreadable);
    }
    if metadata.len() > MAX_FILE_SIZE {
        return Err(Skipped::Oversized);
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|_| Skipped::Unreadable)?;
    // The file may have grown since.
    file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes).map_err(|_| Skipped::Unreadable)?;
    if bytes.len() as u64 > MAX_FILE_SIZE {
        return Err(Skipped::Oversized);
    }
    let text = String::from_utf8(bytes).map_err(|_| Skipped::Binary)?;
    judge(&text).map_or(Ok(text), Err)
}

/// Why `text` is not worth reading, if it is not.
pub fn judge(text: &str) -> Option<Skipped> {
    if text.contains('\0') {
        return Some(Skipped::Binary);
    }
    if secret::holds_secret(text) {
        return Some(Skipped::SecretText);
    }
    let lines = text.lines().count().max(1);
    if says_generated(text) {
        return Some(Skipped::Generated);
    }
    (text.len() / lines > MAX_MEAN_LINE).then_some(Skipped::Minified)
}

/// Whether a comment in the first lines says that a program wrote the file: `@generated`, or
/// Go's `Code generated … DO NOT EDIT`, in the words that generators use.
fn says_generated(text: &str) -> bool {
    text.lines().take(10).any(|line| {
        let comment = line.trim_start().starts_with(['#', '/', '*', '"', ';', '-']);
        let lower = line.to_lowercase();
        comment
            && (lower.contains("@generated")
                || (lower.contains("generated") && lower.contains("do not edit"))
                || lower.contains("automatically generated by"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// What [`list`] finds that may be read, and what may not.
    #[derive(Default)]
    struct Files {
        files: Vec<PathBuf>,
        skipped: Vec<(PathBuf, Skipped)>,
    }

    fn files(root: &Path) -> Files {
        let mut found = Files::default();
        for Found { path, .. } in list(root) {
            match read(&root.join(&path)) {
                Ok(_) => found.files.push(path),
                Err(reason) => found.skipped.push((path, reason)),
            }
        }
        found
    }

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn names(files: &[PathBuf]) -> Vec<String> {
        files.iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn only_source_files_that_are_not_ignored_or_hidden_are_found() {
        let folder = tree(&[
            (".gitignore", "target/\n"),
            (".ignore", "vendored.py\n"),
            ("src/b.rs", "fn b() {}\n"),
            ("src/a.rs", "fn a() {}\n"),
            ("tool.py", "x = 1\n"),
            ("vendored.py", "x = 1\n"),
            ("target/debug/out.rs", "fn out() {}\n"),
            (".hidden/x.rs", "fn x() {}\n"),
            ("notes.txt", "notes\n"),
        ]);
        let found = files(folder.path());
        assert_eq!(names(&found.files), ["src/a.rs", "src/b.rs", "tool.py"]);
        assert_eq!(found.skipped, []);
    }

    #[test]
    fn files_that_are_not_worth_reading_are_listed_with_the_reason() {
        let folder = tree(&[
            ("binary.py", "a\0b"),
            ("generated.rs", "// @generated by a tool\nfn a() {}\n"),
            ("minified.py", &"a=1;".repeat(1000)),
            ("key.py", &format!("K = '''-----BEGIN PRIVATE KEY-----\n{}\n'''", "MIIE".repeat(16))),
        ]);
        fs::write(folder.path().join("latin.py"), b"x = '\xe9'\n").unwrap();
        let big = "x = 1\n".repeat(MAX_FILE_SIZE as usize / 6 + 1);
        fs::write(folder.path().join("big.py"), big).unwrap();
        let found = files(folder.path());
        assert_eq!(found.files, Vec::<PathBuf>::new());
        let reasons: Vec<Skipped> = found.skipped.iter().map(|(_, reason)| *reason).collect();
        assert_eq!(
            reasons,
            [
                Skipped::Oversized,
                Skipped::Binary,
                Skipped::Generated,
                Skipped::SecretText,
                Skipped::Binary,
                Skipped::Minified,
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_workspace_is_not_followed() {
        let outside = tree(&[("private.py", "secret = 1\n")]);
        let folder = tree(&[("a.py", "x = 1\n")]);
        let link = |target: &Path, name: &str| {
            std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
        };
        link(&outside.path().join("private.py"), "link.py");
        link(outside.path(), "folder");
        assert_eq!(names(&files(folder.path()).files), ["a.py"]);
        assert_eq!(read(&folder.path().join("link.py")), Err(Skipped::Unreadable));
    }

    #[test]
    fn a_file_that_talks_about_generated_code_is_not_generated() {
        assert_eq!(judge("//! Finds generated files.\nfn a() {}\n"), None);
        assert_eq!(judge("# Generated by protoc. DO NOT EDIT!\n"), Some(Skipped::Generated));
    }
}
