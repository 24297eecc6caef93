//! `agent doctor`: machine, model, sandbox, tools and configuration, what is wrong and how to mend it.

mod files;
mod machine;
mod speed;
mod tools;

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::arguments::ModelArgs;
use super::failure::{self, Failure};
use super::{output, progress, session};
use crate::check::sandbox::{self, Enforcement};
use crate::check::scratch::prepare;
use crate::check::{Settings, command::Invocation};
use crate::config::Config;
use crate::config::load::Loaded;
use crate::config::places;
use crate::config::trust::{self, TrustList};
use crate::engine::Engine;
use crate::models::Model;
use crate::workspace::Workspace;
use crate::workspace::exclude::Exclusions;
use progress::Progress;
use session::OpenModel;

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Loads the model and lets it work for a few seconds to measure it. Exit code 1 when something is wrong.

--files: instead, lists every file and folder of the workspace that is never read, indexed, shown to a \
model or kept, each with the reason, then a count by reason. Left out are:
  - what names say is secret: .env and .env.* (but samples such as .env.example), private keys and key \
stores (*.pem, *.key, *.p12, id_rsa ...), logins of tools (.netrc, .npmrc, .pgpass ...), Terraform state, \
data files called credentials*, secret*, service-account* ..., and all of .ssh, .aws, .gnupg, .kube ...
  - what holds a secret: a private key, a token of a known service, a JSON web token, a URL with a \
password, or a random-looking value given to the name of a secret, as in API_KEY = \"...\": quoted, 20 \
characters or more of base 64 with 3.5 bits of entropy each (32 of hexadecimal with 3), letters and digits \
mixed, unless it says that it stands in for one
  - what .gitignore, .ignore or git exclude, what the option `exclude` names, what is hidden, and what \
links lead to
  - generated files (by their first lines), minified ones, those over 1 MiB, not UTF-8, or of no known language

--json: {schema, SECTION: {NAME: VALUE}, faults: [TEXT], hints: [TEXT]} with the sections that are \
printed: program, machine, model, speed, sandbox, tools, configuration
--files --json: {schema, read, left_out: [{path, folder, reason}], reasons: {REASON: COUNT}, partial}")]
pub(super) struct Args {
    /// Print one JSON object on standard output
    #[arg(long)]
    pub(super) json: bool,
    /// List the files of the workspace that are never read, and why
    #[arg(long)]
    files: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// What was found.
#[derive(Debug, Default)]
struct Findings {
    /// Sections in order, each with its rows in order.
    sections: Vec<(&'static str, Vec<Row>)>,
    /// What is wrong, and how to mend it.
    faults: Vec<String>,
    /// What could be better, and how.
    hints: Vec<String>,
}

/// A name and its value.
type Row = (&'static str, Json);

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let (loaded, root) = session::configuration_here(&args.model.flags());
    if args.files {
        let workspace = Workspace::new(root);
        workspace.exclude(Exclusions::new(&loaded.config.exclude));
        return files::run(&workspace, args.json);
    }
    session::use_threads(&loaded.config)?;
    let mut findings = Findings::default();
    findings.sections.push(("program", program()));
    findings.sections.push(("machine", machine::rows()));
    let progress = Progress::start("loading the model");
    let measured = model(&loaded.config, &progress, &mut findings);
    if let Some((engine, settings)) =
        measured.zip(session::check_settings(&loaded.config, true).ok())
    {
        examine(&engine, &settings, &root, &progress, &mut findings)?;
    }
    progress.end();
    if let Err(error) = prepare(&session::check_settings(&loaded.config, true)?.cache) {
        findings.faults.push(error.to_string());
    }
    configuration(&loaded, &root, &mut findings);
    if args.json {
        output::object(findings.as_json())?;
    } else {
        findings.print()?;
    }
    Ok(if findings.faults.is_empty() { failure::DONE } else { failure::NOT_DONE })
}

fn program() -> Vec<Row> {
    let features: Vec<&str> = [
        ("builtin-model", cfg!(feature = "builtin-model")),
        ("cuda", cfg!(feature = "cuda")),
        ("metal", cfg!(feature = "metal")),
        ("accelerate", cfg!(feature = "accelerate")),
    ]
    .into_iter()
    .filter_map(|(name, on)| on.then_some(name))
    .collect();
    let build =
        if cfg!(debug_assertions) { "debug (slow: build with --release)" } else { "release" };
    vec![
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("build", build.into()),
        ("features", features.into()),
    ]
}

/// Loads the model; what it is, or why it cannot be used.
fn model(config: &Config, progress: &Progress, findings: &mut Findings) -> Option<Engine> {
    match OpenModel::of(config) {
        Ok(OpenModel { engine, model, load_time }) => {
            progress.say("measuring");
            let rows = model_rows(&engine, &model, load_time.as_secs_f64());
            findings.sections.push(("model", rows));
            if engine.info().chat_template.is_none() {
                findings.hints.push(
                    "the model follows no instructions: `rewrite` needs one that does, and `explain`, `test` and \
                     `fix` do better with one; name an instruct model's GGUF file with --model or in agent.toml"
                        .to_owned(),
                );
            }
            Some(engine)
        }
        Err(error) => {
            findings.faults.push(format!("model: {error}"));
            None
        }
    }
}

fn model_rows(engine: &Engine, model: &Model, seconds: f64) -> Vec<Row> {
    let info = engine.info();
    vec![
        ("name", model.name.as_str().into()),
        ("origin", model.origin.as_str().into()),
        ("location", model.location().into()),
        ("file name", info.name.as_str().into()),
        ("architecture", info.architecture.as_str().into()),
        ("parameters", info.parameters.into()),
        ("size", output::size(model.size).into()),
        ("quantization", info.quantization.as_str().into()),
        ("context", info.context_length.into()),
        ("fill-in-the-middle", info.fim.map(|fim| format!("{fim:?}")).into()),
        ("repository level", info.repository_level.into()),
        ("chat", info.chat_template.is_some().into()),
        ("device", info.device.as_str().into()),
        ("load seconds", rounded(seconds)),
    ]
}

/// What takes running: the model, the sandbox, other programs.
fn examine(
    engine: &Engine,
    settings: &Settings,
    root: &Path,
    progress: &Progress,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let trusted = trust::is_trusted(root);
    if !trusted {
        findings.hints.push(format!(
            "{}: not trusted, so its own tools (`.venv`, toolchain files) were not asked; `agent trust {}` trusts it",
            root.display(),
            root.display()
        ));
    }
    let (speed, sandboxed, tools) = progress::run(async {
        let speed = speed::measure(engine).await;
        progress.say("trying the sandbox");
        let sandboxed = try_sandbox(settings).await;
        progress.say("looking for tools");
        let tools = find_tools(settings, root, trusted).await?;
        Ok((speed, sandboxed, tools))
    })
    .inspect_err(|_| progress.end())?;
    match speed {
        Ok(speed) => findings.sections.push((
            "speed",
            vec![
                ("prompt tokens per second", rounded(speed.prompt)),
                ("generated tokens per second", rounded(speed.generation)),
                ("measured on", speed.measured_on.into()),
            ],
        )),
        Err(error) => findings.faults.push(format!("speed: {error}")),
    }
    let words = match &sandboxed {
        Ok(enforcement) => enforcement.to_string(),
        Err(error) => error.clone(),
    };
    match sandboxed {
        Ok(Enforcement::Full) => {}
        Ok(_) => findings.hints.push(format!(
            "the sandbox is {words}: code that checks execute is less confined; check only projects that you trust"
        )),
        Err(_) => findings.faults.push(format!("sandbox: {words}; `fix` and `test` cannot run checks")),
    }
    findings.sections.push(("sandbox", vec![("enforcement", words.into())]));
    for tool in &tools {
        if tool.version.is_none() {
            findings.hints.push(format!("{}: not found; {}", tool.name, tool.mend));
        }
    }
    findings.sections.push((
        "tools",
        tools
            .into_iter()
            .map(|tool| (tool.name, tool.version.map_or(Json::Null, Json::from)))
            .collect(),
    ));
    Ok(())
}

/// The tools of the workspace at `root`; of one that is not trusted nothing is started, not even
/// its interpreter, so the tools are those of an empty folder.
async fn find_tools(
    settings: &Settings,
    root: &Path,
    trusted: bool,
) -> Result<Vec<tools::Tool>, Failure> {
    if trusted {
        return Ok(tools::find(settings, root).await);
    }
    let empty = tempfile::tempdir().map_err(Failure::usage)?;
    Ok(tools::find(settings, empty.path()).await)
}

/// Runs a command that does nothing in the sandbox; how far that held.
async fn try_sandbox(settings: &Settings) -> Result<Enforcement, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let nothing = Invocation::shell("exit 0", folder.path(), tools::PATIENCE);
    let writable = [folder.path().to_owned()];
    let (output, enforcement) =
        sandbox::run(settings, &nothing, &writable).await.map_err(|error| error.to_string())?;
    if output.success() { Ok(enforcement) } else { Err(output.exit()) }
}

fn configuration(loaded: &Loaded, root: &Path, findings: &mut Findings) {
    findings.faults.extend(loaded.problems.iter().map(ToString::to_string));
    let text = |path: std::path::PathBuf| path.display().to_string();
    let trusted = TrustList::of_user().and_then(|list| list.folders().map(|_| list.covers(root)));
    if let Err(error) = &trusted {
        findings.faults.push(error.to_string());
    }
    let files: Vec<String> = loaded.files.iter().map(|path| path.display().to_string()).collect();
    findings.sections.push((
        "configuration",
        vec![
            ("workspace", root.display().to_string().into()),
            ("trusted", trusted.unwrap_or(false).into()),
            ("files read", files.into()),
            ("user file", places::user_file().map(text).into()),
            ("cache", places::cache().map(text).into()),
        ],
    ));
}

/// A number with one decimal.
fn rounded(number: f64) -> Json {
    ((number * 10.0).round() / 10.0).into()
}

impl Findings {
    fn as_json(&self) -> Json {
        let mut object = Map::new();
        for (section, rows) in &self.sections {
            let rows: Map<String, Json> = rows
                .iter()
                .map(|(name, value)| (name.replace([' ', '-'], "_"), value.clone()))
                .collect();
            object.insert((*section).to_owned(), Json::Object(rows));
        }
        object.insert("faults".to_owned(), json!(self.faults));
        object.insert("hints".to_owned(), json!(self.hints));
        Json::Object(object)
    }

    fn print(&self) -> Result<(), Failure> {
        for (section, rows) in &self.sections {
            output::answer(section)?;
            for (name, value) in rows {
                output::answer(&format!("  {name:<28} {}", words(value)))?;
            }
        }
        let lists = [("wrong", &self.faults), ("could be better", &self.hints)];
        for (title, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
            output::answer(title)?;
            for line in *list {
                output::answer(&format!("  - {line}"))?;
            }
        }
        if self.faults.is_empty() {
            output::answer("nothing is wrong")?;
        }
        Ok(())
    }
}

/// A value for people.
fn words(value: &Json) -> String {
    match value {
        Json::Null => "none".to_owned(),
        Json::Bool(truth) => if *truth { "yes" } else { "no" }.to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(values) if values.is_empty() => "none".to_owned(),
        Json::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
