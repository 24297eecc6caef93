//! What git knows: the repository's name and the committed text of a file.
//!
//! libgit2 runs no hooks, filters or commands of a repository's configuration, and refuses a
//! repository that belongs to another user.

use std::path::Path;

use git2::{ObjectType, Repository};

use super::{secret, walk::MAX_FILE_SIZE};

/// The longest name, in characters; it goes into every prompt.
const MAX_NAME: usize = 80;

/// The repository's name: the last part of `origin`'s address, else the work tree's folder name.
/// `None` outside a repository.
pub fn repository_name(root: &Path) -> Option<String> {
    let repository = Repository::discover(root).ok()?;
    let origin = repository.find_remote("origin").ok();
    let address = origin.as_ref().and_then(|origin| origin.url().ok());
    address
        .and_then(name_of_address)
        .or_else(|| clean(&repository.workdir()?.file_name()?.to_string_lossy()))
}

/// The text of `path` in HEAD; `None` for a file that git does not track, that is secret, too
/// large or not UTF-8.
pub fn head_text(path: &Path) -> Option<String> {
    if secret::is_secret_path(path) {
        return None;
    }
    let folder = path.parent()?.canonicalize().ok()?;
    let repository = Repository::discover(&folder).ok()?;
    let root = repository.workdir()?.canonicalize().ok()?;
    let relative = folder.join(path.file_name()?).strip_prefix(&root).ok()?.to_owned();
    let tree = repository.head().ok()?.peel_to_tree().ok()?;
    let entry = tree.get_path(&relative).ok()?;
    let is_link = entry.filemode() & 0o170_000 == 0o120_000;
    if is_link || entry.kind() != Some(ObjectType::Blob) {
        return None;
    }
    let (size, _) = repository.odb().ok()?.read_header(entry.id()).ok()?;
    if size as u64 > MAX_FILE_SIZE {
        return None;
    }
    let blob = repository.find_blob(entry.id()).ok()?;
    String::from_utf8(blob.content().to_vec()).ok()
}

/// Whether git's ignore rules cover `path`; `false` outside a repository.
pub fn is_ignored(path: &Path) -> bool {
    let folder = path.ancestors().skip(1).find(|folder| folder.is_dir());
    let repository = folder.and_then(|folder| Repository::discover(folder).ok());
    repository.is_some_and(|repository| repository.is_path_ignored(path).unwrap_or(false))
}

/// Whether `path` is the file in which git keeps what is checked out.
pub fn is_head(path: &Path) -> bool {
    path.ends_with(".git/HEAD")
}

/// `shop` of `https://host/team/shop.git`, `host:team/shop`, `../shop/`.
fn name_of_address(address: &str) -> Option<String> {
    let address = address.trim_end_matches('/');
    let address = address.strip_suffix(".git").unwrap_or(address).trim_end_matches('/');
    clean(address.rsplit(['/', ':', '\\']).next().unwrap_or_default())
}

/// A name without control characters, cut to a sensible length.
fn clean(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    let name = name.trim().to_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use git2::{IndexAddOption, Signature};

    use super::*;

    /// A repository with one commit of `files`.
    fn repository(files: &[(&str, &str)]) -> (tempfile::TempDir, Repository) {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init(folder.path()).unwrap();
        for (path, text) in files {
            fs::write(folder.path().join(path), text).unwrap();
        }
        let mut index = repository.index().unwrap();
        index.add_all(["*"], IndexAddOption::DEFAULT, None).unwrap();
        let tree = index.write_tree().unwrap();
        let who = Signature::now("Test", "test@example.org").unwrap();
        {
            let tree = repository.find_tree(tree).unwrap();
            repository.commit(Some("HEAD"), &who, &who, "Start", &tree, &[]).unwrap();
        }
        (folder, repository)
    }

    #[test]
    fn the_name_is_the_last_part_of_origin_or_the_folder() {
        let (folder, repository) = repository(&[]);
        let folder_name = folder.path().file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(repository_name(folder.path()), Some(folder_name));
        repository.remote("origin", "git@example.org:team/shop.git").unwrap();
        assert_eq!(repository_name(folder.path()), Some("shop".to_owned()));
        assert_eq!(name_of_address("https://example.org/a/shop/"), Some("shop".to_owned()));
        assert_eq!(name_of_address("///"), None);
    }

    #[test]
    fn the_committed_text_is_read_and_the_changed_one_is_not() {
        let (folder, _) = repository(&[("a.py", "x = 1\n"), (".env", "KEY=1\n")]);
        let path = folder.path().join("a.py");
        fs::write(&path, "x = 2\n").unwrap();
        assert_eq!(head_text(&path), Some("x = 1\n".to_owned()));
        fs::remove_file(&path).unwrap();
        assert_eq!(head_text(&path), Some("x = 1\n".to_owned()));
        assert_eq!(head_text(&folder.path().join("new.py")), None);
        assert_eq!(head_text(&folder.path().join(".env")), None);
    }

    #[test]
    fn outside_a_repository_there_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(repository_name(folder.path()), None);
        assert_eq!(head_text(&folder.path().join("a.py")), None);
        assert!(!is_ignored(&folder.path().join("a.py")));
    }

    #[test]
    fn ignore_rules_are_asked() {
        let (folder, _) = repository(&[(".gitignore", "out/\n")]);
        assert!(is_ignored(&folder.path().join("out/a.py")));
        assert!(!is_ignored(&folder.path().join("a.py")));
    }

    #[test]
    fn a_broken_repository_is_none() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        fs::write(folder.path().join(".git/HEAD"), "\0\0garbage").unwrap();
        fs::write(folder.path().join(".git/config"), "[core\n").unwrap();
        assert_eq!(repository_name(folder.path()), None);
    }
}
