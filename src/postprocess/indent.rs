//! Indentation fitted to the place.

use super::lexis::State;
use super::surroundings::{Surroundings, Unit};
use crate::syntax::language::Blocks;

/// `answer` with the file's own tabs or spaces, its first line where a line after the one above
/// may stand, whatever the model thought of the column of the cursor.
pub fn indent(answer: &str, around: &Surroundings<'_>) -> String {
    if around.state != State::Code {
        return answer.to_owned();
    }
    let answer = in_units(answer, around);
    if !around.starts_line() {
        return without_double_space(&answer, around);
    }
    fitted(&answer, around)
}

/// Between a space and the answer no other space.
fn without_double_space(answer: &str, around: &Surroundings<'_>) -> String {
    if around.line_before.ends_with([' ', '\t']) {
        answer.trim_start_matches([' ', '\t']).to_owned()
    } else {
        answer.to_owned()
    }
}

/// White space in front of lines, as the file writes it.
fn in_units(answer: &str, around: &Surroundings<'_>) -> String {
    let step = step(answer);
    let line = |line: &str| {
        let text = line.trim_start_matches([' ', '\t']);
        let blank = line.get(..line.len() - text.len()).unwrap_or_default();
        match around.unit {
            Unit::Tab => blank.replace(&" ".repeat(step), "\t") + text,
            Unit::Spaces(width) => blank.replace('\t', &" ".repeat(width)) + text,
        }
    };
    let mut lines = answer.split('\n');
    // A space in front of the rest of a line is no indentation.
    let first = lines.next().unwrap_or_default();
    let first = if around.starts_line() { line(first) } else { first.to_owned() };
    std::iter::once(first).chain(lines.map(line)).collect::<Vec<_>>().join("\n")
}

/// One step of the answer's own indentation in spaces: what all its lines are multiples of, 4
/// where that says nothing.
fn step(answer: &str) -> usize {
    let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let common = answer.lines().skip(1).map(spaces).fold(0, greatest_common_divisor);
    [4, 2, 3].into_iter().find(|step| common % step == 0).unwrap_or(4)
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn fitted(answer: &str, around: &Surroundings<'_>) -> String {
    let (first, rest) = answer.split_once('\n').map_or((answer, None), |(a, b)| (a, Some(b)));
    let text = first.trim_start_matches([' ', '\t']);
    let Some(above) = around.lines_above().next().filter(|_| !text.is_empty()) else {
        return answer.to_owned();
    };
    let column = around.indent_of(around.line_before);
    let blank = around.indent_of(first);
    let base = around.indent_of(above);
    let opens = around.opens_block(above);
    // Behind a label (`case 1:`, `public:`) the next line may be deeper.
    let deepest = if opens || above.ends_with(':') { base + around.unit.width() } else { base };

    let in_header = opens && column + blank <= base && !stands_left(text) && !is_flat(around, base);
    let wanted =
        if in_header || column + blank > deepest { deepest.saturating_sub(column) } else { blank };
    if wanted == blank {
        return answer.to_owned();
    }
    let mut lines = vec![format!("{}{text}", around.blank(wanted))];
    // Lines written relative to a first line that stood too far left move with it.
    let written_at = column + blank;
    let follows = rest.and_then(|rest| rest.lines().find(|line| !line.trim().is_empty()));
    let moves = follows.is_some_and(|line| around.indent_of(line) <= written_at);
    let shift = if moves { wanted.saturating_sub(blank) } else { 0 };
    for line in rest.into_iter().flat_map(|rest| rest.split('\n')) {
        if line.trim().is_empty() || shift == 0 {
            lines.push(line.to_owned());
        } else {
            let blank = around.blank(around.indent_of(line) + shift);
            lines.push(format!("{blank}{}", line.trim_start_matches([' ', '\t'])));
        }
    }
    lines.join("\n")
}

/// Whether a line stands no deeper than the block it is in: what closes it, a label, a directive to
/// the preprocessor.
fn stands_left(text: &str) -> bool {
    let label = text.trim_end().ends_with(':')
        && ["case ", "default", "public", "private", "protected"]
            .iter()
            .any(|word| text.starts_with(word));
    let directive =
        text.strip_prefix('#').is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    label || directive || text.starts_with(['}', ')', ']'])
}

/// Whether the block goes on below without being indented, as those of namespaces often do.
fn is_flat(around: &Surroundings<'_>, base: usize) -> bool {
    let below = around.lines_below().next().filter(|_| around.blocks == Blocks::Braces);
    below.is_some_and(|below| {
        around.indent_of(below) == base && !below.trim_start().starts_with(['}', ')', ']'])
    })
}

#[cfg(test)]
mod tests {
    use super::super::surroundings::{check, check_python, check_rust};
    use super::*;

    #[test]
    fn indentation_the_editor_has_made_is_not_made_again() {
        check_python(indent, "def f():\n    ˇ\n", "    return x", "return x");
        check_python(indent, "def f():\n    a()\n    ˇ\n", "    b()\n    c()", "b()\n    c()");
        check_python(indent, "def f():\n    a()\nˇ\n", "    b()\n    c()", "    b()\n    c()");
    }

    #[test]
    fn a_body_is_deeper_than_its_header() {
        check_python(indent, "def f():\nˇ\n", "return x", "    return x");
        check_python(indent, "def f():\nˇ\n", "a()\nreturn x", "    a()\n    return x");
        check_rust(indent, "fn f() {\nˇ\n}\n", "g();", "    g();");
        check_rust(indent, "fn f() {\nˇ\n}\n", "}", "}");
    }

    #[test]
    fn labels_and_flat_blocks_stay_at_the_left() {
        check(indent, "switch (a) {\nˇ\n}\n", "case 1:", "case 1:");
        check(indent, "  case 1:\nˇ\n", "    b();", "    b();");
        check(indent, "namespace a {\nˇ\nint g();\n}\n", "int f();", "int f();");
        check(indent, "void f() {\nˇ\n}\n", "#if A", "#if A");
        check(indent, "void f() {\nˇ\n}\n", "g();", "    g();");
    }

    #[test]
    fn a_line_may_leave_a_block() {
        check_python(indent, "if a:\n    b()\nˇ\n", "else:\n    c()", "else:\n    c()");
    }

    #[test]
    fn a_line_is_never_deeper_than_the_one_above_allows() {
        check_python(indent, "def f():\n    a()\n    ˇ\n", "        b()", "b()");
    }

    #[test]
    fn tabs_stay_tabs_and_spaces_stay_spaces() {
        let tabs = "fn f() {\n\tif a {\n\t\tˇ\n\t}\n}\n";
        check_rust(indent, tabs, "g();\n        h();", "g();\n\t\th();");
        check_rust(
            indent,
            tabs,
            "for x in y {\n            h();\n        }",
            "for x in y {\n\t\t\th();\n\t\t}",
        );
        check_rust(indent, "fn f() {\n  ˇ\n}\n", "if a {\n\t\tb();\n\t}", "if a {\n    b();\n  }");
    }

    #[test]
    fn there_are_no_two_spaces_before_an_answer() {
        check_python(indent, "x = ˇ\n", " 1", "1");
        check_python(indent, "x =ˇ\n", " 1", " 1");
    }

    #[test]
    fn strings_keep_their_spaces() {
        check_python(indent, "x = 'a ˇ'\n", " b", " b");
    }
}
