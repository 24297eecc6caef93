//! `agent bench`: how fast a model runs on this machine.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::arguments::ModelArgs;
use super::failure::{self, Failure};
use super::output;
use super::progress::Progress;
use super::session;
use crate::config::value::Value;
use crate::engine::probe::{Finding, MEASUREMENTS, Measurement, Probe};
use crate::engine::{Engine, EngineOptions};
use crate::models;

/// Text to tokenize, as an editor's file: code.
const SAMPLE: &str = include_str!("bench.rs");

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Every time is the median of the runs, each on a prompt of its own of which nothing is cached.

--json: {schema, model, device, repeats, prefill_tps, decode_tps, rss_mb, load_ms, first_token_ms, \
keystroke_ms, step_ms, verify_ms, verify_last_ms, one_ms, four_ms, tokenize_ms, outside_us, spread: \
{NAME: [LEAST_MS, MOST_MS]}}. prefill: 512 tokens; decode: 64 tokens; first_token: from the start of \
loading to the token after a prompt of 16; keystroke: one token behind a remembered prompt of 4000; \
step: one token; verify: 8 drafted tokens at once, and verify_last without the logits of the first 7; \
one and four: 32 tokens of one and of four sequences; tokenize: 4000 tokens of text; outside: per \
token of decode, outside the model's passes; rss_mb in MiB, null where the system does not tell.")]
pub(super) struct Args {
    /// Model to measure, instead of the one of the configuration: a path to a GGUF file or a name
    #[arg(value_name = "MODEL")]
    named: Option<String>,
    /// How often to measure each
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    repeats: u16,
    /// Measure only these, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = clap::builder::PossibleValuesParser::new(MEASUREMENTS.map(|(name, _)| name)))]
    only: Vec<String>,
    /// Longest sequence in tokens
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(64..))]
    context: u32,
    /// Read names of measurements from standard input, one a line, and answer each at once with one
    /// line of JSON: for turns with another program. `logits FILE TOKEN...` writes the logits after
    /// each of the tokens to a file, as 32-bit numbers
    #[arg(long, conflicts_with_all = ["only", "repeats"])]
    turns: bool,
    /// Print one JSON object on standard output
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let mut flags = args.model.flags();
    if let Some(model) = &args.named {
        flags.retain(|(name, _)| *name != "model");
        flags.push(("model", Value::Text(model.clone())));
    }
    let (loaded, _) = session::configuration_here(&flags);
    session::use_threads(&loaded.config)?;
    let progress = Progress::start("loading the model");
    let options = EngineOptions {
        context_length: Some(args.context as usize),
        ..loaded.config.engine_options()
    };
    let start = Instant::now();
    let opened = models::open(&loaded.config.wanted_models(), &options);
    let (engine, model) = opened.inspect_err(|_| progress.end())?;
    let load = start.elapsed();
    let mut bench = Bench { engine, seed: 1, times: BTreeMap::new() };
    let first = bench.once(Measurement::First).map(|_| start.elapsed());
    let first = first.inspect_err(|_| progress.end())?;
    let loading = json!({
        "model": model.name,
        "device": bench.engine.info().device,
        "quantization": bench.engine.info().quantization,
        "load_ms": milliseconds(load),
        "first_token_ms": milliseconds(first),
    });
    if args.turns {
        progress.end();
        return bench.take_turns(loading);
    }
    let outcome = bench.measure(args, &progress);
    progress.end();
    outcome?;
    let report = bench.report(args, loading);
    if args.json {
        output::object(report)?;
    } else {
        print(&report)?;
    }
    Ok(failure::DONE)
}

/// What was measured so far.
struct Bench {
    engine: Engine,
    /// Of the next prompt.
    seed: u32,
    times: BTreeMap<&'static str, Vec<Run>>,
}

/// One run of a measurement.
#[derive(Debug, Clone, Copy)]
struct Run {
    time: Duration,
    outside: Duration,
    tokens: usize,
}

impl Bench {
    /// Measures everything, the repetitions of one thing apart from each other, so that a
    /// disturbance spoils few of them.
    fn measure(&mut self, args: &Args, progress: &Progress) -> Result<(), Failure> {
        let wanted = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);
        let chosen: Vec<_> = MEASUREMENTS
            .into_iter()
            .filter(|(name, what)| wanted(name) && *what != Measurement::First)
            .collect();
        let repeats = usize::from(args.repeats);
        progress.count(repeats * chosen.len());
        for _ in 0..repeats {
            for (name, measurement) in &chosen {
                progress.step(&format!("measuring: {name}"));
                let run = self.once(*measurement)?;
                self.times.entry(name).or_default().push(run);
            }
        }
        Ok(())
    }

    fn once(&mut self, measurement: Measurement) -> Result<Run, Failure> {
        // The prompt of a keystroke is remembered: the same one each time.
        if measurement == Measurement::Keystroke {
            if !self.times.contains_key("keystroke") {
                self.probe(measurement, 0)?;
                self.times.entry("keystroke").or_default();
            }
            return self.probe(measurement, 0);
        }
        self.seed += 1;
        self.probe(measurement, self.seed)
    }

    fn probe(&self, measurement: Measurement, seed: u32) -> Result<Run, Failure> {
        match self.engine.probe(Probe::Time(measurement, seed)) {
            Ok(Finding::Time { time, outside, tokens }) => Ok(Run { time, outside, tokens }),
            Ok(Finding::Logits(_)) => Err(Failure::usage("the engine answered something else")),
            Err(error) => Err(Failure::usage(error)),
        }
    }

    /// Answers the names on standard input until it ends.
    fn take_turns(&mut self, mut loading: Json) -> Result<u8, Failure> {
        add_memory(&mut loading);
        output::object(loading)?;
        for line in std::io::stdin().lock().lines() {
            let line = line.map_err(|error| Failure::usage(format!("standard input: {error}")))?;
            let answer = match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["logits", file, ref tokens @ ..] => self.write_logits(file, tokens)?,
                ["memory"] => {
                    let mut memory = json!({});
                    add_memory(&mut memory);
                    memory
                }
                [name] => self.answer(name)?,
                _ => return Err(Failure::usage(format!("{line:?} is no measurement"))),
            };
            output::object(answer)?;
        }
        Ok(failure::DONE)
    }

    fn answer(&mut self, name: &str) -> Result<Json, Failure> {
        let known = MEASUREMENTS.iter().find(|(known, _)| *known == name);
        let Some((_, measurement)) = known else {
            return Err(Failure::usage(format!("{name:?} is no measurement")));
        };
        let run = self.once(*measurement)?;
        Ok(json!({
            "ms": milliseconds(run.time),
            "outside_ms": milliseconds(run.outside),
            "tokens": run.tokens,
        }))
    }

    /// Writes the logits after each of `tokens`, in the machine's byte order.
    fn write_logits(&self, file: &str, tokens: &[&str]) -> Result<Json, Failure> {
        let tokens: Vec<u32> = tokens
            .iter()
            .map(|token| token.parse())
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::usage(format!("tokens: {error}")))?;
        let wanted = tokens.len();
        let found = self
            .engine
            .probe(Probe::Logits { tokens, wanted, remembered: false })
            .map_err(Failure::usage)?;
        let Finding::Logits(logits) = found else {
            return Err(Failure::usage("the engine answered something else"));
        };
        let bytes: Vec<u8> = logits.iter().flat_map(|logit| logit.to_ne_bytes()).collect();
        std::fs::write(file, bytes).map_err(|error| Failure::usage(format!("{file}: {error}")))?;
        Ok(json!({"rows": wanted, "columns": logits.len() / wanted.max(1)}))
    }

    fn report(&self, args: &Args, mut report: Json) -> Json {
        add_memory(&mut report);
        let mut set = |key: &str, value: Json| {
            if let Some(object) = report.as_object_mut() {
                object.insert(key.to_owned(), value);
            }
        };
        set("repeats", args.repeats.into());
        set("tokenize_ms", self.tokenize().into());
        let mut spread = json!({});
        for (name, runs) in &self.times {
            let mut runs = runs.clone();
            runs.sort_by_key(|run| run.time);
            let (Some(first), Some(last)) = (runs.first(), runs.last()) else { continue };
            let Some(middle) = runs.get(runs.len() / 2) else { continue };
            let seconds = middle.time.as_secs_f64();
            match *name {
                "prefill" | "decode" => {
                    set(&format!("{name}_tps"), round(middle.tokens as f64 / seconds).into());
                }
                _ => set(&format!("{name}_ms"), milliseconds(middle.time).into()),
            }
            if *name == "decode" {
                let outside = middle.outside.as_secs_f64() * 1e6 / middle.tokens.max(1) as f64;
                set("outside_us", round(outside).into());
            }
            if let Some(object) = spread.as_object_mut() {
                let range = json!([milliseconds(first.time), milliseconds(last.time)]);
                object.insert((*name).to_owned(), range);
            }
        }
        set("spread", spread);
        report
    }

    /// Milliseconds to tokenize 4000 tokens of code.
    fn tokenize(&self) -> f64 {
        let start = Instant::now();
        let tokens = self.engine.count(SAMPLE).max(1);
        round(start.elapsed().as_secs_f64() * 1e3 * 4000.0 / tokens as f64)
    }
}

/// One line for each figure, in a fixed order.
fn print(report: &Json) -> Result<(), Failure> {
    const LINES: [(&str, &str); 14] = [
        ("model", ""),
        ("device", ""),
        ("prefill_tps", "tokens/s"),
        ("decode_tps", "tokens/s"),
        ("outside_us", "µs per token outside the passes"),
        ("rss_mb", "MiB"),
        ("load_ms", "ms"),
        ("first_token_ms", "ms"),
        ("tokenize_ms", "ms for 4000 tokens"),
        ("keystroke_ms", "ms"),
        ("step_ms", "ms"),
        ("verify_ms", "ms"),
        ("one_ms", "ms"),
        ("four_ms", "ms"),
    ];
    for (key, unit) in LINES {
        let text = match report.get(key) {
            Some(Json::String(text)) => text.clone(),
            Some(Json::Null) | None => continue,
            Some(other) => other.to_string(),
        };
        let (name, _) = key.rsplit_once('_').unwrap_or((key, ""));
        output::answer(format!("{:<14}{text} {unit}", name.replace('_', " ")).trim_end())?;
    }
    Ok(())
}

/// Adds the memory of this process, in MiB: all that is resident, and what no file backs.
fn add_memory(report: &mut Json) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for (name, key) in [("VmRSS:", "rss_mb"), ("RssAnon:", "anonymous_mb"), ("VmHWM:", "peak_mb")] {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        if let Some(object) = report.as_object_mut() {
            object.insert(key.to_owned(), kilobytes.map(|size| round(size / 1024.0)).into());
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    round(time.as_secs_f64() * 1e3)
}

/// To three digits after the point.
fn round(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}
