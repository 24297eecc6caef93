//! The source as `tests/tidy.rs` reads it: line by line, by a simple scan for names.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the source.
pub(super) struct Source {
    /// Its path from the root, with `/`.
    pub(super) path: String,
    /// Its text.
    pub(super) text: String,
}

impl Source {
    /// The path below `src` without its ending.
    pub(super) fn place(&self) -> &str {
        self.path.trim_start_matches("src/").trim_end_matches(".rs")
    }

    pub(super) fn module(&self) -> Option<&str> {
        self.place().split('/').next()
    }

    pub(super) fn lies_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| {
            self.place()
                .strip_prefix(place)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Numbered lines of code: without comments, contents of strings, and what only tests compile.
    pub(super) fn code(&self) -> Vec<(usize, &str)> {
        let mut lines = Vec::new();
        let mut test: Option<&str> = None;
        for (number, line) in (1..).zip(self.text.lines()) {
            let indent = &line[..line.len() - line.trim_start().len()];
            let text = line.trim();
            match test {
                // The attribute's item: one line, or up to the line that closes it.
                Some(at) if text.starts_with("#[") || text.starts_with("///") => test = Some(at),
                Some(at) if indent == at && (text.ends_with(';') || text.starts_with('}')) => {
                    test = None;
                }
                Some(at) if indent == at && text.ends_with('}') => test = None,
                Some(_) => {}
                None if text.starts_with("#[cfg(test)]") || text.starts_with("#[cfg(all(test") => {
                    test = Some(indent);
                }
                None if text.starts_with("//") => {}
                None => lines.push((number, line.split(" // ").next().unwrap_or(line))),
            }
        }
        lines
    }

    /// The top-level modules of ours that the code names, with line numbers.
    pub(super) fn uses(&self) -> Vec<(usize, String)> {
        let depth = self.place().split('/').count();
        let up = "super::".repeat(depth);
        let mut used = Vec::new();
        let mut open: Option<(usize, String)> = None;
        for (number, line) in self.code() {
            let line = without_strings(line);
            let (start, text) = match open.take() {
                Some((start, text)) => (start, text + &line),
                None => (number, line),
            };
            // A list of imports may go on over several lines.
            if text.trim_start().starts_with("use crate::{") && !text.contains(';') {
                open = Some((start, text));
                continue;
            }
            for prefix in ["crate::", up.as_str()] {
                for (at, _) in text.match_indices(prefix) {
                    let inside = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
                        || text[..at].ends_with("super::");
                    if !inside {
                        let names = first_names(&text[at + prefix.len()..]);
                        used.extend(names.into_iter().map(|name| (start, name)));
                    }
                }
            }
        }
        used
    }
}

/// `a` of `a::b`; `a` and `c` of `{a::{b, d}, c}`.
fn first_names(path: &str) -> Vec<String> {
    let word = |text: &str| {
        text.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let Some(list) = path.strip_prefix('{') else { return vec![word(path)] };
    let mut names = vec![word(list)];
    let mut depth = 1;
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(word(&list[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// `line` with its string literals emptied.
fn without_strings(line: &str) -> String {
    line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

/// Whether `code` names `name` as a whole word, outside of strings.
pub(super) fn says(code: &str, name: &str) -> bool {
    let code = without_strings(code);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if let Some(inner) = name.strip_prefix("std::")
        && let Some((_, list)) = code.split_once("use std::{")
    {
        return list
            .split([',', '{', '}'])
            .any(|used| used.trim().split("::").next() == Some(inner));
    }
    code.match_indices(name).any(|(at, _)| {
        let after = &code[at + name.len()..];
        !code[..at].ends_with(is_word)
            && (name.ends_with([':', '!']) || !after.starts_with(is_word))
    })
}

/// The files of the program itself; those that only tests compile are left out.
pub(super) fn sources() -> Vec<Source> {
    let of_tests = |path: &str| path.split('/').any(|part| matches!(part, "tests.rs" | "tests"));
    all_rust_files()
        .into_iter()
        .filter(|file| file.path.starts_with("src/") && !of_tests(&file.path))
        .collect()
}

pub(super) fn all_rust_files() -> Vec<Source> {
    let found: Vec<Source> = ["src", "tests", "benches", "fuzz", "tools"]
        .iter()
        .flat_map(|folder| files(&root().join(folder), &["rs"]))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(root()).unwrap();
            let path = path.to_string_lossy().replace('\\', "/");
            Source { path, text }
        })
        .collect();
    assert!(found.len() > 30, "the source was not found");
    found
}

/// The files below `folder` with one of `endings`, sorted; hidden ones and build outputs left out.
pub(super) fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || matches!(&*name, "target" | "node_modules" | "__pycache__")
            {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| endings.iter().any(|known| *known == e)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
