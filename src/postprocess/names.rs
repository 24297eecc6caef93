//! The names a candidate uses that nothing defines.

use std::collections::HashSet;

use super::Place;
use super::work::Work;
use crate::syntax::names::{Role, names};
use crate::text::{Span, word};

/// How many names of a candidate nothing defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unknown {
    /// Different names.
    pub names: usize,
    /// Those of them that are called, members included.
    pub called: usize,
}

/// The names that `candidate`, put at `place`, uses and neither itself, the file, the language's
/// builtins nor `known` has. None where the language is not known, or the file takes too long to parse.
pub fn unknown(candidate: &str, place: Place<'_>, known: &dyn Fn(&str) -> bool) -> Unknown {
    let (Some((before, after)), Some((text, tree))) = (
        place.text.split_at_checked(place.offset),
        Work::for_file(place.text.len()).insert(candidate, place),
    ) else {
        return Unknown::default();
    };
    let own = Span::new(place.offset, place.offset + candidate.len());
    // A word that the candidate only goes on with counts as its own.
    let found = names(&tree, own);
    let found = || {
        let inside = |span: Span| span.overlaps(own);
        found
            .iter()
            .filter(move |(span, _)| inside(*span))
            .filter_map(|(span, role)| Some((text.get(span.start..span.end)?, *role)))
    };
    let defined: HashSet<&str> =
        found().filter(|(_, role)| *role == Role::Defined).map(|(name, _)| name).collect();
    let builtins = tree.language().spec().builtins;
    let mut asked: HashSet<&str> = HashSet::new();
    let mut unknown = Unknown::default();
    for (name, role) in found() {
        let is_known = || {
            role == Role::Defined
                || defined.contains(name)
                || builtins.contains(&name)
                || tree.language().spec().receivers.contains(&name)
                || word::occurrences(before, name).next().is_some()
                || word::occurrences(after, name).next().is_some()
                || known(name)
        };
        if asked.insert(name) && !is_known() {
            unknown.names += 1;
            unknown.called += usize::from(matches!(role, Role::Called | Role::CalledMember));
        }
    }
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{Language, SyntaxTree};

    fn check(language: &str, file: &str, candidate: &str, names: usize, called: usize) {
        let offset = file.find('ˇ').unwrap();
        let text = file.replacen('ˇ', "", 1);
        let tree = SyntaxTree::parse(Language::named(language).unwrap(), &text);
        let place = Place { text: &text, tree: Some(&tree), offset };
        let found = unknown(candidate, place, &|name| name == "indexed");
        assert_eq!(found, Unknown { names, called }, "{candidate:?} at {file:?}");
    }

    #[test]
    fn names_of_the_file_the_index_the_language_and_its_own_are_known() {
        let rust = "struct Cart { items: Vec<u8> }\nfn f(a: Cart) {\n    ˇ\n}\n";
        check("rust", rust, "let b = a.items.len();", 0, 0);
        check("rust", rust, "let b: Option<Cart> = indexed(a); println!(\"{}\", b);", 0, 0);
        check("rust", rust, "let b = |c| c + 1; b(1);", 0, 0);
        check("rust", rust, "made_up(&a); other_one;", 2, 1);
        check("rust", rust, "let b = a.items.made_up();", 1, 1);
        let python = "def f(a):\n    ˇ\n";
        check("python", python, "for b in range(len(a)): print(b, indexed=1)", 0, 0);
        check("python", python, "b = a.made_up(other)", 2, 1);
        check("python", python, "from x import y\n    y(self)", 0, 0);
    }

    #[test]
    fn a_word_that_goes_on_with_what_was_typed_is_one_name() {
        check("python", "items = []\nitemsˇ\n", "_more(1)", 1, 1);
        check("python", "items = []\nitˇ\n", "ems(1)", 0, 0);
    }

    #[test]
    fn where_the_language_is_not_known_nothing_is() {
        let place = Place { text: "", tree: None, offset: 0 };
        assert_eq!(unknown("a(b)", place, &|_| false), Unknown::default());
    }
}
