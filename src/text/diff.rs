//! Old and new text → minimal edits, or a unified diff that `git apply` takes.

use super::TextEdit;

/// The smallest line-and-character edits that turn `old` into `new`: ascending, disjoint, trimmed
/// at both ends.
pub fn edits(old: &str, new: &str) -> Vec<TextEdit> {
    let _ = (old, new);
    unimplemented!()
}

/// A unified diff with three lines of context and `a/path`, `b/path` headers (quoted as git
/// quotes them); empty when nothing changed. `old` is `None` for a file that did not exist.
pub fn unified(path: &str, old: Option<&str>, new: &str) -> String {
    let _ = (path, old, new);
    unimplemented!()
}
