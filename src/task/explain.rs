//! "Explain this function": facts from the tree, prose from the model where it can be trusted.

mod markdown;
mod members;
pub(super) mod reading;

use std::path::PathBuf;

use super::summary::{self, Source, Summary};
use super::{TaskError, Tools, chat, target, target::Target};
use crate::document::Document;
use crate::syntax::outline::{Item, ItemKind};
use markdown::Page;

/// One checked statement about the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// `signature`, `parameter`, `call`, `return`, `raise`, `branch`, `loop`, `mutation`, ….
    pub kind: &'static str,
    /// The statement.
    pub text: String,
    /// The file.
    pub path: PathBuf,
    /// One-based line.
    pub line: u32,
}

/// An explanation.
#[derive(Debug, Clone, Default)]
pub struct Explanation {
    /// What is explained: `fn total`.
    pub title: String,
    /// The whole explanation as Markdown.
    pub markdown: String,
    /// What was read from the tree.
    pub facts: Vec<Fact>,
    /// The one-line summary: from the documentation, else the model's, if one passed the check.
    pub summary: Option<String>,
}

/// Explains `target`. A model that fails costs the summary, not the explanation.
pub async fn run(
    tools: &Tools,
    document: &Document,
    target: &Target,
) -> Result<Explanation, TaskError> {
    let Some(item) = target::resolve(document, target)? else {
        return Ok(members::file(tools, document));
    };
    let mut page = Page::new(tools, document, title(document, &item));
    header(&mut page, document, &item);
    let before = page.len();
    if item.kind.is_function() {
        function(&mut page, tools, document, &item);
    } else {
        members::list(&mut page, document, &item);
    }
    members::mentions(&mut page, document, &item);
    let (summary, said) = said(tools, document, &item, &page).await;
    page.insert(before, &said);
    Ok(page.finished(summary))
}

/// `fn Cart::total`, `class Cart`.
fn title(document: &Document, item: &Item) -> String {
    const TYPES: [&str; 11] = [
        "struct",
        "class",
        "record",
        "enum",
        "union",
        "trait",
        "interface",
        "impl",
        "mod",
        "namespace",
        "type",
    ];
    let keywords: &[&str] = match item.kind {
        ItemKind::Function | ItemKind::Method => &["fn", "def", "func", "function"],
        ItemKind::Constant => &["const", "static", "let", "var"],
        ItemKind::Macro => &[],
        _ => &TYPES,
    };
    let signature = item.signature.of(&document.text).unwrap_or_default();
    let keyword = signature.split([' ', '<', '(']).find(|word| keywords.contains(word));
    let kind = keyword.unwrap_or(match item.kind {
        ItemKind::Function => "function",
        ItemKind::Method => "method",
        ItemKind::Macro => "macro",
        ItemKind::Constant => "variable",
        ItemKind::TypeAlias => "type",
        ItemKind::Module => "module",
        _ => "item",
    });
    format!("{kind} {}", target::full_name(document, item))
}

fn header(page: &mut Page<'_>, document: &Document, item: &Item) {
    let signature = item.signature.of(&document.text).unwrap_or_default();
    page.code(signature);
    let line = target::line(document, item.name_span.start);
    page.fact("signature", signature, line);
    let mut remarks = Vec::new();
    if item.test {
        remarks.push("test code");
    }
    remarks.push(if item.public { "public" } else { "private" });
    let last = target::line(document, item.span.end);
    page.paragraph(&format!("{}:{line} to line {last}, {}", page.path_shown(), remarks.join(", ")));
}

/// What there is to say in words, and the summary alone.
async fn said(
    tools: &Tools,
    document: &Document,
    item: &Item,
    page: &Page<'_>,
) -> (Option<String>, String) {
    let model = &tools.engine.info().name;
    if let Some(Summary { text, .. }) = summary::documented(document, item) {
        let said = format!("**Documented as:** {text}\n\n");
        return (Some(text), said);
    }
    (tools.report)("asking the model for a summary");
    let guess = summary::guessed(tools, document, item, &page.facts_told()).await;
    let advice = if chat::available(tools) {
        ""
    } else {
        " A larger instruct model explains in words: give one with `--model FILE.gguf`; `agent model list` shows what is there."
    };
    match guess {
        Ok(Some(Summary { text, source: Source::Model })) => {
            let said = format!(
                "**Summary:** {text}\n\n*The summary is a guess of the model {model}; its names were checked, its meaning was not.{advice}*\n\n"
            );
            (Some(text), said)
        }
        Ok(_) => (
            None,
            format!(
                "*No summary: nothing that the model {model} said held up against the code.{advice}*\n\n"
            ),
        ),
        Err(error) => (None, format!("*No summary: {error}.*\n\n")),
    }
}

fn function(page: &mut Page<'_>, tools: &Tools, document: &Document, item: &Item) {
    let reading = reading::read(document, item);
    let receivers = document.language().map_or(&[][..], |language| language.spec().receivers);
    if !reading.parameters.is_empty() {
        page.heading("Parameters");
    }
    for parameter in &reading.parameters {
        let shown = if parameter.detail.is_empty() {
            parameter.name.clone()
        } else {
            format!("{}: {}", parameter.name, parameter.detail)
        };
        let is_receiver = receivers.contains(&parameter.name.as_str());
        let uses: Vec<String> = parameter
            .uses
            .iter()
            .map(|(text, lines)| format!("{text} {}", page.lines(lines)))
            .collect();
        let used = if uses.is_empty() { "not used".to_owned() } else { uses.join("; ") };
        page.bullet(&format!("{}: {used}", reading::code(&shown)));
        let plain: Vec<&str> = parameter.uses.iter().map(|(text, _)| text.as_str()).collect();
        let plain = if plain.is_empty() { "not used".to_owned() } else { plain.join("; ") };
        let kind = if is_receiver { "receiver" } else { "parameter" };
        page.fact(kind, &format!("{shown}: {plain}"), parameter.line);
    }
    page.statements("Branches and loops", &reading.flow(document));
    members::calls(page, tools, document, item, &reading);
    let result = reading.result();
    let returns = reading.returns(document);
    if !result.is_empty() || !returns.is_empty() {
        page.heading("Returns");
    }
    if !result.is_empty() {
        page.bullet(&format!("declared as {}", reading::code(result)));
        page.fact(
            "return",
            &format!("declared as {result}"),
            target::line(document, item.name_span.start),
        );
    }
    page.bullets(&returns);
    page.statements("Failures", &reading.failures(document));
    page.statements("Effects", &reading.effects(document));
}

#[cfg(test)]
mod tests;
