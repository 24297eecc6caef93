//! Proposals: base version + new text per file. A conflict is a typed refusal.

pub mod apply;

use std::path::{Path, PathBuf};

use crate::document::Document;
use crate::text::{TextEdit, diff};

/// A change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The file, absolute.
    pub path: PathBuf,
    /// Its path relative to the workspace, with `/`, for diffs.
    pub display: String,
    /// The editor's version it was made for; `None` for a file that is not open.
    pub version: Option<i32>,
    /// The text it was made for; `None` for a new file.
    pub base: Option<String>,
    /// The text afterwards.
    pub text: String,
}

impl FileChange {
    /// `document` with `text` in place of its own; `root` is the workspace's folder.
    pub fn of_document(document: &Document, root: &Path, text: String) -> Self {
        Self {
            path: document.path.to_path_buf(),
            display: display(&document.path, root),
            version: (document.version != 0).then_some(document.version),
            base: Some(document.text.to_string()),
            text,
        }
    }

    /// A file at `path` that must not exist yet.
    pub fn new_file(path: PathBuf, root: &Path, text: String) -> Self {
        let display = display(&path, root);
        Self { path, display, version: None, base: None, text }
    }

    /// Minimal edits of the base text.
    pub fn edits(&self) -> Vec<TextEdit> {
        diff::edits(self.base.as_deref().unwrap_or_default(), &self.text)
    }
}

/// Changes that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proposal {
    /// What it does, in a few words.
    pub title: String,
    /// The changes, one per file.
    pub changes: Vec<FileChange>,
}

impl Proposal {
    /// A proposal that changes one document; empty where `text` is what it already holds.
    pub fn of_document(title: &str, document: &Document, root: &Path, text: String) -> Self {
        let change = FileChange::of_document(document, root, text);
        let changes =
            if change.base.as_deref() == Some(&change.text) { vec![] } else { vec![change] };
        Self { title: title.to_owned(), changes }
    }

    /// A unified diff that `git apply` takes; empty when nothing changes.
    pub fn diff(&self) -> String {
        self.changes.iter().map(|c| diff::unified(&c.display, c.base.as_deref(), &c.text)).collect()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|c| c.base.as_deref() == Some(c.text.as_str()))
    }
}

/// `path` relative to `root`, with `/`; a file outside keeps its whole path but for the leading
/// slash, which a diff header cannot carry.
fn display(path: &Path, root: &Path) -> String {
    let shown = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = shown
        .components()
        .filter_map(|part| match part {
            std::path::Component::Normal(name) => Some(name.to_string_lossy()),
            _ => None,
        })
        .collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(version: i32) -> Document {
        Document::new(PathBuf::from("/home/a/shop/src/cart.py"), None, version, "x = 1\n".into())
    }

    #[test]
    fn a_document_becomes_a_proposal_with_a_path_relative_to_the_workspace() {
        let root = Path::new("/home/a/shop");
        let proposal = Proposal::of_document("double x", &document(3), root, "x = 2\n".into());
        let [change] = proposal.changes.as_slice() else { panic!("{proposal:?}") };
        assert_eq!(change.display, "src/cart.py");
        assert_eq!(change.version, Some(3));
        assert_eq!(change.base.as_deref(), Some("x = 1\n"));
        assert!(!proposal.is_empty());
    }

    #[test]
    fn a_document_from_disk_has_no_editor_version() {
        let change = FileChange::of_document(&document(0), Path::new("/"), String::new());
        assert_eq!(change.version, None);
    }

    #[test]
    fn the_same_text_makes_an_empty_proposal() {
        let proposal = Proposal::of_document("", &document(1), Path::new("/"), "x = 1\n".into());
        assert!(proposal.is_empty() && proposal.changes.is_empty());
    }

    #[test]
    fn a_file_outside_the_workspace_is_shown_without_its_leading_slash() {
        assert_eq!(display(Path::new("/tmp/a b/c.rs"), Path::new("/home")), "tmp/a b/c.rs");
    }
}
