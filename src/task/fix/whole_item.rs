//! The function or class with the fault, written anew by a model that follows instructions.

use std::collections::BTreeMap;
use std::path::Path;

use super::candidate::Candidate;
use crate::check::Diagnostic;
use crate::document::Document;
use crate::postprocess::reply;
use crate::syntax::scope;
use crate::task::{TaskError, Tools, chat, shown};
use crate::text::Span;

/// The largest file that is written anew whole where the fault lies in no item, in bytes.
const MAX_FILE: usize = 4096;

/// New texts for the item that holds `diagnostic`, with `errors` and what was wrong with the last
/// answer (`problem`, may be empty) in the prompt. Empty for a model that cannot be asked.
pub(super) async fn candidates(
    tools: &Tools,
    document: &Document,
    path: &Path,
    diagnostic: &Diagnostic,
    errors: &[Diagnostic],
    problem: &str,
    samples: usize,
) -> Result<Vec<Candidate>, TaskError> {
    let Some(language) = document.language().filter(|_| chat::available(tools) && samples > 0)
    else {
        return Ok(Vec::new());
    };
    if let Err(why) = shown::check(tools, document) {
        (tools.report)(&format!("the model is not asked: {why}"));
        return Ok(Vec::new());
    }
    let items = document.items();
    let (name, span) = match scope::enclosing_item(items, diagnostic.span.start) {
        Some(item) => (item.name.clone(), item.span),
        None if document.text.len() <= MAX_FILE => {
            ("the file".to_owned(), Span::new(0, document.text.len()))
        }
        None => return Ok(Vec::new()),
    };
    let Some(code) = span.of(&document.text) else { return Ok(Vec::new()) };
    let inside = errors.iter().filter(|error| error.path == path && span.touches(error.span.start));
    let listed: Vec<String> = inside
        .map(|error| {
            let line = document.lines.line_of(error.span.start);
            let line = document.lines.line_span(&document.text, line);
            let code = line.and_then(|line| line.of(&document.text)).unwrap_or_default().trim();
            format!("- `{code}`: {} {}", error.code, error.message)
        })
        .collect();
    let values = BTreeMap::from([
        ("language", language.name().to_owned()),
        ("name", name.clone()),
        ("path", display(tools, document)),
        ("code", code.to_owned()),
        ("errors", listed.join("\n")),
        ("related", String::new()),
        ("problem", problem.to_owned()),
    ]);
    // The answer repeats the item: as long again, with room for the repair.
    let length = tools.engine.count(code) * 3 / 2 + 128;
    let answers = match chat::ask(tools, "fix", &values, samples, length).await {
        // An item too long for this model leaves the other ways to repair it.
        Err(TaskError::Model(why)) => {
            (tools.report)(&format!("{name} is not rewritten: {why}"));
            return Ok(Vec::new());
        }
        answers => answers?,
    };
    let mut candidates: Vec<Candidate> = Vec::new();
    for answer in answers {
        let Some(new) = reply::code(&answer, language) else { continue };
        let new = fitted(&new, code, indentation(&document.text, span.start));
        let candidate = Candidate::replace(format!("rewrite {name}"), path, span, &new).by_model();
        if new != code && !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    }
    Ok(candidates)
}

fn display(tools: &Tools, document: &Document) -> String {
    let relative = document.path.strip_prefix(tools.workspace.root());
    relative.unwrap_or(&document.path).display().to_string()
}

/// The blanks before `start` on its line.
fn indentation(text: &str, start: usize) -> &str {
    let before = text.get(..start).unwrap_or_default();
    let line = before.get(before.rfind('\n').map_or(0, |at| at + 1)..).unwrap_or_default();
    if line.trim().is_empty() { line } else { "" }
}

/// The answer's code at the item's place: indented as the item is, ending as it ends.
fn fitted(new: &str, old: &str, indentation: &str) -> String {
    let new = new.trim_end();
    let first = new.lines().next().unwrap_or_default();
    let own = first.len() - first.trim_start().len();
    let lines = new.lines().enumerate().map(|(index, line)| {
        let bare = line.get(own.min(line.len() - line.trim_start().len())..).unwrap_or_default();
        if index == 0 || bare.is_empty() { bare.to_owned() } else { format!("{indentation}{bare}") }
    });
    let mut text = lines.collect::<Vec<_>>().join("\n");
    let tail = old.len() - old.trim_end().len();
    text.push_str(old.get(old.len() - tail..).unwrap_or_default());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_item_too_long_for_the_model_is_left_to_the_other_ways() {
        use crate::engine::Engine;
        use crate::engine::scripted::Script;
        let chat_template = Some("{{ messages[-1].content }}".to_owned());
        let engine = Engine::scripted(Script { chat_template, ..Script::default() });
        let tools = crate::task::tests::tools(engine);
        let text = format!("def f():\n{}", "    x = 1\n".repeat(4000));
        let document = Document::new("a.py".into(), None, 0, text);
        let error = Diagnostic {
            path: "a.py".into(),
            span: Span::empty(0),
            line: 1,
            severity: crate::check::Severity::Error,
            code: String::new(),
            message: "wrong".to_owned(),
            tool: "python".to_owned(),
            suggestions: Vec::new(),
        };
        let found = candidates(&tools, &document, Path::new("a.py"), &error, &[], "", 2).await;
        assert_eq!(found.unwrap(), []);
    }

    #[test]
    fn an_answer_takes_the_items_indentation_and_end() {
        let old = "def f(self):\n        return 1\n";
        let new = "def f(self):\n    if self.x:\n\n        return 2\n    return 3";
        assert_eq!(
            fitted(new, old, "    "),
            "def f(self):\n        if self.x:\n\n            return 2\n        return 3\n"
        );
    }
}
