//! C and C++: a header is named relative to this file or to a folder that the compiler is told of.

use std::path::{Path, PathBuf};

use super::{Modules, normal};

/// Folders that compilers are usually told of, below one around the file.
const FOLDERS: [&str; 4] = ["", "include", "src", "lib"];

/// The files of an include: beside this file, then below each folder around it.
pub(super) fn candidates(modules: &Modules<'_>, segments: &[String]) -> Vec<PathBuf> {
    if segments.is_empty() {
        return Vec::new();
    }
    let named: PathBuf = segments.iter().collect();
    let beside = modules.path.parent().unwrap_or(Path::new("")).join(&named);
    let around =
        modules.folders().flat_map(|folder| FOLDERS.map(|name| folder.join(name).join(&named)));
    std::iter::once(beside).chain(around).filter_map(|path| normal(&path)).collect()
}
