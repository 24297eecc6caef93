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
        let has_members =
            symbols.get(position + 1).is_some_and(|next| next.owner.as_ref() == Some(&symbol.name));
        let is_type = matches!(symbol.kind, ItemKind::Class | ItemKind::Enum | ItemKind::Interface);
        // An `impl` says nothing beyond its members, which name their owner.
        if symbol.kind == ItemKind::Implementation {
            continue;
        }
        let owner = symbol.owner.as_deref();
        if open.is_some() && owner != open {
            close(language, &mut out);
            open = None;
        }
        if let Some(owner) = owner.filter(|_| open.is_none()) {
            begin(language, &mut out, owner);
            open = Some(owner);
        }
        entry(language, &mut out, symbol, open.is_some(), has_members);
        if is_type && open.is_none() && language.spec().blocks == Blocks::Indentation {
            open = Some(&symbol.name);
        }
    }
    if open.is_some() {
        close(language, &mut out);
    }
    out
}

/// Opens the block of a type whose own line is not part of the text.
fn begin(language: Language, out: &mut String, owner: &str) {
    match language.spec().blocks {
        Blocks::Braces => {
            let _ = writeln!(out, "impl {owner} {{");
        }
        Blocks::Indentation => {
            let _ = writeln!(out, "class {owner}:");
        }
    }
}

fn close(language: Language, out: &mut String) {
    if language.spec().blocks == Blocks::Braces {
        out.push_str("}\n");
    }
}

fn entry(language: Language, out: &mut String, symbol: &Symbol, inside: bool, has_members: bool) {
    let indent = if inside { "    " } else { "" };
    let doc = symbol.doc.as_deref();
    let signature = symbol.signature.trim_end();
    match language.spec().blocks {
        Blocks::Braces => {
            if let Some(doc) = doc {
                let _ = writeln!(out, "{indent}/// {doc}");
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
