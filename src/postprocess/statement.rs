//! Where a statement ends, by parsing the file with each line of the answer as it is completed.

use super::lexis::{Lexis, Reader};
use super::surroundings::Surroundings;
use crate::syntax::language::Blocks;
use crate::syntax::scope;
use crate::text::word::is_word;

/// Most lines of one answer that are parsed for, and most bytes of the file gone over for them.
const MOST_LINES: usize = 32;
const MOST_BYTES: usize = 1 << 20;
/// So many lines may end with every bracket closed and the statement still not complete, as the
/// lines of a chain of calls do.
const MOST_INCOMPLETE: usize = 6;
/// Words that go on with the statement before them on a line of its own.
const GOES_ON: [&str; 9] =
    ["else", "elif", "except", "finally", "catch", "while", "extends", "implements", "where"];

/// What is known of where a statement ends, as far as its lines have been read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// The lines read, with the line break of each.
    read: String,
    /// What they leave open.
    reader: Option<Reader>,
    /// Lines parsed for.
    parses: usize,
    /// The end of the last line with which it is complete.
    complete: Option<usize>,
    /// Whether no more lines belong to it.
    over: bool,
}

impl Statement {
    /// Where the statement that starts or goes on with `answer` ends: behind the last line with
    /// which it is complete, before anything that is outside of it. `None` where that cannot be
    /// told.
    pub fn end(answer: &str, around: &Surroundings<'_>) -> Option<usize> {
        let mut statement = Self::default();
        statement.read(&format!("{answer}\n"), around);
        statement.complete
    }

    /// Whether `partial`, an answer still being written, has gone beyond the statement's end. A
    /// line of it is parsed for once, when it is complete.
    pub fn is_over(&mut self, partial: &str, around: &Surroundings<'_>) -> bool {
        self.read(partial, around);
        self.over
    }

    /// Reads the complete lines of `text` that were not, and looks at what follows them.
    fn read(&mut self, text: &str, around: &Surroundings<'_>) {
        if !text.starts_with(&self.read) {
            *self = Self::default();
        }
        while !self.over {
            let from = self.read.len();
            let rest = text.get(from..).unwrap_or_default();
            if self.complete.is_some() && self.cannot_go_on(rest, around) {
                self.over = true;
                return;
            }
            let Some(line) = rest.find('\n') else { return };
            self.read.push_str(rest.get(..=line).unwrap_or_default());
            self.add_line(from, from + line, around);
        }
    }

    /// Takes up the line from `start` to `end` of what was read.
    fn add_line(&mut self, start: usize, end: usize, around: &Surroundings<'_>) {
        let text = self.read.get(..end).unwrap_or_default();
        // With the line break above it, where strings and comments may end.
        let line = text.get(start.saturating_sub(1)..).unwrap_or_default();
        if line.trim().is_empty() || is_comment(line, around) {
            return;
        }
        let reader = self.reader.get_or_insert_with(|| Reader::new(around.lexis, around.state));
        reader.read(line);
        if !reader.is_balanced() || reader.state().is_string() {
            return;
        }
        if around.place.tree.is_none() {
            (self.complete, self.over) = (Some(end), true);
            return;
        }
        let file = around.before.len() + around.after.len();
        let most = (MOST_BYTES / file.max(1)).clamp(2, MOST_LINES);
        self.parses += 1;
        // What the line says, without white space at its end.
        let said = around.before.len() + text.trim_end().len();
        let line_start = around.before.len() + start;
        match parsed(text, around) {
            Some(found)
                if found.span.end > line_start
                    && found.span.end <= said + around.line_after.len() =>
            {
                self.complete = Some(end);
                // What ends with a semicolon, or has no body in a language whose blocks are
                // indented, does not go on; nor does what ends behind the cursor.
                self.over = text.trim_end().ends_with(';')
                    || !around.ends_line()
                    || (around.blocks == Blocks::Indentation && !found.compound);
            }
            Some(found) if found.span.end <= line_start => self.over = self.complete.is_some(),
            _ => {
                let limit = if self.complete.is_some() || around.opens_block(line) {
                    most
                } else if around.blocks == Blocks::Indentation {
                    1
                } else {
                    MOST_INCOMPLETE
                };
                self.over = self.parses >= limit;
            }
        }
        self.over |= self.parses >= most;
    }

    /// Whether a statement that is complete cannot go on with `rest`, which may be half a line.
    fn cannot_go_on(&self, rest: &str, around: &Surroundings<'_>) -> bool {
        let text = rest.trim_start_matches('\n');
        let line = text.split('\n').next().unwrap_or_default();
        let code = line.trim_start();
        let Some(first) = code.chars().next() else { return false };
        let header = format!("{}{}", around.line_before, self.read.trim_start());
        let base = around.indent_of(header.split('\n').next().unwrap_or_default());
        if around.indent_of(line) > base {
            return false;
        }
        if !(is_word(first) || "/#@\"'".contains(first)) {
            return false;
        }
        let end = code.find(|c| !is_word(c)).unwrap_or(code.len());
        let word = code.get(..end).unwrap_or_default();
        let whole = end < code.len() || text.len() > line.len();
        !GOES_ON.iter().any(|known| *known == word || (!whole && known.starts_with(word)))
    }
}

/// Whether a line is a comment by itself: it belongs to the statement below.
fn is_comment(line: &str, around: &Surroundings<'_>) -> bool {
    line.trim_start().starts_with(if around.lexis == Lexis::Hash { "#" } else { "//" })
}

/// The statement that `text` starts or goes on with at the cursor, if it is sound.
fn parsed(text: &str, around: &Surroundings<'_>) -> Option<scope::Statement> {
    let above = |line: &&str| line.trim().is_empty() || is_comment(line, around);
    let above: usize = text.split_inclusive('\n').take_while(above).map(str::len).sum();
    let rest = text.get(above..).unwrap_or_default();
    let blank = above + rest.len() - rest.trim_start().len();
    let place = around.place;
    let (new, tree) = around.work.insert(text, place)?;
    let inside = !around.starts_line();
    scope::statement(&tree, &new, place.offset + blank, inside).filter(|found| found.sound)
}

#[cfg(test)]
mod tests {
    use super::super::Place;
    use super::*;
    use crate::syntax::{Language, SyntaxTree};

    /// Where a statement ends, and after which characters that was known.
    fn check(
        language: &str,
        file: &str,
        answer: &str,
        expected: Option<&str>,
        known_at: Option<&str>,
    ) {
        let offset = file.find('ˇ').unwrap();
        let text = file.replacen('ˇ', "", 1);
        let tree = SyntaxTree::parse(Language::named(language).unwrap(), &text);
        let place = Place { text: &text, tree: Some(&tree), offset };
        let around = Surroundings::of(place, true).unwrap();
        let end = Statement::end(answer, &around).map(|end| &answer[..end]);
        assert_eq!(end, expected, "{answer:?} at {file:?}");
        let mut statement = Statement::default();
        let over = answer.char_indices().map(|(at, c)| at + c.len_utf8());
        let over = over.map(|end| &answer[..end]).find(|part| statement.is_over(part, &around));
        assert_eq!(over, known_at, "{answer:?} at {file:?}");
    }

    #[test]
    fn a_statement_goes_on_over_the_lines_of_a_chain() {
        let file = "fn f() {\n    let x = ˇ\n    g(x);\n}\n";
        let chain = "a\n        .b()\n        .c();\n    d();";
        let end = "a\n        .b()\n        .c();";
        check("rust", file, chain, Some(end), Some("a\n        .b()\n        .c();\n"));
    }

    #[test]
    fn a_branch_that_follows_belongs_to_the_statement() {
        let file = "fn f() {\n    ˇ\n    g(x);\n}\n";
        let both = "if a {\n        b();\n    } else {\n        c();\n    }\n    d();\n";
        let end = "if a {\n        b();\n    } else {\n        c();\n    }";
        check("rust", file, both, Some(end), Some(&format!("{end}\n    d")));
        let file = "def f():\n    ˇ\n    return 1\n";
        let both = "if a:\n        b()\n    else:\n        c()\n    d()\n";
        let end = "if a:\n        b()\n    else:\n        c()";
        check("python", file, both, Some(end), Some(&format!("{end}\n    d")));
    }

    #[test]
    fn a_comment_belongs_to_the_statement_below() {
        let file = "def f():\n    ˇ\n    return 1\n";
        let both = "# Adds.\n    a = 1\n    b = 2\n";
        check("python", file, both, Some("# Adds.\n    a = 1"), Some("# Adds.\n    a = 1\n"));
    }

    #[test]
    fn what_never_parses_has_no_end() {
        check("rust", "fn f() {\n    ˇ\n}\n", "let = = 1;\nx", None, None);
    }
}
