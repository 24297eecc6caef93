//! `agent fix`: repairs a file and proves it.

use super::arguments::{ChangeArgs, FileArgs, ModelArgs};
use super::failure::Failure;
use super::position::{Place, Spot};
use super::session::Session;
use super::{change, progress};
use crate::task::fix::{self, Options};
use crate::text::Span;

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = change::HELP)]
pub(super) struct Args {
    /// The file to repair, or one line of it
    #[arg(value_name = "FILE[:LINE]")]
    place: String,
    /// A command in place of the compiler, run in a scratch copy of the project; exit code 0 means
    /// sound
    #[arg(long, value_name = "CMD")]
    check: Option<String>,
    /// A command that must pass after the repair, run in the same place
    #[arg(long, value_name = "CMD")]
    test: Option<String>,
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
    let span = span(&place, &session).inspect_err(|_| session.progress.end())?;
    let options = Options {
        span,
        check: args.check.clone(),
        test: args.test.clone(),
        // The file itself is laid over the copy by the task; with --stdin it is the unsaved one.
        unsaved: Vec::new(),
        ..Options::default()
    };
    session.progress.say("looking for errors");
    let outcome =
        progress::run(async { Ok(fix::run(&session.tools, &session.document, &options).await?) });
    session.progress.end();
    change::finish(&session, outcome?, args.change.apply, args.file.json)
}

/// The part of the file that is meant; `None` for all of it.
fn span(place: &Place, session: &Session) -> Result<Option<Span>, Failure> {
    match &place.spot {
        Spot::File => Ok(None),
        Spot::Line(line) => place.line(&session.document, *line).map(Some),
        Spot::Cursor(line, column) => {
            place.offset(&session.document, *line, *column).map(|offset| Some(Span::empty(offset)))
        }
        Spot::Symbol(name) => {
            Err(Failure::usage(format!("{name}: name a line of the file, or all of it")))
        }
    }
}
