//! SentencePiece as llama.cpp runs it: the best-scored neighbours merge first.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::super::EngineError;
use super::super::gguf::Gguf;
use super::merge::{Rules, merge};
use super::vocabulary::{Kind, Vocabulary};

const SCORES: &str = "tokenizer.ggml.scores";
/// Stands for a character that is no token.
const NO_TOKEN: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct Spm {
    pieces: Pieces,
    /// The token of each byte, for characters that are no token.
    bytes: Vec<Option<u32>>,
    unknown: Option<u32>,
    /// Whether a text starts with a space that it does not have.
    pub(super) adds_space: bool,
}

impl Spm {
    pub(super) fn from_gguf(
        gguf: &Gguf,
        vocabulary: &Vocabulary,
        unknown: Option<u32>,
    ) -> Result<Self, EngineError> {
        let mut ids = HashMap::with_capacity(vocabulary.len());
        let mut bytes = vec![None; 256];
        for id in vocabulary.ids() {
            let text = vocabulary.bytes(id);
            match (vocabulary.kind(id), text) {
                (Kind::Byte, [byte]) => {
                    if let Some(place) = bytes.get_mut(usize::from(*byte)) {
                        *place = Some(id);
                    }
                }
                (Kind::Normal, [_, ..]) => {
                    ids.entry(text.into()).or_insert(id);
                }
                _ => {}
            }
        }
        let adds_space = match gguf.get("tokenizer.ggml.add_space_prefix") {
            Some(_) => gguf.boolean("tokenizer.ggml.add_space_prefix")?,
            None => true,
        };
        let pieces = Pieces { ids, scores: scores(gguf, vocabulary.len())? };
        Ok(Self { pieces, bytes, unknown, adds_space })
    }

    /// Appends the ids of `text`, with a space before it if it starts a text and the model wants
    /// one there.
    pub(super) fn encode(&self, text: &str, starts: bool, ids: &mut Vec<u32>) {
        if starts && self.adds_space && !text.is_empty() {
            self.encode_bare(&format!(" {text}"), ids);
        } else {
            self.encode_bare(text, ids);
        }
    }

    fn encode_bare(&self, text: &str, ids: &mut Vec<u32>) {
        let mut spelled = [0; 4];
        let parts = text.chars().map(|character| {
            let bytes = character.encode_utf8(&mut spelled).as_bytes();
            (self.pieces.id(bytes).unwrap_or(NO_TOKEN), bytes.len())
        });
        merge(&self.pieces, text.as_bytes(), parts, |symbol| {
            if symbol.id == NO_TOKEN {
                let rest = text.as_bytes().get(symbol.span()).unwrap_or_default();
                ids.extend(rest.iter().filter_map(|byte| self.byte(*byte)));
            } else {
                ids.push(symbol.id);
            }
        });
    }

    fn byte(&self, byte: u8) -> Option<u32> {
        self.bytes.get(usize::from(byte)).copied().flatten().or(self.unknown)
    }
}

#[derive(Debug)]
struct Pieces {
    ids: HashMap<Box<[u8]>, u32>,
    scores: Vec<f32>,
}

impl Pieces {
    fn id(&self, bytes: &[u8]) -> Option<u32> {
        self.ids.get(bytes).copied()
    }
}

/// A score as a priority: the total order of floats.
#[derive(Debug, Clone, Copy)]
struct Score(f32);

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Score {}

impl Rules for Pieces {
    type Priority = Score;

    fn merged(&self, _left: u32, _right: u32, text: &[u8]) -> Option<(Score, u32)> {
        let id = self.id(text)?;
        // Adding zero turns -0 into 0, which the total order would tell apart.
        Some((Score(self.scores.get(id as usize)? + 0.0), id))
    }
}

fn scores(gguf: &Gguf, count: usize) -> Result<Vec<f32>, EngineError> {
    let array = gguf.array(SCORES)?;
    let scores: Vec<f32> = array
        .iter()
        .filter_map(|score| score.as_float())
        .map(|score| score as f32)
        .filter(|score| !score.is_nan())
        .collect();
    if array.len() == count && scores.len() == count {
        Ok(scores)
    } else {
        let message = format!("expected {count} numbers, one for each token, found {array:?}");
        Err(gguf.malformed(SCORES, message))
    }
}
