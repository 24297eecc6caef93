//! `fix` on real small projects: what it repairs is proved by the compiler, what it cannot repair
//! is left alone and said.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a broken test setup may panic")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent::check::{CheckError, Settings};
use agent::document::Document;
use agent::engine::Engine;
use agent::engine::scripted::{Rule, Script};
use agent::prompt::template::Templates;
use agent::task::fix::{self, Effort, Options};
use agent::task::{Outcome, TaskError, Tools};
use agent::workspace::Workspace;

#[path = "fix/behaviour.rs"]
mod behaviour;

struct Project {
    folder: tempfile::TempDir,
    progress: Arc<Mutex<Vec<String>>>,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join("project").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self { folder, progress: Arc::default() }
    }

    fn rust(main: &str) -> Self {
        let manifest = "[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
        Self::new(&[("Cargo.toml", manifest), ("src/main.rs", main)])
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    fn tools(&self, script: Script, trusted: bool) -> Tools {
        let progress = Arc::clone(&self.progress);
        Tools {
            engine: Engine::scripted(script),
            workspace: Arc::new(Workspace::new(self.root())),
            templates: Arc::new(Templates::default()),
            check: Arc::new(Settings {
                agent: env!("CARGO_BIN_EXE_agent").into(),
                python: Some(python()),
                timeout: Duration::from_mins(2),
                cache: self.folder.path().join("cache"),
                trusted,
            }),
            seed: 0,
            report: Arc::new(move |line: &str| progress.lock().unwrap().push(line.to_owned())),
        }
    }

    async fn fix(&self, name: &str, options: Options) -> Result<Outcome, TaskError> {
        self.fix_with(name, options, Script::default()).await
    }

    async fn fix_with(
        &self,
        name: &str,
        options: Options,
        script: Script,
    ) -> Result<Outcome, TaskError> {
        let path = self.path(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let document = Document::new(path, None, 0, text);
        fix::run(&self.tools(script, true), &document, &options).await
    }

    async fn fixed(&self, name: &str) -> String {
        let outcome = self.fix(name, Options::default()).await.unwrap();
        self.text_after(name, &outcome)
    }

    /// The file's text after `outcome`, which must be verified and change this file only.
    #[track_caller]
    fn text_after(&self, name: &str, outcome: &Outcome) -> String {
        assert!(outcome.verified, "{}\n{:#?}", outcome.message, self.progress.lock().unwrap());
        assert_eq!(outcome.proposal.changes.len(), 1, "{outcome:#?}");
        let change = &outcome.proposal.changes[0];
        assert_eq!((change.path.as_path(), change.display.as_str()), (&*self.path(name), name));
        // The user's own file is never touched.
        let base = std::fs::read_to_string(self.path(name)).unwrap();
        assert_eq!(change.base.as_deref(), Some(base.as_str()));
        change.text.clone()
    }
}

/// Without any tool beside it: what is proved must not depend on this machine.
fn python() -> PathBuf {
    ["/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3"]
        .map(PathBuf::from)
        .into_iter()
        .find(|path| path.exists())
        .expect("a Python interpreter")
}

fn nothing_left_behind(root: &Path) {
    let names: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!names.contains(&"target".to_owned()), "{names:?}");
    assert!(!names.contains(&"Cargo.lock".to_owned()), "{names:?}");
}

fn unproved(outcome: &Outcome) -> &str {
    assert!(!outcome.verified, "{outcome:#?}");
    let said = "nothing proves it keeps the behaviour";
    assert!(outcome.message.contains(said), "{}", outcome.message);
    &outcome.proposal.changes[0].text
}

fn model_that_says(answer: &str) -> Script {
    let rules = vec![Rule { when: String::new(), answers: vec![answer.to_owned()] }];
    Script { rules, fim: true, ..Script::default() }
}

#[tokio::test]
async fn one_rust_file_with_four_faults_of_three_phases_is_repaired() {
    let project = Project::rust(
        "fn total(values: &[u32]) -> u64 {\n    let sum = 0;\n    for value in values {\n        \
         sum += u64::from(*value);\n    }\n    sum\n}\n\nfn main() {\n    let mut counts = \
         HashMap::new();\n    counts.insert(1u32, 2u32);\n    let name: String = \"abc\";\n    \
         println!(\"{name} {} {}\", totl(&[1]), counts.len());\n}\n",
    );
    let outcome = project.fix("src/main.rs", Options::default()).await.unwrap();
    let text = project.text_after("src/main.rs", &outcome);
    assert!(text.starts_with("use std::collections::HashMap;\n"), "{text}");
    assert!(text.contains("let mut sum = 0;"), "{text}");
    assert!(text.contains("\"abc\".to_string();"), "{text}");
    assert!(text.contains("total(&[1])"), "{text}");
    assert_eq!(outcome.proof[0].result, "0 errors");
    assert_eq!(outcome.proof[0].level.name(), "compile");
    assert!(outcome.proof[0].command.starts_with("cargo check"), "{:?}", outcome.proof);
    nothing_left_behind(&project.root());
}

#[tokio::test]
async fn a_clean_rust_file_is_verified_and_unchanged() {
    let project = Project::rust("fn main() {}\n");
    let outcome = project.fix("src/main.rs", Options::default()).await.unwrap();
    assert!(outcome.verified && outcome.proposal.is_empty());
    assert!(outcome.message.starts_with("nothing to fix (cargo: 0 errors)"), "{}", outcome.message);
}

#[tokio::test]
async fn a_warning_is_repaired_only_where_it_was_asked_for() {
    let text = "fn main() {\n    let mut x = 1;\n    println!(\"{x}\");\n}\n";
    let project = Project::rust(text);
    let outcome = project.fix("src/main.rs", Options::default()).await.unwrap();
    assert!(outcome.verified && outcome.proposal.is_empty());
    let at = text.find("mut").unwrap();
    let options = Options { span: Some(agent::text::Span::empty(at)), ..Options::default() };
    let outcome = project.fix("src/main.rs", options).await.unwrap();
    let fixed = project.text_after("src/main.rs", &outcome);
    assert_eq!(fixed, text.replace("mut ", ""));
}

#[tokio::test]
async fn a_file_that_no_target_names_is_not_called_sound() {
    let project = Project::rust("fn main() {}\n");
    std::fs::write(project.path("src/orphan.rs"), "fn f() -> u32 { \"x\" }\n").unwrap();
    let error = project.fix("src/orphan.rs", Options::default()).await.unwrap_err();
    assert!(error.to_string().contains("not part of package sample"), "{error}");
}

#[tokio::test]
async fn a_repair_counts_only_once_the_whole_package_compiles() {
    let manifest = "[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    let project = Project::new(&[
        ("Cargo.toml", manifest),
        ("src/lib.rs", "pub mod a;\npub mod b;\n"),
        ("src/a.rs", "pub fn a() -> u32 {\n    let x = 1;\n    x += 1;\n    x\n}\n"),
        ("src/b.rs", "pub fn b() -> u32 {\n    let y = 1;\n    y += 1;\n    y\n}\n"),
    ]);
    let outcome = project.fix("src/b.rs", Options::default()).await.unwrap();
    assert!(!outcome.verified, "{outcome:#?}");
    assert!(outcome.proposal.changes[0].text.contains("let mut y = 1;"));
    assert!(outcome.message.contains("1 error remains: src/a.rs:3: "), "{}", outcome.message);
    assert!(outcome.message.contains("fix that too"), "{}", outcome.message);
    let at = "pub fn b() -> u32 {\n    let y = 1;\n    y +=".len();
    let span = Some(agent::text::Span::empty(at));
    let one = Options { span, others_may_remain: true, ..Options::default() };
    let outcome = project.fix("src/b.rs", one).await.unwrap();
    assert!(outcome.verified && outcome.message.contains("src/a.rs:3: "), "{outcome:#?}");
    let repaired = project.text_after("src/b.rs", &outcome);
    std::fs::write(project.path("src/b.rs"), repaired).unwrap();
    let outcome = project.fix("src/a.rs", Options::default()).await.unwrap();
    assert!(outcome.verified && !outcome.message.contains("remain"), "{outcome:#?}");
}

#[tokio::test]
async fn a_broken_manifest_is_not_passed_over() {
    let project = Project::rust("fn main() {}\n");
    let manifest = std::fs::read_to_string(project.path("Cargo.toml")).unwrap();
    for (line, said) in
        [("broken = [", "Cargo.toml: line 4: "), ("edition = \"2042\"", "Cargo.toml")]
    {
        let manifest = manifest.replace("edition = \"2024\"", line);
        std::fs::write(project.path("Cargo.toml"), manifest).unwrap();
        let error = project.fix("src/main.rs", Options::default()).await.unwrap_err();
        assert!(matches!(error, TaskError::Check(CheckError::Tool { .. })), "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_lone_rust_file_is_checked_by_rustc() {
    let project = Project::new(&[(
        "lone.rs",
        "fn main() {\n    let x = 1;\n    x += 1;\n    let _ = x;\n}\n",
    )]);
    let text = project.fixed("lone.rs").await;
    assert!(text.contains("let mut x = 1;"), "{text}");
}

#[tokio::test]
async fn what_cannot_be_repaired_is_left_alone_and_said() {
    let project = Project::rust(
        "fn main() {\n    let x: u32 = frobnicate_everything();\n    println!(\"{x}\");\n}\n",
    );
    let outcome = project.fix("src/main.rs", Options::default()).await.unwrap();
    assert!(!outcome.verified && outcome.proposal.is_empty(), "{outcome:#?}");
    assert!(outcome.message.starts_with("not fixed: line 2: [E0425]"), "{}", outcome.message);
    assert!(outcome.message.ends_with("nothing was changed"), "{}", outcome.message);
}

#[tokio::test]
async fn a_repair_that_fails_the_tests_is_not_verified() {
    let project = Project::rust("fn main() {\n    let x = 1;\n    x += 1;\n    let _ = x;\n}\n");
    let options = Options { test: Some("false".to_owned()), ..Options::default() };
    let outcome = project.fix("src/main.rs", options).await.unwrap();
    assert!(!outcome.verified && outcome.proposal.is_empty());
    assert!(outcome.message.contains("fails `false`"), "{}", outcome.message);
    let options = Options { test: Some("test -f Cargo.toml".to_owned()), ..Options::default() };
    let outcome = project.fix("src/main.rs", options).await.unwrap();
    assert!(outcome.verified, "{}", outcome.message);
    assert_eq!(outcome.proof.last().unwrap().level.name(), "tests");
}

#[tokio::test]
async fn python_syntax_errors_are_repaired_one_after_the_other() {
    let project = Project::new(&[
        ("pyproject.toml", ""),
        (
            "m.py",
            "def total(values)\n    result = 0\n    for value in values\n        result += abs(value\n    return result\n",
        ),
    ]);
    assert_eq!(
        project.fixed("m.py").await,
        "def total(values):\n    result = 0\n    for value in values:\n        result += abs(value)\n    return result\n"
    );
}

#[tokio::test]
async fn faults_that_hide_each_other_from_the_parser_are_repaired() {
    let project = Project::new(&[(
        "m.py",
        "class A:\n    def f(self)\n        return self.x\n\n    def g(self):\n        if self.x = 3:\n            \
         return (1, 2\n        return [1, 2]\n",
    )]);
    assert_eq!(
        project.fixed("m.py").await,
        "class A:\n    def f(self):\n        return self.x\n\n    def g(self):\n        if self.x == 3:\n            \
         return (1, 2)\n        return [1, 2]\n"
    );
}

#[tokio::test]
async fn python_syntax_alone_is_said_to_be_syntax() {
    let project = Project::new(&[("m.py", "x = [1, 2\n")]);
    let outcome = project.fix("m.py", Options::default()).await.unwrap();
    assert_eq!(project.text_after("m.py", &outcome), "x = [1, 2]\n");
    assert_eq!(outcome.proof[0].level.name(), "syntax");
    assert_eq!(outcome.proof[0].tool, "py_compile");
}

#[tokio::test]
async fn python_errors_without_a_known_end_are_errors() {
    for text in [
        "def f():\n    return 1\n  x = 2\n",
        "  x = 1\n",
        "def f():\n",
        "if 1:\n\tx = 1\n        y = 2\n",
        "x = 1\\",
        "# coding: nope\nx = 1\n",
        "x = 1\0\n",
    ] {
        let project = Project::new(&[("m.py", text)]);
        let outcome = project.fix("m.py", Options::default()).await.unwrap();
        assert!(!outcome.message.starts_with("nothing to fix"), "{text:?}: {outcome:#?}");
        assert!(!outcome.verified || !outcome.proposal.is_empty(), "{text:?}: {outcome:#?}");
        for change in &outcome.proposal.changes {
            let path = project.folder.path().join("repaired.py");
            std::fs::write(&path, &change.text).unwrap();
            let compiled = std::process::Command::new(python())
                .args(["-m", "py_compile"])
                .arg(path)
                .output()
                .unwrap();
            assert!(compiled.status.success(), "{text:?}: {compiled:?}");
        }
    }
}

#[tokio::test]
async fn a_command_that_is_none_proves_nothing() {
    let project = Project::new(&[("m.py", "x = (1\n"), ("script.sh", "exit 0\n")]);
    for (command, said) in [
        ("", "no command in it"),
        (" \n", "no command in it"),
        ("# later", "no command in it"),
        ("nosuchcommand -x", "exit 127"),
        ("true && nosuchcommand", "nosuchcommand"),
        ("./script.sh", "exit 126"),
    ] {
        let command = Some(command.to_owned());
        let check = Options { check: command.clone(), ..Options::default() };
        let test = Options { test: command.clone(), ..Options::default() };
        for options in [check, test] {
            let error = project.fix("m.py", options).await.unwrap_err();
            assert!(
                matches!(error, TaskError::Check(CheckError::Command { .. })),
                "{command:?}: {error}"
            );
            assert!(error.to_string().contains(said), "{command:?}: {error}");
        }
    }
}

#[tokio::test]
async fn a_check_command_that_fails_elsewhere_verifies_nothing() {
    let project = Project::new(&[("m.py", "x = 1\n"), ("other.py", "y = 1\n")]);
    let check = Some("echo 'other.py:1: wrong'; exit 1".to_owned());
    let outcome = project.fix("m.py", Options { check, ..Options::default() }).await.unwrap();
    assert!(!outcome.verified && outcome.proposal.is_empty(), "{outcome:#?}");
    assert!(outcome.message.contains("1 error in other files: other.py:1"), "{}", outcome.message);
}

#[tokio::test]
async fn the_users_own_check_command_judges() {
    let project = Project::new(&[(
        "m.py",
        "def greet(name):\n    return \"hello \" + nane\n\nif __name__ == \"__main__\":\n    print(greet(\"you\"))\n",
    )]);
    let check = format!("{} m.py", python().display());
    let options = Options { check: Some(check.clone()), ..Options::default() };
    let outcome = project.fix("m.py", options).await.unwrap();
    let text = project.text_after("m.py", &outcome);
    assert!(text.contains("\"hello \" + name\n"), "{text}");
    assert_eq!(
        (outcome.proof[0].command.as_str(), outcome.proof[0].result.as_str()),
        (&*check, "passed")
    );
}

#[tokio::test]
async fn the_editors_text_is_what_is_repaired() {
    let project = Project::rust("fn main() {}\n");
    let text =
        "mod other;\n\nfn main() {\n    let x: u32 = other::on();\n    println!(\"{x}\");\n}\n";
    let document = Document::new(project.path("src/main.rs"), None, 7, text.to_owned());
    let other = "pub fn one() -> u32 {\n    1\n}\n";
    let other = Document::new(project.path("src/other.rs"), None, 3, other.to_owned());
    let options = Options { unsaved: vec![other], ..Options::default() };
    let tools = project.tools(Script::default(), true);
    let outcome = fix::run(&tools, &document, &options).await.unwrap();
    assert!(outcome.verified, "{}", outcome.message);
    let change = &outcome.proposal.changes[0];
    assert_eq!((change.version, change.base.as_deref()), (Some(7), Some(text)));
    assert_eq!(change.text, text.replace("on()", "one()"));
    assert!(!project.path("src/other.rs").exists());
}

#[tokio::test]
async fn nothing_is_executed_in_an_untrusted_workspace() {
    let project = Project::new(&[("m.py", "x = (\n")]);
    let document = Document::new(project.path("m.py"), None, 0, "x = (\n".to_owned());
    let tools = project.tools(Script::default(), false);
    let error = fix::run(&tools, &document, &Options::default()).await.unwrap_err();
    assert!(error.to_string().contains("not trusted"), "{error}");
    assert!(!project.folder.path().join("cache").exists());
}

#[tokio::test]
async fn a_chat_model_rewrites_the_item_and_hears_what_was_wrong() {
    let project = Project::rust(
        "fn main() {\n    let x: u32 = frobnicate_everything();\n    println!(\"{x}\");\n}\n",
    );
    let bad = "```rust\nfn main() {\n    todo!()\n}\n```";
    let good =
        "Here:\n```rust\nfn main() {\n    let x: u32 = 42;\n    println!(\"{x}\");\n}\n```\n";
    let script = Script {
        rules: vec![
            Rule { when: "did not work".to_owned(), answers: vec![good.to_owned()] },
            Rule { when: String::new(), answers: vec![bad.to_owned()] },
        ],
        chat_template: Some(
            "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"
                .to_owned(),
        ),
        ..Script::default()
    };
    let test = Some("grep -q 'x: u32 = 42' src/main.rs".to_owned());
    let options = Options { test, ..Options::default() };
    let outcome = project.fix_with("src/main.rs", options, script).await.unwrap();
    let text = project.text_after("src/main.rs", &outcome);
    assert_eq!(text, "fn main() {\n    let x: u32 = 42;\n    println!(\"{x}\");\n}\n");
}

#[tokio::test]
async fn the_models_line_counts_only_if_it_keeps_what_was_right() {
    let text =
        "fn main() {\n    let x: u32 = frobnicate_everything();\n    println!(\"{x}\");\n}\n";
    let project = Project::rust(text);
    let script = |answer: &str| Script {
        rules: vec![Rule { when: String::new(), answers: vec![answer.to_owned()] }],
        fim: true,
        ..Script::default()
    };
    let kept = script("let x: u32 = 42;");
    let outcome = project.fix_with("src/main.rs", Options::default(), kept).await.unwrap();
    assert_eq!(unproved(&outcome), text.replace("frobnicate_everything()", "42"));
    assert!(outcome.message.contains("(written by the model)"), "{}", outcome.message);
    // It would compile, too.
    let lost = script("let x = 1;");
    let outcome = project.fix_with("src/main.rs", Options::default(), lost).await.unwrap();
    assert!(!outcome.verified && outcome.proposal.is_empty(), "{outcome:#?}");
}

/// The text that `outcome` proposes and does not vouch for.
#[track_caller]
#[tokio::test]
async fn operands_of_two_number_types_are_converted() {
    let project = Project::rust(
        "fn main() {\n    let (a, b) = (3u32, 4usize);\n    println!(\"{}\", a * b);\n}\n",
    );
    let text = project.fixed("src/main.rs").await;
    assert!(text.contains("a * b as u32") || text.contains("a as usize * b"), "{text}");
}

#[tokio::test]
async fn the_effort_is_a_limit() {
    let project = Project::new(&[("m.py", "def f(:\n    ] [ ) (\n")]);
    let effort = Effort { checks: 3, ..Effort::default() };
    let outcome = project.fix("m.py", Options { effort, ..Options::default() }).await.unwrap();
    assert!(!outcome.verified);
    assert!(outcome.message.contains("candidates checked"), "{}", outcome.message);
    let tried = project.progress.lock().unwrap().iter().filter(|l| l.starts_with("trying")).count();
    assert!(tried >= 3, "{tried}");
}
