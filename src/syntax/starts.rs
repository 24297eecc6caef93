//! Where the patterns of queries can start, so that a tree is walked once for all of them.
//!
//! A query cursor does work at every node of a tree, and most nodes start no pattern. The kinds that
//! do can be read off a query's text; one walk then finds their nodes, and the cursor looks at each
//! of these alone.

use tree_sitter::{Language as Grammar, Node, Query};

use super::SyntaxTree;

/// What a query is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Items,
    Tests,
    Imports,
}

/// Which nodes start patterns, by kind number and [`Purpose`].
#[derive(Debug)]
pub(super) struct Kinds {
    bits: Box<[u8]>,
    /// The patterns with a root of any kind, by purpose; `None` for a query whose patterns' roots
    /// cannot be read off its text.
    any_root: [Option<Box<[bool]>>; 3],
}

/// The nodes of a tree at which patterns may match.
#[derive(Debug, Default)]
pub(super) struct Starts<'t> {
    /// Roots, by purpose, in document order.
    pub(super) roots: [Vec<Node<'t>>; 3],
    /// Parents of nodes that patterns with a root of any kind name, by purpose.
    pub(super) parents: [Vec<Node<'t>>; 3],
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Items, Self::Tests, Self::Imports];

    fn root_bit(self) -> u8 {
        1 << self as u8
    }

    fn parent_bit(self) -> u8 {
        8 << self as u8
    }
}

impl Kinds {
    /// The table of a grammar for its queries with their texts.
    pub(super) fn of(grammar: &Grammar, queries: &[(Purpose, &Query, &str)]) -> Self {
        let mut bits = vec![0; grammar.node_kind_count()];
        let mut any_root = [const { None }; 3];
        for (purpose, query, text) in queries {
            let Some(patterns) = all_roots(query, text, grammar) else { continue };
            for Root { kind, named, is_child } in patterns.iter().flatten() {
                let bit = if *is_child { purpose.parent_bit() } else { purpose.root_bit() };
                kind_ids(grammar, kind, *named).for_each(|id| bits[usize::from(id)] |= bit);
            }
            let is_any = |roots: &Vec<Root<'_>>| roots.iter().any(|root| root.is_child);
            any_root[*purpose as usize] = Some(patterns.iter().map(is_any).collect());
        }
        Self { bits: bits.into(), any_root }
    }

    /// Which patterns of that query have a root of any kind; `None` if the roots are not known.
    pub(super) fn any_root(&self, purpose: Purpose) -> Option<&[bool]> {
        self.any_root[purpose as usize].as_deref()
    }

    /// Whether a pattern that finds items, or what is said of them, can start at the node or at the
    /// one around it.
    pub(super) fn start_items(&self, node: Node<'_>) -> bool {
        let of = |purpose: Purpose| purpose.root_bit() | purpose.parent_bit();
        self.bits(node) & (of(Purpose::Items) | of(Purpose::Tests)) != 0
    }

    fn bits(&self, node: Node<'_>) -> u8 {
        self.bits.get(usize::from(node.kind_id())).copied().unwrap_or(0)
    }
}

impl<'t> Starts<'t> {
    /// Walks the tree, and calls `each` with every leaf.
    pub(super) fn find(tree: &'t SyntaxTree, mut each: impl FnMut(Node<'t>)) -> Self {
        let kinds = tree.language().spec().kinds();
        let mut starts = Self::default();
        let mut cursor = tree.root().walk();
        let mut around: Vec<Node<'t>> = Vec::new();
        loop {
            let node = cursor.node();
            let bits = kinds.bits(node);
            if bits != 0 {
                starts.add(node, around.last().copied(), bits);
            }
            if cursor.goto_first_child() {
                around.push(node);
                continue;
            }
            each(node);
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    for parents in &mut starts.parents {
                        parents.sort_by_key(|node| (node.start_byte(), node.id()));
                        parents.dedup_by_key(|node| node.id());
                    }
                    return starts;
                }
                around.pop();
            }
        }
    }

    fn add(&mut self, node: Node<'t>, parent: Option<Node<'t>>, bits: u8) {
        for purpose in Purpose::ALL {
            if bits & purpose.root_bit() != 0 {
                self.roots[purpose as usize].push(node);
            }
            if bits & purpose.parent_bit() != 0 {
                self.parents[purpose as usize].extend(parent);
            }
        }
    }
}

/// The numbers of a kind: several, where the grammar has it by several rules.
pub(super) fn kind_ids(grammar: &Grammar, kind: &str, named: bool) -> impl Iterator<Item = u16> {
    let same = move |id: &u16| {
        grammar.node_kind_for_id(*id) == Some(kind) && grammar.node_kind_is_named(*id) == named
    };
    (0..grammar.node_kind_count() as u16).filter(same)
}

/// The kind of the root of a pattern, or of a child of a root of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root<'q> {
    pub(super) kind: &'q str,
    pub(super) named: bool,
    pub(super) is_child: bool,
}

/// The roots of every pattern; `None` where one is not rooted in one node of a plain kind.
pub(super) fn all_roots<'q>(
    query: &Query,
    text: &'q str,
    grammar: &Grammar,
) -> Option<Vec<Vec<Root<'q>>>> {
    let roots = |pattern| {
        let rest = text.get(query.start_byte_for_pattern(pattern)..)?;
        let roots = Reader { rest, grammar }.element()?;
        // To the query, a root of any kind is none.
        let rooted = query.is_pattern_rooted(pattern) || roots.iter().all(|root| root.is_child);
        rooted.then_some(roots)
    };
    (0..query.pattern_count()).map(roots).collect()
}

/// Reads as much of a pattern as tells its root.
struct Reader<'q, 'g> {
    rest: &'q str,
    grammar: &'g Grammar,
}

impl<'q> Reader<'q, '_> {
    fn element(&mut self) -> Option<Vec<Root<'q>>> {
        match self.next()? {
            '"' => {
                let (kind, rest) = self.rest.split_once('"')?;
                self.rest = rest;
                (!kind.contains('\\')).then(|| vec![Root { kind, named: false, is_child: false }])
            }
            '[' => {
                let mut roots = Vec::new();
                loop {
                    self.skip_space();
                    if let Some(rest) = self.rest.strip_prefix(']') {
                        self.rest = rest;
                        return Some(roots);
                    }
                    let all = self.rest;
                    roots.extend(self.element()?);
                    self.rest = after_element(all)?;
                }
            }
            '(' => {
                self.skip_space();
                if self.rest.starts_with(['(', '[', '"']) {
                    return self.element();
                }
                let kind = self.name();
                match kind {
                    "_" => self.child(),
                    "" | "MISSING" | "ERROR" => None,
                    _ => self.plain(kind),
                }
            }
            _ => None,
        }
    }

    /// The first child of a root of any kind, which has to be there.
    fn child(&mut self) -> Option<Vec<Root<'q>>> {
        self.skip_space();
        let field = self.rest.find(|c: char| !is_name(c))?;
        if field > 0 {
            self.rest = self.rest.get(field..)?.strip_prefix(':')?;
            self.skip_space();
        }
        let rest = after_element(self.rest)?;
        if rest.starts_with(['?', '*']) {
            return None;
        }
        let children = self.element()?;
        if children.iter().any(|child| child.is_child) {
            return None;
        }
        Some(children.into_iter().map(|child| Root { is_child: true, ..child }).collect())
    }

    fn plain(&self, kind: &'q str) -> Option<Vec<Root<'q>>> {
        let id = self.grammar.id_for_node_kind(kind, true);
        let is_plain =
            id != 0 && !self.grammar.node_kind_is_supertype(id) && !self.rest.starts_with('/');
        is_plain.then(|| vec![Root { kind, named: true, is_child: false }])
    }

    fn next(&mut self) -> Option<char> {
        self.skip_space();
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn name(&mut self) -> &'q str {
        let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name
    }

    fn skip_space(&mut self) {
        self.rest = skip_space(self.rest);
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// Without white space and comments at its start.
pub(super) fn skip_space(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        if !text.starts_with(';') {
            return text;
        }
        text = text.split_once('\n').map_or("", |(_, rest)| rest);
    }
}

/// What follows the element at the start of `text`, its captures and quantifiers apart from the
/// first sign of one skipped: the next element, a closing bracket, or `?`, `*`.
fn after_element(text: &str) -> Option<&str> {
    let (mut depth, mut string, mut comment) = (0, false, false);
    let mut end = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '\n' => comment = false,
            _ if comment => {}
            _ if escaped => escaped = false,
            '\\' if string => escaped = true,
            '"' => string = !string,
            _ if string => {}
            ';' => comment = true,
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 && !string && !comment && matches!(c, ')' | ']' | '"') {
            end = text.get(at + c.len_utf8()..);
            break;
        }
    }
    let mut rest = end?;
    loop {
        rest = skip_space(rest);
        match rest.strip_prefix(['@', '+']) {
            Some(after) => rest = after.trim_start_matches(is_name),
            None => return Some(rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Language;

    fn roots(text: &str) -> Option<Vec<String>> {
        let grammar = &Language::named("rust").unwrap().spec().grammar;
        let query = Query::new(grammar, text).unwrap();
        let roots = all_roots(&query, text, grammar)?;
        let shown = roots.iter().flatten().map(|root| {
            let quote = if root.named { "" } else { "\"" };
            format!("{}{quote}{}{quote}", if root.is_child { "_ " } else { "" }, root.kind)
        });
        Some(shown.collect())
    }

    #[test]
    fn the_roots_of_patterns_are_read_off_their_text() {
        for (text, expected) in [
            ("; a comment (x)\n(use_declaration) @a", vec!["use_declaration"]),
            ("(mod_item name: (_) @n) @m (crate) @c", vec!["mod_item", "crate"]),
            ("[(self) @s (super)] @x", vec!["self", "super"]),
            ("((identifier) @i (#eq? @i \"a)\"))", vec!["identifier"]),
            ("(_ (visibility_modifier)) @public", vec!["_ visibility_modifier"]),
            ("(_ name: [(self) (super)] @x)", vec!["_ self", "_ super"]),
            ("\"fn\" @f", vec!["\"fn\""]),
        ] {
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(roots(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn patterns_without_a_plain_root_are_unknown() {
        for text in ["(_) @x", "(_expression) @x", "(_ (self)? @s) @x", "((self) . (super) @x)"] {
            assert_eq!(roots(text), None, "{text}");
        }
    }

    #[test]
    fn the_roots_of_every_language_are_known() {
        for language in Language::all() {
            for purpose in Purpose::ALL {
                assert!(
                    language.spec().kinds().any_root(purpose).is_some(),
                    "{language:?} {purpose:?}"
                );
            }
        }
    }
}
