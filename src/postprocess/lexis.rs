//! Brackets, strings and comments, as far as they can be told without a parser: an answer is cut
//! before it parses, and the file around it is often broken.

mod ecmascript;
mod raw;

use crate::text::word::is_word;
pub use raw::Delimiter;

/// Which marks a language uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lexis {
    /// `//`, nested `/* */`, `"…"` over several lines, `'c'`, lifetimes, `r#"…"#`.
    Rust,
    /// `#`, `'…'`, `"…"`, and both tripled.
    Hash,
    /// `//`, `/* */`, `'…'`, `"…"` on one line, `"""…"""`, `` `…` ``.
    Slash,
    /// `//`, `/* */`, `'…'`, `"…"` on one line, `` `… ${code}` ``, `/…/`.
    Ecmascript,
    /// `//`, `/* */`, `'…'`, `"…"` on one line, `R"mark(…)mark"`.
    C,
}

impl Lexis {
    /// The marks of the languages of `family`, whose line comments start with `line_comment`.
    pub fn of(family: &str, line_comment: &str) -> Self {
        match (family, line_comment) {
            ("rust", _) => Self::Rust,
            ("ecmascript", _) => Self::Ecmascript,
            ("c", _) => Self::C,
            (_, "#") => Self::Hash,
            _ => Self::Slash,
        }
    }
}

/// What a position lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Code.
    #[default]
    Code,
    /// A comment up to the end of the line.
    LineComment,
    /// A comment in marks, this many deep.
    BlockComment(usize),
    /// A string.
    String {
        /// What ends it.
        quote: char,
        /// How many of them in a row: 1 or 3.
        count: usize,
        /// How many `#` must follow, and no escapes: a raw string.
        hashes: Option<usize>,
    },
    /// A raw string of C++.
    RawString(Delimiter),
}

impl State {
    /// Whether it is a string of any kind.
    pub fn is_string(self) -> bool {
        matches!(self, Self::String { .. } | Self::RawString(_))
    }
}

/// A bracket in code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bracket {
    /// Where it stands.
    pub offset: usize,
    /// Which it is.
    pub mark: char,
}

impl Bracket {
    /// Whether it opens.
    pub fn opens(self) -> bool {
        matches!(self.mark, '(' | '[' | '{')
    }
}

/// The bracket that closes `open`.
pub fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// The brackets of `text`, read from `state` on, and the state at its end.
pub fn scan(text: &str, lexis: Lexis, mut state: State) -> (Vec<Bracket>, State) {
    let mut brackets = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if state == State::Code
            && let Some(mark) = rest.chars().next().filter(|c| "()[]{}".contains(*c))
        {
            brackets.push(Bracket { offset: at, mark });
        }
        let before = text.get(..at).unwrap_or_default();
        let (length, next) = step(rest, lexis, state, before);
        at += length;
        if state == next {
            at += plain(rest.get(length..).unwrap_or_default(), state, rest.starts_with(is_word));
        }
        state = next;
    }
    (brackets, state)
}

/// How many bytes of `rest` mean nothing in `state`: of a file most do. `in_word` says whether a
/// word goes on.
fn plain(rest: &str, state: State, in_word: bool) -> usize {
    let means_nothing = |byte: &u8| match state {
        State::Code => in_word && (byte.is_ascii_alphanumeric() || *byte == b'_'),
        State::LineComment => *byte != b'\n',
        State::BlockComment(_) => !matches!(byte, b'*' | b'/'),
        State::String { .. } => !matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b'$' | b'\n'),
        State::RawString(_) => *byte != b')',
    };
    rest.bytes().take_while(means_nothing).count()
}

/// What is open in a text that is read line by line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    lexis: Lexis,
    state: State,
    open: Vec<char>,
}

impl Reader {
    /// Nothing read yet, in a place of this state.
    pub fn new(lexis: Lexis, state: State) -> Self {
        Self { lexis, state, open: Vec::new() }
    }

    /// Reads on. A closing bracket that closes nothing of what was read is passed over.
    pub fn read(&mut self, line: &str) {
        let (brackets, state) = scan(line, self.lexis, self.state);
        self.state = state;
        for bracket in brackets {
            if bracket.opens() {
                self.open.push(bracket.mark);
            } else if self.open.last().is_some_and(|open| closing(*open) == bracket.mark) {
                self.open.pop();
            }
        }
    }

    /// Whether every bracket that was opened has been closed.
    pub fn is_balanced(&self) -> bool {
        self.open.is_empty()
    }

    /// What the place behind what was read lies in.
    pub fn state(&self) -> State {
        self.state
    }
}

/// Reads one mark or character of `rest`, which is not empty and stands behind `before`: its length
/// and the state after it.
fn step(rest: &str, lexis: Lexis, state: State, before: &str) -> (usize, State) {
    let first = rest.chars().next().unwrap_or_default();
    let one = first.len_utf8();
    match state {
        State::Code => code(rest, lexis, before).unwrap_or((one, State::Code)),
        State::LineComment if first == '\n' => (one, State::Code),
        State::LineComment => (one, state),
        State::BlockComment(depth) => {
            if rest.starts_with("*/") {
                (2, if depth > 1 { State::BlockComment(depth - 1) } else { State::Code })
            } else if lexis == Lexis::Rust && rest.starts_with("/*") {
                (2, State::BlockComment(depth + 1))
            } else {
                (one, state)
            }
        }
        State::RawString(delimiter) => match delimiter.ends(rest) {
            Some(length) => (length, State::Code),
            None => (one, state),
        },
        State::String { quote, count, hashes } => {
            if (lexis, quote) == (Lexis::Ecmascript, '`')
                && let Some(length) = ecmascript::substitution(rest)
            {
                return (length, state);
            }
            let escaped = first == '\\' && hashes.is_none();
            if escaped {
                return (one + rest.chars().nth(1).map_or(0, char::len_utf8), state);
            }
            let end = count + hashes.unwrap_or(0);
            let quotes = rest.chars().take(count).filter(|c| *c == quote).count();
            let marks = rest.chars().skip(count).take(hashes.unwrap_or(0));
            if quotes == count && marks.filter(|c| *c == '#').count() == hashes.unwrap_or(0) {
                (end, State::Code)
            } else if first == '\n' && count == 1 && lexis != Lexis::Rust && quote != '`' {
                (one, State::Code)
            } else {
                (one, state)
            }
        }
    }
}

/// A mark that leaves code.
fn code(rest: &str, lexis: Lexis, before: &str) -> Option<(usize, State)> {
    let string = |quote, count| State::String { quote, count, hashes: None };
    if lexis == Lexis::Hash {
        return match rest.chars().next()? {
            '#' => Some((1, State::LineComment)),
            quote @ ('"' | '\'') => {
                let triple = rest.chars().take(3).filter(|c| *c == quote).count() == 3
                    && rest.chars().nth(2) == Some(quote);
                Some(if triple { (3, string(quote, 3)) } else { (1, string(quote, 1)) })
            }
            _ => None,
        };
    }
    if rest.starts_with("//") {
        return Some((2, State::LineComment));
    }
    if rest.starts_with("/*") {
        return Some((2, State::BlockComment(1)));
    }
    let after_word = before.ends_with(is_word);
    match (rest.chars().next()?, lexis) {
        ('/', Lexis::Ecmascript) => Some((ecmascript::pattern(rest, before)?, State::Code)),
        ('R' | 'L' | 'u' | 'U', Lexis::C) if !after_word => {
            let (length, delimiter) = Delimiter::opening(rest)?;
            Some((length, State::RawString(delimiter)))
        }
        ('"', Lexis::Slash) if rest.starts_with("\"\"\"") => Some((3, string('"', 3))),
        ('"', _) => Some((1, string('"', 1))),
        ('\'', Lexis::Slash | Lexis::C) if after_word && separates_digits(rest) => None,
        ('\'', Lexis::Rust) => Some(quote_in_rust(rest)),
        ('r', Lexis::Rust) if !after_word => {
            let hashes = rest.chars().skip(1).take_while(|c| *c == '#').count();
            let opens = rest.chars().nth(1 + hashes) == Some('"');
            let raw = State::String { quote: '"', count: 1, hashes: Some(hashes) };
            opens.then_some((2 + hashes, raw))
        }
        ('`', Lexis::C) => None,
        (quote @ ('\'' | '`'), Lexis::Slash | Lexis::Ecmascript | Lexis::C) => {
            Some((1, string(quote, 1)))
        }
        _ => None,
    }
}

/// Whether the quote behind a word stands inside a number (`1'000`), not before a character
/// (`L'x'`).
fn separates_digits(rest: &str) -> bool {
    let mut after = rest.chars().skip(1);
    after.next().is_some_and(|c| c.is_ascii_hexdigit()) && after.next() != Some('\'')
}

/// A character literal is skipped whole; any other `'` starts a lifetime or a label.
fn quote_in_rust(rest: &str) -> (usize, State) {
    let mut chars = rest.char_indices().skip(1);
    let literal_end = match chars.next() {
        Some((_, '\\')) => {
            chars.next();
            chars.take(10).find(|(_, c)| *c == '\'')
        }
        Some(_) => chars.next().filter(|(_, c)| *c == '\''),
        None => None,
    };
    (literal_end.map_or(1, |(at, _)| at + 1), State::Code)
}

/// The brackets of `brackets` that nothing among them closes, and those that close nothing among
/// them, both in order. A bracket of the wrong kind is taken as closing nothing.
pub fn unmatched(brackets: &[Bracket]) -> (Vec<Bracket>, Vec<Bracket>) {
    let mut open: Vec<Bracket> = Vec::new();
    let mut stray = Vec::new();
    for bracket in brackets {
        if bracket.opens() {
            open.push(*bracket);
        } else if open.last().is_some_and(|last| closing(last.mark) == bracket.mark) {
            open.pop();
        } else {
            stray.push(*bracket);
        }
    }
    (open, stray)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marks(text: &str, lexis: Lexis) -> String {
        scan(text, lexis, State::Code).0.iter().map(|bracket| bracket.mark).collect()
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let rust = "f(\"(\", '(', '\\'', r#\"\"(\"#) // (\n/* ( /* ( */ ( */ [x]";
        assert_eq!(marks(rust, Lexis::Rust), "()[]");
        let python = "f('(', \"\\\"(\", '''\n(\n''') # (\n{x}";
        assert_eq!(marks(python, Lexis::Hash), "(){}");
        assert_eq!(marks("f(`(\n`, '(') // {", Lexis::Slash), "()");
        assert_eq!(marks("f(\"\"\"\n(\" (\n\"\"\")", Lexis::Slash), "()");
        assert_eq!(marks("f(1'000, L'(', 0x1'F)", Lexis::Slash), "()");
    }

    #[test]
    fn raw_strings_of_cpp_end_at_their_mark() {
        assert_eq!(marks("f(R\"(\")\", u8R\"x(}\n)\" )x\", [1])", Lexis::C), "([])");
        assert_eq!(marks("f(FOUR\"(\", g)", Lexis::C), "()");
        let (_, state) = scan("R\"x( )\"", Lexis::C, State::Code);
        assert!(matches!(state, State::RawString(_)) && state.is_string());
        assert_eq!(scan(")x\";", Lexis::C, state).1, State::Code);
    }

    #[test]
    fn code_in_a_template_does_not_end_it() {
        let text = "f(`(${a ? `(${\"}\"}` : { b }}(`, [1])";
        assert_eq!(marks(text, Lexis::Ecmascript), "([])");
        let (_, state) = scan("f(`${a ? `b` : c} ${d", Lexis::Ecmascript, State::Code);
        assert_eq!(state, State::String { quote: '`', count: 1, hashes: None });
        let (_, state) = scan(" } (`)", Lexis::Ecmascript, state);
        assert_eq!(state, State::Code);
    }

    #[test]
    fn patterns_are_told_from_divisions() {
        for pattern in
            ["x = /(/;", "f(/[(/]\\/(/g)", "return /}/", "(a) => /[(]/", "!/(/.test(a)", "/(/"]
        {
            let (brackets, state) = scan(pattern, Lexis::Ecmascript, State::Code);
            assert!(unmatched(&brackets).0.is_empty() && state == State::Code, "{pattern}");
        }
        for division in ["a / (b / c", "x++ / (2 / b", "f() / (1 / 2", "</b> {1 /", "/ (b / c"] {
            let (brackets, _) = scan(division, Lexis::Ecmascript, State::Code);
            assert_eq!(unmatched(&brackets).0.len(), 1, "{division}");
        }
    }

    #[test]
    fn lifetimes_are_not_characters() {
        assert_eq!(marks("fn f<'a>(x: &'a str) -> X<'_> { 'l: loop {} }", Lexis::Rust), "(){{}}");
    }

    #[test]
    fn a_string_that_never_ends_ends_with_its_line_where_strings_do() {
        assert_eq!(marks("x = 'oops(\ny = (1)", Lexis::Hash), "()");
    }

    #[test]
    fn the_state_at_the_end_says_where_a_cursor_is() {
        let state = |text| scan(text, Lexis::Rust, State::Code).1;
        assert_eq!(state("let x = 1; "), State::Code);
        assert_eq!(state("// no"), State::LineComment);
        assert_eq!(state("f(\"no"), State::String { quote: '"', count: 1, hashes: None });
        assert_eq!(state("r#\"no\""), State::String { quote: '"', count: 1, hashes: Some(1) });
    }

    #[test]
    fn what_is_open_is_known_line_by_line() {
        let mut reader = Reader::new(Lexis::Rust, State::Code);
        for (line, balanced) in
            [("f(a, [\n", false), ("\"(\", '(']\n", false), (");\n", true), ("} /* (\n", true)]
        {
            reader.read(line);
            assert_eq!(reader.is_balanced(), balanced, "{line}");
        }
        assert_eq!(reader.state(), State::BlockComment(1));
    }

    #[test]
    fn unmatched_brackets_are_told_apart() {
        let (brackets, _) = scan("a) b(c[d] {", Lexis::Rust, State::Code);
        let (open, stray) = unmatched(&brackets);
        assert_eq!(open.iter().map(|b| b.mark).collect::<String>(), "({");
        assert_eq!(stray.iter().map(|b| b.mark).collect::<String>(), ")");
    }

    proptest! {
        #[test]
        fn a_text_can_be_read_in_two_parts_between_words(
            a in "([a-z(){}\"\n ]{0,19}[(){}\"\n ])?",
            b in "[a-z(){}\"\n ]{0,20}",
        ) {
            let (whole, end) = scan(&format!("{a}{b}"), Lexis::Rust, State::Code);
            let (first, middle) = scan(&a, Lexis::Rust, State::Code);
            let (second, end_of_parts) = scan(&b, Lexis::Rust, middle);
            prop_assert_eq!(end, end_of_parts);
            prop_assert_eq!(whole.len(), first.len() + second.len());
        }

        #[test]
        fn no_text_panics(text in "(\\PC|['\"#rR(){}`$/*\\\\\n]){0,40}") {
            for lexis in [Lexis::Rust, Lexis::Hash, Lexis::Slash, Lexis::Ecmascript, Lexis::C] {
                let _ = unmatched(&scan(&text, lexis, State::Code).0);
            }
        }
    }
}
