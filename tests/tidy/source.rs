//! The source as `tests/tidy.rs` reads it: line by line, by a simple scan for names.

#![expect(clippy::unwrap_used, reason = "a broken test setup may panic")]

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
    pub(super) fn code(&self) -> Vec<(usize, String)> {
        let blanked = blanked(&self.text);
        let mut lines = Vec::new();
        // In an item for tests: the brackets open in it, once it has come to any.
        let mut test: Option<i32> = None;
        for (number, line) in (1..).zip(blanked.lines()) {
            let text = line.trim();
            if test.is_none()
                && (text.starts_with("#[cfg(test)]") || text.starts_with("#[cfg(all(test"))
            {
                test = Some(0);
                continue;
            }
            let Some(open) = &mut test else {
                lines.push((number, line.to_owned()));
                continue;
            };
            let count = |marks: &str| line.chars().filter(|c| marks.contains(*c)).count();
            *open += i32::try_from(count("({[")).unwrap() - i32::try_from(count(")}]")).unwrap();
            if *open == 0 && text.ends_with(['}', ';', ',']) {
                test = None;
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

/// `text` with comments and the contents of strings turned into spaces; lines stay where they are.
pub(super) fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, blank) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), true)
        } else if rest.starts_with("/*") {
            (rest.find("*/").map_or(rest.len(), |end| end + 2), true)
        } else if let Some(length) = string(rest).filter(|_| !out.ends_with(is_word)) {
            (length, true)
        } else {
            (first.len_utf8(), false)
        };
        let (part, after) = rest.split_at(length);
        if blank {
            out.extend(part.chars().map(|c| if c == '\n' { c } else { ' ' }));
        } else {
            out.push_str(part);
        }
        rest = after;
    }
    out
}

/// The length of the string or character literal that `rest` starts with.
fn string(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('b').or(rest.strip_prefix('c')).unwrap_or(rest);
    let start = rest.len() - body.len();
    if let Some(raw) = body.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let inside = raw[hashes..].strip_prefix('"')?;
        return Some(
            start + hashes + 2 + inside.find(&end).map_or(inside.len(), |at| at + end.len()),
        );
    }
    let quote = body.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    // A lifetime has no second quote right behind its first character.
    if quote == '\'' && !body.starts_with("'\\") && body.chars().nth(2) != Some('\'') {
        return None;
    }
    let mut escaped = false;
    let end = body.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    Some(start + end.map_or(body.len(), |(at, _)| at + 1))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `code` names `name` as a whole word, outside of strings.
pub(super) fn says(code: &str, name: &str) -> bool {
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
