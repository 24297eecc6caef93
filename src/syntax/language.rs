//! The language table, read from `grammars/languages.toml`; a language is a row and query files.

use std::path::Path;

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
}

/// How a language marks blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// By braces.
    Braces,
    /// By indentation.
    Indentation,
}

impl Language {
    /// The language of a file, by its ending.
    pub fn of_path(path: &Path) -> Option<Self> {
        let _ = path;
        unimplemented!()
    }

    /// The language named `name`.
    pub fn named(name: &str) -> Option<Self> {
        let _ = name;
        unimplemented!()
    }

    /// Every language compiled in.
    pub fn all() -> &'static [Language] {
        unimplemented!()
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
