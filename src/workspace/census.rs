//! Every file of a workspace that is left out, and why; for people who wonder.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::Workspace;
use super::secret;
use super::walk::{self, MAX_FILES, Skipped};
use crate::syntax::Language;

/// The most entries that are listed; a tree with more is listed in part.
const MAX_LISTED: usize = 400_000;

/// What a look at every file gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// Number of files that are read.
    pub read: usize,
    /// What is left out, sorted by path.
    pub left_out: Vec<LeftOut>,
    /// Whether the tree is so large that files are missing from the list.
    pub is_partial: bool,
}

/// A file, or a folder with everything in it, that is left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Relative to the workspace.
    pub path: PathBuf,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Why.
    pub why: Skipped,
}

impl Workspace {
    /// Looks at every file once more and says which are left out. Of a folder that is left out as
    /// a whole, only the folder is named.
    pub fn census(&self) -> Census {
        let mut census = Census::default();
        let exclusions = self.exclusions();
        let mut seen: HashSet<PathBuf> = HashSet::new();
        let (mut folders, mut sources) = (Vec::new(), Vec::new());
        for entry in walk::walker(self.root()).build().flatten() {
            let Ok(path) = entry.path().strip_prefix(self.root()).map(Path::to_owned) else {
                continue;
            };
            if seen.len() >= MAX_LISTED {
                census.is_partial = true;
                break;
            }
            let kind = entry.file_type();
            if kind.is_some_and(|kind| kind.is_dir()) {
                folders.push(path.clone());
            } else if secret::is_secret_path(&path) {
                census.leave_out(&path, Skipped::SecretName);
            } else if exclusions.of(&path).is_some() {
                census.leave_out(&path, Skipped::Excluded);
            } else if kind.is_some_and(|kind| kind.is_symlink()) {
                census.leave_out(&path, Skipped::Link);
            } else if Language::of_path(&path).is_none() {
                census.leave_out(&path, Skipped::UnknownLanguage);
            } else {
                sources.push(path.clone());
            }
            seen.insert(path);
        }
        sources.sort_unstable();
        for path in sources.iter().skip(MAX_FILES) {
            census.leave_out(path, Skipped::TooMany);
        }
        for path in sources.iter().take(MAX_FILES) {
            match walk::read(&self.root().join(path)) {
                Ok(_) => census.read += 1,
                Err(why) => census.leave_out(path, why),
            }
        }
        // What the walk passed over: the rules that it follows tell no more than that.
        for folder in folders {
            for entry in fs::read_dir(self.root().join(&folder)).into_iter().flatten().flatten() {
                let path = folder.join(entry.file_name());
                if seen.contains(&path) || census.is_partial {
                    continue;
                }
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let hidden = entry.file_name().to_string_lossy().starts_with('.');
                let inside = if is_folder { path.join("any") } else { path.clone() };
                let why = if secret::is_secret_path(&inside) {
                    Skipped::SecretName
                } else if hidden {
                    Skipped::Hidden
                } else {
                    Skipped::Ignored
                };
                census.left_out.push(LeftOut { path, is_folder, why });
            }
        }
        census.left_out.sort_unstable();
        census
    }
}

impl Census {
    /// How many entries are left out for each reason that occurs.
    pub fn by_reason(&self) -> BTreeMap<Skipped, usize> {
        let mut counts = BTreeMap::new();
        for one in &self.left_out {
            *counts.entry(one.why).or_default() += 1;
        }
        counts
    }

    fn leave_out(&mut self, path: &Path, why: Skipped) {
        self.left_out.push(LeftOut { path: path.to_owned(), is_folder: false, why });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::exclude::Exclusions;

    #[test]
    fn every_file_that_is_left_out_is_named_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (path, text) in [
            (".gitignore", "target/\nlocal.py\n.env\n"),
            (".env", "A=1"),
            (".ssh/config", ""),
            (".cache/x.py", ""),
            ("src/a.rs", "fn a() {}\n"),
            ("src/local.py", "x = 1\n"),
            ("src/key.pem", ""),
            ("src/made.rs", "// @generated\n"),
            ("src/token.py", "API_KEY = 'q7Wz2LkP9vTn4XbR8sYd1MfH'\n"),
            ("target/debug/a.rs", "fn b() {}\n"),
            ("vendor/b.rs", "fn b() {}\n"),
            ("read.me", "text"),
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let workspace = Workspace::new(root.to_owned());
        workspace.exclude(Exclusions::new(&["vendor/".to_owned()]));
        let census = workspace.census();
        let left_out: Vec<(&str, bool, Skipped)> = census
            .left_out
            .iter()
            .map(|one| (one.path.to_str().unwrap(), one.is_folder, one.why))
            .collect();
        assert_eq!(
            left_out,
            [
                (".cache", true, Skipped::Hidden),
                (".env", false, Skipped::SecretName),
                (".gitignore", false, Skipped::Hidden),
                (".ssh", true, Skipped::SecretName),
                ("read.me", false, Skipped::UnknownLanguage),
                ("src/key.pem", false, Skipped::SecretName),
                ("src/local.py", false, Skipped::Ignored),
                ("src/made.rs", false, Skipped::Generated),
                ("src/token.py", false, Skipped::SecretText),
                ("target", true, Skipped::Ignored),
                ("vendor/b.rs", false, Skipped::Excluded),
            ]
        );
        assert_eq!((census.read, census.is_partial), (1, false));
    }
}
