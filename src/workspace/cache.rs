//! The index on disk: one file for each workspace, so that a start reads only what changed since.
//!
//! Layout: a heading; what is known of each file; a directory of them with their stamps, hashes and
//! places; a tail that says where the directory is. A file that another version, other grammars or
//! another workspace wrote, or that is broken, is as good as none. Every part has a checksum.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::index::{ContentHash, Draft, Index, decode};
use super::stamp::Stamp;
use crate::syntax::language;

/// First in every file; the number changes with the layout and with what is extracted.
const MAGIC: &[u8; 16] = b"agent index 0001";
/// Changes with the rules that keep files out: what older ones let in is judged anew.
const RULES: u64 = digest(&[
    include_str!("walk.rs"),
    include_str!("secret.rs"),
    include_str!("secret/address.rs"),
    include_str!("secret/assignment.rs"),
    include_str!("secret/private_key.rs"),
    include_str!("secret/token.rs"),
]);
/// Length of the tail: where the directory starts, its checksum.
const TAIL: usize = 16;
/// The largest file that is written or read, in bytes.
const MAX_FILE: u64 = 512 << 20;
/// The most that the folder may hold, in bytes; the workspaces used longest ago go first.
const MAX_FOLDER: u64 = 1 << 30;
/// Unfinished files of other runs are removed after this time.
const MAX_AGE_OF_REMAINS: Duration = Duration::from_hours(24);
const EXTENSION: &str = "index";

/// What an earlier run knew of a workspace.
#[derive(Debug)]
pub(super) struct Cache {
    bytes: Vec<u8>,
    files: HashMap<PathBuf, Cached>,
}

/// One file of it.
#[derive(Debug)]
pub(super) struct Cached {
    /// Of the text on disk; `None` if it had just been written.
    pub(super) stamp: Option<Stamp>,
    pub(super) hash: ContentHash,
    place: Range<usize>,
    check: u64,
}

#[derive(Serialize, Deserialize)]
struct Directory<'d> {
    root: &'d str,
    fingerprint: u64,
    #[serde(borrow)]
    files: Vec<Row<'d>>,
}

#[derive(Serialize, Deserialize)]
struct Row<'d> {
    path: &'d str,
    stamp: Option<(i64, i64, u64)>,
    hash: [u8; 16],
    start: u64,
    len: u64,
    check: u64,
}

impl Cache {
    /// What is kept in `folder` of the workspace at `root`, if anything.
    pub(super) fn load(folder: &Path, root: &Path) -> Option<Self> {
        let path = file_of(folder, root)?;
        let mut bytes = Vec::new();
        let file = File::open(&path).ok()?;
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        file.take(MAX_FILE + 1).read_to_end(&mut bytes).ok()?;
        let files = read_directory(&bytes, root)?;
        // Used now; fails where the disk is read-only, which is as well.
        _ = File::options()
            .append(true)
            .open(&path)
            .and_then(|f| f.set_modified(SystemTime::now()));
        Some(Self { bytes, files })
    }

    /// What is known of a file (relative path).
    pub(super) fn get(&self, path: &Path) -> Option<&Cached> {
        self.files.get(path)
    }

    /// Every file.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }

    /// What the file holds; `None` if it is broken.
    pub(super) fn draft(&self, path: &Path) -> Option<Draft> {
        let cached = self.get(path)?;
        let bytes = self.bytes.get(cached.place.clone())?;
        (checksum(bytes) == cached.check).then_some(())?;
        decode(path, cached.hash, bytes)
    }
}

fn read_directory(bytes: &[u8], root: &Path) -> Option<HashMap<PathBuf, Cached>> {
    bytes.starts_with(MAGIC).then_some(())?;
    let (rest, tail) = bytes.split_last_chunk::<TAIL>()?;
    let [start, check] =
        [&tail[..8], &tail[8..]].map(|half| half.try_into().map(u64::from_le_bytes));
    let directory = rest.get(usize::try_from(start.ok()?).ok()?..)?;
    (checksum(directory) == check.ok()?).then_some(())?;
    let directory: Directory<'_> = postcard::from_bytes(directory).ok()?;
    let ours = Some(directory.root) == root.to_str() && directory.fingerprint == fingerprint();
    ours.then_some(())?;
    let file = |row: Row<'_>| {
        let start = usize::try_from(row.start).ok()?;
        let end = start.checked_add(usize::try_from(row.len).ok()?)?;
        let stamp = row.stamp.map(|(modified, changed, size)| Stamp { modified, changed, size });
        let hash = ContentHash(row.hash);
        Some((row.path.into(), Cached { stamp, hash, place: start..end, check: row.check }))
    };
    directory.files.into_iter().map(file).collect()
}

/// Keeps `index` for the next start: the files in `stamps`, whose text on disk is the one indexed.
/// The old file is replaced at once or not at all.
pub(super) fn save(
    folder: &Path,
    root: &Path,
    index: &Index,
    stamps: &HashMap<std::sync::Arc<Path>, Option<Stamp>>,
) -> io::Result<()> {
    let (Some(path), Some(root)) = (file_of(folder, root), root.to_str()) else {
        return Ok(());
    };
    make_private_folder(folder)?;
    // Readable by the user alone.
    let mut file = tempfile::Builder::new().prefix(".unfinished-").tempfile_in(folder)?;
    let mut out = io::BufWriter::with_capacity(1 << 18, &mut file);
    out.write_all(MAGIC)?;
    let mut at = MAGIC.len() as u64;
    let mut files = Vec::new();
    for entry in index.files() {
        let Some(stamp) = stamps.get(&entry.path) else { continue };
        // A path that is no text, or a file that cannot be encoded, is read again.
        let Some((path, bytes)) = entry.path.to_str().zip(index.encode(entry)) else { continue };
        let len = bytes.len() as u64;
        if at + len > MAX_FILE {
            break;
        }
        out.write_all(&bytes)?;
        let stamp = stamp.map(|stamp| (stamp.modified, stamp.changed, stamp.size));
        let check = checksum(&bytes);
        files.push(Row { path, stamp, hash: entry.hash.0, start: at, len, check });
        at += len;
    }
    let directory = Directory { root, fingerprint: fingerprint(), files };
    let directory = postcard::to_allocvec(&directory).map_err(io::Error::other)?;
    out.write_all(&directory)?;
    out.write_all(&at.to_le_bytes())?;
    out.write_all(&checksum(&directory).to_le_bytes())?;
    out.flush()?;
    drop(out);
    file.persist(&path).map_err(|error| error.error)?;
    trim(folder, &path, MAX_FOLDER)
}

/// Removes the files used longest ago while the folder holds more than `most` bytes, but not
/// `kept`; and what other runs did not finish.
fn trim(folder: &Path, kept: &Path, most: u64) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(metadata) = entry.metadata() else { continue };
        let Ok(used) = metadata.modified() else { continue };
        let path = entry.path();
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(".unfinished-") {
            if SystemTime::now().duration_since(used).is_ok_and(|age| age > MAX_AGE_OF_REMAINS) {
                fs::remove_file(&path)?;
            }
        } else if path.extension().is_some_and(|extension| extension == EXTENSION) {
            files.push((path != kept, used, metadata.len(), path));
        }
    }
    // The kept one first, then the ones used last.
    files.sort_by_key(|(other, used, ..)| (*other, std::cmp::Reverse(*used)));
    let mut total = 0;
    for (other, _, size, path) in files {
        total += size;
        if other && total > most {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Where the workspace at `root` is kept; `None` for a path that is no text.
fn file_of(folder: &Path, root: &Path) -> Option<PathBuf> {
    let name = checksum(root.to_str()?.as_bytes());
    Some(folder.join(format!("{name:016x}.{EXTENSION}")))
}

/// Of everything that decides what is kept and how it was read.
fn fingerprint() -> u64 {
    let version = env!("CARGO_PKG_VERSION");
    checksum(format!("{version} {RULES} {}", language::fingerprint()).as_bytes())
}

/// FNV-1a (Fowler, Noll, Vo) of all `texts`, in 64 bits; worked out by the compiler.
const fn digest(texts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut text = 0;
    while text < texts.len() {
        let bytes = texts[text].as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        text += 1;
    }
    hash
}

/// The first eight bytes of the SHA-256.
fn checksum(bytes: &[u8]) -> u64 {
    let whole: [u8; 32] = Sha256::digest(bytes).into();
    let mut first = [0; 8];
    first.copy_from_slice(&whole[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests;
