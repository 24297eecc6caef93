//! `agent trust`: the folders whose code and configuration may be run.

use std::path::Path;

use serde_json::json;

use super::arguments::FolderArgs;
use super::failure::{self, Failure};
use super::output;
use crate::config::trust::{TrustError, TrustList};

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
In a trusted folder, and all below it, an editor's commands may build and test the project, which \
executes its code, and its own agent.toml may name programs and paths outside of it.

--json: {schema, trusted: [DIR]}")]
pub(super) struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// Take the folder off the list
    #[arg(long, conflicts_with = "list", requires = "directory")]
    remove: bool,
    /// Show the trusted folders
    #[arg(long, conflicts_with = "directory")]
    list: bool,
    /// Print one JSON object on standard output
    #[arg(long)]
    pub(super) json: bool,
}

impl From<TrustError> for Failure {
    fn from(error: TrustError) -> Self {
        Self::usage(error)
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let list = TrustList::of_user()?;
    let code = match &args.folder.directory {
        Some(folder) => change(&list, folder, args.remove)?,
        None if args.list => failure::DONE,
        None => return Err(Failure::usage("name a folder to trust, or give --list")),
    };
    if args.json {
        output::object(json!({"trusted": list.folders()?}))?;
    } else if args.list {
        for folder in list.folders()? {
            output::answer(&folder.display().to_string())?;
        }
    }
    Ok(code)
}

fn change(list: &TrustList, folder: &Path, remove: bool) -> Result<u8, Failure> {
    if !remove {
        let canonical = list.add(folder)?;
        output::say(&format!("trusted: {}", canonical.display()));
        return Ok(failure::DONE);
    }
    if list.remove(folder)? {
        output::say(&format!("no longer trusted: {}", folder.display()));
        if list.covers(folder) {
            output::say("a folder above it is still trusted; `agent trust --list` shows it");
        }
        return Ok(failure::DONE);
    }
    output::say(&format!("{}: is not on the list", folder.display()));
    Ok(failure::NOT_DONE)
}
