//! `agent complete`: suggestions at a position.

use serde_json::{Value as Json, json};

use super::arguments::{FileArgs, ModelArgs};
use super::failure::{self, Failure};
use super::position::Place;
use super::session::{self, Session};
use super::{output, progress};
use crate::config::value::Value;
use crate::engine::Event;
use crate::task::complete::{self, Completion};

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Prints the suggestion to insert at the position; exit code 1 when none passes the checks. With -n, \
several suggestions, best first, each after a line `--- 1 of 3`.

--json: {schema, model, candidates: [{text, logprob, applied: [{pass, bytes_before, bytes_after}]}], timing_ms: {total, load, prompt, \
generation, queue}, usage: {prompt_tokens, cached_tokens, generated_tokens}, trace: {budget, used: \
[{part, tokens}], dropped}}")]
pub(super) struct Args {
    /// Where to complete: lines and columns from 1, columns in Unicode characters
    #[arg(value_name = "FILE:LINE:COL")]
    place: String,
    /// How many suggestions to sample
    #[arg(short, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=16))]
    n: Option<i64>,
    /// Longest suggestion, in tokens
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=4096))]
    max_tokens: Option<i64>,
    #[command(flatten)]
    pub(super) file: FileArgs,
    #[command(flatten)]
    model: ModelArgs,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let (place, line, column) = Place::parse_cursor(&args.place)?;
    let mut flags = args.model.flags();
    flags.extend(args.n.map(|n| ("complete.candidates", Value::Integer(n))));
    flags.extend(args.max_tokens.map(|n| ("complete.max_tokens", Value::Integer(n))));
    let session = Session::open(&place.path, args.file.stdin, &flags, false)?;
    let offset = place.offset(&session.document, line, column);
    let offset = offset.inspect_err(|_| session.progress.end())?;
    let options = session::completion(&session.config, session.tools.engine.info());
    session.progress.say("completing");
    let completion = progress::run(async {
        Ok(complete::run(&session.tools, &session.document, offset, &options).await?)
    });
    session.progress.end();
    let completion = completion?;
    if args.file.json {
        output::object(as_json(&session, &completion))?;
    } else {
        print(&session, &completion)?;
    }
    // After the answer is printed: the next call starts with what this one read.
    if session.config.cache.save
        && let Some(Event::Failed(error)) = session.tools.engine.save().next_blocking()
    {
        output::say(&format!("agent: {error}"));
    }
    Ok(if completion.candidates.is_empty() { failure::NOT_DONE } else { failure::DONE })
}

fn print(session: &Session, completion: &Completion) -> Result<(), Failure> {
    let count = completion.candidates.len();
    if count == 0 {
        output::say("agent: no suggestion passed the checks");
    }
    for (index, candidate) in completion.candidates.iter().enumerate() {
        if count > 1 {
            output::answer(&format!("--- {} of {count}", index + 1))?;
        }
        output::answer(&candidate.text)?;
    }
    output::say(&format!(
        "{}: {} tokens read, {} written, {:.0} ms",
        session.model.name,
        completion.usage.prompt_tokens,
        completion.usage.generated_tokens,
        milliseconds(completion.total_time),
    ));
    Ok(())
}

fn as_json(session: &Session, completion: &Completion) -> Json {
    let candidates: Vec<Json> = completion
        .candidates
        .iter()
        .map(|candidate| {
            let applied: Vec<Json> = candidate
                .applied
                .iter()
                .map(|applied| {
                    let (before, after) = applied.bytes;
                    json!({"pass": applied.pass, "bytes_before": before, "bytes_after": after})
                })
                .collect();
            json!({"text": candidate.text, "logprob": candidate.logprob, "applied": applied})
        })
        .collect();
    let used: Vec<Json> = completion
        .trace
        .used
        .iter()
        .map(|(part, tokens)| json!({"part": part, "tokens": tokens}))
        .collect();
    let usage = &completion.usage;
    json!({
        "model": super::model::as_json(session),
        "candidates": candidates,
        "timing_ms": {
            "total": milliseconds(completion.total_time),
            "load": milliseconds(session.load_time),
            "prompt": milliseconds(usage.prompt_time),
            "generation": milliseconds(usage.generation_time),
            "queue": milliseconds(usage.queue_time),
        },
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "cached_tokens": usage.cached_tokens,
            "generated_tokens": usage.generated_tokens,
        },
        "trace": {
            "budget": completion.trace.budget,
            "used": used,
            "dropped": completion.trace.dropped.iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
    })
}

/// Milliseconds with three decimals.
fn milliseconds(time: std::time::Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
