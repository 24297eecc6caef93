//! What git knows: the repository's name and the committed text of a file.

use std::path::Path;

/// The repository's name: the last part of `origin`'s address, else the work tree's folder name.
pub fn repository_name(root: &Path) -> Option<String> {
    let _ = root;
    unimplemented!()
}

/// The text of `path` in HEAD.
pub fn head_text(path: &Path) -> Option<String> {
    let _ = path;
    unimplemented!()
}
