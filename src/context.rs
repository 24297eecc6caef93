//! What the model may see, as typed parts: no markers, no tokens. Pure.

pub mod cursor;
mod outside;
pub mod related;
pub mod tokens;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::document::Document;
use crate::syntax::{Language, statements};
use crate::text::Span;
use crate::workspace::index::Index;

/// Everything about one place in one file that a prompt may use, stable parts first.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// The repository's name.
    pub repository: String,
    /// The file's path relative to the workspace.
    pub path: PathBuf,
    /// Its language.
    pub language: Option<Language>,
    /// Excerpts of other files, and of far parts of this one, in the order in which they belong
    /// into a prompt: those that change least while the cursor moves first. They fit into the
    /// budget that was given; where fewer fit, those of the lowest [`Excerpt::score`] go first.
    pub related: Vec<Excerpt>,
    /// What was found worth showing and left out, best first.
    pub dropped: Vec<Dropped>,
    /// The file before the cursor, as blocks that may be dropped from the front: each ends at an
    /// item boundary; the last holds the cursor's own item and is cut by lines.
    pub prefix: Vec<String>,
    /// The file after the cursor, as blocks that may be dropped from the end.
    pub suffix: Vec<String>,
    /// Where a block near the cursor may be cut so that no statement is: offsets of the file, at
    /// starts of lines, ascending.
    pub cuts: Vec<usize>,
}

/// Blocks are cut between statements up to so many bytes for each token of the prompt away from the
/// cursor, and no more: more than a prompt holds.
const CUTS_PER_TOKEN: usize = 4;
const CUTS_WITHIN: usize = 24 << 10;
/// Percent of those bytes before the cursor and after it where the file goes on on both sides: a
/// prompt shows a third of the file's share, or what there is, on either.
const CUTS_BEFORE: usize = 70;
const CUTS_AFTER: usize = 50;

/// What an excerpt is to the cursor; in the order in which excerpts stand in a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Signatures of what the file imports.
    Imported,
    /// The type around the cursor: its fields and the signatures of its members.
    EnclosingType,
    /// Items ranked for the cursor.
    Ranked,
    /// What was edited or viewed a short while ago.
    Recent,
}

impl Kind {
    /// Its name in traces and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::EnclosingType => "enclosing type",
            Self::Ranked => "ranked",
            Self::Recent => "recent",
        }
    }
}

/// Text of another file, or of a part of this one that is far from the cursor: whole items and
/// signatures, code of its language that parses by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Excerpt {
    /// What it is to the cursor.
    pub kind: Kind,
    /// Relative path.
    pub path: PathBuf,
    /// The first line of what it was made of, from 1.
    pub start_line: u32,
    /// The last line of what it was made of, from 1.
    pub end_line: u32,
    /// The text.
    pub text: String,
    /// What it will cost in a prompt with its path, by [`tokens::estimate`].
    pub tokens: usize,
    /// Why it is here: `imports Cart`, `type of cart`, `alike: total, price`.
    pub reason: String,
    /// How likely it is to be of use, per token; comparable within one context.
    pub score: f32,
}

/// Something worth showing that is not shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Dropped {
    /// Relative path.
    pub path: PathBuf,
    /// Its first line, from 1.
    pub start_line: u32,
    /// Its last line, from 1.
    pub end_line: u32,
    /// What it would have cost.
    pub tokens: usize,
    /// Why it was worth showing.
    pub reason: String,
    /// Why it is not shown.
    pub cause: &'static str,
}

/// What the user did before and what the history tells; each list best first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Activity {
    /// Files edited or viewed a short while ago (relative paths), latest first.
    pub recent: Vec<PathBuf>,
    /// Files that were changed together with this one, with the share of this file's changes in
    /// which they were (0 to 1).
    pub together: Vec<(PathBuf, f32)>,
}

/// The text of a file as it was indexed; `None` where the file is not that any more.
pub type Source<'a> = &'a dyn Fn(&Path) -> Option<Arc<str>>;

/// The project around a file.
#[derive(Clone, Copy)]
pub struct Project<'a> {
    /// The repository's name.
    pub repository: &'a str,
    /// What its files hold.
    pub index: &'a Index,
    /// Texts of its files.
    pub source: Source<'a>,
    /// What happened in it.
    pub activity: &'a Activity,
}

/// The context of `span` (empty for a cursor): prefix before it, suffix after it. `path` is the
/// document's path relative to the workspace; `budget` is how many tokens the whole prompt may
/// have, of which [`related::share`] is for excerpts.
pub fn at(
    document: &Document,
    path: PathBuf,
    span: Span,
    project: Project<'_>,
    budget: usize,
) -> Context {
    let items = document.items();
    let reach = budget.saturating_mul(CUTS_PER_TOKEN).min(CUTS_WITHIN);
    let near = within_reach(span, reach, document.text.len());
    let boundaries = |tree| statements::boundaries(tree, &document.text, near);
    let cuts = document.tree.as_ref().map(boundaries).unwrap_or_default();
    let place = related::Place { document, path: &path, items, span };
    let related::Related { excerpts, dropped } = related::find(place, project, budget);
    Context {
        repository: project.repository.to_owned(),
        language: document.language(),
        related: excerpts,
        dropped,
        prefix: cursor::before(&document.text, items, span),
        suffix: cursor::after(&document.text, items, span),
        cuts,
        path,
    }
}

/// Where a prompt that shows `reach` bytes around `span` may end, in a file of `length` bytes. What
/// one side does not have goes to the other.
fn within_reach(span: Span, reach: usize, length: usize) -> Span {
    let (before, after) = (span.start, length.saturating_sub(span.end));
    let most_before = (reach * CUTS_BEFORE / 100).max(reach.saturating_sub(after));
    let most_after = (reach * CUTS_AFTER / 100).max(reach.saturating_sub(before));
    Span::new(span.start - before.min(most_before), span.end + after.min(most_after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_looked_for_on_the_side_where_the_file_is() {
        let within = |start, length| within_reach(Span::empty(start), 1000, length);
        assert_eq!(within(5000, 9000), Span::new(4300, 5500));
        assert_eq!(within(0, 9000), Span::new(0, 1000));
        assert_eq!(within(100, 9000), Span::new(0, 1000));
        assert_eq!(within(9000, 9000), Span::new(8000, 9000));
        assert_eq!(within(3, 5), Span::new(0, 5));
    }
}
