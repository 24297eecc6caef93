//! The index as its users see it: lookups, counts, and snapshots that stay as they were.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn index(files: &[(&str, &str)]) -> Index {
    let mut index = Index::default();
    for (path, text) in files {
        index.insert(Path::new(path), text);
    }
    index
}

fn named<'i>(index: &'i Index, name: &str) -> Vec<&'i Symbol> {
    index.named(name).map(|(file, item)| &file.items[item]).collect()
}

#[test]
fn an_item_is_found_by_its_name_with_signature_owner_and_doc() {
    let rust_text = "/// Sums up.\n/// More.\npub fn total(a: u64) -> u64 {\n    a\n}\n";
    let index = index(&[
        ("b.rs", rust_text),
        (
            "a.py",
            "class Cart:\n    def total(self) -> int:\n        \"\"\"Sum.\"\"\"\n        return 1\n",
        ),
    ]);
    let [python, rust] = named(&index, "total")[..] else { panic!("{index:?}") };
    assert_eq!((python.path.to_str(), python.line), (Some("a.py"), 1));
    assert_eq!(python.owner.as_deref(), Some("Cart"));
    assert_eq!(python.doc.as_deref(), Some("Sum."));
    assert_eq!((rust.path.to_str(), rust.line, rust.end_line), (Some("b.rs"), 2, 4));
    assert_eq!(rust.signature, "pub fn total(a: u64) -> u64");
    assert_eq!(rust.doc.as_deref(), Some("Sums up."));
    assert_eq!(rust.span.of(rust_text), Some(rust_text.trim_end()));
    assert!(rust.public && !rust.test);
    let members: Vec<_> = index.members("Cart").map(|(file, item)| &file.items[item]).collect();
    assert_eq!(members, [python]);
}

#[test]
fn a_file_is_replaced_and_forgotten() {
    let mut index = index(&[("a.py", "def old():\n    pass\n")]);
    let before = index.clone();
    index.insert(Path::new("a.py"), "def new():\n    pass\n");
    assert!(named(&index, "old").is_empty());
    assert_eq!(named(&index, "new").len(), 1);
    assert_eq!(named(&before, "old").len(), 1);
    index.remove(Path::new("a.py"));
    assert_eq!(index.file_count(), 0);
    assert_eq!(before.file_count(), 1);
}

#[test]
fn tests_are_marked_and_unknown_languages_left_out() {
    let index = index(&[
        ("a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn works() {}\n}\n"),
        ("a.txt", "fn b() {}\n"),
    ]);
    assert!(named(&index, "works").iter().all(|symbol| symbol.test));
    assert_eq!(named(&index, "works").len(), 1);
    assert!(!named(&index, "a")[0].test);
    assert_eq!(index.file_count(), 1);
}

#[test]
fn identifiers_are_counted_by_file_and_by_item() {
    let index = index(&[
        ("a.rs", "use shop::Item;\nfn total(items: &[Item]) -> u64 {\n    items.len()\n}\n"),
        ("b.rs", "// Item\nfn other() {\n    Item::new(\"Item\")\n}\n"),
    ]);
    let item = index.term("Item").unwrap();
    let items = index.term("items").unwrap();
    assert_eq!((index.file_frequency(item), index.file_frequency(items)), (2, 1));
    assert_eq!((index.spelling(item), index.term("a"), index.term("none")), ("Item", None, None));
    let mut paths: Vec<_> = index.holders(item).map(|file| file.path.to_str().unwrap()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["a.rs", "b.rs"]);
    let file = index.file(Path::new("a.rs")).unwrap();
    assert_eq!((file.count(item), file.count(items)), (2, 2));
    let uses: BTreeMap<&str, u32> =
        file.terms_of(0).iter().map(|(term, count)| (index.spelling(*term), *count)).collect();
    let expected = [("Item", 1), ("items", 2), ("len", 1), ("total", 1)];
    assert_eq!(uses, BTreeMap::from(expected));
}

#[test]
fn an_identifier_of_no_file_any_more_is_unknown() {
    let mut index = index(&[("a.rs", "fn first() {}\n")]);
    let before = index.clone();
    index.insert(Path::new("a.rs"), "fn second() {}\n");
    assert_eq!(index.term("first"), None);
    assert!(before.term("first").is_some() && before.term("second").is_none());
}

/// Everything the index says, without the numbers that depend on its history.
pub(in crate::workspace) fn dump(index: &Index) -> String {
    let spelled = |list: &[(Term, u32)]| -> BTreeMap<String, u32> {
        list.iter().map(|(term, count)| (index.spelling(*term).to_owned(), *count)).collect()
    };
    let mut out = String::new();
    let mut words = BTreeSet::new();
    for file in index.files() {
        let FileEntry { path, language, hash, imports, terms, items, .. } = &**file;
        writeln!(out, "{path:?} {language:?} {hash:?} {imports:?} {:?}", spelled(terms)).unwrap();
        for (number, item) in items.iter().enumerate() {
            let uses = spelled(file.terms_of(number));
            let item = Symbol { uses: 0..0, ..item.clone() };
            writeln!(out, "  {item:?} {uses:?}").unwrap();
            words.insert(item.name);
            words.extend(item.owner);
        }
        words.extend(terms.iter().map(|(term, _)| index.spelling(*term).to_owned()));
    }
    for word in &words {
        let places = |found: Vec<(&Arc<FileEntry>, usize)>| -> Vec<(String, usize)> {
            found.iter().map(|(file, item)| (file.path.display().to_string(), *item)).collect()
        };
        let term = index.term(word);
        let mut files: Vec<&Path> =
            term.iter().flat_map(|term| index.holders(*term)).map(|file| &*file.path).collect();
        files.sort_unstable();
        let frequency = term.map(|term| index.file_frequency(term));
        let (named, members) = (index.named(word).collect(), index.members(word).collect());
        let (named, members) = (places(named), places(members));
        writeln!(out, "{word}: {frequency:?} {files:?} {named:?} {members:?}").unwrap();
    }
    out
}

fn text() -> impl Strategy<Value = String> {
    let piece = (0..4_usize, 0..6_usize, 0..6_usize).prop_map(|(kind, a, b)| match kind {
        0 => format!("fn name{a}(x: Type{b}) -> Type{a} {{ name{b}() }}\n"),
        1 => format!("struct Type{a} {{ field{b}: Type{b} }}\n"),
        2 => format!("impl Type{a} {{ fn name{b}(&self) {{ self.field{a} }} }}\n"),
        _ => format!("use name{a}::Type{b};\n"),
    });
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn updating_file_by_file_equals_a_fresh_index(
        steps in proptest::collection::vec((0..6_usize, proptest::option::of(text())), 1..24),
    ) {
        let mut index = Index::default();
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let mut snapshots = Vec::new();
        for (file, text) in steps {
            let path = format!("src/file{file}.rs");
            if let Some(text) = text {
                index.insert(Path::new(&path), &text);
                texts.insert(path, text);
            } else {
                index.remove(Path::new(&path));
                texts.remove(&path);
            }
            let mut fresh = Index::default();
            for (path, text) in &texts {
                fresh.insert(Path::new(path), text);
            }
            let said = dump(&index);
            prop_assert_eq!(&said, &dump(&fresh));
            snapshots.push((index.clone(), said));
        }
        for (snapshot, said) in snapshots {
            prop_assert_eq!(dump(&snapshot), said);
        }
    }
}
