//! The page an explanation is written on: every statement links to the lines it was read from.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::reading::Statement;
use super::{Explanation, Fact};
use crate::document::Document;
use crate::task::Tools;

/// A growing explanation. Links are references ("line 12") whose targets stand at the end, so that
/// the text also reads well in a terminal.
pub(super) struct Page<'a> {
    document: &'a Document,
    root: &'a Path,
    path: PathBuf,
    title: String,
    text: String,
    links: BTreeMap<String, String>,
    facts: Vec<Fact>,
}

impl<'a> Page<'a> {
    pub(super) fn new(tools: &'a Tools, document: &'a Document, title: String) -> Self {
        let path = tools.workspace.relative(&document.path);
        let path = path.unwrap_or_else(|| document.path.to_path_buf());
        let text = format!("# {title}\n\n");
        let root = tools.workspace.root();
        Self { document, root, path, title, text, links: BTreeMap::new(), facts: Vec::new() }
    }

    /// Bytes written so far.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Puts `text` at byte `at`.
    pub(super) fn insert(&mut self, at: usize, text: &str) {
        self.text.insert_str(at, text);
    }

    /// The file's path as shown.
    pub(super) fn path_shown(&self) -> String {
        self.path.display().to_string()
    }

    /// The file's path relative to the workspace.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A fenced block of code, whatever is in it.
    pub(super) fn code(&mut self, code: &str) {
        let language = self.document.language().map_or("", |language| language.name());
        let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        _ = write!(self.text, "{fence}{language}\n{code}\n{fence}\n\n");
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        _ = write!(self.text, "{text}\n\n");
    }

    pub(super) fn heading(&mut self, heading: &str) {
        if !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
        _ = write!(self.text, "## {heading}\n\n");
    }

    pub(super) fn bullet(&mut self, text: &str) {
        _ = writeln!(self.text, "- {text}");
    }

    /// A heading and its statements, if there are any.
    pub(super) fn statements(&mut self, heading: &str, statements: &[Statement]) {
        if !statements.is_empty() {
            self.heading(heading);
            self.bullets(statements);
        }
    }

    /// Statements, each with its lines, and as facts.
    pub(super) fn bullets(&mut self, statements: &[Statement]) {
        for statement in statements {
            let lines = self.lines(&statement.lines);
            self.bullet(&format!("{} {lines}", statement.text));
            for line in &statement.lines {
                self.fact(statement.kind, &statement.text, *line);
            }
        }
    }

    /// Remembers a fact about this file.
    pub(super) fn fact(&mut self, kind: &'static str, text: &str, line: u32) {
        let path = self.document.path.to_path_buf();
        self.facts.push(Fact { kind, text: text.replace('`', ""), path, line });
    }

    /// Links to lines of this file: `([line 3], [line 7])`.
    pub(super) fn lines(&mut self, lines: &[u32]) -> String {
        let links: Vec<String> = lines
            .iter()
            .map(|line| {
                let label = format!("line {line}");
                self.links.insert(label.clone(), target(&self.document.path, *line));
                format!("[{label}]")
            })
            .collect();
        format!("({})", links.join(", "))
    }

    /// A link to a line of another file, by its path relative to the workspace.
    pub(super) fn other_line(&mut self, path: &Path, line: u32) -> String {
        if path == self.path {
            return self.lines(&[line]).trim_matches(['(', ')']).to_owned();
        }
        let label = format!("{}:{line}", path.display());
        self.links.insert(label.clone(), target(&self.root.join(path), line));
        format!("[{label}]")
    }

    /// The facts so far, one a line, for a prompt.
    pub(super) fn facts_told(&self) -> String {
        let told: Vec<String> =
            self.facts.iter().map(|fact| format!("{}: {}", fact.kind, fact.text)).collect();
        told.join("\n")
    }

    pub(super) fn finished(mut self, summary: Option<String>) -> Explanation {
        if !self.links.is_empty() {
            self.text.truncate(self.text.trim_end().len());
            self.text.push_str("\n\n");
        }
        let mut links: Vec<_> = self.links.into_iter().collect();
        links.sort_by_key(|(label, _)| (label.len(), label.clone()));
        for (label, target) in links {
            _ = writeln!(self.text, "[{label}]: {target}");
        }
        Explanation { title: self.title, markdown: self.text, facts: self.facts, summary }
    }
}

/// A `file:` URI with a line as its fragment.
fn target(path: &Path, line: u32) -> String {
    let mut uri = String::from("file://");
    let path = path.to_string_lossy().replace('\\', "/");
    if !path.starts_with('/') {
        uri.push('/');
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => _ = write!(uri, "%{byte:02X}"),
        }
    }
    format!("{uri}#L{line}")
}
