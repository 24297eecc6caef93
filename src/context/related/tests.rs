//! What is chosen for fixtures of several files: the first holds the cursor.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::context::{Activity, Excerpt, Kind};
use crate::fixture;
use crate::syntax::{SyntaxTree, health};
use crate::workspace::index::Index;

struct Shop {
    document: Document,
    path: PathBuf,
    cursor: usize,
    index: Index,
    texts: HashMap<PathBuf, Arc<str>>,
}

impl Shop {
    fn new(fixture: &str) -> Self {
        let files = fixture::parse(fixture);
        let mut index = Index::default();
        for file in &files {
            index.insert(Path::new(&file.path), &file.text);
        }
        let path = PathBuf::from(&files[0].path);
        Self {
            document: Document::new(path.clone(), None, 0, files[0].text.clone()),
            cursor: files[0].cursors[0],
            texts: files.iter().map(|f| (f.path.clone().into(), f.text.as_str().into())).collect(),
            path,
            index,
        }
    }

    fn find(&self, budget: usize, activity: &Activity) -> Related {
        let items = self.document.items();
        let place = Place {
            document: &self.document,
            path: &self.path,
            items: &items,
            span: Span::empty(self.cursor),
        };
        let source = |path: &Path| self.texts.get(path).cloned();
        let project = Project { repository: "shop", index: &self.index, source: &source, activity };
        find(place, project, budget)
    }
}

fn shown(fixture: &str) -> String {
    let mut out = String::new();
    for excerpt in Shop::new(fixture).find(1000, &Activity::default()).excerpts {
        let Excerpt { path, kind, reason, text, .. } = excerpt;
        writeln!(out, "== {} ({}: {reason})\n{}", path.display(), kind.name(), text.trim_end())
            .unwrap();
    }
    out
}

fn rust_shop() -> Shop {
    Shop::new(
        "//- /src/cart.rs
use crate::item::Item;
impl Cart {
    fn total(&self, item: &Item) -> u64 {
        let quantity = self.quantity(item);
        ˇ
    }
}
//- /src/item.rs
/// Something to sell.
pub struct Item { pub price: u64 }
impl Item {
    /// Makes one.
    pub fn new(price: u64) -> Self { Self { price } }
    pub fn discounted(&self, quantity: u64) -> u64 {
        self.price.saturating_sub(quantity)
    }
}
//- /src/order.rs
use crate::item::Item;
pub struct Order { items: Vec<Item> }
impl Order {
    fn total(&self, item: &Item) -> u64 {
        let quantity = self.quantity(item);
        item.discounted(quantity).wrapping_mul(quantity)
    }
}
//- /src/unrelated.rs
pub fn paint(color: Color) { canvas.fill(color) }
",
    )
}

#[test]
fn members_of_a_type_near_the_cursor_and_siblings_are_shown() {
    let found = rust_shop().find(1000, &Activity::default());
    let of = |path: &str| found.excerpts.iter().find(|e| e.path == Path::new(path)).unwrap();
    let item = of("src/item.rs");
    assert_eq!(item.kind, Kind::Imported);
    assert!(item.text.contains("discounted") && item.text.contains("price"), "{item:?}");
    assert!(of("src/order.rs").text.contains("item.discounted(quantity).wrapping_mul(quantity)"));
}

#[test]
fn python_members_stand_in_their_class() {
    let text = shown(
        "//- /pkg/cart.py
from .item import Item
def total(item: Item):
    price = item.price
    ˇ
//- /pkg/item.py
class Item(Base):
    \"\"\"Something to sell.\"\"\"
    price: int

    def cost(self, n: int) -> int:
        \"\"\"Price of n.\"\"\"
        return self.price * n
",
    );
    assert!(
        text.starts_with("== pkg/item.py (imported: names Item)\nclass Item(Base):\n"),
        "{text}"
    );
    assert!(text.contains("    def cost(self, n: int)"), "{text}");
}

#[test]
fn nothing_is_found_for_a_file_alone() {
    assert_eq!(shown("//- /src/a.rs\nuse std::fmt;\nfn a() {ˇ}\n"), "");
    assert_eq!(shown("//- /a.txt\nsome ˇ words\n"), "");
}

#[test]
fn what_is_left_out_is_told() {
    let shop = rust_shop();
    let all = shop.find(1000, &Activity::default()).excerpts.len();
    let found = shop.find(70, &Activity::default());
    assert!(found.excerpts.len() < all);
    assert!(!found.dropped.is_empty(), "{found:?}");
}

#[test]
fn the_same_place_gives_the_same_choice() {
    let shop = rust_shop();
    let first = shop.find(400, &Activity::default());
    for _ in 0..5 {
        assert_eq!(shop.find(400, &Activity::default()), first);
        assert_eq!(rust_shop().find(400, &Activity::default()), first);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_budget_is_kept_and_each_excerpt_parses(budget in 0..1200_usize) {
        let shop = rust_shop();
        let found = shop.find(budget, &Activity::default());
        let used: usize = found.excerpts.iter().map(|excerpt| excerpt.tokens).sum();
        prop_assert!(used <= budget);
        for excerpt in found.excerpts {
            let language = crate::syntax::Language::of_path(&excerpt.path).unwrap();
            let faults = health::health(&SyntaxTree::parse(language, &excerpt.text)).faults();
            prop_assert_eq!(faults, 0, "{}", excerpt.text);
        }
    }
}
