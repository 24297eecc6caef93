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

/// What [`super::COMPILE`] prints. The error has to be there, if only as `null`.
#[derive(Deserialize)]
struct CompilerReport {
    #[serde(deserialize_with = "Option::deserialize")]
    error: Option<CompilerError>,
}

/// The interpreter counts from 1, but gives 0 or -1 where it does not know.
#[derive(Deserialize)]
struct CompilerError {
    message: String,
    kind: String,
    line: Option<i64>,
    column: Option<i64>,
    end_line: Option<i64>,
    end_column: Option<i64>,
}

#[derive(Deserialize)]
struct Ruff {
    code: Option<String>,
    message: String,
    location: Option<RuffPlace>,
    end_location: Option<RuffPlace>,
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
    range: Option<PyrightRange>,
    rule: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
struct PyrightRange {
    start: PyrightPlace,
    end: PyrightPlace,
}

#[derive(Deserialize, Clone, Copy)]
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

    /// The interpreter's error, or that it has none; an error when its report cannot be read.
    pub(super) fn of_compiler(&self, output: &str) -> Result<Option<Diagnostic>, Unreadable> {
        let report = output.lines().last().and_then(parsed::<CompilerReport>);
        let Some(error) = report.ok_or(UNREADABLE)?.error else { return Ok(None) };
        let known = |number: Option<i64>| {
            number.and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0)
        };
        let line = known(error.line).unwrap_or(1);
        let column = known(error.column).unwrap_or(1);
        let start = self.offset(line, column, Encoding::Utf32);
        let end = match (known(error.end_line), known(error.end_column)) {
            (Some(line), Some(column)) => self.offset(line, column, Encoding::Utf32),
            _ => start,
        };
        Ok(Some(Diagnostic {
            code: error.kind,
            message: error.message,
            tool: "python".to_owned(),
            ..self.diagnostic(start, end, line)
        }))
    }

    /// Ruff's findings; `None` when it did not get as far as checking, an error when it did but
    /// does not say what it found.
    pub(super) fn of_ruff(&self, output: &Output) -> Result<Option<Vec<Diagnostic>>, Unreadable> {
        if !is_judgement(output) {
            return Ok(None);
        }
        let found: Vec<Ruff> = serde_json::from_str(&output.stdout).map_err(|_| UNREADABLE)?;
        refuse_silence(output, found.len())?;
        Ok(Some(found.into_iter().map(|finding| self.of_ruff_finding(finding)).collect()))
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
                finding.location.map_or(0, offset),
                finding.end_location.map_or(0, offset),
                finding.location.map_or(1, |place| place.row),
            )
        }
    }

    /// Mypy's findings in this file; `None` when it did not get as far as checking it, an error
    /// when it did but does not say what it found.
    pub(super) fn of_mypy(
        &self,
        output: &Output,
        scratch: &Scratch,
    ) -> Result<Option<Vec<Diagnostic>>, Unreadable> {
        // Exit code 2 also stands for errors that stop it.
        if !is_judgement(output) && output.code != Some(2) {
            return Ok(None);
        }
        // Beside its report it may print a summary.
        let lines = output.stdout.lines().filter(|line| line.trim_start().starts_with('{'));
        let found: Option<Vec<Mypy>> = lines.map(parsed::<Mypy>).collect();
        let mut found = found.ok_or(UNREADABLE)?;
        found.retain(|finding| finding.severity == "error");
        refuse_silence(output, found.len())?;
        found.retain(|f| scratch.outside(Path::new(&f.file)).as_deref() == Some(self.path));
        if found.is_empty() && !is_judgement(output) {
            return Ok(None);
        }
        let found = found.into_iter();
        Ok(Some(
            found
                .map(|finding| {
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
        ))
    }

    /// Pyright's errors in this file; `None` when it did not get as far as checking, an error
    /// when it did but does not say what it found.
    pub(super) fn of_pyright(
        &self,
        output: &Output,
        scratch: &Scratch,
    ) -> Result<Option<Vec<Diagnostic>>, Unreadable> {
        // Its wrapper also fails with exit code 1, without a word on standard output.
        if !is_judgement(output) || (!output.success() && output.stdout.trim().is_empty()) {
            return Ok(None);
        }
        let report: Pyright = serde_json::from_str(&output.stdout).map_err(|_| UNREADABLE)?;
        let is_error = |finding: &&PyrightDiagnostic| finding.severity == "error";
        refuse_silence(output, report.diagnostics.iter().filter(is_error).count())?;
        let here = report.diagnostics.into_iter().filter(|finding| {
            finding.severity == "error"
                && scratch.outside(Path::new(&finding.file)).as_deref() == Some(self.path)
        });
        Ok(Some(
            here.map(|finding| {
                let offset = |place: PyrightPlace| {
                    let (line, column) =
                        (place.line.saturating_add(1), place.character.saturating_add(1));
                    self.offset(line, column, Encoding::Utf16)
                };
                Diagnostic {
                    code: finding.rule.unwrap_or_default(),
                    message: finding.message.lines().next().unwrap_or_default().to_owned(),
                    tool: "pyright".to_owned(),
                    ..self.diagnostic(
                        finding.range.map_or(0, |range| offset(range.start)),
                        finding.range.map_or(0, |range| offset(range.end)),
                        finding.range.map_or(1, |range| range.start.line.saturating_add(1)),
                    )
                }
            })
            .collect(),
        ))
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
        // A byte order mark is none of the columns that the tools count.
        let mark = self.text.get(..BYTE_ORDER_MARK.len()).filter(|_| line == 1);
        let mark = mark.filter(|start| *start == BYTE_ORDER_MARK).unwrap_or_default();
        let column = column.saturating_sub(1).saturating_add(encoding.len(mark) as u32);
        let position = Position { line: line - 1, column };
        self.lines.offset(self.text, position, encoding)
    }
}

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Why a tool's report does not count.
pub(super) type Unreadable = &'static str;

const UNREADABLE: Unreadable = "its report cannot be read";

/// Whether a tool got as far as judging: exit code 0 says sound, 1 that it found something.
fn is_judgement(output: &Output) -> bool {
    matches!(output.code, Some(0 | 1))
}

/// A tool that found something but names nothing did not say that the file is sound; nor did one
/// whose output is cut.
fn refuse_silence(output: &Output, found: usize) -> Result<(), Unreadable> {
    if output.dropped > 0 || (output.code == Some(1) && found == 0) {
        return Err("it found something and does not say what");
    }
    Ok(())
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
        let output = r#"{"error": {"message": "'(' was never closed", "kind": "SyntaxError",
            "line": 2, "column": 9, "end_line": 2, "end_column": 13}}"#
            .replace('\n', " ");
        let diagnostic = File::new(path, TEXT).of_compiler(&output).unwrap().unwrap();
        // The columns count characters, the span bytes.
        assert_eq!(diagnostic.span.of(TEXT), Some("+ na"));
        assert_eq!((diagnostic.line, diagnostic.code.as_str()), (2, "SyntaxError"));
        assert_eq!(File::new(path, TEXT).of_compiler(r#"{"error": null}"#), Ok(None));
    }

    #[test]
    fn a_byte_order_mark_is_no_column() {
        let output = r#"{"error": {"message": "m", "kind": "SyntaxError",
            "line": 1, "column": 8, "end_line": 1, "end_column": 9}}"#
            .replace('\n', " ");
        let text = "\u{feff}def f()\n    pass\n";
        let diagnostic = File::new(Path::new("/w/a.py"), text).of_compiler(&output).unwrap();
        assert_eq!(diagnostic.unwrap().span.start, text.find('\n').unwrap());
    }

    #[test]
    fn an_error_whose_place_is_not_known_is_an_error() {
        for place in [
            r#""line": 1, "column": 8, "end_line": 1, "end_column": -1"#,
            r#""line": 0, "column": -1, "end_line": null, "end_column": null"#,
            r#""line": 1, "column": 8, "end_line": -1, "end_column": 0"#,
            r#""line": 9223372036854775807, "column": 1"#,
        ] {
            let output = format!(r#"{{"error": {{"message": "m", "kind": "k", {place}}}}}"#);
            let found = File::new(Path::new("/w/a.py"), TEXT).of_compiler(&output);
            let found = found.unwrap().unwrap_or_else(|| panic!("{place}"));
            assert!(found.span.is_empty() && found.line == 1, "{place}: {found:?}");
        }
    }

    #[test]
    fn a_report_that_cannot_be_read_is_not_taken_for_none() {
        for output in ["", "null", "{}", r#"{"error": {}}"#, r#"{"error": 1}"#, "Traceback"] {
            let found = File::new(Path::new("/w/a.py"), TEXT).of_compiler(output);
            assert_eq!(found, Err(UNREADABLE), "{output}");
        }
    }

    fn printed(code: i32, stdout: &str) -> Output {
        Output { code: Some(code), stdout: stdout.to_owned(), ..Output::default() }
    }

    #[test]
    fn a_tool_that_fails_and_names_nothing_is_not_satisfied() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("project");
        std::fs::create_dir_all(&project).unwrap();
        let extent = super::super::super::scratch::Extent::Folder;
        let scratch = Scratch::open(&folder.path().join("cache"), &project, extent).unwrap();
        let path = scratch.root().join("a.py");
        let file = File::new(&path, TEXT);
        let bad = [
            file.of_ruff(&printed(1, "[]")),
            file.of_ruff(&printed(0, "")),
            file.of_ruff(&printed(1, r#"[{"code": 1}]"#)),
            file.of_mypy(&printed(1, ""), &scratch),
            file.of_mypy(&printed(1, r#"{"file": "a.py", "line": "x"}"#), &scratch),
            file.of_pyright(&printed(1, r#"{"generalDiagnostics": []}"#), &scratch),
            file.of_pyright(&printed(0, ""), &scratch),
            file.of_pyright(&printed(1, "Traceback"), &scratch),
        ];
        for (case, found) in bad.iter().enumerate() {
            assert!(found.is_err(), "case {case}: {found:?}");
        }
        let unusable = [
            file.of_ruff(&printed(2, "")),
            file.of_mypy(&printed(2, "usage"), &scratch),
            file.of_pyright(&printed(3, ""), &scratch),
        ];
        assert_eq!(unusable, [Ok(None), Ok(None), Ok(None)]);
        let sound = [
            file.of_ruff(&printed(0, "[]")),
            file.of_mypy(&printed(0, "Success: no issues found\n"), &scratch),
            file.of_pyright(&printed(0, r#"{"generalDiagnostics": []}"#), &scratch),
        ];
        assert_eq!(sound, [Ok(Some(vec![])), Ok(Some(vec![])), Ok(Some(vec![]))]);
        let stopped = format!(
            r#"{{"file": "{}", "line": -1, "column": -1, "message": "m", "code": null,
            "severity": "error"}}"#,
            scratch.tree().join("a.py").display()
        )
        .replace('\n', " ");
        let found = file.of_mypy(&printed(2, &stopped), &scratch).unwrap().unwrap();
        assert_eq!((found.len(), found[0].line), (1, 1));
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
        let found =
            File::new(Path::new("/w/a.py"), TEXT).of_ruff(&printed(1, output)).unwrap().unwrap();
        assert_eq!(found[0].severity, Severity::Warning);
        assert!(found[0].suggestions[0].machine_applicable);
        let edit = &found[0].suggestions[0].edits[0].1[0];
        assert_eq!(edit.span.of(TEXT), Some("import os\n"));
        assert_eq!(found[1].severity, Severity::Error);
        assert_eq!(found[1].span.of(TEXT), Some("name"));
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
