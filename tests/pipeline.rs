//! Completion from a cursor to a suggestion: context, prompt, engine, passes and gate together.

#![expect(clippy::unwrap_used, reason = "a broken test setup may panic")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use agent::check;
use agent::document::Document;
use agent::engine::scripted::{Rule, Script};
use agent::engine::{Engine, EngineOptions, ModelSource};
use agent::fixture;
use agent::prompt::anchor::Reuse;
use agent::prompt::template::Templates;
use agent::syntax::health::health;
use agent::task::complete::{self, Completion, Options};
use agent::task::{TaskError, Tools};
use agent::workspace::Workspace;

/// Tools around `engine` for a workspace at `root`.
fn tools(engine: Engine, root: &Path) -> Tools {
    Tools {
        engine,
        workspace: Arc::new(Workspace::new(root.to_owned())),
        templates: Arc::new(Templates::default()),
        check: Arc::new(check::Settings {
            agent: PathBuf::from("agent"),
            python: None,
            timeout: Duration::from_secs(1),
            cache: root.to_owned(),
            trusted: false,
        }),
        seed: 0,
        report: Arc::new(|_| {}),
    }
}

fn script(answers: &[&str], delay: Duration) -> Engine {
    let answers = answers.iter().map(|&answer| answer.to_owned()).collect();
    let rules = vec![Rule { when: String::new(), answers }];
    Engine::scripted(Script { rules, delay, fim: true, chat_template: None })
}

/// The document and cursor of a fixture in a file named `name` of an empty folder.
fn document(folder: &Path, name: &str, marked: &str) -> (Document, usize) {
    let file = fixture::parse(marked).remove(0);
    let cursor = file.cursors[0];
    (Document::new(folder.join(name), None, 1, file.text), cursor)
}

/// What is suggested at the `ˇ` of `marked` where a model answers with `answers`.
async fn completion(name: &str, marked: &str, answers: &[&str]) -> Completion {
    let folder = tempfile::tempdir().unwrap();
    let (document, cursor) = document(folder.path(), name, marked);
    let tools = tools(script(answers, Duration::ZERO), folder.path());
    let options = Options { candidates: answers.len(), ..Options::default() };
    complete::run(&tools, &document, cursor, &options).await.unwrap()
}

async fn texts(name: &str, marked: &str, answers: &[&str]) -> Vec<String> {
    let completion = completion(name, marked, answers).await;
    completion.candidates.into_iter().map(|candidate| candidate.text).collect()
}

const BODY: &str = "fn total(items: &[u64]) -> u64 {\n    ˇ\n}\n";

#[tokio::test]
async fn a_suggestion_comes_with_what_it_cost_and_what_the_prompt_held() {
    let completion = completion("a.rs", BODY, &["items.iter().sum()"]).await;
    assert_eq!(completion.candidates[0].text, "items.iter().sum()");
    assert!(completion.candidates[0].applied.is_empty());
    assert!(completion.usage.prompt_tokens > 0);
    assert_eq!(completion.usage.generated_tokens, 1);
    assert!(completion.trace.used.iter().any(|(part, tokens)| *part == "prefix" && *tokens > 0));
    assert!(completion.total_time > Duration::ZERO);
    let span = completion.span.unwrap();
    assert_eq!((span.start, span.is_empty()), (BODY.find('ˇ').unwrap(), true));
}

#[tokio::test]
async fn what_does_not_parse_is_not_suggested() {
    assert!(texts("a.rs", BODY, &["= = ) let"]).await.is_empty());
    assert_eq!(texts("a.rs", BODY, &["let x = 1;\n    let = ;"]).await, ["let x = 1;"]);
}

#[tokio::test]
async fn a_broken_file_is_completed_and_not_made_worse() {
    let marked = "fn f() {\n    let x = ˇ\n    g(x);\n}\n";
    assert_eq!(texts("a.rs", marked, &["h(1);"]).await, ["h(1);"]);
    assert_eq!(texts("a.py", "x = ˇ\n", &["f(1)"]).await, ["f(1)"]);
}

#[tokio::test]
async fn what_stands_behind_the_cursor_is_not_suggested_again() {
    assert_eq!(texts("a.rs", "fn f() { g(ˇ, b); }\n", &["a, b);"]).await, ["a"]);
    assert_eq!(texts("a.py", "print(\"ˇ\")\n", &["hello\")"]).await, ["hello"]);
    let marked = "def f(a):\n    ˇ\n    return compute(a)\n";
    assert!(texts("a.py", marked, &["return compute(a)"]).await.is_empty());
}

#[tokio::test]
async fn files_with_carriage_returns_and_tabs_keep_them() {
    let marked = "fn f(a: bool) {\r\n\tˇ\r\n}\r\n";
    let raw = "if a {\n        g();\n    }";
    assert_eq!(texts("a.rs", marked, &[raw]).await, ["if a {\r\n\t\tg();\r\n\t}"]);
}

#[tokio::test]
async fn characters_of_several_bytes_move_nothing() {
    let marked = "# 😀é\nname = \"日本😀\" + ˇ\n";
    assert_eq!(texts("a.py", marked, &["other + \"ß😀\""]).await, ["other + \"ß😀\""]);
    let folder = tempfile::tempdir().unwrap();
    let (document, cursor) = document(folder.path(), "a.py", "x = 1  # 😀ˇ\n");
    let tools = tools(script(&["a"], Duration::ZERO), folder.path());
    for offset in [cursor - 2, cursor, 1000] {
        complete::run(&tools, &document, offset, &Options::default()).await.unwrap();
    }
}

#[tokio::test]
async fn candidates_are_distinct_and_the_sound_ones_come_first() {
    let answers = ["let x = 1;\n    let = ;", "items.len()", "items.len()  ", "= = )"];
    assert_eq!(texts("a.rs", BODY, &answers).await, ["items.len()", "let x = 1;"]);
}

#[tokio::test]
async fn one_line_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let (document, cursor) = document(folder.path(), "a.rs", BODY);
    let tools = tools(script(&["let a = 1;\n    let b = 2;"], Duration::ZERO), folder.path());
    let options = Options { multi_line: false, ..Options::default() };
    let completion = complete::run(&tools, &document, cursor, &options).await.unwrap();
    assert_eq!(completion.candidates[0].text, "let a = 1;");
}

#[tokio::test]
async fn generation_ends_when_the_block_does() {
    let folder = tempfile::tempdir().unwrap();
    let (document, cursor) = document(folder.path(), "a.rs", BODY);
    let answer = format!("items.len()\n}}\n{}", "fn other() {}\n".repeat(20_000));
    let tools = tools(script(&[&answer], Duration::from_millis(10)), folder.path());
    let options = Options { max_tokens: 100_000, ..Options::default() };
    let started = Instant::now();
    let completion = complete::run(&tools, &document, cursor, &options).await.unwrap();
    assert_eq!(completion.candidates[0].text, "items.len()");
    assert!(completion.usage.generated_tokens < 100);
    assert!(completion.usage.prompt_tokens > 0);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[tokio::test]
async fn dropping_the_request_frees_the_model_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (document, cursor) = document(folder.path(), "a.rs", BODY);
    let words = "f(\n".repeat(10_000);
    let rules = vec![
        Rule { when: "total".to_owned(), answers: vec![words] },
        Rule { when: String::new(), answers: vec!["1".to_owned()] },
    ];
    let delay = Duration::from_millis(50);
    let engine = Engine::scripted(Script { rules, delay, fim: true, chat_template: None });
    let tools = tools(engine, folder.path());
    let options = Options { max_tokens: 10_000, ..Options::default() };
    let slow = complete::run(&tools, &document, cursor, &options);
    assert!(tokio::time::timeout(Duration::from_millis(200), slow).await.is_err());

    let (next, cursor) = self::document(folder.path(), "b.py", "x = ˇ\n");
    let options = Options::default();
    let quick = complete::run(&tools, &next, cursor, &options);
    let answer = tokio::time::timeout(Duration::from_secs(20), quick).await.unwrap().unwrap();
    assert_eq!(answer.candidates[0].text, "1");
}

#[tokio::test]
async fn when_the_time_is_up_the_lines_written_by_then_are_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (document, cursor) = document(folder.path(), "a.rs", BODY);
    let line = |number: usize| format!("let name{number} = call{number}();\n");
    let lines = (0..10_000).map(line).collect::<Vec<_>>().join("    ");
    let tools = tools(script(&[&lines], Duration::from_millis(20)), folder.path());
    let limit = Some(Duration::from_secs(1));
    let options = Options { max_tokens: 40_000, limit, ..Options::default() };
    let answer = complete::run(&tools, &document, cursor, &options).await.unwrap();
    let text = &answer.candidates[0].text;
    assert!(lines.starts_with(text.as_str()) && text.len() < lines.len(), "{text}");
    assert!(answer.cut_short && text.ends_with(';'), "the line in the making is left out: {text}");
}

#[tokio::test]
async fn a_model_that_cannot_complete_says_what_would_help() {
    let folder = tempfile::tempdir().unwrap();
    let (document, cursor) = document(folder.path(), "a.rs", BODY);
    let tools = tools(Engine::scripted(Script::default()), folder.path());
    let error = complete::run(&tools, &document, cursor, &Options::default()).await.unwrap_err();
    assert!(matches!(error, TaskError::Model(_)));
    assert!(error.to_string().contains("`agent model list`"), "{error}");
}

#[tokio::test]
async fn a_file_of_secrets_is_shown_to_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let (document, cursor) = document(folder.path(), ".env", "PASSWORD=ˇ\n");
    let tools = tools(script(&["hunter2"], Duration::ZERO), folder.path());
    let error = complete::run(&tools, &document, cursor, &Options::default()).await.unwrap_err();
    assert!(matches!(error, TaskError::Hidden(_)), "{error}");
}

#[tokio::test]
async fn a_key_stroke_costs_what_was_typed_and_not_the_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let model = ModelSource::File(root.join("models/builtin.gguf"));
    let tools = tools(Engine::load(&model, &EngineOptions::default()).unwrap(), root);
    let path = root.join("src/edit.rs");
    let text = std::fs::read_to_string(&path).unwrap();
    let at = text.find("impl Proposal {\n").unwrap() + "impl Proposal {\n".len();
    let options = Options { max_tokens: 1, multi_line: false, ..Options::default() };
    let mut anchor = None;
    for (number, typed) in [
        "    pub fn ",
        "    pub fn i",
        "    pub fn is",
        "    pub fn is_small(&self) -> bool {\n        ",
        "    pub fn is_small(&self) -> bool {\n        s",
        "    pub fn is_small(&self) -> bool {\n        self.edits.",
    ]
    .into_iter()
    .enumerate()
    {
        let new = [&text[..at], typed, &text[at..]].concat();
        let document = Document::new(path.clone(), None, 1, new);
        let offset = at + typed.len();
        let prepared = complete::prepare(&tools, &document, offset, &options, anchor.as_ref());
        let prepared = prepared.unwrap();
        let kept = prepared.reuse == Reuse::Kept;
        assert_eq!(kept, number > 0, "{typed}");
        anchor = prepared.anchor.clone();
        let usage =
            complete::answer(&tools, &document, prepared, &options, &|_| {}).await.unwrap().usage;
        assert!(usage.prompt_tokens > 100, "{usage:?}");
        // A pause in which a signature was typed costs that signature.
        let most = if typed.ends_with("{\n        ") { 24 } else { 8 };
        let read = usage.prompt_tokens - usage.cached_tokens;
        assert!(number == 0 || read <= most, "{typed}: {usage:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_short_still_says_what_its_prompt_cost() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let model = ModelSource::File(root.join("models/builtin.gguf"));
    let tools = tools(Engine::load(&model, &EngineOptions::default()).unwrap(), root);
    let marked = "fn main() {\n    let total = fˇ;\n    println!(\"{total}\");\n}\n";
    let (document, cursor) = document(root, "a.rs", marked);
    let options = Options { max_tokens: 200, ..Options::default() };
    for round in 0..2 {
        let usage = complete::run(&tools, &document, cursor, &options).await.unwrap().usage;
        assert!(usage.prompt_tokens > 10, "{usage:?}");
        assert!(round == 0 || usage.cached_tokens + 8 > usage.prompt_tokens, "{usage:?}");
        assert!(usage.prompt_time > Duration::ZERO, "{usage:?}");
    }
}

/// Positions of this project's own source: the rest of a line is taken away, as when somebody is
/// typing it.
fn positions() -> Vec<(PathBuf, String, usize)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut positions = Vec::new();
    for (file, lines) in [
        ("src/text.rs", [24, 46, 84]),
        ("src/edit.rs", [18, 60, 90]),
        ("src/postprocess/overlap.rs", [20, 70, 130]),
    ] {
        let path = root.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        for line in lines {
            let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
            let whole = text[start..].split('\n').next().unwrap();
            let indent = whole.len() - whole.trim_start().len();
            // At the start of the line's text, then in its middle.
            for keep in [indent, indent + (whole.len() - indent) / 2] {
                let cursor = text.floor_char_boundary(start + keep);
                let masked = format!("{}{}", &text[..cursor], &text[start + whole.len()..]);
                positions.push((path.clone(), masked, cursor));
            }
        }
    }
    positions
}

#[tokio::test]
async fn the_built_in_model_never_breaks_this_projects_own_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let model = ModelSource::File(root.join("models/builtin.gguf"));
    let tools = tools(Engine::load(&model, &EngineOptions::default()).unwrap(), root);
    let mut shown = 0;
    for (path, text, cursor) in positions() {
        let document = Document::new(path, None, 1, text.clone());
        let options = Options { candidates: 2, max_tokens: 16, ..Options::default() };
        let completion = complete::run(&tools, &document, cursor, &options).await.unwrap();
        let held: usize = completion.trace.used.iter().map(|(_, tokens)| tokens).sum();
        assert!(held <= tools.engine.info().context_length, "{held}");
        let before = health(document.tree.as_ref().unwrap()).faults();
        for candidate in &completion.candidates {
            let with = [&text[..cursor], &candidate.text, &text[cursor..]].concat();
            let with = Document::new(document.path.to_path_buf(), None, 1, with);
            let after = health(with.tree.as_ref().unwrap()).faults();
            assert!(after <= before, "{:?} at {cursor}", candidate.text);
            let controls = |c: char| c.is_control() && c != '\n' && c != '\t';
            assert!(!candidate.text.is_empty() && !candidate.text.contains(controls));
            shown += 1;
        }
    }
    // It is a very small model, but not a silent one.
    assert!(shown >= 4, "{shown} suggestions");
}
