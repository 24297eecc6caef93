//! A repository as it is measured: its files, their index and its history.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use agent::context::Activity;
use agent::syntax::Language;
use agent::workspace::index::{Index, Term};
use agent::workspace::walk;

/// Commits of more files say nothing about what belongs together.
const MOST_FILES: usize = 40;
/// So many commits of a file are looked at, and so many files named.
const MOST_COMMITS: usize = 100;
const MOST_TOGETHER: usize = 20;
/// So many files a session has visited.
const MOST_VISITED: usize = 16;

pub(crate) struct Repository {
    pub(crate) name: String,
    pub(crate) files: Vec<(PathBuf, String)>,
    pub(crate) index: Index,
    texts: HashMap<PathBuf, Arc<str>>,
    /// Files of each commit, latest first.
    commits: Vec<Vec<PathBuf>>,
}

impl Repository {
    pub(crate) fn open(root: &Path) -> Self {
        let listed = Command::new("git").arg("-C").arg(root).arg("ls-files").output().unwrap();
        let mut files: Vec<(PathBuf, String)> = String::from_utf8_lossy(&listed.stdout)
            .lines()
            .map(PathBuf::from)
            .filter(|path| Language::of_path(path).is_some())
            .filter_map(|path| Some((path.clone(), walk::read(&root.join(path)).ok()?)))
            .collect();
        files.sort();
        let mut index = Index::default();
        for (path, text) in &files {
            index.insert(path, text);
        }
        let log = ["log", "--no-renames", "--name-only", "--format=%x00%H", "HEAD"];
        let log = Command::new("git").arg("-C").arg(root).args(log).output().unwrap();
        let commits = String::from_utf8_lossy(&log.stdout)
            .split('\0')
            .map(|commit| {
                commit.lines().skip(1).filter(|l| !l.is_empty()).map(PathBuf::from).collect()
            })
            .filter(|files: &Vec<PathBuf>| files.len() <= MOST_FILES)
            .collect();
        let texts = files.iter().map(|(p, text)| (p.clone(), Arc::from(text.as_str()))).collect();
        let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { name, files, index, texts, commits }
    }

    pub(crate) fn text(&self, path: &Path) -> Option<Arc<str>> {
        self.texts.get(path).cloned()
    }

    /// Indexes a file as it is again.
    pub(crate) fn restore(&mut self, path: &Path) {
        if let Some(text) = self.texts.get(path) {
            self.index.insert(path, text);
        }
    }

    /// Whether the code of another file has an identifier.
    pub(crate) fn other_holds(&self, name: &str, path: &Path) -> bool {
        let others = |term: Term| self.index.holders(term).any(|file| &*file.path != path);
        self.index.term(name).is_some_and(others)
    }

    fn commits_of<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = &'a Vec<PathBuf>> {
        self.commits.iter().filter(move |files| files.iter().any(|file| file == path))
    }

    /// What was changed together with a file.
    pub(crate) fn activity(&self, path: &Path) -> Activity {
        let mut counts: HashMap<&PathBuf, f32> = HashMap::new();
        let mut all = 1.0;
        for files in self.commits_of(path).take(MOST_COMMITS) {
            all += 1.0;
            for file in files.iter().filter(|file| *file != path && self.texts.contains_key(*file))
            {
                *counts.entry(file).or_default() += 1.0;
            }
        }
        let mut together: Vec<(PathBuf, f32)> =
            counts.into_iter().map(|(file, count)| (file.clone(), count / all)).collect();
        together.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        together.truncate(MOST_TOGETHER);
        Activity { recent: Vec::new(), together }
    }

    /// The files of a simulated session, latest first: those of the latest commits of the file, then
    /// its neighbours.
    pub(crate) fn visited<'a>(&'a self, path: &'a Path) -> Vec<(&'a Path, &'a str)> {
        let mut out: Vec<(&Path, &str)> = Vec::new();
        let changed = self.commits_of(path).flatten().map(PathBuf::as_path);
        let beside = self.files.iter().map(|(other, _)| other.as_path());
        let beside = beside.filter(|other| other.parent() == path.parent());
        for other in changed.chain(beside).filter(|other| *other != path) {
            let known = out.iter().any(|(seen, _)| *seen == other);
            if let Some(text) = self.texts.get(other).filter(|_| !known) {
                out.push((other, text));
            }
            if out.len() == MOST_VISITED {
                break;
            }
        }
        out
    }
}
