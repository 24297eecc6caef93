//! Excerpts of other files, and of far parts of this one, chosen for the cursor.
//!
//! Files and items are ranked by the words near the cursor and by what they are to the file; that
//! gives each identifier of the workspace a probability to be written next; and those items and
//! signatures are taken that show the most of it per token.

mod body;
mod choose;
mod excerpts;
mod expected;
mod files;
mod items;
mod lines;
mod near;
mod offers;
mod render;
mod sound;
mod types;
mod wanted;
mod words;

use std::cell::RefCell;
use std::path::Path;

use super::{Dropped, Excerpt, Project, tokens};
use crate::document::Document;
use crate::syntax::imports::imports;
use crate::syntax::outline::Item;
use crate::text::Span;
use crate::workspace::index::FileEntry;
use crate::workspace::modules::Modules;
use files::FileMap;
use near::Near;
use offers::Offers;
use words::TermMap;

/// Percent of the first so many tokens of a prompt that are for excerpts, and of the others.
const SHORT: usize = 512;
const SHARE_OF_SHORT: usize = 30;
const SHARE_OF_REST: usize = 75;

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
/// it is more. In a short prompt the lines around the cursor show more than any excerpt.
pub fn share(budget: usize) -> usize {
    let short = budget.min(SHORT);
    short * SHARE_OF_SHORT / 100 + (budget - short) * SHARE_OF_REST / 100
}

/// Everything that is known before the choice.
struct Ranking<'a> {
    near: Near<'a>,
    files: Vec<files::Candidate<'a>>,
    items: Vec<items::Ranked>,
    types: types::Types<'a>,
    aligned: TermMap<f32>,
    expected: Vec<expected::Expected<'a>>,
    budget: usize,
}

fn rank<'a>(place: Place<'a>, project: Project<'a>, budget: usize) -> Option<Ranking<'a>> {
    let tree = place.document.tree.as_ref()?;
    let text = &place.document.text;
    let window = near::window(text, place.span, budget - share(budget));
    let left = budget.saturating_sub(tokens::estimate(window.of(text)?));
    let near = Near::of(place, window, project.index);
    let modules = Modules::new(tree.language(), place.path, project.repository, project.index);
    let known = project.index.file(place.path);
    let fresh = if known.is_none() { imports(tree, text) } else { Vec::new() };
    let imports = known.map_or(&fresh[..], |file| &file.imports);
    let files = files::candidates(place.path, &near, imports, &modules, project);
    let items = items::ranked(&files, &near, project);
    let types = types::Types::near(&near, project);
    let aligned = lines::aligned(place, &files, &items, project);
    let expected = expected::expected(place, &near, project);
    Some(Ranking { near, files, items, types, aligned, expected, budget: left })
}

/// What is worth showing at `place`, within what the file leaves of `budget` tokens.
pub fn find(place: Place<'_>, project: Project<'_>, budget: usize) -> Related {
    let Some(ranking) = rank(place, project, budget) else { return Related::default() };
    let wanted = wanted::wanted(&ranking, project);
    let Offers { list: offers, shown, reasons } = offers::offers(&ranking, &wanted, project);
    let headers: RefCell<FileMap<usize>> = RefCell::default();
    let header = |file: &FileEntry| {
        let mut known = headers.borrow_mut();
        *known.entry(file).or_insert_with(|| excerpts::cost_of_path(&file.path))
    };
    let weights: Vec<f32> = wanted.iter().map(|one| one.probability).collect();
    let chosen = choose::choose(&offers, &shown, &weights, ranking.budget, &header);
    excerpts::excerpts(&ranking, &offers, &reasons, chosen, project)
}

#[cfg(test)]
mod tests;
