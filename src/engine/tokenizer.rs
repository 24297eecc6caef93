//! Text ⇄ token ids, from a GGUF file's own metadata.

mod bpe;
mod decoder;
mod merge;
mod pre_tokenizer;
mod special;
mod spelled;
mod spm;
mod vocabulary;

use std::sync::OnceLock;

use bpe::Bpe;
pub use decoder::Decoder;
use special::Special;
use spelled::{Part, Spelled};
use spm::Spm;
use vocabulary::{Kind, Spelling, Vocabulary};

use super::gguf::Gguf;
use super::request::{Marker, Piece};
use super::{EngineError, FimFamily};

const MODEL: &str = "tokenizer.ggml.model";

/// A model's tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    vocabulary: Vocabulary,
    special: Special,
    encoder: Encoder,
    /// The beginning-of-text token where texts start with it.
    beginning: Option<u32>,
    /// Tokens that are matched in any text, control tokens never among them.
    user_defined: Spelled,
    /// Those and the control tokens.
    control: Spelled,
    /// Ids by spelling, once one was asked for.
    by_spelling: OnceLock<Vec<u32>>,
    /// Ids by bytes, special ones left out.
    by_bytes: Vec<u32>,
}

#[derive(Debug)]
enum Encoder {
    Bpe(Bpe),
    Spm(Spm),
}

impl Tokenizer {
    /// Reads the tokenizer of a file. Unknown kinds and pre-tokenizers are refused by name.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, EngineError> {
        let spelling = match gguf.string(MODEL)? {
            "gpt2" => Spelling::ByteLevel,
            "llama" => Spelling::SentencePiece,
            other => {
                let message = format!(
                    "tokenizer `{other}` is not supported, only gpt2 (byte-level BPE) and llama \
                     (SentencePiece)"
                );
                return Err(gguf.unsupported(MODEL, message));
            }
        };
        let mut vocabulary = Vocabulary::from_gguf(gguf, spelling)?;
        let special = Special::find(gguf, &mut vocabulary)?;
        vocabulary.finish();
        let encoder = match spelling {
            Spelling::ByteLevel => {
                Encoder::Bpe(Bpe::from_gguf(gguf, &vocabulary, special.unknown)?)
            }
            Spelling::SentencePiece => {
                Encoder::Spm(Spm::from_gguf(gguf, &vocabulary, special.unknown)?)
            }
        };
        let adds_beginning = match gguf.get("tokenizer.ggml.add_bos_token") {
            Some(_) => gguf.boolean("tokenizer.ggml.add_bos_token")?,
            None => match &encoder {
                Encoder::Bpe(bpe) => bpe.adds_beginning(),
                Encoder::Spm(_) => true,
            },
        };
        Ok(Self {
            beginning: special.beginning.filter(|_| adds_beginning),
            user_defined: spelled(&vocabulary, |kind| kind == Kind::UserDefined),
            control: spelled(&vocabulary, |kind| matches!(kind, Kind::UserDefined | Kind::Control)),
            by_spelling: OnceLock::new(),
            by_bytes: sorted(
                &vocabulary,
                |id| !vocabulary.kind(id).is_special(),
                |id| vocabulary.bytes(id),
            ),
            vocabulary,
            special,
            encoder,
        })
    }

    /// Number of ids.
    pub fn vocabulary_size(&self) -> usize {
        self.vocabulary.len()
    }

    /// The ids of untrusted text that continues what stands before it: special tokens are never
    /// recognized in it, and nothing is added before or after it.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        self.append(text, false, &mut ids);
        ids
    }

    /// The ids of untrusted text at the beginning of a text or right after [`Marker::Prefix`].
    /// As [`Tokenizer::encode`], but most SentencePiece models put a space before it
    /// (`tokenizer.ggml.add_space_prefix`), as they were trained.
    pub fn encode_start(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        self.append(text, true, &mut ids);
        ids
    }

    /// The ids of text in which the spellings of special tokens are recognized. It counts as the
    /// beginning of a text, and so does what follows a special token in it.
    pub fn encode_control(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        self.append_control(text, true, &mut ids);
        ids
    }

    /// The ids of a prompt. Neighbouring texts are joined. What stands at the beginning, or after
    /// [`Marker::Start`], [`Marker::Prefix`] or a special token in control text, is encoded as the
    /// beginning of a text ([`Tokenizer::encode_start`]); everything else continues, so that a
    /// suffix never gets a space which the file does not have. [`Marker::Start`] is left out
    /// where the model has no use for it; any other marker the model lacks is an error.
    pub fn encode_pieces(&self, pieces: &[Piece]) -> Result<Vec<u32>, EngineError> {
        let mut ids = Vec::new();
        let mut starts = true;
        let mut text = String::new();
        for piece in pieces {
            if let Piece::Text(next) = piece {
                text.push_str(next);
                continue;
            }
            starts = self.append(&std::mem::take(&mut text), starts, &mut ids);
            match piece {
                Piece::Marker(marker) => {
                    match self.marker(*marker) {
                        Some(id) => ids.push(id),
                        None if *marker == Marker::Start => {}
                        None => {
                            let message =
                                format!("the model has no token for the marker {marker:?}");
                            return Err(EngineError::Request { message });
                        }
                    }
                    starts = matches!(marker, Marker::Start | Marker::Prefix);
                }
                Piece::Control(control) => {
                    starts = self.append_control(control, starts, &mut ids);
                }
                Piece::Text(_) => {}
            }
        }
        self.append(&text, starts, &mut ids);
        Ok(ids)
    }

    /// The id of a marker; `None` where the model has none. `Marker::Start` is the
    /// beginning-of-text token only where the metadata asks for it (`add_bos_token`, or the
    /// SentencePiece default).
    pub fn marker(&self, marker: Marker) -> Option<u32> {
        match marker {
            Marker::Start => self.beginning,
            Marker::Prefix => self.special.prefix,
            Marker::Suffix => self.special.suffix,
            Marker::Middle => self.special.middle,
            Marker::Repository => self.special.repository,
            Marker::File => self.special.file,
        }
    }

    /// The family whose FIM markers the vocabulary has, all three of them.
    pub fn fim_family(&self) -> Option<FimFamily> {
        self.special.family
    }

    /// The beginning-of-text token, whether or not texts start with it: for chat templates.
    pub fn beginning_of_text(&self) -> Option<u32> {
        self.special.beginning
    }

    /// The end-of-text token.
    pub fn end_of_text(&self) -> Option<u32> {
        self.special.end
    }

    /// Whether a token ends a generation: end of text, end of turn, file separator, repository
    /// name, FIM markers.
    pub fn ends_generation(&self, id: u32) -> bool {
        self.special.ends.contains(&id)
    }

    /// Whether a token is special (control, unknown, unused): it has no text in an answer.
    pub fn is_special(&self, id: u32) -> bool {
        self.vocabulary.kind(id).is_special()
    }

    /// The bytes a token adds to the text; empty for special tokens and unknown ids.
    pub fn bytes(&self, id: u32) -> &[u8] {
        self.vocabulary.bytes(id)
    }

    /// The spelling of a token as in the file, for display.
    pub fn spelling(&self, id: u32) -> Option<&str> {
        self.vocabulary.spelling(id)
    }

    /// The id of a token spelled `spelling` in the file.
    pub fn id(&self, spelling: &str) -> Option<u32> {
        let spelled = |id: &u32| self.vocabulary.spelling(*id).unwrap_or_default();
        let ids = self.by_spelling.get_or_init(|| {
            sorted(
                &self.vocabulary,
                |_| true,
                |id| self.vocabulary.spelling(id).unwrap_or_default().as_bytes(),
            )
        });
        let place = ids.partition_point(|id| spelled(id) < spelling);
        ids.get(place).copied().filter(|id| spelled(id) == spelling)
    }

    /// Every id, sorted by its bytes, special tokens left out: the index for token healing (all
    /// ids whose bytes start with some bytes are neighbours).
    pub fn sorted_by_bytes(&self) -> &[u32] {
        &self.by_bytes
    }

    /// Appends untrusted text; says whether what follows still is the beginning of a text.
    fn append(&self, text: &str, starts: bool, ids: &mut Vec<u32>) -> bool {
        let mut starts = starts;
        for part in self.user_defined.cut(text) {
            match part {
                Part::Token(id) => ids.push(id),
                Part::Text(text) => self.append_text(text, starts, ids),
            }
            starts = false;
        }
        starts
    }

    /// As [`Tokenizer::append`], for trusted text with special tokens in it.
    fn append_control(&self, text: &str, starts: bool, ids: &mut Vec<u32>) -> bool {
        let mut starts = starts;
        for part in self.control.cut(text) {
            match part {
                Part::Token(id) => {
                    ids.push(id);
                    starts = true;
                }
                Part::Text(text) => {
                    self.append_text(text, starts, ids);
                    starts = false;
                }
            }
        }
        starts
    }

    fn append_text(&self, text: &str, starts: bool, ids: &mut Vec<u32>) {
        match &self.encoder {
            Encoder::Bpe(bpe) => bpe.encode(text, ids),
            Encoder::Spm(spm) => spm.encode(text, starts, ids),
        }
    }
}

fn spelled(vocabulary: &Vocabulary, wanted: impl Fn(Kind) -> bool) -> Spelled {
    let ids = vocabulary.ids().filter(|id| wanted(vocabulary.kind(*id)));
    Spelled::new(ids.filter_map(|id| Some((vocabulary.spelling(id)?, id))))
}

/// The wanted ids in the order of their keys, ids of equal keys in theirs.
fn sorted<'a>(
    vocabulary: &'a Vocabulary,
    wanted: impl Fn(u32) -> bool,
    key: impl Fn(u32) -> &'a [u8],
) -> Vec<u32> {
    // Most keys differ in their first bytes, which are compared as one number.
    let start =
        |key: &[u8]| key.iter().chain(&[0; 8]).take(8).fold(0, |n, b| n << 8 | u64::from(*b));
    let ids = vocabulary.ids().filter(|id| wanted(*id));
    let mut keyed: Vec<(u64, u32)> = ids.map(|id| (start(key(id)), id)).collect();
    keyed.sort_unstable_by(|(first_start, first), (second_start, second)| {
        first_start
            .cmp(second_start)
            .then_with(|| key(*first).cmp(key(*second)))
            .then(first.cmp(second))
    });
    keyed.into_iter().map(|(_, id)| id).collect()
}
