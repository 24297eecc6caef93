//! What a keystroke makes a model read: only what was typed, on a scripted session.

#![expect(clippy::unwrap_used, reason = "a broken test setup may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use agent::engine::ModelSource;
use agent::engine::gguf::Gguf;
use agent::engine::tokenizer::Tokenizer;
use agent::prompt::anchor::Reuse;
use agent::workspace::Workspace;

#[path = "../benches/keystrokes/typing.rs"]
mod typing;

use typing::{Editor, Key, Prompts, Tokens, percentile};

const CART: &str = "use crate::item::Item;

/// What somebody wants to buy.
pub struct Cart {
    items: Vec<Item>,
}

impl Cart {
    pub fn total(&self) -> u64 {
        self.items.iter().map(Item::price).sum()
    }
ˇ
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}
";

const ITEM: &str = "/// Something to sell.
pub struct Item {
    name: String,
    price: u64,
}

impl Item {
    /// What one costs.
    pub fn price(&self) -> u64 {
        self.price
    }
}
";

/// Typed at the cursor of [`CART`]: names, brackets, strings, signs, deep and shallow lines.
const TYPED: &str = r#"
    /// The cheapest item that costs more than `least`, by name.
    pub fn cheapest_above(&self, least: u64) -> Option<(&str, u64)> {
        let mut found: Option<&Item> = None;
        for item in &self.items {
            if item.price() <= least || found.is_some_and(|known| known.price() <= item.price()) {
                continue;
            }
            found = Some(item);
        }
        let label = format!("{} items, ≥ {least} ({})", self.items.len(), vec![1, 2, 3][0]);
        tracing::debug!(label, "cheapest");
        found.map(|item| (item.name.as_str(), item.price()))
    }
"#;

fn tokens(file: &Path) -> Tokens {
    let gguf = Gguf::open(&ModelSource::File(file.to_owned())).unwrap();
    Tokens::new(Tokenizer::from_gguf(&gguf).unwrap())
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn project() -> (tempfile::TempDir, Workspace) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("agent.toml"), "").unwrap();
    fs::write(folder.path().join("src/item.rs"), ITEM).unwrap();
    fs::write(folder.path().join("src/cart.rs"), CART.replace('ˇ', "")).unwrap();
    let workspace = Workspace::new(folder.path().to_owned());
    workspace.build_index();
    (folder, workspace)
}

/// What each keystroke of the session costs in tokens, and the prompts made anew.
fn session(tokens: &Tokens, closes: bool, budget: usize) -> (Vec<(Key, usize)>, usize) {
    let (_folder, workspace) = project();
    let mut prompts = Prompts::new(&workspace, tokens, "src/cart.rs".into(), budget, true, None);
    let cursor = CART.find('ˇ').unwrap();
    let mut editor = Editor::new(CART.replace('ˇ', ""), cursor, closes);
    let first = prompts.at(&editor);
    assert!(matches!(first.reuse, Reuse::Renewed(_)));
    let mut costs = vec![(Key::Place, first.fresh)];
    let mut renewed = 0;
    editor.type_text(TYPED, |editor, key| {
        let cost = prompts.at(editor);
        assert!(cost.tokens <= budget, "{} of {budget}", cost.tokens);
        renewed += usize::from(cost.reuse != Reuse::Kept);
        costs.push((key, cost.fresh));
    });
    (costs, renewed)
}

fn of(costs: &[(Key, usize)], wanted: Key) -> Vec<usize> {
    costs.iter().filter(|(key, _)| *key == wanted).map(|(_, fresh)| *fresh).collect()
}

fn check(tokens: &Tokens) {
    for closes in [false, true] {
        let (costs, renewed) = session(tokens, closes, 2048);
        let mut typed = of(&costs, Key::Character);
        assert!(typed.len() > 300, "{}", typed.len());
        let p95 = percentile(&mut typed, 95);
        assert!(p95 <= 8, "p95 {p95} tokens for a key, closing {closes}");
        let mut breaks = of(&costs, Key::LineBreak);
        let median = percentile(&mut breaks, 50);
        assert!(median <= 8, "median {median} tokens for a line break, closing {closes}");
        assert!(renewed <= 3, "{renewed} prompts made anew, closing {closes}");
    }
}

#[test]
fn a_key_costs_a_few_tokens_with_the_built_in_models_tokenizer() {
    check(&tokens(&root().join("models/builtin.gguf")));
}

#[test]
fn a_key_costs_a_few_tokens_with_the_tokenizer_of_qwen() {
    let vocabulary = root().join("../shared/data/vocab/ggml-vocab-qwen2.gguf");
    if vocabulary.exists() {
        check(&tokens(&vocabulary));
    } else {
        println!("skipped: {} is not there", vocabulary.display());
    }
}

#[test]
fn a_small_budget_makes_prompts_anew_more_often_and_still_not_at_every_key() {
    let (costs, renewed) = session(&tokens(&root().join("models/builtin.gguf")), false, 512);
    assert!(renewed * 20 < costs.len(), "{renewed} of {} keys", costs.len());
}
