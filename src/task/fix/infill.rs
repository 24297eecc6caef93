//! The suspect line or expression, filled in by the model from what stands around it.

use std::path::Path;

use super::candidate::Candidate;
use super::phase::Phase;
use crate::check::Diagnostic;
use crate::document::Document;
use crate::engine::Priority;
use crate::task::complete::{self, Options};
use crate::task::{TaskError, Tools, shown};
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
    if let Err(why) = shown::check(tools, document) {
        (tools.report)(&format!("the model is not asked: {why}"));
        return Ok(Vec::new());
    }
    let mut candidates: Vec<Candidate> = Vec::new();
    // Only a wrong name may go; of wrong types and borrows every part stays.
    let fault = if Phase::of(diagnostic) == Phase::Names {
        diagnostic.span
    } else {
        Span::empty(diagnostic.span.start)
    };
    for hole in holes(document, diagnostic) {
        let Some(old) = hole.of(&document.text) else { continue };
        let removed = [TextEdit { span: hole, text: String::new() }];
        let Ok(text) = apply(&document.text, &removed) else { continue };
        let around = Document::new(document.path.to_path_buf(), document.language(), 0, text);
        let options = Options {
            candidates: samples,
            max_tokens: 48,
            multi_line: false,
            priority: Priority::Background,
            ..Options::default()
        };
        let completion = complete::run(tools, &around, hole.start, &options).await?;
        for found in completion.candidates {
            let label = format!("fill in `{}`", found.text.trim());
            let candidate = Candidate::replace(label, path, hole, &found.text).by_model();
            let mark = document.language().map_or("//", |language| language.spec().line_comment);
            let code = found.text.split(mark).next().unwrap_or_default();
            let keeps = keeps_meaning(old, code, hole.start, fault);
            if found.text != old && keeps && !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
    }
    Ok(candidates)
}

/// Whether `new` names and numbers everything that `old` (at `start` of the file) does outside the
/// reported `fault`. A model satisfies a compiler most easily by leaving things out.
fn keeps_meaning(old: &str, new: &str, start: usize, fault: Span) -> bool {
    let kept: Vec<&str> = words(new).map(|(_, word)| word).collect();
    words(old).all(|(at, word)| {
        let place = Span::new(start + at, start + at + word.len());
        fault.covers(place) || kept.contains(&word)
    })
}

/// The names and numbers of a piece of code, with their places.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter_map(move |word| {
        let start = code.get(at..)?.find(word)? + at;
        at = start + word.len();
        (!word.is_empty()).then_some((start, word))
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repair_by_leaving_out_is_none() {
        let old = "sum += line.price * line.count;";
        let operator = Span::new(18, 19);
        assert!(!keeps_meaning(old, "sum += line.price & line.price;", 0, operator));
        assert!(!keeps_meaning(old, "", 0, operator));
        assert!(keeps_meaning(old, "sum += line.price * line.count as u32;", 0, operator));
        // What the report is about may go.
        assert!(keeps_meaning("let x = totl(1);", "let x = total(1);", 40, Span::new(48, 52)));
        assert!(!keeps_meaning("let x = totl(1);", "let x = total();", 40, Span::new(48, 52)));
    }
}
