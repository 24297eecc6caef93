//! Chosen items of a file → text in their own language, members inside the header of their owner.

use std::fmt::Write as _;

use super::choose::Form;
use crate::syntax::Language;
use crate::syntax::language::Blocks;
use crate::syntax::outline::ItemKind;
use crate::workspace::index::{FileEntry, Symbol};

/// One step of indentation.
const STEP: &str = "    ";

/// The text of `items` (places in the file, how much of each), in document order. `source` is the
/// file's text, needed where an item is shown whole; an item whose text is not there is shown by
/// its signature.
pub(super) fn text(file: &FileEntry, items: &[(usize, Form)], source: Option<&str>) -> String {
    let mut sorted: Vec<(&Symbol, Form, Option<&Symbol>)> = items
        .iter()
        .filter_map(|(item, form)| Some((file.items.get(*item)?, *form, owner(file, *item))))
        .collect();
    sorted.sort_by_key(|(symbol, ..)| (symbol.span.start, std::cmp::Reverse(symbol.span.end)));
    let mut writer = Writer { language: file.language, out: String::new(), open: None };
    for (at, (symbol, form, owner)) in sorted.iter().enumerate() {
        let has_members = sorted
            .get(at + 1)
            .is_some_and(|(.., next)| next.is_some_and(|next| std::ptr::eq(next, *symbol)));
        writer.inside(*owner);
        match (form, source.and_then(|source| whole(source, symbol, *owner))) {
            (Form::Whole, Some(text)) => writer.lines(&text),
            _ => writer.signature(symbol, has_members),
        }
    }
    writer.inside(None);
    writer.out
}

/// The class, trait or implementation around an item; a module is none: its items stand for
/// themselves.
pub(super) fn owner(file: &FileEntry, item: usize) -> Option<&Symbol> {
    let symbol = file.items.get(item)?;
    file.items
        .get(..item)?
        .iter()
        .rev()
        .find(|outer| outer.span.covers(symbol.span) && outer.kind != ItemKind::Module)
        .filter(|outer| outer.kind.has_members())
}

/// An item's own lines, moved to the left so that it, or its owner, stands at the margin.
fn whole(source: &str, symbol: &Symbol, owner: Option<&Symbol>) -> Option<String> {
    let start = line_start(source, symbol.span.start)?;
    let margin = match owner {
        Some(owner) => owner.span.start - line_start(source, owner.span.start)?,
        None => symbol.span.start - start,
    };
    let text = source.get(start..symbol.span.end)?;
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let white = line.len() - line.trim_start().len();
        out.push_str(line.get(white.min(margin)..).unwrap_or(line).trim_end());
        out.push('\n');
    }
    Some(out)
}

/// Where the line of `offset` begins, provided that only white space stands before it.
fn line_start(source: &str, offset: usize) -> Option<usize> {
    let before = source.get(..offset)?;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    before.get(start..)?.trim().is_empty().then_some(start)
}

struct Writer<'a> {
    language: Language,
    out: String,
    open: Option<&'a Symbol>,
}

impl<'a> Writer<'a> {
    /// Opens the block of `owner` where it is not open, and closes another one.
    fn inside(&mut self, owner: Option<&'a Symbol>) {
        let same = match (self.open, owner) {
            (Some(open), Some(owner)) => std::ptr::eq(open, owner),
            (None, None) => true,
            _ => false,
        };
        if same {
            return;
        }
        if self.open.is_some() && self.language.spec().blocks == Blocks::Braces {
            self.close("");
        }
        self.open = owner;
        if let Some(owner) = owner {
            self.header(owner);
        }
    }

    fn header(&mut self, owner: &Symbol) {
        let signature = one_line(&owner.signature, self.language);
        let opening = match self.language.spec().blocks {
            Blocks::Braces => " {",
            Blocks::Indentation => "",
        };
        let _ = writeln!(self.out, "{signature}{opening}");
    }

    /// Ends the block of a type.
    fn close(&mut self, indent: &str) {
        let end = if self.language.marks_fields() { self.language.spec().type_end } else { "}" };
        let _ = writeln!(self.out, "{indent}{end}");
    }

    fn lines(&mut self, text: &str) {
        self.out.push_str(text);
        if !text.ends_with('\n') {
            self.out.push('\n');
        }
    }

    /// What an item declares, with the first line of its doc comment.
    fn signature(&mut self, symbol: &'a Symbol, has_members: bool) {
        let indent = if self.open.is_some() { STEP } else { "" };
        let signature = one_line(symbol.signature.trim_end(), self.language);
        match self.language.spec().blocks {
            Blocks::Braces => {
                // A type whose whole definition is its signature has its block there.
                let marked = self.language.marks_fields() && !signature.contains('{');
                if marked && symbol.kind.has_members() {
                    let _ = writeln!(self.out, "{indent}{signature} {{");
                    for field in symbol.fields.iter().flat_map(|fields| fields.lines()) {
                        let _ = writeln!(self.out, "{indent}{STEP}{field}");
                    }
                    if has_members {
                        self.open = Some(symbol);
                    } else {
                        self.close(indent);
                    }
                    return;
                }
                if has_members && symbol.fields.is_none() {
                    let _ = writeln!(self.out, "{indent}{signature} {{");
                    self.open = Some(symbol);
                    return;
                }
                let end = match &symbol.fields {
                    Some(fields) if !self.language.marks_fields() => format!(" {}", fields.trim()),
                    _ if signature.starts_with("#define") => String::new(),
                    _ if signature.ends_with("=>") => " {};".to_owned(),
                    _ if signature.ends_with([';', ',']) => String::new(),
                    _ if self.language.marks_fields() && symbol.kind.is_function() => {
                        self.language.spec().no_body.to_owned()
                    }
                    _ if self.language.marks_fields() => ";".to_owned(),
                    _ if signature.ends_with('}') => String::new(),
                    _ if symbol.kind.has_members() || symbol.kind == ItemKind::Macro => {
                        " {}".to_owned()
                    }
                    _ => ";".to_owned(),
                };
                let _ = writeln!(self.out, "{indent}{signature}{end}");
            }
            Blocks::Indentation => {
                let opens = signature.ends_with(':');
                let _ = write!(self.out, "{indent}{signature}");
                let rest =
                    if opens && !has_members && symbol.fields.is_none() { " ...\n" } else { "\n" };
                self.out.push_str(rest);
                for field in symbol.fields.iter().flat_map(|fields| fields.lines()) {
                    let _ = writeln!(self.out, "{indent}{STEP}{field}");
                }
                if has_members {
                    self.open = Some(symbol);
                }
            }
        }
    }
}

/// A signature on one line, unless a comment in it ends at a line's end.
fn one_line(signature: &str, language: Language) -> String {
    if !signature.contains('\n') || signature.contains(language.spec().line_comment) {
        return signature.to_owned();
    }
    let mut out = String::with_capacity(signature.len());
    for line in signature.lines() {
        let line = line.trim();
        if line.starts_with([')', ']', '>']) {
            let kept = out.trim_end().trim_end_matches(',').len();
            out.truncate(kept);
        } else if !out.is_empty() && !out.ends_with(['(', '[', '<']) {
            out.push(' ');
        }
        out.push_str(line);
    }
    out
}
