//! The rows of `grammars/languages.toml` as they are written, and what becomes of them.

use std::sync::OnceLock;

use serde::Deserialize;
use tree_sitter::Query;

use super::{
    Blocks, DocStyle, Language, LazyQuery, ModuleRule, Queries, Spec, Visibility, sources,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    language: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    family: Option<String>,
    queries: Option<Vec<String>>,
    extensions: Vec<String>,
    line_comment: String,
    blocks: Blocks,
    path_separator: String,
    member_separator: Option<String>,
    path_self: Option<String>,
    receivers: Vec<String>,
    visible: RowVisibility,
    doc: RowDoc,
    modules: ModuleRule,
    type_end: Option<String>,
    no_body: Option<String>,
    no_value: Option<String>,
    #[serde(default)]
    grouped: Vec<String>,
    #[serde(default)]
    test_files: Vec<String>,
    #[serde(default)]
    builtins: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RowVisibility {
    Marked,
    UnlessMarked,
    Capitalized,
    Unprefixed(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum RowDoc {
    Lines(String),
    Block,
    Docstring(String),
}

/// The languages whose grammar is compiled in, in the order of the table.
pub(super) fn read() -> Result<Vec<Language>, String> {
    let table: Table = toml::from_str(sources::TABLE)
        .map_err(|error| format!("grammars/languages.toml: {error}"))?;
    let rows = table.language.into_iter();
    rows.filter_map(|row| Some((sources::grammar(&row.name)?, row)))
        .map(|(grammar, row)| language(row, grammar))
        .collect()
}

/// Rows live as long as the program, so that [`Language`] can be a copied reference.
fn language(row: Row, grammar: tree_sitter::Language) -> Result<Language, String> {
    let folders = row.queries.unwrap_or_else(|| vec![row.name.clone()]);
    let query_folders = fixed_list(folders);
    let query = |file: &'static str| query(row.name.clone(), &grammar, query_folders, file);
    let queries = Queries {
        items: query("items")?,
        scopes: query("scopes")?,
        imports: query("imports")?,
        tests: query("tests")?,
        facts: query("facts")?,
        strict: query("strict")?,
    };
    let name = fixed(row.name);
    let path_separator = fixed(row.path_separator);
    let spec = Spec {
        name,
        aliases: fixed_list(row.aliases),
        family: row.family.map_or(name, fixed),
        query_folders,
        extensions: fixed_list(row.extensions),
        line_comment: fixed(row.line_comment),
        blocks: row.blocks,
        path_separator,
        member_separator: row.member_separator.map_or(path_separator, fixed),
        path_self: row.path_self.map(fixed),
        receivers: fixed_list(row.receivers),
        visible: match row.visible {
            RowVisibility::Marked => Visibility::Marked,
            RowVisibility::UnlessMarked => Visibility::UnlessMarked,
            RowVisibility::Capitalized => Visibility::Capitalized,
            RowVisibility::Unprefixed(prefix) => Visibility::Unprefixed(fixed(prefix)),
        },
        doc: match row.doc {
            RowDoc::Lines(mark) => DocStyle::Lines(fixed(mark)),
            RowDoc::Block => DocStyle::Block,
            RowDoc::Docstring(quotes) => DocStyle::Docstring(fixed(quotes)),
        },
        modules: row.modules,
        no_body: row.no_body.map_or(";", fixed),
        no_value: row.no_value.map_or(";", fixed),
        grouped: fixed_list(row.grouped),
        type_end: match (row.type_end, row.blocks) {
            (Some(end), _) => fixed(end),
            (None, Blocks::Braces) => "}",
            (None, Blocks::Indentation) => "",
        },
        test_files: fixed_list(row.test_files),
        builtins: fixed_list(row.builtins.split_whitespace().map(str::to_owned).collect()),
        identifier_kinds: crate::syntax::identifiers::kinds(&grammar),
        grammar,
        queries,
        kinds: OnceLock::new(),
        statements: OnceLock::new(),
    };
    Ok(Language(Box::leak(Box::new(spec))))
}

/// A query that is compiled when it is first used.
fn query(
    name: String,
    grammar: &tree_sitter::Language,
    folders: &[&str],
    file: &'static str,
) -> Result<LazyQuery, String> {
    let text = sources::query_text(folders, file)
        .ok_or_else(|| format!("{name}: no folder of its queries holds {file}.scm"))?;
    let grammar = grammar.clone();
    Ok(LazyQuery::new(Box::new(move || compiled(&grammar, &name, file, &text))))
}

/// The query of `text`. A fault in one cannot reach a release, since a test compiles them all; it
/// would find nothing.
pub(super) fn compiled(
    grammar: &tree_sitter::Language,
    name: &str,
    file: &str,
    text: &str,
) -> Query {
    Query::new(grammar, text)
        .or_else(|error| {
            tracing::error!("{name}/{file}.scm: {error}");
            Query::new(grammar, "")
        })
        .unwrap_or_else(|error| unreachable!("a query without a pattern: {error}"))
}

fn fixed(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn fixed_list(texts: Vec<String>) -> &'static [&'static str] {
    Box::leak(texts.into_iter().map(fixed).collect())
}
