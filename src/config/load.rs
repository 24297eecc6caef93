//! Defaults < user file < workspace file < editor < flags; bad values are reported with file and line, good ones kept.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::fields::Config;
use super::options::{Declaration, Origin};
use super::source::{self, Setting};
use super::value::Value;
use super::{places, trust};

/// The largest configuration file that is read, in bytes.
const MAX_FILE_SIZE: u64 = 1 << 20;

/// Values given on the command line, by option name.
pub type Flags = Vec<(&'static str, Value)>;

/// Where options come from.
#[derive(Debug, Clone)]
pub struct Sources<'a> {
    /// The user's file; need not exist.
    pub user_file: Option<PathBuf>,
    /// The workspace's folder, whose `agent.toml` need not exist.
    pub workspace: Option<&'a Path>,
    /// Whether the user trusts the workspace, so that its file may set everything.
    pub trusted: bool,
    /// The editor's settings.
    pub editor: Option<&'a serde_json::Value>,
    /// Command-line flags.
    pub flags: &'a [(&'static str, Value)],
}

impl<'a> Sources<'a> {
    /// The sources of this user for `workspace`, trusted if the user said so with `agent trust`.
    pub fn of_user(workspace: Option<&'a Path>, flags: &'a [(&'static str, Value)]) -> Self {
        Self {
            user_file: places::user_file(),
            workspace,
            trusted: workspace.is_some_and(trust::is_trusted),
            editor: None,
            flags,
        }
    }
}

/// What came of the sources.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The options in force.
    pub config: Config,
    /// What is wrong in the sources; the rest of them is in force.
    pub problems: Vec<Problem>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// Where each option that is not at its default was set: `agent.toml:3`, `--model`.
    pub origins: BTreeMap<&'static str, String>,
}

/// Something wrong in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, or what the source is called.
    pub place: String,
    /// One-based line, where the source has lines.
    pub line: Option<usize>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", place(&self.place, self.line))?;
        write!(f, ": {}", self.message)
    }
}

/// Reads every source. Never fails: problems are collected and what is valid is in force.
pub fn load(sources: &Sources<'_>) -> Loaded {
    let mut loaded = Loaded::default();
    if let Some(path) = &sources.user_file {
        loaded.file(path, None, false);
    }
    if let Some(root) = sources.workspace {
        let confined = (!sources.trusted).then_some(root);
        loaded.file(&root.join("agent.toml"), confined, true);
    }
    let here = std::env::current_dir().unwrap_or_default();
    if let Some(editor) = sources.editor {
        let name = "editor settings";
        let (settings, problems) = source::json(name, editor);
        loaded.problems.extend(problems);
        let folder = sources.workspace.unwrap_or(&here);
        loaded.apply(name, settings, Origin { folder, confined: None, of_workspace: false });
    }
    for (name, value) in sources.flags {
        let flag = Declaration::named(name).and_then(|option| option.flag).unwrap_or(name);
        let setting = Setting { name, value: value.clone(), line: None };
        loaded.apply(
            flag,
            vec![setting],
            Origin { folder: &here, confined: None, of_workspace: false },
        );
    }
    loaded
}

impl Loaded {
    /// Applies the file at `path`, if there is one.
    fn file(&mut self, path: &Path, confined: Option<&Path>, of_workspace: bool) {
        let name = path.display().to_string();
        let text = match read(path) {
            Ok(Some(text)) => text,
            Ok(None) => return,
            Err(message) => {
                self.problems.push(Problem { place: name, line: None, message });
                return;
            }
        };
        let (settings, problems) = source::toml(path, &text);
        self.problems.extend(problems);
        self.files.push(path.to_owned());
        let folder = path.parent().unwrap_or(Path::new("."));
        self.apply(&name, settings, Origin { folder, confined, of_workspace });
    }

    fn apply(&mut self, name: &str, settings: Vec<Setting>, origin: Origin<'_>) {
        for Setting { name: option, value, line } in settings {
            let Some(declaration) = Declaration::named(option) else { continue };
            match declaration.set(&mut self.config, &value, origin) {
                Ok(()) => {
                    self.origins.insert(declaration.name, place(name, line));
                }
                Err(message) => self.problems.push(Problem {
                    place: name.to_owned(),
                    line,
                    message: format!("{option}: {message}"),
                }),
            }
        }
    }
}

fn place(name: &str, line: Option<usize>) -> String {
    line.map_or_else(|| name.to_owned(), |line| format!("{name}:{line}"))
}

/// The text of a file; `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<String>, String> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let mut text = String::new();
    let read = std::fs::metadata(path).and_then(|metadata| {
        // A device in its place would never end, a named pipe not even open.
        if !metadata.is_file() {
            return Err(std::io::Error::other("not a regular file"));
        }
        File::open(path)?.take(MAX_FILE_SIZE + 1).read_to_string(&mut text)
    });
    match read {
        Ok(size) if size as u64 > MAX_FILE_SIZE => {
            Err(format!("larger than {MAX_FILE_SIZE} bytes, so not read"))
        }
        Ok(_) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files {
        folder: tempfile::TempDir,
        work: PathBuf,
    }

    impl Files {
        fn new(user: &str, workspace: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("work")).unwrap();
            std::fs::write(folder.path().join("user.toml"), user).unwrap();
            std::fs::write(folder.path().join("work/agent.toml"), workspace).unwrap();
            let work = folder.path().join("work");
            Self { folder, work }
        }

        fn load<'a>(&'a self, change: impl FnOnce(&mut Sources<'a>)) -> Loaded {
            let mut sources = Sources {
                user_file: Some(self.folder.path().join("user.toml")),
                workspace: Some(&self.work),
                trusted: false,
                editor: None,
                flags: &[],
            };
            change(&mut sources);
            load(&sources)
        }
    }

    #[test]
    fn the_nearer_source_wins() {
        let editor = serde_json::json!({"seed": 3});
        let flags = [("seed", Value::Integer(4))];
        let files = Files::new("seed = 1\nthreads = 1\nlog = \"off\"", "seed = 2\nthreads = 2");
        let loaded = files.load(|sources| sources.editor = Some(&editor));
        let Config { seed, threads, log, .. } = &loaded.config;
        assert_eq!((*seed, *threads, log.as_str()), (3, Some(2), "off"));
        let loaded = files.load(|sources| sources.flags = &flags);
        assert_eq!(loaded.config.seed, 4);
        assert_eq!(loaded.origins["seed"], "--seed");
        assert!(loaded.origins["threads"].ends_with("agent.toml:2"), "{:?}", loaded.origins);
        assert_eq!(loaded.files.len(), 2);
    }

    #[test]
    fn bad_values_are_reported_with_their_line_and_the_good_ones_used() {
        let files = Files::new("", "seed = 7\nthreads = \"many\"\nspeed = 1\n");
        let loaded = files.load(|_| {});
        assert_eq!((loaded.config.seed, loaded.config.threads), (7, None));
        let problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems.iter().any(|p| p.contains("agent.toml:3: unknown option speed")));
        assert!(problems.iter().any(|p| p.contains("agent.toml:2: threads: a text where")));
    }

    #[test]
    fn only_a_trusted_workspace_may_name_a_program() {
        let files = Files::new("", "check.python = \"bin/python\"");
        let loaded = files.load(|_| {});
        assert_eq!(loaded.config.check.python, None);
        assert!(loaded.problems[0].message.contains("not trusted"), "{:?}", loaded.problems);
        let loaded = files.load(|sources| sources.trusted = true);
        let python = files.folder.path().join("work/bin/python");
        assert_eq!(loaded.config.check.python, Some(python));
    }

    #[test]
    fn no_workspace_switches_on_what_the_user_switched_off() {
        let files = Files::new("stats = false", "stats = true");
        for trusted in [false, true] {
            let loaded = files.load(|sources| sources.trusted = trusted);
            assert!(!loaded.config.stats);
            let problem = loaded.problems[0].to_string();
            assert!(problem.contains("agent.toml:1: stats: ignored"), "{problem}");
        }
        let editor = serde_json::json!({"stats": true});
        assert!(files.load(|sources| sources.editor = Some(&editor)).config.stats);
    }

    #[cfg(unix)]
    #[test]
    fn a_named_pipe_in_place_of_the_file_does_not_hang() {
        let files = Files::new("", "");
        let path = files.work.join("agent.toml");
        std::fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let problems = files.load(|_| {}).problems;
        assert!(problems[0].message.contains("not a regular file"), "{problems:?}");
    }

    #[test]
    fn a_folder_in_place_of_the_file_is_a_problem_and_no_file_is_none() {
        let nowhere = Path::new("/nowhere/user.toml").to_owned();
        let files = Files::new("", "");
        std::fs::remove_file(files.folder.path().join("user.toml")).unwrap();
        std::fs::create_dir(files.folder.path().join("user.toml")).unwrap();
        assert_eq!(files.load(|_| {}).problems.len(), 1);
        let loaded = files.load(|sources| sources.user_file = Some(nowhere));
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    }
}
