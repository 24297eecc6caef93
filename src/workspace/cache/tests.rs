//! What is kept comes back; what is broken, foreign or old does not, and harms nobody.

use std::sync::Arc;

use super::*;

const STAMP: Stamp = Stamp { modified: 1, changed: -2, size: 3 };

fn saved(root: &Path) -> (tempfile::TempDir, Index) {
    let folder = tempfile::tempdir().unwrap();
    let mut index = Index::default();
    index.insert(Path::new("a.rs"), "fn alpha() { beta() }\n");
    index.insert(Path::new("b/c.py"), "def beta():\n    pass\n");
    index.insert(Path::new("open.py"), "def unsaved():\n    pass\n");
    let stamps = HashMap::from([
        (Arc::from(Path::new("a.rs")), Some(STAMP)),
        (Arc::from(Path::new("b/c.py")), None),
    ]);
    save(folder.path(), root, &index, &stamps).unwrap();
    (folder, index)
}

#[test]
fn a_workspace_comes_back_without_what_is_not_on_disk() {
    let root = Path::new("/projects/shop");
    let (folder, index) = saved(root);
    let cache = Cache::load(folder.path(), root).unwrap();
    let mut paths: Vec<_> = cache.paths().collect();
    paths.sort_unstable();
    assert_eq!(paths, [Path::new("a.rs"), Path::new("b/c.py")]);
    let [a, c] = ["a.rs", "b/c.py"].map(|path| cache.get(Path::new(path)).unwrap());
    assert_eq!((a.stamp, c.stamp), (Some(STAMP), None));
    let mut back = Index::default();
    for path in paths {
        assert_eq!(index.file(path).unwrap().hash, cache.get(path).unwrap().hash);
        back.insert_draft(cache.draft(path).unwrap());
    }
    assert_eq!(back.of_file(Path::new("a.rs"))[0].signature, "fn alpha()");
    assert_eq!(back.file_frequency(back.term("beta").unwrap()), 2);
}

#[test]
fn another_workspace_finds_nothing() {
    let (folder, _) = saved(Path::new("/projects/shop"));
    assert!(Cache::load(folder.path(), Path::new("/projects/other")).is_none());
    let [shop, other] = ["/projects/shop", "/projects/other"]
        .map(|root| file_of(folder.path(), Path::new(root)).unwrap());
    fs::copy(shop, other).unwrap();
    assert!(Cache::load(folder.path(), Path::new("/projects/other")).is_none());
}

#[test]
fn what_other_rules_or_another_version_let_in_is_read_again() {
    let root = Path::new("/projects/shop");
    let (folder, _) = saved(root);
    let path = file_of(folder.path(), root).unwrap();
    let bytes = fs::read(&path).unwrap();
    let (rest, tail) = bytes.split_at(bytes.len() - TAIL);
    let start = u64::from_le_bytes(tail[..8].try_into().unwrap()) as usize;
    let mut directory: Directory<'_> = postcard::from_bytes(&rest[start..]).unwrap();
    assert_ne!(directory.fingerprint, language::fingerprint(), "grammars alone");
    directory.fingerprint ^= 1;
    let directory = postcard::to_allocvec(&directory).unwrap();
    let mut other = [&rest[..start], &*directory, &tail[..8]].concat();
    other.extend(checksum(&directory).to_le_bytes());
    fs::write(&path, other).unwrap();
    assert!(Cache::load(folder.path(), root).is_none());
    // The test vectors of FNV-1a.
    assert_eq!(digest(&[""]), 0xcbf2_9ce4_8422_2325);
    assert_eq!(digest(&["foo", "bar"]), 0x8594_4171_f739_67e8);
}

#[test]
fn a_broken_file_gives_nothing_or_what_is_whole() {
    let root = Path::new("/projects/shop");
    let (folder, _) = saved(root);
    let path = file_of(folder.path(), root).unwrap();
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 0x55;
        fs::write(&path, &broken).unwrap();
        let Some(cache) = Cache::load(folder.path(), root) else { continue };
        // Only a file's own part can be broken without the directory showing it.
        let drafts = cache.paths().filter(|path| cache.draft(path).is_some()).count();
        assert_eq!(drafts, 1, "byte {at}");
    }
    for len in [0, 1, 15, 16, 31, whole.len() - 1] {
        fs::write(&path, &whole[..len]).unwrap();
        assert!(Cache::load(folder.path(), root).is_none(), "{len} bytes");
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(Cache::load(folder.path(), root).is_none());
}

#[test]
fn the_folder_keeps_to_its_size_and_the_last_used() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["old.index", "new.index", "own.index", "other.txt"];
    let paths = names.map(|name| folder.path().join(name));
    for (path, age) in paths.iter().zip([30, 20, 40, 50]) {
        fs::write(path, [0; 100]).unwrap();
        let file = File::options().append(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    }
    trim(folder.path(), &paths[2], 250).unwrap();
    assert_eq!(paths.map(|path| path.exists()), [false, true, true, true]);
}

#[cfg(unix)]
#[test]
fn only_the_user_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let root = Path::new("/projects/shop");
    let (folder, _) = saved(root);
    let mode = file_of(folder.path(), root).unwrap().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
}
