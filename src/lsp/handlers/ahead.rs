//! The suggestion after the one that is shown, looked for as if that one were accepted.

use std::sync::Arc;

use super::super::session::Session;
use super::super::suggestions::Flight;
use super::detach;
use super::suggest::{self, Asked};
use crate::document::{Change, Document};
use crate::task::complete::Candidate;
use crate::task::suggest::place::Cursor;
use crate::task::suggest::plan::Trigger;
use crate::text::line_index::Encoding;

/// Begins to look ahead, in the background, where `known` is shown and `typed` bytes of it are
/// typed already: who has typed half of a suggestion is about to have all of it.
pub(super) fn look(session: &Arc<Session>, asked: &Asked<'_>, known: &[Candidate], typed: usize) {
    let Some(first) = known.first() else { return };
    if asked.by_hand || typed < first.text.len() {
        return;
    }
    let (session, uri, text) = (Arc::clone(session), asked.uri.clone(), first.text.clone());
    let (document, offset) = (asked.document.clone(), asked.offset);
    tokio::spawn(async move {
        detach().await;
        let workspace = session.workspace_of(&document.path);
        let wanted = session.settings_of(workspace.root()).config.complete.ahead;
        let Ok(engine) = session.model.engine().await else { return };
        let plan = suggest::plan(&session, &document, engine.info(), Trigger::Ahead);
        let Some(plan) = plan.filter(|_| wanted) else { return };
        let Some((accepted, cursor)) = accepted(&document, offset, &text) else { return };
        let there = Cursor { document: uri.as_str(), text: &accepted.text, offset: cursor };
        if session.suggestions.has(there) {
            return;
        }
        let Some(flight) = Flight::new(uri.as_str(), accepted, cursor, false) else { return };
        session.suggestions.look_ahead(Arc::clone(&flight));
        let work = suggest::fly(session, uri, Arc::clone(&flight), plan, Trigger::Ahead);
        flight.start(false, work);
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
    use super::*;

    #[test]
    fn the_cursor_stands_behind_what_was_accepted_and_what_that_took_along() {
        let document = Document::new("a.txt".into(), None, 1, "f(é)\ny".to_owned());
        let (one, cursor) = accepted(&document, 2, "a, ").unwrap();
        assert_eq!((&*one.text, cursor), ("f(a, é)\ny", 5));
        let (several, cursor) = accepted(&document, 2, "a,\n  ").unwrap();
        assert_eq!((&*several.text, cursor), ("f(a,\n  é)\ny", 10));
    }
}
