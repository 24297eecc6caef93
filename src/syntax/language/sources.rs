//! What is compiled in: the grammars, each behind a Cargo feature, and the text of every query file.

/// The kinds of query file.
#[cfg(test)]
pub(super) const FILES: [&str; 6] = ["items", "scopes", "imports", "tests", "facts", "strict"];

/// A language's name and its grammar crate's function.
type Grammar = (&'static str, fn() -> tree_sitter::Language);

/// The grammars, by the names of their rows.
pub(super) const GRAMMARS: &[Grammar] = &[
    ("rust", || tree_sitter_rust::LANGUAGE.into()),
    ("python", || tree_sitter_python::LANGUAGE.into()),
    #[cfg(feature = "typescript")]
    ("typescript", || tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into()),
    #[cfg(feature = "typescript")]
    ("tsx", || tree_sitter_typescript::LANGUAGE_TSX.into()),
    #[cfg(feature = "javascript")]
    ("javascript", || tree_sitter_javascript::LANGUAGE.into()),
    #[cfg(feature = "go")]
    ("go", || tree_sitter_go::LANGUAGE.into()),
    #[cfg(feature = "java")]
    ("java", || tree_sitter_java::LANGUAGE.into()),
    #[cfg(feature = "cpp")]
    ("cpp", || tree_sitter_cpp::LANGUAGE.into()),
    #[cfg(feature = "c")]
    ("c", || tree_sitter_c::LANGUAGE.into()),
];

/// The table of languages.
pub(super) const TABLE: &str = include_str!("../../../grammars/languages.toml");

macro_rules! queries {
    ($($folder:literal: $($file:literal)*,)*) => {
        &[$($((
            $folder,
            $file,
            include_str!(concat!("../../../grammars/", $folder, "/", $file, ".scm")),
        ),)*)*]
    };
}

/// Folder, kind and text of the query files under `grammars/`.
const QUERIES: &[(&str, &str, &str)] = queries! {
    "rust": "items" "scopes" "imports" "tests" "facts" "strict",
    "python": "items" "scopes" "imports" "tests" "facts" "strict",
    "ecmascript": "items" "scopes" "imports" "tests" "facts" "strict",
    "javascript": "items" "scopes" "facts",
    "jsx": "scopes",
    "typescript": "items" "scopes" "imports" "facts" "strict",
    "go": "items" "scopes" "imports" "tests" "facts" "strict",
    "java": "items" "scopes" "imports" "tests" "facts" "strict",
    "c": "items" "scopes" "imports" "tests" "facts" "strict",
    "cpp": "items" "scopes" "tests" "facts" "strict",
};

/// A number that changes with the grammars and queries that are compiled in: what was read with
/// others is not what would be read now.
pub fn fingerprint() -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (TABLE, QUERIES).hash(&mut hasher);
    for (name, grammar) in GRAMMARS {
        let grammar = grammar();
        (name, grammar.abi_version(), grammar.parse_state_count()).hash(&mut hasher);
    }
    hasher.finish()
}

/// The grammar of the language named `name`, if it is compiled in.
pub(super) fn grammar(name: &str) -> Option<tree_sitter::Language> {
    GRAMMARS.iter().find(|(known, _)| *known == name).map(|(_, grammar)| grammar())
}

/// The query files of one kind in `folders`, in that order, as one; `None` where no folder has it.
pub(super) fn query_text(folders: &[&str], file: &str) -> Option<String> {
    let texts: Vec<&str> = folders
        .iter()
        .flat_map(|folder| QUERIES.iter().filter(move |(of, ..)| of == folder))
        .filter(|(_, kind, _)| *kind == file)
        .map(|(.., text)| *text)
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}
