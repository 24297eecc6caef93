//! `agent test`: tests for an item.

use super::arguments::{ChangeArgs, FileArgs, ModelArgs};
use super::failure::Failure;
use super::position::Place;
use super::session::Session;
use super::{change, progress};
use crate::task::test;

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = change::HELP)]
pub(super) struct Args {
    /// What to test: the item at a line or column, or one by name (`Cart::total`)
    #[arg(value_name = "FILE:LINE[:COL]|FILE:SYMBOL")]
    place: String,
    #[command(flatten)]
    pub(super) file: FileArgs,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    model: ModelArgs,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let place = Place::parse(&args.place)?;
    let session = Session::open(&place.path, args.file.stdin, &args.model.flags(), true)?;
    let target = place.target(&session.document).inspect_err(|_| session.progress.end())?;
    session.progress.say("writing tests");
    let outcome =
        progress::run(async { Ok(test::run(&session.tools, &session.document, &target).await?) });
    session.progress.end();
    change::finish(&session, outcome?, args.change.apply, args.file.json)
}
