//! Which ids are special, and what they mean: by metadata, else by known spellings.

use std::collections::{HashMap, HashSet};

use super::super::gguf::Gguf;
use super::super::{EngineError, FimFamily};
use super::vocabulary::{Kind, Vocabulary};

const PREFIX: [(&str, FimFamily); 6] = [
    ("<|fim_prefix|>", FimFamily::Qwen),
    ("<fim_prefix>", FimFamily::StarCoder),
    ("<fim-prefix>", FimFamily::StarCoder),
    ("<｜fim▁begin｜>", FimFamily::DeepSeek),
    ("▁<PRE>", FimFamily::CodeLlama),
    ("<PRE>", FimFamily::CodeLlama),
];
const SUFFIX: [&str; 6] =
    ["<|fim_suffix|>", "<fim_suffix>", "<fim-suffix>", "<｜fim▁hole｜>", "▁<SUF>", "<SUF>"];
const MIDDLE: [&str; 6] =
    ["<|fim_middle|>", "<fim_middle>", "<fim-middle>", "<｜fim▁end｜>", "▁<MID>", "<MID>"];
const PADDING: [&str; 4] = ["<|fim_pad|>", "<fim_pad>", "<fim-pad>", "<PAD>"];
const REPOSITORY: [&str; 5] =
    ["<|repo_name|>", "<repo_name>", "<|fim_repo|>", "<reponame>", "<fim-repo>"];
const FILE: [&str; 4] = ["<|file_sep|>", "<|file_separator|>", "<file_sep>", "<filename>"];
/// Tokens after which nothing of the answer follows, over all families.
const ENDS: [&str; 23] = [
    "<|endoftext|>",
    "<|im_end|>",
    "<|im_start|>",
    "<|end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|end_of_turn|>",
    "<|return|>",
    "<|call|>",
    "<|EOT|>",
    "<end_of_turn>",
    "<end_of_utterance>",
    "</s>",
    "<eos>",
    "<EOT>",
    "_<EOT>",
    "▁<EOT>",
    "[EOT]",
    "[EOS]",
    "<｜end▁of▁sentence｜>",
    "<|start_header_id|>",
    "<|user|>",
];

/// Tokens by their meaning.
#[derive(Debug, Default)]
pub(super) struct Special {
    pub(super) beginning: Option<u32>,
    pub(super) end: Option<u32>,
    pub(super) unknown: Option<u32>,
    pub(super) prefix: Option<u32>,
    pub(super) suffix: Option<u32>,
    pub(super) middle: Option<u32>,
    pub(super) repository: Option<u32>,
    pub(super) file: Option<u32>,
    pub(super) family: Option<FimFamily>,
    pub(super) ends: HashSet<u32>,
}

impl Special {
    /// Finds the special tokens and declares them to be control tokens of `vocabulary`: files in
    /// use mark FIM markers as text that users may write.
    pub(super) fn find(gguf: &Gguf, vocabulary: &mut Vocabulary) -> Result<Self, EngineError> {
        let finder = Finder::new(gguf, vocabulary);
        let prefix_spellings = PREFIX.map(|(spelling, _)| spelling);
        let prefix = finder.marker(&["fim_pre", "prefix"], &prefix_spellings)?;
        let suffix = finder.marker(&["fim_suf", "suffix"], &SUFFIX)?;
        let middle = finder.marker(&["fim_mid", "middle"], &MIDDLE)?;
        let padding = finder.marker(&["fim_pad"], &PADDING)?;
        let repository = finder.marker(&["fim_rep"], &REPOSITORY)?;
        let file = finder.marker(&["fim_sep"], &FILE)?;
        let beginning = finder.token("bos", &["<s>", "<bos>", "<|begin_of_text|>"])?;
        let end = finder.token("eos", &["</s>", "<eos>", "<|endoftext|>"])?;
        let end_of_turn = finder.metadata("eot")?;
        let end_of_message = finder.metadata("eom")?;
        let unknown = finder.token("unknown", &["<unk>"])?;

        let structure = [prefix, suffix, middle, padding, repository, file];
        let ending = [end, end_of_turn, end_of_message];
        let mut ends: HashSet<u32> = structure.iter().chain(&ending).flatten().copied().collect();
        ends.extend(ENDS.iter().filter_map(|spelling| finder.structural(spelling)));
        let looking: Vec<u32> = finder.control_looking();
        let family = prefix
            .and_then(|id| vocabulary.spelling(id))
            .and_then(|spelled| PREFIX.iter().find(|(known, _)| *known == spelled))
            .map(|(_, family)| *family)
            .filter(|_| suffix.is_some() && middle.is_some());
        let found = ends.iter().copied().chain(beginning).chain(looking);
        // Files in use name a comma as a token they have no use for: text stays text.
        let structural: Vec<u32> = found
            .filter(|id| {
                vocabulary.kind(*id) != Kind::Normal
                    || vocabulary.spelling(*id).is_some_and(looks_structural)
            })
            .collect();
        for id in structural {
            vocabulary.set_control(id);
        }
        // Stands for what cannot be spelled in user text, so it must not mean anything else.
        let unknown = unknown.filter(|id| vocabulary.kind(*id) != Kind::Control);
        Ok(Self { beginning, end, unknown, prefix, suffix, middle, repository, file, family, ends })
    }
}

struct Finder<'a> {
    gguf: &'a Gguf,
    vocabulary: &'a Vocabulary,
    /// The ids of the spellings that are looked for.
    ids: HashMap<&'a str, u32>,
}

impl<'a> Finder<'a> {
    fn new(gguf: &'a Gguf, vocabulary: &'a Vocabulary) -> Self {
        let mut ids = HashMap::new();
        for id in vocabulary.ids() {
            if let Some(spelling) = vocabulary.spelling(id)
                && looks_structural(spelling)
            {
                ids.entry(spelling).or_insert(id);
            }
        }
        Self { gguf, vocabulary, ids }
    }

    /// A FIM marker: by the first key that is set, else by spelling, whatever its type.
    fn marker(&self, keys: &[&str], spellings: &[&str]) -> Result<Option<u32>, EngineError> {
        for key in keys {
            if let Some(id) = self.metadata(key)? {
                return Ok(Some(id));
            }
        }
        Ok(spellings.iter().find_map(|spelling| self.ids.get(spelling).copied()))
    }

    /// Another special token: by its key, else by a spelling that the file does not call text.
    fn token(&self, key: &str, spellings: &[&str]) -> Result<Option<u32>, EngineError> {
        let given = self.metadata(key)?;
        Ok(given.or_else(|| spellings.iter().find_map(|spelling| self.structural(spelling))))
    }

    fn metadata(&self, name: &str) -> Result<Option<u32>, EngineError> {
        let key = format!("tokenizer.ggml.{name}_token_id");
        let Some(value) = self.gguf.get(&key) else {
            return Ok(None);
        };
        // Files write -1, or 2^32 - 1, for "none".
        if matches!(value.as_unsigned(), Some(0xffff_ffff))
            || matches!(value, super::super::gguf::Value::Signed(-1))
        {
            return Ok(None);
        }
        let id = self.gguf.unsigned(&key)?;
        let count = self.vocabulary.len();
        if id < count as u64 {
            Ok(Some(id as u32))
        } else {
            let message = format!("id {id} is outside of the vocabulary of {count} tokens");
            Err(self.gguf.malformed(&key, message))
        }
    }

    /// The id of a spelling, unless it is plain text that merely looks alike.
    fn structural(&self, spelling: &str) -> Option<u32> {
        let id = *self.ids.get(spelling)?;
        let is_text = self.vocabulary.kind(id) == Kind::Normal && !is_bracketed(spelling);
        (!is_text).then_some(id)
    }

    /// User-defined tokens that only a marker would be called: a file in use has its chat markers
    /// so.
    fn control_looking(&self) -> Vec<u32> {
        let looks = |(spelling, id): (&&str, &u32)| {
            (self.vocabulary.kind(*id) == Kind::UserDefined && is_bracketed(spelling))
                .then_some(*id)
        };
        self.ids.iter().filter_map(looks).collect()
    }
}

/// Whether a spelling is worth remembering.
fn looks_structural(spelling: &str) -> bool {
    spelling.trim_start_matches(['▁', '_']).starts_with(['<', '[']) && spelling.len() >= 3
}

/// Whether only a marker would be spelled so.
fn is_bracketed(spelling: &str) -> bool {
    [("<|", "|>"), ("<｜", "｜>"), ("▁<", ">")]
        .iter()
        .any(|(start, end)| spelling.starts_with(start) && spelling.ends_with(end))
}
