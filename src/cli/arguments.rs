//! The arguments that commands share.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::config::load::Flags;
use crate::config::options::{DEVICES, ENGINES};
use crate::config::value::Value;

/// Which model, and how it runs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Model options")]
pub(super) struct ModelArgs {
    /// Model to use: a path to a GGUF file, a name of `agent model list`, or `builtin`
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// A smaller model with the same vocabulary that guesses ahead for it
    #[arg(long, value_name = "MODEL")]
    draft_model: Option<String>,
    /// Where the model runs
    #[arg(long, value_parser = PossibleValuesParser::new(DEVICES.map(|(name, _)| name)))]
    device: Option<String>,
    /// What computes on the CPU
    #[arg(long, value_parser = PossibleValuesParser::new(ENGINES.map(|(name, _)| name)))]
    engine: Option<String>,
    /// CPU threads for the model
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Seed of the sampler: the same seed, model and text give the same answer
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    seed: Option<i64>,
}

impl ModelArgs {
    /// The flags as options of the configuration.
    pub(super) fn flags(&self) -> Flags {
        let text = |text: &Option<String>| text.clone().map(Value::Text);
        let all = [
            ("model", text(&self.model)),
            ("draft_model", text(&self.draft_model)),
            ("device", text(&self.device)),
            ("engine", text(&self.engine)),
            ("threads", self.threads.map(|threads| Value::Integer(threads.into()))),
            ("seed", self.seed.map(Value::Integer)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// How the named file is read and the answer printed.
#[derive(Debug, Clone, Args)]
pub(super) struct FileArgs {
    /// Read the text of the named file from standard input (an editor's unsaved text); the file
    /// itself is not read
    #[arg(long)]
    pub(super) stdin: bool,
    /// Print one JSON object on standard output; failures too
    #[arg(long)]
    pub(super) json: bool,
}

/// For commands that change files.
#[derive(Debug, Clone, Args)]
pub(super) struct ChangeArgs {
    /// Write the change to the files, all or none, if it is verified and they did not change
    /// meanwhile
    #[arg(long, conflicts_with = "stdin")]
    pub(super) apply: bool,
}

/// A folder.
#[derive(Debug, Clone, Args)]
pub(super) struct FolderArgs {
    /// The folder
    #[arg(value_name = "DIR")]
    pub(super) directory: Option<PathBuf>,
}
