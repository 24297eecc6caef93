//! Writes a doc comment for an item; the code stays as it is, proved on the tree.

mod comment;

use super::summary::{self, indentation};
use super::{Outcome, TaskError, Tools, target, target::Target};
use crate::check::{Level, Proof};
use crate::document::Document;
use crate::edit::Proposal;
use crate::engine::ModelInfo;
use crate::syntax::SyntaxTree;
use crate::syntax::health::health;
use crate::syntax::language::DocStyle;
use crate::syntax::outline::{self, Item, ItemKind};
use crate::text::{Span, TextEdit, apply};
use std::fmt::Write as _;

/// Weights that a model needs before a sentence of it may stand in the code: smaller ones, such as
/// the built-in one, write sentences that read well and are wrong.
const LEAST_PARAMETERS: u64 = 100_000_000;

/// Documents `target` with a summary (the model's, if one passes the check, else one read from the
/// tree) and the sections that the tree proves: arguments, results, errors, panics. An item that
/// has documentation stays as it is.
pub async fn run(
    tools: &Tools,
    document: &Document,
    target: &Target,
) -> Result<Outcome, TaskError> {
    let Some(item) = target::resolve(document, target)? else {
        return Err(TaskError::Target(
            "a doc comment belongs to one item: name a function or type, or a place inside it"
                .to_owned(),
        ));
    };
    let name = target::full_name(document, &item);
    if let Some(doc) = item.doc {
        return Ok(Outcome {
            verified: true,
            message: format!(
                "{name} is documented already, at line {}; nothing was changed",
                target::line(document, doc.start)
            ),
            ..Outcome::default()
        });
    }
    let Some(language) = document.language() else { return Err(no_place(document, &name)) };
    let (guess, why_not) = if may_speak(tools.engine.info()) {
        (tools.report)("asking the model for a summary");
        match summary::guessed(tools, document, &item, "").await {
            Ok(guess) => (guess, String::new()),
            Err(error) => (None, format!(" ({error})")),
        }
    } else {
        (None, format!(" ({} is too small to be asked)", tools.engine.info().name))
    };
    let guessed = guess.is_some();
    let lines = comment::lines(document, &item, guess.map(|guess| guess.text));
    let edit = insertion(document, &item, language.spec().doc, &lines)
        .ok_or_else(|| no_place(document, &name))?;
    let inserted = Span::new(edit.span.start, edit.span.start + edit.text.len());
    let text = apply(&document.text, &[edit])
        .map_err(|error| TaskError::Target(format!("{}: {error}", document.path.display())))?;
    if let Err(fault) = proved(document, &item, &text, inserted) {
        return Ok(Outcome {
            message: format!("{name} stays as it is: with the comment {fault}"),
            ..Outcome::default()
        });
    }
    let source = if guessed {
        format!("its summary is a guess of the model {}: read it", tools.engine.info().name)
    } else {
        format!("its summary was read from the code: no model had a better one{why_not}")
    };
    Ok(Outcome {
        proposal: Proposal::of_document(
            &format!("Document {name}"),
            document,
            tools.workspace.root(),
            text,
        ),
        verified: true,
        proof: vec![Proof {
            level: Level::Syntax,
            tool: "tree-sitter".to_owned(),
            command: String::new(),
            result: "code unchanged".to_owned(),
        }],
        message: format!("documented {name}; {source}"),
    })
}

/// Whether a sentence of the model may stand in the code. An unknown size counts as large enough.
fn may_speak(model: &ModelInfo) -> bool {
    !(1..LEAST_PARAMETERS).contains(&model.parameters)
}

fn no_place(document: &Document, name: &str) -> TaskError {
    TaskError::Target(format!(
        "{}: {name} has no place for documentation in its language; name a function or type",
        document.path.display()
    ))
}

/// The edit that puts `lines` where the language wants them.
fn insertion(
    document: &Document,
    item: &Item,
    style: DocStyle,
    lines: &[String],
) -> Option<TextEdit> {
    let text = &document.text;
    let end_of_line = if text.contains("\r\n") { "\r\n" } else { "\n" };
    match style {
        DocStyle::Lines(_) | DocStyle::Block => {
            let indent = indentation(text, item.span.start);
            let text = style.above(lines, indent, end_of_line)?;
            Some(TextEdit { span: Span::empty(item.span.start), text })
        }
        DocStyle::Docstring(quotes) => {
            if matches!(item.kind, ItemKind::Constant | ItemKind::TypeAlias | ItemKind::Module) {
                return None;
            }
            let body = item.body?;
            let header = text.get(item.signature.end..body.start)?;
            let own_line = header.contains('\n');
            let outer = indentation(text, item.signature.start);
            let indent = if own_line {
                indentation(text, body.start).to_owned()
            } else {
                format!("{outer}    ")
            };
            let mut docstring = if own_line {
                String::new()
            } else {
                // `def f(): return 1`: the body moves to a line of its own.
                format!("{end_of_line}{indent}")
            };
            docstring.push_str(quotes);
            for (number, line) in lines.iter().enumerate() {
                if number > 0 {
                    docstring.push_str(end_of_line);
                    if !line.is_empty() {
                        docstring.push_str(&indent);
                    }
                }
                docstring.push_str(&escaped(line, quotes));
            }
            if lines.len() > 1 {
                docstring.push_str(end_of_line);
                docstring.push_str(&indent);
            }
            _ = write!(docstring, "{quotes}{end_of_line}{indent}");
            let start = if own_line { body.start } else { item.signature.end };
            Some(TextEdit { span: Span::new(start, body.start), text: docstring })
        }
    }
}

/// A line that cannot end the string it stands in, nor escape anything.
fn escaped(line: &str, quotes: &str) -> String {
    let quote = quotes.chars().next().unwrap_or('"');
    let line = line.replace('\\', "\\\\").replace(quotes, &"'".repeat(quotes.len()));
    match line.strip_suffix(quote) {
        Some(rest) => format!("{rest}\\{quote}"),
        None => line,
    }
}

/// Whether `new` differs from the document by a doc comment of `item` at `inserted` and nothing
/// else: the same tokens in the same order, and no new fault.
fn proved(document: &Document, item: &Item, new: &str, inserted: Span) -> Result<(), &'static str> {
    let Some(old_tree) = &document.tree else { return Err("the file could not be parsed") };
    let tree = SyntaxTree::parse(old_tree.language(), new);
    if health(&tree).faults() > health(old_tree).faults() {
        return Err("the file would not parse");
    }
    let documented = outline::items(&tree, new).into_iter().any(|other| {
        other.name == item.name
            && other.kind == item.kind
            && other.doc.is_some_and(|doc| inserted.covers(doc))
    });
    if !documented {
        return Err("the item would not be documented");
    }
    let old: Vec<(&str, &str)> = old_tree
        .tokens()
        .into_iter()
        .filter_map(|(kind, span)| Some((kind, span.of(&document.text)?)))
        .collect();
    let kept: Vec<(&str, &str)> = tree
        .tokens()
        .into_iter()
        .filter(|(_, span)| !inserted.covers(*span))
        .filter_map(|(kind, span)| Some((kind, span.of(new)?)))
        .collect();
    if old == kept { Ok(()) } else { Err("other code would change") }
}

#[cfg(test)]
mod tests;
