//! The language table, read from `grammars/languages.toml`; a language is a row and query files.

mod sources;
mod table;

pub use sources::fingerprint;

use std::path::Path;
use std::sync::{LazyLock, OnceLock};

use serde::Deserialize;
use tree_sitter::{CaptureQuantifier, Query};

use super::starts::{Kinds, Purpose};
use super::statements;

/// One supported language: a row of the table. Copying it copies a reference.
#[derive(Clone, Copy)]
pub struct Language(&'static Spec);

/// What the table says of a language, with its queries, each compiled when it is first used.
pub struct Spec {
    /// Its name: `rust`, `python`, `tsx`. Also LSP's `languageId` where it is no alias.
    pub name: &'static str,
    /// Other names that editors and answers of models give it: `typescriptreact`.
    pub aliases: &'static [&'static str],
    /// What languages that import each other's files share: `javascript`, `typescript` and `tsx`
    /// are of one family. A language's own name where it stands alone.
    pub family: &'static str,
    /// File endings without the dot. Where two languages claim one, the first in the table has it.
    pub extensions: &'static [&'static str],
    /// What starts a line comment: `//`, `#`.
    pub line_comment: &'static str,
    /// How blocks are marked.
    pub blocks: Blocks,
    /// What stands between the parts of a module's path: `::`, `.`, `/`.
    pub path_separator: &'static str,
    /// What stands between an owner and its member: `::`, `.`.
    pub member_separator: &'static str,
    /// How a path names the module it stands in: `self` in `use a::b::{self}`.
    pub path_self: Option<&'static str>,
    /// Names of the object a method works on: `self`, `this`.
    pub receivers: &'static [&'static str],
    /// Which items other modules can name.
    pub visible: Visibility,
    /// How doc comments are written.
    pub doc: DocStyle,
    /// What ends the block of a type: `}`, `};`; nothing where blocks are marked by indentation.
    pub type_end: &'static str,
    /// What stands for the body of a function that is shown by its signature: `;`, ` {}`.
    pub no_body: &'static str,
    /// What stands for a value that is left out where nothing may not: ` = nil`.
    pub no_value: &'static str,
    /// Words that stand once before a group of declarations: `const`, `type`.
    pub grouped: &'static [&'static str],
    /// By which rule a module's path leads to a file.
    pub modules: ModuleRule,
    /// Names of files that hold test code only; `*` stands for anything.
    pub test_files: &'static [&'static str],
    /// Names that code uses without a definition or an import, and common members of what the
    /// language comes with.
    pub builtins: &'static [&'static str],
    /// The folders of its query files.
    query_folders: &'static [&'static str],
    /// The grammar.
    pub(super) grammar: tree_sitter::Language,
    /// Its queries.
    pub(super) queries: Queries,
    /// Which kinds of leaves are identifiers, by kind number.
    pub(super) identifier_kinds: Box<[bool]>,
    /// What [`kinds`](Self::kinds) gives.
    kinds: OnceLock<Kinds>,
    /// What [`statements`](Self::statements) gives.
    statements: OnceLock<statements::Kinds>,
}

impl Spec {
    /// Which kinds of nodes start patterns of the queries that are run over whole files.
    pub(super) fn kinds(&self) -> &Kinds {
        self.kinds.get_or_init(|| {
            let text = |file| sources::query_text(self.query_folders, file).unwrap_or_default();
            Kinds::of(
                &self.grammar,
                &[
                    (Purpose::Items, &self.queries.items, &text("items")),
                    (Purpose::Tests, &self.queries.tests, &text("tests")),
                    (Purpose::Imports, &self.queries.imports, &text("imports")),
                ],
            )
        })
    }

    /// Which nodes are statements, by the patterns of `scopes.scm` that find them.
    pub(super) fn statements(&self) -> &statements::Kinds {
        self.statements.get_or_init(|| {
            let text = sources::query_text(self.query_folders, "scopes").unwrap_or_default();
            let scopes = &*self.queries.scopes;
            let capture = scopes.capture_index_for_name("statement").map(|index| index as usize);
            let finds = |pattern: &usize| {
                let quantifiers = scopes.capture_quantifiers(*pattern);
                let quantifier = capture.and_then(|index| quantifiers.get(index));
                quantifier.is_some_and(|quantifier| *quantifier != CaptureQuantifier::Zero)
            };
            let patterns = (0..scopes.pattern_count()).filter(finds).filter_map(|pattern| {
                let span =
                    scopes.start_byte_for_pattern(pattern)..scopes.end_byte_for_pattern(pattern);
                text.get(span)
            });
            statements::Kinds::of(&self.grammar, &patterns.collect::<Vec<_>>(), |text| {
                table::compiled(&self.grammar, self.name, "scopes", text)
            })
        })
    }
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

/// Which items other modules can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Those that `items.scm` marks as public.
    Marked,
    /// All but those that `items.scm` marks as private.
    UnlessMarked,
    /// Those whose name begins with a capital letter.
    Capitalized,
    /// Those whose name does not begin so; a name that ends with two underscores is public.
    Unprefixed(&'static str),
}

/// By which rule a module's path leads to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModuleRule {
    /// Crates, `crate`, `self`, `super`; `a/b.rs` or `a/b/mod.rs`.
    Rust,
    /// `a/b.py` or `a/b/__init__.py`, relative or below a folder on the module path.
    Python,
    /// Specifiers relative to the file, aliases of the source folder, packages of the repository.
    Ecmascript,
    /// Headers, relative to the file or to a folder around it.
    Include,
    /// Folders below the module's path.
    Go,
    /// A class is a file in its package's folder.
    Java,
}

/// How a language writes doc comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocStyle {
    /// Lines above the item, each behind this mark.
    Lines(&'static str),
    /// A comment `/** … */` above the item.
    Block,
    /// A string, in these quotes, first in the body.
    Docstring(&'static str),
}

/// A query that is compiled when it is first used: a program rarely meets every language, and
/// compiling them all takes longer than starting it.
pub(super) type LazyQuery = LazyLock<Query, Box<dyn FnOnce() -> Query + Send>>;

/// The queries of a language.
pub(super) struct Queries {
    pub(super) items: LazyQuery,
    pub(super) scopes: LazyQuery,
    pub(super) imports: LazyQuery,
    pub(super) tests: LazyQuery,
    pub(super) facts: LazyQuery,
    pub(super) strict: LazyQuery,
}

impl DocStyle {
    /// `lines` as a comment above an item that is indented by `indent`, up to where the item
    /// starts. `None` for a language whose documentation stands inside.
    pub fn above(self, lines: &[String], indent: &str, newline: &str) -> Option<String> {
        let mark = match self {
            Self::Lines(mark) => mark,
            Self::Block => " *",
            Self::Docstring(_) => return None,
        };
        // What would end the comment early does not.
        let closed = |line: &String| line.replace("*/", "* /");
        let escaped: Vec<String>;
        let lines = if self == Self::Block {
            escaped = lines.iter().map(closed).collect();
            &escaped
        } else {
            lines
        };
        if let (Self::Block, [line]) = (self, lines) {
            return Some(format!("/** {line} */{newline}{indent}"));
        }
        let mut written: Vec<String> =
            lines.iter().map(|line| format!("{mark} {line}").trim_end().to_owned()).collect();
        if self == Self::Block {
            written.insert(0, "/**".to_owned());
            written.push(" */".to_owned());
        }
        let end = format!("{newline}{indent}");
        Some(written.iter().flat_map(|line| [line.as_str(), &end]).collect())
    }
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
    /// Compiles the queries that a suggestion needs. They would be when they are first used, which
    /// takes up to a second: call it off the paths that answer an editor.
    pub fn prepare(self) {
        let Queries { items, scopes, imports, tests, facts, strict } = &self.0.queries;
        for query in [items, scopes, imports, tests, facts, strict] {
            LazyLock::force(query);
        }
        self.0.kinds();
        self.0.statements();
    }

    /// The language of a file, by its ending.
    pub fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        Self::all().iter().copied().find(|language| language.0.extensions.contains(&extension))
    }

    /// The language with this name or alias.
    pub fn named(name: &str) -> Option<Self> {
        let has = |language: &Self| language.0.name == name || language.0.aliases.contains(&name);
        Self::all().iter().copied().find(has)
    }

    /// Every language compiled in.
    pub fn all() -> &'static [Language] {
        static ALL: LazyLock<Vec<Language>> = LazyLock::new(|| {
            // A fault in the embedded table cannot reach a release: a test reads it.
            table::read().unwrap_or_else(|error| {
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

    /// Whether its items say which fields they have.
    pub fn marks_fields(self) -> bool {
        self.0.queries.items.capture_index_for_name("field").is_some()
    }

    /// Whether files of the two languages import each other.
    pub fn is_kin(self, other: Self) -> bool {
        self.0.family == other.0.family
    }

    /// Whether `name` is how an editor or a model names it: its name, an alias, a file ending.
    pub fn is_called(self, name: &str) -> bool {
        self.0.name == name || self.0.aliases.contains(&name) || self.0.extensions.contains(&name)
    }

    /// Whether a file at `path` holds test code only, as its name says.
    pub fn is_test_file(self, path: &Path) -> bool {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
        self.0.test_files.iter().any(|pattern| fits(pattern, name))
    }
}

/// Whether `name` is spelled as `pattern`, in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len()).filter_map(|at| tail.get(at..)).any(|tail| fits(rest, tail))
        }),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_every_query_compiles() {
        let table = table::read().unwrap();
        assert_eq!(table.len(), sources::GRAMMARS.len(), "a grammar without a row");
        for language in table {
            assert!(!language.spec().extensions.is_empty());
            let name = language.name();
            for file in sources::FILES {
                let text = sources::query_text(language.spec().query_folders, file).unwrap();
                let compiled = Query::new(&language.spec().grammar, &text);
                assert!(compiled.is_ok(), "{name}/{file}.scm: {}", compiled.unwrap_err());
            }
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
                let query: &Query = match file {
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

    #[test]
    fn doc_comments_are_written_in_the_language_s_manner() {
        let lines = ["Adds.".to_owned(), String::new(), "More */.".to_owned()];
        let rust = DocStyle::Lines("///").above(&lines, "  ", "\n");
        assert_eq!(rust.as_deref(), Some("/// Adds.\n  ///\n  /// More */.\n  "));
        let block = DocStyle::Block.above(&lines, "  ", "\n");
        assert_eq!(block.as_deref(), Some("/**\n   * Adds.\n   *\n   * More * /.\n   */\n  "));
        let one = DocStyle::Block.above(&lines[..1], "", "\n");
        assert_eq!(one.as_deref(), Some("/** Adds. */\n"));
        assert_eq!(DocStyle::Docstring("'").above(&lines, "", "\n"), None);
    }

    #[test]
    fn a_pattern_fits_whole_names_only() {
        for (pattern, name, expected) in [
            ("*_test.go", "cart_test.go", true),
            ("*_test.go", "cart_test.gop", false),
            ("test_*.py", "test_cart.py", true),
            ("*.test.*", "cart.test.tsx", true),
            ("*.test.*", "cart.tests.tsx", false),
            ("conftest.py", "conftest.py", true),
            ("*", "é", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
