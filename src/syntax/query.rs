//! Running a compiled query over a tree, within bounds.

use std::ops::ControlFlow;

use tree_sitter::{
    Node, Query, QueryCursor, QueryCursorOptions, QueryCursorState, StreamingIterator,
};

use super::SyntaxTree;
use super::starts::{Purpose, Starts};
use crate::text::Span;

/// The most matches that may be in progress at once; past it the earliest are dropped.
const MATCH_LIMIT: u32 = 4096;

/// How often the cursor may report progress (every thousand steps) before it is stopped: at least
/// so often, and once more per so many bytes. Ordinary code takes one to seven steps per byte; a
/// capture in every level of a deep nesting takes as many per node as there are levels.
const REPORTS: usize = 2000;
const BYTES_PER_REPORT: usize = 10;

/// Below how many nodes around them (hidden ones included) nothing is searched for: at a node that
/// deep the cursor may look at each of them, so that the work at a nesting of thousands of levels
/// is their square. Code of people has some dozen levels, a generated sum of some hundred terms as
/// many.
pub(super) const MAX_DEPTH: u32 = 1000;

/// How many tokens may follow each other in a fault with no node between them: at each the cursor
/// looks at all that follow, so that the work at a hundred thousand is their square.
const MAX_RUN: usize = 500;

/// One match of a pattern.
pub(super) struct Match<'t> {
    /// Index of the pattern in the query; earlier ones are the more special ones.
    pub(super) pattern: usize,
    captures: Vec<(&'static str, Node<'t>)>,
}

impl<'t> Match<'t> {
    /// What tells it from every other match of its query.
    fn identity(&self) -> (usize, Vec<(&'static str, usize)>) {
        (self.pattern, self.captures().map(|(name, node)| (name, node.id())).collect())
    }

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
/// they were found; of a deep nesting those not below [`MAX_DEPTH`], of a fault that is no code at all
/// none, and where the search has to be stopped, those found until then. `text` is only read for predicates.
pub(super) fn matches<'t>(
    tree: &'t SyntaxTree,
    text: &str,
    query: &'static Query,
    within: Option<Span>,
) -> Vec<Match<'t>> {
    let Some(mut search) = Search::within(tree, query, text, within) else { return Vec::new() };
    let mut out = Vec::new();
    search.run(tree.root(), |found| out.push(found));
    out
}

/// The matches in the whole tree of the language's query for `purpose`, as [`matches`] finds them
/// but in an order of their own, from the nodes where they can start.
pub(super) fn matches_from<'t>(
    tree: &'t SyntaxTree,
    text: &str,
    purpose: Purpose,
    starts: &Starts<'t>,
) -> Vec<Match<'t>> {
    let spec = tree.language().spec();
    let query = spec.queries.of(purpose);
    let Some(any_root) = spec.kinds().any_root(purpose) else {
        return matches(tree, text, query, None);
    };
    let has_any_root = |found: &Match<'_>| any_root.get(found.pattern).is_some_and(|any| *any);
    let mut search = Search::new(query, text, text.len());
    let mut out = Vec::new();
    search.cursor.set_max_start_depth(Some(0));
    for root in &starts.roots[purpose as usize] {
        search.run(*root, |found| {
            if !has_any_root(&found) {
                out.push(found);
            }
        });
    }
    let others = out.len();
    // Such a pattern is only looked for below its root.
    search.cursor.set_max_start_depth(Some(1));
    for parent in &starts.parents[purpose as usize] {
        search.run(*parent, |found| {
            if has_any_root(&found) {
                out.push(found);
            }
        });
    }
    // Where a child is a root too, its match is found from both.
    let mut twice = out.split_off(others);
    twice.sort_by_cached_key(Match::identity);
    twice.dedup_by_key(|found| found.identity());
    out.append(&mut twice);
    out
}

/// A query cursor with its bounds.
pub(super) struct Search<'s> {
    query: &'static Query,
    text: &'s str,
    cursor: QueryCursor,
    left: usize,
}

impl<'s> Search<'s> {
    /// A search of the nodes that touch `within`; `None` where it cannot be done in bounds.
    fn within(
        tree: &SyntaxTree,
        query: &'static Query,
        text: &'s str,
        within: Option<Span>,
    ) -> Option<Self> {
        if longest_run(tree) > MAX_RUN {
            return None;
        }
        let mut search = Self::new(query, text, within.map_or(text.len(), Span::len));
        if let Some(within) = within {
            search.cursor.set_byte_range(within.start..within.end.max(within.start + 1));
        }
        search.cursor.set_max_start_depth(Some(MAX_DEPTH));
        Some(search)
    }

    /// A search, in the same bounds, for the matches that start at the nodes themselves with which
    /// it is [`run`](Self::run).
    pub(super) fn at_roots(
        tree: &SyntaxTree,
        query: &'static Query,
        text: &'s str,
        within: Span,
    ) -> Option<Self> {
        let mut search = Self::within(tree, query, text, Some(within))?;
        search.cursor.set_max_start_depth(Some(0));
        Some(search)
    }

    /// A search of `searched` bytes of the text.
    fn new(query: &'static Query, text: &'s str, searched: usize) -> Self {
        let mut cursor = QueryCursor::new();
        cursor.set_match_limit(MATCH_LIMIT);
        Self { query, text, cursor, left: REPORTS + searched / BYTES_PER_REPORT }
    }

    /// Calls `each` with the matches from `node` on.
    pub(super) fn run<'t>(&mut self, node: Node<'t>, mut each: impl FnMut(Match<'t>)) {
        let Self { query, text, cursor, left } = self;
        let mut progress = |_: &QueryCursorState| {
            *left = left.saturating_sub(1);
            if *left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        // A tree of another text must not make a slice panic.
        let provider =
            |node: Node<'_>| std::iter::once(text.get(node.byte_range()).unwrap_or_default());
        let options = QueryCursorOptions::new().progress_callback(&mut progress);
        let mut found = cursor.matches_with_options(query, node, provider, options);
        let names = query.capture_names();
        while let Some(one) = found.next() {
            let captures = one
                .captures()
                .iter()
                .filter_map(|capture| Some((*names.get(capture.index as usize)?, capture.node)))
                .collect();
            each(Match { pattern: one.pattern_index, captures });
        }
    }
}

/// The most tokens that follow each other in a fault of `tree` with no named node between them.
fn longest_run(tree: &SyntaxTree) -> usize {
    let (mut run, mut longest) = (0, 0);
    let mut cursor = tree.root().walk();
    loop {
        let node = cursor.node();
        run = if node.is_named() { 0 } else { run + 1 };
        longest = longest.max(run);
        if node.has_error() && cursor.goto_first_child() {
            run = 0;
            continue;
        }
        while !cursor.goto_next_sibling() {
            run = 0;
            if !cursor.goto_parent() {
                return longest;
            }
        }
    }
}

/// Where a node is.
pub(super) fn span(node: Node<'_>) -> Span {
    Span::new(node.start_byte(), node.end_byte())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{Language, samples};

    fn identities(found: &[Match<'_>]) -> Vec<(usize, Vec<(&'static str, usize)>)> {
        let mut all: Vec<_> = found.iter().map(Match::identity).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn matches_from_their_starts_are_those_of_the_whole_tree() {
        let python = "\"\"\"Doc.\"\"\"\nimport a.b as c, d\nfrom . import (e as f, g)\n\n\n@dec\nclass \
            TestX(TestCase, abc.ABC):\n    \"\"\"Doc.\"\"\"\n    y: int = 1\n\n    def test_z(self):\n        \
            import h\n        def inner(): \"\"\"Doc.\"\"\"\n\n\nX = 1\ntype T = int\nfrom j import *\n";
        let rust = "//! Doc.\n//! More.\nuse a::{b::{self, c as d}, e::*};\nextern crate f;\n/// Doc.\n\
            #[derive(A)]\npub struct B<'a>(pub &'a u8);\nimpl<T> C for d::E<T> { type F = u8; fn g() {} }\n\
            pub(crate) mod h {\n    //! Doc.\n    #[cfg(test)] mod tests { use super::*; #[test] fn i() { \
            use j; static K: u8 = 1; } }\n}\n#[macro_export] macro_rules! l { () => {} }\npub trait M { fn n(); }\n\
            fn broken( { pub struct\n";
        let texts = [("python", python), ("rust", rust), ("rust", ""), ("python", "@")];
        for (name, text) in texts.iter().chain(samples::SAMPLES) {
            // A language may not be compiled in.
            let Some(language) = Language::named(name) else { continue };
            let tree = SyntaxTree::parse(language, text);
            let starts = Starts::find(&tree, |_| {});
            for purpose in [Purpose::Items, Purpose::Tests, Purpose::Imports] {
                let all = matches(&tree, text, tree.language().spec().queries.of(purpose), None);
                let found = matches_from(&tree, text, purpose, &starts);
                assert_eq!(identities(&found), identities(&all), "{name} {purpose:?}");
            }
        }
    }
}
