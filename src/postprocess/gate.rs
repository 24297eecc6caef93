//! The parser as judge, and rules where it is too lenient: no suggestion adds a parse error; cut back to the longest valid prefix.

use std::cell::OnceCell;

use super::Place;
use super::lexis::{self, State};
use super::surroundings::Surroundings;
use crate::syntax::{SyntaxTree, health, strict};
use crate::text::Span;
use crate::text::word::is_word;

/// Most parses of one answer. Each costs about a millisecond; nobody waits for more.
const MOST_TRIALS: usize = 64;
/// Most bytes parsed for one answer: those of the answer are parsed anew each time, those of the
/// file are only gone over, so many times as fast where it is sound and where it is not: there the
/// parser looks for a way out of the fault anew.
const MOST_BYTES: usize = 48 << 10;
const SOUND_SHARE: usize = 64;
const BROKEN_SHARE: usize = 8;

/// How far from the cursor it is looked for what the file offends already, in bytes.
const NEAR: usize = 64 << 10;

/// Fewest bytes of what is left of an answer after cutting: less is hardly what was meant.
const LEAST_LEFT: usize = 4;

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Damage {
    /// Number of ERROR and MISSING nodes.
    pub faults: usize,
    /// Bytes in ERROR nodes that are not the answer's.
    pub bytes: usize,
    /// ERROR nodes that start in the answer and MISSING nodes inside it: its own mistakes, even
    /// where they took the place of one that was there before.
    pub own: usize,
}

impl Damage {
    /// Whether this is no worse in any way than `other`.
    fn within(self, other: Self) -> bool {
        self.faults <= other.faults && self.bytes <= other.bytes && self.own <= other.own
    }
}

/// What the gate let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// The longest part of the answer that may be inserted; empty when there is none.
    pub text: String,
    /// The file with it.
    pub damage: Damage,
}

/// The longest part of `answer` with which the file at `place` parses no worse than without: the
/// answer itself; the answer with the brackets it left open, or its statement, ended; its first
/// lines; most of its first line. A file that is in an unknown language cannot be judged, only balanced.
pub fn gate(answer: &str, place: Place<'_>, around: &Surroundings<'_>) -> Passed {
    let Some(tree) = place.tree else { return unjudged(answer, around) };
    let base = as_it_is(place);
    let share = if base.faults > 0 { BROKEN_SHARE } else { SOUND_SHARE };
    let (mut trials, mut left) = (0, MOST_BYTES);
    let usual = Usual::of(tree, place);
    let mut judge = |text: &str| {
        if joins_words(text, around) {
            return None;
        }
        let cost = text.len() + place.text.len() / share;
        // Of a long answer, what is much shorter is tried before all is spent.
        if trials >= MOST_TRIALS || (trials > 0 && (cost > left || text.len() > left / 4)) {
            return None;
        }
        trials += 1;
        left = left.saturating_sub(cost);
        let damage = after(text, place, around, (&base, &usual))?;
        // Punctuation alone is worth showing where it mends something, or closes what is open.
        let worth = words(text) > 0 || damage.faults < base.faults || closes(text, around);
        worth.then(|| Passed { text: text.to_owned(), damage })
    };
    let nothing = Passed { text: String::new(), damage: base };
    if answer.is_empty() {
        return nothing;
    }
    if let Some(passed) = judge(answer) {
        // A bracket that stands behind the cursor already, in a file that lacks the one it closes.
        let shorter = without_brackets_behind(answer, around)
            .filter(|_| passed.damage.faults > 0)
            .and_then(&mut judge)
            .filter(|shorter| shorter.damage.faults < passed.damage.faults);
        return shorter.unwrap_or(passed);
    }
    for ended in endings(answer, around) {
        if let Some(passed) = judge(&ended) {
            return passed;
        }
    }
    let fits = |text: &&str| text.len() >= LEAST_LEFT && !leaves_call_open(text, around);
    shorter(answer).filter(fits).find_map(judge).unwrap_or(nothing)
}

/// What is wrong with the file at `place` before anything is inserted.
pub fn as_it_is(place: Place<'_>) -> Damage {
    place.tree.map_or_else(Damage::default, |tree| damage(tree, Span::empty(place.offset)))
}

/// Whether `answer` would become one word with what stands behind the cursor.
fn joins_words(answer: &str, around: &Surroundings<'_>) -> bool {
    answer.ends_with(is_word) && around.line_after.starts_with(is_word)
}

/// Whether `answer` ends the string the cursor is in, or closes a bracket it has not opened.
fn closes(answer: &str, around: &Surroundings<'_>) -> bool {
    let (brackets, state) = lexis::scan(answer, around.lexis, around.state);
    (around.state.is_string() && state == State::Code) || !lexis::unmatched(&brackets).1.is_empty()
}

/// Whether `answer` opens a round or square bracket that the rest of the line does not close: in a
/// broken file the parser may not mind.
fn leaves_call_open(answer: &str, around: &Surroundings<'_>) -> bool {
    let (brackets, _) = lexis::scan(answer, around.lexis, around.state);
    let (open, _) = lexis::unmatched(&brackets);
    let closers: String = open.iter().rev().map(|open| lexis::closing(open.mark)).collect();
    open.iter().any(|open| open.mark != '{')
        && !around.line_after.trim_start().starts_with(&closers)
}

/// `answer` without the closing brackets at its end that the rest of the line starts with.
fn without_brackets_behind<'t>(answer: &'t str, around: &Surroundings<'_>) -> Option<&'t str> {
    let text = answer.trim_end();
    let behind = around.line_after.trim_start();
    let closers = behind.len() - behind.trim_start_matches([')', ']', '}']).len();
    (1..=closers).rev().find_map(|count| text.strip_suffix(behind.get(..count)?))
}

fn unjudged(answer: &str, around: &Surroundings<'_>) -> Passed {
    let (brackets, _) = lexis::scan(answer, around.lexis, around.state);
    let balanced = lexis::unmatched(&brackets).0.is_empty();
    let text = if balanced { answer } else { answer.split('\n').next().unwrap_or_default() };
    Passed { text: text.to_owned(), damage: Damage::default() }
}

/// The rules that a file offends as it is, near the cursor; found out when they are first asked for.
struct Usual<'a> {
    rules: OnceCell<Vec<usize>>,
    tree: &'a SyntaxTree,
    place: Place<'a>,
}

impl<'a> Usual<'a> {
    fn of(tree: &'a SyntaxTree, place: Place<'a>) -> Self {
        Self { rules: OnceCell::new(), tree, place }
    }

    fn has(&self, rule: usize) -> bool {
        let Place { text, offset, .. } = self.place;
        let near = Span::new(offset.saturating_sub(NEAR), (offset + NEAR).min(text.len()));
        let rules = self.rules.get_or_init(|| {
            strict::refused(self.tree, text, Some(near)).iter().map(|one| one.rule).collect()
        });
        rules.contains(&rule)
    }
}

/// The damage of the file at `place` with `text` inserted, if it is no worse than `base` and the
/// language refuses nothing that is not `usual` in the file; `None` too where there is not enough
/// work left to tell.
fn after(
    text: &str,
    place: Place<'_>,
    around: &Surroundings<'_>,
    (base, usual): (&Damage, &Usual<'_>),
) -> Option<Damage> {
    let (new, tree) = around.work.insert(text, place)?;
    let own = Span::new(place.offset, place.offset + text.len());
    // The cheaper question first: most of what fails fails here.
    let damage = damage(&tree, own);
    if !damage.within(*base) {
        return None;
    }
    let refused = strict::refused(&tree, &new, Some(own));
    refused.iter().all(|one| usual.has(one.rule)).then_some(damage)
}

fn damage(tree: &SyntaxTree, own: Span) -> Damage {
    let health = health::health(tree);
    let outside = |error: &Span| {
        let inside = error.end.min(own.end).saturating_sub(error.start.max(own.start));
        error.len() - inside.min(error.len())
    };
    let starts_in = |error: &&Span| own.start <= error.start && error.start < own.end;
    let lies_in = |missing: &&Span| own.start < missing.start && missing.start < own.end;
    Damage {
        faults: health.faults(),
        bytes: health.errors.iter().map(outside).sum(),
        own: health.errors.iter().filter(starts_in).count()
            + health.missing.iter().filter(lies_in).count(),
    }
}

/// The answer with what it left open closed. An answer that reached its longest length stops in
/// the middle of a statement; where the line ends with it, its end can be told.
fn endings(answer: &str, around: &Surroundings<'_>) -> Vec<String> {
    if !around.ends_line() || answer.contains('\n') {
        return vec![];
    }
    let text = answer.trim_end();
    let (brackets, state) = lexis::scan(text, around.lexis, around.state);
    if state != State::Code || !text.ends_with(|c: char| is_word(c) || "'\")]}".contains(c)) {
        return vec![];
    }
    let (open, _) = lexis::unmatched(&brackets);
    let closers: String = open.iter().rev().map(|open| lexis::closing(open.mark)).collect();
    let closed = format!("{text}{closers}");
    match around.lexis {
        lexis::Lexis::Hash if closers.is_empty() => vec![],
        lexis::Lexis::Hash => vec![closed],
        _ if closers.is_empty() => vec![format!("{text};")],
        _ => vec![closed.clone(), format!("{closed};")],
    }
}

/// Shorter and shorter answers: without its last lines, then the first line without its last
/// tokens. Of a line that breaks before its middle nothing can be trusted.
fn shorter(answer: &str) -> impl Iterator<Item = &str> {
    let lines = answer.match_indices('\n').map(|(at, _)| at).rev();
    let first = answer.split('\n').next().unwrap_or_default();
    let first = if first.trim().is_empty() { answer } else { first };
    let ends = token_ends(first);
    let half = ends.len() / 2;
    let tokens = ends.into_iter().skip(half.saturating_sub(1)).rev().skip(1);
    lines.chain(tokens).filter_map(|end| answer.get(..end)).map(str::trim_end)
}

/// Where the tokens of `line` end: words, and any other character by itself.
fn token_ends(line: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let continues = chars.peek().is_some_and(|(_, next)| is_word(c) && is_word(*next));
        if !c.is_whitespace() && !continues {
            ends.push(at + c.len_utf8());
        }
    }
    ends
}

/// Number of letters and digits.
fn words(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Language;

    fn check(language: &str, file: &str, answer: &str, expected: &str) {
        let offset = file.find('ˇ').unwrap();
        let text = file.replacen('ˇ', "", 1);
        let tree = SyntaxTree::parse(Language::named(language).unwrap(), &text);
        let place = Place { text: &text, tree: Some(&tree), offset };
        let around = Surroundings::of(place, true).unwrap();
        let passed = gate(answer, place, &around);
        assert_eq!(passed.text, expected, "{answer:?} at {file:?}");
        assert!(passed.damage.within(damage(&tree, Span::empty(offset))));
        assert_eq!(gate(&passed.text, place, &around).text, passed.text, "not idempotent");
    }

    #[test]
    fn what_parses_passes() {
        check("rust", "fn f() {\n    ˇ\n}\n", "let x = g();", "let x = g();");
        check("python", "def f():\n    ˇ\n    return 1\n", "x = g()", "x = g()");
    }

    #[test]
    fn what_breaks_a_healthy_file_is_cut_to_what_parses() {
        check("rust", "fn f() {\n    ˇ\n}\n", "let x = g();\n    let = ;", "let x = g();");
        check("python", "def f():\n    ˇ\n    return 1\n", "x = g() +* 2", "x = g()");
    }

    #[test]
    fn what_never_parses_is_dropped() {
        check("rust", "fn f() {\n    ˇ\n}\n", "= = ) 1", "");
        check("rust", "const X: u8 = 1;\nˇ\nfn f() {}\n", "1 2 3", "");
    }

    #[test]
    fn a_statement_in_the_making_may_be_finished() {
        check("rust", "fn f() {\n    let x = ˇ\n}\n", "g(1);", "g(1);");
        check("python", "def f():\n    x = ˇ\n\ndef g():\n    pass\n", "h(1)", "h(1)");
    }

    #[test]
    fn a_statement_in_the_making_is_not_made_worse() {
        check("rust", "fn f() {\n    let x = ˇ\n    g();\n}\n", "h(1);", "h(1);");
        check("rust", "fn f() {\n    let x = ˇ\n    g();\n}\nfn h() {}\n", "h(1); } }", "h(1);");
    }

    #[test]
    fn a_mistake_of_its_own_does_not_hide_behind_one_that_was_there() {
        let looped = "fn f(&self) {\n    for item in ˇ\n    }\n    g();\n}\n";
        check("rust", looped, "1 2 3 {", "");
        check("rust", looped, "self.items.(iter) {", "");
        check("rust", looped, "self.items.iter() {", "self.items.iter() {");
        let condition = "def f():\n    if ˇ\n    return x\n";
        check("python", condition, "a b c:", "");
        check("python", condition, "a and b:", "a and b:");
    }

    #[test]
    fn what_only_the_parser_takes_is_dropped() {
        check("rust", "ˇ", "self.0 = self.0;", "");
        check("rust", "use a::b;\nˇ\nfn f() {}\n", "let x = 1;", "");
        check("rust", "use a::b;\nˇ\nfn f() {}\n", "const X: u8 = 1;", "const X: u8 = 1;");
        check("rust", "fn f() {\n    ˇ\n}\n", "g();\n    #[test]", "g();");
        check("rust", "fn f() {}\nˇ", "/// Adds.\nfn g() {}", "/// Adds.\nfn g() {}");
        check("rust", "fn f() {}\nˇ", "/// Adds.", "");
        check("python", "ˇ\n", "print x", "print");
        check("python", "from dataclasses importˇ dataclass\n", " annotations", "");
    }

    #[test]
    fn a_file_that_is_itself_lenient_may_go_on_so() {
        check("rust", "let a = 1;\nˇ\n", "let b = 2;", "let b = 2;");
    }

    #[test]
    fn no_answer_grows_into_the_word_behind_the_cursor() {
        check("rust", "fn f() {\n    ˇg()\n}\n", "h", "");
        check("rust", "fn f() {\n    ˇg()\n}\n", "h::", "h::");
    }

    #[test]
    fn a_cut_leaves_no_call_open_in_a_broken_file() {
        check("python", "def f():\n    x = ˇ\n    return x\n", "a b(y)", "");
    }

    #[test]
    fn an_answer_that_was_cut_off_is_ended() {
        check("rust", "fn f() {\n    ˇ\n}\n", "let x = g(h(1", "let x = g(h(1));");
        check("python", "def f():\n    ˇ\n    return 1\n", "x = g(h(1", "x = g(h(1))");
    }

    #[test]
    fn a_bracket_behind_the_cursor_closes_what_the_answer_opens() {
        check("python", "def f():\n    x = self.opˇ)\n", "tion(a)", "tion(a");
        check("rust", "fn f() {\n    x.puˇ);\n}\n", "sh((a, b))", "sh((a, b)");
        check("python", "print(xˇ)\n", ".y(1)", ".y(1)");
    }

    #[test]
    fn punctuation_alone_is_shown_where_it_closes_what_is_open() {
        check("python", "x = {\n    'a': f('bˇ\n    'c': 1,\n}\n", "')", "')");
        check("rust", "fn f() {\n    if a {\n        b();\n    ˇ\n    c();\n}\n", "}", "}");
        check("rust", "fn f() {\n    ˇ\n    c();\n}\n", "///", "");
        check("python", "def f():\n    ˇ\n    return 1\n", "#", "");
    }

    #[test]
    fn an_unknown_language_is_only_balanced() {
        let place = Place { text: "", tree: None, offset: 0 };
        let around = Surroundings::of(place, true).unwrap();
        assert_eq!(gate("a(\nb", place, &around).text, "a(");
        assert_eq!(gate("a(\nb)", place, &around).text, "a(\nb)");
    }
}
