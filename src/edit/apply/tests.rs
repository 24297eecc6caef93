//! Every file or none: conflicts, permissions, links, rollback.

use super::*;

fn change(path: &Path, base: Option<&str>, text: &str) -> FileChange {
    FileChange {
        path: path.to_owned(),
        display: String::new(),
        version: None,
        base: base.map(str::to_owned),
        text: text.to_owned(),
    }
}

fn apply(changes: Vec<FileChange>) -> Result<(), ApplyError> {
    to_disk(&Proposal { title: String::new(), changes })
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// Every path below `folder`, relative.
fn tree(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            let path = entry.path();
            found.push(path.strip_prefix(folder).unwrap().display().to_string());
            if entry.file_type().unwrap().is_dir() {
                open.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_file_is_written_and_no_other_is_left() {
    let dir = folder();
    let a = write(dir.path(), "a.rs", "old a");
    let b = write(dir.path(), "b.rs", "old b");
    let c = dir.path().join("c.rs");
    apply(vec![
        change(&a, Some("old a"), "new a"),
        change(&b, Some("old b"), "new b"),
        change(&c, None, "new c"),
    ])
    .unwrap();
    assert_eq!(fs::read_to_string(a).unwrap(), "new a");
    assert_eq!(fs::read_to_string(b).unwrap(), "new b");
    assert_eq!(fs::read_to_string(c).unwrap(), "new c");
    assert_eq!(tree(dir.path()), ["a.rs", "b.rs", "c.rs"]);
}

#[test]
fn a_file_that_changed_meanwhile_is_a_conflict_and_nothing_is_written() {
    let dir = folder();
    let a = write(dir.path(), "a", "old a");
    let b = write(dir.path(), "b", "edited by somebody else");
    let error = apply(vec![change(&a, Some("old a"), "new a"), change(&b, Some("old b"), "new b")]);
    assert!(matches!(&error, Err(ApplyError::Conflict { path }) if path.ends_with("b")));
    assert_eq!(fs::read_to_string(a).unwrap(), "old a");
    assert_eq!(tree(dir.path()), ["a", "b"]);
}

#[test]
fn a_file_that_is_gone_is_a_conflict() {
    let dir = folder();
    let error = apply(vec![change(&dir.path().join("a"), Some("old"), "new")]);
    assert!(matches!(error, Err(ApplyError::Conflict { .. })));
    assert!(tree(dir.path()).is_empty());
}

#[test]
fn a_new_file_must_not_exist() {
    let dir = folder();
    let a = write(dir.path(), "a", "precious");
    let error = apply(vec![change(&a, None, "new")]);
    assert!(matches!(error, Err(ApplyError::Exists { .. })));
    assert_eq!(fs::read_to_string(a).unwrap(), "precious");
}

#[test]
fn folders_of_a_new_file_are_made() {
    let dir = folder();
    let path = dir.path().join("tests/unit/cart.py");
    apply(vec![change(&path, None, "x")]).unwrap();
    assert_eq!(tree(dir.path()), ["tests", "tests/unit", "tests/unit/cart.py"]);
}

#[test]
fn folders_of_a_new_file_go_again_when_another_file_cannot_be_written() {
    let dir = folder();
    let blocked = write(dir.path(), "blocked", "a file, not a folder").join("inside");
    let error = apply(vec![
        change(&dir.path().join("tests/unit/cart.py"), None, "x"),
        change(&blocked, None, "y"),
    ]);
    assert!(matches!(error, Err(ApplyError::Io { .. })), "{error:?}");
    assert_eq!(tree(dir.path()), ["blocked"]);
}

#[test]
fn a_read_only_file_is_refused_whoever_runs_it() {
    let dir = folder();
    let a = write(dir.path(), "a", "old");
    let mut permissions = fs::metadata(&a).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&a, permissions).unwrap();
    let error = apply(vec![change(&a, Some("old"), "new")]).unwrap_err();
    assert!(matches!(error, ApplyError::ReadOnly { .. }));
    assert!(error.to_string().contains("the file is read-only; nothing was written"));
    assert_eq!(fs::read_to_string(a).unwrap(), "old");
    assert_eq!(tree(dir.path()), ["a"]);
}

#[test]
fn a_folder_is_not_a_file() {
    let dir = folder();
    let error = apply(vec![change(dir.path(), Some("old"), "new")]).unwrap_err();
    assert!(error.to_string().contains("not a regular file"));
}

#[test]
fn one_file_twice_is_refused() {
    let dir = folder();
    let a = write(dir.path(), "a", "old");
    let error = apply(vec![change(&a, Some("old"), "1"), change(&a, Some("old"), "2")]);
    assert!(matches!(error, Err(ApplyError::Twice { .. })));
    assert_eq!(fs::read_to_string(a).unwrap(), "old");
}

#[test]
fn a_change_that_changes_nothing_is_not_written() {
    let dir = folder();
    let a = dir.path().join("a");
    apply(vec![change(&a, Some("same"), "same")]).unwrap();
    assert!(tree(dir.path()).is_empty());
}

#[test]
fn what_was_renamed_is_put_back_when_a_later_file_fails() {
    let dir = folder();
    let a = write(dir.path(), "a", "old a");
    let late = dir.path().join("late");
    let changes = [
        change(&a, Some("old a"), "new a"),
        change(&dir.path().join("new"), None, "x"),
        change(&late, None, "y"),
    ];
    let staged = changes
        .iter()
        .map(|c| stage(c, c.path.clone(), true, &mut Folders::default()).unwrap())
        .collect();
    // The third finds a file at its place when its turn to be renamed comes.
    fs::write(&late, "somebody else's").unwrap();
    let error = commit(staged);
    assert!(matches!(error, Err(ApplyError::Exists { path }) if path == late));
    assert_eq!(fs::read_to_string(a).unwrap(), "old a");
    assert_eq!(fs::read_to_string(late).unwrap(), "somebody else's");
    assert_eq!(tree(dir.path()), ["a", "late"]);
}

#[test]
fn a_change_between_staging_and_renaming_is_noticed() {
    let dir = folder();
    let a = write(dir.path(), "a", "old");
    let change = change(&a, Some("old"), "new");
    let staged = stage(&change, a.clone(), false, &mut Folders::default()).unwrap();
    fs::write(&a, "edited").unwrap();
    assert!(matches!(commit(vec![staged]), Err(ApplyError::Conflict { .. })));
    assert_eq!(fs::read_to_string(a).unwrap(), "edited");
    assert_eq!(tree(dir.path()), ["a"]);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn permissions_stay() {
        let dir = folder();
        let a = write(dir.path(), "run.sh", "old");
        fs::set_permissions(&a, fs::Permissions::from_mode(0o750)).unwrap();
        apply(vec![change(&a, Some("old"), "new")]).unwrap();
        assert_eq!(mode(&a), 0o750);
    }

    #[test]
    fn a_new_file_has_the_permissions_the_user_gives_files() {
        let dir = folder();
        let usual = write(dir.path(), "usual", "");
        let new = dir.path().join("new");
        apply(vec![change(&new, None, "x")]).unwrap();
        assert_eq!(mode(&new), mode(&usual));
    }

    #[test]
    fn a_symbolic_link_stays_one_and_its_target_changes() {
        let dir = folder();
        let elsewhere = folder();
        let target = write(elsewhere.path(), "real", "old");
        let link = dir.path().join("link");
        symlink(&target, &link).unwrap();
        apply(vec![change(&link, Some("old"), "new")]).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(tree(elsewhere.path()), ["real"]);
    }

    #[test]
    fn a_dangling_link_is_not_a_free_name() {
        let dir = folder();
        let link = dir.path().join("link");
        symlink(dir.path().join("nowhere"), &link).unwrap();
        assert!(matches!(apply(vec![change(&link, None, "x")]), Err(ApplyError::Exists { .. })));
        assert_eq!(tree(dir.path()), ["link"]);
    }

    #[test]
    fn two_names_of_one_file_are_one_file() {
        let dir = folder();
        let a = write(dir.path(), "a", "old");
        let link = dir.path().join("link");
        symlink(&a, &link).unwrap();
        let error = apply(vec![change(&a, Some("old"), "1"), change(&link, Some("old"), "2")]);
        assert!(matches!(error, Err(ApplyError::Twice { .. })));
    }
}
