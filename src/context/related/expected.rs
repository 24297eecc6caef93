//! What other files use of this one that it does not have: a function called before it is written,
//! a field or variant about to be added.

use std::path::Path;
use std::sync::Arc;

use super::files::FileMap;
use super::near::Near;
use super::words::{Sieve, TermMap, TermSet};
use super::{Place, files};
use crate::context::Project;
use crate::context::outside::{Outside, outside_functions};
use crate::text::word;
use crate::workspace::index::{FileEntry, Term};

/// A name of this file that more files hold does not tell which of them use it.
const MAX_MENTIONS: u32 = 40;
/// So many names of this file are looked for, in so many files.
const MOST_NAMES: usize = 60;
const MOST_FILES: usize = 16;
/// An identifier in more files than this is no name that only this file lacks.
const MAX_FILES: u32 = 5;
/// So many are kept.
const MOST: usize = 40;
/// What the ways count in which a name can be used: as a member of a name of this file, as a
/// member of anything or called, as an import.
const OF_THIS: f32 = 1.0;
const MEMBER: f32 = 0.5;
const IMPORT: f32 = 1.0;

/// A name that this file may be expected to have.
#[derive(Debug, Clone)]
pub(super) struct Expected<'a> {
    pub(super) term: Term,
    /// How clearly, from 0 to 1.
    pub(super) weight: f32,
    /// The item that uses it, with its file.
    pub(super) user: Option<(&'a Arc<FileEntry>, usize)>,
}

/// The names that the files using this one import from it, and those they use that no file defines,
/// clearest first.
pub(super) fn expected<'a>(
    place: Place<'_>,
    near: &Near<'_>,
    project: Project<'a>,
) -> Vec<Expected<'a>> {
    let index = project.index;
    let own = Own::of(place, project);
    let missing =
        |term: Term| !near.shown.contains(&term) && !near.elsewhere.has(term, index.spelling(term));
    let mut found: TermMap<Expected<'a>> = TermMap::default();
    let mut add = |term: Term, weight: f32, user: Option<(&'a Arc<FileEntry>, usize)>| {
        let held = found.entry(term).or_insert(Expected { term, weight: 0.0, user });
        if held.weight < weight || (held.user.is_none() && user.is_some()) {
            held.user = user.or(held.user);
        }
        held.weight = held.weight.max(weight);
    };
    // Many functions use the same ones.
    let mut lacked: TermMap<bool> = TermMap::default();
    let names = Sieve::of(own.names.iter());
    for file in own.users(place.path, project) {
        for import in &file.imports {
            let of_this = import.path.last().is_some_and(|last| {
                *last == own.module
                    || index.term(last).is_some_and(|term| own.names.contains(&term))
            });
            if let Some(term) =
                index.term(&import.name).filter(|_| of_this).filter(|term| missing(*term))
            {
                add(term, IMPORT, None);
            }
        }
        let mut source = None;
        let mut outside = Outside::default();
        for (item, symbol) in file.items.iter().enumerate() {
            if !outside.holds(symbol.kind, symbol.span) || !symbol.kind.is_function() {
                continue;
            }
            let terms = file.terms_of(item);
            let is_own = |term: Term| names.may_hold(term) && own.names.contains(&term);
            if !terms.iter().any(|(term, _)| is_own(*term)) {
                continue;
            }
            for (term, _) in terms {
                let is_lacked = *lacked.entry(*term).or_insert_with(|| {
                    let rare = index.file_frequency(*term) <= MAX_FILES;
                    rare && missing(*term) && !index.is_defined(*term)
                });
                if !is_lacked {
                    continue;
                }
                let name = index.spelling(*term);
                let source = source.get_or_insert_with(|| (project.source)(&file.path));
                let text = source.as_deref().and_then(|source| symbol.span.of(source));
                let weight = own.weight(text.unwrap_or_default(), name, project);
                if weight > 0.0 {
                    add(*term, weight, Some((file, item)));
                }
            }
        }
    }
    let mut out: Vec<Expected<'_>> = found.into_values().collect();
    out.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.term.cmp(&b.term)));
    out.truncate(MOST);
    out
}

/// What this file is known by.
struct Own<'a> {
    /// The names of its items, where few other files have the same, and of its module.
    names: TermSet,
    module: &'a str,
}

impl<'a> Own<'a> {
    fn of(place: Place<'a>, project: Project<'_>) -> Self {
        let index = project.index;
        let module = module(place.path);
        let known = index.file(place.path);
        let mut names: TermSet = index.term(module).into_iter().collect();
        for item in outside_functions(place.items).take(10 * MOST_NAMES) {
            if names.len() == MOST_NAMES {
                break;
            }
            let Some(term) = index.term(&item.name) else { continue };
            let here = |file: &Arc<FileEntry>| known.is_some_and(|known| Arc::ptr_eq(known, file));
            if index.file_frequency(term) <= MAX_MENTIONS
                && index.named(&item.name).take(4).all(|(file, _)| here(file))
            {
                names.insert(term);
            }
        }
        Self { names, module }
    }

    /// The files that hold most of the names, best first.
    fn users<'i>(&self, path: &Path, project: Project<'i>) -> Vec<&'i Arc<FileEntry>> {
        let index = project.index;
        let own = index.file(path);
        let is_own = |file: &Arc<FileEntry>| own.is_some_and(|own| Arc::ptr_eq(own, file));
        let mut scores: FileMap<(&Arc<FileEntry>, f32)> = FileMap::default();
        for term in &self.names {
            if index.file_frequency(*term) > 2 * MAX_MENTIONS {
                continue;
            }
            let weight = files::inverse_frequency(project, *term);
            for file in index.holders(*term).filter(|file| !is_own(file)) {
                let held = scores.entry(Arc::as_ptr(file)).or_insert((file, 0.0));
                held.1 += weight;
            }
        }
        let mut out: Vec<(&Arc<FileEntry>, f32)> = scores.into_values().collect();
        out.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.path.cmp(&b.0.path)));
        out.truncate(MOST_FILES);
        out.into_iter().map(|(file, _)| file).collect()
    }

    /// How clearly `text` uses `name` as one that this file has.
    fn weight(&self, text: &str, name: &str, project: Project<'_>) -> f32 {
        let mut best: f32 = 0.0;
        for at in word::occurrences(text, name) {
            let (before, after) = (&text[..at], &text[at + name.len()..]);
            let of = before.strip_suffix("::").or_else(|| before.strip_suffix('.'));
            let weight = match of {
                Some(of) => {
                    let of = of.rsplit(|c| !word::is_word(c)).next().unwrap_or_default();
                    let own = |term| self.names.contains(&term);
                    if project.index.term(of).is_some_and(own) { OF_THIS } else { MEMBER }
                }
                None if after.starts_with('(') => MEMBER,
                None => 0.0,
            };
            best = best.max(weight);
        }
        best
    }
}

/// What other files call the module in the file: its stem, or its folder's name.
fn module(path: &Path) -> &str {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    match stem {
        "mod" | "lib" | "main" | "index" | "__init__" => {
            let folder = path.parent().and_then(Path::file_name);
            folder.and_then(|folder| folder.to_str()).unwrap_or_default()
        }
        _ => stem,
    }
}
