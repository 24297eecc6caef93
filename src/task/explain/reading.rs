//! Reading a function: what its tree says, as sentences with the lines they are read from.

use std::collections::BTreeMap;

use crate::document::Document;
use crate::syntax::facts::{self, Fact, Sighting};
use crate::syntax::outline::Item;
use crate::syntax::scope;
use crate::task::target::line;
use crate::text::Span;
use crate::text::word;

/// Calls that look like input or output, by the last part of their name.
const IO_NAMES: [&str; 38] = [
    "print!",
    "println!",
    "eprint!",
    "eprintln!",
    "dbg!",
    "write!",
    "writeln!",
    "print",
    "open",
    "input",
    "read",
    "readline",
    "readlines",
    "read_to_string",
    "read_text",
    "write",
    "write_all",
    "write_text",
    "unlink",
    "remove_file",
    "connect",
    "send",
    "recv",
    "urlopen",
    "console.log",
    "console.error",
    "fetch",
    "readFile",
    "writeFile",
    "readFileSync",
    "writeFileSync",
    "println",
    "printf",
    "fprintf",
    "Println",
    "Printf",
    "ReadFile",
    "WriteFile",
];

/// Constructors that Rust writes as calls.
const NOT_CALLS: [&str; 4] = ["Some", "Ok", "Err", "None"];

/// A statement and the one-based lines it is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) kind: &'static str,
    pub(super) text: String,
    pub(super) lines: Vec<u32>,
}

/// A parameter and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::task) struct Parameter {
    pub(in crate::task) name: String,
    pub(in crate::task) detail: String,
    pub(in crate::task) line: u32,
    /// How it is used, each with the lines; empty: it is not.
    pub(in crate::task) uses: Vec<(String, Vec<u32>)>,
}

/// Something called, with the lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::task) struct Call {
    /// As written.
    pub(in crate::task) name: String,
    pub(in crate::task) lines: Vec<u32>,
}

/// What the tree says of a function.
#[derive(Debug, Clone, Default)]
pub(in crate::task) struct Reading {
    pub(in crate::task) facts: Vec<Fact>,
    pub(in crate::task) parameters: Vec<Parameter>,
    pub(in crate::task) calls: Vec<Call>,
}

/// Reads `item`.
pub(in crate::task) fn read(document: &Document, item: &Item) -> Reading {
    let Some(tree) = &document.tree else { return Reading::default() };
    let facts = facts::facts(tree, &document.text, item.span);
    let mut calls: Vec<Call> = Vec::new();
    for fact in facts.iter().filter(|fact| fact.kind == Sighting::Call) {
        if NOT_CALLS.contains(&fact.name.as_str()) {
            continue;
        }
        let line = line(document, fact.span.start);
        match calls.iter_mut().find(|call| call.name == fact.name) {
            Some(call) if call.lines.contains(&line) => {}
            Some(call) => call.lines.push(line),
            None => calls.push(Call { name: fact.name.clone(), lines: vec![line] }),
        }
    }
    let parameters = facts
        .iter()
        .filter(|fact| fact.kind == Sighting::Parameter)
        .map(|fact| parameter(document, item, fact, &facts))
        .collect();
    Reading { facts, parameters, calls }
}

/// The last part of a name as written: `len` of `self.items.len`, `print!` of `std::print!`.
pub(in crate::task) fn last_part(name: &str) -> &str {
    let name = name.split("::<").next().unwrap_or(name);
    let name = name.rsplit("->").next().unwrap_or(name);
    name.rsplit([':', '.']).next().unwrap_or(name)
}

impl Reading {
    /// The declared result type, or empty.
    pub(in crate::task) fn result(&self) -> &str {
        self.facts
            .iter()
            .find(|fact| fact.kind == Sighting::ReturnType)
            .map_or("", |fact| fact.detail.as_str())
    }

    /// Branches and loops, in order.
    pub(super) fn flow(&self, document: &Document) -> Vec<Statement> {
        self.told(document, |fact| {
            let detail = code(&fact.detail);
            Some(match (fact.kind, fact.name.as_str()) {
                (Sighting::Branch, "else") => {
                    ("branch", format!("leaves early unless {detail} matches"))
                }
                (Sighting::Branch, "except" | "catch") if fact.detail.is_empty() => {
                    ("branch", "catches any exception".to_owned())
                }
                (Sighting::Branch, "except" | "catch") => ("branch", format!("catches {detail}")),
                (Sighting::Branch, "switch") if fact.detail.is_empty() => {
                    ("branch", "decides by the first case that holds".to_owned())
                }
                (Sighting::Branch, "select") => {
                    ("branch", "waits for the first of several channels".to_owned())
                }
                (Sighting::Branch, "match" | "switch") => {
                    ("branch", format!("decides by the value of {detail}"))
                }
                (Sighting::Branch, _) => ("branch", format!("checks whether {detail}")),
                (Sighting::Loop, "while" | "do") => ("loop", format!("repeats while {detail}")),
                (Sighting::Loop, "loop") => ("loop", "repeats until it breaks out".to_owned()),
                (Sighting::Loop, _) if fact.detail.is_empty() => {
                    ("loop", "repeats until it breaks out".to_owned())
                }
                (Sighting::Loop, name) => {
                    ("loop", format!("loops: {}", code(&format!("{name} {}", fact.detail))))
                }
                _ => return None,
            })
        })
    }

    /// What it returns.
    pub(super) fn returns(&self, document: &Document) -> Vec<Statement> {
        self.told(document, |fact| {
            let nothing = fact.kind == Sighting::Return && fact.detail.is_empty();
            match fact.kind {
                Sighting::Return if nothing => Some(("return", "returns nothing".to_owned())),
                Sighting::Return => Some(("return", format!("returns {}", code(&fact.detail)))),
                Sighting::Suspension if matches!(&*fact.name, "yield" | "co_yield") => {
                    Some(("return", format!("yields {}", code(&fact.detail))))
                }
                _ => None,
            }
        })
    }

    /// How it can fail.
    pub(super) fn failures(&self, document: &Document) -> Vec<Statement> {
        self.told(document, |fact| (fact.kind == Sighting::Raise).then(|| ("raise", failure(fact))))
    }

    /// What it changes or touches outside of itself, as far as the tree shows.
    pub(super) fn effects(&self, document: &Document) -> Vec<Statement> {
        self.told(document, |fact| match fact.kind {
            Sighting::Mutation => {
                let written = fact.span.of(&document.text).unwrap_or(&fact.name);
                let written: Vec<&str> = written.split_whitespace().collect();
                Some((
                    "mutation",
                    format!("changes {}: {}", code(&fact.name), code(&written.join(" "))),
                ))
            }
            Sighting::Suspension if matches!(&*fact.name, "await" | "co_await" | "<-") => {
                Some(("await", format!("waits for {}", code(&fact.detail))))
            }
            Sighting::Unsafe => Some(("unsafe", "runs `unsafe` code".to_owned())),
            Sighting::Call
                if IO_NAMES.contains(&last_part(&fact.name)) || IO_NAMES.contains(&&*fact.name) =>
            {
                Some(("io", format!("calls {}", code(&fact.name))))
            }
            _ => None,
        })
    }

    /// The sentences `tell` makes of the facts; equal ones are one with several lines.
    fn told(
        &self,
        document: &Document,
        tell: impl Fn(&Fact) -> Option<(&'static str, String)>,
    ) -> Vec<Statement> {
        let mut out: Vec<Statement> = Vec::new();
        for fact in &self.facts {
            let Some((kind, text)) = tell(fact) else { continue };
            let line = line(document, fact.span.start);
            match out.iter_mut().find(|held| held.text == text) {
                Some(held) if held.lines.contains(&line) => {}
                Some(held) => held.lines.push(line),
                None => out.push(Statement { kind, text, lines: vec![line] }),
            }
        }
        out
    }
}

fn failure(fact: &Fact) -> String {
    let detail = code(&fact.detail);
    match fact.name.as_str() {
        "?" => format!("returns the error of {detail}"),
        "raise" if fact.detail.is_empty() => "raises the exception it caught again".to_owned(),
        "raise" => format!("raises {detail}"),
        "throw" if fact.detail.is_empty() => "throws the exception it caught again".to_owned(),
        "throw" => format!("throws {detail}"),
        "panic" => format!("panics: {detail}"),
        "assert" => format!("fails unless {detail}"),
        name if name.ends_with('!') => {
            format!("panics: {}", code(&format!("{name}{}", fact.detail)))
        }
        name => format!("panics if {} fails", code(&format!("{}.{name}()", fact.detail))),
    }
}

/// `text` as inline code; backticks in it get a longer fence.
pub(super) fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

fn parameter(document: &Document, item: &Item, fact: &Fact, facts: &[Fact]) -> Parameter {
    let mut uses: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    if let (Some(tree), Some(body)) = (&document.tree, item.body) {
        let names: Vec<&str> = words(&fact.name).collect();
        for (name, at) in scope::identifiers(tree, &document.text, body) {
            if names.contains(&name) && !is_member(&document.text, at) {
                uses.entry(line(document, at.start)).or_default().push(usage(
                    &document.text,
                    at,
                    facts,
                ));
            }
        }
        // A grammar may not count the receiver as an identifier; its name is read off the text.
        if uses.is_empty() && names.len() == 1 {
            for at in occurrences(&document.text, body, names[0]) {
                uses.entry(line(document, at.start)).or_default().push(usage(
                    &document.text,
                    at,
                    facts,
                ));
            }
        }
    }
    let mut grouped: Vec<(String, Vec<u32>)> = Vec::new();
    for (line, texts) in uses {
        for text in texts {
            match grouped.iter_mut().find(|(held, _)| *held == text) {
                Some((_, lines)) if lines.contains(&line) => {}
                Some((_, lines)) => lines.push(line),
                None => grouped.push((text, vec![line])),
            }
        }
    }
    Parameter {
        name: fact.name.clone(),
        detail: fact.detail.clone(),
        line: line(document, fact.span.start),
        uses: grouped,
    }
}

/// The names in a parameter as written: `a` and `b` of `(a, b)`, `args` of `*args`.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty() && !matches!(*word, "mut" | "ref" | "_"))
}

/// Whether the name is a member of something else: `b.name`, or a keyword argument `name=`.
fn is_member(text: &str, at: Span) -> bool {
    let before = text[..at.start].trim_end();
    (before.ends_with('.') && !before.ends_with("..")) || before.ends_with("->")
}

/// Whole-word occurrences of `name`.
fn occurrences(text: &str, within: Span, name: &str) -> Vec<Span> {
    let Some(inside) = within.of(text) else { return Vec::new() };
    word::occurrences(inside, name)
        .filter(|at| !inside[..*at].ends_with('.'))
        .map(|at| Span::new(within.start + at, within.start + at + name.len()))
        .collect()
}

/// How the name at `at` is used, told from what stands around it.
fn usage(text: &str, at: Span, facts: &[Fact]) -> String {
    let after = text[at.end..].trim_start();
    let before = text[..at.start].trim_end();
    let access = ["->", "?.", "."];
    if let Some(member) = access.iter().find_map(|mark| after.strip_prefix(mark)) {
        let end = member.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(member.len());
        let (member, rest) = member.split_at(end);
        if rest.starts_with('(') {
            return format!("its method {} is called", code(member));
        }
        if !member.is_empty() {
            return format!(
                "its {} is {}",
                code(member),
                if assigns(rest.trim_start()) { "assigned" } else { "read" }
            );
        }
    }
    if let Some(call) = innermost_call(text, at, facts) {
        return format!("passed to {}", code(&call.name));
    }
    let compares = ["==", "!=", "<", ">", "in "];
    let compared = compares.iter().any(|operator| after.starts_with(operator))
        || ["==", "!=", "<", ">", "<=", ">="].iter().any(|operator| before.ends_with(operator));
    if compared && !before.ends_with("->") && !before.ends_with("=>") {
        return "compared".to_owned();
    }
    if assigns(after) {
        return "assigned".to_owned();
    }
    let around = |kind: Sighting| facts.iter().any(|f| f.kind == kind && in_header(text, f, at));
    if around(Sighting::Loop) {
        return "looped over".to_owned();
    }
    if around(Sighting::Branch) {
        return "checked".to_owned();
    }
    if around(Sighting::Return) {
        return "part of what is returned".to_owned();
    }
    "read".to_owned()
}

/// Whether an assignment follows, compound ones too; `==`, `=>`, `<=` and `>=` assign nothing.
fn assigns(after: &str) -> bool {
    let operators = ["+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "//=", "**="];
    let plain = after.starts_with('=') && !after.starts_with("==") && !after.starts_with("=>");
    plain || operators.iter().any(|operator| after.starts_with(operator))
}

/// The innermost call with `at` among its arguments.
fn innermost_call<'f>(text: &str, at: Span, facts: &'f [Fact]) -> Option<&'f Fact> {
    facts
        .iter()
        .filter(|fact| fact.kind == Sighting::Call && fact.span.covers(at))
        .filter(|fact| {
            let before = text.get(fact.span.start..at.start).unwrap_or_default();
            let count = |c: char| before.matches(c).count();
            count('(') > count(')') || count('[') > count(']')
        })
        .min_by_key(|fact| fact.span.len())
}

/// Whether `at` stands where the fact's detail was read.
fn in_header(text: &str, fact: &Fact, at: Span) -> bool {
    if !fact.span.covers(at) {
        return false;
    }
    let whole = fact.span.of(text).unwrap_or_default();
    match whole.find(&fact.detail) {
        Some(start) if !fact.detail.is_empty() => {
            let start = fact.span.start + start;
            Span::new(start, start + fact.detail.len()).covers(at)
        }
        _ => fact.kind == Sighting::Return,
    }
}
