//! `agent lsp`: the language server.

use super::arguments::ModelArgs;
use super::failure::Failure;
use super::session;
use crate::config::{self, Sources};

/// The arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Speak over standard input and output; that is always so
    #[arg(long)]
    stdio: bool,
    /// Accepted for editors that name their process; the server ends with it either way
    #[arg(long = "clientProcessId", value_name = "PID", hide = true)]
    client_process_id: Option<u32>,
    #[command(flatten)]
    model: ModelArgs,
}

/// Runs the server until its client says goodbye.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let flags = args.model.flags();
    // The server reads the rest itself once the editor has named its first folder; that is too
    // late for the number of threads, so a workspace cannot set it here.
    session::use_threads(&config::load(&Sources::of_user(None, &flags)).config)?;
    let code = crate::lsp::serve(flags);
    u8::try_from(code).map_err(|_| Failure::usage(format!("the server ended with {code}")))
}
