//! What Python's tools print → [`Diagnostic`]s and test names.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::command::Output;
use super::super::scratch::Scratch;
use super::super::{Diagnostic, Severity, Suggestion};
use crate::text::line_index::{Encoding, LineIndex, Position};
use crate::text::{Span, TextEdit};

/// The file that is checked.
pub(super) struct File<'a> {
    pub(super) path: &'a Path,
    text: &'a str,
    lines: LineIndex,
}

/// What [`super::COMPILE`] prints.
#[derive(Deserialize)]
struct CompilerError {
    message: String,
    kind: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Deserialize)]
struct Ruff {
    code: Option<String>,
    message: String,
    location: RuffPlace,
    end_location: RuffPlace,
    fix: Option<RuffFix>,
}

#[derive(Deserialize, Clone, Copy)]
struct RuffPlace {
    row: u32,
    column: u32,
}

#[derive(Deserialize)]
struct RuffFix {
    applicability: String,
    message: Option<String>,
    edits: Vec<RuffEdit>,
}

#[derive(Deserialize)]
struct RuffEdit {
    content: String,
    location: RuffPlace,
    end_location: RuffPlace,
}

#[derive(Deserialize)]
struct Mypy {
    file: String,
    line: i64,
    column: i64,
    #[serde(default)]
    end_line: i64,
    #[serde(default)]
    end_column: i64,
    message: String,
    code: Option<String>,
    severity: String,
}

#[derive(Deserialize)]
struct Pyright {
    #[serde(rename = "generalDiagnostics")]
    diagnostics: Vec<PyrightDiagnostic>,
}

#[derive(Deserialize)]
struct PyrightDiagnostic {
    file: String,
    severity: String,
    message: String,
    range: PyrightRange,
    rule: Option<String>,
}

#[derive(Deserialize)]
struct PyrightRange {
    start: PyrightPlace,
    end: PyrightPlace,
}

#[derive(Deserialize)]
struct PyrightPlace {
    line: u32,
    character: u32,
}

impl<'a> File<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str) -> Self {
        Self { path, text, lines: LineIndex::new(text) }
    }

    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The interpreter's error, if it printed one.
    pub(super) fn of_compiler(&self, output: &str) -> Option<Diagnostic> {
        let error: CompilerError = output.lines().find_map(parsed)?;
        let start = self.offset(error.line, error.column, Encoding::Utf32);
        let end = self.offset(error.end_line, error.end_column, Encoding::Utf32);
        Some(Diagnostic {
            code: error.kind,
            message: error.message,
            tool: "python".to_owned(),
            ..self.diagnostic(start, end, error.line)
        })
    }

    /// Ruff's findings; `None` when it did not print any report.
    pub(super) fn of_ruff(&self, output: &str) -> Option<Vec<Diagnostic>> {
        let found: Vec<Ruff> = serde_json::from_str(output).ok()?;
        Some(found.into_iter().map(|finding| self.of_ruff_finding(finding)).collect())
    }

    fn of_ruff_finding(&self, finding: Ruff) -> Diagnostic {
        let offset = |place: RuffPlace| self.offset(place.row, place.column, Encoding::Utf32);
        let code = finding.code.unwrap_or_default();
        // The rest is style, which the project may not care for.
        let is_error = ["", "F821", "F822", "F823", "invalid-syntax"].contains(&code.as_str())
            || ["E9", "F50", "F63", "F70"].iter().any(|family| code.starts_with(family));
        let suggestions = finding.fix.map(|fix| {
            let mut edits: Vec<TextEdit> = fix
                .edits
                .into_iter()
                .map(|edit| TextEdit {
                    span: ordered(offset(edit.location), offset(edit.end_location)),
                    text: edit.content,
                })
                .collect();
            edits.sort_by_key(|edit| edit.span);
            Suggestion {
                message: fix.message.unwrap_or_default(),
                machine_applicable: fix.applicability == "safe",
                edits: vec![(self.path.to_owned(), edits)],
            }
        });
        Diagnostic {
            severity: if is_error { Severity::Error } else { Severity::Warning },
            code,
            message: finding.message,
            tool: "ruff".to_owned(),
            suggestions: suggestions.into_iter().collect(),
            ..self.diagnostic(
                offset(finding.location),
                offset(finding.end_location),
                finding.location.row,
            )
        }
    }

    /// Mypy's findings in this file; `None` when it did not get as far as checking.
    pub(super) fn of_mypy(&self, output: &Output, scratch: &Scratch) -> Option<Vec<Diagnostic>> {
        if !matches!(output.code, Some(0 | 1)) {
            return None;
        }
        let found = output.stdout.lines().filter_map(parsed::<Mypy>);
        let found = found.filter(|finding| finding.severity == "error");
        let here =
            found.filter(|f| scratch.outside(Path::new(&f.file)).as_deref() == Some(self.path));
        Some(
            here.map(|finding| {
                let offset = |line: i64, column: i64| {
                    // Columns are bytes from 0 here.
                    let column = u32::try_from(column).unwrap_or(0);
                    let line = u32::try_from(line).unwrap_or(1);
                    self.offset(line, column.saturating_add(1), Encoding::Utf8)
                };
                Diagnostic {
                    code: finding.code.unwrap_or_default(),
                    message: finding.message,
                    tool: "mypy".to_owned(),
                    ..self.diagnostic(
                        offset(finding.line, finding.column),
                        offset(finding.end_line, finding.end_column),
                        u32::try_from(finding.line).unwrap_or(1),
                    )
                }
            })
            .collect(),
        )
    }

    /// Pyright's errors in this file; `None` when it printed no report.
    pub(super) fn of_pyright(&self, output: &str, scratch: &Scratch) -> Option<Vec<Diagnostic>> {
        let report: Pyright = serde_json::from_str(output).ok()?;
        let here = report.diagnostics.into_iter().filter(|finding| {
            finding.severity == "error"
                && scratch.outside(Path::new(&finding.file)).as_deref() == Some(self.path)
        });
        Some(
            here.map(|finding| {
                let offset = |place: &PyrightPlace| {
                    self.offset(place.line + 1, place.character + 1, Encoding::Utf16)
                };
                Diagnostic {
                    code: finding.rule.unwrap_or_default(),
                    message: finding.message.lines().next().unwrap_or_default().to_owned(),
                    tool: "pyright".to_owned(),
                    ..self.diagnostic(
                        offset(&finding.range.start),
                        offset(&finding.range.end),
                        finding.range.start.line + 1,
                    )
                }
            })
            .collect(),
        )
    }

    fn diagnostic(&self, start: usize, end: usize, line: u32) -> Diagnostic {
        Diagnostic {
            path: self.path.to_owned(),
            span: ordered(start, end),
            line,
            severity: Severity::Error,
            code: String::new(),
            message: String::new(),
            tool: String::new(),
            suggestions: Vec::new(),
        }
    }

    /// The offset of a one-based line and column.
    fn offset(&self, line: u32, column: u32, encoding: Encoding) -> usize {
        if line == 0 {
            return 0;
        }
        let position = Position { line: line - 1, column: column.saturating_sub(1) };
        self.lines.offset(self.text, position, encoding)
    }
}

fn parsed<T: DeserializeOwned>(line: &str) -> Option<T> {
    serde_json::from_str(line).ok()
}

/// The span between two offsets; empty where the tool gave no end.
fn ordered(start: usize, end: usize) -> Span {
    Span::new(start, end.max(start))
}

/// Passed and failed tests by pytest's `-rA` summary.
pub(super) fn pytest_results(output: &str) -> (Vec<String>, Vec<String>) {
    let named = |word: &str| {
        let name = |rest: &str| rest.split(" - ").next().unwrap_or(rest).trim().to_owned();
        output
            .lines()
            .filter_map(|line| line.strip_prefix(word)?.strip_prefix(' ').map(name))
            .collect::<Vec<_>>()
    };
    let mut failed = named("FAILED");
    failed.extend(named("ERROR"));
    (named("PASSED"), failed)
}

/// Passed and failed tests by what `unittest -v` prints.
pub(super) fn unittest_results(output: &str) -> (Vec<String>, Vec<String>) {
    let ended = |ends: &[&str]| {
        output
            .lines()
            .filter_map(|line| {
                let (name, result) = line.rsplit_once(" ... ")?;
                ends.contains(&result)
                    .then(|| name.split_whitespace().next().unwrap_or(name).to_owned())
            })
            .collect()
    };
    (ended(&["ok"]), ended(&["FAIL", "ERROR"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "import os\nx = 'ß' + name\n";

    #[test]
    fn the_interpreters_error_has_its_place() {
        let path = Path::new("/w/a.py");
        let output = r#"{"message": "'(' was never closed", "kind": "SyntaxError", "line": 2,
            "column": 9, "end_line": 2, "end_column": 13}"#
            .replace('\n', " ");
        let diagnostic = File::new(path, TEXT).of_compiler(&output).unwrap();
        // The columns count characters, the span bytes.
        assert_eq!(diagnostic.span.of(TEXT), Some("+ na"));
        assert_eq!((diagnostic.line, diagnostic.code.as_str()), (2, "SyntaxError"));
        assert_eq!(File::new(path, TEXT).of_compiler(""), None);
    }

    #[test]
    fn ruffs_style_is_no_error_and_its_safe_fixes_are_machine_applicable() {
        let output = r#"[
            {"code": "F401", "message": "`os` imported but unused",
             "location": {"row": 1, "column": 8}, "end_location": {"row": 1, "column": 10},
             "fix": {"applicability": "safe", "message": "Remove", "edits": [
                {"content": "", "location": {"row": 1, "column": 1},
                 "end_location": {"row": 2, "column": 1}}]}},
            {"code": "F821", "message": "Undefined name `name`",
             "location": {"row": 2, "column": 11}, "end_location": {"row": 2, "column": 15},
             "fix": null}]"#;
        let found = File::new(Path::new("/w/a.py"), TEXT).of_ruff(output).unwrap();
        assert_eq!(found[0].severity, Severity::Warning);
        assert!(found[0].suggestions[0].machine_applicable);
        let edit = &found[0].suggestions[0].edits[0].1[0];
        assert_eq!(edit.span.of(TEXT), Some("import os\n"));
        assert_eq!(found[1].severity, Severity::Error);
        assert_eq!(found[1].span.of(TEXT), Some("name"));
        assert!(File::new(Path::new("/w/a.py"), TEXT).of_ruff("error: no").is_none());
    }

    #[test]
    fn test_results_are_read_by_name() {
        let (passed, failed) = pytest_results(
            "PASSED test_a.py::test_one\nPASSED test_a.py::test_two[a b]\n\
             FAILED test_a.py::test_three - assert 1 == 2\nERROR test_b.py - ImportError\n",
        );
        assert_eq!(passed, ["test_a.py::test_one", "test_a.py::test_two[a b]"]);
        assert_eq!(failed, ["test_a.py::test_three", "test_b.py"]);
        let (passed, failed) =
            unittest_results("test_one (m.T.test_one) ... ok\ntest_two (m.T.test_two) ... FAIL\n");
        assert_eq!((passed, failed), (vec!["test_one".to_owned()], vec!["test_two".to_owned()]));
    }
}
