//! Symbols → text in their own language: signatures, the first line of their docs, no bodies.

use crate::syntax::Language;
use crate::syntax::language::Blocks;
use crate::syntax::outline::ItemKind;
use crate::workspace::index::Symbol;
use std::fmt::Write as _;

/// The text of `symbols` of one file, members below their owners.
pub(super) fn text(language: Language, symbols: &[&Symbol]) -> String {
    let mut symbols = symbols.to_vec();
    symbols.sort_by_key(|symbol| symbol.line);
    let mut out = String::new();
    let mut open: Option<&str> = None;
    for (position, symbol) in symbols.iter().enumerate() {
        let next = symbols.get(position + 1).and_then(|next| owner(language, &symbols, next));
        let has_members = next == Some(&symbol.name);
        let is_type = matches!(symbol.kind, ItemKind::Class | ItemKind::Enum | ItemKind::Interface);
        // An `impl` says nothing beyond its members, which name their owner.
        if symbol.kind == ItemKind::Implementation {
            continue;
        }
        let owner = owner(language, &symbols, symbol);
        if open.is_some() && owner != open {
            close(language, &mut out);
            open = None;
        }
        if let Some(owner) = owner.filter(|_| open.is_none()) {
            begin(language, &mut out, owner);
            open = Some(owner);
        }
        entry(language, &mut out, symbol, open.is_some(), has_members);
        let goes_on = match language.spec().blocks {
            Blocks::Indentation => true,
            Blocks::Braces => has_members && language.marks_fields(),
        };
        if is_type && open.is_none() && goes_on {
            open = Some(&symbol.name);
        }
    }
    if open.is_some() {
        close(language, &mut out);
    }
    out
}

/// The type that a member is shown in. Where members stand in their type's own block, one that
/// stands elsewhere names its type itself.
fn owner<'a>(language: Language, symbols: &[&Symbol], member: &'a Symbol) -> Option<&'a str> {
    let owner = member.owner.as_deref()?;
    let stands_in = |outer: &&Symbol| outer.name == owner && outer.span.covers(member.span);
    (!language.marks_fields() || symbols.iter().any(stands_in)).then_some(owner)
}

/// Opens the block of a type whose own line is not part of the text.
fn begin(language: Language, out: &mut String, owner: &str) {
    match language.spec().blocks {
        Blocks::Braces => {
            let block = if language.marks_fields() { "class" } else { "impl" };
            let _ = writeln!(out, "{block} {owner} {{");
        }
        Blocks::Indentation => {
            let _ = writeln!(out, "class {owner}:");
        }
    }
}

fn close(language: Language, out: &mut String) {
    if language.spec().blocks == Blocks::Braces {
        let end = if language.marks_fields() { language.spec().type_end } else { "}" };
        let _ = writeln!(out, "{end}");
    }
}

fn entry(language: Language, out: &mut String, symbol: &Symbol, inside: bool, has_members: bool) {
    let indent = if inside { "    " } else { "" };
    let doc = symbol.doc.as_deref();
    let signature = symbol.signature.trim_end();
    match language.spec().blocks {
        Blocks::Braces => {
            let comment =
                doc.and_then(|doc| language.spec().doc.above(&[doc.to_owned()], indent, "\n"));
            if let Some(comment) = comment {
                let _ = write!(out, "{indent}{comment}");
                out.truncate(out.len() - indent.len());
            }
            if language.marks_fields() && symbol.kind.has_members() {
                let _ = writeln!(out, "{indent}{signature} {{");
                for field in symbol.fields.iter().flat_map(|fields| fields.lines()) {
                    let _ = writeln!(out, "{indent}    {field}");
                }
                if !has_members || inside {
                    let _ = writeln!(out, "{indent}{}", language.spec().type_end);
                }
                return;
            }
            let end = match &symbol.fields {
                Some(fields) => format!(" {fields}"),
                None if signature.ends_with([';', '}', ',']) => String::new(),
                None => ";".to_owned(),
            };
            let _ = writeln!(out, "{indent}{signature}{end}");
        }
        Blocks::Indentation => {
            let _ = write!(out, "{indent}{signature}");
            let opens = signature.ends_with(':');
            match (doc, &symbol.fields) {
                (Some(doc), _) if opens => {
                    let _ = writeln!(out, "\n{indent}    \"\"\"{doc}\"\"\"");
                }
                (_, None) if opens && !has_members => out.push_str(" ...\n"),
                _ => out.push('\n'),
            }
            for field in symbol.fields.iter().flat_map(|fields| fields.lines()) {
                let _ = writeln!(out, "{indent}    {field}");
            }
        }
    }
}
