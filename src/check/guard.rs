//! Guarded scope: nothing outside the target changed, nothing public lost, no `todo!` added.
//!
//! A change can satisfy a compiler by taking away what it complains about. These rules refuse the
//! usual ways; they look at two texts and need nothing else.

use crate::syntax::health::health;
use crate::syntax::outline::{Item, items};
use crate::syntax::{Language, SyntaxTree};
use crate::text::Span;
use crate::text::word::is_word;

/// What a change did that no repair may do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The file parses worse than before.
    #[error("adds a syntax error")]
    Syntax,
    /// Something outside the target changed.
    #[error("changes text outside the target")]
    Outside,
    /// A public item is gone or no longer public.
    #[error("takes away the public item {name}")]
    LostItem {
        /// Its name, after its owner's.
        name: String,
    },
    /// An item of a Python module came into another item or block.
    #[error("moves {name} into another block")]
    Nested {
        /// Its name.
        name: String,
    },
    /// A test is gone or no longer a test.
    #[error("takes away the test {name}")]
    LostTest {
        /// Its name.
        name: String,
    },
    /// An item lost its documentation.
    #[error("takes away the documentation of {name}")]
    LostDoc {
        /// The item's name.
        name: String,
    },
    /// An item lost an attribute or decorator.
    #[error("takes away {attribute} from {name}")]
    LostAttribute {
        /// The item's name.
        name: String,
        /// The attribute as written.
        attribute: String,
    },
    /// Something that hides a problem was added.
    #[error("adds {what}")]
    Added {
        /// What.
        what: &'static str,
    },
}

/// What hides problems in Rust: a spelling and its name.
const RUST: &[(&str, &str)] = &[
    ("todo!", "`todo!`"),
    ("unimplemented!", "`unimplemented!`"),
    ("unsafe", "`unsafe`"),
    ("#[allow(", "an `allow` attribute"),
    ("#![allow(", "an `allow` attribute"),
    ("#[ignore", "an ignored test"),
    ("cfg(any())", "code that is never compiled"),
    ("process::exit", "`process::exit`"),
];

/// What hides problems in Python.
const PYTHON: &[(&str, &str)] = &[
    ("# noqa", "`# noqa`"),
    ("type: ignore", "`# type: ignore`"),
    ("pyright: ignore", "`# pyright: ignore`"),
    ("mark.skip", "a skipped test"),
    ("mark.xfail", "an expected failure"),
    ("unittest.skip", "a skipped test"),
    ("pytest.skip", "a skipped test"),
    ("except:", "a bare `except`"),
    ("contextlib.suppress", "a suppressed exception"),
    ("NotImplementedError", "`NotImplementedError`"),
    ("sys.exit", "`sys.exit`"),
    ("os._exit", "`os._exit`"),
];

/// What the change of a file from `base` to `new` must not have done. `target`: the only part of
/// `base` that may change, if there is such a limit.
pub fn violations(
    language: Option<Language>,
    base: &str,
    new: &str,
    target: Option<Span>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    if target.is_some_and(|target| changes_outside(base, new, target)) {
        violations.push(Violation::Outside);
    }
    let Some(language) = language else { return violations };
    let (old_tree, new_tree) =
        (SyntaxTree::parse(language, base), SyntaxTree::parse(language, new));
    // In a file that is broken already the number of faults says nothing: one may hide others.
    let was_sound = health(&old_tree).faults() == 0;
    if was_sound && health(&new_tree).faults() > 0 {
        violations.push(Violation::Syntax);
    }
    // There, too, what kind an item is and whose may be misread.
    let alike = |one: &Item, other: &Item| {
        one.name == other.name
            && (!was_sound || (one.kind, &one.owner) == (other.kind, &other.owner))
    };
    let (old_items, new_items) = (items(&old_tree, base), items(&new_tree, new));
    lost(&old_items, base, &new_items, new, alike, &mut violations);
    added(language, base, new, &mut violations);
    if language.name() == "python" {
        let kept: Vec<&str> = module_items(new).collect();
        let nested = |name: &&str| !kept.contains(name) && defined(new).any(|other| other == *name);
        let nested = module_items(base).filter(nested);
        violations.extend(nested.map(|name| Violation::Nested { name: name.to_owned() }));
    }
    violations
}

fn changes_outside(base: &str, new: &str, target: Span) -> bool {
    let (Some(before), Some(after)) = (base.get(..target.start), base.get(target.end..)) else {
        return true;
    };
    new.len() < before.len() + after.len() || !new.starts_with(before) || !new.ends_with(after)
}

/// Items of the old text without their like in the new one.
fn lost(
    old: &[Item],
    old_text: &str,
    new: &[Item],
    new_text: &str,
    alike: impl Fn(&Item, &Item) -> bool,
    out: &mut Vec<Violation>,
) {
    for item in old {
        let name = full_name(item);
        let like: Vec<&Item> = new.iter().filter(|other| alike(item, other)).collect();
        if item.test && !like.iter().any(|other| other.test) {
            out.push(Violation::LostTest { name });
            continue;
        }
        if item.public && !like.iter().any(|other| other.public) {
            out.push(Violation::LostItem { name });
            continue;
        }
        if like.is_empty() {
            continue;
        }
        if item.doc.is_some() && like.iter().all(|other| other.doc.is_none()) {
            out.push(Violation::LostDoc { name: name.clone() });
        }
        let kept: Vec<&str> = like.iter().flat_map(|other| attributes(other, new_text)).collect();
        for attribute in attributes(item, old_text) {
            if !kept.iter().any(|other| includes(other, attribute)) {
                let attribute = attribute.to_owned();
                out.push(Violation::LostAttribute { name: name.clone(), attribute });
            }
        }
    }
}

fn full_name(item: &Item) -> String {
    match &item.owner {
        Some(owner) => format!("{owner}::{}", item.name),
        None => item.name.clone(),
    }
}

/// The attribute or decorator lines before an item's signature.
fn attributes<'t>(item: &Item, text: &'t str) -> Vec<&'t str> {
    let before = text.get(item.span.start..item.signature.start).unwrap_or_default();
    before
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("#[") || line.starts_with('@'))
        .collect()
}

/// Whether attribute `new` does all that `old` does: equal, or a `derive` of more.
fn includes(new: &str, old: &str) -> bool {
    fn derived(attribute: &str) -> Option<Vec<&str>> {
        let list = attribute.strip_prefix("#[derive(")?.split(')').next()?;
        Some(list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect())
    }
    match (derived(new), derived(old)) {
        (Some(new), Some(old)) => old.iter().all(|name| new.contains(name)),
        _ => new == old,
    }
}

/// Spellings that occur more often than before.
fn added(language: Language, base: &str, new: &str, out: &mut Vec<Violation>) {
    let spellings = match language.name() {
        "rust" => RUST,
        "python" => PYTHON,
        _ => &[],
    };
    for (spelling, what) in spellings {
        if occurrences(new, spelling) > occurrences(base, spelling) {
            out.push(Violation::Added { what });
        }
    }
    if language.name() == "python" {
        let idle = |text: &str, word: &str| {
            text.lines()
                .filter(|line| {
                    line.trim() == word || line.trim_end().ends_with(&format!(": {word}"))
                })
                .count()
        };
        for (word, what) in [("pass", "a bare `pass`"), ("...", "an empty body")] {
            let filled = if word == "pass" { filled_blocks(base, new) } else { 0 };
            if idle(new, word) > idle(base, word) + filled {
                out.push(Violation::Added { what });
            }
        }
    }
}

/// The names of what Python text defines at the left margin, told by its lines: what a broken file's
/// tree says of nesting is a guess.
fn module_items(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(defined_name)
}

/// The names of what Python text defines anywhere.
fn defined(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim_start).filter_map(defined_name)
}

fn defined_name(line: &str) -> Option<&str> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    let rest = line.strip_prefix("def ").or_else(|| line.strip_prefix("class "))?.trim_start();
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())
}

/// How many lines `pass` of `new` are the whole block of a header that has none in `base`.
fn filled_blocks(base: &str, new: &str) -> usize {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let lines = |text| {
        let filled = |line: &&str| !line.trim().is_empty();
        str::lines(text).filter(filled).collect::<Vec<&str>>()
    };
    let (base, new) = (lines(base), lines(new));
    let is_empty = |header: &str| {
        header.trim_end().ends_with(':')
            && base.iter().enumerate().any(|(at, line)| {
                *line == header && base.get(at + 1).is_none_or(|next| depth(next) <= depth(line))
            })
    };
    new.iter()
        .zip(new.iter().skip(1))
        .filter(|(header, body)| body.trim() == "pass" && is_empty(header))
        .count()
}

/// How often `spelling` occurs as a word of its own.
fn occurrences(text: &str, spelling: &str) -> usize {
    text.match_indices(spelling)
        .filter(|(at, found)| {
            let before = text.get(..*at).and_then(|before| before.chars().next_back());
            let after = text.get(at + found.len()..).and_then(|after| after.chars().next());
            let starts = !found.starts_with(is_word) || !before.is_some_and(is_word);
            let ends = !found.ends_with(is_word) || !after.is_some_and(is_word);
            starts && ends
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(language: &str, base: &str, new: &str) -> Vec<String> {
        let language = Language::named(language);
        violations(language, base, new, None).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_honest_repair_passes() {
        let base = "#[derive(Debug)]\npub struct A;\n\n/// Doc.\n#[must_use]\npub fn f() -> u8 {\n    \
                    let x = 1;\n    x\n}\n";
        let new = base
            .replace("derive(Debug)", "derive(Debug, Clone)")
            .replace("let x", "let mut x")
            .replace("#[derive", "use std::fmt;\n\n#[derive");
        assert_eq!(told("rust", base, &new), Vec::<String>::new());
    }

    #[test]
    fn rust_repairs_may_not_take_away() {
        let base = "/// Doc.\n#[must_use]\npub fn f() -> u8 {\n    1\n}\n\n#[test]\nfn t() {}\n";
        assert_eq!(
            told("rust", base, ""),
            ["takes away the public item f", "takes away the test t"]
        );
        assert_eq!(told("rust", base, &base.replace("pub ", "")), ["takes away the public item f"]);
        assert_eq!(told("rust", base, &base.replace("#[test]\n", "")), ["takes away the test t"]);
        assert_eq!(
            told("rust", base, &base.replace("/// Doc.\n", "")),
            ["takes away the documentation of f"]
        );
        assert_eq!(
            told("rust", base, &base.replace("#[must_use]\n", "")),
            ["takes away #[must_use] from f"]
        );
    }

    #[test]
    fn rust_repairs_may_not_hide() {
        let base = "fn f() -> u8 {\n    1\n}\n";
        let body = |new: &str| told("rust", base, &base.replace('1', new));
        assert_eq!(body("todo!()"), ["adds `todo!`"]);
        assert_eq!(body("unsafe { 1 }"), ["adds `unsafe`"]);
        assert_eq!(body("let not_unsafe = 1; not_unsafe"), Vec::<String>::new());
        assert_eq!(body("1 +"), ["adds a syntax error"]);
        assert_eq!(
            told("rust", base, &format!("#![allow(warnings)]\n{base}")),
            ["adds an `allow` attribute"]
        );
    }

    #[test]
    fn python_repairs_may_not_hide() {
        let base = "def f(x):\n    return g(x)\n";
        let body = |new: &str| told("python", base, &base.replace("return g(x)", new));
        assert_eq!(body("return g(x)  # type: ignore"), ["adds `# type: ignore`"]);
        assert_eq!(body("pass"), ["adds a bare `pass`"]);
        assert_eq!(
            body("try:\n        return g(x)\n    except:\n        return 0"),
            ["adds a bare `except`"]
        );
        assert_eq!(body("return g(x, y)"), Vec::<String>::new());
    }

    #[test]
    fn an_empty_block_is_filled_and_takes_nothing_in() {
        let base = "def f(x):\n\n\ndef g():\n    return 1\n";
        let filled = base.replace("x):\n", "x):\n    pass\n");
        assert_eq!(told("python", base, &filled), Vec::<String>::new());
        let nested = "def f(x):\n\n\n    def g():\n        return 1\n";
        assert_eq!(told("python", base, nested), ["moves g into another block"]);
        let emptied = base.replace("return 1", "pass");
        assert_eq!(told("python", base, &emptied), ["adds a bare `pass`"]);
    }

    #[test]
    fn nothing_outside_the_target_changes() {
        let base = "fn a() {}\nfn b() {}\n";
        let target = Some(Span::new(0, 9));
        let rust = Language::named("rust");
        assert_eq!(violations(rust, base, "fn a() { 1; }\nfn b() {}\n", target), []);
        assert_eq!(
            violations(rust, base, "fn a() {}\nfn b() { 1; }\n", target),
            [Violation::Outside]
        );
    }
}
