//! All passes together: what users of other tools complain about, and what must always hold.

use proptest::prelude::*;

use super::*;
use crate::syntax::{Language, SyntaxTree, health::health};

/// A file at a cursor: its text, its tree, the offset.
fn at(language: &str, file: &str) -> (String, Option<SyntaxTree>, usize) {
    let offset = file.find('ˇ').unwrap();
    let text = file.replacen('ˇ', "", 1);
    let tree = Language::named(language).map(|language| SyntaxTree::parse(language, &text));
    (text, tree, offset)
}

fn cleaned(language: &str, file: &str, raw: &str) -> Cleaned {
    let (text, tree, offset) = at(language, file);
    clean(raw, Place { text: &text, tree: tree.as_ref(), offset }, true, Passes::default())
}

fn check(language: &str, file: &str, raw: &str, expected: &str) {
    let cleaned = cleaned(language, file, raw);
    assert_eq!(cleaned.text, expected, "{raw:?} at {file:?}: {:?}", cleaned.applied);
}

#[test]
fn a_sound_answer_stays_as_it_is() {
    let file = "fn total(items: &[u64]) -> u64 {\n    ˇ\n}\n";
    let cleaned = cleaned("rust", file, "items.iter().sum()");
    assert_eq!(cleaned.text, "items.iter().sum()");
    assert!(cleaned.applied.is_empty(), "{:?}", cleaned.applied);
}

#[test]
fn a_body_ends_with_its_function() {
    let file = "fn total(items: &[u64]) -> u64 {\n    ˇ\n}\n\nfn main() {}\n";
    let raw = "let mut sum = 0;\n    for item in items {\n        sum += item;\n    }\n    sum\n}\n\nfn other() {\n";
    let expected =
        "let mut sum = 0;\n    for item in items {\n        sum += item;\n    }\n    sum";
    check("rust", file, raw, expected);
    let file = "def total(items):\n    ˇ\n\n\ndef main():\n    pass\n";
    let raw = "    result = 0\n    for item in items:\n        result += item\n    return result\n\n\ndef main():\n";
    let expected = "result = 0\n    for item in items:\n        result += item\n    return result";
    check("python", file, raw, expected);
}

#[test]
fn what_the_editor_closed_is_not_closed_again() {
    check("rust", "fn f() { println!(\"{}\", ˇ); }\n", "x);", "x");
    check("python", "print(\"ˇ\")\n", "hello\")", "hello");
    check("python", "x = {\"a\": [ˇ]}\n", "1, 2]}", "1, 2");
}

#[test]
fn what_is_open_may_be_closed() {
    check("rust", "fn f() {\n    g(ˇ\n}\n", "1, 2);", "1, 2);");
    check("python", "def f():\n    g(ˇ\n    return 1\n", "1, h(2))", "1, h(2))");
}

#[test]
fn chat_and_special_tokens_never_show() {
    check("python", "x = ˇ\n", "```python\n1 + 2\n```\nThis adds.", "1 + 2");
    check("python", "x = ˇ\n", "1<|fim_middle|> + 2", "1");
    check("python", "x = ˇ\n", "1\u{1b}[0m", "1");
    check("rust", "fn f() {\n    ˇ\n}\n", "Sure! Here is the code you asked for:", "");
}

#[test]
fn lines_that_follow_are_not_offered() {
    let file = "def f(a):\n    ˇ\n    return compute(a)\n";
    check("python", file, "return compute(a)", "");
    check("python", file, "b = a\n    return compute(a)", "b = a");
}

#[test]
fn line_ends_and_tabs_are_the_files_own() {
    let file = "fn f() {\r\n\tˇ\r\n}\r\n";
    check("rust", file, "if a {\n        b();\n    }", "if a {\r\n\t\tb();\r\n\t}");
}

#[test]
fn inside_a_comment_only_the_comment_goes_on() {
    check("rust", "/// Adds ˇ\nfn f() {}\n", "one to the sum.\nfn g() {}", "one to the sum.");
    check("python", "# Adds ˇ\nx = 1\n", "one (and\nmore", "one (and");
}

#[test]
fn a_cursor_that_is_nowhere_gets_nothing() {
    let place = Place { text: "é", tree: None, offset: 1 };
    assert_eq!(clean("x", place, true, Passes::default()), Cleaned::default());
}

#[test]
fn generation_stops_when_the_answer_has_gone_beyond_its_end() {
    let finished = |language: &str, file: &str, raw: &str| {
        let (text, tree, offset) = at(language, file);
        let place = Place { text: &text, tree: tree.as_ref(), offset };
        Written::new(&Surroundings::of(place, true).unwrap(), Passes::default()).is_finished(raw)
    };
    let body = "fn f() {\n    ˇ\n}\n";
    assert!(!finished("rust", body, "a();\n    b"));
    assert!(finished("rust", body, "a();\n}"));
    assert!(!finished("rust", "fn f() {\n    let x = ˇ;\n}\n", "vec![\n"));
    assert!(finished("rust", "fn f() {\n    let x = ˇ;\n}\n", "vec![\n]\n"));
    assert!(finished("python", "def f():\n    ˇ\n", "return 1\n\nx"));
    assert!(!finished("python", "def f():\n    ˇ\n", "if a:\n"));
    assert!(!finished("python", "def f():\n    ˇ\n", "    x = 1\n"));
    assert!(finished("python", "def f():\n    ˇ\n", "    x = 1\nx"));
    assert!(finished("python", "def f():\n    ˇ\n", "x = compute()\n    x = compute()\n    y"));
    assert!(finished("python", "x = ˇ\n", "1\n"));
    assert!(!finished("python", "x = ˇ\n", "1"));
}

/// Places of many kinds, healthy and broken.
const PLACES: [(&str, &str); 14] = [
    ("rust", "fn f(items: &[u64]) -> u64 {\n    let total = 1;\n    ˇ\n}\n\nfn g() { h(1); }\n"),
    ("rust", "fn f() {\n    let x = ˇ\n}\n"),
    ("rust", "fn f() {\n    let x = ˇ\n    compute(x);\n}\n"),
    ("rust", "fn f() { g(ˇ, other); }\n"),
    ("rust", "struct S {\n    ˇ\n}\nimpl S {\n    fn a(&self) {}\n}\n"),
    ("rust", "fn f() {\r\n\tif a {\r\n\t\tˇ\r\n\t}\r\n}\r\n"),
    ("rust", "fn f( { ˇ }}\n"),
    ("rust", "fn f() { let s = \"aˇ\"; }\n"),
    ("python", "def f(items):\n    total = 1\n    ˇ\n    return compute(total)\n"),
    (
        "python",
        "class A:\n    def f(self):\n        self.x = ˇ\n\n    def g(self):\n        pass\n",
    ),
    ("python", "print(ˇ)\n"),
    ("python", "if x:\n    a()\nelˇ\n"),
    ("none", "server {\n    listen ˇ;\n}\n"),
    ("python", "ˇ"),
];

fn soup() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "x",
        "total",
        "compute",
        "self.",
        "return ",
        "let ",
        "fn g",
        "def g",
        "class A",
        "if x",
        "else",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ";",
        ",",
        ", other",
        " = ",
        " + ",
        "\n",
        "\n    ",
        "\n        ",
        "\n\t",
        "\n\n",
        "\r\n",
        " ",
        "\"",
        "'",
        "\"a\"",
        "'a'",
        "1",
        "// c",
        "# c",
        "pass",
        "é😀",
        "<|fim_pad|>",
        "\u{1b}",
        "return compute(total)",
        "compute(x);",
        ");",
        "->",
        "total = 1",
        "let total = 1;",
        "```",
    ]);
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

#[test]
fn a_sound_answer_of_several_lines_is_left_alone_where_lines_end_with_a_return() {
    let (language, file) = PLACES[5];
    let (text, tree, offset) = at(language, file);
    let place = Place { text: &text, tree: tree.as_ref(), offset };
    let once = clean("self.\nx]", place, true, Passes::default());
    assert!(once.text.contains("\r\n"), "{once:?}");
    assert_eq!(clean(&once.text, place, true, Passes::default()).applied, []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_model_says_the_file_stays_sound(which in 0..PLACES.len(), raw in soup(), multi_line in any::<bool>()) {
        let (language, file) = PLACES[which];
        let (text, tree, offset) = at(language, file);
        let place = Place { text: &text, tree: tree.as_ref(), offset };
        let once = clean(&raw, place, multi_line, Passes::default());

        // The same again.
        let twice = clean(&once.text, place, multi_line, Passes::default());
        prop_assert_eq!(&twice.text, &once.text);
        prop_assert!(twice.applied.is_empty());
        // No fault more.
        if let Some(tree) = &tree {
            let new = [&text[..offset], &once.text, &text[offset..]].concat();
            let after = health(&SyntaxTree::parse(tree.language(), &new));
            prop_assert!(after.faults() <= health(tree).faults(), "{:?}", once.text);
        }
        // Nothing that stands behind it already, no controls, the file's own line ends.
        let around = Surroundings::of(place, multi_line).unwrap();
        let last = once.text.rsplit('\n').next().unwrap_or_default().trim();
        for below in around.lines_below().take(1).filter(|line| line.len() >= 8 && around.ends_line()) {
            let alone = once.text.contains('\n') || around.starts_line();
            prop_assert!(!(alone && last == below.trim() && around.indent_of(below) == 4), "{:?}", once.text);
        }
        let rest = around.line_after.trim();
        prop_assert!(rest.len() < 7 || !once.text.trim_end().ends_with(rest), "{:?}", once.text);
        prop_assert!(!once.text.contains(|c: char| c.is_control() && !"\n\r\t".contains(c)));
        prop_assert_eq!(once.text.matches('\n').count(), once.text.matches(around.newline).count());
    }

    #[test]
    fn no_answer_and_no_place_panics(text in "\\PC{0,30}", raw in "\\PC{0,30}", offset in 0usize..40) {
        let _ = clean(&raw, Place { text: &text, tree: None, offset }, true, Passes::default());
    }

    #[test]
    fn what_is_finished_does_not_change_any_more(which in 0..PLACES.len(), raw in soup(), more in soup()) {
        let (language, file) = PLACES[which];
        let (text, tree, offset) = at(language, file);
        let place = Place { text: &text, tree: tree.as_ref(), offset };
        let around = Surroundings::of(place, true).unwrap();
        let finished = |raw: &str| Written::new(&around, Passes::default()).is_finished(raw);
        if finished(&raw) {
            prop_assert!(finished(&format!("{raw}{more}")), "{raw:?} + {more:?}");
        }
    }
}

/// Every telling line of a language's sample is taken out and offered again.
#[test]
fn the_lines_that_stood_in_a_file_come_back() {
    let samples = [
        ("typescript", include_str!("../../../grammars/typescript/sample.ts")),
        ("tsx", include_str!("../../../grammars/typescript/sample.tsx")),
        ("javascript", include_str!("../../../grammars/javascript/sample.js")),
        ("go", include_str!("../../../grammars/go/sample.go")),
        ("java", include_str!("../../../grammars/java/sample.java")),
        ("c", include_str!("../../../grammars/c/sample.c")),
        ("cpp", include_str!("../../../grammars/cpp/sample.cpp")),
    ];
    for (name, text) in samples {
        let Some(language) = Language::named(name) else { continue };
        let (mut offered, mut lost) = (0, Vec::new());
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let code = line.trim_end();
            let indent = code.len() - code.trim_start().len();
            let (from, to) = (start + indent, start + code.len());
            start += line.len();
            // What closes a block as well is left to the passes.
            let closes = code.trim_start().starts_with(['}', ')', ']']);
            if closes || code.chars().filter(|c| c.is_alphanumeric()).count() < 6 {
                continue;
            }
            let without = [&text[..from], &text[to..]].concat();
            let tree = SyntaxTree::parse(language, &without);
            let place = Place { text: &without, tree: Some(&tree), offset: from };
            offered += 1;
            if clean(&text[from..to], place, true, Passes::default()).text != text[from..to] {
                lost.push(code);
            }
        }
        assert!(offered > 15 && lost.len() * 12 <= offered, "{name}: {offered}, {lost:#?}");
    }
}
