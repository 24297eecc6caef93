//! Completion at a cursor: context → prompt → engine → passes and gate.

mod gather;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{TaskError, Tools, chat, shown};
use crate::context::{self, Activity};
use crate::document::Document;
use crate::engine::{FimFamily, ModelInfo, Priority, Request, Sampling, Usage};
use crate::postprocess::completion;
pub use crate::postprocess::passes::{NAMES as PASSES, Passes};
use crate::postprocess::surroundings::Surroundings;
use crate::postprocess::{Applied, Place};
use crate::prompt::anchor::{self, Anchor, Cursor, Reuse, Step, Target};
use crate::prompt::fim::{FimFormat, Style};
use crate::prompt::pace::Pace;
use crate::prompt::{Prompt, Trace};
use crate::syntax::scope::Extent;
use crate::text::Span;
use gather::Limits;

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
    /// Longest time for the model's work; what it has written by then is all there is. None: as
    /// long as it takes.
    pub limit: Option<Duration>,
    /// What the user did before.
    pub activity: Activity,
    /// What is done to an answer before it is shown.
    pub passes: Passes,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            candidates: 1,
            max_tokens: 64,
            context_tokens: 2048,
            multi_line: true,
            priority: Priority::Interactive,
            limit: None,
            activity: Activity::default(),
            passes: Passes::default(),
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
    /// For each answer of the model, those that were dropped too, the passes that changed it.
    pub passed: Vec<Vec<Applied>>,
    /// Whether the time was up before the model had said everything.
    pub cut_short: bool,
    /// What the model's work cost.
    pub usage: Usage,
    /// Time from request to answer.
    pub total_time: Duration,
    /// What the prompt held and what was dropped.
    pub trace: Trace,
    /// The bytes a suggestion replaces: empty, at the cursor.
    pub span: Option<Span>,
}

/// A prompt that is ready for the model.
#[must_use]
#[derive(Debug, Clone)]
pub struct Prepared {
    /// It.
    pub prompt: Prompt,
    /// What the next prompt in this document can go on from, whatever comes of the answer.
    pub anchor: Option<Anchor>,
    /// Whether it goes on from an earlier one.
    pub reuse: Reuse,
    /// Time it took to build.
    pub build_time: Duration,
    offset: usize,
    max_tokens: usize,
}

/// Completes `document` at `offset`. Dropping the future cancels the generation.
pub async fn run(
    tools: &Tools,
    document: &Document,
    offset: usize,
    options: &Options,
) -> Result<Completion, TaskError> {
    if !may_be_completed(document, offset) {
        return Ok(Completion { span: Some(Span::empty(offset)), ..Completion::default() });
    }
    let prepared = prepare(tools, document, offset, options, None)?;
    answer(tools, document, prepared, options, &|_| {}).await
}

/// Whether anything can be put at `offset`; if not, no model need be asked.
pub fn may_be_completed(document: &Document, offset: usize) -> bool {
    let offset = document.text.floor_char_boundary(offset);
    let place = Place { text: &document.text, tree: document.tree.as_ref(), offset };
    place.splits_word() == Some(false)
}

/// Hears what the first candidate has said so far.
pub type Progress<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Builds the prompt for `document` at `offset`, going on from `earlier` where that still fits.
/// Reads files of the workspace.
pub fn prepare(
    tools: &Tools,
    document: &Document,
    offset: usize,
    options: &Options,
    earlier: Option<&Anchor>,
) -> Result<Prepared, TaskError> {
    let info = tools.engine.info();
    let style = style_of(info).ok_or_else(|| {
        TaskError::Model(format!(
            "model {} cannot fill in the middle; choose a code model that can (`agent model list` shows what there is)",
            info.name
        ))
    })?;
    prepare_as(tools, document, offset, options, (style, info.context_length), earlier)
}

/// How fast a model is guessed to read, as long as that was not measured.
pub fn pace(info: &ModelInfo) -> Pace {
    let on_gpu = ["cuda", "metal"].iter().any(|device| info.device.starts_with(device));
    Pace::guessed(info.parameters, !on_gpu)
}

/// How a model wants to be asked to fill in the middle, if it can.
pub fn style_of(info: &ModelInfo) -> Option<Style> {
    let format = format_of(info.fim?);
    Some(Style { format, repository_level: info.repository_level })
}

/// Builds the prompt as [`prepare`] does, in a given style and for a window of so many tokens,
/// whatever the model of `tools` can do: to be looked at.
pub fn prepare_as(
    tools: &Tools,
    document: &Document,
    offset: usize,
    options: &Options,
    (style, window): (Style, usize),
    earlier: Option<&Anchor>,
) -> Result<Prepared, TaskError> {
    let started = Instant::now();
    let offset = document.text.floor_char_boundary(offset);
    let info = tools.engine.info();
    let path = shown::check(tools, document)?;
    // An answer may take a quarter of a small model's window.
    let max_tokens = options.max_tokens.min(window / 4).max(1);
    let budget = options.context_tokens.min(window.saturating_sub(max_tokens));
    let known = tools.workspace.index().file_count();
    let target = Target { model: identity(info), style, budget, known };
    let Step { prompt, anchor, reuse } =
        next(tools, document, path, offset, &target, options, earlier);
    if prompt.pieces.is_empty() {
        return Err(TaskError::Model(format!(
            "a prompt of {budget} tokens is too small for model {}; allow more context tokens",
            info.name
        )));
    }
    let build_time = started.elapsed();
    Ok(Prepared { prompt, anchor, reuse, build_time, offset, max_tokens })
}

/// The prompt of `target` for `document` (as `path`) at `offset`.
fn next(
    tools: &Tools,
    document: &Document,
    path: PathBuf,
    offset: usize,
    target: &Target,
    options: &Options,
    earlier: Option<&Anchor>,
) -> Step {
    let cursor = Cursor { path: &document.path, text: &document.text, offset };
    let index = tools.workspace.index();
    let find = || {
        let activity =
            Activity { together: tools.workspace.changed_with(&path), ..options.activity.clone() };
        context::at(
            document,
            path,
            Span::empty(offset),
            context::Project {
                repository: tools.workspace.name(),
                index: &index,
                source: &|path| tools.workspace.text(path),
                activity: &activity,
            },
            target.budget,
        )
    };
    let version = |path: &Path| {
        let mut hasher = DefaultHasher::new();
        index.file(path).map(|file| file.hash).hash(&mut hasher);
        hasher.finish()
    };
    anchor::next(earlier, target, cursor, find, &version, &|text| tools.engine.count(text))
}

/// Tells one model from another.
pub fn identity(info: &ModelInfo) -> String {
    format!("{} {} {} {}", info.name, info.quantization, info.parameters, info.size)
}

/// Asks the model with a prompt that was built for `document`, telling `progress` what the first
/// candidate has said so far, before any pass. Dropping the future cancels the generation.
pub async fn answer(
    tools: &Tools,
    document: &Document,
    prepared: Prepared,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Completion, TaskError> {
    let started = Instant::now();
    let Prepared { prompt, offset, max_tokens, build_time, .. } = prepared;
    let span = Some(Span::empty(offset));
    let place = Place { text: &document.text, tree: document.tree.as_ref(), offset };
    let Some(around) = Surroundings::of(place, options.multi_line) else {
        return Ok(Completion { span, ..Completion::default() });
    };
    let request = Request {
        pieces: prompt.pieces.into_iter().map(chat::for_engine).collect(),
        candidates: options.candidates.max(1),
        max_tokens,
        stops: prompt.stops.into_iter().chain(stops(&around, options.passes)).collect(),
        sampling: Sampling { seed: tools.seed, ..Sampling::default() },
        heal: true,
        priority: options.priority,
    };
    let candidates = request.candidates;
    let generation = tools.engine.generate(request);
    let limits =
        Limits { candidates, time: options.limit, around: &around, passes: options.passes };
    let gathered = gather::gather(generation, limits, progress).await?;
    let index = tools.workspace.index();
    let (candidates, passed) = gather::best_first(gathered.answers, place, options, &index);
    Ok(Completion {
        candidates,
        passed,
        cut_short: gathered.cut_short,
        usage: gathered.usage,
        total_time: build_time + started.elapsed(),
        trace: prompt.trace,
        span,
    })
}

/// What may still be put at `offset` of `document` of `candidates` that were found earlier, or
/// elsewhere: each goes through the passes and the gate again.
pub fn fitting(
    document: &Document,
    offset: usize,
    candidates: &[Candidate],
    options: &Options,
) -> Vec<Candidate> {
    let place = Place { text: &document.text, tree: document.tree.as_ref(), offset };
    let mut fitting: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let (multi_line, passes) = (options.multi_line, options.passes);
        let text = completion::clean(&candidate.text, place, multi_line, passes).text;
        if !text.is_empty() && fitting.iter().all(|other| other.text != text) {
            fitting.push(Candidate { text, ..candidate.clone() });
        }
    }
    fitting
}

/// What ends every answer at this place, told to the engine so that it need not be generated.
fn stops(around: &Surroundings<'_>, passes: Passes) -> Option<String> {
    let one_line = !around.multi_line || around.extent == Extent::Literal;
    // At the start of a line an answer may begin with a line break.
    (passes.has("stop") && one_line && !around.starts_line()).then(|| "\n".to_owned())
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
