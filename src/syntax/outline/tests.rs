//! What the outline says of real code.

use std::fmt::Write as _;

use super::*;
use crate::syntax::Language;

/// One line per item: kind, owner and name, flags, signature, doc, body.
fn check(language: &str, text: &str) -> String {
    let tree = SyntaxTree::parse(Language::named(language).unwrap(), text);
    let mut out = String::new();
    for item in items(&tree, text) {
        let owner = item.owner.map(|owner| format!("{owner}.")).unwrap_or_default();
        let public = if item.public { " pub" } else { "" };
        let test = if item.test { " test" } else { "" };
        _ = writeln!(out, "{:?} {owner}{}{public}{test}", item.kind, item.name);
        _ = writeln!(out, "  signature {:?}", item.signature.of(text).unwrap());
        if let Some(doc) = item.doc {
            _ = writeln!(out, "  doc {:?}", doc.of(text).unwrap());
        }
        if let Some(body) = item.body {
            _ = writeln!(out, "  body {:?}", body.of(text).unwrap());
        }
        assert_eq!(item.name_span.of(text), Some(item.name.as_str()));
        assert!(item.span.covers(item.signature));
    }
    out
}

#[test]
fn rust_items_have_owners_docs_and_signatures() {
    let text = "\
//! File.

/// A cart.
/// Of items.
#[derive(Debug)]
pub struct Cart<T> {
    items: Vec<T>,
}

struct Unit;
pub struct Pair(u8, u8);
pub const MAX: usize = 10;
static TABLE: [u8; 3] = [
    1, 2, 3,
];

impl<T: Clone> Cart<T>
where
    T: Copy,
{
    /** Adds up. */
    pub(crate) fn total(&self) -> u64 {
        fn inner() {}
        1
    }
}

impl std::fmt::Display for Cart<u8> {
    fn fmt(&self) {}
}

pub trait Shape {
    type Output;
    fn area(&self) -> f64;
}

mod geometry {
    //! Shapes.
    //! More.
    pub fn area() {}
}

#[doc = \"A macro.\"]
#[macro_export]
macro_rules! m { () => {} }
pub enum E { A }
type Alias = u8;
";
    insta::assert_snapshot!(check("rust", text), @r##"
    Class Cart pub
      signature "pub struct Cart<T>"
      doc "/// A cart.\n/// Of items."
      body "{\n    items: Vec<T>,\n}"
    Class Unit
      signature "struct Unit"
    Class Pair pub
      signature "pub struct Pair(u8, u8)"
    Constant MAX pub
      signature "pub const MAX: usize = 10"
    Constant TABLE
      signature "static TABLE: [u8; 3]"
    Implementation Cart
      signature "impl<T: Clone> Cart<T>\nwhere\n    T: Copy"
      body "{\n    /** Adds up. */\n    pub(crate) fn total(&self) -> u64 {\n        fn inner() {}\n        1\n    }\n}"
    Method Cart.total pub
      signature "pub(crate) fn total(&self) -> u64"
      doc "/** Adds up. */"
      body "{\n        fn inner() {}\n        1\n    }"
    Function inner
      signature "fn inner()"
      body "{}"
    Implementation Cart
      signature "impl std::fmt::Display for Cart<u8>"
      body "{\n    fn fmt(&self) {}\n}"
    Method Cart.fmt pub
      signature "fn fmt(&self)"
      body "{}"
    Interface Shape pub
      signature "pub trait Shape"
      body "{\n    type Output;\n    fn area(&self) -> f64;\n}"
    TypeAlias Shape.Output pub
      signature "type Output"
    Method Shape.area pub
      signature "fn area(&self) -> f64"
    Module geometry
      signature "mod geometry"
      doc "//! Shapes.\n    //! More."
      body "{\n    //! Shapes.\n    //! More.\n    pub fn area() {}\n}"
    Function geometry.area pub
      signature "pub fn area()"
      body "{}"
    Macro m pub
      signature "macro_rules! m"
      doc "#[doc = \"A macro.\"]"
    Enum E pub
      signature "pub enum E"
      body "{ A }"
    TypeAlias Alias
      signature "type Alias = u8"
    "##);
    let tree = SyntaxTree::parse(Language::named("rust").unwrap(), text);
    assert_eq!(file_doc(&tree, text).and_then(|doc| doc.of(text)), Some("//! File."));
}

#[test]
fn rust_tests_are_recognized() {
    let text = "\
#[test]
fn plain() {}
#[tokio::test(flavor = \"x\")]
#[ignore]
async fn asynchronous() {}
fn not_a_test() {}
#[cfg(test)]
mod tests {
    fn helper() {}
    #[test]
    fn inner() {}
}
#[cfg(not(test))]
mod real {}
";
    insta::assert_snapshot!(check("rust", text), @r#"
    Function plain test
      signature "fn plain()"
      body "{}"
    Function asynchronous test
      signature "async fn asynchronous()"
      body "{}"
    Function not_a_test
      signature "fn not_a_test()"
      body "{}"
    Module tests test
      signature "mod tests"
      body "{\n    fn helper() {}\n    #[test]\n    fn inner() {}\n}"
    Function tests.helper test
      signature "fn helper()"
      body "{}"
    Function tests.inner test
      signature "fn inner()"
      body "{}"
    Module real
      signature "mod real"
      body "{}"
    "#);
}

#[test]
fn python_items_have_owners_docstrings_and_signatures() {
    let text = "\
\"\"\"File.\"\"\"
MAX = 10
_TABLE: dict = {
    1: 2,
}

@dataclass
@other(1)
class Cart(Base):
    \"\"\"A cart.\"\"\"

    total_ = 0

    @property
    def total(self) -> int:  # cheap
        '''Adds
        up.'''
        def inner():
            pass
        return 1

    def _hidden(self):
        return 2

    def __len__(self): return 3

async def main(
    a,
    b: int = 1,
) -> None:
    pass

class Colour(enum.Enum):
    RED = 1
class Shape(Protocol):
    pass
";
    insta::assert_snapshot!(check("python", text), @r#"
    Constant MAX pub
      signature "MAX = 10"
    Constant _TABLE
      signature "_TABLE: dict"
    Class Cart pub
      signature "class Cart(Base):"
      doc "\"\"\"A cart.\"\"\""
      body "\"\"\"A cart.\"\"\"\n\n    total_ = 0\n\n    @property\n    def total(self) -> int:  # cheap\n        '''Adds\n        up.'''\n        def inner():\n            pass\n        return 1\n\n    def _hidden(self):\n        return 2\n\n    def __len__(self): return 3"
    Method Cart.total pub
      signature "def total(self) -> int:"
      doc "'''Adds\n        up.'''"
      body "'''Adds\n        up.'''\n        def inner():\n            pass\n        return 1"
    Function inner pub
      signature "def inner():"
      body "pass"
    Method Cart._hidden
      signature "def _hidden(self):"
      body "return 2"
    Method Cart.__len__ pub
      signature "def __len__(self):"
      body "return 3"
    Function main pub
      signature "async def main(\n    a,\n    b: int = 1,\n) -> None:"
      body "pass"
    Enum Colour pub
      signature "class Colour(enum.Enum):"
      body "RED = 1"
    Interface Shape pub
      signature "class Shape(Protocol):"
      body "pass"
    "#);
    let tree = SyntaxTree::parse(Language::named("python").unwrap(), text);
    assert_eq!(file_doc(&tree, text).and_then(|doc| doc.of(text)), Some("\"\"\"File.\"\"\""));
}

#[test]
fn python_tests_are_recognized() {
    let text = "\
def test_total(): pass
def testing(): pass
class TestCart:
    def setup(self): pass
class Other(unittest.TestCase):
    def test_x(self): pass
class Testament: pass
";
    insta::assert_snapshot!(check("python", text), @r#"
    Function test_total pub test
      signature "def test_total():"
      body "pass"
    Function testing pub
      signature "def testing():"
      body "pass"
    Class TestCart pub test
      signature "class TestCart:"
      body "def setup(self): pass"
    Method TestCart.setup pub test
      signature "def setup(self):"
      body "pass"
    Class Other pub test
      signature "class Other(unittest.TestCase):"
      body "def test_x(self): pass"
    Method Other.test_x pub test
      signature "def test_x(self):"
      body "pass"
    Class Testament pub
      signature "class Testament:"
      body "pass"
    "#);
}

#[test]
fn spans_cover_docs_attributes_and_decorators() {
    let text = "// plain\n\n/// Doc.\n#[inline]\nfn f() {}\n";
    let tree = SyntaxTree::parse(Language::named("rust").unwrap(), text);
    let item = &items(&tree, text)[0];
    assert_eq!(item.span.of(text), Some("/// Doc.\n#[inline]\nfn f() {}"));
    let text = "@a\n# why\n@b\ndef f():\n    pass\n\n\n";
    let tree = SyntaxTree::parse(Language::named("python").unwrap(), text);
    let item = &items(&tree, text)[0];
    assert_eq!(item.span.of(text), Some("@a\n# why\n@b\ndef f():\n    pass"));
}

#[test]
fn broken_code_still_has_its_other_items() {
    let text = "fn good() {}\nfn bad( { let x = ; }\nfn last() {}\n";
    let tree = SyntaxTree::parse(Language::named("rust").unwrap(), text);
    let names: Vec<_> = items(&tree, text).into_iter().map(|item| item.name).collect();
    assert!(names.contains(&"good".to_owned()), "{names:?}");
}
