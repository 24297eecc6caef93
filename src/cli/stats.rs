//! `agent stats`: what became of the suggestions shown on this machine.

use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::{Map, Value as Json, json};

use super::failure::{self, Failure};
use super::{output, session};
use crate::config::load::Flags;
use crate::config::places;
use crate::stats::histogram::Histogram;
use crate::stats::history::MOST_DAYS;
use crate::stats::{Counts, Day, History, Store, StoreError};

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Editors' servers count and write once a minute and at their end; the counts of all of them add up. The \
file holds numbers, days, and names of models and passes: no text, no file, no project. Nothing is sent. \
`stats = false` in your own agent.toml turns counting off. Days are those of UTC; the last 30 are kept one \
by one. Times are exact to 5 %.

  shown            suggestions an editor was given; the rest of one, after you typed some of it, is the same
  accepted         taken over in one go, or in part: by words or lines
  typed            you typed all of it yourself
  still there      of accepted text, 30 seconds later: characters unchanged, white space aside
  latency          from request to answer, where that held a suggestion
  known before     answers that needed no model, since an earlier one still fitted
  passes           of the model's raw answers: how many each pass cut, and of how many it left nothing

--json: {schema, enabled, file, since, days, total, by_day: {DAY: COUNTS}, by_model: {MODEL: COUNTS}}; days \
is null without --days; COUNTS holds the numbers below and latency_ms, computed_ms and cached_ms, each {count, p50, p95}
--reset --json: {schema, file, removed}")]
pub(super) struct Args {
    /// Only the last N days, today among them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_DAYS)))]
    days: Option<u32>,
    /// Remove all counts
    #[arg(long, conflicts_with = "days")]
    reset: bool,
    /// Print one JSON object on standard output
    #[arg(long)]
    pub(super) json: bool,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let mend = match &error {
            StoreError::Damaged { .. } | StoreError::Newer { .. } => {
                "; the next suggestion counted sets it aside, `agent stats --reset` removes it"
            }
            StoreError::Busy { .. } => "; try again",
            StoreError::Io { .. } => "",
        };
        Self::usage(format!("{error}{mend}"))
    }
}

/// What is shown.
struct Report {
    enabled: bool,
    file: PathBuf,
    days: Option<u32>,
    today: Day,
    history: History,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let file = places::stats()
        .ok_or_else(|| Failure::usage("no folder to keep counts in; set HOME or XDG_STATE_HOME"))?;
    let store = Store::at(file.clone());
    if args.reset {
        let removed = store.reset()?;
        if args.json {
            output::object(json!({"file": file, "removed": removed}))?;
        } else {
            let words = if removed { "removed" } else { "nothing was counted" };
            output::say(&format!("{}: {words}", file.display()));
        }
        return Ok(failure::DONE);
    }
    let today = Day::of(SystemTime::now());
    let history = store.read(today)?;
    let (loaded, _) = session::configuration_here(&Flags::new());
    let report = Report { enabled: loaded.config.stats, file, days: args.days, today, history };
    if args.json {
        output::object(report.as_json())?;
    } else {
        output::answer(&report.text())?;
    }
    Ok(failure::DONE)
}

impl Report {
    fn text(&self) -> String {
        let mut lines = Vec::new();
        let counts = self.counts();
        if self.history.is_empty() {
            lines.push(
                "nothing was counted yet: suggestions in an editor are, from `agent lsp`"
                    .to_owned(),
            );
        } else {
            lines.push(self.heading());
            lines.extend(rows(&counts));
            lines.extend(passes(&counts));
            if self.days.is_none() {
                lines.extend(table("by model", self.history.models.iter()));
            }
            let days = self.shown_days().map(|(day, counts)| (day.to_string(), counts));
            let days: Vec<_> = days.collect();
            lines.extend(table("by day", days.iter().map(|(day, counts)| (day, *counts))));
        }
        let switch = if self.enabled {
            "`stats = false` in your own agent.toml turns it off"
        } else {
            "counting is off (`stats = false`)"
        };
        lines.push(format!("kept in {}; nothing is sent; {switch}", self.file.display()));
        lines.join("\n")
    }

    fn heading(&self) -> String {
        match (self.days, self.history.since) {
            (Some(1), _) => format!("today, {}", self.today),
            (Some(days), _) => format!("the last {days} days, until {}", self.today),
            (None, Some(since)) => format!("since {since}"),
            (None, None) => "in all".to_owned(),
        }
    }

    fn counts(&self) -> Counts {
        self.days.map_or_else(
            || self.history.total.clone(),
            |days| self.history.last_days(days, self.today),
        )
    }

    /// The days asked for, the last one first; without a number, a week.
    fn shown_days(&self) -> impl Iterator<Item = (Day, &Counts)> {
        let first = self.today.before(self.days.unwrap_or(7) - 1);
        self.history.days.range(first..).rev().map(|(day, counts)| (*day, counts))
    }

    fn as_json(&self) -> Json {
        let first = self.today.before(self.days.unwrap_or(MOST_DAYS) - 1);
        let days = self.history.days.range(first..);
        let by_day: Map<String, Json> =
            days.map(|(day, counts)| (day.to_string(), as_json(counts))).collect();
        let models = self.history.models.iter().filter(|_| self.days.is_none());
        let by_model: Map<String, Json> =
            models.map(|(model, counts)| (model.clone(), as_json(counts))).collect();
        json!({
            "enabled": self.enabled,
            "file": self.file,
            "since": self.history.since,
            "days": self.days,
            "total": as_json(&self.counts()),
            "by_day": by_day,
            "by_model": by_model,
        })
    }
}

/// What is told of counts, line by line.
fn rows(counts: &Counts) -> Vec<String> {
    let row = |name: &str, value: String| format!("  {name:<14} {value}");
    let times = |times: &Histogram| match (times.quantile(0.5), times.quantile(0.95)) {
        (Some(p50), Some(p95)) => {
            format!("p50 {}, p95 {}", millis(p50.as_secs_f64()), millis(p95.as_secs_f64()))
        }
        _ => "none".to_owned(),
    };
    let answers = counts.cache_hits().saturating_add(counts.cache_misses());
    let mut rows = vec![
        row(
            "shown",
            format!(
                "{} suggestions, {} lines, {} characters",
                counts.shown, counts.shown_lines, counts.shown_characters
            ),
        ),
        row(
            "accepted",
            format!(
                "{}: {} whole, {} in part; {} characters",
                of(counts.accepted(), counts.shown),
                counts.accepted_whole,
                counts.accepted_part,
                counts.accepted_characters
            ),
        ),
        row("typed", of(counts.typed, counts.shown)),
        row(
            "still there",
            format!(
                "{} characters after 30 seconds; unchanged {}",
                of(counts.standing_characters, counts.looked_at_characters),
                of(counts.unchanged, counts.looked_at)
            ),
        ),
        row("latency", times(&counts.latency())),
    ];
    if counts.cached.count() > 0 && counts.computed.count() > 0 {
        rows.push(row("  by the model", times(&counts.computed)));
    }
    rows.extend([
        row("known before", format!("{} answers", of(counts.cache_hits(), answers))),
        row("no suggestion", format!("{} answers", of(counts.empty, answers))),
        row("given up", format!("{} requests, {} failed", counts.superseded, counts.failed)),
    ]);
    rows
}

fn passes(counts: &Counts) -> Vec<String> {
    if counts.passes.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("passes over {} raw answers", counts.candidates)];
    let mut passes: Vec<_> = counts.passes.iter().collect();
    passes.sort_by_key(|(_, pass)| std::cmp::Reverse(pass.cut.saturating_add(pass.dropped)));
    for (name, pass) in passes {
        let share = |count| share(count, counts.candidates);
        lines.push(format!(
            "  {name:<22} cut {:>6} ({:>5})   dropped {:>6} ({:>5})",
            pass.cut,
            share(pass.cut),
            pass.dropped,
            share(pass.dropped)
        ));
    }
    lines
}

fn table<'a>(title: &str, counted: impl Iterator<Item = (&'a String, &'a Counts)>) -> Vec<String> {
    let row = |[name, shown, accepted, p50, p95]: [&str; 5]| {
        format!("{name:<32} {shown:>8} {accepted:>9} {p50:>9} {p95:>9}")
    };
    let mut lines: Vec<String> = counted
        .map(|(name, counts)| {
            let times = counts.latency();
            let told = |quantile| {
                times.quantile(quantile).map_or("-".to_owned(), |time| millis(time.as_secs_f64()))
            };
            let accepted = share(counts.accepted(), counts.shown);
            row([
                &format!("  {name}"),
                &counts.shown.to_string(),
                &accepted,
                &told(0.5),
                &told(0.95),
            ])
        })
        .collect();
    if !lines.is_empty() {
        lines.insert(0, row([title, "shown", "accepted", "p50", "p95"]));
    }
    lines
}

/// `12 of 40 (30 %)`.
fn of(count: u64, all: u64) -> String {
    format!("{count} of {all} ({})", share(count, all))
}

fn share(count: u64, all: u64) -> String {
    if all == 0 { "-".to_owned() } else { format!("{:.0} %", 100.0 * count as f64 / all as f64) }
}

/// Two digits at least: `0.42 ms`, `4.2 ms`, `420 ms`, `4.2 s`.
fn millis(seconds: f64) -> String {
    match seconds * 1e3 {
        millis if millis < 1.0 => format!("{millis:.2} ms"),
        millis if millis < 10.0 => format!("{millis:.1} ms"),
        millis if millis < 1000.0 => format!("{millis:.0} ms"),
        _ => format!("{seconds:.1} s"),
    }
}

fn as_json(counts: &Counts) -> Json {
    let times = |times: &Histogram| {
        let quantile = |quantile| {
            let micros = times.quantile(quantile)?.as_secs_f64() * 1e6;
            Some(micros.round() / 1e3)
        };
        json!({"count": times.count(), "p50": quantile(0.5), "p95": quantile(0.95)})
    };
    let mut object = json!(counts);
    if let Some(object) = object.as_object_mut() {
        // The buckets are a matter of the file.
        object.remove("computed");
        object.remove("cached");
        object.insert("accepted".to_owned(), counts.accepted().into());
        object.insert("cache_hits".to_owned(), counts.cache_hits().into());
        object.insert("cache_misses".to_owned(), counts.cache_misses().into());
        object.insert("latency_ms".to_owned(), times(&counts.latency()));
        object.insert("computed_ms".to_owned(), times(&counts.computed));
        object.insert("cached_ms".to_owned(), times(&counts.cached));
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_shares_are_told_in_two_digits_or_more() {
        let told: Vec<String> = [0.000_42, 0.004_2, 0.042, 0.42, 4.2].map(millis).into();
        assert_eq!(told, ["0.42 ms", "4.2 ms", "42 ms", "420 ms", "4.2 s"]);
        assert_eq!(of(1, 3), "1 of 3 (33 %)");
        assert_eq!(of(0, 0), "0 of 0 (-)");
    }
}
