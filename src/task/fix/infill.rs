//! The suspect line or expression, filled in by the model from what stands around it.

use std::path::Path;

use super::candidate::Candidate;
use crate::check::Diagnostic;
use crate::document::Document;
use crate::task::complete::{self, Options};
use crate::task::{TaskError, Tools};
use crate::text::{Span, TextEdit, apply};

/// The longest expression that is taken out alone.
const MAX_EXPRESSION: usize = 120;

/// What the model puts where the fault is: the whole line, then the reported expression alone.
/// Empty for a model that cannot fill in.
pub(super) async fn candidates(
    tools: &Tools,
    document: &Document,
    path: &Path,
    diagnostic: &Diagnostic,
    samples: usize,
) -> Result<Vec<Candidate>, TaskError> {
    if tools.engine.info().fim.is_none() || samples == 0 {
        return Ok(Vec::new());
    }
    let mut candidates: Vec<Candidate> = Vec::new();
    for hole in holes(document, diagnostic) {
        let Some(old) = hole.of(&document.text) else { continue };
        let removed = [TextEdit { span: hole, text: String::new() }];
        let Ok(text) = apply(&document.text, &removed) else { continue };
        let around = Document::new(document.path.to_path_buf(), document.language(), 0, text);
        let options = Options {
            candidates: samples,
            max_tokens: 48,
            multi_line: false,
            ..Options::default()
        };
        let completion = complete::run(tools, &around, hole.start, &options).await?;
        for found in completion.candidates {
            let label = format!("fill in `{}`", found.text.trim());
            let candidate = Candidate::replace(label, path, hole, &found.text);
            if found.text != old && !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
    }
    Ok(candidates)
}

/// The line of the fault without its indentation, and the reported expression.
fn holes(document: &Document, diagnostic: &Diagnostic) -> Vec<Span> {
    let line = document.lines.line_of(diagnostic.span.start);
    let Some(line) = document.lines.line_span(&document.text, line) else { return Vec::new() };
    let indentation =
        line.of(&document.text).map_or(0, |text| text.len() - text.trim_start().len());
    let mut holes = vec![Span::new(line.start + indentation, line.end)];
    let expression = diagnostic.span;
    let fits = !expression.is_empty() && expression.len() <= MAX_EXPRESSION;
    if fits && line.covers(expression) && !holes.contains(&expression) {
        holes.push(expression);
    }
    holes.retain(|hole| !hole.is_empty());
    holes
}
