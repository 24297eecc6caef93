//! Old and new text → minimal edits, or a unified diff that `git apply` takes.

use std::fmt::Write;
use std::hash::Hash;
use std::ops::Range;
use std::time::Duration;

use similar::{Algorithm, DiffOp, DiffTag, TextDiff, capture_diff_slices, group_diff_ops};

use super::{Span, TextEdit};

/// How long to look for a small diff; past it, a correct but larger one is taken. Only texts with
/// thousands of changed lines ever get there.
const PATIENCE: Duration = Duration::from_millis(300);

/// Lines of context in a unified diff.
const CONTEXT: usize = 3;

/// The smallest line-and-character edits that turn `old` into `new`: ascending, disjoint, trimmed
/// at both ends. No edit starts or ends between `\r` and `\n`, where an editor has no position.
pub fn edits(old: &str, new: &str) -> Vec<TextEdit> {
    let (old_lines, new_lines) = (lines(old), lines(new));
    let (old_starts, new_starts) = (starts(&old_lines), starts(&new_lines));
    let mut edits = Vec::new();
    for op in operations(&old_lines, &new_lines) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let (old_range, new_range) = (op.old_range(), op.new_range());
        // As many lines as before: most likely each line was changed for itself.
        let pairs: Vec<(Range<usize>, Range<usize>)> = if old_range.len() == new_range.len() {
            old_range.zip(new_range).map(|(o, n)| (o..o + 1, n..n + 1)).collect()
        } else {
            vec![(old_range, new_range)]
        };
        for (old_range, new_range) in pairs {
            let span = Span::new(old_starts[old_range.start], old_starts[old_range.end]);
            let text = &new[new_starts[new_range.start]..new_starts[new_range.end]];
            edits.extend(trimmed(old, span, text));
        }
    }
    joined(edits)
}

/// The one edit that turns `old` into `new`, without what both have in common at the ends; `None`
/// when they are equal. Fast on texts of any size.
pub fn replacement(old: &str, new: &str) -> Option<TextEdit> {
    trimmed(old, Span::new(0, old.len()), new)
}

/// A unified diff with three lines of context and `a/path`, `b/path` headers (quoted as git
/// quotes them); empty when nothing changed. `old` is `None` for a file that did not exist.
pub fn unified(path: &str, old: Option<&str>, new: &str) -> String {
    if old == Some(new) {
        return String::new();
    }
    let (a, b) = (quoted(&format!("a/{path}")), quoted(&format!("b/{path}")));
    let mut out = format!("diff --git {a} {b}\n");
    if old.is_none() {
        out.push_str("new file mode 100644\n");
        if new.is_empty() {
            // Without a hunk git wants to see the blob: that of the empty file.
            out.push_str("index 0000000..e69de29\n");
            return out;
        }
    }
    // After a name with a space git writes a tab, so that readers know where the name ends.
    let tab = |name: &str| if name.contains(' ') && !name.starts_with('"') { "\t" } else { "" };
    match old {
        Some(_) => _ = writeln!(out, "--- {a}{}", tab(&a)),
        None => out.push_str("--- /dev/null\n"),
    }
    _ = writeln!(out, "+++ {b}{}", tab(&b));
    let (old_lines, new_lines) = (lines(old.unwrap_or_default()), lines(new));
    for hunk in group_diff_ops(operations(&old_lines, &new_lines), CONTEXT) {
        write_hunk(&mut out, &hunk, &old_lines, &new_lines);
    }
    out
}

/// Lines with their `\n`; git knows no other terminator.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The offset of each line, and the length of the text at the end.
fn starts(lines: &[&str]) -> Vec<usize> {
    std::iter::once(0)
        .chain(lines.iter().scan(0, |end, line| {
            *end += line.len();
            Some(*end)
        }))
        .collect()
}

fn operations(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    TextDiff::configure().timeout(PATIENCE).diff_slices(old, new).ops().to_vec()
}

/// The edit that puts `new` in place of `span`, without what both have in common at the ends.
fn trimmed(old: &str, span: Span, new: &str) -> Option<TextEdit> {
    let before = &old[span.start..span.end];
    if before == new {
        return None;
    }
    let prefix = before.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    let prefix = before.floor_char_boundary(prefix);
    let (old_rest, new_rest) = (&before[prefix..], &new[prefix..]);
    let suffix =
        old_rest.bytes().rev().zip(new_rest.bytes().rev()).take_while(|(a, b)| a == b).count();
    let suffix = old_rest.len() - old_rest.ceil_char_boundary(old_rest.len() - suffix);
    let mut edit = Span::new(span.start + prefix, span.end - suffix);
    let mut text = new[prefix..new.len() - suffix].to_owned();
    if splits_line_end(old, edit.start) {
        edit.start -= 1;
        text.insert(0, '\r');
    }
    if splits_line_end(old, edit.end) {
        edit.end += 1;
        text.push('\n');
    }
    Some(TextEdit { span: edit, text })
}

fn splits_line_end(text: &str, offset: usize) -> bool {
    text[..offset].ends_with('\r') && text[offset..].starts_with('\n')
}

/// Edits that touch are one edit.
fn joined(edits: Vec<TextEdit>) -> Vec<TextEdit> {
    let mut out: Vec<TextEdit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match out.last_mut() {
            Some(last) if last.span.end == edit.span.start => {
                last.span.end = edit.span.end;
                last.text.push_str(&edit.text);
            }
            _ => out.push(edit),
        }
    }
    out
}

fn write_hunk(out: &mut String, hunk: &[DiffOp], old_lines: &[&str], new_lines: &[&str]) {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { return };
    let old = range(&(first.old_range().start..last.old_range().end));
    let new = range(&(first.new_range().start..last.new_range().end));
    _ = writeln!(out, "@@ -{old} +{new} @@");
    for op in hunk {
        if matches!(op, DiffOp::Equal { .. }) {
            write_lines(out, ' ', &old_lines[op.old_range()]);
        } else {
            write_lines(out, '-', &old_lines[op.old_range()]);
            write_lines(out, '+', &new_lines[op.new_range()]);
        }
    }
}

fn write_lines(out: &mut String, sign: char, lines: &[&str]) {
    for line in lines {
        out.push(sign);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// One-based start and length; an empty range names the line before it.
fn range(lines: &Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        len => format!("{},{len}", lines.start + 1),
    }
}

/// `name` as git writes it: in C quotes when a byte of it is special or not ASCII.
fn quoted(name: &str) -> String {
    if !name.bytes().any(|b| !(0x20..0x7f).contains(&b) || b == b'"' || b == b'\\') {
        return name.to_owned();
    }
    let mut out = String::from("\"");
    for byte in name.bytes() {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x07 => out.push_str("\\a"),
            0x08 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            0x0b => out.push_str("\\v"),
            0x0c => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            0x20..0x7f => out.push(char::from(byte)),
            _ => _ = write!(out, "\\{byte:03o}"),
        }
    }
    out.push('"');
    out
}

/// A part of two sequences, of any length in each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Whether it is the same in both.
    pub equal: bool,
    /// Indices of the old sequence.
    pub old: Range<usize>,
    /// Indices of the new one.
    pub new: Range<usize>,
}

/// How `new` came from `old`: runs that stayed and runs that differ, in order, covering both.
/// Myers' algorithm.
pub fn runs<T: Hash + Eq + Ord>(old: &[T], new: &[T]) -> Vec<Run> {
    let operations = capture_diff_slices(Algorithm::Myers, old, new);
    let run = |(tag, old, new)| Run { equal: tag == DiffTag::Equal, old, new };
    operations.iter().map(DiffOp::as_tag_tuple).map(run).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::apply;

    fn edit(start: usize, end: usize, text: &str) -> TextEdit {
        TextEdit { span: Span::new(start, end), text: text.to_owned() }
    }

    #[test]
    fn edits_touch_only_what_changed() {
        assert_eq!(edits("let total = 1;\n", "let total = 21;\n"), [edit(12, 12, "2")]);
        assert_eq!(edits("a\nb\nc\n", "a\nc\n"), [edit(2, 4, "")]);
        assert_eq!(edits("a\nc\n", "a\nb\nc\n"), [edit(2, 2, "b\n")]);
        assert_eq!(edits("ax\nbx\n", "ay\nby\n"), [edit(1, 2, "y"), edit(4, 5, "y")]);
        assert_eq!(edits("same\n", "same\n"), []);
    }

    #[test]
    fn edits_never_cut_a_line_end_in_two() {
        assert_eq!(edits("a\r\nb\r\n", "a\nb\n"), [edit(1, 3, "\n"), edit(4, 6, "\n")]);
        assert_eq!(edits("a\n", "a\r\n"), [edit(1, 1, "\r")]);
        assert_eq!(edits("a\r\n", "a\r"), [edit(1, 3, "\r")]);
    }

    #[test]
    fn a_huge_rewrite_does_not_take_forever() {
        let old: String =
            (0..20_000).fold(String::new(), |s, i| s + &format!("{}\n", i * 7 % 9973));
        let new: String =
            (0..20_000).fold(String::new(), |s, i| s + &format!("{}\n", i * 11 % 9967));
        let started = std::time::Instant::now();
        assert_eq!(apply(&old, &edits(&old, &new)), Ok(new));
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_unified_diff_has_hunks_with_context_and_says_where_the_newline_is_missing() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12";
        let new = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n";
        insta::assert_snapshot!(unified("src/a.rs", Some(old), new), @r"
        diff --git a/src/a.rs b/src/a.rs
        --- a/src/a.rs
        +++ b/src/a.rs
        @@ -2,11 +2,11 @@
         2
         3
         4
        -5
        +five
         6
         7
         8
         9
         10
         11
        -12
        \ No newline at end of file
        +12
        ");
    }

    #[test]
    fn new_and_empty_files_have_their_own_headers() {
        insta::assert_snapshot!(unified("a b.py", None, "x\n"), @r"
        diff --git a/a b.py b/a b.py
        new file mode 100644
        --- /dev/null
        +++ b/a b.py	
        @@ -0,0 +1 @@
        +x
        ");
        insta::assert_snapshot!(unified("é.py", None, ""), @r#"
        diff --git "a/\303\251.py" "b/\303\251.py"
        new file mode 100644
        index 0000000..e69de29
        "#);
        assert_eq!(unified("a", Some("x"), "x"), "");
    }

    proptest! {
        #[test]
        fn applying_the_edits_gives_the_new_text(
            old in "([ab]{0,2}|é|😀|\r|\n|\r\n){0,16}",
            new in "([ab]{0,2}|é|😀|\r|\n|\r\n){0,16}",
        ) {
            let edits = edits(&old, &new);
            prop_assert_eq!(apply(&old, &edits), Ok(new));
            for pair in edits.windows(2) {
                prop_assert!(pair[0].span.end < pair[1].span.start);
            }
            for edit in &edits {
                prop_assert!(!splits_line_end(&old, edit.span.start));
                prop_assert!(!splits_line_end(&old, edit.span.end));
            }
        }
    }

    #[test]
    fn runs_cover_both_sequences_in_order() {
        let found = runs(&["a", "b", "c"], &["a", "x", "y", "c"]);
        let told: Vec<_> = found.iter().map(|r| (r.equal, r.old.clone(), r.new.clone())).collect();
        assert_eq!(told, [(true, 0..1, 0..1), (false, 1..2, 1..3), (true, 2..3, 3..4)]);
    }
}
