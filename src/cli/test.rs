//! `agent test`: tests for an item.

use super::change;
use super::failure::Failure;
use crate::task::test;

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = change::HELP)]
pub(super) struct Args {
    /// What to test: the item at a line or column, or one by name (`Cart::total`)
    #[arg(value_name = "FILE:LINE[:COL]|FILE:SYMBOL")]
    place: String,
    #[command(flatten)]
    pub(super) common: change::CommonArgs,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    args.common.run(&args.place, true, "writing tests", change::item, async |session, target| {
        test::run(&session.tools, &session.document, &target).await
    })
}
