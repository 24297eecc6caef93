//! The statements of a function's body, by indentation: what may be shown of it by itself.

use memchr::memmem;

use crate::syntax::language::Blocks;
use crate::text::Span;
use crate::text::word::is_word;
use crate::workspace::index::{FileEntry, Symbol};

/// A longer function is not looked into, in bytes.
const MAX_FUNCTION: usize = 12_000;
/// So many statements of one function are told apart.
const MAX_STATEMENTS: usize = 80;

/// The statements of `symbol`, in document order, whole lines each, as spans of `source`. Empty
/// where they cannot be told apart: a body on one line, or with a single statement.
pub(super) fn statements(file: &FileEntry, symbol: &Symbol, source: &str) -> Vec<Span> {
    if !symbol.kind.is_function() || symbol.span.len() > MAX_FUNCTION {
        return Vec::new();
    }
    let Some(body) = body(file.language.spec().blocks, symbol, source) else { return Vec::new() };
    let text = body.of(source).unwrap_or_default();
    let comment = file.language.spec().line_comment;
    let mut out: Vec<Span> = Vec::new();
    let (mut base, mut quoted, mut skipping) = (None, false, false);
    let mut at = body.start;
    for line in text.split_inclusive('\n') {
        let (start, trimmed) = (at, line.trim());
        at += line.len();
        if trimmed.is_empty() {
            continue;
        }
        let depth = line.len() - line.trim_start().len();
        let base = *base.get_or_insert(depth);
        let begins = !quoted && depth == base && !continues(trimmed);
        if trimmed.contains(['"', '\'']) {
            let quotes = trimmed.matches("\"\"\"").count() + trimmed.matches("'''").count();
            quoted ^= quotes % 2 == 1;
        }
        if begins {
            // What only tells something is not worth its tokens.
            skipping = trimmed.starts_with(comment)
                || trimmed.starts_with("\"\"\"")
                || trimmed.starts_with("'''");
            if !skipping {
                out.push(Span::new(start, at));
            }
        } else if let Some(last) = out.last_mut().filter(|_| !skipping) {
            last.end = at;
        }
    }
    out.truncate(MAX_STATEMENTS);
    if out.len() < 2 { Vec::new() } else { out }
}

/// The lines between the one that opens the body and the one that closes it.
fn body(blocks: Blocks, symbol: &Symbol, source: &str) -> Option<Span> {
    let whole = symbol.span.of(source)?;
    let signature = symbol.signature.as_bytes();
    let head = memmem::find(whole.as_bytes(), signature)? + signature.len();
    let opening = whole.get(head..)?.lines().next()?.trim();
    let opens = match blocks {
        Blocks::Braces => opening.ends_with('{'),
        Blocks::Indentation => opening.is_empty() || opening.starts_with('#'),
    };
    if !opens {
        return None;
    }
    let start = head + whole.get(head..)?.find('\n')? + 1;
    let end = match blocks {
        Blocks::Braces => whole.trim_end().strip_suffix('}')?.rfind('\n')? + 1,
        Blocks::Indentation => whole.len(),
    };
    (start < end).then(|| Span::new(symbol.span.start + start, symbol.span.start + end))
}

/// Whether a line at the depth of the statements goes on with the one before it.
fn continues(line: &str) -> bool {
    line.starts_with(['}', ')', ']', '.', '?'])
        || ["else", "elif", "except", "finally", "catch", "where", "{"]
            .iter()
            .filter_map(|word| line.strip_prefix(word))
            .any(|rest| !rest.starts_with(is_word))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::workspace::index::Index;

    /// The statements of the first function of a file.
    fn of<'t>(path: &str, text: &'t str) -> Vec<&'t str> {
        let mut index = Index::default();
        index.insert(Path::new(path), text);
        let file = index.file(Path::new(path)).unwrap();
        let function = file.items.iter().find(|item| item.kind.is_function()).unwrap();
        let spans = statements(file, function, text);
        spans.into_iter().map(|span| span.of(text).unwrap().trim()).collect()
    }

    #[test]
    fn a_statement_has_all_its_lines_and_no_comment_of_its_own() {
        let text = "impl A {\n    fn f(&self) -> u8 {\n        // First.\n        let a = self\n            .b();\n\n        if a {\n            c();\n        } else {\n            d();\n        }\n        e(\n            a,\n        )\n    }\n}\n";
        assert_eq!(
            of("a.rs", text),
            [
                "let a = self\n            .b();",
                "if a {\n            c();\n        } else {\n            d();\n        }",
                "e(\n            a,\n        )"
            ]
        );
    }

    #[test]
    fn a_name_that_starts_like_a_keyword_starts_a_statement() {
        let text = "def f():\n    a = 1\n    exceptions = []\n    elsewhere(a)\n";
        assert_eq!(of("a.py", text), ["a = 1", "exceptions = []", "elsewhere(a)"]);
    }

    #[test]
    fn a_docstring_is_no_statement() {
        let text = "def f(a):\n    \"\"\"Says:\n\n    more\n    \"\"\"\n    try:\n        b(a)\n    except C:\n        pass\n    return \"\"\"\n    d\n    \"\"\"\n";
        assert_eq!(
            of("a.py", text),
            ["try:\n        b(a)\n    except C:\n        pass", "return \"\"\"\n    d\n    \"\"\""]
        );
    }

    #[test]
    fn one_statement_is_not_told_apart() {
        assert_eq!(of("a.rs", "fn f() {\n    a();\n}\n"), [""; 0]);
        assert_eq!(of("a.rs", "fn f() { a(); b(); }\n"), [""; 0]);
    }
}
