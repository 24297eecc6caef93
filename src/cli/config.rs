//! `agent config`: the options in force, and their documentation.

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::failure::{self, Failure};
use super::{output, session};
use crate::config::load::{Flags, Loaded};
use crate::config::options::OPTIONS;
use crate::config::{docs, places};

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Without arguments: every option in force in the current folder and where it was set, as an agent.toml \
would have it. Later ones win: defaults, the user's agent.toml, the workspace's, the editor's settings, \
flags.

--json: {schema, options: {NAME: {value, set_by}}, files, problems}")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Args {
    /// Print the options as a Markdown table
    #[arg(long, conflicts_with_all = ["schema", "json", "editor"])]
    docs: bool,
    /// Print a JSON schema of agent.toml
    #[arg(long, conflicts_with_all = ["json", "editor"])]
    schema: bool,
    /// Print the options as the settings of a VS Code extension
    #[arg(long, conflicts_with = "json")]
    editor: bool,
    /// Print one JSON object on standard output
    #[arg(long)]
    pub(super) json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    if args.docs {
        output::answer(&docs::markdown())?;
    } else if args.schema {
        output::answer(&docs::schema())?;
    } else if args.editor {
        let text =
            serde_json::to_string_pretty(&docs::editor_properties()).map_err(Failure::usage)?;
        output::answer(&text)?;
    } else {
        let (loaded, root) = session::configuration_here(&Flags::new());
        if args.json {
            output::object(as_json(&loaded))?;
        } else {
            print(&loaded, &root)?;
        }
    }
    Ok(failure::DONE)
}

fn print(loaded: &Loaded, root: &Path) -> Result<(), Failure> {
    for option in OPTIONS {
        let name = option.name;
        let set_by = loaded.origins.get(name).map_or("default", String::as_str);
        match option.get(&loaded.config) {
            Some(value) => output::answer(&format!("{name} = {}  # {set_by}", value.toml()))?,
            None => output::answer(&format!("# {name}: {}", option.unset))?,
        }
    }
    let user = places::user_file().map(|path| path.display().to_string()).unwrap_or_default();
    output::say(&format!("files: {user}, {}", root.join("agent.toml").display()));
    Ok(())
}

fn as_json(loaded: &Loaded) -> Json {
    let options: Map<String, Json> = OPTIONS
        .iter()
        .map(|option| {
            let value = option.get(&loaded.config).map(|value| value.json());
            let set_by = loaded.origins.get(option.name).map_or("default", String::as_str);
            (option.name.to_owned(), json!({"value": value, "set_by": set_by}))
        })
        .collect();
    let problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    json!({"options": options, "files": loaded.files, "problems": problems})
}
