//! Templates for Rust errors to which the compiler has no suggestion of its own.

use super::candidate::Edit;
use crate::check::Diagnostic;
use crate::document::Document;
use crate::syntax::scope;
use crate::text::Span;

/// Number types, between which the compiler converts nothing by itself.
const NUMBERS: &[&str] = &[
    "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32",
    "f64",
];

/// Said of a cast that not every value survives.
pub(super) const LOSSY: &str = ", which may lose something";

/// Repairs of `document` for `diagnostic`, likeliest first.
pub(super) fn candidates(document: &Document, diagnostic: &Diagnostic) -> Vec<Edit> {
    let text = &*document.text;
    let mut edits = Vec::new();
    let span = diagnostic.span;
    let Some(code) = span.of(text) else { return edits };
    match diagnostic.code.as_str() {
        "E0308" => mismatched(text, span, code, &diagnostic.message, &mut edits),
        "E0277" if diagnostic.message.contains("cannot be indexed by") => {
            edits.push(wrapped(span, code, "", " as usize"));
        }
        "E0614" => {
            if let Some(bare) = code.strip_prefix('*') {
                edits.push(("drop `*`".to_owned(), span, bare.to_owned()));
            }
        }
        "E0277" => mixed_numbers(document, span, &diagnostic.message, &mut edits),
        "" => delimiters(text, span, &diagnostic.message, &mut edits),
        _ => {}
    }
    edits
}

fn wrapped(span: Span, code: &str, before: &str, after: &str) -> Edit {
    let new = format!("{before}{code}{after}");
    (format!("write `{new}`"), span, new)
}

/// The compiler's label says what it wanted: ``expected `u64`, found `usize` ``.
fn mismatched(text: &str, span: Span, code: &str, message: &str, edits: &mut Vec<Edit>) {
    let part = |word: &str| {
        message.split_once(word).and_then(|(_, rest)| rest.split('`').next()).unwrap_or_default()
    };
    let (expected, found) = (part("expected `"), part("found `"));
    if NUMBERS.contains(&expected) && NUMBERS.contains(&found) {
        edits.extend(conversions(span, code, found, expected));
    }
    if expected == "String" {
        edits.push(wrapped(span, code, "", ".to_string()"));
    }
    if expected.starts_with("Option<") && !found.starts_with("Option<") {
        let inner = if found.starts_with('&') { "Some(*" } else { "Some(" };
        edits.push(wrapped(span, code, inner, ")"));
    }
    if expected.starts_with("&mut ") {
        if let Some(bare) = code.strip_prefix('&') {
            let bare = bare.trim_start_matches("mut ");
            edits.push(("borrow mutably".to_owned(), span, format!("&mut {bare}")));
        }
        edits.push(wrapped(span, code, "&mut ", ""));
    } else if expected.starts_with('&') {
        edits.push(wrapped(span, code, "&", ""));
    }
    if found.starts_with('&') && !expected.starts_with('&') {
        edits.push(wrapped(span, code, "*", ""));
    }
    // A function that should return something and ends in nothing, or in a statement.
    if message.contains("found `()`")
        && expected.starts_with("Result")
        && let Some(end) = text.get(span.end..).and_then(|rest| rest.find("\n}"))
    {
        let at = Span::empty(span.end + end);
        edits.push(("end with `Ok(())`".to_owned(), at, "\n    Ok(())".to_owned()));
    }
}

/// `code` as another number type: without loss where the library can, else by a cast.
fn conversions(span: Span, code: &str, from: &str, to: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    if from_is_lossless(from, to) {
        let new = format!("{to}::from({code})");
        edits.push(("convert without loss".to_owned(), span, new));
    }
    let simple = code.chars().all(|c| c.is_alphanumeric() || "_.()".contains(c));
    let cast = if simple { format!("{code} as {to}") } else { format!("({code}) as {to}") };
    let warning = if keeps_value(from, to) { "" } else { LOSSY };
    edits.push((format!("cast to `{to}`{warning}"), span, cast));
    edits
}

/// ``cannot multiply `u32` by `usize` ``, reported at the operator: one operand is converted to
/// the other's type, preferably the one that loses nothing.
fn mixed_numbers(document: &Document, operator: Span, message: &str, edits: &mut Vec<Edit>) {
    let types: Vec<&str> =
        message.split('`').skip(1).step_by(2).filter(|name| NUMBERS.contains(name)).collect();
    let (Some((left, right)), [first, second, ..]) = (operands(document, operator), &*types) else {
        return;
    };
    // "add B to A" and "subtract B from A", but "multiply A by B".
    let turned = message.contains("cannot add") || message.contains("cannot subtract");
    let (own, other) = if turned { (second, first) } else { (first, second) };
    let text = &*document.text;
    let (Some(left_code), Some(right_code)) = (left.of(text), right.of(text)) else { return };
    let assigns = operator.of(text).is_some_and(|operator| operator.ends_with('='));
    edits.extend(conversions(right, right_code, other, own));
    if !assigns {
        edits.extend(conversions(left, left_code, own, other));
    }
    edits.sort_by_key(|(label, ..)| (label.starts_with("cast"), label.contains("lose some")));
}

/// What stands left and right of the operator at `operator`.
fn operands(document: &Document, operator: Span) -> Option<(Span, Span)> {
    let tree = document.tree.as_ref()?;
    let whole = scope::ancestors(tree, operator.start)
        .into_iter()
        .find(|span| span.covers(operator) && span.len() > operator.len())?;
    let trimmed = |span: Span| {
        let code = span.of(&document.text)?;
        let start = span.start + code.len() - code.trim_start().len();
        (!code.trim().is_empty()).then(|| Span::new(start, start + code.trim().len()))
    };
    let (mut start, mut end) = (whole.start, whole.end);
    // The tree does not tell the arguments of a macro apart.
    let code = whole.of(&document.text)?;
    if code.starts_with(['(', '[', '{']) && code.ends_with([')', ']', '}']) {
        let before = Span::new(start, operator.start).of(&document.text)?;
        let after = Span::new(operator.end, end).of(&document.text)?;
        start += before.rfind(['(', '[', '{', ',', ';']).map_or(0, |at| at + 1);
        end = operator.end + after.find([')', ']', '}', ',', ';']).unwrap_or(after.len());
    }
    let left = trimmed(Span::new(start, operator.start))?;
    let right = trimmed(Span::new(operator.end, end))?;
    Some((left, right))
}

/// Bits of a number type; of `usize` and `isize` on most machines.
fn width(name: &str) -> u32 {
    name.get(1..).and_then(|bits| bits.parse().ok()).unwrap_or(64)
}

/// Whether a cast keeps every value, on machines of 64 bits.
fn keeps_value(from: &str, to: &str) -> bool {
    let kind = |name: &str| name.chars().next().unwrap_or_default();
    match (kind(from), kind(to)) {
        ('u', 'u') | ('i', 'i') | ('f', 'f') => width(from) <= width(to),
        ('u', 'i') => width(from) < width(to),
        ('u' | 'i', 'f') => from_is_lossless(from, to),
        _ => false,
    }
}

/// Whether `From` exists between two number types.
fn from_is_lossless(from: &str, to: &str) -> bool {
    let bits = |name: &str| name.get(1..).and_then(|bits| bits.parse::<u32>().ok());
    let kind = |name: &str| name.chars().next().unwrap_or_default();
    let (Some(a), Some(b)) = (bits(from), bits(to)) else { return false };
    match (kind(from), kind(to)) {
        ('u', 'u' | 'i') | ('i', 'i') | ('f', 'f') => a < b,
        ('u' | 'i', 'f') => (a <= 16 && b == 32) || (a <= 32 && b == 64),
        _ => false,
    }
}

/// Brackets, quotes and semicolons that are missing or too many.
fn delimiters(text: &str, span: Span, message: &str, edits: &mut Vec<Edit>) {
    let insert = |at: usize, what: &str| {
        (format!("insert `{}`", what.trim()), Span::empty(at), what.to_owned())
    };
    let line_end = |at: usize| {
        text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| at + end)
    };
    if message.contains("unclosed delimiter") {
        let end = text.trim_end().len();
        edits.push(insert(end, "\n}"));
        // Before each line at the left margin that starts an item.
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let starts_item = ["fn ", "pub ", "struct ", "enum ", "impl ", "mod ", "#["]
                .iter()
                .any(|word| line.starts_with(word));
            if starts_item && at > 0 {
                edits.push(insert(at, "}\n\n"));
            }
            at += line.len();
        }
        let close = line_end(span.start);
        edits.push(insert(close, ")"));
        edits.push(insert(close, ");"));
    } else if message.contains("unexpected closing delimiter") {
        edits.push(("drop it".to_owned(), span, String::new()));
    } else if message.contains("mismatched closing delimiter") {
        for close in [")", "]", "}"] {
            edits.push((format!("write `{close}`"), span, close.to_owned()));
            edits.push(insert(span.start, close));
        }
    } else if message.contains("unterminated double quote") {
        let line = text.get(span.start..line_end(span.start)).unwrap_or_default();
        let tail = line.len() - line.trim_end_matches([')', ']', '}', ',', ';', ' ']).len();
        edits.push(insert(span.start + line.len() - tail, "\""));
        edits.push(insert(span.start + line.len(), "\""));
    } else if message.contains("expected `;`") || message.contains("expected one of") {
        let before = text.get(..span.start).map_or(0, |before| before.trim_end().len());
        for what in [";", ",", ")", ");", " {", "}"] {
            edits.push(insert(before, what));
        }
        edits.push(("drop it".to_owned(), span, String::new()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repairs(code: &str, at: &str, message: &str) -> Vec<String> {
        let start = code.find(at).unwrap();
        let document = Document::new("/w/a.rs".into(), None, 0, code.to_owned());
        let diagnostic = Diagnostic {
            path: "/w/a.rs".into(),
            span: Span::new(start, start + at.len()),
            line: 1,
            severity: crate::check::Severity::Error,
            code: if message.starts_with("mismatched") { "E0308" } else { "E0277" }.to_owned(),
            message: message.to_owned(),
            tool: "rustc".to_owned(),
            suggestions: Vec::new(),
        };
        candidates(&document, &diagnostic).into_iter().map(|(_, _, new)| new).collect()
    }

    #[test]
    fn operands_of_two_number_types_are_converted_with_the_least_loss() {
        let code = "fn f(a: u32, b: usize) { let x = a * b.len(); }";
        assert_eq!(
            repairs(code, "*", "cannot multiply `u32` by `usize`"),
            ["a as usize", "b.len() as u32"]
        );
        let code = "fn f(a: u64, b: u32) { let x = a + b; }";
        assert_eq!(
            repairs(code, "+", "cannot add `u32` to `u64`"),
            ["u64::from(b)", "b as u64", "a as u32"]
        );
        let code = "fn f(mut a: u64, b: u32) { a += b; }";
        assert_eq!(
            repairs(code, "+=", "cannot add-assign `u32` to `u64`"),
            ["u64::from(b)", "b as u64"]
        );
        let message = "mismatched types: expected `u64`, found `u32`";
        assert_eq!(repairs("fn f(a: u32) -> u64 { a }", "a }", message).len(), 2);
    }

    #[test]
    fn lossless_conversions_are_those_the_library_has() {
        assert!(from_is_lossless("u32", "u64"));
        assert!(from_is_lossless("u8", "i16"));
        assert!(from_is_lossless("u32", "f64"));
        assert!(!from_is_lossless("u64", "u32"));
        assert!(!from_is_lossless("i32", "u64"));
        assert!(!from_is_lossless("u32", "usize"));
        assert!(!from_is_lossless("u64", "f64"));
    }
}
