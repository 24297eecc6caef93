//! Templates for Rust errors to which the compiler has no suggestion of its own.

use super::candidate::Edit;
use crate::check::Diagnostic;
use crate::text::Span;

/// Repairs of `text` for `diagnostic`, likeliest first.
pub(super) fn candidates(text: &str, diagnostic: &Diagnostic) -> Vec<Edit> {
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
        "E0369" | "E0277" => {
            edits.push(wrapped(span, code, "*", ""));
            edits.push(wrapped(span, code, "&", ""));
        }
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
    let numbers = [
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
        "f32", "f64",
    ];
    let simple = code.chars().all(|c| c.is_alphanumeric() || "_.()".contains(c));
    if numbers.contains(&expected) && numbers.contains(&found) {
        if from_is_lossless(found, expected) {
            edits.push((
                "convert without loss".to_owned(),
                span,
                format!("{expected}::from({code})"),
            ));
        }
        let cast = if simple {
            format!("{code} as {expected}")
        } else {
            format!("({code}) as {expected}")
        };
        edits.push((format!("cast to `{expected}`"), span, cast));
    }
    if expected == "String" {
        edits.push(wrapped(span, code, "", ".to_string()"));
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
