//! Excerpts of other files: signatures of what the file imports and of the enclosing type.

mod module;
mod signatures;

use std::path::Path;
use std::sync::Arc;

use super::Excerpt;
use crate::document::Document;
use crate::syntax::imports::{Import, imports};
use crate::syntax::outline::{Item, ItemKind};
use crate::text::Span;
use crate::workspace::index::{Index, Symbol};

/// The most excerpts of one prompt.
const MAX_EXCERPTS: usize = 12;
/// The most signatures of one excerpt.
const MAX_SIGNATURES: usize = 24;
/// The most imports that are looked up.
const MAX_IMPORTS: usize = 200;

/// What other files say about what `document` (at `path`, relative) uses at `span`: first the
/// members of the type around the cursor that stand elsewhere, then what is imported, in the order
/// of the import statements. One excerpt per file; the order does not depend on the place inside
/// a type, so that the head of a prompt stays.
pub fn excerpts(
    document: &Document,
    repository: &str,
    path: &Path,
    items: &[Item],
    span: Span,
    index: &Index,
) -> Vec<Excerpt> {
    let Some(tree) = &document.tree else { return Vec::new() };
    let language = tree.language();
    let mut found = Found::default();

    if let Some(name) = enclosing_type(items, span) {
        let elsewhere = index.around(name).into_iter().filter(|symbol| &*symbol.path != path);
        found.add(elsewhere, "enclosing type");
    }
    let modules = module::Modules::new(language, path, repository, index);
    for import in imports(tree, &document.text).iter().take(MAX_IMPORTS) {
        let symbols = imported(&modules, import, index);
        found.add(symbols.into_iter().filter(|symbol| &*symbol.path != path), "imported");
    }

    found
        .files
        .into_iter()
        .take(MAX_EXCERPTS)
        .map(|(path, reason, symbols)| Excerpt {
            text: signatures::text(language, &symbols),
            path: path.to_path_buf(),
            reason,
        })
        .collect()
}

/// Symbols by file, in the order in which the files were first met.
#[derive(Default)]
struct Found<'a> {
    files: Vec<(Arc<Path>, &'static str, Vec<&'a Symbol>)>,
}

impl<'a> Found<'a> {
    fn add(&mut self, symbols: impl Iterator<Item = &'a Symbol>, reason: &'static str) {
        for symbol in symbols {
            let known = self.files.iter_mut().find(|(path, ..)| *path == symbol.path);
            if let Some((_, _, symbols)) = known {
                let new = !symbols.iter().any(|known| std::ptr::eq(*known, symbol));
                if new && symbols.len() < MAX_SIGNATURES {
                    symbols.push(symbol);
                }
            } else {
                self.files.push((Arc::clone(&symbol.path), reason, vec![symbol]));
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
fn imported<'a>(
    modules: &module::Modules<'a>,
    import: &Import,
    index: &'a Index,
) -> Vec<&'a Symbol> {
    if import.name == "*" {
        let file = modules.file(&import.path);
        return file.map(|file| top_level(index, &file)).unwrap_or_default();
    }
    let mut whole = import.path.clone();
    whole.push(import.name.clone());
    if let Some(file) = modules.file(&whole) {
        return top_level(index, &file);
    }
    if let Some(file) = modules.file(&import.path) {
        let found = with_members(index.of_file(&file), &import.name);
        if !found.is_empty() {
            return found;
        }
        // Re-exported: its definition stands further down.
        return modules.below(&file, &import.name);
    }
    // A variant or a nested item: its owner is what helps.
    let Some((owner, module)) = import.path.split_last() else { return Vec::new() };
    let file = modules.file(module);
    file.map(|file| with_members(index.of_file(&file), owner)).unwrap_or_default()
}

/// The public items of a file that have no owner.
fn top_level<'a>(index: &'a Index, file: &Path) -> Vec<&'a Symbol> {
    let symbols = index.of_file(file).iter();
    symbols.filter(|symbol| symbol.public && symbol.owner.is_none()).take(MAX_SIGNATURES).collect()
}

/// The item `name` of a file and its public members, in document order.
fn with_members<'a>(symbols: &'a [Symbol], name: &str) -> Vec<&'a Symbol> {
    let is_it = |symbol: &Symbol| symbol.name == name && symbol.owner.is_none();
    if !symbols.iter().any(is_it) {
        return Vec::new();
    }
    let member = |symbol: &Symbol| symbol.owner.as_deref() == Some(name) && symbol.public;
    symbols.iter().filter(|symbol| is_it(symbol) || member(symbol)).collect()
}
