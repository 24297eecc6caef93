//! The types that play a part near the cursor, and their members.

use std::collections::HashMap;
use std::sync::Arc;

use super::near::Near;
use super::words::{TermMap, words};
use crate::context::Project;
use crate::syntax::outline::ItemKind;
use crate::workspace::index::{FileEntry, Symbol, Term};

/// A name with more definitions than this says nothing about any of them.
const MOST_DEFINITIONS: usize = 6;
/// The most types that are looked into, and members of each.
const MOST_TYPES: usize = 40;
const MOST_MEMBERS: usize = 80;
/// What a type counts that is only guessed from a variable's name, or taken from the signature of
/// something that is called.
const BY_VARIABLE: f32 = 0.7;
const BY_SIGNATURE: f32 = 0.5;

/// An item that is there for what it is, not for what it is alike.
#[derive(Debug, Clone)]
pub(super) struct Structural<'a> {
    pub(super) file: &'a Arc<FileEntry>,
    pub(super) item: usize,
    pub(super) reason: Arc<str>,
}

/// What is known of the types near the cursor.
#[derive(Debug, Default)]
pub(super) struct Types<'a> {
    /// The types themselves, their members, and the functions named near the cursor.
    pub(super) items: Vec<Structural<'a>>,
    /// Names of members and fields.
    pub(super) members: TermMap<f32>,
    /// Names in the signatures of the functions named near the cursor.
    pub(super) named: Vec<Term>,
}

impl<'a> Types<'a> {
    pub(super) fn near(near: &Near<'_>, project: Project<'a>) -> Self {
        let index = project.index;
        let mut out = Self::default();
        let mut types: Vec<(String, f32, String)> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut add = |name: &str, weight: f32, reason: &dyn Fn() -> String| {
            let at = *known.entry(name.to_owned()).or_insert_with(|| {
                types.push((name.to_owned(), 0.0, String::new()));
                types.len() - 1
            });
            if types[at].1 < weight {
                types[at].1 = weight;
                types[at].2 = reason();
            }
        };
        if let Some(owner) = near.owner {
            add(owner, 1.2, &|| format!("enclosing type {owner}"));
        }
        for (word, weight) in &near.words {
            let mut definitions = 0;
            for (file, item) in index.named(word).take(MOST_DEFINITIONS + 1) {
                definitions += 1;
                let Some(symbol) = file.items.get(item) else { continue };
                if is_type(symbol.kind) {
                    add(word, *weight, &|| format!("names {word}"));
                }
            }
            if definitions > 0 && definitions <= MOST_DEFINITIONS {
                for (file, item) in index.named(word).take(MOST_DEFINITIONS) {
                    let Some(symbol) = file.items.get(item) else { continue };
                    if !symbol.kind.is_function() {
                        continue;
                    }
                    let share = weight / definitions as f32;
                    out.items.push(Structural {
                        file,
                        item,
                        reason: format!("calls {word}").into(),
                    });
                    for name in words(&symbol.signature) {
                        out.named.extend(index.term(name));
                        if name.starts_with(char::is_uppercase) {
                            add(name, BY_SIGNATURE * share, &|| {
                                format!("in the signature of {word}")
                            });
                        }
                    }
                }
            }
            if word.starts_with(char::is_lowercase) {
                let camel = upper_camel(word);
                if index.named(&camel).next().is_some() {
                    add(&camel, BY_VARIABLE * weight, &|| format!("type of {word}"));
                }
            }
        }
        types.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        types.truncate(MOST_TYPES);
        for (name, weight, reason) in types {
            out.look_into(&name, weight, &reason.into(), project);
        }
        out
    }

    fn look_into(&mut self, name: &str, weight: f32, reason: &Arc<str>, project: Project<'a>) {
        let index = project.index;
        let definitions: Vec<(&Arc<FileEntry>, usize, &Symbol)> = index
            .named(name)
            .filter_map(|(file, item)| Some((file, item, file.items.get(item)?)))
            .filter(|(.., symbol)| is_type(symbol.kind))
            .take(MOST_DEFINITIONS + 1)
            .collect();
        if definitions.is_empty() || definitions.len() > MOST_DEFINITIONS {
            return;
        }
        let weight = weight / (definitions.len() as f32).sqrt();
        for (file, item, symbol) in definitions {
            for field in symbol.fields.iter().flat_map(|fields| words(fields)) {
                self.is_member(field, weight, project);
            }
            self.items.push(Structural { file, item, reason: Arc::clone(reason) });
        }
        for (file, item) in index.members(name).take(MOST_MEMBERS) {
            let Some(symbol) = file.items.get(item) else { continue };
            self.is_member(&symbol.name, weight, project);
            self.items.push(Structural { file, item, reason: Arc::clone(reason) });
        }
    }

    fn is_member(&mut self, name: &str, weight: f32, project: Project<'_>) {
        if let Some(term) = project.index.term(name) {
            let held = self.members.entry(term).or_default();
            *held = held.max(weight);
        }
    }
}

pub(super) fn is_type(kind: ItemKind) -> bool {
    matches!(kind, ItemKind::Class | ItemKind::Enum | ItemKind::Interface | ItemKind::TypeAlias)
}

/// `HookRepo` of `hook_repo`.
fn upper_camel(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for part in word.split('_') {
        let mut letters = part.chars();
        out.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(letters.as_str());
    }
    out
}
