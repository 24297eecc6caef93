//! A workspace on disk: what it holds, what it leaves out, and how it follows changes.

use std::fs;

use proptest::prelude::*;

use super::index::tests::dump;
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
    let (_folder, root) = tree(&[("package.json", ""), ("packages/a/package.json", "")]);
    assert_eq!(Workspace::of_file(&root.join("packages/a/index.ts")).root(), root);
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
    assert_eq!(index.named("b").count(), 1);
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
    assert_eq!((before.named("a").count(), before.named("b").count()), (1, 0));
    assert_eq!((after.named("a").count(), after.named("b").count()), (0, 1));
    assert_eq!(after.file_count(), 1);
    workspace.update(&root.join("a.py"), None);
    assert_eq!(workspace.index().file_count(), 0);
}

#[test]
fn excluded_files_are_forgotten_and_come_back_when_they_are_not_any_more() {
    let (_folder, root) =
        tree(&[("a.py", "def a():\n    pass\n"), ("vendor/b.py", "def b():\n    pass\n")]);
    let workspace = Workspace::new(root.clone());
    workspace.build_index();
    assert_eq!(workspace.index().file_count(), 2);
    let exclusions = Exclusions::new(&["vendor/".to_owned()]);
    assert!(workspace.exclude(exclusions.clone()) && !workspace.exclude(exclusions));
    assert_eq!(workspace.index().paths(), [Path::new("a.py")]);
    workspace.build_index();
    workspace.update(&root.join("vendor/b.py"), Some("def c():\n    pass\n"));
    assert_eq!(workspace.index().paths(), [Path::new("a.py")]);
    assert!(workspace.exclude(Exclusions::default()));
    workspace.build_index();
    assert_eq!(workspace.index().file_count(), 2);
}

#[test]
fn many_files_are_excluded_as_if_they_had_never_been_read() {
    let files: Vec<(String, String)> =
        (0..20).map(|n| (format!("f{n}/a.rs"), format!("fn name{n}() {{}}\n"))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    let (_folder, root) = tree(&files);
    let exclusions = Exclusions::new(&["f1*/".to_owned()]);
    let fresh = Workspace::new(root.clone());
    fresh.exclude(exclusions.clone());
    fresh.build_index();
    let workspace = Workspace::new(root);
    workspace.build_index();
    assert_eq!(workspace.index().file_count(), 20);
    assert!(workspace.exclude(exclusions));
    assert_eq!(dump(&workspace.index()), dump(&fresh.index()));
    assert_eq!(workspace.index().file_count(), 9);
    let changes = workspace.changes();
    assert_eq!((changes.stamps.len(), changes.updated.len(), changes.forgotten), (9, 11, true));
}

#[cfg(unix)]
#[test]
fn the_text_behind_a_link_is_not_indexed_when_it_is_opened_or_closed() {
    let (_outside, outside) = tree(&[("private.py", "def private():\n    pass\n")]);
    let (_folder, root) = tree(&[("a.py", "def a():\n    pass\n")]);
    let link = root.join("private.py");
    std::os::unix::fs::symlink(outside.join("private.py"), &link).unwrap();
    let workspace = Workspace::new(root);
    workspace.build_index();
    let text = fs::read_to_string(&link).unwrap();
    workspace.update_document(&Document::new(link.clone(), None, 0, text.clone()));
    assert_eq!(workspace.index().paths(), [Path::new("a.py")]);
    workspace.update(&link, Some(&text));
    assert_eq!(workspace.index().paths(), [Path::new("a.py")]);
    assert!(workspace.text(Path::new("private.py")).is_none());
}

#[test]
fn the_text_of_a_file_is_the_one_that_is_indexed() {
    let (_folder, root) = tree(&[("a.py", "def a():\n    pass\n"), ("b.py", "x = 1\n")]);
    let workspace = Workspace::new(root.clone());
    workspace.build_index();
    let text = |path: &str| workspace.text(Path::new(path));
    assert_eq!(text("a.py").as_deref(), Some("def a():\n    pass\n"));
    let unsaved = "def a():\n    return 1\n".to_owned();
    let document = Document::new(root.join("a.py"), None, 2, unsaved.clone());
    workspace.update_document(&document);
    assert_eq!(text("a.py"), Some(unsaved.into()));
    fs::write(root.join("b.py"), "x = 2\n").unwrap();
    assert_eq!((text("b.py"), text("none.py")), (None, None));
    workspace.update(&root.join("a.py"), Some("def a():\n    pass\n"));
    assert_eq!(text("a.py").as_deref(), Some("def a():\n    pass\n"));
}

/// The commit of everything in the work tree, on the current branch.
fn commit(repository: &git2::Repository) {
    let mut staged = repository.index().unwrap();
    staged.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
    staged.update_all(["*"], None).unwrap();
    staged.write().unwrap();
    let tree = repository.find_tree(staged.write_tree().unwrap()).unwrap();
    let who = git2::Signature::now("Test", "test@example.org").unwrap();
    let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
    let parents: Vec<_> = parent.iter().collect();
    repository.commit(Some("HEAD"), &who, &who, "Change", &tree, &parents).unwrap();
}

fn switch(repository: &git2::Repository, branch: &str) {
    repository.set_head(&format!("refs/heads/{branch}")).unwrap();
    repository.checkout_head(Some(git2::build::CheckoutBuilder::new().force())).unwrap();
}

#[test]
fn a_switch_of_branches_is_followed_and_the_rest_is_shared() {
    let (_folder, root) = tree(&[
        ("same.py", "def same():\n    pass\n"),
        ("differs.py", "def first():\n    pass\n"),
        ("only_here.py", "def here():\n    pass\n"),
    ]);
    let repository = git2::Repository::init(&root).unwrap();
    commit(&repository);
    let first = repository.head().unwrap().shorthand().unwrap().to_owned();
    let start = repository.head().unwrap().peel_to_commit().unwrap();
    repository.branch("other", &start, false).unwrap();
    switch(&repository, "other");
    fs::write(root.join("differs.py"), "def second():\n    pass\n").unwrap();
    fs::remove_file(root.join("only_here.py")).unwrap();
    fs::write(root.join("only_there.py"), "def there():\n    pass\n").unwrap();
    commit(&repository);
    switch(&repository, &first);

    let workspace = Workspace::new(root.clone());
    workspace.build_index();
    let before = workspace.index();
    for branch in ["other", &first, "other"] {
        switch(&repository, branch);
        workspace.refresh_index();
        let fresh = Workspace::new(root.clone());
        fresh.build_index();
        assert_eq!(dump(&workspace.index()), dump(&fresh.index()));
    }
    let after = workspace.index();
    let there = ["differs.py", "only_there.py", "same.py"].map(Path::new);
    assert_eq!(after.paths(), there);
    let same = |index: &Index| Arc::clone(index.file(Path::new("same.py")).unwrap());
    assert!(Arc::ptr_eq(&same(&before), &same(&after)));
}

#[test]
fn the_next_start_takes_what_was_kept_and_reads_the_rest() {
    let (_folder, root) = tree(&[
        ("a.py", "def a():\n    pass\n"),
        ("b.py", "def b():\n    pass\n"),
        ("private/c.py", "def c():\n    pass\n"),
    ]);
    let cache = tempfile::tempdir().unwrap();
    let place = Some(cache.path().to_owned());
    let start = || {
        let workspace = Workspace::new(root.clone()).with_cache(place.clone());
        workspace.build_index();
        workspace
    };
    let kept = || {
        let cache = cache::Cache::load(cache.path(), &root).unwrap();
        let mut paths: Vec<PathBuf> = cache.paths().map(Path::to_owned).collect();
        paths.sort_unstable();
        paths
    };
    let first = start();
    first.save_index();
    assert_eq!(kept(), ["a.py", "b.py", "private/c.py"].map(PathBuf::from));
    fs::write(root.join("b.py"), "def changed():\n    pass\n").unwrap();
    fs::write(root.join(".ignore"), "private/\n").unwrap();
    let second = start();
    let fresh = Workspace::new(root.clone());
    fresh.build_index();
    assert_eq!(dump(&second.index()), dump(&fresh.index()));
    // What is not to be known any more must not stay on disk.
    second.save_index();
    assert_eq!(kept(), ["a.py", "b.py"].map(PathBuf::from));
    second.exclude(Exclusions::new(&["a.py".to_owned()]));
    second.save_index();
    assert_eq!(kept(), ["b.py"].map(PathBuf::from));
    for broken in fs::read_dir(cache.path()).unwrap() {
        fs::write(broken.unwrap().path(), "garbage").unwrap();
    }
    assert_eq!(dump(&start().index()), dump(&fresh.index()));
}

#[test]
fn a_build_leaves_open_documents_as_they_are() {
    let (_folder, root) = tree(&[("a.py", "def a():\n    pass\n")]);
    let workspace = Workspace::new(root.clone());
    workspace.build_index();
    let unsaved = "def unsaved():\n    pass\n".to_owned();
    workspace.update_document(&Document::new(root.join("a.py"), None, 1, unsaved));
    workspace.build_index();
    assert_eq!(workspace.index().named("unsaved").count(), 1);
    workspace.update(&root.join("a.py"), Some("def a():\n    pass\n"));
    workspace.build_index();
    assert_eq!(workspace.index().named("a").count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn following_changes_on_disk_equals_a_fresh_build(
        steps in proptest::collection::vec(
            (0..4_usize, proptest::option::of(0..4_usize), 0..4_u8), 1..10),
    ) {
        let (_folder, root) = tree(&[]);
        let cache = tempfile::tempdir().unwrap();
        let start = || Workspace::new(root.clone()).with_cache(Some(cache.path().to_owned()));
        let mut workspace = start();
        for (file, text, then) in steps {
            let path = root.join(format!("file{file}.rs"));
            match text {
                Some(n) => {
                    let other = (n + 1) % 4;
                    let text = format!("fn name{n}() {{ name{other}() }}\n");
                    fs::write(&path, text).unwrap();
                }
                None => _ = fs::remove_file(&path),
            }
            match then {
                0 => workspace.save_index(),
                1 => {
                    workspace = start();
                    workspace.build_index();
                }
                2 => workspace.update(&path, fs::read_to_string(&path).ok().as_deref()),
                _ => workspace.build_index(),
            }
        }
        workspace.build_index();
        let fresh = Workspace::new(root.clone());
        fresh.build_index();
        prop_assert_eq!(dump(&workspace.index()), dump(&fresh.index()));
    }
}
