//! What the passes want to know of the place an answer goes to, found out once.

use super::Place;
use super::lexis::{self, Bracket, Lexis, State};
use super::work::Work;
use crate::syntax::language::Blocks;
use crate::syntax::scope::{self, Extent};

/// A place, looked at closely.
#[derive(Debug, Clone)]
pub struct Surroundings<'a> {
    /// Everything before the cursor.
    pub before: &'a str,
    /// Everything after it.
    pub after: &'a str,
    /// The cursor's line before it.
    pub line_before: &'a str,
    /// The cursor's line after it, without its terminator.
    pub line_after: &'a str,
    /// How lines end: `\n` or `\r\n`.
    pub newline: &'static str,
    /// How blocks are marked.
    pub blocks: Blocks,
    /// How strings and comments are marked.
    pub lexis: Lexis,
    /// What the cursor lies in.
    pub state: State,
    /// Brackets open at the cursor that nothing after it closes, outermost first: an answer may
    /// close these and no others.
    pub closable: Vec<Bracket>,
    /// How much an answer may write.
    pub extent: Extent,
    /// Whether several lines are wanted at all.
    pub multi_line: bool,
    /// One step of indentation.
    pub unit: Unit,
    /// The place itself.
    pub place: Place<'a>,
    /// Whether the block the cursor is in goes on below it.
    pub goes_on: bool,
    /// What parsing for the answer may still cost.
    pub work: Work,
}

/// One step of indentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A tab.
    Tab,
    /// This many spaces.
    Spaces(usize),
}

impl Unit {
    /// Columns of one step; a tab counts as one step of four.
    pub fn width(self) -> usize {
        match self {
            Self::Tab => 4,
            Self::Spaces(n) => n,
        }
    }
}

impl<'a> Surroundings<'a> {
    /// Looks at `place`; `None` where the cursor is no position of the text.
    pub fn of(place: Place<'a>, multi_line: bool) -> Option<Self> {
        let (before, after) = place.text.split_at_checked(place.offset)?;
        let line_before = before.rsplit('\n').next().unwrap_or_default();
        let line_after = after.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let spec = place.tree.map(|tree| tree.language().spec());
        let blocks = spec.map_or(Blocks::Braces, |spec| spec.blocks);
        let lexis = spec.map_or(Lexis::Slash, |spec| Lexis::of(spec.family, spec.line_comment));
        let extent = match place.tree {
            Some(tree) => scope::extent(tree, place.text, place.offset),
            None if line_after.trim().is_empty() => Extent::Block,
            None => Extent::Line,
        };
        let (brackets, state) = lexis::scan(before, lexis, State::Code);
        let (open, _) = lexis::unmatched(&brackets);
        let (_, closers) = lexis::unmatched(&lexis::scan(after, lexis, state).0);
        let closable = left_open(open, &closers);
        let mut around = Self {
            before,
            after,
            line_before,
            line_after,
            newline: if place.text.contains("\r\n") { "\r\n" } else { "\n" },
            blocks,
            lexis,
            state,
            closable,
            extent,
            multi_line,
            unit: unit(place.text),
            place,
            goes_on: false,
            work: Work::for_file(place.text.len()),
        };
        around.goes_on = around.goes_on_below();
        Some(around)
    }

    /// Whether the next line below that is not blank is one of the block that a line at the cursor
    /// belongs to: as deep as that line, and nothing that closes the block.
    fn goes_on_below(&self) -> bool {
        let Some(below) = self.lines_below().next() else { return false };
        let text = below.trim_start();
        let above = self.lines_above().next().unwrap_or_default();
        let column = self.indent_of(self.line_before);
        let header = if self.starts_line() { above } else { self.line_before };
        let own = if self.opens_block(header) {
            column.max(self.indent_of(header) + self.unit.width())
        } else {
            column
        };
        self.indent_of(below) >= own && !text.starts_with(['}', ')', ']'])
    }

    /// The lines above the cursor's, nearest first, without those that are blank.
    pub fn lines_above(&self) -> impl Iterator<Item = &'a str> {
        let above = self.before.len() - self.line_before.len();
        let text = self.before.get(..above).unwrap_or_default();
        text.rsplit('\n').map(|line| line.trim_end_matches('\r')).filter(|l| !l.trim().is_empty())
    }

    /// The lines below the cursor's, nearest first, without those that are blank.
    pub fn lines_below(&self) -> impl Iterator<Item = &'a str> {
        let lines = self.after.split('\n').skip(1).map(|line| line.trim_end_matches('\r'));
        lines.filter(|line| !line.trim().is_empty())
    }

    /// Whether nothing but white space stands before the cursor on its line.
    pub fn starts_line(&self) -> bool {
        self.line_before.trim().is_empty()
    }

    /// Whether nothing but white space stands after the cursor on its line.
    pub fn ends_line(&self) -> bool {
        self.line_after.trim().is_empty()
    }

    /// Columns of white space in front of `line`; a tab counts as one step.
    pub fn indent_of(&self, line: &str) -> usize {
        let blank = line.chars().take_while(|c| matches!(c, ' ' | '\t'));
        blank.map(|c| if c == '\t' { self.unit.width() } else { 1 }).sum()
    }

    /// White space of `columns` columns, in the file's own manner.
    pub fn blank(&self, columns: usize) -> String {
        match self.unit {
            Unit::Tab => {
                let width = self.unit.width();
                "\t".repeat(columns / width) + &" ".repeat(columns % width)
            }
            Unit::Spaces(_) => " ".repeat(columns),
        }
    }

    /// Whether the line ends by opening a block or a bracket.
    pub fn opens_block(&self, line: &str) -> bool {
        let code = line.trim_end();
        code.ends_with(['{', '(', '['])
            || (self.blocks == Blocks::Indentation && code.ends_with(':'))
    }
}

/// Those of the `open` brackets that none of the `closers` closes, outermost first. A closer of
/// the wrong kind closes the nearest bracket of its own kind, if there is one.
fn left_open(mut open: Vec<Bracket>, closers: &[Bracket]) -> Vec<Bracket> {
    let mut left = Vec::new();
    for closer in closers {
        let own = open.iter().rposition(|bracket| lexis::closing(bracket.mark) == closer.mark);
        if let Some(own) = own {
            left.extend(open.drain(own..).skip(1));
        }
    }
    left.extend(open);
    left.sort_by_key(|bracket| bracket.offset);
    left
}

/// The indentation most lines of `text` use; four spaces where none is indented.
fn unit(text: &str) -> Unit {
    let mut tabs = 0usize;
    let mut steps = [0usize; 9];
    let mut last = 0usize;
    // A file's manner shows in its first few thousand lines.
    for line in text.lines().filter(|line| !line.is_empty()).take(4000) {
        if line.starts_with('\t') {
            tabs += 1;
            continue;
        }
        let spaces = line.len() - line.trim_start_matches(' ').len();
        if let Some(count) = steps.get_mut(spaces.saturating_sub(last)) {
            *count += 1;
        }
        last = spaces;
    }
    let (width, lines) = steps
        .iter()
        .enumerate()
        .skip(2)
        .max_by_key(|(width, count)| (**count, usize::MAX - width))
        .map_or((4, 0), |(width, count)| (width, *count));
    match (tabs, lines) {
        (0, 0) => Unit::Spaces(4),
        _ if tabs > lines => Unit::Tab,
        _ => Unit::Spaces(width),
    }
}

/// Runs one pass on an answer at the `ˇ` of `file`, as any language.
#[cfg(test)]
pub(super) fn check(
    pass: impl Fn(&str, &Surroundings<'_>) -> String,
    file: &str,
    answer: &str,
    expected: &str,
) {
    check_in(pass, None, file, answer, expected);
}

/// The same in Rust.
#[cfg(test)]
pub(super) fn check_rust(
    pass: impl Fn(&str, &Surroundings<'_>) -> String,
    file: &str,
    answer: &str,
    expected: &str,
) {
    check_in(pass, Some("rust"), file, answer, expected);
}

/// The same in Python.
#[cfg(test)]
pub(super) fn check_python(
    pass: impl Fn(&str, &Surroundings<'_>) -> String,
    file: &str,
    answer: &str,
    expected: &str,
) {
    check_in(pass, Some("python"), file, answer, expected);
}

#[cfg(test)]
fn check_in(
    pass: impl Fn(&str, &Surroundings<'_>) -> String,
    language: Option<&str>,
    file: &str,
    answer: &str,
    expected: &str,
) {
    use crate::syntax::{Language, SyntaxTree};

    let offset = file.find('ˇ').unwrap();
    let text = file.replacen('ˇ', "", 1);
    let tree = language.map(|name| SyntaxTree::parse(Language::named(name).unwrap(), &text));
    let place = Place { text: &text, tree: tree.as_ref(), offset };
    let around = Surroundings::of(place, true).unwrap();
    let got = pass(answer, &around);
    assert_eq!(got, expected, "{answer:?} at {file:?}");
    assert_eq!(pass(&got, &around), got, "not idempotent: {answer:?} at {file:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(fixture: &str) -> (String, usize) {
        let offset = fixture.find('ˇ').unwrap();
        (fixture.replacen('ˇ', "", 1), offset)
    }

    fn closable(fixture: &str) -> String {
        let (text, offset) = at(fixture);
        let place = Place { text: &text, tree: None, offset };
        let around = Surroundings::of(place, true).unwrap();
        around.closable.iter().map(|bracket| bracket.mark).collect()
    }

    #[test]
    fn only_what_nothing_closes_may_be_closed() {
        assert_eq!(closable("{ f(g(ˇ) }"), "(");
        assert_eq!(closable("{ f([ˇ)"), "{[");
        assert_eq!(closable("f(ˇ)"), "");
        assert_eq!(closable("f(ˇ"), "(");
        assert_eq!(closable("f(\")\", ˇ"), "(");
    }

    #[test]
    fn the_unit_is_what_the_file_uses() {
        assert_eq!(unit("a:\n  b:\n    c\n"), Unit::Spaces(2));
        assert_eq!(unit("a {\n\tb\n}\n"), Unit::Tab);
        assert_eq!(unit("a\nb\n"), Unit::Spaces(4));
        assert_eq!(unit("a {\n    b {\n        c\n    }\n}\n"), Unit::Spaces(4));
    }

    #[test]
    fn lines_around_come_nearest_first_and_without_line_ends() {
        let (text, offset) = at("a\r\n\r\nb\r\n  xˇy\r\n\r\nc\r\nd");
        let around = Surroundings::of(Place { text: &text, tree: None, offset }, true).unwrap();
        assert_eq!(around.lines_above().collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(around.lines_below().collect::<Vec<_>>(), ["c", "d"]);
        assert_eq!((around.line_before, around.line_after), ("  x", "y"));
        assert_eq!(around.newline, "\r\n");
    }

    #[test]
    fn a_cursor_inside_a_character_is_no_place() {
        assert!(Surroundings::of(Place { text: "é", tree: None, offset: 1 }, true).is_none());
        assert!(Surroundings::of(Place { text: "é", tree: None, offset: 9 }, true).is_none());
    }
}
