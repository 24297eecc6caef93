//! Files that change under a running command, and Ctrl-C: nothing of the user's is lost.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::json;

use super::project::Project;

const CODE: &str = "def add(a, b):\n    return a\n";

/// A project, and a rewrite of its file under way by a model that takes long.
fn rewriting() -> (Project, Child) {
    let project = Project::new(&[("a.py", CODE), ("agent.toml", "log = \"agent::cli=info\"\n")]);
    let model = project.script(&json!({
        "chat_template": "{% for m in messages %}{{ m.content }}\n{% endfor %}",
        "delay_ms": 100,
        "rules": [{"answers": ["```python\ndef add(a, b):\n    return a + b\n```"]}],
    }));
    let mut command = project.command(&["rewrite", "a.py:add", "add both", "--apply", &model]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("working") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "ended before it worked");
    }
    // Goes on reading, so that the program does not stop at a full pipe.
    std::thread::spawn(move || stderr.lines().map_while(Result::ok).for_each(drop));
    (project, child)
}

#[test]
fn a_file_that_changed_meanwhile_is_not_overwritten() {
    let (project, child) = rewriting();
    project.write("a.py", "# the user goes on typing\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(project.read("a.py"), "# the user goes on typing\n");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_work_and_leaves_the_file_alone() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let (project, child) = rewriting();
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(project.read("a.py"), CODE);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_written_is_not() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new(&[("a.py", CODE)]);
    std::fs::set_permissions(project.path("a.py"), PermissionsExt::from_mode(0o444)).unwrap();
    let model = project.instructed("```python\ndef add(a, b):\n    return a + b\n```");
    let run = project.run(&["rewrite", "a.py:add", "add both", "--apply", &model]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("a.py: the file is read-only"), "{run:?}");
    assert_eq!(project.read("a.py"), CODE);
}
