//! The options in force, as the program reads them.

use std::path::PathBuf;
use std::time::Duration;

use super::places;
use crate::engine::{CacheOptions, DeviceChoice, EngineOptions, EnginePath, KvFormat};
use crate::models;
use crate::task::complete;
use crate::task::suggest::plan::Allowed;

/// The options in force. Its `Default` holds the defaults, and nothing else does.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Model to use; `None` is the built-in one.
    pub model: Option<String>,
    /// Smaller model that drafts for it.
    pub draft_model: Option<String>,
    /// About finding models.
    pub models: Models,
    /// Device to run on.
    pub device: DeviceChoice,
    /// What computes on the CPU.
    pub engine: EnginePath,
    /// CPU threads; `None` means physical cores.
    pub threads: Option<usize>,
    /// Seed of the sampler.
    pub seed: u64,
    /// About completion.
    pub complete: Complete,
    /// About what is kept of earlier prompts.
    pub cache: Cache,
    /// About checks.
    pub check: Check,
    /// About task prompts.
    pub prompts: Prompts,
    /// What no model is shown, as lines of a `.gitignore`.
    pub exclude: Vec<String>,
    /// Whether suggestions are counted, on this machine alone.
    pub stats: bool,
    /// Which log messages go to standard error.
    pub log: String,
}

/// About finding models.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Models {
    /// More folders with GGUF files.
    pub directories: Vec<PathBuf>,
}

/// About completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complete {
    /// Whether editors get suggestions at all.
    pub enabled: bool,
    /// How many candidates are sampled.
    pub candidates: usize,
    /// Longest suggestion in tokens.
    pub max_tokens: usize,
    /// Tokens for the prompt; `None` means as many as the model reads in time.
    pub context_tokens: Option<usize>,
    /// Time in which a model is to have read a prompt of which it knows nothing, in milliseconds.
    pub latency_ms: u64,
    /// Whether suggestions may have several lines.
    pub multi_line: bool,
    /// Longest time for a suggestion while somebody types, in milliseconds.
    pub limit_ms: u64,
    /// Whether the suggestion after the one that is shown is looked for beforehand.
    pub ahead: bool,
    /// Other programs' ghost text that ours gives way to.
    pub give_way: Vec<String>,
    /// The languages that get suggestions, or with `!` those that do not.
    pub languages: Vec<String>,
    /// What is done to an answer before it is shown.
    pub passes: complete::Passes,
}

impl Complete {
    /// Time in which a model is to have read a prompt of which it knows nothing.
    pub fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms)
    }

    /// What suggestions may cost.
    pub fn allowed(&self) -> Allowed {
        Allowed {
            candidates: self.candidates,
            max_tokens: self.max_tokens,
            limit: Duration::from_millis(self.limit_ms),
        }
    }

    /// Whether ours stays silent beside the ghost text of `others`.
    pub fn gives_way(&self, others: &[String]) -> bool {
        let listed = |other: &String| {
            self.give_way.iter().any(|name| name == "*" || name.eq_ignore_ascii_case(other))
        };
        others.iter().any(listed)
    }

    /// What is asked for one suggestion, with `fitting` tokens for its prompt unless a number is
    /// set.
    pub fn options(&self, fitting: usize) -> complete::Options {
        complete::Options {
            candidates: self.candidates,
            max_tokens: self.max_tokens,
            context_tokens: self.context_tokens.unwrap_or(fitting),
            multi_line: self.multi_line,
            passes: self.passes,
            ..complete::Options::default()
        }
    }

    /// Whether documents of the language that editors call `name` get suggestions.
    pub fn wants(&self, name: &str) -> bool {
        let same = |listed: &str| listed.eq_ignore_ascii_case(name);
        let refused = |listed: &String| listed.strip_prefix('!').is_some_and(same);
        let mut named = self.languages.iter().filter(|listed| !listed.starts_with('!')).peekable();
        let any = named.peek().is_none() || named.any(|listed| same(listed) || listed == "*");
        any && !self.languages.iter().any(refused)
    }
}

/// About what is kept of earlier prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// Memory for it, in MiB.
    pub memory_mib: usize,
    /// What keys and values are kept as.
    pub format: KvFormat,
    /// Whether known text behind an edit is moved instead of evaluated anew.
    pub reuse_shifted: bool,
    /// Whether some of it is saved for the next run of the program.
    pub save: bool,
}

/// About checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Longest time one command may take, in seconds.
    pub timeout_seconds: u64,
    /// Python to use instead of the one found.
    pub python: Option<PathBuf>,
}

/// About task prompts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prompts {
    /// Folder whose `NAME.md` files replace the task prompts of the same name.
    pub directory: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: None,
            draft_model: None,
            models: Models::default(),
            device: DeviceChoice::Auto,
            engine: EnginePath::Auto,
            threads: None,
            seed: 0,
            complete: Complete {
                enabled: true,
                candidates: 1,
                max_tokens: 64,
                context_tokens: None,
                latency_ms: 1000,
                multi_line: true,
                limit_ms: 1500,
                ahead: true,
                give_way: Vec::new(),
                languages: Vec::new(),
                passes: complete::Passes::default(),
            },
            cache: Cache {
                memory_mib: 1024,
                format: KvFormat::F16,
                reuse_shifted: false,
                save: false,
            },
            check: Check { timeout_seconds: 600, python: None },
            prompts: Prompts::default(),
            exclude: Vec::new(),
            stats: true,
            log: "warn".to_owned(),
        }
    }
}

impl Config {
    /// Which models to use.
    pub fn wanted_models(&self) -> models::Wanted {
        models::Wanted {
            model: self.model.clone(),
            draft: self.draft_model.clone(),
            directories: self.models.directories.clone(),
        }
    }

    /// What the engine needs of it.
    pub fn engine_options(&self) -> EngineOptions {
        let folder = places::cache().filter(|_| self.cache.save);
        EngineOptions {
            device: self.device,
            path: self.engine,
            threads: self.threads,
            kv_format: self.cache.format,
            cache: CacheOptions {
                most_bytes: self.cache.memory_mib << 20,
                reuse_shifted: self.cache.reuse_shifted,
                folder: folder.map(|folder| folder.join("prefixes")),
                ..CacheOptions::default()
            },
            ..EngineOptions::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_switched_on_by_name_or_off_with_a_mark() {
        let wants = |listed: &[&str], name: &str| {
            let mut complete = Config::default().complete;
            complete.languages = listed.iter().map(|name| (*name).to_owned()).collect();
            complete.wants(name)
        };
        assert!(wants(&[], "rust") && wants(&["rust", "python"], "Rust") && wants(&["*"], "lua"));
        assert!(!wants(&["rust"], "lua") && !wants(&["!lua"], "lua") && wants(&["!lua"], "rust"));
        assert!(!wants(&["*", "!lua"], "lua") && !wants(&["rust", "!rust"], "rust"));
    }

    #[test]
    fn ours_gives_way_to_those_that_are_named_or_to_all() {
        let gives_way = |listed: &[&str], others: &[&str]| {
            let owned =
                |names: &[&str]| -> Vec<String> { names.iter().map(|n| (*n).into()).collect() };
            let complete = Complete { give_way: owned(listed), ..Config::default().complete };
            complete.gives_way(&owned(others))
        };
        assert!(gives_way(&["copilot"], &["Copilot"]) && gives_way(&["*"], &["codeium"]));
        assert!(!gives_way(&[], &["copilot"]) && !gives_way(&["*"], &[]));
        assert!(!gives_way(&["copilot"], &["codeium"]));
    }
}
