//! Commands that change code: diffs that `git apply` takes, proofs, and `--apply`.

use serde_json::Value as Json;

use super::project::{Project, Run};

const PYTHON: &str = "def add(a, b):\n    return a\n\n\ndef double(x):\n    return x * 2\n";
const ANSWER: &str = "```python\ndef add(a, b):\n    return a + b\n```";
const BROKEN_PYTHON: &str = "def add(a, b)\n    return a + b\n";
const BROKEN_RUST: &str = "//! Sums.\n\n/// All of them.\npub fn sum(numbers: &[u32]) -> u32 {\n    let total = 0;\n    for number in numbers {\n        total += number;\n    }\n    total\n}\n";
const MANIFEST: &str =
    "[package]\nname = \"sums\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n";

fn rust_project() -> Project {
    Project::new(&[("Cargo.toml", MANIFEST), ("src/lib.rs", BROKEN_RUST)])
}

/// The levels a verified answer reached, of a run that must have ended well.
fn levels(run: &Run) -> Vec<String> {
    let object = run.json();
    assert_eq!((run.code, &object["verified"]), (0, &Json::Bool(true)), "{object}");
    for proof in object["proof"].as_array().unwrap() {
        for key in ["level", "tool", "command", "result"] {
            assert!(proof[key].is_string(), "{key} in {proof}");
        }
    }
    let level = |proof: &Json| proof["level"].as_str().unwrap().to_owned();
    object["proof"].as_array().unwrap().iter().map(level).collect()
}

#[test]
fn a_rewrite_is_a_diff_from_the_root_of_the_repository() {
    let project = Project::new(&[("deep/er/a.py", PYTHON)]);
    project.git_init();
    let run = project.run(&["rewrite", "deep/er/a.py:add", "add", &project.instructed(ANSWER)]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(project.read("deep/er/a.py"), PYTHON, "nothing is written without --apply");
    project.git_apply(&run.stdout);
    assert!(project.read("deep/er/a.py").contains("return a + b"));
}

#[test]
fn an_applied_rewrite_is_written_and_named() {
    let project = Project::new(&[("a.py", PYTHON)]);
    let model = project.instructed(ANSWER);
    let run = project.run(&["rewrite", "a.py:add", "add", "--apply", &model]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("written: a.py"), "{run:?}");
    assert_eq!(project.read("a.py"), PYTHON.replace("return a\n", "return a + b\n"));
}

#[test]
fn an_answer_that_cannot_be_verified_is_not_printed_as_a_diff() {
    let project = Project::new(&[("a.py", PYTHON)]);
    let model = project.instructed("```python\ndef add(a, b:\n```");
    let run = project.run(&["rewrite", "a.py:add", "add", "--apply", &model]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    assert_eq!(project.read("a.py"), PYTHON);
}

#[test]
fn a_symbol_that_is_not_there_is_exit_code_1_and_names_those_that_are() {
    let project = Project::new(&[("a.py", PYTHON)]);
    for command in ["explain", "doc", "test"] {
        let run = project.run(&[command, "a.py:subtract", &project.filling(&["x"])]);
        assert_eq!(run.code, 1, "{command}: {run:?}");
        assert!(run.stderr.contains("double"), "{command}: {run:?}");
    }
}

#[test]
fn instructions_need_a_model_that_follows_them() {
    let project = Project::new(&[("a.py", PYTHON)]);
    let run = project.run(&["rewrite", "a.py:add", "add", &project.filling(&["x"])]);
    assert_eq!(run.code, 2, "{run:?}");
}

#[test]
fn an_explanation_is_markdown_with_facts() {
    let project = Project::new(&[("a.py", PYTHON)]);
    let model = project.filling(&[""]);
    let run = project.run(&["explain", "a.py:5", &model]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("double"), "{run:?}");
    let object = project.run(&["explain", "a.py:double", "--json", &model]).json();
    assert!(object["markdown"].as_str().unwrap().contains("double"), "{object}");
    let fact = &object["facts"][0];
    assert!(fact["kind"].is_string() && fact["text"].is_string(), "{object}");
    assert!(fact["path"].as_str().unwrap().ends_with("a.py"), "{object}");
    assert!(fact["line"].as_u64().unwrap() >= 5, "{object}");
}

#[test]
fn a_sound_file_needs_no_repair_and_that_is_said() {
    let project = Project::new(&[("a.py", PYTHON)]);
    let run = project.run(&["fix", "a.py", &project.filling(&[""])]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run:?}");
    assert!(!run.stderr.trim().is_empty(), "{run:?}");
}

#[test]
fn a_rust_file_is_repaired_with_the_compilers_own_advice() {
    let project = rust_project();
    project.git_init();
    let model = project.filling(&[""]);
    let run = project.run(&["fix", "src/lib.rs", &model]);
    assert_eq!(run.code, 0, "{run:?}");
    project.git_apply(&run.stdout);
    assert_eq!(project.read("src/lib.rs"), BROKEN_RUST.replace("let total", "let mut total"));
}

#[test]
fn a_repair_says_how_far_it_is_proved_and_is_written_when_asked() {
    let project = rust_project();
    let model = project.filling(&[""]);
    let run = project.run(&["fix", "src/lib.rs", "--json", "--apply", &model]);
    assert!(levels(&run).contains(&"compile".to_owned()), "{run:?}");
    assert_eq!(run.json()["applied"], true);
    assert!(project.read("src/lib.rs").contains("let mut total"));
}

#[test]
fn unsaved_text_is_repaired_in_place_of_the_file() {
    let project = Project::new(&[("Cargo.toml", MANIFEST), ("src/lib.rs", "//! Sums.\n")]);
    let model = project.filling(&[""]);
    let run = project.run_with(&["fix", "src/lib.rs", "--stdin", &model], BROKEN_RUST);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("+    let mut total = 0;"), "{run:?}");
    assert_eq!(project.read("src/lib.rs"), "//! Sums.\n");
}

#[test]
fn a_python_file_is_repaired_and_the_proof_claims_no_more_than_syntax() {
    let project = Project::new(&[("a.py", BROKEN_PYTHON)]);
    // The model has no idea; what is missing can be found without it.
    let model = project.filling(&["def add(a, b):"]);
    let run = project.run(&["fix", "a.py", "--json", &model]);
    let levels = levels(&run);
    assert!(!levels.is_empty() && !levels.contains(&"tests".to_owned()), "{levels:?}");
    project.git_apply(run.json()["diff"].as_str().unwrap());
    assert_eq!(project.read("a.py"), BROKEN_PYTHON.replace("b)\n", "b):\n"));
}

#[test]
fn a_file_that_no_candidate_repairs_stays_as_it_is() {
    let project = Project::new(&[("a.py", "def f(:\n    )(\n")]);
    let run = project.run(&["fix", "a.py", "--apply", &project.filling(&["((("])]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    assert_eq!(project.read("a.py"), "def f(:\n    )(\n");
}

#[test]
fn a_doc_comment_is_a_diff_that_applies() {
    let project = Project::new(&[
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", "pub fn three() -> u32 {\n    3\n}\n"),
    ]);
    let model = project.filling(&[" Returns the number three."]);
    let run = project.run(&["doc", "src/lib.rs:three", &model]);
    assert_eq!(run.code, 0, "{run:?}");
    project.git_apply(&run.stdout);
    let text = project.read("src/lib.rs");
    assert!(
        text.starts_with("///") && text.ends_with("pub fn three() -> u32 {\n    3\n}\n"),
        "{text}"
    );
}

#[test]
fn tests_are_a_diff_that_applies_and_were_run() {
    let project = Project::new(&[("a.py", PYTHON)]);
    let run = project.run(&["test", "a.py:double", "--json", &project.filling(&[""])]);
    assert!(levels(&run).contains(&"tests".to_owned()), "{run:?}");
    let before: Vec<_> = std::fs::read_dir(project.root()).unwrap().flatten().collect();
    project.git_apply(run.json()["diff"].as_str().unwrap());
    let after = std::fs::read_dir(project.root()).unwrap().flatten().count();
    let text = project.read("a.py");
    assert!(after > before.len() || text != PYTHON, "the diff changed nothing: {run:?}");
}
