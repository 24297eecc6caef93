//! Running a compiled query over a tree, within bounds.

use std::ops::ControlFlow;

use tree_sitter::{
    Node, Query, QueryCursor, QueryCursorOptions, QueryCursorState, StreamingIterator,
};

use super::SyntaxTree;
use crate::text::Span;

/// The most matches that may be in progress at once; past it the earliest are dropped.
const MATCH_LIMIT: u32 = 4096;

/// How often the cursor may report progress (every thousand steps) before it is stopped: at least
/// so often, and once more per so many bytes. Ordinary code takes one to seven steps per byte; a
/// capture in every level of a deep nesting takes as many per node as there are levels.
const REPORTS: usize = 2000;
const BYTES_PER_REPORT: usize = 10;

/// One match of a pattern.
pub(super) struct Match<'t> {
    /// Index of the pattern in the query; earlier ones are the more special ones.
    pub(super) pattern: usize,
    captures: Vec<(&'static str, Node<'t>)>,
}

impl<'t> Match<'t> {
    /// Every capture with its name.
    pub(super) fn captures(&self) -> impl Iterator<Item = (&'static str, Node<'t>)> + '_ {
        self.captures.iter().copied()
    }

    /// The first node captured as `name`.
    pub(super) fn node(&self, name: &str) -> Option<Node<'t>> {
        self.captures().find(|(n, _)| *n == name).map(|(_, node)| node)
    }

    /// From the first to the last node captured as `name`.
    pub(super) fn span(&self, name: &str) -> Option<Span> {
        let mut nodes = self.captures().filter(|(n, _)| *n == name).map(|(_, node)| span(node));
        let first = nodes.next()?;
        Some(
            nodes.fold(first, |all, one| Span::new(all.start.min(one.start), all.end.max(one.end))),
        )
    }
}

/// The matches of `query` that touch `within` (or the whole tree), in document order of where
/// they were found; on a nesting so deep that the search has to be stopped, those found until
/// then. `text` is only read for predicates.
pub(super) fn matches<'t>(
    tree: &'t SyntaxTree,
    text: &str,
    query: &'static Query,
    within: Option<Span>,
) -> Vec<Match<'t>> {
    let mut left = REPORTS + text.len() / BYTES_PER_REPORT;
    let mut progress = |_: &QueryCursorState| {
        left = left.saturating_sub(1);
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut cursor = QueryCursor::new();
    cursor.set_match_limit(MATCH_LIMIT);
    if let Some(within) = within {
        cursor.set_byte_range(within.start..within.end.max(within.start + 1));
    }
    // A tree of another text must not make a slice panic.
    let provider =
        |node: Node<'_>| std::iter::once(text.get(node.byte_range()).unwrap_or_default());
    let options = QueryCursorOptions::new().progress_callback(&mut progress);
    let mut found = cursor.matches_with_options(query, tree.root(), provider, options);
    let names = query.capture_names();
    let mut out = Vec::new();
    while let Some(one) = found.next() {
        let captures = one
            .captures()
            .iter()
            .filter_map(|capture| Some((*names.get(capture.index as usize)?, capture.node)))
            .collect();
        out.push(Match { pattern: one.pattern_index, captures });
    }
    out
}

/// Where a node is.
pub(super) fn span(node: Node<'_>) -> Span {
    Span::new(node.start_byte(), node.end_byte())
}
