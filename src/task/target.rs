//! Which item a task is about.

use super::{TaskError, place};
use crate::document::Document;
use crate::syntax::outline::{Item, ItemKind};
use crate::syntax::scope;

/// The most items an error lists.
const MAX_LISTED: usize = 12;

/// How a place is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The innermost item at an offset.
    At(usize),
    /// An item by name: `total`, `Cart::total`, `Cart.total`.
    Named(String),
    /// The whole file.
    File,
}

/// The item that `target` names; `None` for the whole file. Not found, or several of that name: an
/// error that lists what is there, with lines.
pub fn resolve(document: &Document, target: &Target) -> Result<Option<Item>, TaskError> {
    if *target == Target::File {
        return Ok(None);
    }
    if document.tree.is_none() {
        return Err(TaskError::Target(format!(
            "{}: no grammar for this kind of file is compiled in, so its functions are not known; name the whole file",
            document.path.display()
        )));
    }
    let items = document.items();
    match target {
        Target::File => Ok(None),
        Target::At(offset) => match scope::enclosing_item(items, *offset) {
            Some(item) => Ok(Some(item.clone())),
            None => Err(nothing_at(document, items, *offset)),
        },
        Target::Named(name) => named(document, items, name).map(Some),
    }
}

/// An item's name with its owner's: `Cart::total` in Rust, `Cart.total` in Python.
pub fn full_name(document: &Document, item: &Item) -> String {
    match &item.owner {
        Some(owner) => {
            let separator = document.language().map_or("::", |l| l.spec().member_separator);
            format!("{owner}{separator}{}", item.name)
        }
        None => item.name.clone(),
    }
}

/// The one-based line of an offset.
pub fn line(document: &Document, offset: usize) -> u32 {
    document.lines.line_of(offset) as u32 + 1
}

fn named(document: &Document, items: &[Item], name: &str) -> Result<Item, TaskError> {
    let wanted = name.trim().trim_end_matches("()");
    let parts: Vec<&str> = wanted.split([':', '.']).filter(|part| !part.is_empty()).collect();
    let last = parts.last().copied().unwrap_or_default();
    let owner = parts.len().checked_sub(2).and_then(|at| parts.get(at)).copied();
    let mut found: Vec<&Item> = items
        .iter()
        .filter(|item| item.name == last && (owner.is_none() || item.owner.as_deref() == owner))
        .collect();
    // A type and its implementations share a name; the type is meant.
    if found.iter().any(|item| item.kind != ItemKind::Implementation) {
        found.retain(|item| item.kind != ItemKind::Implementation);
    }
    // A declaration or an overload and what it declares share a name; what has a body is meant.
    let of_one_owner = found.windows(2).all(|pair| pair[0].owner == pair[1].owner);
    if of_one_owner && found.iter().filter(|item| item.body.is_some()).count() == 1 {
        found.retain(|item| item.body.is_some());
    }
    match found.as_slice() {
        [item] => Ok((*item).clone()),
        [] => Err(TaskError::Target(format!(
            "{}: there is no {wanted}; {}",
            document.path.display(),
            listed(document, &items.iter().collect::<Vec<_>>())
        ))),
        several => Err(TaskError::Target(format!(
            "{}: {wanted} names {} items, say which one or give its line; {}",
            document.path.display(),
            several.len(),
            listed(document, several)
        ))),
    }
}

fn nothing_at(document: &Document, items: &[Item], offset: usize) -> TaskError {
    let items: Vec<&Item> = items.iter().collect();
    TaskError::Target(format!(
        "{}:{}: no function, type or other item is here; {}",
        document.path.display(),
        line(document, offset),
        listed(document, &items)
    ))
}

fn listed(document: &Document, items: &[&Item]) -> String {
    if items.is_empty() {
        return "the file has no items".to_owned();
    }
    let shown: Vec<String> = items
        .iter()
        .take(MAX_LISTED)
        .map(|item| {
            let line = line(document, item.name_span.start);
            format!("{} {} (line {line})", place::describe(item.kind), full_name(document, item))
        })
        .collect();
    let more = items.len().saturating_sub(MAX_LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("the file has {}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn check(path: &str, fixture: &str, target: Option<Target>) -> Result<String, String> {
        let file = fixture::parse(fixture).remove(0);
        let target = target.unwrap_or_else(|| Target::At(file.cursors[0]));
        let document = Document::new(path.into(), None, 0, file.text);
        match resolve(&document, &target) {
            Ok(Some(item)) => Ok(format!("{:?} {}", item.kind, full_name(&document, &item))),
            Ok(None) => Ok("file".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn named(name: &str) -> Target {
        Target::Named(name.to_owned())
    }

    const CART: &str = "struct Cart;\nimpl Cart {\n    fn total(&self) {ˇ}\n}\nimpl Other {\n    fn total(&self) {}\n}\n";

    #[test]
    fn an_offset_means_the_innermost_item() {
        assert_eq!(check("a.rs", CART, None), Ok("Method Cart::total".to_owned()));
        let python = "class Cart:\n    x = ˇ1\n    def total(self): pass\n";
        assert_eq!(check("a.py", python, None), Ok("Class Cart".to_owned()));
        let error = check("a.rs", "ˇ\n\nfn f() {}\n", None).unwrap_err();
        assert_eq!(
            error,
            "a.rs:1: no function, type or other item is here; the file has function f (line 3)"
        );
    }

    #[test]
    fn a_name_may_carry_its_owner() {
        for name in ["Cart::total", "Cart.total", "Cart::total()"] {
            assert_eq!(check("a.rs", CART, Some(named(name))), Ok("Method Cart::total".to_owned()));
        }
        assert_eq!(check("a.rs", CART, Some(named("Cart"))), Ok("Class Cart".to_owned()));
        assert_eq!(
            check("a.rs", CART, Some(named("Other"))),
            Ok("Implementation Other".to_owned())
        );
        assert_eq!(check("a.rs", CART, Some(Target::File)), Ok("file".to_owned()));
    }

    #[test]
    fn ambiguous_and_missing_names_say_what_is_there() {
        assert_eq!(
            check("a.rs", CART, Some(named("total"))).unwrap_err(),
            "a.rs: total names 2 items, say which one or give its line; the file has method \
             Cart::total (line 3), method Other::total (line 6)"
        );
        let missing = check("a.rs", CART, Some(named("sum"))).unwrap_err();
        assert!(missing.starts_with("a.rs: there is no sum; the file has "), "{missing}");
        assert!(check("a.txt", "x", Some(named("x"))).unwrap_err().contains("no grammar"));
        assert!(
            check("a.rs", "", Some(named("x"))).unwrap_err().ends_with("the file has no items")
        );
    }

    #[test]
    fn long_lists_are_cut() {
        let text = (0..40).fold(String::new(), |text, i| text + &format!("fn f{i}() {{}}\n"));
        let error = check("a.rs", &text, Some(named("x"))).unwrap_err();
        assert!(error.ends_with("function f11 (line 12) and 28 more"), "{error}");
    }
}
