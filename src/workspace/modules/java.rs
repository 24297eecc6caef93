//! Java: a class is a file, in folders that are called as its package's parts.

use std::path::{Path, PathBuf};

use super::Modules;

/// The most files of a package that is imported whole.
const MOST_FILES: usize = 32;

/// The file of the class that `segments` name, or the files of the package. They lie in the source
/// folder of this file, or in another one that holds a class of that name.
pub(super) fn files(modules: &Modules<'_>, segments: &[String]) -> Vec<PathBuf> {
    let (Some(first), Some(last)) = (segments.first(), segments.last()) else {
        return Vec::new();
    };
    let named: PathBuf = segments.iter().collect();
    let class = named.with_extension("java");
    let roots = roots(modules.path, first);
    let own = roots.iter().map(|root| root.join(&class));
    if let Some(file) = own.into_iter().find(|path| modules.index.holds(path)) {
        return vec![file];
    }
    // In another part of the build; a class stands in the file of its name.
    let mut elsewhere = modules.index.named(last).filter(|(file, _)| file.path.ends_with(&class));
    if let Some((file, _)) = elsewhere.next() {
        return vec![file.path.to_path_buf()];
    }
    let mut packages = roots.iter().map(|root| modules.in_folder(&root.join(&named)));
    let mut found = packages.find(|files| !files.is_empty()).unwrap_or_default();
    found.truncate(MOST_FILES);
    found
}

/// The source folders that this file's package may begin in: what stands before the part of its
/// path that the import starts with, and for tests the folder of what they test.
fn roots(path: &Path, first: &str) -> Vec<PathBuf> {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let Some(at) = parts.iter().position(|part| *part == first) else { return Vec::new() };
    let root = parts.iter().take(at);
    let main = root.clone().map(|part| if *part == "test" { "main" } else { part });
    vec![root.collect(), main.collect()]
}
