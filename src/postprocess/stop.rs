//! Where a completion ends: its line, its statement, or the enclosing block.

use super::lexis::{self, Reader, State};
use super::statement::Statement;
use super::surroundings::Surroundings;
use crate::syntax::language::Blocks;
use crate::syntax::scope::Extent;

/// `answer` up to where the place wants it to end: before a bracket that would close what is
/// closed already; with the line, statement or block that is wanted; before a line that leaves the
/// block, and before a blank line after which the block goes on.
pub fn stop(answer: &str, around: &Surroundings<'_>) -> String {
    let answer = if around.starts_line() { without_blank_lines(answer) } else { answer };
    let answer = if around.state == State::Code { within_brackets(answer, around) } else { answer };
    let end = match Wanted::at(around) {
        Wanted::Line => first_line(answer),
        Wanted::Statement => {
            Statement::end(answer, around).unwrap_or_else(|| by_brackets(answer, around))
        }
        Wanted::Block => block(answer, around),
    };
    answer.get(..end).unwrap_or_default().to_owned()
}

/// Whether `partial`, an answer still being written, has passed the end that [`stop`] would give
/// it, whatever follows. What `statement` knows of the answer so far is not found out again.
pub fn is_past_end(partial: &str, around: &Surroundings<'_>, statement: &mut Statement) -> bool {
    let text = if around.starts_line() { without_blank_lines(partial) } else { partial };
    if around.state == State::Code && within_brackets(text, around).len() < text.len() {
        return true;
    }
    match Wanted::at(around) {
        Wanted::Line => text.contains('\n'),
        Wanted::Statement => statement.is_over(text, around),
        Wanted::Block => block(text, around) < text.trim_end().len(),
    }
}

/// What a place wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// No more than the rest of the line.
    Line,
    /// The statement at the cursor.
    Statement,
    /// The rest of the block.
    Block,
}

impl Wanted {
    /// As several others do: more than a statement only where a block is empty or ends below the
    /// cursor, never more than the line inside a comment, a string or the brackets of a call.
    fn at(around: &Surroundings<'_>) -> Self {
        let opens = around.opens_block(around.line_before);
        if !around.multi_line || around.extent == Extent::Literal {
            Self::Line
        } else if around.extent == Extent::Line
            || around.goes_on
            || !(around.starts_line() || opens)
        {
            Self::Statement
        } else {
            Self::Block
        }
    }
}

/// Blank lines in front; the white space before the first word stays.
fn without_blank_lines(answer: &str) -> &str {
    let blank = answer.len() - answer.trim_start().len();
    let line = answer.get(..blank).and_then(|blank| blank.rfind('\n')).map_or(0, |at| at + 1);
    answer.get(line..).unwrap_or_default()
}

fn first_line(answer: &str) -> usize {
    answer.find('\n').unwrap_or(answer.len())
}

/// `answer` before the first bracket that may not be closed here. Once it has closed one that was
/// open before it, it ends with that line.
fn within_brackets<'t>(answer: &'t str, around: &Surroundings<'_>) -> &'t str {
    let (brackets, _) = lexis::scan(answer, around.lexis, around.state);
    let mut closable = around.closable.clone();
    let mut inside: Vec<char> = Vec::new();
    let mut closed_at: Option<usize> = None;
    for bracket in brackets {
        let line_ended = closed_at.is_some_and(|closed| {
            answer.get(closed..bracket.offset).is_some_and(|between| between.contains('\n'))
        });
        if bracket.opens() {
            if line_ended {
                break;
            }
            inside.push(bracket.mark);
        } else if inside.last().is_some_and(|open| lexis::closing(*open) == bracket.mark) {
            inside.pop();
        } else if inside.is_empty()
            && closable.last().is_some_and(|open| lexis::closing(open.mark) == bracket.mark)
        {
            closable.pop();
            closed_at = Some(bracket.offset);
        } else {
            let before = answer.get(..bracket.offset).unwrap_or_default();
            return before;
        }
    }
    let Some(closed) = closed_at else { return answer };
    let rest = answer.get(closed..).unwrap_or_default();
    rest.find('\n').and_then(|line| answer.get(..closed + line)).unwrap_or(answer)
}

/// The end of a statement that never parses: the first line at which every bracket that the answer
/// opened is closed, or the first line. A line break in front belongs to the first line; a header
/// has its block.
fn by_brackets(answer: &str, around: &Surroundings<'_>) -> usize {
    let start = if around.ends_line() { answer.len() - answer.trim_start().len() } else { 0 };
    let line_end = |from: usize| {
        answer.get(from..).and_then(|rest| rest.find('\n')).map_or(answer.len(), |at| from + at)
    };
    let first = line_end(start);
    let header = answer.get(start..first).unwrap_or_default();
    if around.blocks == Blocks::Indentation && around.opens_block(header) {
        return block(answer, around);
    }
    let mut reader = Reader::new(around.lexis, around.state);
    let (mut read, mut end) = (0, first);
    loop {
        reader.read(answer.get(read..end).unwrap_or_default());
        if reader.is_balanced() && !reader.state().is_string() {
            return end;
        }
        if end >= answer.len() {
            return first;
        }
        (read, end) = (end, line_end(end + 1));
    }
}

/// The end of the last line that still belongs to the block.
fn block(answer: &str, around: &Surroundings<'_>) -> usize {
    let base = floor(answer, around);
    let mut end = 0;
    let mut blank_lines = 0;
    let mut from = 0;
    let mut read = 0;
    let mut reader = Reader::new(around.lexis, around.state);
    for (idx, line) in answer.split('\n').enumerate() {
        let line_end = from + line.len();
        if line.trim().is_empty() {
            blank_lines += usize::from(idx > 0);
            from = line_end + 1;
            continue;
        }
        reader.read(answer.get(read..from).unwrap_or_default());
        read = from;
        let inside = !reader.is_balanced() || reader.state() != around.state;
        let indent = around.indent_of(line);
        let leaves = idx > 0 && !inside && around.blocks == Blocks::Indentation && indent < base;
        // Behind a blank line starts something else, unless a block is still open.
        let written = answer.get(..end).is_some_and(|text| !text.trim().is_empty());
        let new_topic = blank_lines > 0 && written && !inside && indent <= base;
        if leaves || new_topic || blank_lines > 1 {
            return end;
        }
        (end, blank_lines, from) = (line_end, 0, line_end + 1);
    }
    end
}

/// The least indentation of a line that belongs to the block the answer starts in, in columns.
fn floor(answer: &str, around: &Surroundings<'_>) -> usize {
    let first = answer.split('\n').next().unwrap_or_default();
    let whole = format!("{}{first}", around.line_before);
    let indent = around.indent_of(&whole);
    // `def f():` completed at its end: what follows is its body.
    let header = !around.starts_line() && around.opens_block(&whole);
    if header { indent + 1 } else { indent }
}

#[cfg(test)]
mod tests {
    use super::super::surroundings::{check, check_python, check_rust};
    use super::*;

    #[test]
    fn one_line_where_no_more_is_wanted() {
        check(|a, s| stop(a, &Surroundings { multi_line: false, ..s.clone() }), "ˇ", "a\nb", "a");
        check_rust(stop, "fn f() { g(ˇ, 1); }", "a\nb", "a");
    }

    #[test]
    fn a_statement_goes_on_until_its_brackets_close() {
        let file = "fn f() {\n    let x = ˇ;\n    g(x);\n}\n";
        check_rust(stop, file, "vec![\n        1,\n    ]\nmore", "vec![\n        1,\n    ]");
        check_rust(stop, file, "vec![\n        1,\n", "vec![");
    }

    #[test]
    fn a_bracket_that_is_closed_already_ends_the_answer() {
        check_rust(stop, "fn f() { g(ˇ); }", "a, (b)); h();", "a, (b)");
        check_rust(stop, "fn f() {\n    ˇ\n}\n", "a();\n}\n\nfn g() {\n    b();", "a();");
        check_python(stop, "print(ˇ)\n", "len(x))", "len(x)");
    }

    #[test]
    fn a_bracket_that_is_still_open_may_be_closed_once() {
        check_rust(stop, "fn f() { g(ˇ\n}\n", "a); h();", "a); h();");
        check_rust(stop, "fn f() { g(ˇ\n}\n", "a)); h();", "a)");
        check_rust(stop, "fn f() {\n    ˇ", "a();\n}\n\nfn g() {}", "a();\n}");
    }

    #[test]
    fn a_block_ends_where_indentation_leaves_it() {
        let file = "def f():\n    ˇ\n";
        check_python(stop, file, "a()\n    b()\nc()", "a()\n    b()");
        check_python(
            stop,
            file,
            "if a:\n        b()\n    else:\n        c()",
            "if a:\n        b()\n    else:\n        c()",
        );
        check_python(stop, file, "x = [\n1,\n    ]\ny", "x = [\n1,\n    ]");
    }

    #[test]
    fn a_blank_line_ends_a_topic_but_not_an_open_block() {
        let file = "def f():\n    ˇ\n";
        check_python(stop, file, "a()\n\n    b()", "a()");
        check_python(
            stop,
            file,
            "if a:\n        b()\n\n        c()",
            "if a:\n        b()\n\n        c()",
        );
        check_python(stop, file, "if a:\n        b()\n\n\n        c()", "if a:\n        b()");
    }

    #[test]
    fn blank_lines_in_front_go_where_the_line_is_empty() {
        check_python(stop, "def f():\n    ˇ\n", "\n\n    a()", "    a()");
    }

    #[test]
    fn strings_and_comments_end_with_their_line() {
        check_rust(stop, "// Adds ˇ\nfn f() {}\n", "(one\nfn g() {}", "(one");
        check_python(stop, "x = 'ˇ'\n", "a)b\nc", "a)b");
    }
}
