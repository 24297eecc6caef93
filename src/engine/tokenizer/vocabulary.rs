//! The tokens of a file: spelling, kind, and the bytes each adds to a text.

use super::super::EngineError;
use super::super::gguf::{Array, Gguf};

pub(super) const TOKENS: &str = "tokenizer.ggml.tokens";
const TYPES: &str = "tokenizer.ggml.token_type";
/// Ids are 32 bits wide and index logits; the largest vocabularies in use have 300 thousand.
const MOST_TOKENS: usize = 1 << 24;

/// How spellings stand for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Each character of GPT-2's alphabet is a byte.
    ByteLevel,
    /// UTF-8 with `▁` for a space, and `<0x0A>` for single bytes.
    SentencePiece,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    Normal,
    /// Stands for what the vocabulary cannot spell.
    Unknown,
    /// Structure: never written by a user.
    Control,
    /// Text that is matched as a whole before anything else.
    UserDefined,
    /// A hole in the vocabulary.
    Unused,
    /// A single byte of a SentencePiece vocabulary.
    Byte,
}

impl Kind {
    pub(super) fn is_special(self) -> bool {
        matches!(self, Self::Control | Self::Unknown | Self::Unused)
    }
}

#[derive(Debug)]
pub(super) struct Vocabulary {
    spellings: Array,
    kinds: Vec<Kind>,
    spelling: Spelling,
    /// The bytes of all tokens end to end, and where each ends; none for special tokens.
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Vocabulary {
    pub(super) fn from_gguf(gguf: &Gguf, spelling: Spelling) -> Result<Self, EngineError> {
        let spellings = gguf.array(TOKENS)?;
        if !spellings.is_strings() || spellings.is_empty() || spellings.len() > MOST_TOKENS {
            let message = format!("expected 1 to {MOST_TOKENS} strings, found {spellings:?}");
            return Err(gguf.malformed(TOKENS, message));
        }
        Ok(Self {
            spellings: spellings.clone(),
            kinds: kinds(gguf, spellings.len())?,
            spelling,
            bytes: Vec::new(),
            ends: Vec::new(),
        })
    }

    /// Declares a token to be structure, whatever the file says of it.
    pub(super) fn set_control(&mut self, id: u32) {
        if let Some(kind) = self.kinds.get_mut(id as usize) {
            *kind = Kind::Control;
        }
    }

    /// Works out the bytes of every token, once all kinds are known.
    pub(super) fn finish(&mut self) {
        self.bytes = Vec::with_capacity(self.len() * 8);
        self.ends = Vec::with_capacity(self.len());
        for id in 0..self.len() {
            let spelled = self.spellings.string(id).unwrap_or_default();
            match (self.kinds.get(id).copied().unwrap_or(Kind::Unused), self.spelling) {
                (kind, _) if kind.is_special() => {}
                (Kind::UserDefined, Spelling::ByteLevel) => self.bytes.extend(spelled.bytes()),
                (_, Spelling::ByteLevel) => byte_level(spelled, &mut self.bytes),
                (Kind::Byte, Spelling::SentencePiece) => self.bytes.extend(hexadecimal(spelled)),
                (_, Spelling::SentencePiece) => {
                    for character in spelled.chars() {
                        let character = if character == '\u{2581}' { ' ' } else { character };
                        self.bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
                    }
                }
            }
            self.ends.push(self.bytes.len() as u32);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.spellings.len()
    }

    pub(super) fn ids(&self) -> std::ops::Range<u32> {
        0..self.len() as u32
    }

    pub(super) fn kind(&self, id: u32) -> Kind {
        self.kinds.get(id as usize).copied().unwrap_or(Kind::Unused)
    }

    pub(super) fn spelling(&self, id: u32) -> Option<&str> {
        self.spellings.string(id as usize)
    }

    pub(super) fn bytes(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let start = id.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let span = self.ends.get(id).map(|end| start.unwrap_or(0) as usize..*end as usize);
        span.and_then(|span| self.bytes.get(span)).unwrap_or_default()
    }
}

/// The token types of llama.cpp's files; without them every token is text.
fn kinds(gguf: &Gguf, count: usize) -> Result<Vec<Kind>, EngineError> {
    if gguf.get(TYPES).is_none() {
        return Ok(vec![Kind::Normal; count]);
    }
    let types = gguf.array(TYPES)?;
    if types.len() != count {
        let message = format!("{} types for {count} tokens", types.len());
        return Err(gguf.malformed(TYPES, message));
    }
    let kind = |value: super::super::gguf::Value| {
        Some(match value.as_unsigned()? {
            2 => Kind::Unknown,
            3 => Kind::Control,
            4 => Kind::UserDefined,
            5 => Kind::Unused,
            6 => Kind::Byte,
            _ => Kind::Normal,
        })
    };
    let kinds: Option<Vec<_>> = types.iter().map(kind).collect();
    kinds
        .filter(|kinds| kinds.len() == count)
        .ok_or_else(|| gguf.malformed(TYPES, "expected integers of at least 0"))
}

/// Appends the bytes that a spelling in GPT-2's alphabet stands for.
pub(super) fn byte_level(spelled: &str, bytes: &mut Vec<u8>) {
    spelled.chars().for_each(|character| push_byte_level(bytes, character));
}

/// The byte that a character of GPT-2's alphabet stands for: printable Latin-1 stands for itself,
/// the other bytes were moved to U+0100 and up in their order. Characters outside of the alphabet
/// stand for their UTF-8 bytes.
fn push_byte_level(bytes: &mut Vec<u8>, character: char) {
    match u32::from(character) {
        code @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => bytes.push(code as u8),
        code @ 0x100..=0x120 => bytes.push((code - 0x100) as u8),
        code @ 0x121..=0x142 => bytes.push((code - 0x121 + 0x7f) as u8),
        0x143 => bytes.push(0xad),
        _ => bytes.extend(character.encode_utf8(&mut [0; 4]).bytes()),
    }
}

fn hexadecimal(spelled: &str) -> Option<u8> {
    let digits = spelled.strip_prefix("<0x")?.strip_suffix('>')?;
    // The standard parser would take a sign for a digit.
    let two = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if two { u8::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_level_alphabet_covers_every_byte_once() {
        let mut bytes = Vec::new();
        let printable = (0x21..=0x7e).chain(0xa1..=0xac).chain(0xae..=0xff);
        for code in printable.chain(0x100..=0x143) {
            push_byte_level(&mut bytes, char::from_u32(code).unwrap());
        }
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
        let mut known = Vec::new();
        "ĠĊĉ".chars().for_each(|character| push_byte_level(&mut known, character));
        assert_eq!(known, b" \n\t");
    }

    #[test]
    fn only_two_hexadecimal_digits_are_a_byte() {
        assert_eq!(hexadecimal("<0x0A>"), Some(10));
        for wrong in ["<0xA>", "<0x0AA>", "<0x+A>", "0x0A", "<0xZZ>"] {
            assert_eq!(hexadecimal(wrong), None, "{wrong}");
        }
    }
}
