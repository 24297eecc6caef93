//! What a grammar takes though the language refuses it, from `grammars/<lang>/strict.scm`.

use super::{
    SyntaxTree,
    query::{matches, span},
};
use crate::text::Span;

/// What the query may capture.
#[cfg(test)]
pub(super) const CAPTURES: &[&str] = &["accepted", "refused"];

/// A node that the parser takes and the language refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The rule it offends: the number of its pattern in the query.
    pub rule: usize,
    /// Where it is.
    pub span: Span,
}

/// The nodes the language refuses, of those that overlap `within` or of the whole `text`.
pub fn refused(tree: &SyntaxTree, text: &str, within: Option<Span>) -> Vec<Refused> {
    let query = &tree.language().spec().queries.strict;
    let mut accepted = Vec::new();
    let mut refused = Vec::new();
    for found in matches(tree, text, query, within) {
        accepted.extend(found.node("accepted").map(span));
        let node = found.node("refused").map(span);
        refused.extend(node.map(|span| Refused { rule: found.pattern, span }));
    }
    let overlaps = |span: Span| within.is_none_or(|within| span.overlaps(within));
    refused.retain(|one| overlaps(one.span) && !accepted.contains(&one.span));
    refused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Language;

    fn check(language: &str, text: &str, expected: &[&str]) {
        let tree = SyntaxTree::parse(Language::named(language).unwrap(), text);
        let found = refused(&tree, text, None);
        let found: Vec<&str> = found.iter().filter_map(|one| one.span.of(text)).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn a_rust_file_holds_items_only() {
        check("rust", "self.0 = self.0;\n", &["self.0 = self.0;"]);
        check("rust", "let x = 1;\nfn f() {}\n", &["let x = 1;"]);
        check("rust", "use a::b;\nfoo! {}\nbar!();\nmacro_rules! m { () => {} }\nfn f() {}\n", &[]);
        check("rust", "impl A {\n    use b::c;\n    fn f() {}\n}\n", &["use b::c;"]);
        check("rust", "mod m {\n    use b::c;\n    let x = 1;\n}\n", &["let x = 1;"]);
    }

    #[test]
    fn a_rust_function_has_a_body_outside_traits() {
        check("rust", "trait T {\n    fn f();\n}\nextern \"C\" {\n    fn g();\n}\n", &[]);
        check("rust", "fn f();\nimpl A {\n    fn g();\n}\n", &["fn f();", "fn g();"]);
    }

    #[test]
    fn attributes_and_doc_comments_belong_to_something() {
        check("rust", "/// A.\n#[a]\nfn f() {\n    #[b]\n    let x = 1;\n}\n// end\n", &[]);
        check("rust", "fn f() {\n    x();\n    #[test]\n}\n", &["#[test]"]);
        check("rust", "#![allow(x)]\n//! A.\nstruct S {\n    a: u8,\n    // b\n}\n", &[]);
        check("rust", "fn f() {}\n/// A.\n", &["/// A.\n"]);
        check("rust", "struct S {\n    a: u8,\n    /// A.\n}\n", &["/// A.\n"]);
    }

    #[test]
    fn python_2_and_a_return_outside_functions_are_refused() {
        check("python", "print x\n", &["print x"]);
        check("python", "def f():\n    return 1\n\nprint(f())\n", &[]);
        check("python", "return 1\n", &["return 1"]);
    }

    #[test]
    fn what_lies_elsewhere_is_left_out() {
        let text = "let x = 1;\nlet y = 1;\n";
        let tree = SyntaxTree::parse(Language::named("rust").unwrap(), text);
        let found = refused(&tree, text, Some(Span::new(12, 14)));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].span.of(text), Some("let y = 1;"));
    }
}
