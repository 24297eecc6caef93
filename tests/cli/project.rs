//! A project in a temporary folder, and the program run in it with a home of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

/// A project; it is removed with its home when dropped.
pub(crate) struct Project {
    folder: tempfile::TempDir,
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Run {
    /// The one JSON object on standard output.
    pub(crate) fn json(&self) -> Json {
        assert_eq!(self.stdout.lines().count(), 1, "one line of JSON: {self:?}");
        let object: Json = serde_json::from_str(&self.stdout).expect("JSON on standard output");
        assert_eq!(object["schema"], 1, "{object}");
        object
    }
}

impl Project {
    /// A project of these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let project = Self { folder };
        std::fs::create_dir(project.root()).unwrap();
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// Its folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// A file of it.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Writes a file of it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The text of a file of it.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    /// A folder of the user's home.
    pub(crate) fn home(&self, path: &str) -> PathBuf {
        self.folder.path().join("home").join(path)
    }

    /// Writes a file of canned answers outside the project and returns the `--model` for it.
    pub(crate) fn script(&self, script: &Json) -> String {
        let path = self.folder.path().join("answers.json");
        std::fs::write(&path, script.to_string()).unwrap();
        format!("--model=scripted:{}", path.display())
    }

    /// A model that fills in `answers` and follows no instructions.
    pub(crate) fn filling(&self, answers: &[&str]) -> String {
        self.script(&json!({"rules": [{"answers": answers}]}))
    }

    /// A model that answers every instruction with `answer`.
    pub(crate) fn instructed(&self, answer: &str) -> String {
        self.script(&json!({
            "chat_template": "{% for m in messages %}{{ m.content }}\n{% endfor %}",
            "rules": [{"answers": [answer]}],
        }))
    }

    /// The program with `arguments`, run in the project.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
        command.args(arguments).current_dir(self.root());
        for (name, folder) in [
            ("HOME", ""),
            ("XDG_CONFIG_HOME", ".config"),
            ("XDG_CACHE_HOME", ".cache"),
            ("XDG_STATE_HOME", ".local/state"),
            ("XDG_DATA_HOME", ".local/share"),
        ] {
            command.env(name, self.home(folder));
        }
        // Rust lives in the real home; whatever else does must not leak in.
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            if let (None, Ok(home)) = (std::env::var_os(name), std::env::var("HOME")) {
                command.env(name, Path::new(&home).join(folder));
            }
        }
        for name in ["VIRTUAL_ENV", "OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE", "LLAMA_CACHE"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, "")
    }

    /// Runs the program with `input` on its standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Run {
        use std::io::Write;
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read its input closes it early.
        _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code().expect("ended by itself"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Makes it a git repository.
    pub(crate) fn git_init(&self) {
        self.git(&["init", "--quiet"], "");
    }

    /// Gives `diff` to the real `git apply`.
    pub(crate) fn git_apply(&self, diff: &str) {
        self.git(&["-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-"], diff);
    }

    fn git(&self, arguments: &[&str], input: &str) {
        use std::io::Write;
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(self.root())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CEILING_DIRECTORIES", self.folder.path())
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git is installed");
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}\n{input}");
    }
}
