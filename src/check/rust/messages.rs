//! The compiler's JSON → [`Diagnostic`]s in the user's files, with its alternatives apart.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use cargo_metadata::Message;
use cargo_metadata::diagnostic::{
    Applicability, Diagnostic as Raw, DiagnosticLevel, DiagnosticSpan,
};

use super::super::scratch::Scratch;
use super::super::{Diagnostic, Severity, Suggestion};
use crate::text::{Span, TextEdit};

/// The diagnostics in what `cargo check --message-format=json` printed when run in `folder` of
/// the copy.
pub(super) fn of_cargo(output: &str, scratch: &Scratch, folder: &Path) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for message in Message::parse_stream(Cursor::new(output)).map_while(Result::ok) {
        if let Message::CompilerMessage(message) = message {
            let source = message.target.src_path.as_std_path();
            let found = diagnostic(&message.message, scratch, folder, source);
            // The library and its tests are compiled apart, and say the same twice.
            merge(&mut diagnostics, found.into_iter().collect());
        }
    }
    diagnostics
}

/// The diagnostics in what `rustc --error-format=json` printed.
pub(super) fn of_rustc(output: &str, scratch: &Scratch) -> Vec<Diagnostic> {
    let raw = output.lines().filter_map(|line| serde_json::from_str::<Raw>(line).ok());
    let mut diagnostics = Vec::new();
    for raw in raw {
        let found = diagnostic(&raw, scratch, scratch.tree(), scratch.tree());
        merge(&mut diagnostics, found.into_iter().collect());
    }
    diagnostics
}

/// Adds those of `more` that are not there yet.
pub(super) fn merge(diagnostics: &mut Vec<Diagnostic>, more: Vec<Diagnostic>) {
    for diagnostic in more {
        if !diagnostics.contains(&diagnostic) {
            diagnostics.push(diagnostic);
        }
    }
}

fn diagnostic(raw: &Raw, scratch: &Scratch, folder: &Path, source: &Path) -> Option<Diagnostic> {
    let severity = match raw.level {
        DiagnosticLevel::Error | DiagnosticLevel::Ice => Severity::Error,
        DiagnosticLevel::Warning => Severity::Warning,
        _ => return None,
    };
    let place = Place { scratch, folder };
    let primary = raw.spans.iter().find(|span| span.is_primary).or(raw.spans.first());
    let located = primary.and_then(|span| place.written(span));
    let (path, span, line) = match located {
        Some(located) => located,
        // "aborting due to 2 previous errors" and "3 warnings emitted" repeat what was said.
        None if raw.spans.is_empty() && raw.code.is_none() && is_summary(&raw.message) => {
            return None;
        }
        None => (scratch.outside(source)?, Span::empty(0), 1),
    };
    Some(Diagnostic {
        path,
        span,
        line,
        severity,
        code: raw.code.as_ref().map(|code| code.code.clone()).unwrap_or_default(),
        message: message(raw, primary),
        tool: "rustc".to_owned(),
        suggestions: suggestions(raw, place),
    })
}

/// The first line, with what the compiler wrote at the place itself ("expected `u64`, found …").
fn message(raw: &Raw, primary: Option<&DiagnosticSpan>) -> String {
    let said = raw.message.lines().next().unwrap_or_default();
    let label = primary.and_then(|span| span.label.as_deref()).unwrap_or_default();
    let label = label.lines().next().unwrap_or_default();
    if label.is_empty() || said.contains(label) {
        said.to_owned()
    } else {
        format!("{said}: {label}")
    }
}

fn is_summary(message: &str) -> bool {
    message.starts_with("aborting due to") || message.ends_with("emitted")
}

/// How names in messages become the user's files.
#[derive(Clone, Copy)]
struct Place<'a> {
    scratch: &'a Scratch,
    folder: &'a Path,
}

impl Place<'_> {
    fn path(self, file_name: &str) -> Option<PathBuf> {
        self.scratch.outside(&self.folder.join(file_name))
    }

    /// Where `span` stands in a file of the workspace: for code that a macro made, the call.
    fn written(self, span: &DiagnosticSpan) -> Option<(PathBuf, Span, u32)> {
        let mut span = span;
        while let Some(expansion) = &span.expansion {
            span = &expansion.span;
        }
        let range = range(span)?;
        Some((self.path(&span.file_name)?, range, span.line_start as u32))
    }
}

fn range(span: &DiagnosticSpan) -> Option<Span> {
    let (start, end) = (span.byte_start as usize, span.byte_end as usize);
    (start <= end).then(|| Span::new(start, end))
}

/// The alternatives that the children of a diagnostic propose, in the compiler's order.
fn suggestions(raw: &Raw, place: Place<'_>) -> Vec<Suggestion> {
    let mut suggestions = Vec::new();
    for child in &raw.children {
        let parts: Option<Vec<Part>> = child
            .spans
            .iter()
            .filter(|span| span.suggested_replacement.is_some())
            .map(|span| Part::of(span, place))
            .collect();
        // A part inside a macro or outside the workspace: the child cannot be applied as a whole.
        let Some(parts) = parts else { continue };
        for alternative in alternatives(parts) {
            let machine_applicable = alternative
                .iter()
                .all(|part| part.applicability == Some(Applicability::MachineApplicable));
            let hole = alternative.iter().any(Part::has_hole);
            let edits = edits(alternative);
            if let (false, Some(edits)) = (hole, edits) {
                let message = child.message.lines().next().unwrap_or_default().to_owned();
                suggestions.push(Suggestion { message, machine_applicable, edits });
            }
        }
    }
    suggestions
}

struct Part {
    path: PathBuf,
    span: Span,
    text: String,
    applicability: Option<Applicability>,
}

impl Part {
    fn of(span: &DiagnosticSpan, place: Place<'_>) -> Option<Self> {
        if span.expansion.is_some() {
            return None;
        }
        Some(Self {
            path: place.path(&span.file_name)?,
            span: range(span)?,
            text: span.suggested_replacement.clone()?,
            applicability: span.suggestion_applicability.clone(),
        })
    }

    /// Whether a person has to fill something in. Text marked as having placeholders may have
    /// none (swapped arguments).
    fn has_hole(&self) -> bool {
        let marks = ["/*", "todo!", "REASON", "Type", "value", "...", "<_>"];
        self.applicability == Some(Applicability::HasPlaceholders)
            && marks.iter().any(|mark| self.text.contains(mark))
    }
}

/// One child's parts are one edit in several places, unless a place comes again: then each
/// repetition starts another alternative.
fn alternatives(parts: Vec<Part>) -> Vec<Vec<Part>> {
    let mut alternatives: Vec<Vec<Part>> = Vec::new();
    for part in parts {
        let again = |others: &Vec<Part>| {
            others.iter().any(|other| other.path == part.path && other.span == part.span)
        };
        match alternatives.last_mut() {
            Some(current) if !again(current) => current.push(part),
            _ => alternatives.push(vec![part]),
        }
    }
    alternatives
}

/// Ascending, disjoint edits by file; `None` where parts overlap.
fn edits(mut parts: Vec<Part>) -> Option<Vec<(PathBuf, Vec<TextEdit>)>> {
    parts.sort_by_key(|part| part.span);
    let mut files: BTreeMap<PathBuf, Vec<TextEdit>> = BTreeMap::new();
    for part in parts {
        let edits = files.entry(part.path).or_default();
        if edits.last().is_some_and(|last| last.span.end > part.span.start) {
            return None;
        }
        edits.push(TextEdit { span: part.span, text: part.text });
    }
    (!files.is_empty()).then(|| files.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::scratch::Extent;
    use serde_json::{Value, json};

    fn span(file: &str, range: (u32, u32), replacement: &str, applicability: &str) -> Value {
        json!({
            "file_name": file, "byte_start": range.0, "byte_end": range.1,
            "line_start": 1, "line_end": 1, "column_start": 1, "column_end": 1,
            "is_primary": true, "text": [], "label": null, "expansion": null,
            "suggested_replacement": replacement, "suggestion_applicability": applicability,
        })
    }

    fn child(spans: &[Value]) -> Value {
        json!({
            "message": "help", "code": null, "level": "help", "spans": spans, "children": [],
            "rendered": null,
        })
    }

    fn parsed(children: &[Value]) -> (tempfile::TempDir, PathBuf, Vec<Diagnostic>) {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("project");
        std::fs::create_dir_all(project.join("src")).unwrap();
        let scratch =
            Scratch::open(&folder.path().join("cache"), &project, Extent::Project).unwrap();
        let mut primary = span("src/a.rs", (3, 5), "", "MachineApplicable");
        primary["suggested_replacement"] = Value::Null;
        let raw = json!({
            "message": "mismatched types", "code": {"code": "E0308", "explanation": null},
            "level": "error", "spans": [primary], "children": children, "rendered": null,
        });
        let diagnostics = of_rustc(&raw.to_string(), &scratch);
        (folder, scratch.root().join("src/a.rs"), diagnostics)
    }

    fn texts(diagnostics: &[Diagnostic]) -> Vec<Vec<(usize, &str)>> {
        diagnostics[0]
            .suggestions
            .iter()
            .map(|s| s.edits[0].1.iter().map(|e| (e.span.start, e.text.as_str())).collect())
            .collect()
    }

    #[test]
    fn places_are_the_users_files() {
        let (_folder, path, diagnostics) = parsed(&[]);
        assert_eq!(diagnostics[0].path, path);
        assert_eq!(diagnostics[0].span, Span::new(3, 5));
        assert_eq!(diagnostics[0].code, "E0308");
    }

    #[test]
    fn children_are_alternatives_and_their_spans_one_edit() {
        let (_folder, _, diagnostics) = parsed(&[
            child(&[
                span("src/a.rs", (9, 9), ")", "MachineApplicable"),
                span("src/a.rs", (3, 3), "Some(", "MachineApplicable"),
            ]),
            child(&[span("src/a.rs", (0, 1), "x", "MaybeIncorrect")]),
        ]);
        assert_eq!(texts(&diagnostics), [vec![(3, "Some("), (9, ")")], vec![(0, "x")]]);
        let machine: Vec<bool> =
            diagnostics[0].suggestions.iter().map(|s| s.machine_applicable).collect();
        assert_eq!(machine, [true, false]);
    }

    #[test]
    fn equal_places_are_alternatives() {
        let (_folder, _, diagnostics) = parsed(&[child(&[
            span("src/a.rs", (0, 0), "use a::X;\n", "MaybeIncorrect"),
            span("src/a.rs", (0, 0), "use b::X;\n", "MaybeIncorrect"),
        ])]);
        assert_eq!(texts(&diagnostics), [[(0, "use a::X;\n")], [(0, "use b::X;\n")]]);
    }

    #[test]
    fn holes_other_peoples_files_and_macros_are_left_out() {
        let mut in_macro = span("src/a.rs", (0, 0), "x", "MachineApplicable");
        in_macro["expansion"] = json!({
            "span": span("src/a.rs", (0, 0), "", "MachineApplicable"),
            "macro_decl_name": "m!", "def_site_span": null,
        });
        let (_folder, _, diagnostics) = parsed(&[
            child(&[span("src/a.rs", (0, 0), "/* value */", "HasPlaceholders")]),
            child(&[span("/rustc/library/core/src/option.rs", (0, 0), "x", "MaybeIncorrect")]),
            child(&[in_macro]),
            child(&[span("src/a.rs", (0, 4), "(b, a)", "HasPlaceholders")]),
        ]);
        assert_eq!(texts(&diagnostics), [[(0, "(b, a)")]]);
    }
}
