//! Chosen items of a file → text in their own language, members inside the header of their owner.

use std::fmt::Write as _;

use super::choose::Form;
use crate::syntax::health::health;
use crate::syntax::language::Blocks;
use crate::syntax::outline::ItemKind;
use crate::syntax::{Language, SyntaxTree};
use crate::text::Span;
use crate::workspace::index::{FileEntry, Symbol};

/// One step of indentation.
const STEP: &str = "    ";

/// An item to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    /// Its place in the file.
    pub(super) item: usize,
    /// How much of it.
    pub(super) form: Form,
    /// The statements of a [`Form::Part`], in document order.
    pub(super) statements: Vec<Span>,
}

impl Shown {
    /// An item of which no single statements are shown.
    pub(super) fn of(item: usize, form: Form) -> Self {
        Self { item, form, statements: Vec::new() }
    }
}

/// The text of `items`, in document order. `source` is the
/// file's text, needed where an item is shown whole; an item whose text is not there is shown by
/// its signature.
pub(super) fn text(file: &FileEntry, items: &[Shown], source: Option<&str>) -> String {
    let mut sorted: Vec<(&Symbol, &Shown, Option<&Symbol>)> = items
        .iter()
        .filter_map(|one| Some((file.items.get(one.item)?, one, owner(file, one.item))))
        .collect();
    sorted.sort_by_key(|(symbol, ..)| (symbol.span.start, std::cmp::Reverse(symbol.span.end)));
    let mut writer = Writer { language: file.language, out: String::new(), open: Vec::new() };
    for (at, (symbol, one, owner)) in sorted.iter().enumerate() {
        let has_members = sorted
            .get(at + 1)
            .is_some_and(|(.., next)| next.is_some_and(|next| std::ptr::eq(next, *symbol)));
        writer.inside(*owner);
        match (one.form, source) {
            (Form::Whole, Some(source)) => match whole(source, symbol, *owner) {
                Some(text) => writer.lines(&text),
                None => writer.signature(symbol, has_members, false),
            },
            (Form::Part, Some(source)) => writer.part(symbol, &one.statements, source),
            (form, _) => writer.signature(symbol, has_members, form == Form::Stub),
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
    /// The types and blocks that the next line stands in, outer before inner.
    open: Vec<&'a Symbol>,
}

impl<'a> Writer<'a> {
    /// Opens the block of `owner` where it is not open, and closes those that end before it.
    fn inside(&mut self, owner: Option<&'a Symbol>) {
        while let Some(open) = self.open.last() {
            if owner.is_some_and(|owner| std::ptr::eq(*open, owner)) {
                return;
            }
            if owner.is_some_and(|owner| open.span.covers(owner.span)) {
                break;
            }
            let open = self.open.pop();
            if self.language.spec().blocks == Blocks::Braces {
                self.close(open.map_or("", |open| &open.signature));
            }
        }
        if let Some(owner) = owner {
            self.header(owner);
            self.open.push(owner);
        }
    }

    /// White space in front of a line that stands in what is open.
    fn indent(&self) -> String {
        STEP.repeat(self.open.len())
    }

    fn header(&mut self, owner: &Symbol) {
        let indent = self.indent();
        let signature = self.declaration(owner);
        let opening = match self.language.spec().blocks {
            Blocks::Braces => " {",
            Blocks::Indentation => "",
        };
        let _ = writeln!(self.out, "{indent}{signature}{opening}");
        // Where members may stand only behind the variants.
        if owner.kind == ItemKind::Enum && self.language.marks_fields() {
            self.fields(owner);
        }
    }

    fn fields(&mut self, symbol: &Symbol) {
        let indent = self.indent();
        for field in symbol.fields.iter().flat_map(|fields| fields.lines()) {
            let _ = writeln!(self.out, "{indent}{STEP}{field}");
        }
    }

    /// Ends the block of a type that was opened behind `signature`.
    fn close(&mut self, signature: &str) {
        let end = if self.language.marks_fields() { self.language.spec().type_end } else { "}" };
        let (indent, end) = (self.indent(), closed(end, signature));
        let _ = writeln!(self.out, "{indent}{end}");
    }

    /// What `symbol` declares, on one line, behind the keyword that its group shares.
    fn declaration(&self, symbol: &Symbol) -> String {
        let signature = one_line(symbol.signature.trim_end(), self.language);
        let grouped = self.language.spec().grouped;
        let names_itself = signature.starts_with(&symbol.name);
        if grouped.is_empty() || symbol.kind.is_function() || !names_itself {
            return signature;
        }
        let value = symbol.kind == ItemKind::Constant;
        let keywords = grouped.iter().filter(|keyword| (**keyword == "type") != value);
        let declares = |text: &String| {
            // Go ends a declaration with its line.
            let sound =
                |text: String| health(&SyntaxTree::parse(self.language, &text)).faults() == 0;
            sound(format!("{text}\n")) || (!value && sound(format!("{text} {{}}\n")))
        };
        keywords.map(|word| format!("{word} {signature}")).find(declares).unwrap_or(signature)
    }

    fn lines(&mut self, text: &str) {
        // The text is moved so that its owner stands at the margin.
        let indent = STEP.repeat(self.open.len().saturating_sub(1));
        for line in text.lines() {
            let indent = if line.is_empty() { "" } else { &indent };
            let _ = writeln!(self.out, "{indent}{line}");
        }
    }

    /// What a function declares, and statements of its body with a mark where others stand.
    fn part(&mut self, symbol: &Symbol, statements: &[Span], source: &str) {
        let indent = self.indent();
        let signature = self.declaration(symbol);
        let (opening, closing) = match self.language.spec().blocks {
            Blocks::Braces => (" {", "}\n"),
            Blocks::Indentation => ("", ""),
        };
        let _ = writeln!(self.out, "{indent}{signature}{opening}");
        let mark = format!("{indent}{STEP}{} ...\n", self.language.spec().line_comment);
        let mut end = None;
        for statement in statements {
            let Some(text) = statement.of(source) else { continue };
            if end.is_none_or(|end| end != statement.start) {
                self.out.push_str(&mark);
            }
            end = Some(statement.end);
            let margin = text.len() - text.trim_start().len();
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                let white = line.len() - line.trim_start().len();
                let line = line.get(white.min(margin)..).unwrap_or(line).trim_end();
                let _ = writeln!(self.out, "{indent}{STEP}{line}");
            }
        }
        if !closing.is_empty() {
            let _ = write!(self.out, "{indent}{closing}");
        }
    }

    /// What an item declares, with the first line of its doc comment.
    fn signature(&mut self, symbol: &'a Symbol, has_members: bool, stub: bool) {
        let indent = self.indent();
        let signature = self.declaration(symbol);
        match self.language.spec().blocks {
            Blocks::Braces => {
                // A type whose whole definition is its signature has its block there.
                let marked = self.language.marks_fields() && !signature.contains('{');
                if marked && symbol.kind.has_members() {
                    let _ = writeln!(self.out, "{indent}{signature} {{");
                    self.fields(symbol);
                    if has_members {
                        self.open.push(symbol);
                    } else {
                        self.close(&signature);
                    }
                    return;
                }
                if has_members && symbol.fields.is_none() {
                    let _ = writeln!(self.out, "{indent}{signature} {{");
                    self.open.push(symbol);
                    return;
                }
                let end = match &symbol.fields {
                    Some(fields) if !self.language.marks_fields() => format!(" {}", fields.trim()),
                    _ if stub && symbol.kind == ItemKind::Constant => {
                        self.language.spec().no_value.to_owned()
                    }
                    _ if stub => closed(" {}", &signature),
                    _ if signature.starts_with("#define") => String::new(),
                    _ if signature.ends_with("=>") => closed(" {};", &signature),
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
                self.fields(symbol);
                if has_members {
                    self.open.push(symbol);
                }
            }
        }
    }
}

/// `end`, which ends a block, with what closes the brackets that `signature` left open before it.
fn closed(end: &str, signature: &str) -> String {
    let mut closers = Vec::new();
    for mark in signature.chars() {
        match mark {
            '(' => closers.push(')'),
            '[' => closers.push(']'),
            ')' | ']' => _ = closers.pop_if(|closer| *closer == mark),
            _ => {}
        }
    }
    if closers.is_empty() {
        return end.to_owned();
    }
    let closers: String = closers.iter().rev().collect();
    format!("{}{closers};", end.trim_end_matches(';'))
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
