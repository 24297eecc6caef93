//! Whether a repair may change what a program does. That it compiles does not answer this: a model
//! satisfies a compiler as easily with another program.

use super::names::{is_foreign, likeness};
use super::tokens::{Hunk, Kind, Token, hunks, tokens};
use crate::syntax::Language;
use crate::text::diff::runs;

/// What a repair does to the program that was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// It writes what was meant as the language wants it.
    Mechanical,
    /// It may do something else: how, in a few words. Only tests can prove that it does not.
    Behavioural(String),
}

/// Who proposes a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A tool, for an error.
    Tool,
    /// A tool that calls its repair of a warning safe: what it takes away has no use.
    SafeCleanup,
    /// A template.
    Template,
    /// The model.
    Model,
}

/// Words that decide what runs.
const CONTROL: &[&str] = &[
    "return", "break", "continue", "if", "elif", "else", "match", "case", "loop", "while", "for",
    "not", "and", "or", "pass", "raise", "assert", "try", "except", "lambda", "await",
];

/// Words that may go without a change of behaviour, here or because the language lacks them.
const IDLE: &[&str] =
    &["mut", "let", "var", "const", "function", "func", "fn", "pub", "ref", "dyn", "static"];

/// Names in Rust that stop the program or put something in the place of a failure.
const PANICS: &[&str] = &["expect", "panic", "unreachable", "assert", "todo", "exit", "abort"];

/// Other languages' spellings and Python's.
const SPELLINGS: &[(&str, &str)] = &[
    ("&&", "and"),
    ("||", "or"),
    ("!", "not"),
    ("<>", "!="),
    ("<", "!"),
    (">", "="),
    ("elseif", "elif"),
    ("elsif", "elif"),
    ("+", "=1"),
    ("-", "=1"),
    ("++", "+=1"),
    ("--", "-=1"),
    ("function", "def"),
    ("func", "def"),
    ("fn", "def"),
    ("{", ":"),
];

/// What replacing the text `old` by `new`, proposed by `source`, does.
pub(super) fn effect(language: Option<Language>, old: &str, new: &str, source: Source) -> Effect {
    let is_python = language.is_some_and(|language| language.name() == "python");
    let quotes: &[char] = if is_python { &['"', '\''] } else { &['"'] };
    let (before, after) = (tokens(old, quotes), tokens(new, quotes));
    let hunks = hunks(&before, &after);
    let change = Change { is_python, before: &before, hunks: &hunks, old, new };
    let doubt = match source {
        Source::Model => change.doubt_of_model(),
        _ => change.doubt(source),
    };
    match doubt.or_else(|| is_python.then(|| moved_line(old, new)).flatten()) {
        Some(doubt) => Effect::Behavioural(doubt),
        None => Effect::Mechanical,
    }
}

struct Change<'t> {
    is_python: bool,
    before: &'t [Token<'t>],
    hunks: &'t [Hunk<'t>],
    old: &'t str,
    new: &'t str,
}

impl Change<'_> {
    /// The model is trusted with closing marks and with the spelling of a name in use.
    fn doubt_of_model(&self) -> Option<String> {
        let closing = |token: &Token<'_>| match token.text {
            ":" | ")" | "]" | "}" => true,
            ";" => !self.is_python && token.ends_line,
            _ => false,
        };
        let closes = self.hunks.iter().all(|h| h.gone.is_empty() && h.came.iter().all(closing));
        let respells = match self.hunks {
            [Hunk { gone, came }] => match (&**gone, &**came) {
                ([gone], [came]) => {
                    gone.kind == Kind::Word && came.kind == Kind::Word && self.respelled(gone, came)
                }
                _ => false,
            },
            _ => false,
        };
        (!closes && !respells).then(|| "written by the model".to_owned())
    }

    /// Whether `came` is in use and so like `gone` that a slip of the hand explains it.
    fn respelled(&self, gone: &Token<'_>, came: &Token<'_>) -> bool {
        let in_use = self.before.iter().any(|token| token.text == came.text);
        in_use && likeness(gone.text, came.text).is_some()
    }

    fn doubt(&self, source: Source) -> Option<String> {
        // A name that goes here and comes there.
        let moved = self.hunks.iter().enumerate().find_map(|(at, hunk)| {
            let mut others = self.hunks.iter().enumerate().filter(|(other, _)| *other != at);
            words(&hunk.gone).find(|gone| {
                !IDLE.contains(gone)
                    && others.any(|(_, other)| words(&other.came).any(|came| came == *gone))
            })
        });
        if let Some(name) = moved.filter(|_| source != Source::SafeCleanup) {
            return Some(format!("moves `{name}`"));
        }
        self.hunks.iter().find_map(|hunk| self.doubt_of_hunk(hunk, source))
    }

    fn doubt_of_hunk(&self, hunk: &Hunk<'_>, source: Source) -> Option<String> {
        let (gone, came) = (joined(&hunk.gone), joined(&hunk.came));
        if self.is_python && SPELLINGS.contains(&(gone.as_str(), came.as_str())) {
            return None;
        }
        let quoted = hunk.gone.iter().any(|token| token.kind == Kind::Text);
        if !quoted && !gone.is_empty() && plain(&gone) == came {
            return None;
        }
        // The end of a text, which may have held what stood behind it.
        if quoted && only_inserts(&gone, &came, "\"')]},:;") {
            return None;
        }
        self.added(hunk).or_else(|| {
            (source != Source::SafeCleanup).then(|| self.taken_away(hunk, source)).flatten()
        })
    }

    /// What came that may do something of its own.
    fn added(&self, hunk: &Hunk<'_>) -> Option<String> {
        let kept = |token: &Token<'_>| hunk.gone.iter().any(|gone| gone.text == token.text);
        for token in hunk.came.iter().filter(|token| !kept(token)) {
            let text = token.text;
            match token.kind {
                Kind::Word
                    if !self.is_python
                        && (PANICS.contains(&text) || text.starts_with("unwrap")) =>
                {
                    return Some(format!(
                        "adds `{text}`, which may stop the program or invent a value"
                    ));
                }
                Kind::Word if CONTROL.contains(&text) => return Some(format!("adds `{text}`")),
                Kind::Number => return Some(format!("writes the number {text}")),
                Kind::Mark if text == "?" => {
                    return Some("adds a return where it fails".to_owned());
                }
                Kind::Mark if text == ";" && !(token.ends_line || self.closes_block()) => {
                    return Some("makes two statements of one".to_owned());
                }
                Kind::Mark
                    if self.is_python
                        && !":,()[]{}.".contains(text)
                        && (text != "=" || !self.compares()) =>
                {
                    return Some(format!("adds `{text}`"));
                }
                _ => {}
            }
        }
        None
    }

    /// Whether each semicolon that came stands before the end of a block.
    fn closes_block(&self) -> bool {
        let count = |text: &str| {
            let marks: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
            marks.windows(2).filter(|pair| **pair == [';', '}']).count()
        };
        count(self.new) > count(self.old)
    }

    /// Whether the only lines that changed are conditions, where one `=` is never meant.
    fn compares(&self) -> bool {
        let changed = self.new.lines().zip(self.old.lines()).filter(|(new, old)| new != old);
        changed.map(|(new, _)| new.trim_start()).all(|line| {
            let word = line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            ["if", "elif", "while", "assert", "return"].contains(&word)
        })
    }

    /// What went that may have meant something.
    fn taken_away(&self, hunk: &Hunk<'_>, source: Source) -> Option<String> {
        let unmatched = |from: &[Token<'_>], other: &[Token<'_>]| -> Vec<String> {
            let missing = from.iter().filter(|t| other.iter().all(|other| other.text != t.text));
            missing.filter(|t| t.kind == Kind::Word).map(|t| t.text.to_owned()).collect()
        };
        let (names, new_names) =
            (unmatched(&hunk.gone, &hunk.came), unmatched(&hunk.came, &hunk.gone));
        for token in &hunk.gone {
            if hunk.came.iter().any(|came| came.text == token.text) {
                continue;
            }
            let text = token.text;
            match token.kind {
                Kind::Word if IDLE.contains(&text) => {}
                Kind::Word => match (&*names, &*new_names) {
                    ([old], [new]) if source == Source::Tool || is_foreign(old, new) => {}
                    ([old], [new]) if likeness(old, new).is_some() => {}
                    ([old], [new]) => return Some(format!("uses `{new}` for `{old}`")),
                    _ => return Some(format!("drops `{text}`")),
                },
                Kind::Number => return Some(format!("drops the number {text}")),
                Kind::Text => return Some(format!("changes the text {text}")),
                Kind::Mark if "()[]{},;:\u{200b}\u{feff}\u{200e}\u{200f}".contains(text) => {}
                Kind::Mark if !self.is_python && "&*.'<>#".contains(text) => {}
                Kind::Mark => return Some(format!("drops `{text}`")),
            }
        }
        None
    }
}

fn words<'t>(tokens: &[Token<'t>]) -> impl Iterator<Item = &'t str> {
    tokens.iter().filter(|token| token.kind == Kind::Word).map(|token| token.text)
}

fn joined(tokens: &[Token<'_>]) -> String {
    tokens.iter().map(|token| token.text).collect()
}

/// The ASCII characters that word processors put others in the place of.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !['\u{200b}', '\u{feff}', '\u{200e}', '\u{200f}'].contains(c))
        .map(|c| match c {
            '“' | '”' | '„' | '«' | '»' => '"',
            '‘' | '’' | '‚' => '\'',
            '–' | '—' | '−' => '-',
            '×' => '*',
            '÷' => '/',
            '，' => ',',
            '：' => ':',
            '；' => ';',
            '（' => '(',
            '）' => ')',
            '\u{a0}' | '\u{3000}' => ' ',
            other => other,
        })
        .collect()
}

/// Whether `new` is `old` with some of `marks` put in between.
fn only_inserts(old: &str, new: &str, marks: &str) -> bool {
    let mut old = old.chars().peekable();
    let rest = new.chars().all(|c| old.next_if_eq(&c).is_some() || marks.contains(c));
    rest && old.next().is_none()
}

/// A line of Python that came into another block, told by its text.
fn moved_line(old: &str, new: &str) -> Option<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let bare = |lines: &[&str]| lines.iter().map(|l| l.trim().to_owned()).collect::<Vec<_>>();
    let mut moved: Vec<(usize, usize)> = Vec::new();
    for run in runs(&bare(&old), &bare(&new)) {
        if run.old.len() == run.new.len() {
            moved.extend(run.old.zip(run.new).filter(|(from, to)| {
                let (Some(old), Some(new)) = (old.get(*from), new.get(*to)) else { return false };
                !new.trim().is_empty() && width(old) != width(new)
            }));
        }
    }
    let (from, to) = *moved.first()?;
    if moved.len() == 1 && is_the_only_place(&old, from, width(new.get(to)?)) {
        return None;
    }
    Some(format!("moves `{}` to another block", old.get(from)?.trim()))
}

/// Whether nothing but indenting the line at `index` to `level` makes a block of these lines.
fn is_the_only_place(lines: &[&str], index: usize, level: usize) -> bool {
    let Some((line, above)) =
        lines.get(index).zip(index.checked_sub(1).and_then(|above| lines.get(above)))
    else {
        return false;
    };
    let opens = above.split('#').next().unwrap_or_default().trim_end().ends_with(':');
    if level > width(line) {
        // The only line that can be the block of the header right above it.
        let next = lines.get(index + 1).filter(|next| !next.trim().is_empty());
        return opens
            && width(above) == width(line)
            && next.is_none_or(|next| width(next) < width(line));
    }
    // Deeper than what it follows, without a reason.
    !opens && !above.trim().is_empty() && width(above) == level
}

/// How deep a line stands, in columns.
fn width(line: &str) -> usize {
    let blanks = line.chars().take_while(|c| c.is_whitespace());
    blanks.fold(0, |width, c| if c == '\t' { (width / 8 + 1) * 8 } else { width + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(language: &str, source: Source, old: &str, new: &str, doubt: &str) {
        let expected = if doubt.is_empty() {
            Effect::Mechanical
        } else {
            Effect::Behavioural(doubt.to_owned())
        };
        assert_eq!(effect(Language::named(language), old, new, source), expected, "{old} → {new}");
    }

    #[test]
    fn the_model_is_trusted_with_closing_marks_and_slips_only() {
        let check = |old, new, trusted| {
            check(
                "python",
                Source::Model,
                old,
                new,
                if trusted { "" } else { "written by the model" },
            );
        };
        check("def f(x)\n", "def f(x):\n", true);
        check("total = 1\nprint(totl)\n", "total = 1\nprint(total)\n", true);
        check("print(totl)\n", "print(total)\n", false);
        check("x = 5 5\n", "x = 5 * 3\n", false);
        check("x = 5 5\n", "x = 5; 5\n", false);
        check("x = 5 5\n", "x = 5, 5\n", false);
        check("x = 1$\n", "x = 1.000\n", false);
    }

    #[test]
    fn rust_repairs_without_an_effect_of_their_own() {
        let check = |old, new| check("rust", Source::Tool, old, new, "");
        check("let x = 1;", "let mut x = 1;");
        check("f(x)", "f(&x)");
        check("let s: String = \"a\";", "let s: String = \"a\".to_string();");
        check("a + b", "a + u64::from(b)");
        check("fn f() {}", "use std::fmt;\n\nfn f() {}");
        check("fn f() {\n    g()\n    h();\n}", "fn f() {\n    g();\n    h();\n}");
        check("v.lenght()", "v.len()");
    }

    #[test]
    fn rust_repairs_with_an_effect_of_their_own() {
        let check = |old, new, doubt| check("rust", Source::Tool, old, new, doubt);
        let panics = |name| format!("adds `{name}`, which may stop the program or invent a value");
        let (unwraps, expects) = (panics("unwrap"), panics("expect"));
        check("\"a\".parse()?", "\"a\".parse().unwrap()", &unwraps);
        check("\"a\".parse()", "\"a\".parse().expect(\"REASON\")", &expects);
        check("a + b", "a", "drops `+`");
        check("f(a, b)", "f(a)", "drops `b`");
        check("f(1)", "f(2)", "writes the number 2");
        check("let x = 5 5;", "let x = 5; 5;", "makes two statements of one");
        check("f(x)", "f(x?)", "adds a return where it fails");
    }

    #[test]
    fn python_repairs_without_an_effect_of_their_own() {
        let check = |old, new| check("python", Source::Template, old, new, "");
        check("f('a)\n", "f('a')\n");
        check("x = “a”\n", "x = \"a\"\n");
        check("if x = 1:\n    y\n", "if x == 1:\n    y\n");
        check("if a && b:\n    y\n", "if a and b:\n    y\n");
        check("x++\n", "x += 1\n");
        check("x = null\n", "x = None\n");
        check("print 'a'\n", "print('a')\n");
        check("f(a b)\n", "f(a, b)\n");
        check("def f():\nreturn 1\n\nx = 2\n", "def f():\n    return 1\n\nx = 2\n");
        check("x = 1\n    y = 2\n", "x = 1\ny = 2\n");
        check("if x:\n\ty\n        z\n", "if x:\n        y\n        z\n");
    }

    #[test]
    fn python_repairs_with_an_effect_of_their_own() {
        let check = |old, new, doubt| check("python", Source::Template, old, new, doubt);
        check("x = 0777\n", "x = 777\n", "writes the number 777");
        check("x = 0777\n", "x = 0o777\n", "writes the number 0o777");
        check("def f():\n\nx = 1\n", "def f():\n    pass\n\nx = 1\n", "adds `pass`");
        check("f() = 1\n", "f() == 1\n", "adds `=`");
        let moved = "moves `print(1)` to another block";
        check("for i in x:\n\nprint(1)\n", "for i in x:\n\n    print(1)\n", moved);
        check("if x:\nprint(1)\nprint(2)\n", "if x:\n    print(1)\nprint(2)\n", moved);
        check("if x:\n        y\n    print(1)\n", "if x:\n        y\nprint(1)\n", moved);
    }
}
