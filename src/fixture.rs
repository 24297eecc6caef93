//! The language of test fixtures: files and cursor markers in one string.
//!
//! `//- /path` starts a file, `ˇ` is the cursor, `«…»` a selection.

use std::cmp::Reverse;

use crate::text::Span;

/// One file of a fixture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path as written after `//- /`; `main` when the fixture names none.
    pub path: String,
    /// Text without markers.
    pub text: String,
    /// Offsets of `ˇ`, in order.
    pub cursors: Vec<usize>,
    /// Spans of `«…»` by start, outer before inner; they may nest but not cross.
    pub selections: Vec<Span>,
}

/// Parses a fixture. Blank lines before the first `//- /` are dropped; a marker `«` or `»` without
/// its partner marks nothing.
pub fn parse(fixture: &str) -> Vec<File> {
    let mut sources: Vec<(&str, String)> = Vec::new();
    for line in fixture.split_inclusive('\n') {
        match (line.strip_prefix("//- /"), sources.last_mut()) {
            (Some(path), _) => sources.push((path.trim(), String::new())),
            (None, Some((_, text))) => text.push_str(line),
            (None, None) => sources.push(("main", line.to_owned())),
        }
    }
    if sources.len() > 1 {
        let blank = |(path, text): &(&str, String)| *path == "main" && text.trim().is_empty();
        if sources.first().is_some_and(blank) {
            sources.remove(0);
        }
    }
    if sources.is_empty() {
        sources.push(("main", String::new()));
    }
    sources.into_iter().map(|(path, text)| unmarked(path, &text)).collect()
}

/// The fixture that `parse` would read as `file`'s text, cursors and selections.
pub fn marked(file: &File) -> String {
    let mut marks: Vec<(usize, u8, char)> = Vec::new();
    marks.extend(file.cursors.iter().map(|at| (*at, 3, 'ˇ')));
    for span in &file.selections {
        // At one offset: what ends here, then what starts, then what is empty.
        let (open, close) = if span.is_empty() { (2, 2) } else { (1, 0) };
        marks.push((span.start, open, '«'));
        marks.push((span.end, close, '»'));
    }
    marks.sort_by_key(|(at, order, _)| (*at, *order));
    let mut out = String::with_capacity(file.text.len() + marks.len() * 2);
    let mut done = 0;
    for (at, _, mark) in marks {
        out.push_str(file.text.get(done..at).unwrap_or_default());
        out.push(mark);
        done = at;
    }
    out.push_str(file.text.get(done..).unwrap_or_default());
    out
}

fn unmarked(path: &str, marked: &str) -> File {
    let mut file = File {
        path: path.to_owned(),
        text: String::with_capacity(marked.len()),
        cursors: Vec::new(),
        selections: Vec::new(),
    };
    let mut open = Vec::new();
    for c in marked.chars() {
        let at = file.text.len();
        match c {
            'ˇ' => file.cursors.push(at),
            '«' => open.push(at),
            '»' => file.selections.extend(open.pop().map(|start| Span::new(start, at))),
            c => file.text.push(c),
        }
    }
    file.selections.sort_by_key(|span| (span.start, Reverse(span.end)));
    file
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_and_markers_are_read() {
        let files = parse("\n//- /src/a.rs\nfn «a»() {ˇ}\n//- /b.py\nx = 1\n");
        assert_eq!(files.len(), 2);
        assert_eq!(files[0].path, "src/a.rs");
        assert_eq!(files[0].text, "fn a() {}\n");
        assert_eq!(files[0].cursors, [8]);
        assert_eq!(files[0].selections, [Span::new(3, 4)]);
        assert_eq!((files[1].path.as_str(), files[1].text.as_str()), ("b.py", "x = 1\n"));
    }

    #[test]
    fn a_fixture_without_a_header_is_one_file() {
        let files = parse("\nlet ˇ");
        assert_eq!(files.len(), 1);
        assert_eq!((files[0].path.as_str(), files[0].text.as_str()), ("main", "\nlet "));
        assert_eq!(parse("")[0].text, "");
    }

    proptest! {
        #[test]
        fn marking_what_was_parsed_parses_the_same(fixture in "[ab\néˇ«»]{0,30}") {
            let file = parse(&fixture).remove(0);
            let again = parse(&marked(&file)).remove(0);
            prop_assert_eq!(file, again);
        }
    }
}
