//! Excerpts of other files: signatures of what the file imports and of the enclosing type.

mod signatures;

use std::path::Path;
use std::sync::Arc;

use super::{Dropped, Excerpt, Kind, Project, tokens};
use crate::document::Document;
use crate::syntax::imports::{Import, imports};
use crate::syntax::outline::{Item, ItemKind};
use crate::text::Span;
use crate::workspace::index::{Index, Symbol};
use crate::workspace::modules::Modules;

/// The most excerpts of one prompt.
const MAX_EXCERPTS: usize = 12;
/// The most signatures of one excerpt.
const MAX_SIGNATURES: usize = 24;
/// The most imports that are looked up.
const MAX_IMPORTS: usize = 200;

/// A place in a document.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The document.
    pub document: &'a Document,
    /// Its path relative to the workspace.
    pub path: &'a Path,
    /// Its items.
    pub items: &'a [Item],
    /// The cursor, or what is to be replaced.
    pub span: Span,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Related {
    /// What is shown, in prompt order.
    pub excerpts: Vec<Excerpt>,
    /// What is not.
    pub dropped: Vec<Dropped>,
}

/// How many of `budget` tokens are for excerpts at least; where the file does not need the others,
/// it may be more.
pub fn share(budget: usize) -> usize {
    budget / 2
}

/// What other files say about what the document uses at `place`: what is imported, in the order of
/// the import statements, then the members of the type around the cursor that stand elsewhere. One
/// excerpt per file; the order does not depend on the place inside a type, so that the head of a
/// prompt stays. What does not fit into half of `budget` tokens is dropped.
pub fn find(place: Place<'_>, project: Project<'_>, budget: usize) -> Related {
    let Some(tree) = &place.document.tree else { return Related::default() };
    let (language, index) = (tree.language(), project.index);
    let mut found = Found::default();

    let modules = Modules::new(language, place.path, project.repository, index);
    for import in imports(tree, &place.document.text).iter().take(MAX_IMPORTS) {
        let symbols = imported(&modules, import, index);
        let elsewhere = symbols.into_iter().filter(|symbol| &*symbol.path != place.path);
        found.add(elsewhere, Kind::Imported);
    }
    if let Some(name) = enclosing_type(place.items, place.span) {
        let elsewhere = index.around(name).into_iter().filter(|symbol| &*symbol.path != place.path);
        found.add(elsewhere, Kind::EnclosingType);
    }

    let mut left = share(budget);
    let mut related = Related::default();
    for (position, (path, kind, symbols)) in found.files.into_iter().enumerate() {
        let text = signatures::text(language, &symbols);
        let lines = symbols.iter().map(|symbol| symbol.line + 1);
        let excerpt = Excerpt {
            kind,
            start_line: lines.clone().min().unwrap_or(1),
            end_line: lines.max().unwrap_or(1),
            tokens: tokens::estimate(&text) + tokens::estimate(&path.to_string_lossy()) + 2,
            reason: kind.name().to_owned(),
            score: 1.0 / (1.0 + position as f32),
            path: path.to_path_buf(),
            text,
        };
        if position < MAX_EXCERPTS && excerpt.tokens <= left {
            left -= excerpt.tokens;
            related.excerpts.push(excerpt);
        } else {
            related.dropped.push(Dropped {
                path: excerpt.path,
                start_line: excerpt.start_line,
                end_line: excerpt.end_line,
                tokens: excerpt.tokens,
                reason: excerpt.reason,
                cause: "no room",
            });
        }
    }
    related
}

/// Symbols by file, in the order in which the files were first met.
#[derive(Default)]
struct Found<'a> {
    files: Vec<(Arc<Path>, Kind, Vec<&'a Symbol>)>,
}

impl<'a> Found<'a> {
    fn add(&mut self, symbols: impl Iterator<Item = &'a Symbol>, kind: Kind) {
        for symbol in symbols {
            let known = self.files.iter_mut().find(|(path, ..)| *path == symbol.path);
            if let Some((_, _, symbols)) = known {
                let new = !symbols.iter().any(|known| std::ptr::eq(*known, symbol));
                if new && symbols.len() < MAX_SIGNATURES {
                    symbols.push(symbol);
                }
            } else {
                self.files.push((Arc::clone(&symbol.path), kind, vec![symbol]));
            }
        }
    }
}

/// The name of the type whose body holds the cursor.
fn enclosing_type(items: &[Item], span: Span) -> Option<&str> {
    items
        .iter()
        .filter(|item| {
            matches!(
                item.kind,
                ItemKind::Class | ItemKind::Enum | ItemKind::Interface | ItemKind::Implementation
            ) && item.span.touches(span.start)
        })
        .min_by_key(|item| item.span.len())
        .map(|item| item.name.as_str())
}

/// The symbols an import brings in: a module's public items, a type with its members, a function.
fn imported<'a>(modules: &Modules<'a>, import: &Import, index: &'a Index) -> Vec<&'a Symbol> {
    let whole_files = |path: &[String]| -> Vec<&'a Symbol> {
        modules.files(path).iter().flat_map(|file| top_level(index, file)).collect()
    };
    if import.name == "*" {
        return whole_files(&import.path);
    }
    let mut whole = import.path.clone();
    whole.push(import.name.clone());
    let found = whole_files(&whole);
    if !found.is_empty() {
        return found;
    }
    if let Some(file) = modules.file(&import.path) {
        // What a module exports without a name is mostly called as its importer calls it.
        let name = match (import.name.as_str(), &import.alias) {
            ("default", Some(alias)) => alias,
            (name, _) => name,
        };
        let found = with_members(index.of_file(&file), name);
        if !found.is_empty() {
            return found;
        }
        // Re-exported: its definition stands further down.
        let below = modules.below(&file, name);
        return below.map(|(file, _)| with_members(index.of_file(file), name)).unwrap_or_default();
    }
    // A variant or a nested item: its owner is what helps.
    let Some((owner, module)) = import.path.split_last() else { return Vec::new() };
    let file = modules.file(module);
    file.map(|file| with_members(index.of_file(&file), owner)).unwrap_or_default()
}

/// The public items of a file that have no owner.
fn top_level<'a>(index: &'a Index, file: &Path) -> Vec<&'a Symbol> {
    let symbols = index.of_file(file).iter();
    symbols
        .filter(|symbol| symbol.public && symbol.owner.is_none() && !symbol.test)
        .take(MAX_SIGNATURES)
        .collect()
}

/// The item `name` of a file and its public members, in document order.
fn with_members<'a>(symbols: &'a [Symbol], name: &str) -> Vec<&'a Symbol> {
    let is_it = |symbol: &Symbol| symbol.name == name && symbol.owner.is_none() && !symbol.test;
    if !symbols.iter().any(is_it) {
        return Vec::new();
    }
    let member =
        |symbol: &Symbol| symbol.owner.as_deref() == Some(name) && symbol.public && !symbol.test;
    symbols.iter().filter(|symbol| is_it(symbol) || member(symbol)).collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::context::Activity;
    use crate::fixture;

    /// The excerpts at the cursor of a fixture with several files: the first holds the cursor.
    fn shown(fixture: &str) -> String {
        let files = fixture::parse(fixture);
        let mut index = Index::default();
        for file in &files {
            index.insert(Path::new(&file.path), &file.text);
        }
        let file = &files[0];
        let path = Path::new(&file.path);
        let document = Document::new(path.to_owned(), None, 0, file.text.clone());
        let span = Span::empty(file.cursors[0]);
        let items = document.items();
        let mut out = String::new();
        let place = Place { document: &document, path, items: &items, span };
        let activity = Activity::default();
        let project =
            Project { repository: "shop", index: &index, source: &|_| None, activity: &activity };
        for Excerpt { path, reason, text, .. } in find(place, project, 2048).excerpts {
            write!(out, "== {} ({reason})\n{text}", path.display()).unwrap();
        }
        out
    }

    #[test]
    fn rust_imports_are_shown_with_members_fields_and_docs() {
        insta::assert_snapshot!(shown(
            "//- /src/cart.rs
use std::fmt;
use crate::item::Item;
use super::money::{self, round as r};
fn total() { ˇ }
//- /src/item.rs
/// Something to sell.
/// It has a price.
pub struct Item { pub price: u64 }
impl Item {
    /// Makes one.
    pub fn new(price: u64) -> Self { Self { price } }
    fn hidden(&self) {}
}
pub struct Other;
//- /src/money.rs
/// Rounds.
pub fn round(x: f64) -> u64 { x as u64 }
fn private() {}
"
        ), @"
        == src/item.rs (imported)
        /// Something to sell.
        pub struct Item { pub price: u64 }
        impl Item {
            /// Makes one.
            pub fn new(price: u64) -> Self;
        }
        == src/money.rs (imported)
        /// Rounds.
        pub fn round(x: f64) -> u64;
        ");
    }

    #[test]
    fn members_of_the_enclosing_type_are_shown() {
        insta::assert_snapshot!(shown(
            "//- /src/view.rs
use crate::item::Item;
impl Cart {
    fn show(&self) { ˇ }
}
//- /src/cart.rs
pub struct Cart { items: Vec<u64> }
impl Cart {
    fn total(&self) -> u64 { 0 }
}
//- /src/item.rs
pub struct Item;
"
        ), @"
        == src/item.rs (imported)
        pub struct Item;
        == src/cart.rs (enclosing type)
        pub struct Cart { items: Vec<u64> }
        impl Cart {
            fn total(&self) -> u64;
        }
        ");
    }

    #[test]
    fn crates_of_the_workspace_and_reexports_are_followed() {
        insta::assert_snapshot!(shown(
            "//- /app/src/main.rs
use my_store::Store;
use shop::Shop;
fn main() { ˇ }
//- /my-store/src/lib.rs
mod inner;
pub use inner::Store;
//- /my-store/src/inner.rs
pub struct Store;
//- /src/lib.rs
pub struct Shop;
"
        ), @"
        == my-store/src/inner.rs (imported)
        pub struct Store;
        == src/lib.rs (imported)
        pub struct Shop;
        ");
    }

    #[test]
    fn python_imports_absolute_and_relative_are_shown() {
        insta::assert_snapshot!(shown(
            "//- /pkg/cart.py
import os
from .item import Item
from pkg.money import round_up, _hidden
from . import names
x = ˇ
//- /pkg/__init__.py
//- /pkg/item.py
class Item:
    \"\"\"Something to sell.\"\"\"
    price: int

    def cost(self, n: int) -> int:
        \"\"\"Price of n.\"\"\"
        return n

    def empty(self):
        return 0
//- /pkg/money.py
def round_up(x):
    return x
//- /pkg/names.py
def first(name): return name
"
        ), @r#"
        == pkg/item.py (imported)
        class Item:
            """Something to sell."""
            price: int
            def cost(self, n: int) -> int:
                """Price of n."""
            def empty(self): ...
        == pkg/money.py (imported)
        def round_up(x): ...
        == pkg/names.py (imported)
        def first(name): ...
        "#);
    }

    #[test]
    fn what_is_not_in_the_workspace_is_left_out() {
        assert_eq!(shown("//- /src/a.rs\nuse std::fmt;\nuse serde::Serialize;\nfn a() {ˇ}\n"), "");
        assert_eq!(shown("//- /a.py\nimport os\nfrom ..x import y\nfrom . import z\nˇ\n"), "");
    }
}
