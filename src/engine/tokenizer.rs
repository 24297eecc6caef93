//! Text ⇄ token ids, from a GGUF file's own metadata.

pub mod bpe;
pub mod special;
pub mod spm;

use super::{EngineError, gguf::Gguf, request::Marker};

/// A model's tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    vocabulary_size: usize,
}

impl Tokenizer {
    /// Reads the tokenizer of a file. Unknown kinds and pre-tokenizers are refused by name.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, EngineError> {
        let _ = gguf;
        unimplemented!()
    }

    /// Number of ids.
    pub fn vocabulary_size(&self) -> usize {
        self.vocabulary_size
    }

    /// The ids of untrusted text: special tokens are never recognized in it, and nothing is added
    /// before or after it.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let _ = text;
        unimplemented!()
    }

    /// The ids of text in which the spellings of special tokens are recognized.
    pub fn encode_control(&self, text: &str) -> Vec<u32> {
        let _ = text;
        unimplemented!()
    }

    /// The id of a marker; `None` where the model has none. `Marker::Start` is the
    /// beginning-of-text token only where the metadata asks for it (`add_bos_token`, or the
    /// SentencePiece default).
    pub fn marker(&self, marker: Marker) -> Option<u32> {
        let _ = marker;
        unimplemented!()
    }

    /// Whether a token ends a generation: end of text, end of turn, file separator, repository
    /// name, FIM markers.
    pub fn ends_generation(&self, id: u32) -> bool {
        let _ = id;
        unimplemented!()
    }

    /// Whether a token is special (control, unknown, unused): it has no text in an answer.
    pub fn is_special(&self, id: u32) -> bool {
        let _ = id;
        unimplemented!()
    }

    /// The bytes a token adds to the text; empty for special tokens and unknown ids.
    pub fn bytes(&self, id: u32) -> &[u8] {
        let _ = id;
        unimplemented!()
    }

    /// The spelling of a token as in the file, for display.
    pub fn spelling(&self, id: u32) -> Option<&str> {
        let _ = id;
        unimplemented!()
    }

    /// The id of a token spelled `spelling` in the file.
    pub fn id(&self, spelling: &str) -> Option<u32> {
        let _ = spelling;
        unimplemented!()
    }

    /// Every id, sorted by its bytes, special tokens left out: the index for token healing (all
    /// ids whose bytes start with some bytes are neighbours).
    pub fn sorted_by_bytes(&self) -> &[u32] {
        unimplemented!()
    }
}

/// Turns a stream of ids into text without ever cutting a character.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Vec<u8>,
}

impl Decoder {
    /// The text that `bytes` complete; an incomplete character waits for its rest, a broken one
    /// becomes U+FFFD.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let _ = (bytes, &self.pending);
        unimplemented!()
    }

    /// What is left at the end.
    pub fn finish(&mut self) -> String {
        unimplemented!()
    }
}
