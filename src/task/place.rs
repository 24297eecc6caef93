//! The new text of an item, as a model wrote it, put in the item's place.

use crate::document::Document;
use crate::postprocess::reply;
use crate::syntax::SyntaxTree;
use crate::syntax::health::health;
use crate::syntax::outline::{self, Item, ItemKind};
use crate::text::Span;

/// The text of the file with `item` replaced by what `answer` (a chat reply with a fenced block)
/// offers for it, indented as the item was. A doc comment, attributes and decorators stay when the
/// answer leaves them out. Otherwise: what is wrong with the answer, for the model and the user.
pub fn place(document: &Document, item: &Item, answer: &str) -> Result<String, String> {
    let language = document.language().ok_or("the file's language is not known")?;
    let code = reply::code(answer, language).ok_or("the answer holds no fenced code block")?;
    let code = shifted(&code, "");
    let tree = SyntaxTree::parse(language, &code);
    let items = outline::items(&tree, &code);
    let new = items
        .iter()
        .find(|new| new.name == item.name && same_kind(new.kind, item.kind))
        .ok_or_else(|| format!("the answer holds no {} {}", describe(item.kind), item.name))?;

    let old_text = &document.text;
    let missing = || "the item's place is not known".to_owned();
    let mut start = item.span.start;
    let mut span = new.span;
    let has_head = new.span.start < new.signature.start;
    if !has_head && item.span.start < item.signature.start {
        start = item.signature.start;
        span.start = new.signature.start;
    }
    let before = old_text.get(..start).ok_or_else(missing)?;
    let after = old_text.get(item.span.end..).ok_or_else(missing)?;
    let line_start =
        code.get(..span.start).and_then(|text| text.rfind('\n')).map_or(0, |at| at + 1);
    let own = shifted(Span::new(line_start, span.end).of(&code).unwrap_or_default(), "");
    let indent = indentation(before.rsplit('\n').next().unwrap_or_default());
    let body = shifted(&own, indent);
    let body = body.trim();
    let text = format!("{before}{body}{after}");
    let text = if old_text.contains("\r\n") {
        text.replace("\r\n", "\n").replace('\n', "\r\n")
    } else {
        text
    };

    let old_faults = document.tree.as_ref().map_or(0, |tree| health(tree).faults());
    if health(&SyntaxTree::parse(language, &text)).faults() > old_faults {
        return Err("the answer does not parse in the item's place".to_owned());
    }
    Ok(text)
}

/// A function stays one when it moves into or out of a class.
fn same_kind(a: ItemKind, b: ItemKind) -> bool {
    let is_function = |kind| matches!(kind, ItemKind::Function | ItemKind::Method);
    a == b || (is_function(a) && is_function(b))
}

/// What a kind of item is called in messages.
pub fn describe(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Function => "function",
        ItemKind::Method => "method",
        ItemKind::Class => "class or struct",
        ItemKind::Enum => "enum",
        ItemKind::Interface => "trait, interface or protocol",
        ItemKind::Implementation => "impl of",
        ItemKind::Module => "module",
        ItemKind::Constant => "constant",
        ItemKind::TypeAlias => "type alias",
        ItemKind::Macro => "macro",
    }
}

/// `text` with the indentation that all its lines share replaced by `indent`; empty lines stay
/// empty.
fn shifted(text: &str, indent: &str) -> String {
    let written = || text.lines().filter(|line| !line.trim().is_empty());
    let shared = written().map(|line| indentation(line).len()).min().unwrap_or(0);
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if !line.trim().is_empty() {
            out.push_str(indent);
            out.push_str(line.get(shared..).unwrap_or(line.trim_start()));
        }
        out.push('\n');
    }
    out
}

fn indentation(line: &str) -> &str {
    line.get(..line.len() - line.trim_start_matches([' ', '\t']).len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(path: &str, text: &str, name: &str, answer: &str) -> Result<String, String> {
        let document = Document::new(path.into(), None, 0, text.to_owned());
        let items = document.items();
        let item = items.iter().find(|item| item.name == name).unwrap();
        place(&document, item, answer)
    }

    const CART: &str = "struct Cart;\n\nimpl Cart {\n    /// Sum.\n    #[inline]\n    fn total(&self) -> u64 {\n        1\n    }\n}\n";

    #[test]
    fn a_method_is_indented_as_before_and_keeps_its_head() {
        let answer =
            "Here:\n```rust\nfn total(&self) -> u64 {\n    if true {\n        2\n    }\n}\n```\n";
        assert_eq!(
            placed("a.rs", CART, "total", answer).unwrap(),
            CART.replace("        1\n", "        if true {\n            2\n        }\n")
        );
    }

    #[test]
    fn an_item_is_taken_out_of_what_stands_around_it() {
        let answer = "```rust\nimpl Cart {\n    /// New sum.\n    fn total(&self) -> u64 {\n        2\n    }\n}\n```";
        let expected = CART
            .replace("/// Sum.\n    #[inline]", "/// New sum.")
            .replace("        1\n", "        2\n");
        assert_eq!(placed("a.rs", CART, "total", answer).unwrap(), expected);
    }

    #[test]
    fn a_python_method_may_come_with_any_indentation() {
        let text =
            "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        pass\n";
        let expected = text.replace("return 1", "return 2");
        for indent in ["", "    ", "        "] {
            let answer = format!("```python\n{indent}def f(self):\n{indent}    return 2\n```");
            assert_eq!(placed("a.py", text, "f", &answer).unwrap(), expected);
        }
    }

    #[test]
    fn windows_line_ends_stay() {
        let text = "def f():\r\n    return 1\r\n";
        let placed = placed("a.py", text, "f", "```\ndef f():\n    return 2\n```").unwrap();
        assert_eq!(placed, "def f():\r\n    return 2\r\n");
    }

    #[test]
    fn a_useless_answer_is_refused_with_the_reason() {
        let text = "def f():\n    return 1\n";
        let error = |answer| placed("a.py", text, "f", answer).unwrap_err();
        assert_eq!(error("```python\ndef g():\n    pass\n```"), "the answer holds no function f");
        assert!(error("```python\ndef f(:\n    return ((\n```").contains("the answer"));
        assert!(error("```json\n{}\n```").contains("no fenced code block"));
    }
}
