//! What is chosen for fixtures of several files: the first holds the cursor.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;

use super::choose::Form;
use super::render::Shown;
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
            items,
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
fn what_others_use_of_the_file_and_it_lacks_is_shown() {
    let text = shown(
        "//- /src/cart.rs
pub struct Cart { items: Vec<u8> }
impl Cart {
    ˇ
}
//- /src/shop.rs
use crate::cart::Cart;
fn close(cart: &Cart) {
    let total = Cart::checkout_all(cart, 3);
    print(total);
}
",
    );
    assert!(text.contains("Cart::checkout_all(cart, 3)"), "{text}");
    assert!(text.contains("uses checkout_all of this file"), "{text}");
}

#[test]
fn of_a_long_function_the_likely_statements_are_shown() {
    let mut other = String::from("def order(cart):\n");
    for n in 0..40 {
        writeln!(other, "    unrelated_{n} = paint_{n}(colour_{n}, canvas_{n})").unwrap();
    }
    other.push_str("    price = cart.price()\n    return price.rounded_up()\n");
    let shop = Shop::new(&format!(
        "//- /cart.py\ndef total(cart):\n    price = cart.price()\n    ˇ\n//- /order.py\n{other}"
    ));
    let found = shop.find(400, &Activity::default());
    let text = &found.excerpts[0].text;
    assert!(text.starts_with("def order(cart):\n    # ...\n"), "{text}");
    assert!(text.contains("    return price.rounded_up()\n"), "{text}");
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

#[cfg(feature = "typescript")]
#[test]
fn members_of_an_imported_typescript_class_stand_in_it() {
    let text = shown(
        "//- /src/view.tsx
import Cart, { round } from './cart';
const x = (cart: Cart, items: Item[]) => round(cart.total(ˇ));
//- /src/cart.ts
/** Rounds. */
export function round(x: number): number { return x; }
/** A cart. */
export default class Cart {
  items: Item[] = [];
  /** Adds up. */
  total(limit: number): number { return 0; }
  private hidden() {}
}
",
    );
    assert!(text.starts_with("== src/cart.ts (imported"), "{text}");
    assert!(text.contains("class Cart {\n    total(limit: number): number;\n"), "{text}");
}

#[cfg(feature = "go")]
#[test]
fn a_go_package_is_shown_with_its_types() {
    let text = shown(
        "//- /main.go
package main
import \"example.com/x/cart\"
func main() { var items cart.Cart = cart.New(); items.Total(ˇ) }
//- /cart/cart.go
package cart
// Cart holds items.
type Cart struct {
\titems []int
}
// Total adds up.
func (c *Cart) Total() int { return 0 }
func New() *Cart { return nil }
",
    );
    assert!(text.starts_with("== cart/cart.go (imported"), "{text}");
    assert!(text.contains("type Cart struct {\n    items []int\n}\n"), "{text}");
}

#[cfg(feature = "java")]
#[test]
fn blocks_inside_blocks_are_closed_where_they_end() {
    let text = "class A {
  enum B { X; int n() { return 1; } }
  int m() { return 2; }
}
";
    let path = Path::new("A.java");
    let mut index = Index::default();
    index.insert(path, text);
    let file = index.file(path).unwrap();
    let items: Vec<Shown> =
        (0..file.items.len()).map(|item| Shown::of(item, Form::Signature)).collect();
    assert_eq!(
        sound::text(file, &items, None).text,
        "class A {\n    enum B {\n        X;\n        int n();\n    }\n    int m();\n}\n"
    );
}

/// Every item of every language's sample, alone and with the others.
#[test]
fn each_item_of_every_language_can_be_shown() {
    let samples = [
        ("sample.ts", include_str!("../../../grammars/typescript/sample.ts")),
        ("sample.tsx", include_str!("../../../grammars/typescript/sample.tsx")),
        ("sample.js", include_str!("../../../grammars/javascript/sample.js")),
        ("sample.go", include_str!("../../../grammars/go/sample.go")),
        ("sample.java", include_str!("../../../grammars/java/sample.java")),
        ("sample.c", include_str!("../../../grammars/c/sample.c")),
        ("sample.cpp", include_str!("../../../grammars/cpp/sample.cpp")),
    ];
    let mut faults = String::new();
    for (path, text) in samples {
        let path = Path::new(path);
        if crate::syntax::Language::of_path(path).is_none() {
            continue;
        }
        let mut index = Index::default();
        index.insert(path, text);
        let file = index.file(path).unwrap();
        for form in [Form::Signature, Form::Whole] {
            let items: Vec<Shown> =
                (0..file.items.len()).map(|item| Shown::of(item, form)).collect();
            let together = match form {
                // Outer items hold the inner ones.
                Form::Whole => &[][..],
                _ => &items,
            };
            for items in items.chunks(1).chain([together]) {
                let shown = sound::text(file, items, Some(text));
                if !shown.left_out.is_empty() || (items.len() == 1 && shown.text.is_empty()) {
                    let text = render::text(file, items, Some(text));
                    writeln!(faults, "{} {form:?} {:?}:\n{text}", path.display(), shown.left_out)
                        .unwrap();
                }
            }
        }
    }
    assert_eq!(faults, "");
}
