//! Go: a package is a folder; an import's path is the module's, then the folder's.

use std::path::{Path, PathBuf};

use super::Modules;

/// The files of the package that `segments` name, tests left out. How much of the path is the
/// module's is told by which of its ends is a folder here. Packages of the standard library have no
/// dot in their first part.
pub(super) fn files(modules: &Modules<'_>, segments: &[String]) -> Vec<PathBuf> {
    let Some((first, rest)) = segments.split_first() else { return Vec::new() };
    if !first.contains('.') && first != modules.repository {
        return Vec::new();
    }
    let is_source = |path: &PathBuf| !modules.language.is_test_file(path);
    for start in 0..rest.len() {
        let folder: PathBuf = rest.iter().skip(start).collect();
        let found: Vec<PathBuf> =
            modules.in_folder(&folder).into_iter().filter(is_source).collect();
        if !found.is_empty() {
            return found;
        }
    }
    // The module's own package lies at its root; a version may end the path.
    let mut names = segments.iter().rev();
    let is_version = |name: &&String| {
        name.strip_prefix('v').is_some_and(|n| n.chars().all(|c| c.is_ascii_digit()))
    };
    let name = names.find(|name| !is_version(name));
    let is_root = name.is_some_and(|name| name == modules.repository);
    let root = is_root.then(|| modules.in_folder(Path::new("")));
    root.unwrap_or_default().into_iter().filter(is_source).collect()
}
