//! `agent model`: the models of this machine.

use serde_json::{Value as Json, json};

use super::failure::{self, Failure};
use super::output;
use super::session::{self, Session};
use crate::config::load::Flags;
use crate::models::{self, Listing, Model};

/// The arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Lists the models found: built in, in your folders, and in the stores of Ollama, LM Studio,
    /// Hugging Face and llama.cpp
    ///
    /// --json: {schema, models: [{name, origin, location, size}], notes}
    List {
        /// Print one JSON object on standard output
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    /// Whether JSON was asked for.
    pub(super) fn json(&self) -> bool {
        let Self::List { json } = self;
        *json
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let (loaded, _) = session::configuration_here(&Flags::new());
    let listing = models::list(&loaded.config.models.directories);
    if args.command.json() {
        output::object(json!({
            "models": listing.models.iter().map(listed).collect::<Vec<_>>(),
            "notes": listing.notes,
        }))?;
    } else {
        print(&listing)?;
    }
    Ok(failure::DONE)
}

fn print(listing: &Listing) -> Result<(), Failure> {
    let width = listing.models.iter().map(|model| model.name.chars().count()).max().unwrap_or(0);
    for model in &listing.models {
        let Model { name, origin, size, .. } = model;
        let size = output::size(*size);
        output::answer(&format!("{name:<width$}  {size:>9}  {origin}: {}", model.location()))?;
    }
    if listing.models.is_empty() {
        output::say("no model found; name a GGUF file with --model");
    }
    for note in &listing.notes {
        output::say(&format!("agent: {note}"));
    }
    Ok(())
}

fn listed(model: &Model) -> Json {
    json!({
        "name": model.name,
        "origin": model.origin,
        "location": model.location(),
        "size": model.size,
    })
}

/// The loaded model, as every JSON answer names it.
pub(super) fn as_json(session: &Session) -> Json {
    let info = session.tools.engine.info();
    json!({
        "name": session.model.name,
        "origin": session.model.origin,
        "architecture": info.architecture,
        "quantization": info.quantization,
        "device": info.device,
    })
}
