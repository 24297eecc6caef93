//! `agent fix`: repairs a file and proves it.

use super::change;
use super::failure::Failure;
use super::position::{Place, Spot};
use super::session::Session;
use crate::check::judge::refuse_blank;
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
    #[arg(long, value_name = "CMD", value_parser = command)]
    check: Option<String>,
    /// A command that must pass after the repair, run in the same place; only tests verify a repair
    /// that may change what the program does, such as one that the model wrote
    #[arg(long, value_name = "CMD", value_parser = command)]
    test: Option<String>,
    #[command(flatten)]
    pub(super) common: change::CommonArgs,
}

/// A command line that names a command.
fn command(line: &str) -> Result<String, String> {
    refuse_blank(line).map_err(|error| error.to_string())?;
    Ok(line.to_owned())
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    args.common.run(&args.place, true, "looking for errors", span, async |session, span| {
        let options = Options {
            span,
            check: args.check.clone(),
            test: args.test.clone(),
            // The file itself is laid over the copy by the task; with --stdin it is the unsaved one.
            unsaved: Vec::new(),
            ..Options::default()
        };
        fix::run(&session.tools, &session.document, &options).await
    })
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
