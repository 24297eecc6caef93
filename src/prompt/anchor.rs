//! Prompts that only grow while somebody types in one place.
//!
//! When a prompt is made at a place, everything before the middle marker is frozen: repository,
//! excerpts, the file before the cursor's line, the file after the cursor. What is typed from then
//! on stands behind the middle marker, as if the model had begun to write it, so that a keystroke
//! changes nothing but the end of the prompt and a KV cache has all the rest. That goes on over line
//! breaks, until more was typed than was left room for.
//!
//! Brackets and quotes that an editor closes by itself, and the line break it puts before one,
//! change what follows the cursor. They are left out of the frozen suffix on purpose: the model
//! writes them itself, and the passes over its answer drop what the file has already.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::budget::{self, Earlier};
use super::fim::{self, Frame, Style};
use super::{Count, LeftOut, Piece, Prompt, Shown, Trace};
use crate::context::{Context, Excerpt};

/// The most that an editor is taken to have closed by itself, in bytes.
const MOST_CLOSED: usize = 64;
/// An excerpt stays when it holds this many percent of the lines that are wanted now.
const ENOUGH: usize = 66;

/// What a prompt is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The model, by whatever tells it from others.
    pub model: String,
    /// How it wants to be asked.
    pub style: Style,
    /// Tokens for the prompt.
    pub budget: usize,
    /// Number of files of the project that are known.
    pub known: usize,
}

/// Tells one version of a file (path relative to the workspace) from another.
pub type Version<'a> = &'a dyn Fn(&Path) -> u64;

/// A cursor in a file.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    /// The file.
    pub path: &'a Path,
    /// Its text.
    pub text: &'a Arc<str>,
    /// The cursor's offset, at a character's boundary.
    pub offset: usize,
}

/// What stays of a prompt while somebody types on. Never changes; cheap to clone.
#[derive(Debug, Clone)]
pub struct Anchor {
    frozen: Arc<Frozen>,
}

#[derive(Debug)]
struct Frozen {
    target: Target,
    path: PathBuf,
    /// The file when the prompt was made.
    text: Arc<str>,
    /// Where what is typed begins.
    start: usize,
    /// Where the cursor was, and the suffix began.
    end: usize,
    frame: Frame,
    /// The excerpts shown, each with the version of its file.
    excerpts: Vec<(Excerpt, u64)>,
}

/// Whether a prompt goes on from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// Only what is typed is new.
    Kept,
    /// It was made anew.
    Renewed(Why),
}

/// Why a prompt was made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There was none.
    First,
    /// It is for another model, or a much smaller budget.
    Target,
    /// It is for another file.
    File,
    /// Much more of the project is known now.
    Known,
    /// The cursor went elsewhere.
    Moved,
    /// Something changed before the place.
    Before,
    /// Something changed after the cursor.
    After,
    /// More was typed than there was room for.
    Full,
}

impl Reuse {
    /// In words, for traces.
    pub fn words(self) -> &'static str {
        match self {
            Self::Kept => "kept: only what was typed is new",
            Self::Renewed(Why::First) => "new: the first prompt here",
            Self::Renewed(Why::Target) => "new: another model or budget",
            Self::Renewed(Why::File) => "new: another file",
            Self::Renewed(Why::Known) => "new: much more of the project is known",
            Self::Renewed(Why::Moved) => "new: the cursor went elsewhere",
            Self::Renewed(Why::Before) => "new: the text before changed",
            Self::Renewed(Why::After) => "new: the text after the cursor changed",
            Self::Renewed(Why::Full) => "new: enough was typed",
        }
    }
}

/// A prompt and what the next one can go on from.
#[derive(Debug, Clone)]
pub struct Step {
    /// The prompt; without pieces where the budget does not even hold the markers.
    pub prompt: Prompt,
    /// For the next prompt in this file.
    pub anchor: Option<Anchor>,
    /// What came of the earlier one.
    pub reuse: Reuse,
}

/// The prompt at `cursor`, going on from `earlier` if that still fits; else from the context that
/// `context` finds for the cursor. The end of an answer is a token in every family, so there are no
/// stop texts.
pub fn next(
    earlier: Option<&Anchor>,
    target: &Target,
    cursor: Cursor<'_>,
    context: impl FnOnce() -> Context,
    version: Version<'_>,
    count: Count<'_>,
) -> Step {
    let why = match earlier.map(|anchor| anchor.typed(target, cursor, count)) {
        Some(Ok(typed)) => {
            let anchor = earlier.cloned();
            let prompt = earlier.map(|anchor| anchor.prompt(typed, count)).unwrap_or_default();
            return Step { prompt, anchor, reuse: Reuse::Kept };
        }
        Some(Err(why)) => why,
        None => Why::First,
    };
    let reuse = Reuse::Renewed(why);
    let context = context();
    let Some(anchor) = Anchor::new(earlier, target, cursor, context, version, count) else {
        let dropped = vec![LeftOut {
            kind: "everything",
            path: PathBuf::new(),
            start_line: 0,
            end_line: 0,
            tokens: None,
            cause: "the markers alone exceed the budget".to_owned(),
        }];
        let trace = Trace { budget: target.budget, dropped, ..Trace::default() };
        return Step { prompt: Prompt { trace, ..Prompt::default() }, anchor: None, reuse };
    };
    let typed = cursor.text.get(anchor.frozen.start..cursor.offset).unwrap_or_default();
    Step { prompt: anchor.prompt(typed, count), anchor: Some(anchor), reuse }
}

impl Anchor {
    fn new(
        earlier: Option<&Anchor>,
        target: &Target,
        cursor: Cursor<'_>,
        mut context: Context,
        version: Version<'_>,
        count: Count<'_>,
    ) -> Option<Self> {
        let room = budget::typed(target.budget);
        let before = cursor.text.get(..cursor.offset).unwrap_or_default();
        let typed = budget::end_within(line_so_far(before), room, count);
        let start = before.len() - typed.len();
        let earlier =
            earlier.and_then(|anchor| anchor.stays(target, cursor, &mut context.related, version));
        let budget = target.budget - room;
        let frame =
            fim::frame(&context, target.style, typed.len(), earlier.as_ref(), budget, count)?;
        let shown = frame.excerpts.iter().filter_map(|at| context.related.get(*at));
        let excerpts = shown.map(|excerpt| (excerpt.clone(), version(&excerpt.path))).collect();
        let frozen = Frozen {
            target: target.clone(),
            path: cursor.path.to_owned(),
            text: Arc::clone(cursor.text),
            start,
            end: cursor.offset,
            frame,
            excerpts,
        };
        Some(Self { frozen: Arc::new(frozen) })
    }

    /// What was typed since, or why that is not all that happened.
    fn typed<'a>(
        &self,
        target: &Target,
        cursor: Cursor<'a>,
        count: Count<'_>,
    ) -> Result<&'a str, Why> {
        let frozen = &*self.frozen;
        let same = (&frozen.target.model, frozen.target.style) == (&target.model, target.style);
        if !same || frozen.target.budget > target.budget.saturating_mul(2) {
            return Err(Why::Target);
        }
        if frozen.path != cursor.path {
            return Err(Why::File);
        }
        // The index is still being built.
        if target.style.shows_repository() && frozen.target.known.saturating_mul(2) < target.known {
            return Err(Why::Known);
        }
        if frozen.text.get(..frozen.start) != cursor.text.get(..frozen.start) {
            return Err(Why::Before);
        }
        let typed = cursor.text.get(frozen.start..cursor.offset).ok_or(Why::Moved)?;
        let after = cursor.text.get(cursor.offset..).unwrap_or_default();
        let suffix = frozen.text.get(frozen.end..).unwrap_or_default();
        let closed = after
            .strip_suffix(suffix)
            .ok_or_else(|| if frozen.text == *cursor.text { Why::Moved } else { Why::After })?;
        if !is_closed_by_an_editor(closed) {
            return Err(if frozen.text == *cursor.text { Why::Moved } else { Why::After });
        }
        let room = budget::typed(frozen.target.budget);
        let fits = budget::fits(typed, room, count);
        if fits { Ok(typed) } else { Err(Why::Full) }
    }

    /// The prompt with `typed` behind the middle marker.
    fn prompt(&self, typed: &str, count: Count<'_>) -> Prompt {
        let frozen = &*self.frozen;
        let mut pieces = frozen.frame.pieces.clone();
        let mut trace = frozen.frame.trace.clone();
        trace.budget = frozen.target.budget;
        if !typed.is_empty() {
            let piece = Piece::Text(typed.to_owned());
            let tokens = fim::piece_cost(&piece, count);
            let lines = |text: &str| text.matches('\n').count() as u32;
            let line = 1 + lines(frozen.text.get(..frozen.start).unwrap_or_default());
            trace.spend("typed", tokens);
            trace.parts.push(Shown {
                kind: "typed",
                path: frozen.frame.path.clone(),
                start_line: line,
                end_line: line + lines(typed),
                tokens,
                reason: "typed here, up to the cursor".to_owned(),
                text: typed.to_owned(),
            });
            pieces.push(piece);
        }
        Prompt { pieces, stops: Vec::new(), trace }
    }

    /// What today's prompt can keep of this one. The excerpts that stay come first in `found`
    /// afterwards, in their order: those of unchanged files whose place among what was found now is
    /// taken by one that says little else.
    fn stays(
        &self,
        target: &Target,
        cursor: Cursor<'_>,
        found: &mut Vec<Excerpt>,
        version: Version<'_>,
    ) -> Option<Earlier> {
        let frozen = &*self.frozen;
        if frozen.target.model != target.model || frozen.target.style != target.style {
            return None;
        }
        let mut staying = Vec::new();
        for (known, known_version) in &frozen.excerpts {
            let says_as_much = |new: &Excerpt| {
                (new.kind, &new.path) == (known.kind, &known.path) && covers(known, new)
            };
            if version(&known.path) != *known_version || !found.iter().any(says_as_much) {
                continue;
            }
            found.retain(|new| !says_as_much(new));
            staying.push(known.clone());
        }
        let excerpts = staying.len();
        staying.append(found);
        *found = staying;
        let (before, after) = self.cuts(cursor).unwrap_or_default();
        Some(Earlier { excerpts, before, after })
    }

    /// Where the prefix began and the suffix ended, in today's text: bytes from its start and its
    /// end. `None` where that is changed.
    fn cuts(&self, cursor: Cursor<'_>) -> Option<(usize, usize)> {
        let (old, new) = (&*self.frozen.text, &**cursor.text);
        if self.frozen.path != cursor.path {
            return None;
        }
        let same_start = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
        let same_end = old.bytes().rev().zip(new.bytes().rev()).take_while(|(a, b)| a == b).count();
        // An offset in the old text that lies before or after all that changed.
        let now = |offset: usize| {
            if offset <= same_start {
                Some(offset)
            } else {
                let from_end = old.len().checked_sub(offset).filter(|bytes| *bytes <= same_end)?;
                new.len().checked_sub(from_end)
            }
        };
        let before = now(self.frozen.frame.before)?;
        let end = now(old.len().checked_sub(self.frozen.frame.after)?)?;
        Some((before, new.len() - end))
    }
}

/// Whether `known` holds nearly all lines of `new`.
fn covers(known: &Excerpt, new: &Excerpt) -> bool {
    if known.text == new.text {
        return true;
    }
    let lines: HashSet<&str> = known.text.lines().map(str::trim).collect();
    let wanted = || new.text.lines().map(str::trim).filter(|line| !line.is_empty());
    let there = wanted().filter(|line| lines.contains(line)).count();
    there * 100 >= wanted().count() * ENOUGH
}

/// What of the last line of `before` comes after its indentation. Models that were trained on whole
/// lines go on with the line instead of starting another.
fn line_so_far(before: &str) -> &str {
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.trim_start_matches([' ', '\t'])
}

/// Whether a text is what editors put behind the cursor by themselves: closing brackets and quotes,
/// with the line break and indentation before a bracket.
pub fn is_closed_by_an_editor(text: &str) -> bool {
    let closes = |c: char| matches!(c, ')' | ']' | '}' | '>' | '"' | '\'' | '`');
    text.len() <= MOST_CLOSED && text.chars().all(|c| closes(c) || c.is_whitespace())
}

#[cfg(test)]
mod tests;
