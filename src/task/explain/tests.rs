//! Explanations of real code.

use std::sync::Arc;

use super::*;
use crate::engine::Engine;
use crate::engine::scripted::{Rule, Script};
use crate::fixture;
use crate::task::tests::tools;
use crate::workspace::Workspace;

/// Explains the place of the cursor in the first file, or `name`; the other files are indexed.
async fn explain(fixture: &str, name: Option<&str>, script: Script) -> Explanation {
    let folder = tempfile::tempdir().unwrap();
    let files = fixture::parse(fixture);
    let workspace = Workspace::new(folder.path().to_path_buf());
    for file in &files {
        let path = workspace.root().join(&file.path);
        std::fs::write(&path, &file.text).unwrap();
        workspace.update(&path, Some(&file.text));
    }
    let path = workspace.root().join(&files[0].path);
    let root = workspace.root().display().to_string();
    let document = Document::new(path, None, 0, files[0].text.clone());
    let tools = Tools { workspace: Arc::new(workspace), ..tools(Engine::scripted(script)) };
    let target = match (name, files[0].cursors.first()) {
        (Some(name), _) => Target::Named(name.to_owned()),
        (None, Some(offset)) => Target::At(*offset),
        (None, None) => Target::File,
    };
    let mut explanation = run(&tools, &document, &target).await.unwrap();
    explanation.markdown = explanation.markdown.replace(&root, "");
    explanation
}

/// Without the model's part and the targets of the links.
fn read_from_tree(explanation: &Explanation) -> String {
    let lines = explanation.markdown.lines();
    let kept: Vec<&str> =
        lines.filter(|line| !line.starts_with("*No") && !line.contains("]: file://")).collect();
    kept.join("\n").replace("\n\n\n", "\n\n").trim_end().to_owned()
}

const CART: &str = r#"//- /cart.rs
use crate::item::price_of;

/// A cart. Not much.
pub struct Cart {
    items: Vec<u64>,
}

impl Cart {
    pub fn total(&mut self, limit: u64, unused: &str) -> Result<u64, Error> {
        let mut sum = 0;
        for item in &self.items {
            if *item > limit {
                return Err(Error::new(limit));
            }
            sum += price_of(item)?;
        }
        self.count += 1;
        println!("{sum}");
        Ok(sum)
    }

    fn add(&mut self, item: u64) {
        self.items.push(item);
        self.total(1, "").unwrap();
    }
}

#[test]
fn totals_add_up() {
    Cart::default().total(2, "");
}
//- /item.rs
pub fn price_of(item: &u64) -> Result<u64, Error> {
    Ok(*item)
}
"#;

#[tokio::test]
async fn a_rust_method_is_explained_from_its_tree() {
    let explanation = explain(CART, Some("Cart::total"), Script::default()).await;
    assert_eq!(explanation.title, "fn Cart::total");
    assert_eq!(explanation.summary, None);
    insta::assert_snapshot!(read_from_tree(&explanation), @r#"
    # fn Cart::total

    ```rust
    pub fn total(&mut self, limit: u64, unused: &str) -> Result<u64, Error>
    ```

    cart.rs:9 to line 20, public

    ## Parameters

    - `self`: its `items` is read ([line 11]); its `count` is assigned ([line 17])
    - `limit: u64`: compared ([line 12]); passed to `Error::new` ([line 13])
    - `unused: &str`: not used

    ## Branches and loops

    - loops: `for item in &self.items` ([line 11])
    - checks whether `*item > limit` ([line 12])

    ## Calls

    - `Error::new` ([line 13])
    - `price_of` ([line 15]), defined at [item.rs:1]: `pub fn price_of(item: &u64) -> Result<u64, Error>`
    - `println!` ([line 18])

    ## Returns

    - declared as `Result<u64, Error>`
    - returns `Err(Error::new(limit))` ([line 13])
    - returns `Ok(sum)` ([line 19])

    ## Failures

    - returns the error of `price_of(item)` ([line 15])

    ## Effects

    - changes `self.count`: `self.count += 1` ([line 17])
    - calls `println!` ([line 18])

    ## Named in this file by

    - Cart::add ([line 24])
    - test code totals_add_up ([line 30])
    "#);
    assert!(explanation.markdown.contains("[line 12]: file:///cart.rs#L12\n"));
    assert!(explanation.markdown.contains("[item.rs:1]: file:///item.rs#L1\n"));
    assert!(explanation.facts.iter().all(|fact| fact.line > 0 && !fact.text.is_empty()));
}

#[tokio::test]
async fn a_python_function_is_explained_from_its_tree() {
    let fixture = r#"//- /cart.py
def total(cart, limit: int = 3, *rest):
    """Add up a cart.

    More."""
    if not cart:
        raise ValueError("empty")
    for item in cart.items:
        limit -= item
        print(item)
    while limit > 0:
        limit = step(limit)
    return [cart, rest]


def step(n):
    return n - 1


def test_total():
    assert total([]) == 0
"#;
    let explanation = explain(fixture, Some("total"), Script::default()).await;
    assert_eq!(explanation.title, "def total");
    assert_eq!(explanation.summary.as_deref(), Some("Add up a cart."));
    insta::assert_snapshot!(read_from_tree(&explanation), @r#"
    # def total

    ```python
    def total(cart, limit: int = 3, *rest):
    ```

    cart.py:1 to line 12, public

    **Documented as:** Add up a cart.

    ## Parameters

    - `cart`: checked ([line 5]); its `items` is read ([line 7]); part of what is returned ([line 12])
    - `limit: int`: assigned ([line 8], [line 11]); compared ([line 10]); passed to `step` ([line 11])
    - `*rest`: part of what is returned ([line 12])

    ## Branches and loops

    - checks whether `not cart` ([line 5])
    - loops: `for item in cart.items` ([line 7])
    - repeats while `limit > 0` ([line 10])

    ## Calls

    - `ValueError` ([line 6])
    - `print` ([line 9])
    - `step` ([line 11]), defined at [line 15]

    ## Returns

    - returns `[cart, rest]` ([line 12])

    ## Failures

    - raises `ValueError("empty")` ([line 6])

    ## Effects

    - calls `print` ([line 9])

    ## Named in this file by

    - test code test_total ([line 20])
    "#);
}

#[tokio::test]
async fn a_type_is_explained_by_its_members_and_uses() {
    let explanation = explain(CART, Some("Cart"), Script::default()).await;
    insta::assert_snapshot!(read_from_tree(&explanation), @r#"
    # struct Cart

    ```rust
    pub struct Cart
    ```

    cart.rs:4 to line 6, public

    **Documented as:** A cart.

    ## Definition

    ```rust
    pub struct Cart {
        items: Vec<u64>,
    }
    ```

    ## Members

    - `pub fn total(&mut self, limit: u64, unused: &str) -> Result<u64, Error>` ([line 9])
    - `fn add(&mut self, item: u64)` ([line 22])

    ## Named in this file by

    - test code totals_add_up ([line 30])
    "#);
}

#[tokio::test]
async fn a_file_is_explained_by_its_items() {
    let explanation = explain(CART, None, Script::default()).await;
    assert_eq!(explanation.title, "file cart.rs");
    insta::assert_snapshot!(read_from_tree(&explanation), @r#"
    # file cart.rs

    31 lines, rust

    ## Imports

    - `crate::item::price_of` ([line 1])

    ## Items

    - `pub struct Cart` ([line 4]): A cart.
    - `impl Cart` ([line 8])

    ## Methods

    - `Cart` `pub fn total(&mut self, limit: u64, unused: &str) -> Result<u64, Error>` ([line 9])
    - `Cart` `fn add(&mut self, item: u64)` ([line 22])

    ## Test code

    - `fn totals_add_up()` ([line 29])
    "#);
}

#[tokio::test]
async fn a_guess_of_the_model_is_labelled_as_one() {
    let answers = vec!["Adds the item to the cart.".to_owned()];
    let rules = vec![Rule { when: String::new(), answers }];
    let script = Script { rules, fim: true, ..Script::default() };
    let explanation = explain(CART, Some("Cart::add"), script).await;
    assert_eq!(explanation.summary.as_deref(), Some("Adds the item to the cart."));
    assert!(explanation.markdown.contains("a guess of the model"), "{}", explanation.markdown);
    assert!(explanation.markdown.contains("--model FILE.gguf"));
}

#[tokio::test]
async fn prose_of_an_instruct_model_must_not_name_what_is_not_there() {
    let template = "{% for m in messages %}{{ m.content }}{% endfor %}";
    for (answer, shown) in [
        ("Pushes the item and computes `total` again.", true),
        ("Pushes the item and calls `frobnicate` again.", false),
    ] {
        let rules = vec![Rule { when: String::new(), answers: vec![answer.to_owned()] }];
        let chat_template = Some(template.to_owned());
        let script = Script { rules, chat_template, ..Script::default() };
        let explanation = explain(CART, Some("Cart::add"), script).await;
        assert_eq!(explanation.summary.is_some(), shown, "{}", explanation.markdown);
        assert_eq!(explanation.markdown.contains(answer), shown);
    }
}

#[cfg(feature = "typescript")]
#[tokio::test]
async fn a_typescript_method_is_read_like_any_other() {
    let fixture = r#"//- /cart.ts
import { round } from "./money";

let opened = 0;

export class Cart {
  private items: Item[] = [];

  /**
   * Adds up.
   * @param limit the most
   */
  async total(limit: number): Promise<number> {
    let sum = 0;
    for (const item of this.items) {
      if (item.price > limit) throw new RangeError("too much");
      sum += await item.cost();
    }
    opened += 1;
    this.items = [];
    return round(sum);
  }
}
//- /money.ts
/** Rounds. */
export function round(x: number): number { return x; }
"#;
    let explanation = explain(fixture, Some("Cart.total"), Script::default()).await;
    insta::assert_snapshot!(read_from_tree(&explanation), @r#"
    # method Cart.total

    ```typescript
    async total(limit: number): Promise<number>
    ```

    cart.ts:12 to line 21, public

    **Documented as:** Adds up.

    ## Parameters

    - `limit: number`: compared ([line 15])

    ## Branches and loops

    - loops: `for item of this.items` ([line 14])
    - checks whether `item.price > limit` ([line 15])

    ## Calls

    - `RangeError` ([line 15])
    - `item.cost` ([line 16])
    - `round` ([line 20]), defined at [money.ts:2]: `function round(x: number): number`

    ## Returns

    - declared as `Promise<number>`
    - returns `round(sum)` ([line 20])

    ## Failures

    - throws `new RangeError("too much")` ([line 15])

    ## Effects

    - waits for `item.cost()` ([line 16])
    - changes `opened`: `opened += 1` ([line 18])
    - changes `this.items`: `this.items = []` ([line 19])
    "#);
}

#[cfg(feature = "go")]
#[tokio::test]
async fn a_go_method_belongs_to_its_receiver() {
    let fixture = "//- /cart.go\npackage shop\n\n// Cart holds items.\ntype Cart struct {\n\titems \
        []int\n}\n\n// Total adds up.\nfunc (c *Cart) Total(limit int) (int, error) {\n\tfor _, item := \
        range c.items {\n\t\tif item > limit {\n\t\t\tpanic(\"too much\")\n\t\t}\n\t}\n\tc.items = \
        nil\n\treturn 0, nil\n}\n";
    let explanation = explain(fixture, Some("Cart.Total"), Script::default()).await;
    insta::assert_snapshot!(read_from_tree(&explanation), @r#"
    # func Cart.Total

    ```go
    func (c *Cart) Total(limit int) (int, error)
    ```

    cart.go:9 to line 17, public

    **Documented as:** Total adds up.

    ## Parameters

    - `c: *Cart`: its `items` is read ([line 10]); its `items` is assigned ([line 15])
    - `limit: int`: compared ([line 11])

    ## Branches and loops

    - loops: `for _, item := range c.items` ([line 10])
    - checks whether `item > limit` ([line 11])

    ## Calls

    - `panic` ([line 12])

    ## Returns

    - declared as `(int, error)`
    - returns `0, nil` ([line 16])

    ## Failures

    - panics: `"too much"` ([line 12])

    ## Effects

    - changes `c.items`: `c.items = nil` ([line 15])
    "#);
}
