//! Which files change together, from the last commits.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use git2::{DiffOptions, Oid, Repository, Sort};

use crate::syntax::Language;

/// So many commits are read, and for so long.
const COMMITS: usize = 500;
const PATIENCE: Duration = Duration::from_millis(300);
/// A commit of more files says nothing about any two of them.
const MAX_FILES: usize = 20;
/// Two files that changed together once did so by chance.
const LEAST: u32 = 2;
/// No file has more companions.
const MAX_COMPANIONS: usize = 20;

/// What the commits up to one say.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The commit that was checked out; `None` where there is none.
    head: Option<Oid>,
    /// How many commits changed a file, by path relative to the workspace.
    changes: HashMap<PathBuf, u32>,
    /// How many changed both, by file.
    together: HashMap<PathBuf, HashMap<PathBuf, u32>>,
}

impl History {
    /// The history of the repository around `root`; `None` where it is that of `known`, and
    /// nothing outside a repository.
    pub(super) fn read(root: &Path, known: &Self) -> Option<Self> {
        let repository = Repository::discover(root).ok();
        let head = repository.as_ref().and_then(|repository| repository.head().ok()?.target());
        if head == known.head {
            return None;
        }
        let mut history = Self { head, ..Self::default() };
        if let Some(repository) = &repository {
            // What git cannot read is not there; the rest is of use.
            _ = history.gather(repository, root);
        }
        Some(history)
    }

    fn gather(&mut self, repository: &Repository, root: &Path) -> Result<(), git2::Error> {
        let top = repository.workdir().and_then(|folder| folder.canonicalize().ok());
        let Some(below) = top.as_deref().and_then(|top| root.strip_prefix(top).ok()) else {
            return Ok(());
        };
        let start = Instant::now();
        let mut walk = repository.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL)?;
        walk.simplify_first_parent()?;
        walk.push_head()?;
        for id in walk.take(COMMITS) {
            if start.elapsed() > PATIENCE {
                break;
            }
            let commit = repository.find_commit(id?)?;
            let before = match commit.parent(0) {
                Ok(parent) => parent.tree()?,
                // The first commit says only what there was.
                Err(_) => continue,
            };
            let mut options = DiffOptions::new();
            options.skip_binary_check(true).ignore_submodules(true);
            let after = commit.tree()?;
            let diff =
                repository.diff_tree_to_tree(Some(&before), Some(&after), Some(&mut options))?;
            if diff.deltas().len() > MAX_FILES {
                continue;
            }
            let paths = diff.deltas().filter_map(|delta| delta.new_file().path());
            let ours = paths.filter_map(|path| path.strip_prefix(below).ok());
            self.add(&ours.filter(|path| Language::of_path(path).is_some()).collect::<Vec<_>>());
        }
        Ok(())
    }

    /// Counts the files of one commit.
    fn add(&mut self, files: &[&Path]) {
        for file in files {
            *self.changes.entry((*file).to_owned()).or_default() += 1;
            let others = files.iter().filter(|other| *other != file);
            let together = self.together.entry((*file).to_owned()).or_default();
            others.for_each(|other| *together.entry((*other).to_owned()).or_default() += 1);
        }
    }

    /// The files that changed together with `path`, with the share of its changes in which they
    /// did (0 to 1), highest first.
    pub(super) fn changed_with(&self, path: &Path) -> Vec<(PathBuf, f32)> {
        let Some(together) = self.together.get(path) else { return Vec::new() };
        let changes = self.changes.get(path).copied().unwrap_or(1).max(1) as f32;
        let often = together.iter().filter(|(_, times)| **times >= LEAST);
        let mut found: Vec<_> =
            often.map(|(other, times)| (other.clone(), *times as f32 / changes)).collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        found.truncate(MAX_COMPANIONS);
        found
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use git2::{IndexAddOption, Signature};

    use super::*;

    fn commit(repository: &Repository, files: &[&str]) {
        let root = repository.workdir().unwrap();
        for (number, file) in files.iter().enumerate() {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let old = fs::read_to_string(&path).unwrap_or_default();
            fs::write(path, format!("{old}x = {number}\n")).unwrap();
        }
        let mut index = repository.index().unwrap();
        index.add_all(["*"], IndexAddOption::DEFAULT, None).unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let who = Signature::now("Test", "test@example.org").unwrap();
        let parent = repository.head().ok().map(|head| head.peel_to_commit().unwrap());
        let parents: Vec<_> = parent.iter().collect();
        repository.commit(Some("HEAD"), &who, &who, "Change", &tree, &parents).unwrap();
    }

    #[test]
    fn files_that_changed_together_more_than_once_are_companions() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let repository = Repository::init(&root).unwrap();
        commit(&repository, &["p/a.py", "p/b.py", "p/c.py"]);
        commit(&repository, &["p/a.py", "p/b.py", "notes.txt"]);
        commit(&repository, &["p/a.py", "p/b.py", "p/c.py"]);
        commit(&repository, &["p/a.py"]);
        let many: Vec<String> = (0..=MAX_FILES).map(|n| format!("p/{n}.py")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).chain(["p/a.py"]).collect();
        commit(&repository, &many);
        commit(&repository, &many);

        let history = History::read(&root, &History::default()).unwrap();
        let third = 2.0 / 3.0;
        assert_eq!(history.changed_with(Path::new("p/a.py")), [("p/b.py".into(), third)]);
        assert_eq!(history.changed_with(Path::new("p/b.py")), [("p/a.py".into(), 1.0)]);
        assert_eq!(history.changed_with(Path::new("p/none.py")), []);
        // Nothing is read again before there is another commit.
        assert!(History::read(&root, &history).is_none());

        let below = History::read(&root.join("p"), &History::default()).unwrap();
        assert_eq!(below.changed_with(Path::new("a.py")), [("b.py".into(), third)]);
    }

    #[test]
    fn outside_a_repository_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(History::read(folder.path(), &History::default()).is_none());
    }
}
