//! The user's own check command: its exit code judges, its output says where.

use std::path::{Path, PathBuf};

use super::super::command::Output;
use super::super::sandbox::Enforcement;
use super::super::scratch::Scratch;
use super::super::{Diagnostic, Findings, Level, Proof, Severity};
use crate::text::Span;
use crate::text::line_index::{Encoding, LineIndex, Position};
use crate::text::word::is_word;

/// What `line` found, from its exit code and output. A failure that names no place in a file of
/// the workspace is one diagnostic at the start of the file at `path`, whose text is `text`.
pub(super) fn findings(
    line: &str,
    output: &Output,
    enforcement: Enforcement,
    scratch: &Scratch,
    path: &Path,
    text: &str,
) -> Findings {
    let proof = vec![Proof {
        level: level(line),
        tool: line.split_whitespace().next().unwrap_or_default().to_owned(),
        command: line.to_owned(),
        result: if output.success() { "passed".to_owned() } else { output.exit() },
    }];
    let mut diagnostics = Vec::new();
    if !output.success() {
        let said = output.text();
        diagnostics = places(&said, scratch, path, text);
        if diagnostics.is_empty() {
            let message = said.lines().map(str::trim).rfind(|line| !line.is_empty());
            let message = message.unwrap_or("failed and said nothing").to_owned();
            diagnostics.push(diagnostic(path.to_owned(), Span::empty(0), 1, message));
        }
    }
    Findings { diagnostics, proof, enforcement }
}

/// What kind of evidence a command gives, by what it names.
fn level(line: &str) -> Level {
    let is_part = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let words: Vec<&str> = line.split(|c| !is_part(c)).collect();
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    if has(&["py_compile", "compileall", "ruff", "flake8", "pylint"]) {
        Level::Syntax
    } else if has(&["mypy", "pyright", "pytype", "pyre"]) {
        Level::Types
    } else if has(&["test", "tests", "pytest", "py.test", "unittest", "nextest", "tox", "nox"])
        && !has(&["--no-run", "--collect-only"])
    {
        Level::Tests
    } else {
        Level::Compile
    }
}

/// One diagnostic for each line of output that names a place: `FILE:LINE[:COLUMN][: MESSAGE]`,
/// `--> FILE:LINE:COLUMN` below its error, or Python's `File "FILE", line LINE`. Of a traceback
/// the innermost frame comes first, and each has the exception's message.
fn places(said: &str, scratch: &Scratch, path: &Path, text: &str) -> Vec<Diagnostic> {
    let index = LineIndex::new(text);
    let said = said.replace(&format!("{}/", scratch.tree().display()), "");
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let mut add = |place: &Place<'_>, message: &str| {
        let Some(file) = existing(scratch, place.file) else { return };
        let span = if file == path { place.span(&index, text) } else { Span::empty(0) };
        let found = diagnostic(file, span, place.line, message.to_owned());
        if !diagnostics.iter().any(|d| d.path == found.path && d.line == found.line) {
            diagnostics.push(found);
        }
    };
    let mut error = "";
    let mut frames: Vec<Place<'_>> = Vec::new();
    for line in said.lines() {
        let trimmed = line.trim_start();
        let exception = trimmed.strip_prefix("E ").map_or(line, str::trim);
        if trimmed.starts_with("error") || trimmed.starts_with("E ") {
            error = exception.trim();
        }
        if let Some(frame) = traceback_place(line) {
            frames.push(frame);
        } else if !frames.is_empty() && is_exception(exception) {
            frames.drain(..).rev().for_each(|frame| add(&frame, exception));
        } else if let Some(place) = colon_place(line) {
            // Rust names the error above the place, pytest its kind alone beside it.
            let bare = place.message.is_empty() || !place.message.contains(' ');
            let message = if bare && !error.is_empty() { error } else { place.message };
            add(&place, if message.is_empty() { trimmed } else { message });
        }
    }
    frames.iter().rev().for_each(|frame| add(frame, frame.line_text));
    diagnostics
}

/// Whether a line is the end of a traceback: `ValueError: why`.
fn is_exception(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    let named = |c: char| is_word(c) || c == '.';
    !name.is_empty() && !line.starts_with(' ') && name.chars().all(named)
}

fn existing(scratch: &Scratch, file: &str) -> Option<PathBuf> {
    let inside = scratch.tree().join(file);
    inside.is_file().then(|| scratch.outside(&inside)).flatten()
}

fn diagnostic(path: PathBuf, span: Span, line: u32, message: String) -> Diagnostic {
    Diagnostic {
        path,
        span,
        line,
        severity: Severity::Error,
        code: String::new(),
        message,
        tool: "check".to_owned(),
        suggestions: Vec::new(),
    }
}

struct Place<'a> {
    file: &'a str,
    line: u32,
    column: Option<u32>,
    message: &'a str,
    line_text: &'a str,
}

impl Place<'_> {
    /// From the column to the end of the line, or the whole line.
    fn span(&self, index: &LineIndex, text: &str) -> Span {
        let line = self.line.saturating_sub(1);
        let Some(whole) = index.line_span(text, line as usize) else { return Span::empty(0) };
        let column = self.column.map_or(0, |column| column.saturating_sub(1));
        let start = index.offset(text, Position { line, column }, Encoding::Utf32);
        Span::new(start.clamp(whole.start, whole.end), whole.end)
    }
}

fn colon_place(line: &str) -> Option<Place<'_>> {
    let line_text = line.trim_start();
    let line = line_text.trim_start_matches("--> ");
    let (file, rest) = line.split_once(':')?;
    let (number, rest) = leading_number(rest)?;
    if file.is_empty() || file.contains(' ') {
        return None;
    }
    let (column, message) = match rest.strip_prefix(':').and_then(leading_number) {
        Some((column, message)) => (Some(column), message),
        None => (None, rest),
    };
    let message = message.trim_start_matches(':').trim();
    Some(Place { file, line: number, column, message, line_text })
}

fn traceback_place(line: &str) -> Option<Place<'_>> {
    let (file, rest) = line.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
    let (number, _) = leading_number(rest)?;
    Some(Place { file, line: number, column: None, message: "", line_text: line.trim_start() })
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::scratch::Extent;

    fn found(said: &str, code: i32) -> Vec<(String, u32, Span, String)> {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("project");
        std::fs::create_dir_all(&project).unwrap();
        let text = "one\ntwo three\n";
        std::fs::write(project.join("a.py"), text).unwrap();
        let scratch =
            Scratch::open(&folder.path().join("cache"), &project, Extent::Folder).unwrap();
        let path = scratch.root().join("a.py");
        let output = Output { code: Some(code), stdout: said.to_owned(), ..Output::default() };
        findings("make", &output, Enforcement::Full, &scratch, &path, text)
            .diagnostics
            .into_iter()
            .map(|d| {
                let name = d.path.file_name().unwrap().to_string_lossy().into_owned();
                (name, d.line, d.span, d.message)
            })
            .collect()
    }

    #[test]
    fn places_in_the_output_become_diagnostics() {
        let said = "building\na.py:2:5: bad three\nother.py:3: not ours\nhttp://x:80\n";
        let three = ("a.py".to_owned(), 2, Span::new(8, 13), "bad three".to_owned());
        assert_eq!(found(said, 1), [three]);
        let one = |message: &str| ("a.py".to_owned(), 1, Span::new(0, 3), message.to_owned());
        assert_eq!(found("error[E1]: no\n  --> a.py:1:1\n   |\n", 1), [one("error[E1]: no")]);
        assert_eq!(
            found("E       NameError: name 'x' is not defined\n\na.py:1: NameError\n", 1),
            [one("NameError: name 'x' is not defined")]
        );
    }

    #[test]
    fn a_traceback_starts_at_its_innermost_frame() {
        let said = "Traceback (most recent call last):\n  File \"a.py\", line 2, in <module>\n    \
                    f()\n  File \"a.py\", line 1, in f\n    g()\n  File \"/usr/lib/x.py\", line 9\n\
                    ValueError: why\n";
        let lines: Vec<(u32, String)> =
            found(said, 1).into_iter().map(|(_, line, _, message)| (line, message)).collect();
        let why = || "ValueError: why".to_owned();
        assert_eq!(lines, [(1, why()), (2, why())]);
    }

    #[test]
    fn a_failure_without_a_place_is_the_files() {
        assert_eq!(
            found("step 1\nit broke\n", 2),
            [("a.py".to_owned(), 1, Span::empty(0), "it broke".to_owned())]
        );
    }

    #[test]
    fn exit_code_zero_is_sound_whatever_it_prints() {
        assert_eq!(found("a.py:1: warning", 0), []);
    }

    #[test]
    fn the_level_is_not_more_than_the_command_gives() {
        assert_eq!(level("cargo check"), Level::Compile);
        assert_eq!(level("pytest -q"), Level::Tests);
        assert_eq!(level("mypy ."), Level::Types);
        assert_eq!(level("python -m py_compile a.py"), Level::Syntax);
        assert_eq!(level("python -m py_compile test_a.py"), Level::Syntax);
        assert_eq!(level("cargo check --tests"), Level::Compile);
        assert_eq!(level("cargo build --bin latest"), Level::Compile);
        assert_eq!(level("cargo test --no-run"), Level::Compile);
        assert_eq!(level("cargo test -q && make"), Level::Tests);
    }
}
