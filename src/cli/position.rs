//! `FILE`, `FILE:LINE`, `FILE:LINE:COL` and `FILE:SYMBOL`: lines and columns count from 1, columns
//! in Unicode scalar values, as rustc prints them.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::document::Document;
use crate::task::target::Target;
use crate::text::line_index::{Encoding, Position};

/// A place as named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The file.
    pub(super) path: PathBuf,
    /// Where in it.
    pub(super) spot: Spot,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Spot {
    /// All of it.
    File,
    /// A one-based line.
    Line(usize),
    /// A one-based line and column.
    Cursor(usize, usize),
    /// An item by name.
    Symbol(String),
}

impl Place {
    /// Reads a place. Of several ways to divide the argument, the longest file name that exists
    /// wins.
    pub(super) fn parse(argument: &str) -> Result<Self, Failure> {
        Self::parse_with(argument, Path::is_file).map_err(Failure::usage)
    }

    /// Reads a place that has to be a line and a column, which come with it.
    pub(super) fn parse_cursor(argument: &str) -> Result<(Self, usize, usize), Failure> {
        let place = Self::parse(argument)?;
        match place.spot {
            Spot::Cursor(line, column) => Ok((place, line, column)),
            _ => Err(Failure::usage(format!("{argument}: write FILE:LINE:COL"))),
        }
    }

    fn parse_with(argument: &str, exists: impl Fn(&Path) -> bool) -> Result<Self, String> {
        let (path, rest) = split(argument, exists);
        if path.is_empty() {
            return Err(format!("{argument}: names no file; write FILE:LINE:COL"));
        }
        let spot = match rest {
            Some(rest) => spot(rest).map_err(|error| format!("{argument}: {error}"))?,
            None => Spot::File,
        };
        Ok(Self { path: PathBuf::from(path), spot })
    }

    /// What a task is to work on.
    pub(super) fn target(&self, document: &Document) -> Result<Target, Failure> {
        match &self.spot {
            Spot::File => Ok(Target::File),
            Spot::Symbol(name) => Ok(Target::Named(name.clone())),
            Spot::Cursor(line, column) => self.offset(document, *line, *column).map(Target::At),
            Spot::Line(line) => {
                let span = self.line(document, *line)?;
                let text = span.of(&document.text).unwrap_or_default();
                let indent = text.len() - text.trim_start().len();
                Ok(Target::At(span.start + if indent == text.len() { 0 } else { indent }))
            }
        }
    }

    /// The byte offset of a line and column, both one-based. The column may stand just past the
    /// line's last character.
    pub(super) fn offset(
        &self,
        document: &Document,
        line: usize,
        column: usize,
    ) -> Result<usize, Failure> {
        let span = self.line(document, line)?;
        let text = span.of(&document.text).unwrap_or_default();
        // A byte order mark is part of the text and none of its columns.
        let mark = usize::from(line == 1 && text.starts_with('\u{feff}'));
        let length = text.chars().count() - mark;
        if column > length + 1 {
            return Err(Failure::usage(format!(
                "{}:{line}:{column}: the line has {length} characters, so its last column is {}",
                self.path.display(),
                length + 1
            )));
        }
        let position = Position { line: (line - 1) as u32, column: (column - 1 + mark) as u32 };
        Ok(document.lines.offset(&document.text, position, Encoding::Utf32))
    }

    /// The bytes of a one-based line.
    pub(super) fn line(
        &self,
        document: &Document,
        line: usize,
    ) -> Result<crate::text::Span, Failure> {
        document.lines.line_span(&document.text, line - 1).ok_or_else(|| {
            let count = document.lines.line_count();
            Failure::usage(format!(
                "{}:{line}: the file has {count} line{}",
                self.path.display(),
                if count == 1 { "" } else { "s" }
            ))
        })
    }
}

/// The file and the rest. Without a file of any such name: the trailing numbers are the rest, else
/// what follows the first colon.
fn split(argument: &str, exists: impl Fn(&Path) -> bool) -> (&str, Option<&str>) {
    let colons: Vec<usize> = argument
        .match_indices(':')
        .map(|(at, _)| at)
        .filter(|at| !is_drive(argument, *at))
        .collect();
    let cut = |at: usize| (&argument[..at], argument.get(at + 1..));
    if exists(Path::new(argument)) || colons.is_empty() {
        return (argument, None);
    }
    if let Some(at) = colons.iter().rev().find(|at| exists(Path::new(&argument[..**at]))) {
        return cut(*at);
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = colons
        .iter()
        .rev()
        .take(2)
        .take_while(|at| argument[**at + 1..].split(':').all(is_number))
        .last();
    cut(*numbers.or(colons.first()).unwrap_or(&argument.len()))
}

/// Whether the colon at `at` belongs to a drive: `C:\` or `C:/`.
fn is_drive(argument: &str, at: usize) -> bool {
    let bytes = argument.as_bytes();
    at == 1
        && bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && matches!(bytes.get(2), Some(b'\\' | b'/'))
}

fn spot(rest: &str) -> Result<Spot, String> {
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return match rest {
            "" => Err("nothing follows the colon; write FILE:LINE:COL or FILE:SYMBOL".to_owned()),
            name => Ok(Spot::Symbol(name.to_owned())),
        };
    }
    let number = |text: &str| match text.parse::<u32>() {
        Ok(0) => Err("lines and columns count from 1".to_owned()),
        Ok(number) => Ok(number as usize),
        Err(_) => Err(format!("{text} is not a line or column; write FILE:LINE:COL")),
    };
    match rest.split_once(':') {
        None => Ok(Spot::Line(number(rest)?)),
        Some((line, column)) => Ok(Spot::Cursor(number(line)?, number(column)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(argument: &str) -> (String, Spot) {
        let known = ["a.rs", "src/a.rs", "odd:1", r"C:\x\a.rs", "C:/x"];
        let place =
            Place::parse_with(argument, |path| known.iter().any(|k| Path::new(k) == path)).unwrap();
        (place.path.display().to_string(), place.spot)
    }

    #[test]
    fn files_lines_columns_and_symbols_are_told_apart() {
        let symbol = |name: &str| Spot::Symbol(name.to_owned());
        for (argument, path, spot) in [
            ("a.rs", "a.rs", Spot::File),
            ("a.rs:3", "a.rs", Spot::Line(3)),
            ("a.rs:3:14", "a.rs", Spot::Cursor(3, 14)),
            ("a.rs:Cart::total", "a.rs", symbol("Cart::total")),
            ("a.rs:Cart.total", "a.rs", symbol("Cart.total")),
            ("odd:1", "odd:1", Spot::File),
            ("odd:1:2", "odd:1", Spot::Line(2)),
            (r"C:\x\a.rs:1:2", r"C:\x\a.rs", Spot::Cursor(1, 2)),
            ("C:/x:7", "C:/x", Spot::Line(7)),
            ("new.rs:3:1", "new.rs", Spot::Cursor(3, 1)),
            ("new.rs:3", "new.rs", Spot::Line(3)),
            ("new.rs:Cart::total", "new.rs", symbol("Cart::total")),
            (r"D:\new.rs:3:1", r"D:\new.rs", Spot::Cursor(3, 1)),
            (r"D:\new.rs", r"D:\new.rs", Spot::File),
        ] {
            assert_eq!(parse(argument), (path.to_owned(), spot), "{argument}");
        }
    }

    #[test]
    fn what_cannot_be_a_place_is_said() {
        for (argument, said) in [
            ("a.rs:0:1", "count from 1"),
            ("a.rs:1:0", "count from 1"),
            ("a.rs:1:x", "x is not a line or column"),
            ("a.rs:1:2:3", "2:3 is not a line or column"),
            ("a.rs:99999999999", "99999999999 is not a line"),
            ("a.rs:", "nothing follows"),
            (":1:2", "names no file"),
        ] {
            let error = Place::parse_with(argument, |path| path == Path::new("a.rs")).unwrap_err();
            assert!(error.contains(said), "{argument}: {error}");
        }
    }
}
