//! The option `exclude`: what no model is shown.

use super::project::Project;

const PLAN: &str = "class Plan:\n    pass\n";
const MAIN: &str = "from hidden.plan import Plan\nfrom item import Item\n\nx = \n";

#[test]
fn an_excluded_file_gets_no_answer_and_is_in_no_prompt() {
    let project = Project::new(&[
        ("agent.toml", "exclude = [\"hidden/\"]\n"),
        ("hidden/plan.py", PLAN),
        ("item.py", "class Item:\n    price: int\n"),
        ("main.py", MAIN),
    ]);
    let model = project.filling(&["x"]);
    for command in ["complete", "context"] {
        let run = project.run(&[command, "hidden/plan.py:2:5", &model]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("excluded by `hidden/`"), "{run:?}");
    }
    let run = project.run(&["explain", "hidden/plan.py", &model]);
    assert!(run.code == 2 && run.stderr.contains("excluded by `hidden/`"), "{run:?}");
    let prompt = project.run(&["context", "main.py:4:5", "--json", &model]).json();
    let prompt = prompt["prompt"].as_str().unwrap();
    assert!(prompt.contains("class Item") && !prompt.contains("class Plan"), "{prompt}");
}

#[test]
fn a_pattern_that_is_wrong_does_not_show_what_the_others_hide() {
    for wrong in ["\"a[\"", "3", "\"!hidden/c.py\""] {
        let project = Project::new(&[
            ("agent.toml", &format!("exclude = [\"hidden/\", {wrong}]\n")),
            ("hidden/c.py", "x = \n"),
        ]);
        let run = project.run(&["complete", "hidden/c.py:1:5"]);
        assert_eq!(run.code, 2, "{wrong}: {run:?}");
        assert!(run.stderr.contains("excluded by `hidden/`"), "{wrong}: {run:?}");
        assert!(run.stderr.contains("exclude: "), "{wrong}: {run:?}");
    }
}

#[test]
fn what_the_user_excludes_a_workspace_cannot_bring_back() {
    let project = Project::new(&[("agent.toml", "exclude = [\"b.py\"]\n"), ("a.py", "x = \n")]);
    let config = project.home(".config/agent");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("agent.toml"), "exclude = [\"a.py\"]\n").unwrap();
    let run = project.run(&["complete", "a.py:1:5", &project.filling(&["x"])]);
    assert!(run.code == 2 && run.stderr.contains("excluded by `a.py`"), "{run:?}");
}

#[test]
fn a_file_that_holds_a_token_is_shown_to_no_model_but_explained_by_the_parser() {
    let token = format!("ghp_{}", "a1B2".repeat(9));
    let keys = format!("KEY = '{token}'\n\n\ndef connect():\n    return \n");
    let project = Project::new(&[("keys.py", &keys)]);
    let model = project.filling(&["KEY"]);
    for command in ["complete", "context"] {
        let run = project.run(&[command, "keys.py:5:12", &model]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stderr.contains("holds what looks like a secret"), "{run:?}");
        assert!(!run.stdout.contains(&token) && !run.stderr.contains(&token), "{run:?}");
    }
    let run = project.run(&["explain", "keys.py:4", &model]);
    assert!(run.code == 0 && run.stdout.contains("connect"), "{run:?}");
    assert!(run.stdout.contains("so no model is shown it"), "{run:?}");
}
