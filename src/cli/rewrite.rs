//! `agent rewrite`: an item rewritten by an instruction.

use super::change;
use super::failure::Failure;
use crate::task::rewrite;

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = change::HELP)]
pub(super) struct Args {
    /// What to rewrite: the item at a line or column, or one by name (`Cart::total`)
    #[arg(value_name = "FILE:LINE[:COL]|FILE:SYMBOL")]
    place: String,
    /// What to do with it, in words; needs a model that follows instructions
    instruction: String,
    #[command(flatten)]
    pub(super) common: change::CommonArgs,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    args.common.run(&args.place, true, "rewriting", change::item, async |session, target| {
        rewrite::run(&session.tools, &session.document, &target, &args.instruction).await
    })
}
