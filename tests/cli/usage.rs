//! Exit codes and messages when something about the command line or the machine is wrong.

use super::project::Project;

const CODE: &str = "fn first() -> u32 {\n    1\n}\n";

fn project() -> Project {
    Project::new(&[("a.rs", CODE)])
}

#[test]
fn help_and_version_are_answers() {
    let project = project();
    let help = project.run(&["--help"]);
    assert_eq!(help.code, 0, "{help:?}");
    for command in
        ["complete", "explain", "doc", "test", "fix", "rewrite", "doctor", "bench", "stats", "lsp"]
    {
        assert!(help.stdout.contains(command), "{command} is not in the help");
        assert_eq!(project.run(&[command, "--help"]).code, 0, "{command} --help");
    }
    assert!(project.run(&["--version"]).stdout.starts_with("agent "));
}

#[test]
fn every_flag_that_an_option_names_is_taken() {
    let help = project().run(&["complete", "--help"]).stdout;
    for flag in agent::config::options::OPTIONS.iter().filter_map(|option| option.flag) {
        assert!(help.contains(flag), "agent complete has no {flag}");
    }
}

#[test]
fn what_is_wrong_with_the_command_line_is_said_with_exit_code_2() {
    let project = project();
    let model = project.filling(&[" + 1"]);
    for (arguments, said) in [
        (vec![], "Usage"),
        (vec!["frobnicate"], "frobnicate"),
        (vec!["complete"], "FILE:LINE:COL"),
        (vec!["complete", "a.rs"], "write FILE:LINE:COL"),
        (vec!["complete", "a.rs:2"], "write FILE:LINE:COL"),
        (vec!["complete", "a.rs:0:1"], "count from 1"),
        (vec!["complete", "a.rs:9:1"], "a.rs:9: the file has 4 lines"),
        (vec!["complete", "a.rs:2:9"], "a.rs:2:9: the line has 5 characters"),
        (vec!["complete", "none.rs:1:1"], "none.rs: "),
        (vec!["complete", "a.rs:1:1", "-n", "0"], "0 is not in 1..=16"),
        (vec!["complete", "a.rs:1:1", "--device", "tpu"], "tpu"),
        (vec!["complete", ".env:1:1"], "secrets"),
        (vec!["explain", "none.rs"], "none.rs: "),
        (vec!["fix", "a.rs:first"], "name a line of the file"),
        (vec!["fix", "a.rs", "--apply", "--stdin"], "cannot be used with"),
        (vec!["fix", "a.rs", "--test", ""], "there is no command in it"),
        (vec!["fix", "a.rs", "--check", " "], "there is no command in it"),
        (vec!["rewrite", "a.rs:1"], "INSTRUCTION"),
        (vec!["trust"], "--list"),
        (vec!["trust", "none"], "none: "),
    ] {
        let run = project.run(&[arguments.as_slice(), &[]].concat());
        assert_eq!(run.code, 2, "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(said), "{arguments:?}: {said} is not in {}", run.stderr);
        assert_eq!(run.stdout, "", "{arguments:?}");
    }
    assert_eq!(project.run(&["complete", "a.rs:2:6", &model]).code, 0);
}

#[test]
fn files_that_are_no_text_are_refused() {
    let project = project();
    std::fs::write(project.path("binary.rs"), [b'a', 0xff, 0xfe]).unwrap();
    let run = project.run(&["complete", "binary.rs:1:1"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("binary.rs: not UTF-8 text (byte 1)"), "{}", run.stderr);
    std::fs::create_dir(project.path("folder.rs")).unwrap();
    let run = project.run(&["complete", "folder.rs:1:1"]);
    assert!(run.code == 2 && run.stderr.contains("folder.rs: not a file"), "{run:?}");
}

#[cfg(unix)]
#[test]
fn links_to_secrets_and_named_pipes_are_refused_before_they_are_opened() {
    let project = project();
    let model = project.filling(&["x"]);
    project.write(".env", "PASSWORD=1\n");
    project.write(".ssh/notes.py", "x = 1\n");
    std::os::unix::fs::symlink(".env", project.path("plain.txt")).unwrap();
    std::os::unix::fs::symlink(".ssh", project.path("shell")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(project.path("pipe.py")).status();
    assert!(pipe.unwrap().success());
    for (place, said) in [
        ("plain.txt:1:2", "holds secrets"),
        ("shell/notes.py:1:2", "holds secrets"),
        ("pipe.py:1:1", "pipe.py: not a file"),
    ] {
        for command in ["complete", "explain"] {
            let run = project.run(&[command, place, &model]);
            assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{command} {place}: {run:?}");
            assert!(run.stderr.contains(said), "{command} {place}: {run:?}");
        }
    }
}

#[test]
fn models_that_cannot_be_used_are_refused_by_name() {
    let project = project();
    project.write("broken.gguf", "GGUF and nothing else");
    project.write("answers.json", "{\"rules\": 1}");
    for (model, said) in [
        ("none.gguf", "none.gguf"),
        ("no-such-model", "model no-such-model: not found; `agent model list`"),
        ("broken.gguf", "broken.gguf"),
        ("scripted:answers.json", "answers.json: "),
    ] {
        let run = project.run(&["complete", "a.rs:2:5", "--model", model]);
        assert_eq!(run.code, 2, "{model}: {run:?}");
        assert!(run.stderr.contains(said), "{model}: {}", run.stderr);
    }
}

#[test]
fn failures_are_json_where_json_is_asked_for() {
    let project = project();
    for arguments in [
        vec!["complete", "--json"],
        vec!["complete", "a.rs:9:1", "--json"],
        vec!["explain", "none.rs", "--json"],
        vec!["fix", "a.rs", "--model", "none.gguf", "--json"],
    ] {
        let run = project.run(&arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {run:?}");
        let object = run.json();
        assert_eq!(object["exit_code"], 2);
        assert!(!object["error"].as_str().unwrap().is_empty(), "{object}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    use std::process::Stdio;
    let project = project();
    let mut command = project.command(&["config", "--docs"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
