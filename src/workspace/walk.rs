//! Files worth reading: ignore rules, secrets, size, binary and generated files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ignore::{WalkBuilder, WalkState};

use super::secret;
use crate::syntax::Language;

/// Why a file was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Skipped {
    /// Its name or content looks like a secret.
    Secret,
    /// Larger than the limit.
    Oversized,
    /// Not UTF-8 text.
    Binary,
    /// Its first lines say it was generated, or its lines are minified.
    Generated,
    /// It could not be read, or it is no regular file inside the workspace.
    Unreadable,
}

/// The files of a workspace.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// Files worth reading, sorted, absolute.
    pub files: Vec<PathBuf>,
    /// Files left out, and why (git-ignored files are not listed).
    pub skipped: Vec<(PathBuf, Skipped)>,
}

/// The largest file that is read, in bytes.
pub const MAX_FILE_SIZE: u64 = 1 << 20;
/// The largest number of files that is walked.
pub const MAX_FILES: usize = 50_000;
/// A text whose lines are longer than this on average is minified.
const MAX_MEAN_LINE: usize = 400;

/// Walks `root`, honouring `.gitignore`, `.ignore` and hidden files; only files of known languages.
/// Symbolic links are not followed.
pub fn files(root: &Path) -> Files {
    let found = Mutex::new(Files::default());
    visit(root, &|path, content| {
        let Ok(mut found) = found.lock() else { return };
        match content {
            Ok(_) => found.files.push(path.to_owned()),
            Err(reason) => found.skipped.push((path.to_owned(), reason)),
        }
    });
    let mut found = found.into_inner().unwrap_or_default();
    found.files.sort_unstable();
    found.skipped.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Calls `each`, from several threads at once, with every file of a known language under `root`
/// and its text, or the reason why it has none. At most [`MAX_FILES`] files; each text is dropped
/// after its call.
pub fn visit(root: &Path, each: &(dyn Fn(&Path, Result<String, Skipped>) + Sync)) {
    let count = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    WalkBuilder::new(root)
        // A work tree without `.git` may still say what is to be ignored.
        .require_git(false)
        .follow_links(false)
        .threads(threads)
        .build_parallel()
        .run(|| {
            Box::new(|entry| {
                let Ok(entry) = entry else { return WalkState::Continue };
                let path = entry.path();
                let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
                if !is_file || Language::of_path(path).is_none() {
                    return WalkState::Continue;
                }
                if count.fetch_add(1, Ordering::Relaxed) >= MAX_FILES {
                    return WalkState::Quit;
                }
                each(path, read(path));
                WalkState::Continue
            })
        });
}

/// The text of a file that may be read; symbolic links are refused.
pub fn read(path: &Path) -> Result<String, Skipped> {
    if secret::is_secret_path(path) {
        return Err(Skipped::Secret);
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
        return Some(Skipped::Secret);
    }
    let lines = text.lines().count().max(1);
    if text.len() / lines > MAX_MEAN_LINE || says_generated(text) {
        return Some(Skipped::Generated);
    }
    None
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
    use std::fs;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn names(folder: &tempfile::TempDir, files: &[PathBuf]) -> Vec<String> {
        let relative = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap().to_owned();
        files.iter().map(|path| relative(path).display().to_string()).collect()
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
        assert_eq!(names(&folder, &found.files), ["src/a.rs", "src/b.rs", "tool.py"]);
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
                Skipped::Secret,
                Skipped::Binary,
                Skipped::Generated,
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
        assert_eq!(names(&folder, &files(folder.path()).files), ["a.py"]);
        assert_eq!(read(&folder.path().join("link.py")), Err(Skipped::Unreadable));
    }

    #[test]
    fn a_file_that_talks_about_generated_code_is_not_generated() {
        assert_eq!(judge("//! Finds generated files.\nfn a() {}\n"), None);
        assert_eq!(judge("# Generated by protoc. DO NOT EDIT!\n"), Some(Skipped::Generated));
    }
}
