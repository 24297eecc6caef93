//! The text of a doc comment: a summary and what the tree proves, in the language's own layout.

use crate::document::Document;
use crate::syntax::facts::{Fact, Sighting};
use crate::syntax::language::DocStyle;
use crate::syntax::outline::{Item, ItemKind};
use crate::task::explain::reading::{self, Parameter, Reading, last_part};

/// Names listed in one sentence.
const MAX_NAMES: usize = 4;
/// Longest piece of code quoted.
const MAX_CODE: usize = 60;

/// The lines of a doc comment for `item`, without comment marks. Without a `summary` it says what
/// the tree shows.
pub(super) fn lines(document: &Document, item: &Item, summary: Option<String>) -> Vec<String> {
    let reading =
        if item.kind.is_function() { reading::read(document, item) } else { Reading::default() };
    let style = document.language().map(|language| language.spec().doc);
    let receivers = document.language().map_or(&[][..], |language| language.spec().receivers);
    let parameters: Vec<&Parameter> = reading
        .parameters
        .iter()
        .filter(|parameter| !receivers.contains(&parameter.name.as_str()))
        .collect();
    let quote = |text: &str| match style {
        Some(DocStyle::Docstring(_) | DocStyle::Lines("//")) => text.to_owned(),
        _ => format!("`{text}`"),
    };
    let mut lines =
        vec![summary.unwrap_or_else(|| structural(document, item, &reading, &parameters, &quote))];
    match style {
        Some(DocStyle::Docstring(_)) => python_sections(&mut lines, &reading, &parameters),
        Some(DocStyle::Block) => tags(&mut lines, &reading, &parameters),
        // Go wants prose that begins with the name, and nothing else.
        Some(DocStyle::Lines("//")) => {
            let rest = lines.pop().unwrap_or_default();
            let starts_so = rest.split(' ').next() == Some(item.name.as_str());
            lines.push(if starts_so { rest } else { format!("{} {}", item.name, lowered(&rest)) });
        }
        _ => rust_sections(&mut lines, &reading),
    }
    lines
}

/// A sentence that claims no more than the tree shows.
fn structural(
    document: &Document,
    item: &Item,
    reading: &Reading,
    parameters: &[&Parameter],
    quote: &dyn Fn(&str) -> String,
) -> String {
    let listed = |names: Vec<&str>| listed(&names, quote);
    if !item.kind.is_function() {
        let members = member_names(document, item);
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        return match (item.kind, members.is_empty()) {
            (ItemKind::Constant, _) => format!("The constant {}.", quote(&item.name)),
            (ItemKind::Enum, false) => format!("One of {}.", listed(members)),
            (_, false) => format!("Has {}.", listed(members)),
            (_, true) => format!("The {} {}.", kind_name(item.kind), quote(&item.name)),
        };
    }
    let names = parameters.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>();
    let result = reading.result();
    let mut parts = Vec::new();
    if !names.is_empty() {
        parts.push(format!("takes {}", listed(names)));
    }
    let changed: Vec<&str> = distinct(
        reading
            .facts
            .iter()
            .filter_map(|fact| (fact.kind == Sighting::Mutation).then_some(fact.name.as_str())),
    );
    if !changed.is_empty() {
        parts.push(format!("changes {}", listed(changed)));
    }
    // Macros, unwrapping and the exceptions raised say little about the purpose.
    let raised: Vec<&str> = reading
        .facts
        .iter()
        .filter(|fact| fact.kind == Sighting::Raise)
        .map(|fact| callee(thrown(&fact.detail)).unwrap_or(&fact.name))
        .collect();
    let telling = |name: &&str| {
        !name.ends_with('!')
            && !raised.contains(name)
            && !matches!(*name, "unwrap" | "expect" | "clone" | "into" | "iter" | "to_owned")
    };
    let calls: Vec<&str> =
        distinct(reading.calls.iter().map(|call| last_part(&call.name)).filter(telling));
    if !calls.is_empty() && parts.len() < 2 {
        parts.push(format!("calls {}", listed(calls)));
    }
    if !matches!(result, "" | "None" | "()") {
        parts.push(format!("returns {}", quote(result)));
    } else if result.is_empty()
        && let [value] = returned(reading).as_slice()
    {
        parts.push(format!("returns {}", quote(value)));
    }
    if parts.is_empty() {
        parts.push(format!("is the {} {}", kind_name(item.kind), quote(&item.name)));
    }
    let sentence = match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    };
    let mut chars = sentence.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// The item's fields and the names of what stands in it, as far as they can be read.
fn member_names(document: &Document, item: &Item) -> Vec<String> {
    let (Some(tree), Some(body)) = (&document.tree, item.body) else { return Vec::new() };
    let inner: Vec<Item> = document
        .items()
        .iter()
        .filter(|other| other.owner.as_deref() == Some(item.name.as_str()))
        .filter(|other| body.covers(other.span))
        .cloned()
        .collect();
    if !inner.is_empty() {
        return inner
            .into_iter()
            .map(|item| item.name)
            .filter(|name| !name.starts_with("__"))
            .collect();
    }
    // Fields and variants: the first name of each part at the top of the body.
    let text = &document.text;
    let mut names = Vec::new();
    let mut depth = 0;
    let mut expects = true;
    for (kind, span) in tree.tokens().into_iter().filter(|(_, span)| body.covers(*span)) {
        match kind {
            "{" | "(" | "[" | "<" => depth += 1,
            "}" | ")" | "]" | ">" => depth -= 1,
            "," if depth == 1 => expects = true,
            "identifier" | "field_identifier" if depth == 1 && expects => {
                names.extend(span.of(text).map(str::to_owned));
                expects = false;
            }
            _ => {}
        }
    }
    names
}

/// `# Errors` and `# Panics`, as the documentation of Rust wants them.
fn rust_sections(lines: &mut Vec<String>, reading: &Reading) {
    let raises = || reading.facts.iter().filter(|fact| fact.kind == Sighting::Raise);
    let mut errors: Vec<String> = Vec::new();
    if reading.result().contains("Result") {
        errors.extend(raises().filter(|fact| fact.name == "?").filter_map(|fact| {
            let callee = callee(&fact.detail)?;
            Some(format!("Returns the error of `{callee}`."))
        }));
        errors.extend(reading.facts.iter().filter_map(|fact| {
            let error = fact.detail.strip_prefix("Err(")?.strip_suffix(')')?;
            let told = fact.kind == Sighting::Return && error.len() <= MAX_CODE;
            told.then(|| format!("Returns `{error}`."))
        }));
    }
    let panics = raises().filter_map(|fact| match fact.name.as_str() {
        "?" => None,
        "unwrap" | "expect" | "unwrap_err" | "expect_err" => {
            let what = callee(&fact.detail).unwrap_or(short(&fact.detail)?);
            Some(format!("Panics if `{what}` gives nothing to unwrap."))
        }
        "assert!" => {
            let condition = fact.detail.trim_matches(['(', ')']).split(", \"").next()?;
            Some(format!("Panics unless `{}`.", short(condition)?))
        }
        name => match string_in(&fact.detail) {
            Some(message) => Some(format!("Panics with \"{message}\".")),
            None => Some(format!("Panics by `{name}`.")),
        },
    });
    section(lines, "# Errors", errors);
    section(lines, "# Panics", panics.collect());
}

/// `Args`, `Returns` and `Raises`, in Google's layout.
fn python_sections(lines: &mut Vec<String>, reading: &Reading, parameters: &[&Parameter]) {
    let arguments = parameters.iter().map(|parameter| {
        let kind = match parameter.detail.as_str() {
            "" => String::new(),
            detail => format!(" ({detail})"),
        };
        let uses: Vec<String> =
            parameter.uses.iter().take(2).map(|(text, _)| text.replace('`', "")).collect();
        let uses = if uses.is_empty() { "not used".to_owned() } else { uses.join(", ") };
        format!("    {}{kind}: {}.", parameter.name, capitalized(&uses))
    });
    indented(lines, "Args:", arguments.collect());
    let returned = returned(reading).join(", or ");
    let result = match (reading.result(), returned.is_empty()) {
        ("None", _) | ("", true) => Vec::new(),
        ("", false) => vec![format!("    {returned}.")],
        (result, true) => vec![format!("    {result}.")],
        (result, false) => vec![format!("    {result}: {returned}.")],
    };
    indented(lines, "Returns:", result);
    let raises = reading.facts.iter().filter_map(raised);
    indented(lines, "Raises:", raises.collect());
}

/// `@param`, `@returns` and `@throws`, as Javadoc, `JSDoc` and Doxygen read them.
fn tags(lines: &mut Vec<String>, reading: &Reading, parameters: &[&Parameter]) {
    let mut tags: Vec<String> = parameters
        .iter()
        .map(|parameter| {
            let uses: Vec<String> =
                parameter.uses.iter().take(2).map(|(text, _)| text.replace('`', "")).collect();
            let uses = if uses.is_empty() { "not used".to_owned() } else { uses.join(", ") };
            format!("@param {} {}.", parameter.name, capitalized(&uses))
        })
        .collect();
    let returned = returned(reading).join(", or ");
    if !returned.is_empty() {
        tags.push(format!("@returns {returned}."));
    }
    for fact in reading.facts.iter().filter(|fact| fact.name == "throw") {
        let thrown = thrown(&fact.detail);
        let Some(exception) = callee(thrown).or_else(|| short(thrown)) else { continue };
        let tag = match string_in(thrown) {
            Some(message) => format!("@throws {exception} {}.", message.trim_end_matches('.')),
            None => format!("@throws {exception}"),
        };
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if !tags.is_empty() {
        lines.push(String::new());
        lines.extend(tags);
    }
}

/// The returned values that are short enough to quote.
fn returned(reading: &Reading) -> Vec<&str> {
    let returns = reading.facts.iter().filter(|fact| fact.kind == Sighting::Return);
    let values = returns.filter_map(|fact| short(&fact.detail)).filter(|value| !value.is_empty());
    let mut values = distinct(values);
    values.truncate(MAX_NAMES);
    values
}

/// `    ValueError: the message.`
fn raised(fact: &Fact) -> Option<String> {
    if fact.kind != Sighting::Raise {
        return None;
    }
    if fact.name == "assert" {
        return Some(format!("    AssertionError: Unless {}.", short(&fact.detail)?));
    }
    let exception = callee(&fact.detail).or_else(|| short(&fact.detail))?;
    (!exception.is_empty()).then(|| match string_in(&fact.detail) {
        Some(message) => {
            format!("    {exception}: {}.", capitalized(message.trim_end_matches('.')))
        }
        None => match fact.detail.strip_prefix(exception).and_then(short) {
            Some(arguments) if arguments.len() > 2 => {
                format!("    {exception}: Raised with {arguments}.")
            }
            _ => format!("    {exception}: Raised by this function."),
        },
    })
}

fn section(lines: &mut Vec<String>, heading: &str, mut entries: Vec<String>) {
    let mut seen = std::collections::BTreeSet::new();
    entries.retain(|entry| seen.insert(entry.clone()));
    match entries.as_slice() {
        [] => {}
        [one] => lines.extend([String::new(), heading.to_owned(), String::new(), one.clone()]),
        several => {
            lines.extend([String::new(), heading.to_owned(), String::new()]);
            lines.extend(several.iter().map(|entry| format!("- {entry}")));
        }
    }
}

fn indented(lines: &mut Vec<String>, heading: &str, mut entries: Vec<String>) {
    let mut seen = std::collections::BTreeSet::new();
    entries.retain(|entry| seen.insert(entry.clone()));
    if !entries.is_empty() {
        lines.extend([String::new(), heading.to_owned()]);
        lines.extend(entries);
    }
}

/// What is called first in an expression: `load` of `load(n).await`.
fn callee(expression: &str) -> Option<&str> {
    let name = &expression[..expression.find('(')?];
    let sound = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.:".contains(c));
    sound.then_some(name)
}

/// The first plain string literal in a piece of code.
fn string_in(code: &str) -> Option<&str> {
    let at = code.find(['"', '\''])?;
    let quote = code[at..].chars().next()?;
    // A formatted string is no message yet.
    let formatted = code[..at].ends_with(['f', 'F']);
    let text = &code[at + 1..];
    let text = &text[..text.find(quote)?];
    let plain = !text.is_empty() && !text.contains(['{', '\\', '%']) && text.len() <= MAX_CODE;
    (plain && !formatted).then_some(text)
}

fn short(code: &str) -> Option<&str> {
    (code.len() <= MAX_CODE && !code.contains(['`', '…'])).then_some(code)
}

fn listed(names: &[&str], quote: &dyn Fn(&str) -> String) -> String {
    let mut shown: Vec<String> = names.iter().take(MAX_NAMES).map(|name| quote(name)).collect();
    let more = names.len().saturating_sub(MAX_NAMES);
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    match shown.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut out = Vec::new();
    for name in names {
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", chars.as_str())
}

/// What is thrown, without the word that makes it.
fn thrown(detail: &str) -> &str {
    detail.strip_prefix("new ").unwrap_or(detail)
}

/// With its first letter small, as in the middle of a sentence.
fn lowered(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    format!("{first}{}", chars.as_str())
}

fn kind_name(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Function => "function",
        ItemKind::Method => "method",
        ItemKind::Class | ItemKind::TypeAlias => "type",
        ItemKind::Enum => "enumeration",
        ItemKind::Interface => "interface",
        ItemKind::Implementation => "implementation of",
        ItemKind::Module => "module",
        ItemKind::Constant => "constant",
        ItemKind::Macro => "macro",
    }
}
