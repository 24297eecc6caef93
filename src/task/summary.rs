//! One sentence on what an item does: from its doc comment, else a guess of the model that passed
//! a check against the names in the code.

use std::collections::{BTreeMap, BTreeSet};

use super::{TaskError, Tools, chat, complete, shown, target};
use crate::document::Document;
use crate::engine::Priority;
use crate::postprocess::prose;
use crate::syntax::language::DocStyle;
use crate::syntax::outline::Item;
use crate::syntax::scope;
use crate::text::{Span, TextEdit, apply};

/// Answers to choose from.
const CANDIDATES: usize = 4;
/// Longest answer, in tokens.
const MAX_TOKENS: usize = 48;
/// Tokens of context when the model continues a doc comment.
const CONTEXT_TOKENS: usize = 1024;
/// Longest code shown to an instruct model, in bytes.
const MAX_CODE: usize = 12_000;
/// Letters of a word that have to agree for two words to be of one stem.
const STEM: usize = 4;

/// Where a sentence comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The code's own documentation.
    Documentation,
    /// A model's guess.
    Model,
}

/// A sentence about an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The sentence, with a full stop.
    pub text: String,
    /// Who says so.
    pub source: Source,
}

/// The first sentence of the item's own documentation.
pub fn documented(document: &Document, item: &Item) -> Option<Summary> {
    let doc = item.doc?.of(&document.text)?;
    let text = first_sentence(&plain(doc))?;
    Some(Summary { text, source: Source::Documentation })
}

/// The model's best sentence on `item`, or `None` where it has nothing that passes. `facts` are
/// told to an instruct model.
pub async fn guessed(
    tools: &Tools,
    document: &Document,
    item: &Item,
    facts: &str,
) -> Result<Option<Summary>, TaskError> {
    shown::check(tools, document)?;
    let answers = if chat::available(tools) {
        asked(tools, document, item, facts).await?
    } else if tools.engine.info().fim.is_some() {
        continued(tools, document, item).await?
    } else {
        return Err(TaskError::Model(format!(
            "the model {} can neither follow instructions nor fill in the middle",
            tools.engine.info().name
        )));
    };
    let known = names(document);
    let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
    let stems = stems(document, item);
    let text = answers
        .iter()
        .filter_map(|answer| prose::summary(answer, &known))
        .find(|sentence| words(sentence).any(|word| stems.contains(stem(&word).as_str())));
    Ok(text.map(|text| Summary { text, source: Source::Model }))
}

/// `doc` without comment marks and quotes, one paragraph per line group.
pub fn plain(doc: &str) -> String {
    let marks = ["///", "//!", "//", "/**", "/*!", "/*", "*/", "\"\"\"", "'''"];
    let mut lines = Vec::new();
    for line in doc.lines() {
        let mut line = line.trim();
        line = line.trim_start_matches(['r', 'R']).strip_prefix("\"\"\"").unwrap_or(line);
        line = marks.iter().find_map(|mark| line.strip_prefix(mark)).unwrap_or(line);
        line = marks.iter().find_map(|mark| line.strip_suffix(mark)).unwrap_or(line);
        line = line.strip_prefix("* ").unwrap_or(line);
        line = if line.trim() == "*" { "" } else { line.trim() };
        line =
            ["@brief ", "\\brief "].iter().find_map(|tag| line.strip_prefix(tag)).unwrap_or(line);
        if let Some(attribute) = line.strip_prefix("#[doc = \"") {
            line = attribute.trim_end_matches("\"]");
        }
        lines.push(line.trim());
    }
    lines.join("\n").trim().to_owned()
}

/// The first sentence of a text's first paragraph, with a full stop.
pub fn first_sentence(text: &str) -> Option<String> {
    let goes_on = |line: &&str| !line.trim().is_empty() && !line.starts_with(['@', '\\']);
    let paragraph: Vec<&str> = text.lines().take_while(goes_on).collect();
    let paragraph = paragraph.join(" ");
    let mut end = paragraph.len();
    for (at, stop) in paragraph.match_indices(['.', '!', '?']) {
        let after = &paragraph[at + stop.len()..];
        let word = paragraph[..at].rsplit(' ').next().unwrap_or_default();
        if after.starts_with(' ') && !matches!(word, "e.g" | "i.e" | "etc" | "cf" | "vs") {
            end = at;
            break;
        }
    }
    let sentence = paragraph[..end].trim().trim_end_matches(['.', ':']);
    (!sentence.is_empty()).then(|| format!("{sentence}."))
}

async fn asked(
    tools: &Tools,
    document: &Document,
    item: &Item,
    facts: &str,
) -> Result<Vec<String>, TaskError> {
    let code = item.span.of(&document.text).unwrap_or_default();
    let code = &code[..code.floor_char_boundary(MAX_CODE)];
    let path = tools.workspace.relative(&document.path).unwrap_or_default();
    let values = BTreeMap::from([
        ("language", document.language().map_or("", |language| language.name()).to_owned()),
        ("name", target::full_name(document, item)),
        ("path", path.display().to_string()),
        ("code", code.to_owned()),
        ("facts", facts.to_owned()),
    ]);
    chat::ask(tools, "explain", &values, 2, MAX_TOKENS * 2).await
}

/// What a model that fills in the middle writes where the item's doc comment would stand.
async fn continued(
    tools: &Tools,
    document: &Document,
    item: &Item,
) -> Result<Vec<String>, TaskError> {
    let Some((text, offset)) = with_open_doc(document, item) else { return Ok(Vec::new()) };
    let path = document.path.to_path_buf();
    let opened = Document::new(path, document.language(), document.version, text);
    let options = complete::Options {
        candidates: CANDIDATES,
        max_tokens: MAX_TOKENS,
        context_tokens: CONTEXT_TOKENS,
        multi_line: false,
        priority: Priority::Background,
        ..complete::Options::default()
    };
    let completion = complete::run(tools, &opened, offset, &options).await?;
    Ok(completion.candidates.into_iter().map(|candidate| candidate.text).collect())
}

/// The file with an empty doc comment on `item`, and the offset inside it.
fn with_open_doc(document: &Document, item: &Item) -> Option<(String, usize)> {
    let (at, before, after) = match document.language()?.spec().doc {
        DocStyle::Lines(mark) => {
            let at = item.span.start;
            (at, format!("{mark} "), format!("\n{}", indentation(&document.text, at)))
        }
        DocStyle::Block => {
            let at = item.span.start;
            (at, "/** ".to_owned(), format!(" */\n{}", indentation(&document.text, at)))
        }
        DocStyle::Docstring(quotes) => {
            let at = item.body?.start;
            (at, quotes.to_owned(), format!("{quotes}\n{}", indentation(&document.text, at)))
        }
    };
    let edit = TextEdit { span: Span::empty(at), text: format!("{before}{after}") };
    Some((apply(&document.text, &[edit]).ok()?, at + before.len()))
}

/// The whitespace at the start of the line of `offset`.
pub fn indentation(text: &str, offset: usize) -> &str {
    let before = text.get(..offset).unwrap_or_default();
    let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Every name in the file.
fn names(document: &Document) -> BTreeSet<String> {
    let Some(tree) = &document.tree else { return BTreeSet::new() };
    let all = Span::new(0, document.text.len());
    scope::identifiers(tree, &document.text, all).into_iter().map(|(n, _)| n.to_owned()).collect()
}

/// The stems of the words in the item's names.
fn stems(document: &Document, item: &Item) -> BTreeSet<String> {
    let Some(tree) = &document.tree else { return BTreeSet::new() };
    let names = scope::identifiers(tree, &document.text, item.span);
    let owner = item.owner.as_deref();
    names.into_iter().map(|(name, _)| name).chain(owner).flat_map(words).map(|w| stem(&w)).collect()
}

/// The words of prose or of a name in snake or camel case, in lower case, three letters and more.
fn words(text: &str) -> impl Iterator<Item = String> {
    let mut spaced = String::with_capacity(text.len() + 8);
    let mut lower_before = false;
    for c in text.chars() {
        if lower_before && c.is_uppercase() {
            spaced.push(' ');
        }
        lower_before = c.is_lowercase();
        spaced.extend(c.to_lowercase());
    }
    let words: Vec<String> = spaced
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| word.chars().count() >= 3)
        .map(str::to_owned)
        .collect();
    words.into_iter()
}

fn stem(word: &str) -> String {
    word.chars().take(STEM).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::engine::scripted::{Rule, Script};
    use crate::task::tests::tools;

    const CART: &str =
        "struct Cart;\n\nimpl Cart {\n    fn total_price(&self) -> u64 {\n        1\n    }\n}\n";

    async fn check(
        path: &str,
        text: &str,
        name: &str,
        when: &str,
        answers: &[&str],
    ) -> Option<String> {
        let rule = Rule {
            when: when.to_owned(),
            answers: answers.iter().map(|&answer| answer.to_owned()).collect(),
        };
        let script = Script { rules: vec![rule], fim: true, ..Script::default() };
        let document = Document::new(path.into(), None, 0, text.to_owned());
        let item = document.items().iter().find(|item| item.name == name).unwrap();
        let summary = guessed(&tools(Engine::scripted(script)), &document, item, "").await.unwrap();
        summary.map(|summary| summary.text)
    }

    #[tokio::test]
    async fn the_model_continues_a_doc_comment_above_a_rust_item() {
        let answers = ["let x = 1;", "Returns the total price of the cart."];
        let text = check("a.rs", CART, "total_price", "<MIDDLE>/// ", &answers).await;
        assert_eq!(text.as_deref(), Some("Returns the total price of the cart."));
    }

    #[tokio::test]
    async fn the_model_continues_a_docstring_in_a_python_function() {
        let text = "def total_price(cart):\n    return sum(cart)\n";
        let answers = ["Return the total price."];
        let text = check("a.py", text, "total_price", "<MIDDLE>\"\"\"", &answers).await;
        assert_eq!(text.as_deref(), Some("Return the total price."));
    }

    #[tokio::test]
    async fn sentences_about_something_else_are_dropped() {
        let answers = ["Frobs the wibble quickly.", "Returns a total from `nowhere_known`."];
        assert_eq!(check("a.rs", CART, "total_price", "", &answers).await, None);
    }

    #[test]
    fn documentation_gives_its_first_sentence() {
        for (doc, sentence) in [
            ("/// Adds up, e.g. prices. Fast.\n/// More.", "Adds up, e.g. prices."),
            ("\"\"\"Adds\n    up\n\n    More.\"\"\"", "Adds up."),
            ("/** Adds up */", "Adds up."),
            ("/**\n * Adds\n * up.\n *\n * More.\n */", "Adds up."),
            ("/**\n * Adds up\n * @param a one\n */", "Adds up."),
            ("/*! \\brief Adds up */", "Adds up."),
            ("// Total adds\n// up.", "Total adds up."),
            ("#[doc = \"Adds up.\"]", "Adds up."),
        ] {
            assert_eq!(first_sentence(&plain(doc)).as_deref(), Some(sentence), "{doc}");
        }
        assert_eq!(first_sentence(""), None);
    }
}
