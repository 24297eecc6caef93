//! The suggestion after the one that is shown, looked for as if that one were accepted.

use std::sync::Arc;
use std::time::Instant;

use super::super::session::Session;
use super::super::suggestions::Flight;
use super::detach;
use super::suggest::{self, Asked, Order};
use crate::document::{Change, Document};
use crate::task::complete::Candidate;
use crate::task::suggest::place::Cursor;
use crate::task::suggest::plan::Trigger;
use crate::text::line_index::Encoding;

/// Begins to look ahead, in the background, where `known` is shown and `typed` bytes of it are
/// typed already: who has typed half of a suggestion is about to have all of it, and who took the
/// last ones may take this one.
pub(super) fn look(session: &Arc<Session>, asked: &Asked<'_>, known: &[Candidate], typed: usize) {
    let Some(first) = known.first() else { return };
    if asked.by_hand || typed < first.text.len() && !session.tally.often_taken() {
        return;
    }
    let (session, uri, text) = (Arc::clone(session), asked.uri.clone(), first.text.clone());
    let (document, offset) = (asked.document.clone(), asked.offset);
    tokio::spawn(async move {
        detach().await;
        let wanted = session.settings_at(&document.path).config.complete.ahead;
        let Ok(engine) = session.model.engine().await else { return };
        let plan = suggest::plan(&session, &document, engine.info(), Trigger::Ahead);
        let Some(plan) = plan.filter(|_| wanted) else { return };
        // The model may have been long in coming.
        if session.document(&uri).is_none_or(|now| now.version > document.version) {
            return;
        }
        let Some((accepted, cursor)) = accepted(&document, offset, &text) else { return };
        let there = Cursor { document: uri.as_str(), text: &accepted.text, offset: cursor };
        if session.suggestions.has(there) {
            return;
        }
        let Some(flight) = Flight::new(uri.as_str(), accepted, cursor, false) else { return };
        session.suggestions.look_ahead(Arc::clone(&flight));
        let order = Order { plan, trigger: Trigger::Ahead, until: Instant::now() + plan.limit };
        flight.start(false, suggest::fly(session, uri, Arc::clone(&flight), order));
    });
}

/// `document` with `text` put at `offset`, and where the cursor is then.
fn accepted(document: &Document, offset: usize, text: &str) -> Option<(Document, usize)> {
    let at = document.lines.position(&document.text, offset, Encoding::Utf8);
    let change = Change::Range { start: at, end: at, text: text.to_owned() };
    let version = document.version.checked_add(1)?;
    let accepted = document.changed(version, &[change], Encoding::Utf8).ok()?;
    let mut cursor = offset + text.len();
    // One of several lines takes what stands behind the cursor with it.
    if text.contains('\n') {
        let rest = accepted.text.get(cursor..)?;
        cursor += rest.find(['\n', '\r']).unwrap_or(rest.len());
    }
    Some((accepted, cursor))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use serde_json::json;
    use tower_lsp::lsp_types::Url;

    use super::*;
    use crate::config::load::Flags;
    use crate::lsp::client::Client;

    /// A session with a model of canned answers, and a document at the `ˇ` of `marked`.
    fn session(folder: &Path, marked: &str) -> (Arc<Session>, Url, Document, usize) {
        let script = folder.join("script.json");
        let rules = r#"{"rules": [{"when": "total", "answers": ["+ 1"]}]}"#;
        std::fs::write(&script, rules).unwrap();
        let (outgoing, _queue) = tokio::sync::mpsc::unbounded_channel();
        let session = Arc::new(Session::new(Arc::new(Client::new(outgoing)), Flags::new()));
        session.configure(&json!({"model": format!("scripted:{}", script.display())}));
        let path = folder.join("a.py");
        let text = marked.replacen('ˇ', "", 1);
        let document = Document::new(path.clone(), None, 1, text);
        let uri = Url::from_file_path(path).unwrap();
        session.documents.write().unwrap().open(uri.to_string(), document.clone());
        (session, uri, document, marked.find('ˇ').unwrap())
    }

    #[tokio::test]
    async fn who_has_typed_half_finds_the_next_suggestion_made_already() {
        let folder = tempfile::tempdir().unwrap();
        let (session, uri, document, offset) = session(folder.path(), "x = totaˇ\n");
        let suggested = Candidate { text: "l ".to_owned(), logprob: 0.0, applied: Vec::new() };
        let asked =
            Asked { uri: &uri, document: &document, offset, by_hand: false, as_shown: true };
        let accepted = Cursor { document: uri.as_str(), text: "x = total \n", offset: 10 };
        look(&session, &asked, std::slice::from_ref(&suggested), 4);
        for _ in 0..2000 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if let Some(known) = session.suggestions.known(accepted, false) {
                assert_eq!(known.candidates[0].text, "+ 1");
                return;
            }
        }
        panic!("nobody looked ahead");
    }

    #[test]
    fn the_cursor_stands_behind_what_was_accepted_and_what_that_took_along() {
        let document = Document::new("a.txt".into(), None, 1, "f(é)\ny".to_owned());
        let (one, cursor) = accepted(&document, 2, "a, ").unwrap();
        assert_eq!((&*one.text, cursor), ("f(a, é)\ny", 5));
        let (several, cursor) = accepted(&document, 2, "a,\n  ").unwrap();
        assert_eq!((&*several.text, cursor), ("f(a,\n  é)\ny", 10));
    }
}
