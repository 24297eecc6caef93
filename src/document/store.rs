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
        let Some(document) = self.open.get_mut(uri) else { return Err(ChangeError::NotOpen) };
        match document.changed(version, changes, encoding) {
            Ok(changed) => {
                *document = changed;
                Ok(())
            }
            Err(error) => {
                self.open.remove(uri);
                Err(error)
            }
        }
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_refused_change_closes_the_document() {
        let mut store = Store::default();
        let document = Document::new(PathBuf::from("a.rs"), None, 1, "x".to_owned());
        store.open("u".to_owned(), document);
        let change = [Change::Full("y".to_owned())];
        assert_eq!(store.change("u", 2, &change, Encoding::Utf16), Ok(()));
        assert_eq!(store.get("u").map(|document| document.text), Some("y".into()));
        let refused = store.change("u", 2, &change, Encoding::Utf16);
        assert_eq!(refused, Err(ChangeError::Version { held: 2, got: 2 }));
        assert!(store.get("u").is_none());
        assert_eq!(store.change("u", 3, &change, Encoding::Utf16), Err(ChangeError::NotOpen));
    }

    #[test]
    fn snapshots_stay_as_they_were() {
        let mut store = Store::default();
        let document = Document::new(PathBuf::from("a.rs"), None, 1, "x".to_owned());
        store.open("u".to_owned(), document);
        let snapshot = store.get("u").unwrap();
        store.change("u", 2, &[Change::Full("y".to_owned())], Encoding::Utf8).unwrap();
        assert_eq!(&*snapshot.text, "x");
        store.close("u");
        assert_eq!(store.iter().count(), 0);
    }
}
