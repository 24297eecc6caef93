//! `agent context`: what would be sent for a suggestion, part by part.

use serde_json::{Value as Json, json};

use super::arguments::{FileArgs, ModelArgs};
use super::failure::{self, Failure};
use super::output;
use super::position::Place;
use super::session::{self, OpenModel, Session};
use crate::config::value::Value;
use crate::models::BUILTIN;
use crate::prompt::fim::{self, FimFormat, Style};
use crate::prompt::{LeftOut, Shown};
use crate::task::complete::{self, Prepared};

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Prints the prompt that `agent complete` would send for the position, part by part, with what each \
part costs, where it is from and why it was chosen, then what was left out. Nothing is generated. \
For a model that cannot fill in the middle, it is the prompt of a model of the Qwen family, counted by the \
built-in model's tokenizer.

--json: {schema, model, tokenizer, budget, tokens, build_ms, parts: [{kind, path, start_line, end_line, tokens, \
reason, text}], used: [{part, tokens}], dropped: [{kind, path, start_line, end_line, tokens, cause}], prompt}; \
lines count from 1 and are 0 where a part is no part of a file")]
pub(super) struct Args {
    /// Where to complete: lines and columns from 1, columns in Unicode characters
    #[arg(value_name = "FILE:LINE:COL")]
    place: String,
    /// Tokens for the prompt
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(64..=131_072))]
    tokens: Option<i64>,
    #[command(flatten)]
    pub(super) file: FileArgs,
    #[command(flatten)]
    model: ModelArgs,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let (place, line, column) = Place::parse_cursor(&args.place)?;
    let mut flags = args.model.flags();
    flags.extend(args.tokens.map(|n| ("complete.context_tokens", Value::Integer(n))));
    let session = Session::open(&place.path, args.file.stdin, &flags, false)?;
    let offset = place.offset(&session.document, line, column);
    let seen = offset.and_then(|offset| Seen::at(&session, offset));
    session.progress.end();
    let seen = seen?;
    if args.file.json {
        output::object(as_json(&session, &seen))?;
    } else {
        print(&seen)?;
    }
    Ok(failure::DONE)
}

/// A prompt and who counted it.
struct Seen {
    prepared: Prepared,
    format: FimFormat,
    /// The model whose tokenizer counted.
    tokenizer: String,
}

impl Seen {
    fn at(session: &Session, offset: usize) -> Result<Self, Failure> {
        let options = session::completion(&session.config, session.tools.engine.info());
        let mut tools = session.tools.clone();
        let window = tools.engine.info().context_length;
        let style = if let Some(style) = complete::style_of(tools.engine.info()) {
            style
        } else {
            tools.engine = OpenModel::named(BUILTIN, &session.config)?.engine;
            Style { format: FimFormat::Qwen, repository_level: true }
        };
        let tokenizer = tools.engine.info().name.clone();
        let document = &session.document;
        let prepared =
            complete::prepare_as(&tools, document, offset, &options, (style, window), None)?;
        Ok(Self { prepared, format: style.format, tokenizer })
    }
}

fn print(seen: &Seen) -> Result<(), Failure> {
    let trace = &seen.prepared.prompt.trace;
    for part in &trace.parts {
        output::answer(&format!("--- {}", heading(part)))?;
        output::answer(&part.text)?;
    }
    if !trace.dropped.is_empty() {
        output::answer("--- left out")?;
    }
    for dropped in &trace.dropped {
        output::answer(&dropped.to_string())?;
    }
    output::say(&format!(
        "{} of {} tokens ({}), built in {:.1} ms",
        trace.tokens(),
        trace.budget,
        seen.tokenizer,
        seen.prepared.build_time.as_secs_f64() * 1e3,
    ));
    Ok(())
}

/// `ranked src/cart.rs:3-9, 88 tokens: alike: total, price`.
fn heading(part: &Shown) -> String {
    let Shown { kind, path, start_line, end_line, tokens, reason, .. } = part;
    let space = if path.as_os_str().is_empty() { "" } else { " " };
    let lines = if *start_line > 0 { format!(":{start_line}-{end_line}") } else { String::new() };
    let plural = if *tokens == 1 { "" } else { "s" };
    format!("{kind}{space}{}{lines}, {tokens} token{plural}: {reason}", path.display())
}

fn as_json(session: &Session, seen: &Seen) -> Json {
    let trace = &seen.prepared.prompt.trace;
    let part = |part: &Shown| {
        let Shown { kind, path, start_line, end_line, tokens, reason, text } = part;
        json!({
            "kind": kind,
            "path": path.display().to_string(),
            "start_line": start_line,
            "end_line": end_line,
            "tokens": tokens,
            "reason": reason,
            "text": text,
        })
    };
    let dropped = |left: &LeftOut| {
        let LeftOut { kind, path, start_line, end_line, tokens, cause } = left;
        json!({
            "kind": kind,
            "path": path.display().to_string(),
            "start_line": start_line,
            "end_line": end_line,
            "tokens": tokens,
            "cause": cause,
        })
    };
    let used = trace.used.iter().map(|(part, tokens)| json!({"part": part, "tokens": tokens}));
    json!({
        "model": super::model::as_json(session),
        "tokenizer": seen.tokenizer,
        "budget": trace.budget,
        "tokens": trace.tokens(),
        "build_ms": (seen.prepared.build_time.as_secs_f64() * 1e6).round() / 1e3,
        "parts": trace.parts.iter().map(part).collect::<Vec<_>>(),
        "used": used.collect::<Vec<_>>(),
        "dropped": trace.dropped.iter().map(dropped).collect::<Vec<_>>(),
        "prompt": fim::spelled(&seen.prepared.prompt.pieces, seen.format),
    })
}
