//! Which Cargo package a file belongs to, read from the manifests without running anything.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::super::scratch::read_regular;

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
    /// in the workspace that claims it. `None` without a package.
    pub fn of(path: &Path) -> Option<Self> {
        let folder = path.ancestors().skip(1).find(|folder| folder.join("Cargo.toml").is_file())?;
        let manifest = manifest(folder)?;
        let package = manifest.get("package")?.get("name")?.as_str()?.to_owned();
        let root = workspace_root(folder, &manifest);
        Some(Self {
            outside: outside_folders(&root, folder),
            flags: target_flags(folder, &manifest, path),
            root,
            package,
        })
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

fn manifest(folder: &Path) -> Option<Table> {
    std::fs::read_to_string(folder.join("Cargo.toml")).ok()?.parse().ok()
}

fn workspace_root(folder: &Path, own: &Table) -> PathBuf {
    if own.contains_key("workspace") {
        return folder.to_owned();
    }
    if let Some(named) = own.get("package").and_then(|p| p.get("workspace")).and_then(Value::as_str)
    {
        return folder.join(named).canonicalize().unwrap_or_else(|_| folder.to_owned());
    }
    let claims = |candidate: &&Path| {
        manifest(candidate)
            .and_then(|table| table.get("workspace").cloned())
            .is_some_and(|workspace| !is_excluded(&workspace, candidate, folder))
    };
    folder.ancestors().skip(1).find(claims).unwrap_or(folder).to_owned()
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
        let Some(manifest) = manifest(&folder) else { continue };
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
        let a = Project::of(&root.join("crates/a/src/lib.rs")).unwrap();
        assert_eq!((a.root(), a.package()), (root.as_path(), "a"));
        assert_eq!(a.target_flags().collect::<Vec<_>>(), ["--lib", "--bins", "--tests"]);
        let b = Project::of(&root.join("tools/b/src/main.rs")).unwrap();
        assert_eq!(b.root(), root.join("tools/b"));
        assert_eq!(b.target_flags().collect::<Vec<_>>(), ["--bins", "--tests"]);
        assert_eq!(Project::of(&root.join("scripts/x.rs")), None);
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
        let project = Project::of(&root.join("app/src/main.rs")).unwrap();
        let outside: Vec<PathBuf> = project.outside_folders().collect();
        assert_eq!(outside, [root.join("b"), root.join("c")]);
    }
}
