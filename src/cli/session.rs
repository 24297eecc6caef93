//! What a command works with: the configuration, the file, its workspace and the model.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

#[cfg(not(unix))]
use super::failure;
use super::failure::Failure;
use super::output;
use super::progress::Progress;
use crate::check;
use crate::config::load::{Flags, Loaded, Sources};
use crate::config::{self, Config, places, prompts};
use crate::document::Document;
use crate::engine::device::{THREAD_VARIABLES, default_threads};
use crate::engine::{Engine, ModelInfo};
use crate::models::{self, Model, ModelError, Wanted};
use crate::task::{Tools, complete};
use crate::workspace::exclude::Exclusions;
use crate::workspace::{Workspace, secret};

/// The largest file a command works on, in bytes.
const MAX_SOURCE: u64 = 8 << 20;
/// How long a command waits for the index of a large workspace before it goes on without.
const INDEX_PATIENCE: Duration = Duration::from_secs(3);

/// A loaded model and a file of a workspace.
pub(super) struct Session {
    /// What tasks work with.
    pub(super) tools: Tools,
    /// The file.
    pub(super) document: Document,
    /// The model, and where it was found.
    pub(super) model: Model,
    /// The options.
    pub(super) config: Config,
    /// Time it took to load the model.
    pub(super) load_time: Duration,
    /// The line that says what is going on.
    pub(super) progress: Progress,
}

impl Session {
    /// Reads the file (or standard input in its place), the options and the model. `executes`
    /// says whether the command may run code of the project.
    pub(super) fn open(
        path: &Path,
        from_stdin: bool,
        flags: &Flags,
        executes: bool,
    ) -> Result<Self, Failure> {
        let absolute = std::path::absolute(path)
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        let workspace = Arc::new(Workspace::of_file(&absolute).with_cache(places::indexes()));
        let config = configuration(Some(workspace.root()), flags).config;
        workspace.exclude(Exclusions::new(&config.exclude));
        let excluded = workspace.relative(&absolute);
        if let Some(pattern) =
            excluded.and_then(|path| Some(workspace.exclusions().of(&path)?.to_owned()))
        {
            return Err(Failure::usage(format!(
                "{}: excluded by `{pattern}` (option `exclude`), so no model is shown it",
                path.display()
            )));
        }
        use_threads(&config)?;
        let document = document(path, absolute, from_stdin)?;
        let progress = Progress::start("loading the model");
        let indexed = index(&workspace);
        let opened = OpenModel::of(&config).inspect_err(|_| progress.end())?;
        progress.say("reading the workspace");
        if indexed.recv_timeout(INDEX_PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            progress.suspend(|| {
                output::say("agent: the workspace is large; going on before all of it is read");
            });
        }
        let tools = tools(&opened.engine, workspace, &config, executes, &progress)?;
        let OpenModel { model, load_time, .. } = opened;
        Ok(Self { tools, document, model, config, load_time, progress })
    }
}

/// A model that is loaded.
pub(super) struct OpenModel {
    /// It.
    pub(super) engine: Engine,
    /// Where it was found.
    pub(super) model: Model,
    /// Time it took.
    pub(super) load_time: Duration,
}

impl OpenModel {
    /// Loads the model of the configuration.
    pub(super) fn of(config: &Config) -> Result<Self, ModelError> {
        Self::open(&config.wanted_models(), config)
    }

    /// Loads a model by its name.
    pub(super) fn named(name: &str, config: &Config) -> Result<Self, ModelError> {
        let wanted = config.wanted_models();
        Self::open(&Wanted { model: Some(name.to_owned()), draft: None, ..wanted }, config)
    }

    fn open(wanted: &Wanted, config: &Config) -> Result<Self, ModelError> {
        let start = Instant::now();
        let (engine, model) = models::open(wanted, &config.engine_options())?;
        Ok(Self { engine, model, load_time: start.elapsed() })
    }
}

/// What tasks work with. `executes` says whether they may run code of the project.
pub(super) fn tools(
    engine: &Engine,
    workspace: Arc<Workspace>,
    config: &Config,
    executes: bool,
    progress: &Progress,
) -> Result<Tools, Failure> {
    Ok(Tools {
        engine: engine.clone(),
        workspace,
        templates: Arc::new(prompts::templates(config).map_err(Failure::usage)?),
        check: Arc::new(check_settings(config, executes)?),
        seed: config.seed,
        report: progress.report(),
    })
}

/// The options of a suggestion; the length of its prompt follows from the model's size, since nothing
/// is known of its speed yet.
pub(super) fn completion(config: &Config, info: &ModelInfo) -> complete::Options {
    let (guessed, _) = complete::pace(info).budget(config.complete.latency());
    config.complete.options(guessed)
}

/// The options for a workspace; problems in them are told, and the log starts as they say.
pub(super) fn configuration(workspace: Option<&Path>, flags: &Flags) -> Loaded {
    let loaded = config::load(&Sources::of_user(workspace, flags));
    for problem in &loaded.problems {
        output::say(&format!("agent: {problem}"));
    }
    start_log(&loaded.config.log);
    loaded
}

/// The options for the current folder.
pub(super) fn configuration_here(flags: &Flags) -> (Loaded, PathBuf) {
    let here = std::env::current_dir().unwrap_or_default();
    let root = Workspace::of_file(&here.join("agent.toml")).root().to_owned();
    (configuration(Some(&root), flags), root)
}

/// How checks run.
pub(super) fn check_settings(config: &Config, trusted: bool) -> Result<check::Settings, Failure> {
    let agent = std::env::current_exe()
        .map_err(|error| Failure::usage(format!("cannot find this program's own file: {error}")))?;
    Ok(check::Settings {
        agent,
        python: config.check.python.clone(),
        timeout: Duration::from_secs(config.check.timeout_seconds),
        cache: places::cache().unwrap_or_else(|| std::env::temp_dir().join("agent")),
        trusted,
    })
}

/// Starts this program anew when it runs with another number of CPU threads than the configuration
/// wants, or with none named: the tensor library takes that number from its environment, and where
/// it finds none there it counts the processor's cores again for every product.
pub(super) fn use_threads(config: &Config) -> Result<(), Failure> {
    let wanted = match config.threads {
        Some(threads) => threads,
        // Only to save time, so only where a process can become another one.
        None if cfg!(unix) && THREAD_VARIABLES.iter().all(|name| std::env::var(name).is_err()) => {
            default_threads()
        }
        None => return Ok(()),
    };
    let wanted = wanted.to_string();
    if THREAD_VARIABLES.iter().all(|name| std::env::var(name).is_ok_and(|value| value == wanted)) {
        return Ok(());
    }
    let cannot = |error| Failure::usage(format!("cannot start with {wanted} threads: {error}"));
    let mut again = std::process::Command::new(std::env::current_exe().map_err(cannot)?);
    again.args(std::env::args_os().skip(1));
    again.envs(THREAD_VARIABLES.map(|name| (name, &wanted)));
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        Err(cannot(again.exec()))
    }
    #[cfg(not(unix))]
    {
        let status = again.status().map_err(cannot)?;
        std::process::exit(status.code().unwrap_or_else(|| failure::USAGE.into()))
    }
}

/// The document of `path`, as named by the user, in messages.
fn document(path: &Path, absolute: PathBuf, from_stdin: bool) -> Result<Document, Failure> {
    if secret::leads_to_secret(&absolute) {
        return Err(Failure::usage(format!(
            "{}: its name, or that of the file it is a link to, says that it holds secrets, so it is never read",
            path.display()
        )));
    }
    let text = if from_stdin {
        text_of(std::io::stdin().lock(), MAX_SOURCE, "standard input")?
    } else {
        read(path)?
    };
    Ok(Document::new(absolute, None, 0, text))
}

fn read(path: &Path) -> Result<String, Failure> {
    let name = path.display().to_string();
    let io = |error: std::io::Error| Failure::usage(format!("{name}: {error}"));
    // Opening a named pipe would wait for somebody to write to it.
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        return Err(Failure::usage(format!("{name}: not a file")));
    }
    text_of(File::open(path).map_err(io)?, MAX_SOURCE, &name)
}

fn text_of(reader: impl Read, limit: u64, name: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    reader
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    if bytes.len() as u64 > limit {
        return Err(Failure::usage(format!("{name}: larger than {}", output::size(limit))));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::usage(format!("{name}: not UTF-8 text (byte {at})"))
    })
}

/// Starts reading the workspace on a thread of its own; the receiver hears of its end.
fn index(workspace: &Arc<Workspace>) -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel();
    let workspace = Arc::clone(workspace);
    std::thread::spawn(move || {
        workspace.build_index();
        // Nobody may be waiting any more.
        _ = sender.send(());
        workspace.save_index();
    });
    receiver
}

fn start_log(filter: &str) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|error| {
        output::say(&format!("agent: log: {error}"));
        EnvFilter::new("warn")
    });
    // Fails when a log has started already, which then goes on.
    _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
}
