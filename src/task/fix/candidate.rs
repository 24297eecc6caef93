//! What may be tried for one diagnostic, from what tools propose and what templates know.

use std::path::{Path, PathBuf};

use super::effect::{Effect, Source, effect};
use super::{names, python_syntax, rust_templates};
use crate::check::{Diagnostic, Severity, Suggestion};
use crate::document::Document;
use crate::syntax::Language;
use crate::text::{Span, TextEdit, apply};

/// One repair to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// What it does, for progress and the final message.
    pub(super) label: String,
    /// Its edits by file, of the texts as they lie in the scratch tree.
    pub(super) edits: Vec<(PathBuf, Vec<TextEdit>)>,
    /// Who proposes it.
    pub(super) source: Source,
    /// A doubt that its own edits do not show, such as a cast that loses something.
    pub(super) doubt: Option<String>,
}

impl Candidate {
    /// Replaces `span` of the file at `path` by `text`.
    pub(super) fn replace(label: impl Into<String>, path: &Path, span: Span, text: &str) -> Self {
        let edit = TextEdit { span, text: text.to_owned() };
        Self {
            label: label.into(),
            edits: vec![(path.to_owned(), vec![edit])],
            source: Source::Template,
            doubt: None,
        }
    }

    /// The same, proposed by the model.
    pub(super) fn by_model(mut self) -> Self {
        self.source = Source::Model;
        self
    }

    /// What it does to the files that `text_of` gives.
    pub(super) fn effect(&self, text_of: impl Fn(&Path) -> Option<String>) -> Effect {
        if let Some(doubt) = &self.doubt {
            return Effect::Behavioural(doubt.clone());
        }
        for (path, edits) in &self.edits {
            let Some(old) = text_of(path) else { continue };
            let Ok(new) = apply(&old, edits) else { continue };
            let effect = effect(Language::of_path(path), &old, &new, self.source);
            if effect != Effect::Mechanical {
                return effect;
            }
        }
        Effect::Mechanical
    }

    /// Whether it can make a program stop where it went on before.
    fn adds_panic(&self) -> bool {
        let panics = [".unwrap()", ".expect(", "panic!", "unreachable!"];
        self.texts().any(|text| panics.iter().any(|panic| text.contains(panic)))
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.edits.iter().flat_map(|(_, edits)| edits).map(|edit| edit.text.as_str())
    }
}

/// What the tool that found `diagnostic` proposes itself: what it calls safe first, what reaches
/// into other files or can panic last.
pub(super) fn suggested(diagnostic: &Diagnostic) -> Vec<Candidate> {
    let mut ranked: Vec<(usize, Candidate)> = diagnostic
        .suggestions
        .iter()
        .map(|suggestion| {
            (rank(suggestion, &diagnostic.path), of_suggestion(suggestion, diagnostic))
        })
        .map(|(rank, candidate)| (rank + 4 * usize::from(candidate.adds_panic()), candidate))
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, candidate)| candidate).collect()
}

fn rank(suggestion: &Suggestion, path: &Path) -> usize {
    let elsewhere = suggestion.edits.iter().any(|(file, _)| file != path);
    usize::from(!suggestion.machine_applicable) + 2 * usize::from(elsewhere)
}

fn of_suggestion(suggestion: &Suggestion, diagnostic: &Diagnostic) -> Candidate {
    let is_warning = diagnostic.severity == Severity::Warning;
    let source = if is_warning && suggestion.machine_applicable {
        Source::SafeCleanup
    } else {
        Source::Tool
    };
    let (label, edits) = (suggestion.message.clone(), suggestion.edits.clone());
    Candidate { label, edits, source, doubt: None }
}

/// What templates make of `diagnostic`, which is about `document` as it lies in the scratch tree
/// under `path`.
pub(super) fn templates(
    document: &Document,
    path: &Path,
    diagnostic: &Diagnostic,
) -> Vec<Candidate> {
    let edits = match document.language().map(Language::name) {
        Some("python") if ["python", "check"].contains(&&*diagnostic.tool) => {
            python_syntax::candidates(&document.text, diagnostic)
        }
        Some("rust") => rust_templates::candidates(document, diagnostic),
        _ => Vec::new(),
    };
    let edits = edits.into_iter().chain(names::candidates(document, diagnostic));
    edits
        .map(|(label, span, text)| {
            let doubt = label.contains(rust_templates::LOSSY).then(|| label.clone());
            Candidate { doubt, ..Candidate::replace(label, path, span, &text) }
        })
        .collect()
}

/// One edit with what it does: the label, what is replaced, by what.
pub(super) type Edit = (String, Span, String);
