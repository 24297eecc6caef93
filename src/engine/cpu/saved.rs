//! Evaluated texts on disk, so that a program that starts again need not evaluate them again.
//!
//! One file per text, named after the model and the text. A file that is damaged, of another
//! version or not ours is passed over with a reason in the log, and nothing but our own files is
//! ever deleted.

mod file;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::prefix_tree::common;
use super::sequence::Sequence;
use agent_pass::pages::{PAGE, Page, Pool};
use file::Header;

/// Ending of our files' names.
const ENDING: &str = "kv";

/// Texts shorter than this are evaluated sooner than read.
const SHORTEST: usize = 4 * PAGE;

/// The texts of one model that are kept in a folder.
#[derive(Debug)]
pub struct Saved {
    folder: PathBuf,
    /// All of the folder's files together are kept at no more than this.
    most_bytes: u64,
    /// Identity of the model.
    model: [u8; 32],
    pool: Pool,
    context_length: usize,
    texts: Vec<Text>,
}

#[derive(Debug)]
struct Text {
    path: PathBuf,
    header: Header,
}

impl Saved {
    /// The texts in `folder`, which need not exist, of the model of this identity
    /// ([`crate::engine::gguf::Gguf::identity`]). Reads their tokens only.
    pub fn open(
        folder: PathBuf,
        most_bytes: u64,
        model: [u8; 32],
        pool: &Pool,
        context_length: usize,
    ) -> Self {
        let mut saved = Self {
            folder,
            most_bytes,
            model,
            pool: pool.clone(),
            context_length,
            texts: Vec::new(),
        };
        let start = format!("{}-", hex(&model));
        let files = ours(&saved.folder).into_iter().filter(|file| file.name.starts_with(&start));
        for file in files {
            match file::read_header(&file.path, &saved.expected()) {
                Ok(header) => saved.texts.push(Text { path: file.path, header }),
                Err(error) => ignored(&file.path, &error),
            }
        }
        saved
    }

    /// The text that has more than `known` of the first of `tokens`, and the most of them: as much
    /// of it as agrees. `None` if there is none that is worth reading.
    pub(super) fn longest(&mut self, tokens: &[u32], known: usize) -> Option<Sequence> {
        let agrees = |text: &Text| common(&text.header.tokens, tokens);
        let longest = (0..self.texts.len()).max_by_key(|index| agrees(&self.texts[*index]))?;
        let length = agrees(&self.texts[longest]);
        if length < known + SHORTEST {
            return None;
        }
        let Text { path, header } = &self.texts[longest];
        match file::read_pages(path, header, length, &self.pool) {
            Ok(pages) => {
                let tokens = tokens[..length].to_vec();
                Some(Sequence::of(&self.pool, self.context_length, tokens, pages))
            }
            Err(error) => {
                ignored(path, &error);
                self.texts.remove(longest);
                None
            }
        }
    }

    /// Keeps a text, in place of those that it has mostly in common with, at the cost of the oldest
    /// files. Of one that is too long only the start.
    pub(super) fn save(&mut self, tokens: &[u32], pages: &[Arc<Page>]) -> io::Result<()> {
        let page_bytes = self.pool.shape().page_bytes() as u64;
        let most = (self.most_bytes / 2 / page_bytes.max(1)) as usize;
        let tokens = &tokens[..tokens.len().min(most.saturating_mul(PAGE))];
        let pages = &pages[..tokens.len().div_ceil(PAGE)];
        let covered = |text: &Text| text.header.tokens.starts_with(tokens);
        if tokens.len() < SHORTEST || self.texts.iter().any(covered) {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        let name = format!("{}-{}.{ENDING}", hex(&self.model), hex(&token_hash(tokens)));
        let path = self.folder.join(name);
        let header = file::write(&path, &self.expected(), tokens, pages)?;
        let superseded = |text: &Text| {
            let old = &text.header.tokens;
            text.path != path && 2 * common(old, tokens) > old.len()
        };
        self.texts.extract_if(.., |text| superseded(text)).for_each(|text| delete(&text.path));
        self.texts.retain(|text| text.path != path);
        self.texts.push(Text { path: path.clone(), header });
        self.make_room(&path);
        Ok(())
    }

    /// Deletes the oldest files, of whichever model, until the rest is within the limit; not the
    /// one that was just written.
    fn make_room(&mut self, written: &Path) {
        let mut files = ours(&self.folder);
        files.sort_by_key(|file| file.changed);
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        for file in files.into_iter().filter(|file| file.path != written) {
            if total <= self.most_bytes {
                return;
            }
            if file::is_ours(&file.path) {
                delete(&file.path);
                total -= file.bytes;
                self.texts.retain(|text| text.path != file.path);
            }
        }
    }

    /// What the header of a file has to say, its text aside.
    fn expected(&self) -> Header {
        Header {
            model: self.model,
            shape: *self.pool.shape(),
            context_length: self.context_length,
            tokens: Vec::new(),
            page_hashes: Vec::new(),
        }
    }
}

/// A file with a name of ours.
struct Named {
    path: PathBuf,
    name: String,
    bytes: u64,
    changed: SystemTime,
}

/// The files in `folder` with names like ours; none where it cannot be read.
fn ours(folder: &Path) -> Vec<Named> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (stem, ending) = name.rsplit_once('.')?;
            let hashes = stem.split_once('-')?;
            let like_ours =
                |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            // Of the link itself: no link is ours.
            let metadata = entry.metadata().ok()?;
            let ours = ending == ENDING && like_ours(hashes.0) && like_ours(hashes.1);
            (ours && metadata.is_file()).then(|| Named {
                path: entry.path(),
                name,
                bytes: metadata.len(),
                changed: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            })
        })
        .collect()
}

fn delete(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!("{}: {error}", path.display());
    }
}

fn ignored(path: &Path, error: &io::Error) {
    tracing::warn!("{}: not used: {error}", path.display());
}

fn token_hash(tokens: &[u32]) -> [u8; 32] {
    let bytes: Vec<u8> = tokens.iter().flat_map(|token| token.to_le_bytes()).collect();
    Sha256::digest(bytes).into()
}

/// The first 16 digits: enough to tell a user's files apart.
fn hex(hash: &[u8; 32]) -> String {
    hash.iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
