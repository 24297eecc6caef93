//! Byte-level BPE: words of bytes whose neighbours merge in the order in which they were learnt.
//! Merging follows llama.cpp, so its test vectors hold.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::super::EngineError;
use super::super::gguf::Gguf;
use super::merge::{Rules, merge};
use super::pre_tokenizer::PreTokenizer;
use super::vocabulary::{Kind, Vocabulary};

const MERGES: &str = "tokenizer.ggml.merges";

#[derive(Debug)]
pub(super) struct Bpe {
    pre_tokenizer: PreTokenizer,
    /// The symbol of each single byte.
    bytes: Vec<u32>,
    merges: Merges,
    /// Ids below are tokens, from here on symbols that only lead to tokens.
    vocabulary_size: u32,
    /// Text of the tokens that may be written, to their ids; only where whole words are looked up.
    words: HashMap<Box<[u8]>, u32>,
    unknown: Option<u32>,
}

impl Bpe {
    pub(super) fn from_gguf(
        gguf: &Gguf,
        vocabulary: &Vocabulary,
        unknown: Option<u32>,
    ) -> Result<Self, EngineError> {
        let pre_tokenizer = PreTokenizer::from_gguf(gguf)?;
        let mut symbols = Symbols::new(vocabulary);
        let bytes = (0..=255).map(|byte: u8| symbols.id(&[byte])).collect();
        let merges = Merges::from_gguf(gguf, &mut symbols)?;
        Ok(Self {
            words: if pre_tokenizer.whole_words { symbols.words() } else { HashMap::new() },
            pre_tokenizer,
            bytes,
            merges,
            vocabulary_size: vocabulary.len() as u32,
            unknown,
        })
    }

    pub(super) fn adds_beginning(&self) -> bool {
        self.pre_tokenizer.adds_beginning
    }

    /// Appends the ids of `text`.
    pub(super) fn encode(&self, text: &str, ids: &mut Vec<u32>) {
        for word in self.pre_tokenizer.words(text) {
            if let Some(id) = self.words.get(word.as_bytes()) {
                ids.push(*id);
                continue;
            }
            let parts = word.bytes().map(|byte| (self.byte(byte), 1));
            merge(&self.merges, word.as_bytes(), parts, |symbol| {
                if symbol.id < self.vocabulary_size {
                    ids.push(symbol.id);
                } else {
                    // Merges led to no token: what remains is its bytes.
                    let rest = word.as_bytes().get(symbol.span()).unwrap_or_default();
                    let tokens = rest.iter().map(|byte| self.byte(*byte));
                    ids.extend(tokens.filter_map(|id| self.token(id)));
                }
            });
        }
    }

    fn byte(&self, byte: u8) -> u32 {
        self.bytes.get(usize::from(byte)).copied().unwrap_or(u32::MAX)
    }

    fn token(&self, symbol: u32) -> Option<u32> {
        if symbol < self.vocabulary_size { Some(symbol) } else { self.unknown }
    }
}

/// Text → symbol, while the merges are read.
struct Symbols<'a> {
    tokens: HashMap<&'a [u8], u32>,
    /// What merges name and no token spells.
    others: HashMap<Box<[u8]>, u32>,
    next: u32,
}

impl<'a> Symbols<'a> {
    /// Only tokens that a user may write: no merge leads to a special token, whatever it spells.
    fn new(vocabulary: &'a Vocabulary) -> Self {
        let mut tokens = HashMap::with_capacity(vocabulary.len());
        for id in vocabulary.ids() {
            if matches!(vocabulary.kind(id), Kind::Normal | Kind::Byte) {
                tokens.entry(vocabulary.bytes(id)).or_insert(id);
            }
        }
        Self { tokens, others: HashMap::new(), next: vocabulary.len() as u32 }
    }

    fn id(&mut self, bytes: &[u8]) -> u32 {
        if let Some(id) = self.tokens.get(bytes).or_else(|| self.others.get(bytes)) {
            return *id;
        }
        let id = self.next;
        self.next += 1;
        self.others.insert(bytes.into(), id);
        id
    }

    fn words(&self) -> HashMap<Box<[u8]>, u32> {
        self.tokens.iter().map(|(bytes, id)| ((*bytes).into(), *id)).collect()
    }
}

/// Two symbols → the rank of their merge and what they become.
#[derive(Debug)]
struct Merges(HashMap<(u32, u32), (u32, u32)>);

impl Merges {
    fn from_gguf(gguf: &Gguf, symbols: &mut Symbols<'_>) -> Result<Self, EngineError> {
        let merges = gguf.array(MERGES)?;
        if !merges.is_strings() {
            return Err(gguf.malformed(MERGES, "expected an array of strings"));
        }
        let mut ranks = HashMap::with_capacity(merges.len());
        let mut bytes = Vec::new();
        for rank in 0..merges.len() {
            let line = merges.string(rank).unwrap_or_default();
            let Some((left, right)) =
                line.split_once(' ').filter(|(left, right)| !left.is_empty() && !right.is_empty())
            else {
                let message = format!("merge {rank} is not two symbols with a space between");
                return Err(gguf.malformed(MERGES, message));
            };
            bytes.clear();
            super::vocabulary::byte_level(left, &mut bytes);
            let middle = bytes.len();
            super::vocabulary::byte_level(right, &mut bytes);
            let (left, right) = bytes.split_at(middle);
            let pair = (symbols.id(left), symbols.id(right));
            let merged = symbols.id(&bytes);
            ranks.entry(pair).or_insert((rank as u32, merged));
        }
        Ok(Self(ranks))
    }
}

impl Rules for Merges {
    type Priority = Reverse<u32>;

    fn merged(&self, left: u32, right: u32, _text: &[u8]) -> Option<(Reverse<u32>, u32)> {
        self.0.get(&(left, right)).map(|(rank, merged)| (Reverse(*rank), *merged))
    }
}
