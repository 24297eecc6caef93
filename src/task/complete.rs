//! Completion at a cursor: context → prompt → engine → passes and gate.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{TaskError, Tools, chat};
use crate::context;
use crate::document::Document;
use crate::engine::{
    EngineError, Event, FimFamily, Finish, Generation, Priority, Request, Sampling, Usage,
};
use crate::postprocess::completion::{self, Cleaned};
use crate::postprocess::surroundings::Surroundings;
use crate::postprocess::{Applied, Place};
use crate::prompt::fim::{self, FimFormat};
use crate::prompt::{Prompt, Trace};
use crate::syntax::scope::Extent;
use crate::text::Span;
use crate::workspace::secret;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many candidates to sample.
    pub candidates: usize,
    /// Longest answer in tokens.
    pub max_tokens: usize,
    /// Tokens for the prompt.
    pub context_tokens: usize,
    /// Several lines where the syntax allows it.
    pub multi_line: bool,
    /// Who waits: part of a longer task gives way to a suggestion at the cursor.
    pub priority: Priority,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            candidates: 1,
            max_tokens: 64,
            context_tokens: 2048,
            multi_line: true,
            priority: Priority::Interactive,
        }
    }
}

/// One suggestion.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// What to insert at the cursor.
    pub text: String,
    /// Mean log-probability per token of the raw answer.
    pub logprob: f32,
    /// The passes that changed it.
    pub applied: Vec<Applied>,
}

/// The answer; candidates best first, distinct, none of which adds a parse error.
#[derive(Debug, Clone, Default)]
pub struct Completion {
    /// The suggestions.
    pub candidates: Vec<Candidate>,
    /// What the model's work cost. Where generation was stopped early because the answer had gone
    /// beyond its end, the prompt is counted without what the KV cache held.
    pub usage: Usage,
    /// Time from request to answer.
    pub total_time: Duration,
    /// What the prompt held and what was dropped.
    pub trace: Trace,
    /// The bytes a suggestion replaces: empty, at the cursor.
    pub span: Option<Span>,
}

/// Completes `document` at `offset`. Dropping the future cancels the generation.
pub async fn run(
    tools: &Tools,
    document: &Document,
    offset: usize,
    options: &Options,
) -> Result<Completion, TaskError> {
    let started = Instant::now();
    let offset = document.text.floor_char_boundary(offset);
    let place = Place { text: &document.text, tree: document.tree.as_ref(), offset };
    let Some(around) = Surroundings::of(place, options.multi_line) else {
        return Ok(Completion::default());
    };
    // Nothing can be put there, so the model need not be asked.
    if around.splits_word() {
        return Ok(Completion { span: Some(Span::empty(offset)), ..Completion::default() });
    }
    let (prompt, max_tokens) = prompt(tools, document, offset, options)?;
    let request = Request {
        pieces: prompt.pieces.into_iter().map(chat::for_engine).collect(),
        candidates: options.candidates.max(1),
        max_tokens,
        stops: prompt.stops.into_iter().chain(stops(&around)).collect(),
        sampling: Sampling { seed: tools.seed, ..Sampling::default() },
        heal: true,
        priority: options.priority,
    };
    let candidates = request.candidates;
    let (answers, mut usage) = gather(tools.engine.generate(request), candidates, &around).await?;
    if usage.prompt_tokens == 0 {
        usage.prompt_tokens = prompt.trace.used.iter().map(|(_, tokens)| tokens).sum();
    }
    Ok(Completion {
        candidates: best_first(answers, place, options.multi_line),
        usage,
        total_time: started.elapsed(),
        trace: prompt.trace,
        span: Some(Span::empty(offset)),
    })
}

/// The prompt and how many tokens an answer may have, within what the model can hold.
fn prompt(
    tools: &Tools,
    document: &Document,
    offset: usize,
    options: &Options,
) -> Result<(Prompt, usize), TaskError> {
    let info = tools.engine.info();
    let family = info.fim.ok_or_else(|| {
        TaskError::Model(format!(
            "model {} cannot fill in the middle; choose a code model that can (`agent model list` shows what there is)",
            info.name
        ))
    })?;
    let relative = tools.workspace.relative(&document.path);
    let path = relative.unwrap_or_else(|| {
        document.path.file_name().map_or_else(|| PathBuf::from("file"), PathBuf::from)
    });
    if secret::is_secret_path(&path) {
        return Err(TaskError::Target(format!(
            "{}: may hold secrets, so no model is shown it",
            document.path.display()
        )));
    }
    // An answer may take a quarter of a small model's window.
    let max_tokens = options.max_tokens.min(info.context_length / 4).max(1);
    let budget = options.context_tokens.min(info.context_length.saturating_sub(max_tokens));
    let project = context::Project {
        repository: tools.workspace.name(),
        index: &tools.workspace.index(),
        source: &|_| None,
        activity: &context::Activity::default(),
    };
    let context = context::at(document, path, Span::empty(offset), project, budget);
    let prompt = fim::render(&context, format_of(family), info.repository_level, budget, &|text| {
        tools.engine.count(text)
    });
    if prompt.pieces.is_empty() {
        return Err(TaskError::Model(format!(
            "a prompt of {budget} tokens is too small for model {}; allow more context tokens",
            info.name
        )));
    }
    Ok((prompt, max_tokens))
}

/// What ends every answer at this place, told to the engine so that it need not be generated.
fn stops(around: &Surroundings<'_>) -> Option<String> {
    let one_line = !around.multi_line || around.extent == Extent::Literal;
    // At the start of a line an answer may begin with a line break.
    (one_line && !around.starts_line()).then(|| "\n".to_owned())
}

/// What the model said, before any pass.
#[derive(Debug, Clone, Default)]
struct Answer {
    text: String,
    logprob: f32,
    tokens: usize,
    /// It has gone beyond what the place wants.
    past_end: bool,
    /// The engine has ended it, and why.
    finish: Option<Finish>,
}

/// Collects the candidates. Once each has ended or gone beyond its end, the rest is not waited
/// for: dropping the generation cancels it.
async fn gather(
    mut generation: Generation,
    candidates: usize,
    around: &Surroundings<'_>,
) -> Result<(Vec<Answer>, Usage), EngineError> {
    let started = Instant::now();
    let mut first: Option<Duration> = None;
    let mut answers = vec![Answer::default(); candidates];
    loop {
        match generation.next().await.ok_or(EngineError::Stopped)? {
            Event::Text { candidate, text, logprob, tokens } => {
                first.get_or_insert_with(|| started.elapsed());
                let Some(answer) = answers.get_mut(candidate) else { continue };
                answer.logprob += logprob;
                answer.tokens += tokens;
                if !answer.past_end {
                    answer.text.push_str(&text);
                    answer.past_end = completion::is_finished(&answer.text, around);
                }
            }
            Event::Finished { candidate, reason } => {
                if let Some(answer) = answers.get_mut(candidate) {
                    answer.finish = Some(reason);
                }
            }
            Event::Done(usage) => return Ok((answers, usage)),
            Event::Failed(error) => return Err(error),
        }
        let wanted = |answer: &Answer| !answer.past_end && answer.finish.is_none();
        let running = answers.iter().any(|answer| answer.finish.is_none());
        if running && !answers.iter().any(wanted) {
            break;
        }
    }
    let prompt_time = first.unwrap_or_default();
    let usage = Usage {
        generated_tokens: answers.iter().map(|answer| answer.tokens).sum(),
        prompt_time,
        generation_time: started.elapsed().saturating_sub(prompt_time),
        ..Usage::default()
    };
    Ok((answers, usage))
}

/// The distinct answers that survive the passes, by what the parser says, then by likelihood.
fn best_first(answers: Vec<Answer>, place: Place<'_>, multi_line: bool) -> Vec<Candidate> {
    let mut cleaned: Vec<(Cleaned, f32)> = answers
        .into_iter()
        .map(|answer| {
            let mean = answer.logprob / answer.tokens.max(1) as f32;
            (completion::clean(whole_lines(&answer), place, multi_line), mean)
        })
        .filter(|(cleaned, _)| !cleaned.text.is_empty())
        .collect();
    let gated = |cleaned: &Cleaned| cleaned.applied.iter().any(|applied| applied.pass == "gate");
    cleaned.sort_by(|(a, a_mean), (b, b_mean)| {
        (a.damage.faults, gated(a)).cmp(&(b.damage.faults, gated(b))).then(b_mean.total_cmp(a_mean))
    });
    let mut candidates: Vec<Candidate> = Vec::new();
    for (Cleaned { text, applied, .. }, logprob) in cleaned {
        if candidates.iter().all(|candidate| candidate.text != text) {
            candidates.push(Candidate { text, logprob, applied });
        }
    }
    candidates
}

/// The lines of an answer that were finished; an answer of one line is kept as it is.
fn whole_lines(answer: &Answer) -> &str {
    let cut_off = matches!(answer.finish, Some(Finish::Length | Finish::ContextFull));
    match answer.text.rsplit_once('\n') {
        Some((lines, _)) if cut_off && !answer.past_end && !lines.trim().is_empty() => lines,
        _ => &answer.text,
    }
}

/// The prompt format of a model family. The engine and the prompts do not know each other.
fn format_of(family: FimFamily) -> FimFormat {
    match family {
        FimFamily::Qwen => FimFormat::Qwen,
        FimFamily::StarCoder => FimFormat::StarCoder,
        FimFamily::DeepSeek => FimFormat::DeepSeek,
        FimFamily::CodeLlama => FimFormat::CodeLlama,
    }
}
