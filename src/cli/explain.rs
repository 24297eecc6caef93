//! `agent explain`: what a piece of code does.

use serde_json::{Value as Json, json};

use super::arguments::{FileArgs, ModelArgs};
use super::failure::{self, Failure};
use super::position::Place;
use super::session::Session;
use super::{output, progress};
use crate::task::explain;

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Prints Markdown. Every statement but the summary was read from the code; the summary is the model's, \
and says so.

--json: {schema, model, title, markdown, summary, facts: [{kind, text, path, line}]}")]
pub(super) struct Args {
    /// What to explain: a file, the item at a line, or an item by name (`Cart::total`)
    #[arg(value_name = "FILE[:LINE|:SYMBOL]")]
    place: String,
    #[command(flatten)]
    pub(super) file: FileArgs,
    #[command(flatten)]
    model: ModelArgs,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let place = Place::parse(&args.place)?;
    let session = Session::open(&place.path, args.file.stdin, &args.model.flags(), false)?;
    let target = place.target(&session.document).inspect_err(|_| session.progress.end())?;
    session.progress.say("explaining");
    let explanation = progress::run(async {
        Ok(explain::run(&session.tools, &session.document, &target).await?)
    });
    session.progress.end();
    let explanation = explanation?;
    if args.file.json {
        let facts: Vec<Json> = explanation
            .facts
            .iter()
            .map(|fact| {
                json!({
                    "kind": fact.kind,
                    "text": fact.text,
                    "path": fact.path.display().to_string(),
                    "line": fact.line,
                })
            })
            .collect();
        output::object(json!({
            "model": super::model::as_json(&session),
            "title": explanation.title,
            "markdown": explanation.markdown,
            "summary": explanation.summary,
            "facts": facts,
        }))?;
    } else {
        output::answer(&explanation.markdown)?;
    }
    Ok(failure::DONE)
}
