//! Showing an explanation: as a document of its own, else in the hover and a message.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;
use tower_lsp::lsp_types::{MessageType, ShowDocumentParams, Url, request::ShowDocument};

use super::convert;
use super::session::Session;
use crate::document::Document;
use crate::task::explain::Explanation;
use crate::text::Span;
use crate::text::word::is_word;

/// How many explanations the hover remembers.
const REMEMBERED: usize = 16;

/// Explanations given in this session.
#[derive(Default)]
pub(super) struct Explanations {
    /// A private folder, made when first needed and removed at the end.
    folder: Mutex<Option<TempDir>>,
    given: Mutex<Vec<Given>>,
}

struct Given {
    path: Arc<Path>,
    version: i32,
    span: Span,
    markdown: String,
}

impl Explanations {
    /// The explanation of what stands at `offset`, if one was given for this version.
    pub(super) fn at(&self, document: &Document, offset: usize) -> Option<String> {
        let given = self.given();
        let fits = given.iter().rev().filter(|given| {
            given.path == document.path
                && given.version == document.version
                && given.span.touches(offset)
        });
        fits.min_by_key(|given| given.span.len()).map(|given| given.markdown.clone())
    }

    /// Removes what was written.
    pub(super) fn clear(&self) {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn remember(&self, given: Given) {
        let mut all = self.given();
        if all.len() >= REMEMBERED {
            all.remove(0);
        }
        all.push(given);
    }

    /// Writes an explanation that only this user can read.
    fn write(&self, title: &str, markdown: &str) -> std::io::Result<PathBuf> {
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        if folder.is_none() {
            let base = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
            let base = base.filter(|base| base.is_dir()).unwrap_or_else(std::env::temp_dir);
            *folder = Some(private_folder(&base)?);
        }
        let Some(folder) = &*folder else { return Err(std::io::ErrorKind::NotFound.into()) };
        // A new name each time, so that an editor never shows the one before from its memory.
        let mut file = tempfile::Builder::new()
            .prefix(&format!("{}-", file_name(title)))
            .suffix(".md")
            .rand_bytes(4)
            .tempfile_in(folder.path())?;
        file.write_all(markdown.as_bytes())?;
        file.into_temp_path().keep().map_err(|error| error.error)
    }

    fn given(&self) -> MutexGuard<'_, Vec<Given>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows `explanation` of the item at `span` in the best way the client has.
pub(super) async fn show(
    session: &Session,
    document: &Document,
    span: Span,
    explanation: &Explanation,
) {
    let explanations = &session.explanations;
    explanations.remember(Given {
        path: Arc::clone(&document.path),
        version: document.version,
        span,
        markdown: explanation.markdown.clone(),
    });
    if session.support().show_document && shown(session, explanation).await {
        return;
    }
    session.client.show(MessageType::INFO, first_sentence(&explanation.markdown));
}

async fn shown(session: &Session, explanation: &Explanation) -> bool {
    let path = match session.explanations.write(&explanation.title, &explanation.markdown) {
        Ok(path) => path,
        Err(error) => {
            tracing::warn!("the explanation could not be written: {error}");
            return false;
        }
    };
    let Some(uri) = convert::uri(&path) else { return false };
    match session.client.request::<ShowDocument>(show_params(uri)).await {
        Ok(answer) => answer.success,
        Err(error) => {
            tracing::warn!("{error}");
            false
        }
    }
}

fn show_params(uri: Url) -> ShowDocumentParams {
    ShowDocumentParams { uri, external: Some(false), take_focus: Some(true), selection: None }
}

/// A new folder that only this user can enter.
fn private_folder(base: &Path) -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("agent-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(base)
}

/// A title as part of a file's name.
fn file_name(title: &str) -> String {
    let kept = title.chars().map(|c| if is_word(c) { c } else { '-' });
    let name: String = kept.take(40).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "explanation".to_owned() } else { name.to_owned() }
}

/// The first sentence that is not a heading.
fn first_sentence(markdown: &str) -> String {
    let line = markdown
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with(['#', '`', '-', '|']));
    let line = line.or_else(|| markdown.lines().next()).unwrap_or_default();
    let end = line.find(". ").map_or(line.len(), |end| end + 1);
    line.get(..end).unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_is_no_heading_and_no_code() {
        let markdown = "# fn total\n\n```rust\nfn total()\n```\n\nAdds up. And more.\n";
        // The code inside the fence is no sentence either, but a message may show it.
        assert!(!first_sentence(markdown).starts_with('#'));
        assert_eq!(first_sentence("# t\n\nAdds v1.2 up. And more."), "Adds v1.2 up.");
        assert_eq!(first_sentence(""), "");
    }

    #[test]
    fn titles_become_harmless_names() {
        assert_eq!(file_name("fn `total`/../x"), "fn--total-----x");
        assert_eq!(file_name("…"), "explanation");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_can_read_what_is_written() {
        use std::os::unix::fs::PermissionsExt;
        let explanations = Explanations::default();
        let path = explanations.write("fn total", "text").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "text");
        explanations.clear();
        assert!(!path.exists());
    }
}
