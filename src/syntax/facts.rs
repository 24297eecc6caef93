//! What a tree says about the inside of an item, from `grammars/<lang>/facts.scm`.

use std::collections::{HashMap, HashSet};

use super::{
    SyntaxTree,
    query::{Match, matches, span},
};
use crate::text::Span;

/// What the query may capture.
#[cfg(test)]
pub(super) const CAPTURES: &[&str] = &[
    "function",
    "parameter",
    "return_type",
    "call",
    "return",
    "raise",
    "branch",
    "loop",
    "mutation",
    "mutation.member",
    "mutation.free",
    "local",
    "suspension",
    "unsafe",
    "name",
    "detail",
];

/// The longest detail, in characters; the rest is an ellipsis.
const MAX_DETAIL: usize = 160;

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sighting {
    /// A parameter; `name` is its name, `detail` its type as written.
    Parameter,
    /// The declared result type; in `detail`.
    ReturnType,
    /// A call; `name` is what is called, as written (`self.items.len`, `foo::bar`, `print!`); a
    /// method on the result of another call starts with a dot (`.sum`).
    Call,
    /// A returned value; in `detail`.
    Return,
    /// An exception raised, a panic, or a `?`; `name` is the keyword, macro or method, `detail`
    /// what it is applied to.
    Raise,
    /// A branch; `name` is its keyword, `detail` its condition.
    Branch,
    /// A loop; `name` is its keyword, `detail` its header.
    Loop,
    /// An assignment to something that outlives the function (`self.x`, a global, through `*`, a
    /// member of a parameter); `name` is the place, `detail` the value.
    Mutation,
    /// An `await` or a `yield`.
    Suspension,
    /// An `unsafe` block.
    Unsafe,
}

/// One sighting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What.
    pub kind: Sighting,
    /// The name, or empty.
    pub name: String,
    /// More, as written in the source, one line, or empty.
    pub detail: String,
    /// Where.
    pub span: Span,
}

/// The facts inside `span`, in document order; nested functions' insides are left out.
pub fn facts(tree: &SyntaxTree, text: &str, span: Span) -> Vec<Fact> {
    let spec = tree.language().spec();
    let mut functions = Vec::new();
    // Of several patterns that see the same in a node the first in the file wins.
    let mut seen: HashMap<(Sighting, Span), (usize, Fact)> = HashMap::new();
    let mut members = HashSet::new();
    let mut free = HashSet::new();
    let mut locals: HashSet<&str> = HashSet::new();
    for found in matches(tree, text, &spec.queries.facts, Some(span)) {
        functions.extend(found.node("function").map(super::query::span));
        let local = found.span("local").filter(|local| span.covers(*local));
        locals.extend(local.and_then(|local| local.of(text)));
        let Some((fact, reach)) = fact(&found, text) else { continue };
        if !span.covers(fact.span) {
            continue;
        }
        match reach {
            Reach::Always => {}
            Reach::Member => _ = members.insert(fact.span),
            Reach::Free => _ = free.insert(fact.span),
        }
        let key = (fact.kind, fact.span);
        if seen.get(&key).is_none_or(|(pattern, _)| *pattern > found.pattern) {
            seen.insert(key, (found.pattern, fact));
        }
    }
    let depths = Depths::of(span, text, functions);
    let mut facts: Vec<Fact> = seen.into_values().map(|(_, fact)| fact).collect();
    facts.retain(|fact| depths.keeps(fact.span));
    facts.sort_by_key(|fact| (fact.span.start, std::cmp::Reverse(fact.span.end), fact.kind as u8));
    // A member of a local object dies with the function; of a parameter or receiver it stays.
    let mut outliving: HashSet<String> = spec.receivers.iter().map(|&r| r.to_owned()).collect();
    outliving
        .extend(facts.iter().filter(|f| f.kind == Sighting::Parameter).map(|f| f.name.clone()));
    facts.retain(|fact| {
        let known = |name: &str| outliving.contains(name) || locals.contains(name);
        fact.kind != Sighting::Mutation
            || (members.contains(&fact.span) && outliving.contains(root_of(&fact.name)))
            || (free.contains(&fact.span) && !known(&fact.name))
            || !(members.contains(&fact.span) || free.contains(&fact.span))
    });
    facts
}

/// When an assignment outlives the function.
enum Reach {
    /// Whatever its place is.
    Always,
    /// If its place starts with a parameter or the receiver.
    Member,
    /// If its place is a name that is declared elsewhere.
    Free,
}

fn fact(found: &Match<'_>, text: &str) -> Option<(Fact, Reach)> {
    let (kind, node, reach) = found.captures().find_map(|(name, node)| {
        let kind = match name {
            "parameter" => Sighting::Parameter,
            "return_type" => Sighting::ReturnType,
            "call" => Sighting::Call,
            "return" => Sighting::Return,
            "raise" => Sighting::Raise,
            "branch" => Sighting::Branch,
            "loop" => Sighting::Loop,
            "mutation" | "mutation.member" | "mutation.free" => Sighting::Mutation,
            "suspension" => Sighting::Suspension,
            "unsafe" => Sighting::Unsafe,
            _ => return None,
        };
        let reach = match name {
            "mutation.member" => Reach::Member,
            "mutation.free" => Reach::Free,
            _ => Reach::Always,
        };
        Some((kind, node, reach))
    })?;
    let part = |capture: &str| {
        found.span(capture).and_then(|span| span.of(text)).map(one_line).unwrap_or_default()
    };
    Some((Fact { kind, name: part("name"), detail: part("detail"), span: span(node) }, reach))
}

/// The functions in and around a span, to leave out what is inside nested ones.
struct Depths {
    inside: Vec<Span>,
    allowed: usize,
}

impl Depths {
    fn of(span: Span, text: &str, functions: Vec<Span>) -> Self {
        let around = functions.iter().any(|f| f.covers(span) && *f != span);
        let mut inside: Vec<Span> = functions.into_iter().filter(|f| span.covers(*f)).collect();
        inside.sort_unstable_by_key(|f| (f.start, std::cmp::Reverse(f.end)));
        inside.dedup();
        // The span of an item: its function comes first and ends where the span ends, but for what
        // closes the call or statement it stands in.
        let closing = |c: char| c.is_whitespace() || matches!(c, ')' | ';' | ',');
        let end = span
            .of(text)
            .map_or(span.end, |text| span.start + text.trim_end_matches(closing).len());
        let own = inside.first().is_some_and(|first| first.end >= end);
        Self { allowed: usize::from(own || !around), inside }
    }

    fn keeps(&self, fact: Span) -> bool {
        self.inside.iter().filter(|f| f.covers(fact)).count() <= self.allowed
    }
}

/// The variable at the start of a place: `self` of `self.items[0]`.
fn root_of(place: &str) -> &str {
    let end = place.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(place.len());
    &place[..end]
}

/// Whitespace runs as one space, cut to a readable length.
fn one_line(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        if out.len() > MAX_DETAIL * 4 {
            break;
        }
    }
    if let Some((cut, _)) = out.char_indices().nth(MAX_DETAIL) {
        out.truncate(cut);
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{Language, outline};

    /// The facts of the item named `f`.
    fn check(language: &str, text: &str) -> String {
        let tree = SyntaxTree::parse(Language::named(language).unwrap(), text);
        let items = outline::items(&tree, text);
        let item = items.iter().find(|item| item.name == "f").unwrap();
        let lines: Vec<String> = facts(&tree, text, item.span)
            .iter()
            .map(|f| format!("{:?} | {} | {}", f.kind, f.name, f.detail))
            .collect();
        lines.join("\n")
    }

    #[test]
    fn rust_facts() {
        let text = "impl C {
    /// Doc.
    #[inline]
    pub async fn f(&mut self, n: u64, cart: &mut Cart) -> Result<u64, E> {
        let local = Local::new();
        local.x = 1;
        self.count += n;
        cart.items[0] = n;
        *n = 2;
        TOTAL = 3;
        if n > 0 && true {
            return Err(E);
        }
        for (i, x) in self.items.iter().enumerate() {
            println!(\"{}\", g(x));
        }
        let Some(y) = h() else { panic!(\"no y\") };
        fn nested(z: u8) { nested_call(); }
        unsafe { raw() };
        let v = load(n).await?;
        match v.unwrap() {
            1 => a::b::<u8>(v),
            _ => loop { break },
        }
    }
}
";
        insta::assert_snapshot!(check("rust", text), @r#"
        Parameter | self | 
        Parameter | n | u64
        Parameter | cart | &mut Cart
        ReturnType |  | Result<u64, E>
        Call | Local::new | 
        Mutation | self.count | n
        Mutation | cart.items[0] | n
        Mutation | *n | 2
        Mutation | TOTAL | 3
        Branch | if | n > 0 && true
        Return |  | Err(E)
        Call | Err | 
        Loop | for | (i, x) in self.items.iter().enumerate()
        Call | .enumerate | 
        Call | self.items.iter | 
        Call | println! | 
        Call | g | 
        Branch | else | Some(y) = h()
        Call | h | 
        Call | panic! | 
        Raise | panic! | ("no y")
        Unsafe | unsafe | 
        Call | raw | 
        Raise | ? | load(n).await
        Suspension | await | load(n)
        Call | load | 
        Return |  | match v.unwrap() { 1 => a::b::<u8>(v), _ => loop { break }, }
        Branch | match | v.unwrap()
        Call | v.unwrap | 
        Raise | unwrap | v
        Call | a::b | 
        Loop | loop |
        "#);
    }

    #[test]
    fn python_facts() {
        let text = "class C:
    @cached
    async def f(self, n, m: int = 1, *args, k=2, **kw) -> int:
        local = Local()
        local.x = 1
        self.count += n
        n.items[0] = 1
        global TOTAL
        if n > 0:
            raise ValueError(\"n\")
        elif m:
            return self.g(n).strip()
        for i, x in enumerate(args):
            print(x)
        def nested(z):
            nested_call()
        while await load(n):
            yield 1
        try:
            pass
        except OSError:
            raise
        return [y for y in kw]
";
        insta::assert_snapshot!(check("python", text), @r#"
        Parameter | self | 
        Parameter | n | 
        Parameter | m | int
        Parameter | *args | 
        Parameter | k | 
        Parameter | **kw | 
        ReturnType |  | int
        Call | Local | 
        Mutation | self.count | n
        Mutation | n.items[0] | 1
        Mutation | TOTAL | 
        Branch | if | n > 0
        Raise | raise | ValueError("n")
        Call | ValueError | 
        Branch | elif | m
        Return |  | self.g(n).strip()
        Call | .strip | 
        Call | self.g | 
        Loop | for | i, x in enumerate(args)
        Call | enumerate | 
        Call | print | 
        Loop | while | await load(n)
        Suspension | await | load(n)
        Call | load | 
        Suspension | yield | 1
        Branch | except | OSError
        Raise | raise | 
        Return |  | [y for y in kw]
        Loop | for | y in kw
        "#);
    }
}
