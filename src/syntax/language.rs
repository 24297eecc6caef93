//! The language table, read from `grammars/languages.toml`; a language is a row and query files.

use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;
use tree_sitter::Query;

use super::starts::{Kinds, Purpose};

/// One supported language: a row of the table. Copying it copies a reference.
#[derive(Clone, Copy)]
pub struct Language(&'static Spec);

/// What the table says of a language, with its queries compiled.
pub struct Spec {
    /// Name as in LSP's `languageId`: `rust`, `python`.
    pub name: &'static str,
    /// File endings without the dot.
    pub extensions: &'static [&'static str],
    /// What starts a line comment: `//`, `#`.
    pub line_comment: &'static str,
    /// How blocks are marked.
    pub blocks: Blocks,
    /// What stands between the parts of a path: `::`, `.`.
    pub path_separator: &'static str,
    /// How a path names the module it stands in: `self` in `use a::b::{self}`.
    pub path_self: Option<&'static str>,
    /// Names of the object a method works on: `self`.
    pub receivers: &'static [&'static str],
    /// What a name starts with that is not meant for other modules.
    pub private_prefix: Option<&'static str>,
    /// How doc comments are written.
    pub doc: DocStyle,
    /// The grammar.
    pub(super) grammar: tree_sitter::Language,
    /// Its queries.
    pub(super) queries: Queries,
    /// Which kinds of leaves are identifiers, by kind number.
    pub(super) identifier_kinds: Box<[bool]>,
    /// Which kinds of nodes start patterns of the queries that are run over whole files.
    pub(super) kinds: Kinds,
}

/// How a language marks blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blocks {
    /// By braces.
    Braces,
    /// By indentation.
    Indentation,
}

/// How a language writes doc comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocStyle {
    /// Lines above the item, each behind this mark.
    Lines(&'static str),
    /// A string, in these quotes, first in the body.
    Docstring(&'static str),
}

/// The compiled queries of a language.
pub(super) struct Queries {
    pub(super) items: Query,
    pub(super) scopes: Query,
    pub(super) imports: Query,
    pub(super) tests: Query,
    pub(super) facts: Query,
    pub(super) strict: Query,
}

impl Queries {
    pub(super) fn of(&self, purpose: Purpose) -> &Query {
        match purpose {
            Purpose::Items => &self.items,
            Purpose::Tests => &self.tests,
            Purpose::Imports => &self.imports,
        }
    }
}

impl Language {
    /// The language of a file, by its ending.
    pub fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        Self::all().iter().copied().find(|language| language.0.extensions.contains(&extension))
    }

    /// The language named `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().iter().copied().find(|language| language.0.name == name)
    }

    /// Every language compiled in.
    pub fn all() -> &'static [Language] {
        static ALL: LazyLock<Vec<Language>> = LazyLock::new(|| {
            // A fault in the embedded table or a query cannot reach a release: a test reads it.
            read_table().unwrap_or_else(|error| {
                tracing::error!("language table: {error}");
                Vec::new()
            })
        });
        &ALL
    }

    /// Its row.
    pub fn spec(self) -> &'static Spec {
        self.0
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name
    }
}

/// A number that changes with the grammars and queries that are compiled in: what was read with
/// others is not what would be read now.
pub fn fingerprint() -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    include_str!("../../grammars/languages.toml").hash(&mut hasher);
    for source in SOURCES {
        (source.name, source.items, source.imports, source.tests).hash(&mut hasher);
        let grammar = (source.grammar)();
        (grammar.abi_version(), grammar.parse_state_count()).hash(&mut hasher);
    }
    hasher.finish()
}

impl std::fmt::Debug for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Language {}

/// A grammar crate's function and the text of the query files.
struct Source {
    name: &'static str,
    grammar: fn() -> tree_sitter::Language,
    items: &'static str,
    scopes: &'static str,
    imports: &'static str,
    tests: &'static str,
    facts: &'static str,
    strict: &'static str,
}

macro_rules! grammars {
    ($($name:literal => $grammar:expr,)*) => {
        &[$(Source {
            name: $name,
            grammar: || $grammar.into(),
            items: include_str!(concat!("../../grammars/", $name, "/items.scm")),
            scopes: include_str!(concat!("../../grammars/", $name, "/scopes.scm")),
            imports: include_str!(concat!("../../grammars/", $name, "/imports.scm")),
            tests: include_str!(concat!("../../grammars/", $name, "/tests.scm")),
            facts: include_str!(concat!("../../grammars/", $name, "/facts.scm")),
            strict: include_str!(concat!("../../grammars/", $name, "/strict.scm")),
        }),*]
    };
}

const SOURCES: &[Source] = grammars! {
    "rust" => tree_sitter_rust::LANGUAGE,
    "python" => tree_sitter_python::LANGUAGE,
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
    extensions: Vec<String>,
    line_comment: String,
    blocks: Blocks,
    path_separator: String,
    path_self: Option<String>,
    receivers: Vec<String>,
    private_prefix: Option<String>,
    doc: RowDoc,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum RowDoc {
    Lines(String),
    Docstring(String),
}

fn read_table() -> Result<Vec<Language>, String> {
    let table: Table = toml::from_str(include_str!("../../grammars/languages.toml"))
        .map_err(|error| format!("grammars/languages.toml: {error}"))?;
    table.language.into_iter().map(language).collect()
}

/// Rows live as long as the program, so that [`Language`] can be a copied reference.
fn language(row: Row) -> Result<Language, String> {
    let source = SOURCES
        .iter()
        .find(|source| source.name == row.name)
        .ok_or_else(|| format!("{}: no grammar is compiled in", row.name))?;
    let grammar = (source.grammar)();
    let query = |file: &str, text: &str| {
        Query::new(&grammar, text)
            .map_err(|error| format!("grammars/{}/{file}.scm: {error}", source.name))
    };
    let queries = Queries {
        items: query("items", source.items)?,
        scopes: query("scopes", source.scopes)?,
        imports: query("imports", source.imports)?,
        tests: query("tests", source.tests)?,
        facts: query("facts", source.facts)?,
        strict: query("strict", source.strict)?,
    };
    let spec = Spec {
        name: source.name,
        extensions: fixed_list(row.extensions),
        line_comment: fixed(row.line_comment),
        blocks: row.blocks,
        path_separator: fixed(row.path_separator),
        path_self: row.path_self.map(fixed),
        receivers: fixed_list(row.receivers),
        private_prefix: row.private_prefix.map(fixed),
        doc: match row.doc {
            RowDoc::Lines(mark) => DocStyle::Lines(fixed(mark)),
            RowDoc::Docstring(quotes) => DocStyle::Docstring(fixed(quotes)),
        },
        identifier_kinds: super::identifiers::kinds(&grammar),
        kinds: Kinds::of(
            &grammar,
            &[
                (Purpose::Items, &queries.items, source.items),
                (Purpose::Tests, &queries.tests, source.tests),
                (Purpose::Imports, &queries.imports, source.imports),
            ],
        ),
        grammar,
        queries,
    };
    Ok(Language(Box::leak(Box::new(spec))))
}

fn fixed(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn fixed_list(texts: Vec<String>) -> &'static [&'static str] {
    Box::leak(texts.into_iter().map(fixed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_every_query_compiles() {
        let table = read_table().unwrap();
        assert_eq!(table.len(), SOURCES.len(), "a grammar without a row");
        for language in table {
            assert!(!language.spec().extensions.is_empty());
        }
    }

    #[test]
    fn every_capture_is_one_the_code_reads() {
        let known: [(&str, &[&str]); 6] = [
            ("items", super::super::outline::CAPTURES),
            ("tests", super::super::outline::TEST_CAPTURES),
            ("scopes", super::super::scope::CAPTURES),
            ("imports", super::super::imports::CAPTURES),
            ("facts", super::super::facts::CAPTURES),
            ("strict", super::super::strict::CAPTURES),
        ];
        for language in Language::all() {
            let queries = &language.spec().queries;
            for (file, captures) in known {
                let query = match file {
                    "items" => &queries.items,
                    "tests" => &queries.tests,
                    "scopes" => &queries.scopes,
                    "imports" => &queries.imports,
                    "strict" => &queries.strict,
                    _ => &queries.facts,
                };
                for name in query.capture_names() {
                    let read = name.starts_with('_') || captures.contains(name);
                    assert!(read, "{}/{file}.scm: nothing reads @{name}", language.name());
                }
            }
        }
    }

    #[test]
    fn languages_are_found_by_ending_and_name() {
        assert_eq!(Language::of_path(Path::new("src/a.rs")), Language::named("rust"));
        assert_eq!(Language::of_path(Path::new("a.pyi")), Language::named("python"));
        assert_eq!(Language::of_path(Path::new("Makefile")), None);
        assert_eq!(Language::named("cobol"), None);
    }
}
