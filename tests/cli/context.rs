//! `agent context`.

use serde_json::json;

use super::project::Project;

const CART: &str = "from item import Item\n\n\ndef total(items):\n    \n";
const ITEM: &str = "class Item:\n    \"\"\"Something to sell.\"\"\"\n\n    price: int\n";

#[test]
fn json_has_each_part_with_its_lines_and_reason_and_the_prompt_they_make() {
    let project = Project::new(&[("agent.toml", ""), ("cart.py", CART), ("item.py", ITEM)]);
    let run = project.run(&["context", "cart.py:5:5", "--json", &project.filling(&["x"])]);
    let object = run.json();
    assert_eq!(run.code, 0, "{object}");
    let parts = object["parts"].as_array().unwrap();
    let part = |kind: &str| parts.iter().find(|part| part["kind"] == kind).unwrap();
    let prefix = part("prefix");
    assert_eq!((&prefix["path"], &prefix["start_line"]), (&"cart.py".into(), &1.into()));
    assert_eq!(prefix["end_line"], 5, "{prefix}");
    let other = parts.iter().find(|part| part["path"] == "item.py").unwrap();
    assert!(other["text"].as_str().unwrap().contains("class Item"), "{other}");
    assert!(other["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{other}");
    let prompt = object["prompt"].as_str().unwrap();
    let mut rest = prompt;
    for part in parts {
        let text = part["text"].as_str().unwrap();
        rest = rest.split_once(text).unwrap_or_else(|| panic!("{text:?} in {rest:?}")).1;
    }
    assert!(prompt.starts_with("<|repo_name|>") && prompt.ends_with("<|fim_middle|>"), "{prompt}");
    let tokens: u64 = object["used"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["tokens"].as_u64().unwrap())
        .sum();
    assert_eq!(object["tokens"], tokens);
    assert!(object["build_ms"].as_f64().unwrap() > 0.0, "{object}");
}

#[test]
fn what_does_not_fit_is_listed() {
    let long = "value = 1\n".repeat(400) + "x = ";
    let project = Project::new(&[("agent.toml", ""), ("a.py", &long)]);
    let model = project.filling(&["x"]);
    let args = ["context", "a.py:401:5", "--tokens", "100", &model];
    let run = project.run(&args);
    assert_eq!(run.code, 0, "{run:?}");
    let (_, left_out) = run.stdout.split_once("\n--- left out\n").unwrap();
    assert!(left_out.contains("prefix a.py:1-"), "{run:?}");
    assert!(run.stdout.contains("--- typed a.py:401-401, 2 tokens: typed here"), "{run:?}");
    assert!(run.stderr.contains("of 100 tokens"), "{run:?}");
    let object = project.run(&[&args[..], &["--json"]].concat()).json();
    let dropped = object["dropped"].as_array().unwrap();
    let prefix = dropped.iter().find(|dropped| dropped["kind"] == "prefix").unwrap();
    assert_eq!((&prefix["start_line"], &prefix["cause"]), (&1.into(), &"no room".into()));
    assert!(object["tokens"].as_u64().unwrap() <= 100, "{object}");
}

#[test]
fn unsaved_text_is_shown_and_secrets_are_not() {
    let project = Project::new(&[("a.py", "saved = 1\n"), (".env", "KEY=1\n")]);
    let model = project.filling(&["x"]);
    let run = project.run_with(&["context", "a.py:1:11", "--stdin", &model], "unsaved = 1\n");
    assert!(run.stdout.contains("unsaved = ") && !run.stdout.contains("\nsaved"), "{run:?}");
    let run = project.run(&["context", ".env:1:1", &model]);
    assert_eq!(run.code, 2, "{run:?}");
}

#[cfg(feature = "builtin-model")]
#[test]
fn a_model_that_cannot_fill_in_the_middle_is_no_hindrance() {
    let project = Project::new(&[("agent.toml", ""), ("cart.py", CART), ("item.py", ITEM)]);
    let model = project.script(&json!({"fim": false, "rules": []}));
    let object = project.run(&["context", "cart.py:5:5", "--json", &model]).json();
    assert_eq!(object["tokenizer"], "agent seed FIM", "{object}");
    assert!(
        object["budget"].as_u64().unwrap() > 1000,
        "the built-in model's window is none: {object}"
    );
    assert!(object["prompt"].as_str().unwrap().contains("<|file_sep|>item.py"), "{object}");
}
