//! Cuts a text into words before byte-level BPE merges within them, as each model family was
//! trained. The patterns are those of the models' own tokenizer files, in llama.cpp's form.

use fancy_regex::Regex;

use super::super::EngineError;
use super::super::gguf::Gguf;

const KEY: &str = "tokenizer.ggml.pre";

/// Runs of letters with one leading sign, digits one by one or by three, signs with line ends.
macro_rules! modern {
    ($digits:literal) => {
        concat!(
            r"'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\r\n\p{L}\p{N}]?\p{L}+|",
            $digits,
            r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+"
        )
    };
}

const QWEN: &str = modern!(r"\p{N}");
const LLAMA: &str = modern!(r"\p{N}{1,3}");
const GPT: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+";

/// Whether a run of space leaves its last character to the word after it. The families write this
/// as `\s+(?!\S)|\s+`; without the look-ahead every pattern runs in linear time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lending {
    /// Never.
    No,
    /// Always.
    Always,
    /// Unless it ends a line: such runs are words of their own.
    WithinLines,
}

struct Cut {
    pattern: &'static str,
    lending: Lending,
}

const fn plain(pattern: &'static str) -> Cut {
    Cut { pattern, lending: Lending::No }
}

const GPT_CUT: Cut = Cut { pattern: GPT, lending: Lending::Always };

struct Family {
    /// Names of `tokenizer.ggml.pre` with exactly these cuts.
    names: &'static [&'static str],
    cuts: &'static [Cut],
    /// A word that is a token is that token, whatever the merges say.
    whole_words: bool,
    /// Whether a text starts with the beginning-of-text token unless metadata says otherwise.
    adds_beginning: bool,
}

const FAMILIES: [Family; 7] = [
    Family {
        names: &["qwen2", "deepseek-r1-qwen", "stablelm2", "megrez"],
        cuts: &[Cut { pattern: QWEN, lending: Lending::WithinLines }],
        whole_words: false,
        adds_beginning: false,
    },
    Family {
        names: &["llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "lfm2"],
        cuts: &[Cut { pattern: LLAMA, lending: Lending::WithinLines }],
        whole_words: true,
        adds_beginning: true,
    },
    Family {
        names: &["smaug-bpe", "dbrx"],
        cuts: &[Cut { pattern: LLAMA, lending: Lending::WithinLines }],
        whole_words: false,
        adds_beginning: false,
    },
    Family {
        names: &["starcoder", "refact", "command-r", "smollm", "codeshell", "mellum2"],
        cuts: &[plain(r"\p{N}"), GPT_CUT],
        whole_words: false,
        adds_beginning: false,
    },
    Family {
        names: &["deepseek-coder"],
        cuts: &[
            plain(r"[\r\n]"),
            plain(r"\s?\p{L}+"),
            plain(r"\s?\p{P}+"),
            plain(r"[一-龥ࠀ-一가-퟿]+"),
            plain(r"\p{N}"),
        ],
        whole_words: false,
        adds_beginning: false,
    },
    Family {
        names: &["gpt-2", "gpt2", "phi-2", "mpt", "olmo", "mellum"],
        cuts: &[GPT_CUT],
        whole_words: false,
        adds_beginning: false,
    },
    Family {
        names: &["default"],
        cuts: &[
            plain(r"[\p{P}\$\+<=>\^~\|]+"),
            GPT_CUT,
            plain(r"\p{N}+"),
            plain(r"[0-9][0-9][0-9]"),
        ],
        whole_words: false,
        adds_beginning: false,
    },
];

/// The cuts of one model family.
#[derive(Debug)]
pub(super) struct PreTokenizer {
    cuts: Vec<(Regex, Lending)>,
    pub(super) whole_words: bool,
    pub(super) adds_beginning: bool,
}

impl PreTokenizer {
    /// By the file's name for it; an unknown one is refused, because a wrong guess degrades every
    /// answer without any sign of it.
    pub(super) fn from_gguf(gguf: &Gguf) -> Result<Self, EngineError> {
        if gguf.get(KEY).is_none() {
            let message = "the file is too old to say how its text is cut into words: get or \
                           convert the model anew";
            return Err(gguf.unsupported(KEY, message));
        }
        let name = gguf.string(KEY)?;
        let Some(family) = FAMILIES.iter().find(|family| family.names.contains(&name)) else {
            let known: Vec<_> = FAMILIES.iter().flat_map(|family| family.names).copied().collect();
            let message =
                format!("pre-tokenizer `{name}` is not supported, only {}", known.join(", "));
            return Err(gguf.unsupported(KEY, message));
        };
        let cuts = family.cuts.iter().map(|cut| {
            let regex = Regex::new(cut.pattern)
                .map_err(|error| gguf.unsupported(KEY, format!("{name}: {error}")))?;
            Ok((regex, cut.lending))
        });
        Ok(Self {
            cuts: cuts.collect::<Result<_, EngineError>>()?,
            whole_words: family.whole_words,
            adds_beginning: family.adds_beginning,
        })
    }

    /// The words of `text`, in order and without gaps.
    pub(super) fn words<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let mut words = vec![text];
        for (regex, lending) in &self.cuts {
            let mut finer = Vec::with_capacity(words.len() * 2);
            for word in words {
                cut(regex, *lending, word, &mut finer);
            }
            words = finer;
        }
        words
    }
}

/// Cuts `text` into the matches of `regex` and what lies between them.
fn cut<'a>(regex: &Regex, lending: Lending, text: &'a str, words: &mut Vec<&'a str>) {
    let mut done = 0;
    // Plain patterns cannot fail; if one did, the rest would stay one word.
    while let Ok(Some(found)) = regex.find_from_pos(text, done) {
        let start = found.start();
        let is_last = found.end() == text.len();
        let end = found.end() - if is_last { 0 } else { lent(found.as_str(), lending) };
        if end <= start {
            break;
        }
        words.extend(text.get(done..start).filter(|between| !between.is_empty()));
        words.extend(text.get(start..end));
        done = end;
    }
    words.extend(text.get(done..).filter(|rest| !rest.is_empty()));
}

/// How many bytes a run of space leaves to the word after it: its last character, unless that is
/// all it has.
fn lent(word: &str, lending: Lending) -> usize {
    let mut characters = word.chars();
    let Some(last) = characters.next_back() else {
        return 0;
    };
    let lends = match lending {
        Lending::No => false,
        Lending::Always => true,
        Lending::WithinLines => !matches!(last, '\r' | '\n'),
    };
    let before = characters.as_str();
    if lends && !before.is_empty() && word.chars().all(char::is_whitespace) {
        last.len_utf8()
    } else {
        0
    }
}
