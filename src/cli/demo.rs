//! `agent demo`: complete, explain, fix and test on a small sample project, by the same functions
//! that serve an editor.

mod sample;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::arguments::ModelArgs;
use super::change;
use super::failure::{self, Failure};
use super::output::answer;
use super::progress::{self, Progress};
use super::session::{self, OpenModel};
use crate::check::CheckError;
use crate::config::Config;
use crate::document::Document;
use crate::edit::apply;
use crate::task::target::Target;
use crate::task::{self, Outcome, TaskError, Tools};
use crate::workspace::Workspace;
use sample::Hole;

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Works on a copy of the sample in a temporary folder, which is removed afterwards, with everything that \
checks build there. The compiler and the tests run in the sandbox, as they do for `agent fix`.")]
pub(super) struct Args {
    #[command(flatten)]
    model: ModelArgs,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let loaded = session::configuration(None, &args.model.flags());
    session::use_threads(&loaded.config)?;
    let start = Instant::now();
    let folder =
        tempfile::Builder::new().prefix("agent-demo-").tempdir().map_err(Failure::usage)?;
    // Compilers print the real path.
    let root = folder.path().canonicalize().map_err(Failure::usage)?;
    sample::write(&root).map_err(|error| Failure::usage(format!("{}: {error}", root.display())))?;
    let progress = Progress::start("loading the model");
    let opened = OpenModel::of(&loaded.config).inspect_err(|_| progress.end())?;
    introduce(&opened, &root)?;
    let demo = Demo { opened, config: loaded.config, progress };
    let shown = progress::run(demo.show(&root));
    demo.progress.end();
    let failed = shown?;
    drop(folder);
    title("That was all", start.elapsed())?;
    connect(&demo.opened)?;
    Ok(if failed == 0 { failure::DONE } else { failure::NOT_DONE })
}

struct Demo {
    opened: OpenModel,
    config: Config,
    progress: Progress,
}

impl Demo {
    /// Shows every task; how many of them failed.
    async fn show(&self, root: &Path) -> Result<usize, Failure> {
        let (rust, python) = (root.join("till"), root.join("receipts"));
        let tools = [self.tools(&rust, root)?, self.tools(&python, root)?];
        let [rust_tools, python_tools] = &tools;
        self.complete(rust_tools, &rust.join("src/lib.rs"), &sample::RUST_HOLE).await?;
        self.complete(python_tools, &python.join("receipt.py"), &sample::PYTHON_HOLE).await?;
        let total = Target::Named("Cart::total".to_owned());
        self.explain(rust_tools, &rust.join("src/lib.rs"), &total).await?;
        let mut failed = 0;
        for (tools, file) in
            [(rust_tools, rust.join("src/lib.rs")), (python_tools, python.join("stock.py"))]
        {
            failed += usize::from(!self.fix(tools, &file).await?);
        }
        let price = Target::Named("format_price".to_owned());
        failed += usize::from(!self.test(python_tools, &python.join("receipt.py"), &price).await?);
        Ok(failed)
    }

    /// What tasks on the project at `project` work with; what checks build goes below `root`.
    fn tools(&self, project: &Path, root: &Path) -> Result<Tools, Failure> {
        let workspace = Arc::new(Workspace::new(project.to_owned()));
        workspace.build_index();
        let mut tools =
            session::tools(&self.opened.engine, workspace, &self.config, true, &self.progress)?;
        let mut check = (*tools.check).clone();
        check.cache = root.join("cache");
        tools.check = Arc::new(check);
        Ok(tools)
    }

    async fn complete(&self, tools: &Tools, file: &Path, hole: &Hole) -> Result<(), Failure> {
        let start = Instant::now();
        let (text, offset) = hole.cut(&read(file)?);
        let document = Document::new(file.to_owned(), None, 0, text);
        let mut options = session::completion(&self.config, tools.engine.info());
        options.candidates = options.candidates.max(3);
        self.progress.say("completing");
        let completion = task::complete::run(tools, &document, offset, &options).await?;
        self.step(&format!("Complete {} where you stopped typing", name(file)), start)?;
        indented(&format!("{}▌", hole.typed))?;
        match completion.candidates.first() {
            Some(candidate) => {
                answer(
                    "  suggestion (it fits the syntax; whether it is right is for you to judge):",
                )?;
                indented(&format!("{}{}", hole.typed, candidate.text))?;
            }
            None => answer("  no suggestion passed the checks, so none is shown")?,
        }
        answer(&format!("  (the sample itself has: {}{})", hole.typed.trim_start(), hole.removed))
    }

    async fn explain(&self, tools: &Tools, file: &Path, target: &Target) -> Result<(), Failure> {
        let start = Instant::now();
        let document = Document::new(file.to_owned(), None, 0, read(file)?);
        self.progress.say("explaining");
        let explanation = task::explain::run(tools, &document, target).await?;
        self.step(&format!("Explain {}", explanation.title), start)?;
        // The targets of its links are files that are gone in a moment.
        let lines = explanation.markdown.lines().filter(|line| !line.contains("]: file:"));
        indented(lines.collect::<Vec<_>>().join("\n").trim_end())
    }

    /// Repairs and writes a file; whether it worked or could not be tried.
    async fn fix(&self, tools: &Tools, file: &Path) -> Result<bool, Failure> {
        let start = Instant::now();
        let document = Document::new(file.to_owned(), None, 0, read(file)?);
        self.progress.say("looking for errors");
        let outcome = task::fix::run(tools, &document, &task::fix::Options::default()).await;
        self.step(&format!("Fix {}, which does not compile", name(file)), start)?;
        outcome_shown(outcome, true)
    }

    async fn test(&self, tools: &Tools, file: &Path, target: &Target) -> Result<bool, Failure> {
        let start = Instant::now();
        let document = Document::new(file.to_owned(), None, 0, read(file)?);
        self.progress.say("writing tests");
        let outcome = task::test::run(tools, &document, target).await;
        self.step(&format!("Write tests for format_price of {}", name(file)), start)?;
        outcome_shown(outcome, false)
    }

    /// The heading of a step that has ended.
    fn step(&self, what: &str, start: Instant) -> Result<(), Failure> {
        self.progress.suspend(|| title(what, start.elapsed()))
    }
}

/// Prints what a change came to and writes it if `write`; whether it is verified or could not be
/// tried here.
fn outcome_shown(outcome: Result<Outcome, TaskError>, write: bool) -> Result<bool, Failure> {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(TaskError::Check(error @ CheckError::Missing { .. })) => {
            answer(&format!("  skipped: {error}"))?;
            return Ok(true);
        }
        Err(error) => {
            answer(&format!("  failed: {error}"))?;
            return Ok(false);
        }
    };
    if outcome.verified {
        indented(&outcome.proposal.diff())?;
    }
    answer(&format!("  {}", outcome.message))?;
    for proof in &outcome.proof {
        answer(&format!("  {}", change::line(proof)))?;
    }
    if write && outcome.verified {
        apply::to_disk(&outcome.proposal)?;
    }
    Ok(outcome.verified)
}

fn introduce(opened: &OpenModel, root: &Path) -> Result<(), Failure> {
    let info = opened.engine.info();
    answer(&format!(
        "A sample project in {}: the Rust crate `till` and the Python package `receipts`.\n\
         Model: {} ({}, {}, {:.1} million weights) on {}, loaded in {:.2} s.",
        root.display(),
        opened.model.name,
        opened.model.origin,
        info.quantization,
        info.parameters as f64 / 1e6,
        info.device,
        opened.load_time.as_secs_f64(),
    ))
}

fn connect(opened: &OpenModel) -> Result<(), Failure> {
    if opened.engine.info().chat_template.is_none() {
        answer(
            "The model is small and follows no instructions. Name a larger one, such as Qwen2.5-Coder-Instruct\n\
             as a GGUF file, with --model FILE or `model = \"FILE\"` in agent.toml; `agent model list` shows what\n\
             is on this machine.",
        )?;
    }
    answer(
        "Connect an editor: its language server command is `agent lsp`, for Rust and Python files.\n\
         The folders below editors/ and the README say how, editor by editor; `agent doctor` checks this machine.",
    )
}

fn title(what: &str, time: Duration) -> Result<(), Failure> {
    answer(&format!("\n── {what} ({:.2} s)", time.as_secs_f64()))
}

fn indented(text: &str) -> Result<(), Failure> {
    let lines: Vec<String> =
        text.lines().map(|line| format!("  │ {line}").trim_end().to_owned()).collect();
    answer(&lines.join("\n"))
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))
}
