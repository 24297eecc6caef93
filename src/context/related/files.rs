//! What each other file is to this one: imported, paired, a neighbour, changed together, alike.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasherDefault;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::near::Near;
use super::words::NumberHasher;
use crate::context::{Activity, Project};
use crate::syntax::imports::Import;
use crate::workspace::index::{FileEntry, Term};
use crate::workspace::modules::{Modules, item_name};

/// In a workspace of more files only those are looked at that share a word with the surroundings
/// of the cursor, or are related by name, import or history.
const ALL_FILES: usize = 2000;
/// A word in more files than this finds none of them.
const MAX_POSTINGS: u32 = 3000;
/// So many files are looked into.
const MOST_FILES: usize = 60;
/// The most imports that are looked up.
const MAX_IMPORTS: usize = 200;

/// A map by file, which stays where it is while a context is built.
pub(super) type FileMap<V> = HashMap<*const FileEntry, V, BuildHasherDefault<NumberHasher>>;

/// A file and its relations to this one.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) file: &'a Arc<FileEntry>,
    /// It is this file.
    pub(super) own: bool,
    /// BM25 of the words near the cursor, as a share of the best file's.
    pub(super) alike: f32,
    /// It is imported.
    pub(super) imported: f32,
    /// How near its folder is: 1 for the same one.
    pub(super) folder: f32,
    /// It has the same stem, but for marks of tests.
    pub(super) paired: f32,
    /// How often it was changed together with this one.
    pub(super) together: f32,
    /// How recently it was edited or viewed.
    pub(super) recent: f32,
    /// All of it in one number.
    pub(super) score: f32,
}

/// The files worth looking into, best first; this one is among them.
pub(super) fn candidates<'a>(
    path: &Path,
    near: &Near<'_>,
    imports: &[Import],
    modules: &Modules<'_>,
    project: Project<'a>,
) -> Vec<Candidate<'a>> {
    let index = project.index;
    let mut found = Found { known: FileMap::default(), files: Vec::new() };
    for (file, score) in alike(near, project) {
        found.entry(file).alike = score;
    }
    if index.file_count() <= ALL_FILES {
        for file in index.files() {
            found.entry(file);
        }
    }
    for target in targets(imports, modules, project) {
        if let Some(file) = index.file(&target) {
            found.entry(file).imported = 1.0;
        }
    }
    let Activity { recent, together } = project.activity;
    for (file, share) in together {
        if let Some(file) = index.file(file) {
            found.entry(file).together = share.clamp(0.0, 1.0);
        }
    }
    for (position, file) in recent.iter().enumerate() {
        if let Some(file) = index.file(file) {
            found.entry(file).recent = 1.0 / (1.0 + position as f32);
        }
    }
    if let Some(file) = index.file(path) {
        found.entry(file).own = true;
    }

    let stem = stem(path);
    let own_folders: Vec<&[u8]> = folders(path).collect();
    let mut files = found.files;
    for one in &mut files {
        one.folder = nearness(&own_folders, &one.file.path);
        one.paired = f32::from(u8::from(!one.own && self::stem(&one.file.path) == stem));
        one.score = one.alike
            + 0.5 * one.imported
            + 0.3 * one.folder
            + 0.5 * one.paired
            + 0.7 * one.together
            + 0.5 * one.recent
            + if one.own { 1.0 } else { 0.0 };
    }
    let best_first = |a: &Candidate<'_>, b: &Candidate<'_>| {
        b.score.total_cmp(&a.score).then_with(|| a.file.path.cmp(&b.file.path))
    };
    if files.len() > MOST_FILES {
        files.select_nth_unstable_by(MOST_FILES, best_first);
        files.truncate(MOST_FILES);
    }
    files.sort_by(best_first);
    files
}

/// The files that imports name: the module itself, or the module that holds the item and, where that
/// only exports it again, the file with its definition.
fn targets(imports: &[Import], modules: &Modules<'_>, project: Project<'_>) -> BTreeSet<PathBuf> {
    let mut known: HashMap<Vec<String>, Vec<PathBuf>> = HashMap::new();
    let mut files =
        |path: &[String]| known.entry(path.to_vec()).or_insert_with(|| modules.files(path)).clone();
    let mut out = BTreeSet::new();
    for import in imports.iter().take(MAX_IMPORTS) {
        let mut whole = import.path.clone();
        if import.name != "*" {
            whole.push(import.name.clone());
        }
        let found = files(&whole);
        if !found.is_empty() || import.name == "*" {
            out.extend(found);
            continue;
        }
        let holding = files(&import.path);
        for file in &holding {
            let symbols = project.index.of_file(file);
            let name = item_name(import);
            if !symbols.iter().any(|symbol| symbol.name == name) {
                let below = modules.below(file, name);
                out.extend(below.map(|(file, _)| file.to_path_buf()));
            }
        }
        // A variant or a nested item: its owner's module is what helps.
        match import.path.split_last() {
            Some((_, module)) if holding.is_empty() && modules.lead_into_files() => {
                out.extend(files(module));
            }
            _ => out.extend(holding),
        }
    }
    out
}

struct Found<'a> {
    known: FileMap<usize>,
    files: Vec<Candidate<'a>>,
}

impl<'a> Found<'a> {
    fn entry(&mut self, file: &'a Arc<FileEntry>) -> &mut Candidate<'a> {
        let at = *self.known.entry(Arc::as_ptr(file)).or_insert_with(|| {
            self.files.push(Candidate {
                file,
                own: false,
                alike: 0.0,
                imported: 0.0,
                folder: 0.0,
                paired: 0.0,
                together: 0.0,
                recent: 0.0,
                score: 0.0,
            });
            self.files.len() - 1
        });
        &mut self.files[at]
    }
}

/// Files by BM25 (k1 = 1.2, b = 0.75; Robertson and Zaragoza, The Probabilistic Relevance Framework,
/// 2009) of the weighted words, as shares of the best.
fn alike<'a>(near: &Near<'_>, project: Project<'a>) -> Vec<(&'a Arc<FileEntry>, f32)> {
    let index = project.index;
    let mut terms: Vec<(Term, f32)> = near
        .terms
        .iter()
        .filter(|(term, _)| index.file_frequency(**term) <= MAX_POSTINGS)
        .map(|(term, weight)| (*term, weight * inverse_frequency(project, *term)))
        .collect();
    terms.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    terms.truncate(50);
    let mut known: FileMap<usize> = FileMap::default();
    let mut scores: Vec<(&Arc<FileEntry>, f32)> = Vec::new();
    for (term, weight) in terms {
        for file in index.holders(term) {
            let at = *known.entry(Arc::as_ptr(file)).or_insert_with(|| {
                scores.push((file, 0.0));
                scores.len() - 1
            });
            let count = file.count(term) as f32;
            let norm = 1.2 * (0.25 + 0.75 * file.terms.len() as f32 / 250.0);
            scores[at].1 += weight * count * 2.2 / (count + norm);
        }
    }
    let best = scores.iter().fold(f32::EPSILON, |best, (_, score)| best.max(*score));
    for (_, score) in &mut scores {
        *score /= best;
    }
    scores
}

/// How much a term says: the rarer the more.
pub(super) fn inverse_frequency(project: Project<'_>, term: Term) -> f32 {
    let all = project.index.file_count() as f32;
    let with = project.index.file_frequency(term) as f32;
    (1.0 + (all - with + 0.5).max(0.0) / (with + 0.5)).ln()
}

/// A file's name without what marks tests: `cart` of `test_cart.py`, `cart_test.go`, `Cart.spec.ts`.
fn stem(path: &Path) -> Cow<'_, str> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = lower(name.split('.').next().unwrap_or_default());
    let own = match &*name {
        "mod" | "lib" | "main" | "index" | "__init__" | "conftest" => {
            let folder = path.parent().and_then(Path::file_name);
            lower(folder.and_then(|name| name.to_str()).unwrap_or_default())
        }
        _ => name,
    };
    match own {
        Cow::Borrowed(own) => Cow::Borrowed(without_test(own)),
        Cow::Owned(own) => Cow::Owned(without_test(&own).to_owned()),
    }
}

/// In lower case. Most names are, and every file's is asked for.
fn lower(name: &str) -> Cow<'_, str> {
    let is_lower = name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(name) } else { Cow::Owned(name.to_lowercase()) }
}

fn without_test(name: &str) -> &str {
    let own = name.strip_prefix("test_").unwrap_or(name);
    let own = ["_tests", "_test", "test", "tests"]
        .iter()
        .find_map(|end| own.strip_suffix(end))
        .unwrap_or(own);
    own.trim_matches('_')
}

/// 1 for the same folder, less for each step from those in `own` to another.
fn nearness(own: &[&[u8]], other: &Path) -> f32 {
    let (mut common, mut theirs) = (0, 0);
    for folder in folders(other) {
        if common == theirs && own.get(theirs) == Some(&folder) {
            common += 1;
        }
        theirs += 1;
    }
    1.0 / (1.0 + (own.len() + theirs - 2 * common) as f32)
}

/// The names of the folders around a file of the workspace, outer before inner.
fn folders(path: &Path) -> impl Iterator<Item = &[u8]> {
    let bytes = path.as_os_str().as_encoded_bytes();
    let separates = |byte: &u8| std::path::is_separator(char::from(*byte));
    let end = bytes.iter().rposition(separates).unwrap_or(0);
    let folder = bytes.get(..end).unwrap_or_default();
    folder.split(move |byte| separates(byte)).filter(|name| !name.is_empty())
}
