//! What is read from a sample file of each language, `grammars/*/sample.*`.

#[cfg(feature = "c")]
mod c;
#[cfg(feature = "cpp")]
mod cpp;
#[cfg(feature = "go")]
mod go;
#[cfg(feature = "java")]
mod java;
#[cfg(feature = "javascript")]
mod javascript;
#[cfg(feature = "typescript")]
mod tsx;
#[cfg(feature = "typescript")]
mod typescript;

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{Language, SyntaxTree, facts, health, identifiers, imports, outline, scope, strict};
use crate::text::Span;

/// The sample of each language.
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("typescript", include_str!("../../grammars/typescript/sample.ts")),
    ("tsx", include_str!("../../grammars/typescript/sample.tsx")),
    ("javascript", include_str!("../../grammars/javascript/sample.js")),
    ("go", include_str!("../../grammars/go/sample.go")),
    ("java", include_str!("../../grammars/java/sample.java")),
    ("c", include_str!("../../grammars/c/sample.c")),
    ("cpp", include_str!("../../grammars/cpp/sample.cpp")),
];

/// The items, imports and facts of the sample of `name`, which is sound code.
fn told(name: &str) -> String {
    let (language, text) = sample(name).unwrap();
    let tree = SyntaxTree::parse(language, text);
    assert_eq!(health::health(&tree), health::Health::default());
    assert_eq!(strict::refused(&tree, text, None), []);
    let mut out = String::new();
    if let Some(doc) = outline::file_doc(&tree, text) {
        _ = writeln!(out, "file {:?}", doc.of(text).unwrap());
    }
    for item in outline::items(&tree, text) {
        let owner = item.owner.map(|owner| format!("{owner}.")).unwrap_or_default();
        let public = if item.public { " pub" } else { "" };
        let test = if item.test { " test" } else { "" };
        _ = writeln!(out, "{:?} {owner}{}{public}{test}", item.kind, item.name);
        _ = writeln!(out, "  signature {:?}", item.signature.of(text).unwrap());
        if let Some(doc) = item.doc {
            _ = writeln!(out, "  doc {:?}", doc.of(text).unwrap());
        }
        if item.kind.is_function() && item.body.is_some() {
            for fact in facts::facts(&tree, text, item.span) {
                _ = writeln!(out, "  {:?} | {} | {}", fact.kind, fact.name, fact.detail);
            }
        }
    }
    for import in imports::imports(&tree, text) {
        let alias = import.alias.map(|alias| format!(" as {alias}")).unwrap_or_default();
        _ = writeln!(out, "import {} | {}{alias}", import.path.join(" "), import.name);
    }
    out
}

/// A language's sample, where it is compiled in.
fn sample(name: &str) -> Option<(Language, &'static str)> {
    let (_, text) = SAMPLES.iter().find(|(of, _)| *of == name)?;
    Some((Language::named(name)?, text))
}

/// Where a completion may be asked for in `text`, at the `ˇ`.
#[cfg(feature = "default")]
fn extent(name: &str, fixture: &str) -> scope::Extent {
    let text = fixture.replacen('ˇ', "", 1);
    let tree = SyntaxTree::parse(Language::named(name).unwrap(), &text);
    scope::extent(&tree, &text, fixture.find('ˇ').unwrap())
}

#[cfg(feature = "default")]
#[test]
fn extents_follow_blocks_lists_and_literals() {
    use scope::Extent::{Block, Line, Literal};
    for (name, fixture, expected) in [
        ("typescript", "class A {\n  ˇ\n}\n", Block),
        ("typescript", "function f(): void {\n  ˇ\n}\n", Block),
        ("typescript", "interface A {\n  ˇ\n}\n", Block),
        ("typescript", "f(\n  ˇ\n);\n", Line),
        ("typescript", "const a = {\n  ˇ\n};\n", Line),
        ("typescript", "const a = `x ˇ`;\n", Literal),
        ("typescript", "const a = `x ${ˇ}`;\n", Line),
        ("typescript", "// x ˇ\nf();\n", Literal),
        ("typescript", "/** x ˇ */\nf();\n", Literal),
        ("tsx", "const a = (\n  <p>\n    ˇ\n  </p>\n);\n", Block),
        ("javascript", "switch (a) {\n  case 1:\n    ˇ\n}\n", Block),
        ("go", "func f() {\n\tˇ\n}\n", Block),
        ("go", "type A struct {\n\tˇ\n}\n", Block),
        ("go", "var a = []int{\n\tˇ\n}\n", Line),
        ("go", "var a = \"ˇ\"\n", Literal),
        ("java", "class A {\n    void f() {\n        ˇ\n    }\n}\n", Block),
        ("java", "class A {\n    ˇ\n}\n", Block),
        ("java", "class A {\n    int a = f(ˇ);\n}\n", Line),
        ("java", "class A {\n    // ˇ\n}\n", Literal),
        ("c", "int f(void) {\n    ˇ\n}\n", Block),
        ("c", "int a[] = {\n    ˇ\n};\n", Line),
        ("c", "struct a {\n    ˇ\n};\n", Block),
        ("c", "#include <ˇ>\n", Literal),
        ("cpp", "namespace a {\nˇ\n}\n", Block),
        ("cpp", "class A {\npublic:\n    ˇ\n};\n", Block),
        ("cpp", "auto a = R\"(ˇ)\";\n", Literal),
    ] {
        assert_eq!(extent(name, fixture), expected, "{name}: {fixture}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_cut_makes_a_query_panic(
        which in 0..SAMPLES.len(),
        end in any::<prop::sample::Index>(),
        hole in any::<prop::sample::Index>(),
        length in 0..40_usize,
    ) {
        let (name, _) = SAMPLES[which];
        let Some((language, text)) = sample(name) else { return Ok(()) };
        let mut text = text[..text.floor_char_boundary(end.index(text.len() + 1))].to_owned();
        let start = text.floor_char_boundary(hole.index(text.len() + 1));
        let stop = text.floor_char_boundary((start + length).min(text.len())).max(start);
        text.replace_range(start..stop, "");
        let tree = SyntaxTree::parse(language, &text);
        let all = Span::new(0, text.len());
        for item in outline::items(&tree, &text) {
            prop_assert!(item.span.covers(item.signature), "{:?}", item);
            prop_assert_eq!(item.name_span.of(&text), Some(item.name.as_str()));
            let inner = [item.body, item.doc].into_iter().flatten();
            prop_assert!(inner.into_iter().all(|part| part.of(&text).is_some()));
            facts::facts(&tree, &text, item.span);
        }
        _ = outline::file_doc(&tree, &text);
        _ = imports::imports(&tree, &text);
        _ = facts::facts(&tree, &text, all);
        _ = scope::extent(&tree, &text, start);
        _ = scope::literals(&tree, &text, all);
        _ = scope::statements(&tree, &text, all);
        _ = strict::refused(&tree, &text, None);
        identifiers::identifiers(&tree, |span| assert!(span.of(&text).is_some()));
    }
}
