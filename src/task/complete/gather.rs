//! Collecting what the model says for a completion, and choosing from it.

use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use super::{Candidate, Options, Progress};
use crate::engine::{EngineError, Event, Finish, Generation, Usage};
use crate::postprocess::completion::{self, Cleaned, Written};
use crate::postprocess::passes::{GATE, Passes};
use crate::postprocess::surroundings::Surroundings;
use crate::postprocess::{Applied, Place, names};
use crate::workspace::index::Index;

/// When enough was said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits<'a> {
    /// Number of candidates.
    pub(super) candidates: usize,
    /// Longest time for all of it.
    pub(super) time: Option<Duration>,
    /// Where the answer goes: it says where an answer ends.
    pub(super) around: &'a Surroundings<'a>,
    /// What is done to it.
    pub(super) passes: Passes,
}

/// What the model said, before any pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    text: String,
    logprob: f32,
    tokens: usize,
    /// It has gone beyond what the place wants.
    past_end: bool,
    /// The engine has ended it, and why.
    finish: Option<Finish>,
}

/// What was collected.
#[derive(Debug)]
pub(super) struct Gathered {
    /// What each candidate has said.
    pub(super) answers: Vec<Answer>,
    /// What it cost.
    pub(super) usage: Usage,
    /// Whether the time was up before they had said everything.
    pub(super) cut_short: bool,
}

/// Collects the candidates. Once each has ended or gone beyond its end, or the time is up, the rest
/// is not waited for: dropping the generation cancels it.
pub(super) async fn gather(
    mut generation: Generation,
    limits: Limits<'_>,
    progress: Progress<'_>,
) -> Result<Gathered, EngineError> {
    let started = Instant::now();
    let until = limits.time.and_then(|time| tokio::time::Instant::now().checked_add(time));
    let mut read = Usage::default();
    let mut answers = vec![Answer::default(); limits.candidates];
    let mut written = vec![Written::new(limits.around, limits.passes); limits.candidates];
    let mut cut_short = false;
    loop {
        let event = match until {
            Some(until) => timeout_at(until, generation.next()).await,
            None => Ok(generation.next().await),
        };
        let Ok(event) = event else {
            cut_short = true;
            break;
        };
        match event.ok_or(EngineError::Stopped)? {
            Event::Read(usage) => read = usage,
            Event::Text { candidate, text, logprob, tokens } => {
                let (Some(answer), Some(written)) =
                    (answers.get_mut(candidate), written.get_mut(candidate))
                else {
                    continue;
                };
                answer.logprob += logprob;
                answer.tokens += tokens;
                if !answer.past_end {
                    answer.text.push_str(&text);
                    answer.past_end = written.is_finished(&answer.text);
                    if candidate == 0 {
                        progress(&answer.text);
                    }
                }
            }
            Event::Finished { candidate, reason } => {
                if let Some(answer) = answers.get_mut(candidate) {
                    answer.finish = Some(reason);
                }
            }
            Event::Done(usage) => return Ok(Gathered { answers, usage, cut_short }),
            Event::Failed(error) => return Err(error),
        }
        let wanted = |answer: &Answer| !answer.past_end && answer.finish.is_none();
        let running = answers.iter().any(|answer| answer.finish.is_none());
        if running && !answers.iter().any(wanted) {
            break;
        }
    }
    let usage = Usage {
        generated_tokens: answers.iter().map(|answer| answer.tokens).sum(),
        generation_time: started.elapsed().saturating_sub(read.prompt_time),
        ..read
    };
    Ok(Gathered { answers, usage, cut_short })
}

/// A cleaned answer as it is ranked.
struct Ranked {
    cleaned: Cleaned,
    /// Whether the gate changed it.
    gated: bool,
    /// Names it uses that nothing defines.
    unknown: usize,
    /// Mean log-probability per token.
    logprob: f32,
}

/// The distinct answers that survive the passes, by what the parser says, then by the names that
/// nothing defines, then by likelihood; and what the passes did to each answer, the others
/// included.
pub(super) fn best_first(
    answers: Vec<Answer>,
    place: Place<'_>,
    options: &Options,
    index: &Index,
) -> (Vec<Candidate>, Vec<Vec<Applied>>) {
    let answers: Vec<Answer> =
        answers.into_iter().filter(|answer| !answer.text.is_empty()).collect();
    // One answer has no rank.
    let ranks = answers.len() > 1;
    let known = |name: &str| index.term(name).is_some();
    let mut ranked: Vec<Ranked> = answers
        .into_iter()
        .map(|answer| {
            let text = whole_lines(&answer);
            let cleaned = completion::clean(text, place, options.multi_line, options.passes);
            let gated = cleaned.applied.iter().any(|applied| applied.pass == GATE);
            let unknown =
                if ranks { names::unknown(&cleaned.text, place, &known).names } else { 0 };
            let logprob = answer.logprob / answer.tokens.max(1) as f32;
            Ranked { cleaned, gated, unknown, logprob }
        })
        .collect();
    let passed = ranked.iter().map(|ranked| ranked.cleaned.applied.clone()).collect();
    ranked.retain(|ranked| !ranked.cleaned.text.is_empty());
    let verdict = |one: &Ranked| (one.cleaned.damage.faults, one.gated, one.unknown);
    ranked.sort_by(|a, b| verdict(a).cmp(&verdict(b)).then(b.logprob.total_cmp(&a.logprob)));
    let mut candidates: Vec<Candidate> = Vec::new();
    for Ranked { cleaned: Cleaned { text, applied, .. }, logprob, .. } in ranked {
        if candidates.iter().all(|candidate| candidate.text != text) {
            candidates.push(Candidate { text, logprob, applied });
        }
    }
    (candidates, passed)
}

/// The lines of an answer that were finished; an answer of one line is kept as it is.
fn whole_lines(answer: &Answer) -> &str {
    let cut_off = !matches!(answer.finish, Some(Finish::EndOfText | Finish::Stop));
    match answer.text.rsplit_once('\n') {
        Some((lines, _)) if cut_off && !answer.past_end && !lines.trim().is_empty() => lines,
        _ => &answer.text,
    }
}
