//! The open files, changed in order; reading is a cheap snapshot.

use std::collections::HashMap;

use super::{Change, ChangeError, Document};
use crate::text::line_index::Encoding;

/// Open documents by the editor's name for them (a URI).
#[derive(Debug, Default)]
pub struct Store {
    open: HashMap<String, Document>,
}

impl Store {
    /// Opens or reopens a document.
    pub fn open(&mut self, uri: String, document: Document) {
        self.open.insert(uri, document);
    }

    /// Applies a change; on an error the document is dropped, since its text is no longer known,
    /// until the editor opens it again.
    pub fn change(
        &mut self,
        uri: &str,
        version: i32,
        changes: &[Change],
        encoding: Encoding,
    ) -> Result<(), ChangeError> {
        let _ = (uri, version, changes, encoding);
        unimplemented!()
    }

    /// Closes a document.
    pub fn close(&mut self, uri: &str) {
        self.open.remove(uri);
    }

    /// The current version of a document.
    pub fn get(&self, uri: &str) -> Option<Document> {
        self.open.get(uri).cloned()
    }

    /// Every open document with its URI.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Document)> {
        self.open.iter().map(|(uri, document)| (uri.as_str(), document))
    }
}
