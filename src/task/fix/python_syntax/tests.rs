//! Each message of the interpreter and its repairs.

use super::*;
use crate::check::Severity;
use crate::text::{TextEdit, apply};

fn repairs(text: &str, message: &str, at: &str) -> Vec<String> {
    let start = text.find(at).unwrap();
    let diagnostic = Diagnostic {
        path: "/w/a.py".into(),
        span: Span::new(start, start + at.len()),
        line: 1,
        severity: Severity::Error,
        code: "SyntaxError".to_owned(),
        message: message.to_owned(),
        tool: "python".to_owned(),
        suggestions: Vec::new(),
    };
    candidates(text, &diagnostic)
        .into_iter()
        .map(|(_, span, new)| apply(text, &[TextEdit { span, text: new }]).unwrap())
        .collect()
}

#[track_caller]
fn repairs_to(text: &str, message: &str, at: &str, wanted: &str) {
    let all = repairs(text, message, at);
    assert!(all.iter().any(|new| new == wanted), "{wanted:?} is not among {all:#?}");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    repairs_to("\u{feff}def f()\n", "expected ':'", "\n", "\u{feff}def f():\n");
    repairs_to("\u{feff}x = [1 2]\n", "forgot a comma?", "1 2", "\u{feff}x = [1, 2]\n");
}

#[test]
fn each_message_has_its_repair() {
    repairs_to("if x  # y\n    z\n", "expected ':'", "# y", "if x:  # y\n    z\n");
    repairs_to("f(1, g(2)\nh()\n", "'(' was never closed", "(1", "f(1, g(2))\nh()\n");
    repairs_to("if f(x:\n    y\n", "'(' was never closed", "(x", "if f(x):\n    y\n");
    repairs_to("x = [1,\n  2\ny = 3\n", "'[' was never closed", "[", "x = [1,\n  2]\ny = 3\n");
    repairs_to("f(1))\n", "unmatched ')'", ")\n", "f(1)\n");
    repairs_to("f(1]\n", "closing parenthesis ']' does not match", "]", "f(1)\n");
    repairs_to("f('a)\n", "unterminated string literal", "'a", "f('a')\n");
    repairs_to("print 'a'\n", "Missing parentheses in call to 'print'", "print", "print('a')\n");
    repairs_to("if x:\ny = 1\n", "expected an indented block", "y = 1", "if x:\n    y = 1\n");
    repairs_to(
        "if x:\n        a\n    b\n",
        "unindent does not match any outer indentation level",
        "b",
        "if x:\n        a\n        b\n",
    );
    repairs_to("if x = 1:\n", "invalid syntax. Maybe you meant '=='", "x = 1", "if x == 1:\n");
    repairs_to("f(a b)\n", "Perhaps you forgot a comma?", "a b", "f(a, b)\n");
    repairs_to("if a && b:\n", "invalid syntax", "&&", "if a and b:\n");
    repairs_to("if !a:\n", "invalid syntax", "!a", "if not a:\n");
    repairs_to("x = “a”\n", "invalid character '“' (U+201C)", "“", "x = \"a\"\n");
    repairs_to("x = 007\n", "leading zeros in decimal", "007", "x = 7\n");
    let numbers = repairs("x = 0777\n", "leading zeros in decimal", "0777");
    assert_eq!(numbers, ["x = 0o777\n", "x = 777\n"]);
    let empty = repairs("def f():\n\n\ndef g():\n    1\n", "expected an indented block", "def g");
    assert_eq!(empty, ["def f():\n    pass\n\n\ndef g():\n    1\n"]);
    let empty = repairs("for i in x:\n\nprint(1)\n", "expected an indented block", "print");
    assert_eq!(empty, ["for i in x:\n    pass\n\nprint(1)\n"]);
}

#[test]
fn no_text_and_no_place_panics() {
    for text in ["", "\n", "é", "(\r\n", "\"\n", "if é"] {
        for message in [
            "expected ':'",
            "'(' was never closed",
            "unterminated",
            "unindent does \
            not match",
            "expected an indented block",
            "comma",
            "unmatched",
            "invalid syntax",
        ] {
            for start in 0..=text.len() + 1 {
                let diagnostic = Diagnostic {
                    path: "/w/a.py".into(),
                    span: Span::new(start, start + 1),
                    line: 1,
                    severity: Severity::Error,
                    code: String::new(),
                    message: message.to_owned(),
                    tool: "python".to_owned(),
                    suggestions: Vec::new(),
                };
                candidates(text, &diagnostic);
            }
        }
    }
}
