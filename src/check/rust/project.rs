//! Which Cargo package a file belongs to, read from the manifests without running anything.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::super::CheckError;
use super::super::scratch::read_regular;
use crate::text::line_index::LineIndex;

/// A package and the workspace it is built in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    root: PathBuf,
    package: String,
    flags: Vec<&'static str>,
    outside: Vec<PathBuf>,
}

impl Project {
    /// The project of the file at `path` (absolute): the package of the nearest manifest upwards,
    /// in the workspace that claims it. `None` without a package; an error that names the
    /// manifest when one of them cannot be read, which Cargo would not pass over either.
    pub fn of(path: &Path) -> Result<Option<Self>, CheckError> {
        let above = path.ancestors().skip(1).find(|folder| folder.join("Cargo.toml").is_file());
        let Some(folder) = above else { return Ok(None) };
        let manifest = manifest(folder)?;
        let Some(package) = manifest.get("package") else {
            if manifest.contains_key("workspace") {
                return Ok(None);
            }
            return Err(broken(folder, "neither a `[package]` nor a `[workspace]` is in it"));
        };
        let Some(name) = package.get("name").and_then(Value::as_str) else {
            return Err(broken(folder, "its `[package]` has no `name`"));
        };
        let root = workspace_root(folder, &manifest)?;
        Ok(Some(Self {
            outside: outside_folders(&root, folder),
            flags: target_flags(folder, &manifest, path),
            root,
            package: name.to_owned(),
        }))
    }

    /// The workspace's folder: where `Cargo.lock` is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The package's name.
    pub fn package(&self) -> &str {
        &self.package
    }

    /// Which of the package's targets to compile: library, programs and tests, and the kind that
    /// the file itself belongs to.
    pub fn target_flags(&self) -> impl Iterator<Item = &'static str> {
        self.flags.iter().copied()
    }

    /// Folders outside the workspace that path dependencies name.
    pub fn outside_folders(&self) -> impl Iterator<Item = PathBuf> {
        self.outside.iter().cloned()
    }
}

/// The manifest in `folder`.
fn manifest(folder: &Path) -> Result<Table, CheckError> {
    let path = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(|source| CheckError::Io {
        context: format!("reading {}", path.display()),
        source,
    })?;
    text.parse().map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = LineIndex::new(&text).line_of(start) + 1;
        broken(folder, &format!("line {line}: {}", error.message().trim().replace('\n', "; ")))
    })
}

fn broken(folder: &Path, why: &str) -> CheckError {
    CheckError::Tool {
        tool: folder.join("Cargo.toml").display().to_string(),
        message: format!("{why}; mend it first: without it Cargo checks nothing"),
    }
}

fn workspace_root(folder: &Path, own: &Table) -> Result<PathBuf, CheckError> {
    if own.contains_key("workspace") {
        return Ok(folder.to_owned());
    }
    if let Some(named) = own.get("package").and_then(|p| p.get("workspace")).and_then(Value::as_str)
    {
        return Ok(folder.join(named).canonicalize().unwrap_or_else(|_| folder.to_owned()));
    }
    for candidate in folder.ancestors().skip(1) {
        if !candidate.join("Cargo.toml").is_file() {
            continue;
        }
        if let Some(workspace) = manifest(candidate)?.get("workspace")
            && !is_excluded(workspace, candidate, folder)
        {
            return Ok(candidate.to_owned());
        }
    }
    Ok(folder.to_owned())
}

fn is_excluded(workspace: &Value, root: &Path, folder: &Path) -> bool {
    let excluded = workspace.get("exclude").and_then(Value::as_array);
    excluded
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .any(|name| folder.starts_with(root.join(name.trim_end_matches(['/', '*']))))
}

fn target_flags(folder: &Path, manifest: &Table, path: &Path) -> Vec<&'static str> {
    let mut flags = vec!["--bins", "--tests"];
    if folder.join("src/lib.rs").is_file() || manifest.contains_key("lib") {
        flags.insert(0, "--lib");
    }
    if path.starts_with(folder.join("examples")) {
        flags.push("--examples");
    } else if path.starts_with(folder.join("benches")) {
        flags.push("--benches");
    }
    flags
}

/// Path dependencies of the workspace's and the package's manifest that lie outside `root`, and
/// theirs.
fn outside_folders(root: &Path, folder: &Path) -> Vec<PathBuf> {
    let mut outside: Vec<PathBuf> = Vec::new();
    let mut queue = vec![root.to_owned(), folder.to_owned()];
    while let Some(folder) = queue.pop() {
        let Ok(manifest) = manifest(&folder) else { continue };
        let mut paths = Vec::new();
        collect_paths(&Value::Table(manifest), &mut paths);
        for path in paths {
            let Ok(target) = folder.join(path).canonicalize() else { continue };
            if target.is_dir() && !target.starts_with(root) && !outside.contains(&target) {
                queue.push(target.clone());
                outside.push(target);
            }
        }
    }
    outside
}

/// Every `path = "…"` of a manifest; those that name no folder are sorted out by the caller.
fn collect_paths(value: &Value, paths: &mut Vec<String>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                match value {
                    Value::String(path) if key == "path" => paths.push(path.clone()),
                    other => collect_paths(other, paths),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_paths(value, paths)),
        _ => {}
    }
}

/// Whether the last build read `file`, by the dependency files that the compiler wrote into
/// `target`; paths in them are absolute or relative to `folder`.
pub(super) fn is_compiled(target: &Path, folder: &Path, file: &Path) -> bool {
    let absolute = escaped(file);
    let relative = file.strip_prefix(folder).map(escaped).unwrap_or_default();
    let Ok(profiles) = std::fs::read_dir(target) else { return false };
    profiles
        .flatten()
        .filter_map(|profile| std::fs::read_dir(profile.path().join("deps")).ok())
        .flat_map(Iterator::flatten)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "d"))
        .filter_map(|path| read_regular(&path).ok())
        .any(|text| {
            // `file: ` stands on a line of its own for each source.
            text.lines()
                .filter_map(|line| line.strip_suffix(':'))
                .any(|source| source == absolute || (!relative.is_empty() && source == relative))
        })
}

/// A path as make-style dependency files spell it.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace(' ', "\\ ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for (name, text) in files {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        (folder, root)
    }

    #[test]
    fn a_member_belongs_to_its_workspace() {
        let (_folder, root) = tree(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\nexclude = [\"tools\"]\n"),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"),
            ("crates/a/src/lib.rs", ""),
            ("tools/b/Cargo.toml", "[package]\nname = \"b\"\n"),
            ("tools/b/src/main.rs", ""),
            ("scripts/x.rs", ""),
        ]);
        let a = Project::of(&root.join("crates/a/src/lib.rs")).unwrap().unwrap();
        assert_eq!((a.root(), a.package()), (root.as_path(), "a"));
        assert_eq!(a.target_flags().collect::<Vec<_>>(), ["--lib", "--bins", "--tests"]);
        let b = Project::of(&root.join("tools/b/src/main.rs")).unwrap().unwrap();
        assert_eq!(b.root(), root.join("tools/b"));
        assert_eq!(b.target_flags().collect::<Vec<_>>(), ["--bins", "--tests"]);
        assert_eq!(Project::of(&root.join("scripts/x.rs")).unwrap(), None);
    }

    #[test]
    fn a_manifest_that_cannot_be_read_is_not_passed_over() {
        let (_folder, root) = tree(&[
            ("a/Cargo.toml", "[package]\nname = \"a\"\nbroken = [\n"),
            ("b/Cargo.toml", "[package]\nversion = \"1.0.0\"\n"),
            ("c/Cargo.toml", ""),
            ("d/Cargo.toml", "[workspace\n"),
            ("d/e/Cargo.toml", "[package]\nname = \"e\"\n"),
        ]);
        for (file, manifest, why) in [
            ("a/src/lib.rs", "a/Cargo.toml", "line 3: "),
            ("b/src/lib.rs", "b/Cargo.toml", "no `name`"),
            ("c/src/lib.rs", "c/Cargo.toml", "neither"),
            ("d/e/src/lib.rs", "d/Cargo.toml", "line 1: "),
        ] {
            let error = Project::of(&root.join(file)).unwrap_err().to_string();
            let named = root.join(manifest).display().to_string();
            assert!(error.starts_with(&named) && error.contains(why), "{error}");
        }
    }

    #[test]
    fn path_dependencies_outside_are_found_with_theirs() {
        let (_folder, root) = tree(&[
            (
                "app/Cargo.toml",
                "[package]\nname = \"app\"\n[dependencies]\nb = { path = \"../b\" }\n",
            ),
            ("app/src/main.rs", ""),
            ("b/Cargo.toml", "[package]\nname = \"b\"\n[dependencies.c]\npath = \"../c\"\n"),
            ("c/Cargo.toml", "[package]\nname = \"c\"\n[dependencies]\nb = { path = \"../b\" }\n"),
        ]);
        let project = Project::of(&root.join("app/src/main.rs")).unwrap().unwrap();
        let outside: Vec<PathBuf> = project.outside_folders().collect();
        assert_eq!(outside, [root.join("b"), root.join("c")]);
    }
}
