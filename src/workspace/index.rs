//! Symbols of the workspace by name. A snapshot: updating makes a new one that shares the rest.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::syntax::language::Blocks;
use crate::syntax::outline::{self, Item, ItemKind};
use crate::syntax::{Language, SyntaxTree};
use crate::text::line_index::LineIndex;

/// Symbols of one file beyond this number are left out.
const MAX_SYMBOLS: usize = 4000;
/// Bytes of a signature, and of a doc comment's line, beyond this number are left out.
const MAX_LINE: usize = 600;
/// Data types with more text than this are indexed without their fields.
const MAX_FIELDS: usize = 800;

/// One indexed item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Path relative to the workspace.
    pub path: Arc<Path>,
    /// Zero-based line of its name.
    pub line: u32,
    /// Its kind.
    pub kind: ItemKind,
    /// Its name.
    pub name: String,
    /// The class, impl, trait or module around it.
    pub owner: Option<String>,
    /// Its signature on one or more lines.
    pub signature: String,
    /// First line of its doc comment, without comment marks.
    pub doc: Option<String>,
    /// What a data type holds, as written: the block of a small struct or enum, the annotated
    /// attributes of a class on a line each.
    pub fields: Option<String>,
    /// Whether other modules can name it.
    pub public: bool,
}

/// What is known of the workspace's files.
#[derive(Debug, Clone, Default)]
pub struct Index {
    files: HashMap<PathBuf, Arc<[Symbol]>>,
}

impl Index {
    /// Number of files.
    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    /// Whether a file (relative path) is indexed, with or without symbols.
    pub fn holds(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    /// The symbols of one file (relative path), in document order.
    pub fn of_file(&self, path: &Path) -> &[Symbol] {
        self.files.get(path).map(|symbols| &**symbols).unwrap_or_default()
    }

    /// The symbols named `name`, sorted by path and line.
    pub fn named(&self, name: &str) -> Vec<&Symbol> {
        self.select(|symbol| symbol.name == name)
    }

    /// The types named `name` and the members of types of that name, sorted by path and line.
    pub fn around(&self, name: &str) -> Vec<&Symbol> {
        self.select(|symbol| {
            let is_type = matches!(
                symbol.kind,
                ItemKind::Class | ItemKind::Enum | ItemKind::Interface | ItemKind::TypeAlias
            );
            symbol.owner.as_deref() == Some(name) || (is_type && symbol.name == name)
        })
    }

    /// Every indexed file, sorted.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = self.files.keys().map(PathBuf::as_path).collect();
        paths.sort_unstable();
        paths
    }

    fn select(&self, wanted: impl Fn(&Symbol) -> bool) -> Vec<&Symbol> {
        let all = self.files.values().flat_map(|symbols| symbols.iter());
        let mut found: Vec<&Symbol> = all.filter(|symbol| wanted(symbol)).collect();
        found.sort_unstable_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
        found
    }

    /// Indexes `text` as the file `path` (relative). A file of an unknown language is forgotten.
    pub fn insert(&mut self, path: &Path, text: &str) {
        match symbols(path, text) {
            Some(symbols) => self.insert_symbols(path.to_owned(), symbols),
            None => self.remove(path),
        }
    }

    /// Puts in symbols that [`symbols`] found.
    pub(super) fn insert_symbols(&mut self, path: PathBuf, symbols: Arc<[Symbol]>) {
        self.files.insert(path, symbols);
    }

    /// What `other` knows of `path`, known or not.
    pub(super) fn copy_from(&mut self, other: &Self, path: &Path) {
        match other.files.get(path) {
            Some(symbols) => self.insert_symbols(path.to_owned(), Arc::clone(symbols)),
            None => self.remove(path),
        }
    }

    /// Forgets a file.
    pub fn remove(&mut self, path: &Path) {
        self.files.remove(path);
    }
}

/// The symbols of `text` as the file `path` (relative); `None` for an unknown language.
pub(super) fn symbols(path: &Path, text: &str) -> Option<Arc<[Symbol]>> {
    let language = Language::of_path(path)?;
    let tree = SyntaxTree::parse(language, text);
    let lines = LineIndex::new(text);
    let shared: Arc<Path> = path.into();
    let items = outline::items(&tree, text);
    Some(
        items
            .into_iter()
            .filter(|item| !item.test)
            .take(MAX_SYMBOLS)
            .map(|item| symbol(language, &item, text, &lines, Arc::clone(&shared)))
            .collect(),
    )
}

fn symbol(
    language: Language,
    item: &Item,
    text: &str,
    lines: &LineIndex,
    path: Arc<Path>,
) -> Symbol {
    let doc = item.doc.and_then(|doc| doc.of(text)).and_then(summary);
    Symbol {
        path,
        line: u32::try_from(lines.line_of(item.name_span.start)).unwrap_or(u32::MAX),
        kind: item.kind,
        name: item.name.clone(),
        owner: item.owner.clone(),
        signature: cut(item.signature.of(text).unwrap_or_default()).to_owned(),
        doc,
        fields: fields(language, item, text),
        public: item.public,
    }
}

/// What a small data type holds; see [`Symbol::fields`].
fn fields(language: Language, item: &Item, text: &str) -> Option<String> {
    if !matches!(item.kind, ItemKind::Class | ItemKind::Enum) {
        return None;
    }
    let body = item.body?.of(text)?;
    match language.spec().blocks {
        Blocks::Braces => {
            (body.len() <= MAX_FIELDS && !body.contains("=>")).then(|| body.to_owned())
        }
        Blocks::Indentation => {
            let annotated = |line: &&str| {
                let name = line.split([':', ' ']).next().unwrap_or_default();
                let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
                !name.is_empty()
                    && is_name
                    && line.get(name.len()..).is_some_and(|r| r.starts_with(": "))
            };
            let depth = |line: &str| line.len() - line.trim_start().len();
            // The body begins after the indentation of its first line.
            let first = body.lines().nth(1).map_or(0, depth);
            let lines = body.lines().enumerate();
            let own = lines.filter(|(number, line)| *number == 0 || depth(line) == first);
            let fields: Vec<&str> = own.map(|(_, line)| line.trim()).filter(annotated).collect();
            let fields = fields.join("\n");
            (!fields.is_empty() && fields.len() <= MAX_FIELDS).then_some(fields)
        }
    }
}

/// The first line of a doc comment or docstring that says something, without comment marks and
/// quotes.
pub fn summary(doc: &str) -> Option<String> {
    let doc = doc.trim_start();
    // A raw docstring has a letter before its quotes.
    let doc = match doc.strip_prefix(['r', 'R', 'u', 'U']) {
        Some(rest) if rest.starts_with(['"', '\'']) => rest,
        _ => doc,
    };
    doc.lines()
        .map(|line| {
            let line = line.trim().trim_start_matches(['/', '!', '*', '#', '"', '\'']);
            line.trim_end_matches(['*', '/', '"', '\'']).trim()
        })
        .find(|line| !line.is_empty())
        .map(|line| cut(line).to_owned())
}

/// The longest beginning of `text` within [`MAX_LINE`] bytes.
fn cut(text: &str) -> &str {
    let end = text.floor_char_boundary(MAX_LINE);
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(files: &[(&str, &str)]) -> Index {
        let mut index = Index::default();
        for (path, text) in files {
            index.insert(Path::new(path), text);
        }
        index
    }

    #[test]
    fn an_item_is_found_by_its_name_with_signature_owner_and_doc() {
        let index = index(&[
            ("b.rs", "/// Sums up.\n/// More.\npub fn total(a: u64) -> u64 {\n    a\n}\n"),
            (
                "a.py",
                "class Cart:\n    def total(self) -> int:\n        \"\"\"Sum.\"\"\"\n        return 1\n",
            ),
        ]);
        let [python, rust] = index.named("total")[..] else { panic!("{index:?}") };
        assert_eq!((python.path.to_str(), python.line), (Some("a.py"), 1));
        assert_eq!(python.owner.as_deref(), Some("Cart"));
        assert_eq!(python.doc.as_deref(), Some("Sum."));
        assert_eq!((rust.path.to_str(), rust.line), (Some("b.rs"), 2));
        assert_eq!(rust.signature, "pub fn total(a: u64) -> u64");
        assert_eq!(rust.doc.as_deref(), Some("Sums up."));
        assert!(rust.public);
    }

    #[test]
    fn a_file_is_replaced_and_forgotten() {
        let mut index = index(&[("a.py", "def old():\n    pass\n")]);
        let before = index.clone();
        index.insert(Path::new("a.py"), "def new():\n    pass\n");
        assert!(index.named("old").is_empty());
        assert_eq!(index.named("new").len(), 1);
        assert_eq!(before.named("old").len(), 1);
        index.remove(Path::new("a.py"));
        assert_eq!(index.file_count(), 0);
    }

    #[test]
    fn tests_and_unknown_languages_are_left_out() {
        let index = index(&[
            ("a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn works() {}\n}\n"),
            ("a.txt", "fn b() {}\n"),
        ]);
        assert!(index.named("works").is_empty());
        assert_eq!(index.file_count(), 1);
    }

    #[test]
    fn a_summary_is_the_first_line_that_says_something() {
        for (doc, expected) in [
            ("/// Adds.\n/// More.", Some("Adds.")),
            ("/**\n * Adds.\n */", Some("Adds.")),
            ("\"\"\"Adds.\"\"\"", Some("Adds.")),
            ("r'''\n    Adds.\n    '''", Some("Adds.")),
            ("# returns it", Some("returns it")),
            ("///", None),
        ] {
            assert_eq!(summary(doc).as_deref(), expected, "{doc}");
        }
    }
}
