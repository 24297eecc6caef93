//! Fill-in-the-middle formats, one variant per model family.

use std::path::PathBuf;

use super::budget::{self, Choice, Earlier, Wanted};
use super::{Count, LeftOut, Marker, Piece, Shown, Trace, display};
use crate::context::{Context, Excerpt};

/// A family's format. Everything in angle brackets is a marker; the rest is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FimFormat {
    /// Qwen2.5-Coder: repository-level markers, prefix-suffix-middle.
    ///
    /// `<|repo_name|>NAME\n<|file_sep|>PATH\nTEXT\n<|file_sep|>PATH\n<|fim_prefix|>…<|fim_suffix|>…<|fim_middle|>`
    /// (QwenLM/Qwen3-Coder, issue 343: the README's repository-level format with the last file
    /// in the fill-in-the-middle format).
    Qwen,
    /// StarCoder2: repository-level markers, prefix-suffix-middle.
    ///
    /// `<repo_name>NAME<file_sep>PATH\nTEXT<file_sep><fim_prefix>PATH\n…<fim_suffix>…<fim_middle>`
    /// (StarCoder2 and The Stack v2, arXiv 2402.19173, §5.1: the path belongs to the file's text
    /// and so stands inside the prefix).
    StarCoder,
    /// DeepSeek-Coder: prefix, hole, suffix; one file.
    ///
    /// `<｜fim▁begin｜>…<｜fim▁hole｜>…<｜fim▁end｜>` (arXiv 2401.14196, §3.1). Its repository-level
    /// format is a comment with the file's name before each file, but it is documented only for
    /// completion at the end of a text, so other files are left out here.
    DeepSeek,
    /// CodeLlama: prefix-suffix-middle with spaces; one file.
    ///
    /// `▁<PRE> …▁<SUF>…▁<MID>`: a space stands before the prefix and none before the suffix, as
    /// SentencePiece's dummy prefix does (facebookresearch/codellama, `infilling_prompt_tokens`).
    CodeLlama,
}

impl FimFormat {
    /// Whether the family has markers for a repository and its files at all.
    fn has_repository_level(self) -> bool {
        matches!(self, Self::Qwen | Self::StarCoder)
    }

    /// How the family spells a marker, for people to read; models are given token ids.
    pub fn spelling(self, marker: Marker) -> &'static str {
        match (self, marker) {
            (_, Marker::Start) => "",
            (Self::Qwen, Marker::Prefix) => "<|fim_prefix|>",
            (Self::Qwen, Marker::Suffix) => "<|fim_suffix|>",
            (Self::Qwen, Marker::Middle) => "<|fim_middle|>",
            (Self::Qwen, Marker::Repository) => "<|repo_name|>",
            (Self::Qwen, Marker::File) => "<|file_sep|>",
            (Self::StarCoder, Marker::Prefix) => "<fim_prefix>",
            (Self::StarCoder, Marker::Suffix) => "<fim_suffix>",
            (Self::StarCoder, Marker::Middle) => "<fim_middle>",
            (Self::DeepSeek, Marker::Prefix) => "<｜fim▁begin｜>",
            (Self::DeepSeek, Marker::Suffix) => "<｜fim▁hole｜>",
            (Self::DeepSeek, Marker::Middle) => "<｜fim▁end｜>",
            (Self::CodeLlama, Marker::Prefix) => "<PRE>",
            (Self::CodeLlama, Marker::Suffix) => "<SUF>",
            (Self::CodeLlama, Marker::Middle) => "<MID>",
            (_, Marker::Repository) => "<repo_name>",
            (_, Marker::File) => "<file_sep>",
        }
    }
}

/// A prompt as people read it: markers as the family spells them.
pub fn spelled(pieces: &[Piece], format: FimFormat) -> String {
    let spelled = pieces.iter().map(|piece| match piece {
        Piece::Marker(marker) => format.spelling(*marker),
        Piece::Text(text) | Piece::Control(text) => text,
    });
    spelled.collect()
}

/// How a model wants to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Its family's format.
    pub format: FimFormat,
    /// Whether it was trained on repository markers; without them other files are left out and
    /// the trace says so.
    pub repository_level: bool,
}

impl Style {
    pub(super) fn shows_repository(self) -> bool {
        self.repository_level && self.format.has_repository_level()
    }
}

/// A prompt but for what is typed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame {
    /// All pieces up to and with the middle marker.
    pub(super) pieces: Vec<Piece>,
    /// What they cost and what was left out.
    pub(super) trace: Trace,
    /// The file, relative to the workspace.
    pub(super) path: PathBuf,
    /// The excerpts shown, as indices into the context's, in prompt order.
    pub(super) excerpts: Vec<usize>,
    /// Bytes of the file that were left out before the prefix.
    pub(super) before: usize,
    /// Bytes of the file that were left out after the suffix.
    pub(super) after: usize,
}

/// The frame of `context` in `style` within `budget` tokens. The last `typed` bytes of its prefix
/// are left for behind the middle marker. Of `earlier` what fits is kept.
///
/// Each marker counts as one token. `None` where the markers alone exceed the budget.
pub(super) fn frame(
    context: &Context,
    style: Style,
    typed: usize,
    earlier: Option<&Earlier>,
    budget: usize,
    count: Count<'_>,
) -> Option<Frame> {
    let prefix = without_end(&context.prefix, typed);
    let before = prefix.concat();
    let view = View { context, format: style.format, prefix: &prefix, before: &before };
    view.fitted(style.shows_repository(), earlier, budget, count).or_else(|| {
        // The repository's header does not fit: the file alone may.
        let mut frame = view.fitted(false, earlier, budget, count)?;
        if style.shows_repository() {
            let header = left_out("repository", "", (0, 0), None, "no room for its name and paths");
            frame.trace.dropped.insert(0, header);
        }
        Some(frame)
    })
}

/// `blocks` without the last `bytes` bytes.
fn without_end(blocks: &[String], mut bytes: usize) -> Vec<String> {
    let mut blocks = blocks.to_vec();
    while let Some(last) = blocks.last_mut() {
        let cut = bytes.min(last.len());
        last.truncate(last.len() - cut);
        bytes -= cut;
        if bytes == 0 {
            break;
        }
        blocks.pop();
    }
    blocks
}

/// Text of a prompt with what it is.
struct Part {
    piece: Piece,
    shown: Shown,
}

/// What a frame is made of.
struct View<'a> {
    context: &'a Context,
    format: FimFormat,
    /// The file before what is typed, in blocks and as one.
    prefix: &'a [String],
    before: &'a str,
}

impl View<'_> {
    /// The frame within `budget`, or `None` where even the empty one is larger.
    fn fitted(
        &self,
        repository: bool,
        earlier: Option<&Earlier>,
        budget: usize,
        count: Count<'_>,
    ) -> Option<Frame> {
        let excerpts: Vec<Wanted> =
            if repository { self.context.related.iter().map(wanted).collect() } else { Vec::new() };
        let cost =
            |parts: &[Part]| parts.iter().map(|part| piece_cost(&part.piece, count)).sum::<usize>();
        let overhead = cost(&self.assemble(repository, &Choice::default()));
        let mut allowance = budget.checked_sub(overhead)?;
        let cursor: usize = self.context.prefix.iter().map(String::len).sum();
        let suffix_cuts: Vec<usize> =
            self.context.cuts.iter().filter_map(|cut| cut.checked_sub(cursor)).collect();
        loop {
            let parts = budget::Parts {
                excerpts: &excerpts,
                markers_per_excerpt: 1,
                prefix: self.prefix,
                suffix: &self.context.suffix,
                prefix_cuts: &self.context.cuts,
                suffix_cuts: &suffix_cuts,
            };
            let choice = budget::choose(parts, earlier, allowance, count);
            let parts = self.assemble(repository, &choice);
            let total = cost(&parts);
            if total <= budget {
                return Some(self.framed(repository, &choice, parts, budget, count));
            }
            if allowance == 0 {
                return None;
            }
            // Joined, the pieces cost more than apart; ask for that much less.
            allowance = allowance.saturating_sub(total - budget);
        }
    }

    /// The pieces in the format's order.
    fn assemble(&self, repository: bool, choice: &Choice) -> Vec<Part> {
        let marker = |marker| Part { piece: Piece::Marker(marker), shown: Shown::default() };
        let plain = |kind, text: String, reason: &str| Part {
            piece: Piece::Text(text),
            shown: Shown { kind, reason: reason.to_owned(), ..Shown::default() },
        };
        let mut parts = vec![marker(Marker::Start)];
        if repository {
            let name = self.context.repository.replace(['\n', '\r'], " ");
            let name = if self.format == FimFormat::Qwen { name + "\n" } else { name };
            parts.push(marker(Marker::Repository));
            parts.push(plain("repository", name, "name of the repository"));
            for excerpt in choice.excerpts.iter().filter_map(|at| self.context.related.get(*at)) {
                parts.extend([marker(Marker::File), of_excerpt(excerpt)]);
            }
            parts.push(marker(Marker::File));
        }

        let mut path = plain("path", display(&self.context.path) + "\n", "name of the file");
        path.shown.path.clone_from(&self.context.path);
        let space = if self.format == FimFormat::CodeLlama { " " } else { "" };
        let prefix = self.of_file("prefix", format!("{space}{}", choice.prefix), choice);
        match (self.format, repository) {
            (FimFormat::Qwen, true) => parts.extend([path, marker(Marker::Prefix), prefix]),
            (FimFormat::StarCoder, true) => parts.extend([marker(Marker::Prefix), path, prefix]),
            _ => parts.extend([marker(Marker::Prefix), prefix]),
        }
        // DeepSeek's hole is the marker before the suffix and its end the one after it.
        parts.extend([
            marker(Marker::Suffix),
            self.of_file("suffix", choice.suffix.clone(), choice),
            marker(Marker::Middle),
        ]);
        parts.retain(|part| !matches!(&part.piece, Piece::Text(text) if text.is_empty()));
        parts
    }

    /// A part of the file itself.
    fn of_file(&self, kind: &'static str, text: String, choice: &Choice) -> Part {
        let lines = |text: &str| text.matches('\n').count() as u32;
        let (start, reason) = if kind == "prefix" {
            (lines(self.before) - lines(&choice.prefix), "the file before the cursor")
        } else {
            (lines(self.before), "the file after the cursor")
        };
        let shown = Shown {
            kind,
            path: self.context.path.clone(),
            start_line: start + 1,
            end_line: start + 1 + lines(text.strip_suffix('\n').unwrap_or(&text)),
            reason: reason.to_owned(),
            ..Shown::default()
        };
        Part { piece: Piece::Text(text), shown }
    }

    /// The frame of `parts` with what was used and what was left out.
    fn framed(
        &self,
        repository: bool,
        choice: &Choice,
        parts: Vec<Part>,
        budget: usize,
        count: Count<'_>,
    ) -> Frame {
        let mut trace = Trace { budget, ..Trace::default() };
        let mut pieces = Vec::with_capacity(parts.len());
        for Part { piece, shown } in parts {
            let tokens = piece_cost(&piece, count);
            if let Piece::Text(text) = &piece {
                trace.spend(shown.kind, tokens);
                trace.parts.push(Shown { tokens, text: text.clone(), ..shown });
            } else {
                trace.spend("markers", tokens);
            }
            pieces.push(piece);
        }

        let prefix = self.before;
        let suffix = self.context.suffix.concat();
        let before = prefix.len() - choice.prefix.len();
        let after = suffix.len() - choice.suffix.len();
        trace.dropped.extend(self.excerpts_left_out(repository, choice, count));
        trace.dropped.extend(self.context.dropped.iter().map(|dropped| {
            let lines = (dropped.start_line, dropped.end_line);
            let path = display(&dropped.path);
            left_out("related", &path, lines, Some(dropped.tokens), dropped.cause)
        }));
        let line = 1 + prefix.matches('\n').count() as u32;
        let lost = [
            ("prefix", prefix.get(..before).unwrap_or_default(), 1),
            (
                "suffix",
                suffix.get(choice.suffix.len()..).unwrap_or_default(),
                line + choice.suffix.matches('\n').count() as u32,
            ),
        ];
        let path = display(&self.context.path);
        for (kind, text, first) in lost.into_iter().filter(|(_, text, _)| !text.is_empty()) {
            let last = first + text.strip_suffix('\n').unwrap_or(text).matches('\n').count() as u32;
            let tokens = (text.len() <= COUNTED).then(|| count(text));
            trace.dropped.push(left_out(kind, &path, (first, last), tokens, "no room"));
        }
        let path = self.context.path.clone();
        Frame { pieces, trace, path, excerpts: choice.excerpts.clone(), before, after }
    }

    fn excerpts_left_out(
        &self,
        repository: bool,
        choice: &Choice,
        count: Count<'_>,
    ) -> Vec<LeftOut> {
        let left = self.context.related.iter().enumerate();
        left.filter(|(index, _)| !choice.excerpts.contains(index))
            .map(|(_, excerpt)| {
                let cause = if repository { "no room" } else { "the model knows no other files" };
                let lines = (excerpt.start_line, excerpt.end_line);
                let tokens = Some(count(&excerpt.text));
                left_out(excerpt.kind.name(), &display(&excerpt.path), lines, tokens, cause)
            })
            .collect()
    }
}

/// A text that was left out is not counted beyond this many bytes.
const COUNTED: usize = 16 << 10;

fn left_out(
    kind: &'static str,
    path: &str,
    (start_line, end_line): (u32, u32),
    tokens: Option<usize>,
    cause: &str,
) -> LeftOut {
    LeftOut { kind, path: path.into(), start_line, end_line, tokens, cause: cause.to_owned() }
}

pub(super) fn piece_cost(piece: &Piece, count: Count<'_>) -> usize {
    match piece {
        Piece::Marker(_) => 1,
        Piece::Text(text) | Piece::Control(text) => count(text),
    }
}

fn wanted(excerpt: &Excerpt) -> Wanted {
    Wanted { kind: excerpt.kind, score: excerpt.score, text: excerpt_text(excerpt) }
}

fn excerpt_text(excerpt: &Excerpt) -> String {
    format!("{}\n{}\n", display(&excerpt.path), excerpt.text.trim_end())
}

fn of_excerpt(excerpt: &Excerpt) -> Part {
    let shown = Shown {
        kind: excerpt.kind.name(),
        path: excerpt.path.clone(),
        start_line: excerpt.start_line,
        end_line: excerpt.end_line,
        reason: excerpt.reason.clone(),
        ..Shown::default()
    };
    Part { piece: Piece::Text(excerpt_text(excerpt)), shown }
}

#[cfg(test)]
mod tests;
