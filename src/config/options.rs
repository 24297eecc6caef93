//! The options: one table that the loader, the documentation and the schema are made from.

mod table;

use std::path::{Path, PathBuf};

use super::fields::Config;
use super::value::Value;
use crate::engine::{DeviceChoice, EnginePath, KvFormat};
use crate::task::complete::Passes;
use crate::workspace::exclude::Exclusions;
pub use table::OPTIONS;

/// Who may set an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Any source.
    Anywhere,
    /// In a workspace that is not trusted, only values that stay inside it.
    Inside,
    /// Nothing in a workspace that is not trusted.
    Trusted,
    /// The user alone: nothing in a workspace, trusted or not.
    User,
}

/// What values an option takes and where they go.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Any text.
    Text(fn(&mut Config) -> &mut String),
    /// A model: a path, a name, or one of the words of [`crate::models::resolve`].
    Model(fn(&mut Config) -> &mut Option<String>),
    /// A file or folder; relative paths start at the file that names it.
    Path(fn(&mut Config) -> &mut Option<PathBuf>),
    /// Several files or folders.
    Paths(fn(&mut Config) -> &mut Vec<PathBuf>),
    /// Several words.
    Words(fn(&mut Config) -> &mut Vec<String>),
    /// Names of passes over a completion: those that are off.
    PassesOff(fn(&mut Config) -> &mut Passes),
    /// Patterns of files, as lines of a `.gitignore`; each source adds to those before it.
    Patterns(fn(&mut Config) -> &mut Vec<String>),
    /// A whole number from the first to the second.
    Count(usize, usize, fn(&mut Config) -> &mut usize),
    /// The same, with no number by default.
    OptionalCount(usize, usize, fn(&mut Config) -> &mut Option<usize>),
    /// The same, or `auto`.
    AutoCount(usize, usize, fn(&mut Config) -> &mut Option<usize>),
    /// The same for numbers of 64 bits.
    Number(u64, u64, fn(&mut Config) -> &mut u64),
    /// `true` or `false`.
    Bool(fn(&mut Config) -> &mut bool),
    /// The name of a device.
    Device(fn(&mut Config) -> &mut DeviceChoice),
    /// The name of what computes on the CPU.
    Engine(fn(&mut Config) -> &mut EnginePath),
    /// The name of a format of keys and values.
    KvFormat(fn(&mut Config) -> &mut KvFormat),
}

/// One option.
pub struct Declaration {
    /// Its name in `agent.toml`, with dots.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What the default means where it has no value: `built in`.
    pub unset: &'static str,
    /// What it does: one sentence or a few, Markdown.
    pub doc: &'static str,
    /// The command-line flag that sets it, if one does.
    pub flag: Option<&'static str>,
    /// Who may set it.
    pub scope: Scope,
}

/// Names of devices, in the order in which the documentation lists them.
pub const DEVICES: [(&str, DeviceChoice); 4] = [
    ("auto", DeviceChoice::Auto),
    ("cpu", DeviceChoice::Cpu),
    ("cuda", DeviceChoice::Cuda),
    ("metal", DeviceChoice::Metal),
];

/// Names of what computes on the CPU, in the order in which the documentation lists them.
pub const ENGINES: [(&str, EnginePath); 3] =
    [("auto", EnginePath::Auto), ("cpu", EnginePath::Cpu), ("candle", EnginePath::Candle)];

/// Names of the formats of keys and values.
pub const KV_FORMATS: [(&str, KvFormat); 2] = [("f16", KvFormat::F16), ("q8_0", KvFormat::Q8_0)];

/// What a value is checked against when a source sets an option.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    /// Folder at which relative paths start.
    pub folder: &'a Path,
    /// Folder that values of [`Scope::Inside`] must stay in and that may set nothing of
    /// [`Scope::Trusted`]; `None` for sources that may set anything.
    pub confined: Option<&'a Path>,
    /// Whether it is a workspace's own file, which may set nothing of [`Scope::User`].
    pub of_workspace: bool,
}

impl Declaration {
    /// The option of that name.
    pub fn named(name: &str) -> Option<&'static Declaration> {
        OPTIONS.iter().find(|option| option.name == name)
    }

    /// Sets the option; on an error, which says what is wrong and what would be right, the config
    /// is as it was.
    pub fn set(
        &self,
        config: &mut Config,
        value: &Value,
        origin: Origin<'_>,
    ) -> Result<(), String> {
        if let (Scope::Trusted, Some(root)) = (self.scope, origin.confined) {
            return Err(format!(
                "ignored, since the workspace is not trusted; run `agent trust {}`",
                root.display()
            ));
        }
        if self.scope == Scope::User && origin.of_workspace {
            return Err("ignored, since only you decide on it: set it in your own agent.toml or \
                        in the editor's settings"
                .to_owned());
        }
        let path = |text: &str| self.path(text, origin);
        match (self.kind, value) {
            (Kind::Model(_) | Kind::Path(_), Value::Text(text)) if text.trim().is_empty() => {
                return Err("is empty; leave the option out for its default".to_owned());
            }
            (Kind::Text(place), Value::Text(text)) => place(config).clone_from(text),
            (Kind::Model(place), Value::Text(text)) => {
                *place(config) = Some(self.model(text, origin)?);
            }
            (Kind::Path(place), Value::Text(text)) => *place(config) = Some(path(text)?),
            (Kind::Paths(place), Value::List(values)) => {
                let paths = values.iter().map(|value| match value {
                    Value::Text(text) => path(text),
                    other => Err(format!("a {} stands among the paths", other.type_name())),
                });
                *place(config) = paths.collect::<Result<_, _>>()?;
            }
            (Kind::Words(place), Value::List(values)) => *place(config) = words(values)?,
            (Kind::PassesOff(place), Value::List(values)) => {
                *place(config) = Passes::without(words(values)?.iter().map(String::as_str))?;
            }
            (Kind::Patterns(place), Value::List(values)) => {
                // One that is wrong must not make those beside it show what they hide.
                let mut problems = Vec::new();
                for value in values {
                    match pattern(value, origin) {
                        Ok(pattern) if place(config).contains(&pattern) => {}
                        Ok(pattern) => place(config).push(pattern),
                        Err(problem) => problems.push(problem),
                    }
                }
                if !problems.is_empty() {
                    return Err(problems.join("; "));
                }
            }
            (Kind::AutoCount(_, _, place), Value::Text(text)) if text == "auto" => {
                *place(config) = None;
            }
            (Kind::AutoCount(least, most, place), Value::Integer(number)) => {
                *place(config) = Some(within(*number, least as u64, most as u64)? as usize);
            }
            (Kind::Count(least, most, place), Value::Integer(number)) => {
                *place(config) = within(*number, least as u64, most as u64)? as usize;
            }
            (Kind::OptionalCount(least, most, place), Value::Integer(number)) => {
                *place(config) = Some(within(*number, least as u64, most as u64)? as usize);
            }
            (Kind::Number(least, most, place), Value::Integer(number)) => {
                *place(config) = within(*number, least, most)?;
            }
            (Kind::Bool(place), Value::Bool(truth)) => *place(config) = *truth,
            (Kind::Device(place), Value::Text(text)) => *place(config) = named(&DEVICES, text)?,
            (Kind::Engine(place), Value::Text(text)) => *place(config) = named(&ENGINES, text)?,
            (Kind::KvFormat(place), Value::Text(text)) => {
                *place(config) = named(&KV_FORMATS, text)?;
            }
            (kind, value) => {
                return Err(format!("a {} where a {} is wanted", value.type_name(), kind.wanted()));
            }
        }
        Ok(())
    }

    /// The option's value in `config`; `None` where it has none.
    pub fn get(&self, config: &Config) -> Option<Value> {
        // The places are reached through `&mut`, so that each is declared once.
        let mut config = config.clone();
        let config = &mut config;
        let text = |path: &PathBuf| Value::Text(path.display().to_string());
        match self.kind {
            Kind::Text(place) => Some(Value::Text(place(config).clone())),
            Kind::Model(place) => place(config).clone().map(Value::Text),
            Kind::Path(place) => place(config).as_ref().map(text),
            Kind::Paths(place) => Some(Value::List(place(config).iter().map(text).collect())),
            Kind::Count(_, _, place) => Some(Value::Integer(*place(config) as i64)),
            Kind::OptionalCount(_, _, place) => place(config).map(|n| Value::Integer(n as i64)),
            Kind::AutoCount(_, _, place) => Some(match *place(config) {
                Some(number) => Value::Integer(number as i64),
                None => Value::Text("auto".to_owned()),
            }),
            Kind::Words(place) | Kind::Patterns(place) => {
                Some(Value::List(place(config).iter().cloned().map(Value::Text).collect()))
            }
            Kind::PassesOff(place) => Some(Value::List(
                place(config).off().map(|name| Value::Text(name.to_owned())).collect(),
            )),
            Kind::Number(_, _, place) => Some(Value::Integer(*place(config) as i64)),
            Kind::Bool(place) => Some(Value::Bool(*place(config))),
            Kind::Device(place) => name_of(&DEVICES, *place(config)),
            Kind::Engine(place) => name_of(&ENGINES, *place(config)),
            Kind::KvFormat(place) => name_of(&KV_FORMATS, *place(config)),
        }
    }

    /// A path, made absolute and kept inside where it must be.
    fn path(&self, text: &str, origin: Origin<'_>) -> Result<PathBuf, String> {
        let path = match (text.strip_prefix("~/"), origin.confined) {
            (Some(rest), None) => super::places::home().unwrap_or_default().join(rest),
            _ => origin.folder.join(text),
        };
        match origin.confined {
            Some(root) if self.scope == Scope::Inside && !lies_inside(&path, root) => Err(format!(
                "{text}: outside the workspace, which is not trusted; run `agent trust {}`",
                root.display()
            )),
            _ => Ok(path),
        }
    }

    /// A model: names stay as they are, paths are made absolute.
    fn model(&self, text: &str, origin: Origin<'_>) -> Result<String, String> {
        let absolute = |path: &str| self.path(path, origin).map(|path| path.display().to_string());
        if let Some(script) = text.strip_prefix("scripted:") {
            return Ok(format!("scripted:{}", absolute(script)?));
        }
        let ends_like_a_file =
            Path::new(text).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"));
        if ends_like_a_file || text.starts_with(['.', '/', '\\', '~']) {
            return absolute(text);
        }
        // A name that is also a path would be opened as one.
        let may_be_a_path = text.contains(['/', '\\']) && origin.folder.join(text).exists();
        if may_be_a_path { absolute(text) } else { Ok(text.to_owned()) }
    }
}

impl Kind {
    /// What is wanted, for messages: `whole number`.
    pub fn wanted(self) -> &'static str {
        match self {
            Self::Text(_)
            | Self::Model(_)
            | Self::Path(_)
            | Self::Device(_)
            | Self::Engine(_)
            | Self::KvFormat(_) => "text",
            Self::Paths(_) | Self::Words(_) | Self::PassesOff(_) | Self::Patterns(_) => {
                "list of texts"
            }
            Self::AutoCount(..) => "whole number or `auto`",
            Self::Count(..) | Self::OptionalCount(..) | Self::Number(..) => "whole number",
            Self::Bool(_) => "truth value",
        }
    }
}

/// A pattern of what is left out.
fn pattern(value: &Value, origin: Origin<'_>) -> Result<String, String> {
    let Value::Text(pattern) = value else {
        return Err(format!("a {} stands among the texts", value.type_name()));
    };
    Exclusions::check(pattern)?;
    match origin.confined {
        Some(root) if pattern.starts_with('!') => Err(format!(
            "{pattern}: a workspace that is not trusted brings back nothing; run `agent trust {}`",
            root.display()
        )),
        _ => Ok(pattern.clone()),
    }
}

fn words(values: &[Value]) -> Result<Vec<String>, String> {
    let words = values.iter().map(|value| match value {
        Value::Text(text) => Ok(text.clone()),
        other => Err(format!("a {} stands among the texts", other.type_name())),
    });
    words.collect()
}

fn within(number: i64, least: u64, most: u64) -> Result<u64, String> {
    let fits = u64::try_from(number).ok().filter(|number| (least..=most).contains(number));
    fits.ok_or_else(|| format!("{number} is not between {least} and {most}"))
}

/// The choice of that name.
fn named<T: Copy>(choices: &[(&str, T)], name: &str) -> Result<T, String> {
    let found = choices.iter().find(|(known, _)| *known == name);
    found.map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        format!("{name} is none of {}", names.join(", "))
    })
}

fn name_of<T: Copy + PartialEq>(choices: &[(&str, T)], choice: T) -> Option<Value> {
    let found = choices.iter().find(|(_, known)| *known == choice);
    found.map(|(name, _)| Value::Text((*name).to_owned()))
}

/// Whether `path` lies below `root` once links and `..` are resolved. A path whose last parts do
/// not exist is judged by its nearest folder that does, and must not climb from there.
fn lies_inside(path: &Path, root: &Path) -> bool {
    let Ok(root) = root.canonicalize() else { return false };
    let mut rest = Vec::new();
    let mut existing = path;
    loop {
        if let Ok(found) = existing.canonicalize() {
            let climbs = rest.iter().any(|part| *part == "..");
            return !climbs && found.starts_with(&root);
        }
        match (existing.parent(), existing.components().next_back()) {
            (Some(parent), Some(last)) => {
                rest.push(last.as_os_str());
                existing = parent;
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, value: &Value, origin: Origin<'_>) -> Result<Config, String> {
        let mut config = Config::default();
        Declaration::named(name).unwrap().set(&mut config, value, origin).map(|()| config)
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn every_option_gives_back_what_was_set_and_no_two_share_a_place() {
        let folder = tempfile::tempdir().unwrap();
        let free = Origin { folder: folder.path(), confined: None, of_workspace: false };
        let mut config = Config::default();
        let mut expected = Vec::new();
        for (index, option) in OPTIONS.iter().enumerate() {
            let path = folder.path().join(option.name).display().to_string();
            let value = match option.kind {
                Kind::Text(_) | Kind::Model(_) => text(option.name),
                Kind::Path(_) => text(&path),
                Kind::Paths(_) => Value::List(vec![text(&path)]),
                Kind::Words(_) | Kind::Patterns(_) => Value::List(vec![text(option.name)]),
                Kind::PassesOff(_) => Value::List(vec![text("stop"), text("gate")]),
                Kind::Count(least, ..)
                | Kind::OptionalCount(least, ..)
                | Kind::AutoCount(least, ..) => Value::Integer((least + index) as i64),
                Kind::Number(least, ..) => Value::Integer((least + index as u64) as i64),
                Kind::Bool(_) => Value::Bool(false),
                Kind::Device(_) | Kind::Engine(_) => text("cpu"),
                Kind::KvFormat(_) => text("q8_0"),
            };
            option.set(&mut config, &value, free).unwrap();
            expected.push(value);
        }
        for (option, value) in OPTIONS.iter().zip(expected) {
            assert_eq!(option.get(&config), Some(value), "{}", option.name);
        }
    }

    #[test]
    fn a_wrong_type_or_size_is_said_and_changes_nothing() {
        let free = Origin { folder: Path::new("/"), confined: None, of_workspace: false };
        let error = |name, value: Value| set(name, &value, free).unwrap_err();
        assert_eq!(error("threads", text("2")), "a text where a whole number is wanted");
        assert_eq!(
            error("complete.context_tokens", text("all")),
            "a text where a whole number or `auto` is wanted"
        );
        let unknown = error("complete.passes_off", Value::List(vec![text("parser")]));
        assert!(unknown.starts_with("parser is none of characters, "), "{unknown}");
        assert!(error("exclude", Value::List(vec![text("a[")])).starts_with("a[: "));
        assert!(error("model", text("")).starts_with("is empty"));
        assert_eq!(error("threads", Value::Integer(0)), "0 is not between 1 and 1024");
        assert_eq!(error("seed", Value::Integer(-1)).split(' ').next(), Some("-1"));
        assert_eq!(error("device", text("tpu")), "tpu is none of auto, cpu, cuda, metal");
    }

    #[test]
    fn a_workspace_without_trust_cannot_name_a_program_or_leave_its_folder() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("models")).unwrap();
        let confined =
            Origin { folder: root.path(), confined: Some(root.path()), of_workspace: true };
        assert!(set("check.python", &text("evil"), confined).unwrap_err().contains("agent trust"));
        for outside in ["/etc/passwd.gguf", "../x.gguf", "models/../../x.gguf", "scripted:/x.json"]
        {
            let error = set("model", &text(outside), confined).unwrap_err();
            assert!(error.contains("outside the workspace"), "{outside}: {error}");
        }
        for outside in ["~", "~/models"] {
            let outside = Value::List(vec![text(outside)]);
            let inside = set("models.directories", &outside, confined).unwrap();
            assert!(inside.models.directories[0].starts_with(root.path()), "taken literally");
        }
        let back = Value::List(vec![text("!.env.rs")]);
        assert!(set("exclude", &back, confined).unwrap_err().contains("agent trust"));
        let gate = Value::List(vec![text("gate")]);
        assert!(set("complete.passes_off", &gate, confined).unwrap_err().contains("agent trust"));
        let error = set("prompts.directory", &text("prompts"), confined).unwrap_err();
        assert!(error.contains("agent trust"), "{error}");
        let config = set("model", &text("models/a.gguf"), confined).unwrap();
        assert_eq!(config.model, Some(root.path().join("models/a.gguf").display().to_string()));
        assert_eq!(set("model", &text("coder:7b"), confined).unwrap().model.unwrap(), "coder:7b");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_out_of_the_workspace() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/", root.path().join("door")).unwrap();
        let confined =
            Origin { folder: root.path(), confined: Some(root.path()), of_workspace: true };
        for outside in ["door/tmp", "door/nowhere/at/all"] {
            let outside = Value::List(vec![text(outside)]);
            assert!(set("models.directories", &outside, confined).is_err());
        }
    }
}
