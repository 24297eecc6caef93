//! What tasks write: tests that pass and say what they are, rewritten items that compile.
#![expect(clippy::unwrap_used, reason = "a broken test setup may panic")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use agent::check::Settings;
use agent::document::Document;
use agent::engine::Engine;
use agent::engine::scripted::{Rule, Script};
use agent::task::target::Target;
use agent::task::{Outcome, Tools, rewrite, test};
use agent::workspace::Workspace;

/// A project with a cache of its own.
struct Project {
    folder: tempfile::TempDir,
    cache: tempfile::TempDir,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self { folder, cache: tempfile::tempdir().unwrap() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(path)
    }

    async fn write_tests(&self, path: &str, name: &str, engine: Engine) -> Outcome {
        let (tools, document) = self.open(path, engine);
        test::run(&tools, &document, &Target::Named(name.to_owned())).await.unwrap()
    }

    fn open(&self, path: &str, engine: Engine) -> (Tools, Document) {
        let path = self.path(path);
        let text = std::fs::read_to_string(&path).unwrap();
        let tools = Tools {
            engine,
            workspace: Arc::new(Workspace::of_file(&path)),
            templates: Arc::default(),
            check: Arc::new(Settings {
                agent: env!("CARGO_BIN_EXE_agent").into(),
                python: None,
                timeout: Duration::from_mins(2),
                cache: self.cache.path().to_owned(),
                trusted: true,
            }),
            seed: 1,
            report: Arc::new(|_| ()),
        };
        (tools, Document::new(path, None, 0, text))
    }
}

fn no_model() -> Engine {
    Engine::scripted(Script::default())
}

fn instruct(answer: &str) -> Engine {
    Engine::scripted(Script {
        rules: vec![Rule { when: String::new(), answers: vec![answer.to_owned()] }],
        chat_template: Some("{% for m in messages %}{{ m.content }}{% endfor %}".to_owned()),
        ..Script::default()
    })
}

/// The one new file of an outcome.
fn new_file(outcome: &Outcome) -> (&Path, &str) {
    let [change] = &outcome.proposal.changes[..] else { panic!("{outcome:?}") };
    (Path::new(&change.display), &change.text)
}

const CLAMP: &str = "\
def clamp(value, low=0, high=10):
    if value < low:
        return low
    if value > high:
        return high
    return value


def pick(items: list[int]) -> int:
    if not items:
        raise ValueError('empty')
    return items[0]


def roll():
    import random
    return random.random()


def name(shape):
    return shape.radius.name
";

#[tokio::test]
async fn python_behaviour_is_recorded_and_the_tests_pass() {
    let project = Project::new(&[("pyproject.toml", ""), ("shapes.py", CLAMP)]);
    let outcome = project.write_tests("shapes.py", "clamp", no_model()).await;
    assert!(outcome.verified, "{outcome:?}");
    let (path, text) = new_file(&outcome);
    assert_eq!(path, Path::new("tests/test_shapes.py"));
    assert!(text.contains("not a specification"), "{text}");
    for call in ["clamp(-1)", "clamp(1)"] {
        assert!(text.contains(call), "{text}");
    }
    assert!(!project.path("tests").exists(), "nothing is written before it is applied");

    let outcome = project.write_tests("shapes.py", "pick", no_model()).await;
    assert!(new_file(&outcome).1.contains("ValueError"), "{outcome:?}");
}

#[tokio::test]
async fn what_cannot_be_called_or_differs_is_not_asserted() {
    let project = Project::new(&[("pyproject.toml", ""), ("shapes.py", CLAMP)]);
    let outcome = project.write_tests("shapes.py", "name", no_model()).await;
    assert!(!outcome.verified && outcome.proposal.is_empty(), "{outcome:?}");
    assert!(outcome.message.contains("no simple arguments"), "{}", outcome.message);
    let outcome = project.write_tests("shapes.py", "roll", no_model()).await;
    let text = new_file(&outcome).1;
    assert!(text.contains("type(result).__name__") && text.contains("\"float\""), "{text}");
}

#[tokio::test]
async fn a_models_tests_are_kept_only_if_they_pass() {
    let project = Project::new(&[("pyproject.toml", ""), ("shapes.py", CLAMP)]);
    let answer = |expected: &str| {
        format!(
            "```python\nimport unittest\nimport shapes\n\nclass Model(unittest.TestCase):\n    \
             def test_high(self):\n        self.assertEqual(shapes.clamp(99), {expected})\n```"
        )
    };
    let good = project.write_tests("shapes.py", "clamp", instruct(&answer("10"))).await;
    assert!(new_file(&good).1.contains("def test_high"), "{good:?}");
    assert!(good.message.contains("1 of them by the model"), "{}", good.message);
    let bad = project.write_tests("shapes.py", "clamp", instruct(&answer("11"))).await;
    assert!(bad.verified && !new_file(&bad).1.contains("def test_high"), "{bad:?}");
}

const MANIFEST: &str = "[package]\nname = \"cart\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";

const CART: &str = "\
#[derive(Debug, Clone)]
pub struct Item {
    pub name: String,
    pub price: u64,
}

pub struct Cart {
    items: Vec<Item>,
}

impl Cart {
    pub fn new() -> Self {
        Self { items: Vec::new() }
    }

    pub fn add(&mut self, item: Item) -> usize {
        self.items.push(item);
        self.items.len()
    }
}

pub fn clamp(value: i32, low: i32) -> i32 {
    if value < 40 { low } else { value }
}

pub fn divide(a: u32, b: u32) -> u32 {
    a / b
}

pub fn pair(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    Some((key.to_owned(), value.to_owned()))
}

pub fn sort(values: &mut Vec<i32>) {
    values.sort_unstable();
}

pub fn apply<T>(value: T) -> T {
    value
}
";

#[tokio::test]
async fn rust_behaviour_is_recorded_and_the_tests_pass() {
    let project = Project::new(&[("Cargo.toml", MANIFEST), ("src/lib.rs", CART)]);
    let text =
        |outcome: &Outcome| new_text(outcome).split(CART.trim_end()).nth(1).unwrap().to_owned();

    let outcome = project.write_tests("src/lib.rs", "clamp", no_model()).await;
    assert!(outcome.verified, "{outcome:?}");
    let written = text(&outcome);
    assert!(written.contains("#[cfg(test)]\nmod tests {\n    use super::*;\n"), "{written}");
    assert!(written.contains("assert_eq!(clamp(40, "), "{written}");

    let outcome = project.write_tests("src/lib.rs", "pair", no_model()).await;
    assert!(text(&outcome).contains("pair(\"a=1\")"), "{outcome:?}");
    let outcome = project.write_tests("src/lib.rs", "sort", no_model()).await;
    assert!(text(&outcome).contains("sort(&mut argument);"), "{outcome:?}");
    let outcome = project.write_tests("src/lib.rs", "Cart::add", no_model()).await;
    assert!(text(&outcome).contains("let mut subject = Cart::new();"), "{outcome:?}");
    let outcome = project.write_tests("src/lib.rs", "divide", no_model()).await;
    assert!(outcome.message.contains("divide(0, 0) panics"), "{}", outcome.message);
    let outcome = project.write_tests("src/lib.rs", "apply", no_model()).await;
    assert!(!outcome.verified && outcome.message.contains("it is generic"), "{outcome:?}");
}

#[tokio::test]
async fn a_models_rust_tests_are_kept_only_if_they_pass() {
    let project = Project::new(&[("Cargo.toml", MANIFEST), ("src/lib.rs", CART)]);
    let answer = |expected: &str| {
        format!(
            "```rust\n#[test]\nfn high() {{\n    assert_eq!(clamp(99, 1), {expected});\n}}\n```"
        )
    };
    let good = project.write_tests("src/lib.rs", "clamp", instruct(&answer("99"))).await;
    assert!(new_text(&good).contains("    fn high()"), "{good:?}");
    let bad = project.write_tests("src/lib.rs", "clamp", instruct(&answer("98"))).await;
    assert!(bad.verified && !new_text(&bad).contains("fn high()"), "{bad:?}");
}

fn new_text(outcome: &Outcome) -> &str {
    let [change] = &outcome.proposal.changes[..] else { panic!("{outcome:?}") };
    &change.text
}

#[tokio::test]
async fn a_rewritten_item_compiles() {
    let project = Project::new(&[("Cargo.toml", MANIFEST), ("src/lib.rs", CART)]);
    let with_type = |kind: &str| {
        format!(
            "```rust\npub fn clamp(value: i32, low: i32) -> i32 {{\n    value.max({kind})\n}}\n```"
        )
    };
    let mut script = Script {
        chat_template: Some("{% for m in messages %}{{ m.content }}{% endfor %}".to_owned()),
        ..Script::default()
    };
    let answers = vec![with_type("\"low\""), with_type("low")];
    script.rules.push(Rule { when: "clamp".to_owned(), answers });
    let (tools, document) = project.open("src/lib.rs", Engine::scripted(script));
    let target = Target::Named("clamp".to_owned());
    let outcome = rewrite::run(&tools, &document, &target, "Use max.").await.unwrap();
    assert!(outcome.verified, "{outcome:?}");
    assert!(new_text(&outcome).contains("    value.max(low)\n"), "{outcome:?}");
    assert!(outcome.proof.iter().any(|proof| proof.tool == "cargo"), "{outcome:?}");
}
