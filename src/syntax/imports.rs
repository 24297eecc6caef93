//! What a file imports, from `grammars/<lang>/imports.scm`.

use super::SyntaxTree;
use crate::text::Span;

/// One imported name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The path before the name: `["crate", "text"]`, `["os", "path"]`; relative dots as written.
    pub path: Vec<String>,
    /// The imported item or module; `*` for a glob.
    pub name: String,
    /// What it is called here, when renamed.
    pub alias: Option<String>,
    /// The statement.
    pub span: Span,
}

/// The imports of `text` in document order, nested lists flattened.
pub fn imports(tree: &SyntaxTree, text: &str) -> Vec<Import> {
    let _ = (tree, text);
    unimplemented!()
}
