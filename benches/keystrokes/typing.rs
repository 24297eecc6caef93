//! An editor that somebody types a known text into, and what each keystroke makes a model read.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use agent::context::{self, Activity, Project};
use agent::document::{Change, Document};
use agent::engine::tokenizer::Tokenizer;
use agent::prompt::Piece;
use agent::prompt::anchor::{self, Anchor, Cursor, Reuse, Step, Target};
use agent::prompt::fim::{FimFormat, Style};
use agent::text::Span;
use agent::text::line_index::Encoding;
use agent::workspace::Workspace;

/// What a keystroke was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// A character within a line.
    Character,
    /// A line break, with the indentation that an editor adds.
    LineBreak,
    /// The first at a new place.
    Place,
}

/// A file being edited.
pub(crate) struct Editor {
    /// Its text.
    pub(crate) text: String,
    /// The cursor.
    pub(crate) cursor: usize,
    /// Whether brackets and quotes are closed by the editor.
    pub(crate) closes: bool,
    /// What it closed and nobody has typed over yet, innermost last.
    closed: Vec<char>,
}

impl Editor {
    /// An editor with the cursor at an offset.
    pub(crate) fn new(text: String, cursor: usize, closes: bool) -> Self {
        Self { text, cursor, closes, closed: Vec::new() }
    }

    /// Types all of `wanted` at the cursor, telling of each keystroke after it has happened. What
    /// stands there in the end is `wanted`, however the editor helped.
    pub(crate) fn type_text(&mut self, wanted: &str, mut each: impl FnMut(&Self, Key)) {
        let start = self.cursor;
        let mut rest = wanted;
        while let Some(next) = rest.chars().next() {
            let typed = if next == '\n' { self.line_break(rest) } else { self.character(next) };
            let key = if rest[..typed].contains('\n') { Key::LineBreak } else { Key::Character };
            rest = &rest[typed..];
            each(self, key);
        }
        self.closed.clear();
        assert_eq!(&self.text[start..self.cursor], wanted, "typed as wanted");
    }

    /// A character; returns how many bytes of the wanted text are there with it.
    fn character(&mut self, next: char) -> usize {
        if self.closed.last() == Some(&next) && self.text[self.cursor..].starts_with(next) {
            self.closed.pop();
        } else {
            self.text.insert(self.cursor, next);
            let open = |c: char| !self.text[self.cursor + next.len_utf8()..].starts_with(c);
            let closer = match next {
                '(' => Some(')'),
                '[' => Some(']'),
                '{' => Some('}'),
                '"' if open('"') => Some('"'),
                _ => None,
            };
            if let Some(closer) = closer.filter(|_| self.closes) {
                self.text.insert(self.cursor + next.len_utf8(), closer);
                self.closed.push(closer);
            }
        }
        self.cursor += next.len_utf8();
        next.len_utf8()
    }

    /// A line break with the next line's indentation; before a bracket that the editor closed it
    /// makes a line for that, too. Where the wanted text goes on with such a bracket on a line of
    /// its own, the cursor moves there.
    fn line_break(&mut self, rest: &str) -> usize {
        let indentation = rest[1..].len() - rest[1..].trim_start_matches([' ', '\t']).len();
        let typed = &rest[..=indentation];
        let after = &self.text[self.cursor..];
        if let Some(closer) = self.closed.last()
            && after.starts_with(typed)
            && after[typed.len()..].starts_with(*closer)
            && rest[typed.len()..].starts_with(*closer)
        {
            let length = typed.len() + closer.len_utf8();
            self.closed.pop();
            self.cursor += length;
            return length;
        }
        if let Some(closer) = self.closed.last().filter(|closer| after.starts_with(**closer)) {
            let outer = self.text[..self.cursor].rsplit('\n').next().unwrap_or_default();
            let outer = &outer[..outer.len() - outer.trim_start().len()];
            let more = format!("\n{outer}");
            // Only brackets around blocks get a line of their own.
            if *closer == '}' {
                self.text.insert_str(self.cursor, &more);
            }
        }
        self.text.insert_str(self.cursor, typed);
        self.cursor += typed.len();
        typed.len()
    }
}

/// Counts and spells tokens, remembering long texts.
pub(crate) struct Tokens {
    tokenizer: Tokenizer,
    known: Mutex<HashMap<String, Arc<[u32]>>>,
}

impl Tokens {
    /// With this tokenizer.
    pub(crate) fn new(tokenizer: Tokenizer) -> Self {
        Self { tokenizer, known: Mutex::default() }
    }

    fn of(&self, text: &str) -> Arc<[u32]> {
        if text.len() < 64 {
            return self.tokenizer.encode(text).into();
        }
        if let Some(known) = self.known.lock().ok().and_then(|known| known.get(text).cloned()) {
            return known;
        }
        let tokens: Arc<[u32]> = self.tokenizer.encode(text).into();
        if let Ok(mut known) = self.known.lock() {
            if known.len() > 20_000 {
                known.clear();
            }
            known.insert(text.to_owned(), Arc::clone(&tokens));
        }
        tokens
    }

    /// Number of tokens.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.of(text).len()
    }

    /// The tokens of a prompt, spelled as the engine does: texts between two markers as one.
    pub(crate) fn spell(&self, pieces: &[Piece]) -> Vec<u32> {
        let mut tokens = Vec::new();
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(more) | Piece::Control(more) => text.push_str(more),
                Piece::Marker(marker) => {
                    tokens.extend(self.of(&std::mem::take(&mut text)).iter());
                    // Vocabulary files without weights may lack the markers' spellings.
                    tokens.push(u32::MAX - *marker as u32);
                }
            }
        }
        tokens.extend(self.of(&text).iter());
        tokens
    }
}

/// Prompts of one file, one after the other.
pub(crate) struct Prompts<'a> {
    workspace: &'a Workspace,
    tokens: &'a Tokens,
    path: PathBuf,
    target: Target,
    /// Whether each prompt may go on from the one before.
    keeps: bool,
    document: Option<Document>,
    anchor: Option<Anchor>,
    last: Vec<u32>,
}

/// What one prompt came to.
pub(crate) struct Cost {
    /// Tokens of the prompt.
    pub(crate) tokens: usize,
    /// How many of them were not in the prompt before it, the last one always.
    pub(crate) fresh: usize,
    /// Whether it goes on from the one before.
    pub(crate) reuse: Reuse,
}

impl<'a> Prompts<'a> {
    /// Prompts of a file (path relative to the workspace) for a model of the Qwen family, after those
    /// of another file.
    pub(crate) fn new(
        workspace: &'a Workspace,
        tokens: &'a Tokens,
        path: PathBuf,
        budget: usize,
        keeps: bool,
        before: Option<Self>,
    ) -> Self {
        let style = Style { format: FimFormat::Qwen, repository_level: true };
        let target = Target { model: "qwen".to_owned(), style, budget, known: 1 };
        let (anchor, last) = before.map(|before| (before.anchor, before.last)).unwrap_or_default();
        Self { workspace, tokens, path, target, keeps, document: None, anchor, last }
    }

    /// The prompt at the editor's cursor.
    pub(crate) fn at(&mut self, editor: &Editor) -> Cost {
        let version = self.document.as_ref().map_or(0, |document| document.version + 1);
        let change = [Change::Full(editor.text.clone())];
        let changed = self
            .document
            .as_ref()
            .and_then(|document| document.changed(version, &change, Encoding::Utf8).ok());
        let path = self.workspace.root().join(&self.path);
        let document =
            changed.unwrap_or_else(|| Document::new(path, None, version, editor.text.clone()));
        let index = self.workspace.index();
        let offset = editor.cursor;
        let cursor = Cursor { path: &document.path, text: &document.text, offset };
        let find = || {
            let project = Project {
                repository: self.workspace.name(),
                index: &index,
                source: &|path: &Path| self.workspace.text(path),
                activity: &Activity::default(),
            };
            let (path, span) = (self.path.clone(), Span::empty(offset));
            context::at(&document, path, span, project, self.target.budget)
        };
        let earlier = self.anchor.take().filter(|_| self.keeps);
        let Step { prompt, anchor, reuse } =
            anchor::next(earlier.as_ref(), &self.target, cursor, find, &|_| 0, &|text| {
                self.tokens.count(text)
            });
        let tokens = self.tokens.spell(&prompt.pieces);
        let shared = tokens.iter().zip(&self.last).take_while(|(a, b)| a == b).count();
        let fresh = (tokens.len() - shared).max(1);
        let cost = Cost { tokens: tokens.len(), fresh, reuse };
        self.last = tokens;
        self.anchor = anchor;
        self.document = Some(document);
        cost
    }
}

/// The value that this percentage of `values` does not exceed.
pub(crate) fn percentile(values: &mut [usize], percent: usize) -> usize {
    values.sort_unstable();
    let last = values.len().saturating_sub(1);
    values.get(last * percent / 100).copied().unwrap_or_default()
}
