//! The tokenizer on small vocabularies made for the purpose: families without public test vectors
//! here (Llama 3's and CodeLlama's), and metadata that lies.

#![expect(clippy::unwrap_used, reason = "a broken test setup may panic")]

use agent::engine::gguf::{Array, Gguf, Value, Writer};
use agent::engine::tokenizer::Tokenizer;
use agent::engine::{EngineError, FimFamily, Marker, ModelSource, Piece};

const NORMAL: i32 = 1;
const UNKNOWN: i32 = 2;
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;
const BYTE: i32 = 6;

/// A vocabulary in the making.
#[derive(Clone, Default)]
struct Vocabulary {
    tokens: Vec<(String, i32)>,
    merges: Vec<String>,
}

impl Vocabulary {
    /// The 256 bytes of a byte-level vocabulary; the id of each is not its value.
    fn byte_level() -> Self {
        let printable = |code: &u32| matches!(code, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
        let codes = (0..256).filter(printable).chain((0..68).map(|moved| 256 + moved));
        let tokens = codes.map(|code| (char::from_u32(code).unwrap().to_string(), NORMAL));
        Self { tokens: tokens.collect(), merges: Vec::new() }
    }

    /// `<unk>`, `<s>`, `</s>` and the 256 bytes of a SentencePiece vocabulary.
    fn sentence_piece() -> Self {
        let bytes = (0..256).map(|byte| (format!("<0x{byte:02X}>"), BYTE));
        let special = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)];
        let special = special.map(|(spelling, kind)| (spelling.to_owned(), kind));
        Self { tokens: special.into_iter().chain(bytes).collect(), merges: Vec::new() }
    }

    fn token(mut self, spelling: &str, kind: i32) -> Self {
        self.tokens.push((spelling.to_owned(), kind));
        self
    }

    fn merge(mut self, merge: &str) -> Self {
        self.merges.push(merge.to_owned());
        self.tokens.push((merge.replace(' ', ""), NORMAL));
        self
    }

    fn writer(&self, model: &str, pre: &str) -> Writer {
        let scores = (0..self.tokens.len()).map(|id| -(id as f32));
        Writer::new()
            .string("tokenizer.ggml.model", model)
            .string("tokenizer.ggml.pre", pre)
            .array("tokenizer.ggml.tokens", Array::strings(self.tokens.iter().map(|t| &t.0)))
            .array("tokenizer.ggml.token_type", Array::i32s(self.tokens.iter().map(|t| t.1)))
            .array("tokenizer.ggml.scores", Array::f32s(scores))
            .array("tokenizer.ggml.merges", Array::strings(&self.merges))
    }

    fn bpe(&self, pre: &str) -> Tokenizer {
        read(&self.writer("gpt2", pre)).unwrap()
    }
}

fn read(writer: &Writer) -> Result<Tokenizer, EngineError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), writer.finish()).unwrap();
    let gguf = Gguf::open(&ModelSource::File(file.path().to_owned())).unwrap();
    Tokenizer::from_gguf(&gguf)
}

fn refusal(writer: &Writer) -> String {
    read(writer).unwrap_err().to_string()
}

fn spellings(tokenizer: &Tokenizer, ids: &[u32]) -> Vec<String> {
    ids.iter().map(|id| tokenizer.spelling(*id).unwrap().to_owned()).collect()
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

#[test]
fn llama_3_takes_digits_by_three_and_whole_words_as_they_are() {
    let vocabulary = Vocabulary::byte_level()
        .merge("1 2")
        .merge("12 3")
        .merge("123 4")
        .token("Ġhello", NORMAL)
        .token("<|begin_of_text|>", CONTROL)
        .token("<|eot_id|>", CONTROL);
    let llama = vocabulary.bpe("llama-bpe");
    assert_eq!(spellings(&llama, &llama.encode("12341")), ["123", "4", "1"]);
    // No merge leads to the word, yet it is one token.
    assert_eq!(spellings(&llama, &llama.encode(" hello")), ["Ġhello"]);
    assert_eq!(llama.encode(" hello"), vocabulary.bpe("llama3").encode(" hello"));
    assert_eq!(llama.marker(Marker::Start), llama.id("<|begin_of_text|>"));
    assert!(llama.ends_generation(llama.id("<|eot_id|>").unwrap()));
    assert!(!llama.ends_generation(llama.id("<|begin_of_text|>").unwrap()));

    // The same words, but merges decide.
    let smaug = vocabulary.bpe("smaug-bpe");
    assert_eq!(spellings(&smaug, &smaug.encode("12341")), ["123", "4", "1"]);
    assert_eq!(smaug.encode(" hello").len(), 6);
    assert_eq!(smaug.marker(Marker::Start), None);

    let qwen = vocabulary.bpe("qwen2");
    assert_eq!(spellings(&qwen, &qwen.encode("1234")), ["1", "2", "3", "4"]);
    assert_eq!(qwen.encode(" hello").len(), 6);
    assert_eq!(qwen.marker(Marker::Start), None);
    let gpt = vocabulary.bpe("gpt-2");
    assert_eq!(spellings(&gpt, &gpt.encode("1234")), ["1234"]);
}

#[test]
fn a_run_of_space_leaves_its_last_character_to_the_word_after_it() {
    let vocabulary =
        Vocabulary::byte_level().merge("Ġ Ġ").merge("ĠĠ Ġ").merge("Ġ a").merge("Ċ Ċ").merge("ĠĠ Ċ");
    let qwen = vocabulary.bpe("qwen2");
    assert_eq!(spellings(&qwen, &qwen.encode("   a   ")), ["ĠĠ", "Ġa", "ĠĠĠ"]);
    // Line ends are words of their own for qwen2, part of the run for gpt-2.
    assert_eq!(spellings(&qwen, &qwen.encode("\n\na")), ["ĊĊ", "a"]);
    assert_eq!(spellings(&qwen, &qwen.encode("a  \n a")), ["a", "ĠĠĊ", "Ġa"]);
    let gpt = vocabulary.bpe("gpt-2");
    assert_eq!(spellings(&gpt, &gpt.encode("\n\na")), ["Ċ", "Ċ", "a"]);
}

/// CodeLlama's markers, on a vocabulary of a few words: no vectors of it are at hand.
#[test]
fn code_llama_puts_a_space_before_the_prefix_and_none_before_the_suffix() {
    let vocabulary = Vocabulary::sentence_piece()
        .token("▁a", NORMAL)
        .token("▁", NORMAL)
        .token("a", NORMAL)
        .token("▁<PRE>", NORMAL)
        .token("▁<SUF>", NORMAL)
        .token("▁<MID>", NORMAL)
        .token("▁<EOT>", NORMAL);
    let tokenizer = read(&vocabulary.writer("llama", "default")).unwrap();
    assert_eq!(tokenizer.fim_family(), Some(FimFamily::CodeLlama));
    assert!(tokenizer.ends_generation(tokenizer.id("▁<EOT>").unwrap()));
    let pieces = [
        Piece::Marker(Marker::Start),
        Piece::Marker(Marker::Prefix),
        text("a"),
        Piece::Marker(Marker::Suffix),
        text("a"),
        Piece::Marker(Marker::Middle),
    ];
    let ids = tokenizer.encode_pieces(&pieces).unwrap();
    let expected = ["<s>", "▁<PRE>", "▁a", "▁<SUF>", "a", "▁<MID>"];
    assert_eq!(spellings(&tokenizer, &ids), expected);
    // Their spelling in a user's text is text.
    let ids = tokenizer.encode(" <PRE>a</s>");
    assert!(ids.iter().all(|id| !tokenizer.is_special(*id) && !tokenizer.ends_generation(*id)));
    let bytes: Vec<u8> = ids.iter().flat_map(|id| tokenizer.bytes(*id).to_vec()).collect();
    assert_eq!(bytes, b" <PRE>a</s>");
}

#[test]
fn a_sentence_piece_character_without_a_token_is_its_bytes() {
    let vocabulary = Vocabulary::sentence_piece().token("▁", NORMAL);
    let tokenizer = read(&vocabulary.writer("llama", "default")).unwrap();
    let ids = tokenizer.encode_start("ß");
    assert_eq!(spellings(&tokenizer, &ids), ["▁", "<0xC3>", "<0x9F>"]);
    // The file's own sign for a space, written by a user, is not a space.
    assert_eq!(tokenizer.encode("▁").len(), 3);

    let bare = Vocabulary::default().token("<unk>", UNKNOWN).token("a", NORMAL);
    let tokenizer = read(&bare.writer("llama", "default")).unwrap();
    assert_eq!(spellings(&tokenizer, &tokenizer.encode("aß")), ["a", "<unk>", "<unk>"]);
    let no_space = bare
        .writer("llama", "default")
        .boolean("tokenizer.ggml.add_space_prefix", false)
        .boolean("tokenizer.ggml.add_bos_token", false);
    let tokenizer = read(&no_space).unwrap();
    assert_eq!(spellings(&tokenizer, &tokenizer.encode_start("a")), ["a"]);
    assert_eq!(tokenizer.marker(Marker::Start), None);
}

#[test]
fn special_tokens_are_known_by_metadata_before_spelling() {
    let vocabulary = Vocabulary::byte_level()
        .token("<fim_prefix>", CONTROL)
        .token("<fim_suffix>", CONTROL)
        .token("<fim_middle>", CONTROL)
        .token("<other_prefix>", CONTROL);
    let tokenizer = vocabulary.bpe("starcoder");
    assert_eq!(tokenizer.fim_family(), Some(FimFamily::StarCoder));
    assert_eq!(tokenizer.marker(Marker::Prefix), Some(256));
    for key in ["fim_pre", "prefix"] {
        let key = format!("tokenizer.ggml.{key}_token_id");
        let tokenizer = read(&vocabulary.writer("gpt2", "starcoder").unsigned(&key, 259)).unwrap();
        assert_eq!(tokenizer.marker(Marker::Prefix), Some(259));
        // Nobody knows in which order such a model wants its markers.
        assert_eq!(tokenizer.fim_family(), None);
    }
    let without_middle = Vocabulary::byte_level().token("<fim_prefix>", CONTROL);
    let tokenizer = without_middle.bpe("starcoder");
    assert_eq!(tokenizer.fim_family(), None);
    let error = tokenizer.encode_pieces(&[Piece::Marker(Marker::Middle)]).unwrap_err();
    assert!(error.to_string().contains("no token for the marker Middle"), "{error}");
}

#[test]
fn user_text_never_becomes_a_control_token_even_where_merges_lead_to_it() {
    let mut vocabulary = Vocabulary::byte_level();
    let spelled = "<|fim_prefix|>";
    for end in 2..=spelled.len() {
        let (left, right) = spelled[..end].split_at(end - 1);
        vocabulary.merges.push(format!("{left} {right}"));
        vocabulary.tokens.push((spelled[..end].to_owned(), NORMAL));
    }
    for pre in ["qwen2", "llama-bpe", "gpt-2", "default"] {
        let tokenizer = vocabulary.bpe(pre);
        let marker = tokenizer.id(spelled).unwrap();
        assert_eq!(tokenizer.marker(Marker::Prefix), Some(marker));
        assert!(!tokenizer.encode(&format!("a{spelled}b{spelled}")).contains(&marker), "{pre}");
        assert_eq!(tokenizer.encode_control(spelled), [marker]);
        let bytes: Vec<u8> = tokenizer
            .encode(spelled)
            .into_iter()
            .flat_map(|id| tokenizer.bytes(id).to_vec())
            .collect();
        assert_eq!(bytes, spelled.as_bytes());
    }
}

#[test]
fn user_defined_tokens_are_matched_in_text_and_control_tokens_are_not() {
    let vocabulary = Vocabulary::byte_level()
        .token("<tool>", USER_DEFINED)
        .token("<tool><tool>", USER_DEFINED)
        .token("<|user|>", USER_DEFINED)
        .token("<stop>", CONTROL);
    let tokenizer = vocabulary.bpe("qwen2");
    assert_eq!(tokenizer.encode("<tool><tool><tool>"), [257, 256]);
    assert_eq!(tokenizer.bytes(256), b"<tool>");
    assert!(!tokenizer.encode("<|user|><stop>").iter().any(|id| *id >= 256));
    assert_eq!(tokenizer.encode_control("<|user|><stop><tool>"), [258, 259, 256]);
    assert!(tokenizer.bytes(259).is_empty());
}

#[test]
fn text_that_metadata_calls_special_stays_text() {
    // Files in use name a comma as the beginning of text they have no use for.
    let vocabulary = Vocabulary::byte_level();
    let comma = vocabulary.bpe("qwen2").id(",").unwrap();
    let writer = vocabulary
        .writer("gpt2", "qwen2")
        .unsigned("tokenizer.ggml.bos_token_id", comma.into())
        .unsigned("tokenizer.ggml.padding_token_id", comma.into());
    let tokenizer = read(&writer).unwrap();
    assert_eq!(tokenizer.encode(","), [comma]);
    assert_eq!(tokenizer.bytes(comma), b",");
}

#[test]
fn unknown_kinds_are_refused_by_name_with_what_is_known() {
    let vocabulary = Vocabulary::byte_level();
    let message = refusal(&vocabulary.writer("bert", "default"));
    assert!(message.contains("tokenizer `bert` is not supported, only gpt2"), "{message}");
    let message = refusal(&vocabulary.writer("gpt2", "tekken"));
    assert!(message.contains("tokenizer.ggml.pre: pre-tokenizer `tekken`"), "{message}");
    assert!(message.contains("qwen2") && message.contains("deepseek-coder"), "{message}");
    let old = vocabulary.writer("gpt2", "").without("tokenizer.ggml.pre");
    assert!(refusal(&old).contains("tokenizer.ggml.pre: the file is too old"));
    let message = refusal(&Writer::new());
    assert!(message.ends_with("tokenizer.ggml.model: the metadata lacks this key"), "{message}");
}

#[test]
fn a_vocabulary_that_lies_is_refused() {
    let sound = Vocabulary::byte_level().token("<s>", CONTROL);
    let with = |key: &str, value: Value| {
        // The reader refuses a key that is there twice, so the sound value is left out.
        let full = sound.writer("gpt2", "qwen2");
        let key = format!("tokenizer.ggml.{key}");
        refusal(&full.without(&key).value(&key, value))
    };
    let numbers = || Value::Array(Array::i32s([1]));
    let none = || Value::Array(Array::strings::<&str>([]));
    assert!(with("tokens", none()).contains("expected 1 to"), "no tokens");
    assert!(with("tokens", numbers()).contains("tokens: expected 1 to"), "tokens of numbers");
    assert!(with("token_type", numbers()).contains("1 types for 257 tokens"));
    let negative = Value::Array(Array::i32s(std::iter::repeat_n(-1, 257)));
    assert!(with("token_type", negative).contains("expected integers of at least 0"));
    assert!(with("merges", numbers()).contains("merges: expected an array of strings"));
    for merge in ["ab", "", " ", "a ", " b"] {
        let merges = Value::Array(Array::strings(["a b", merge]));
        assert!(with("merges", merges).contains("merge 1 is not two symbols"), "{merge:?}");
    }
    let out_of_range = "id 257 is outside of the vocabulary of 257 tokens";
    assert!(with("eos_token_id", Value::Unsigned(257)).contains(out_of_range));
    assert!(with("fim_pre_token_id", Value::Signed(-7)).contains("expected an integer"));
    assert!(with("bos_token_id", Value::String("1".into())).contains("expected an integer"));
    assert!(with("add_bos_token", Value::Unsigned(1)).contains("expected a boolean"));
}

#[test]
fn scores_are_numbers_one_for_each_token() {
    let vocabulary = Vocabulary::default().token("a", NORMAL).token("b", NORMAL);
    let writer = vocabulary.writer("llama", "default").without("tokenizer.ggml.scores");
    assert!(refusal(&writer).contains("scores: the metadata lacks this key"));
    for scores in [vec![], vec![0.0], vec![0.0, f32::NAN], vec![0.0; 3]] {
        let message = refusal(&writer.clone().array("tokenizer.ggml.scores", Array::f32s(scores)));
        assert!(message.contains("scores: expected 2 numbers"), "{message}");
    }
    let infinite = Array::f32s([f32::INFINITY, f32::NEG_INFINITY]);
    let tokenizer = read(&writer.array("tokenizer.ggml.scores", infinite)).unwrap();
    assert_eq!(tokenizer.encode("ab"), [0, 1]);
}

#[test]
fn merges_by_way_of_symbols_that_are_no_tokens_work() {
    let mut vocabulary = Vocabulary::byte_level().token("abc", NORMAL);
    vocabulary.merges = ["a b", "ab c", "x y"].map(str::to_owned).to_vec();
    let tokenizer = vocabulary.bpe("qwen2");
    // `ab` and `xy` are no tokens: what stays of them is their bytes.
    assert_eq!(spellings(&tokenizer, &tokenizer.encode("abc")), ["abc"]);
    assert_eq!(spellings(&tokenizer, &tokenizer.encode("abxy")), ["a", "b", "x", "y"]);
}

#[test]
fn bytes_that_no_token_spells_are_left_out_or_unknown() {
    let vocabulary = Vocabulary::default().token("a", NORMAL).token("<unk>", UNKNOWN);
    let tokenizer = vocabulary.bpe("qwen2");
    assert_eq!(tokenizer.encode("aß"), [0, 1, 1]);
    // An end of text must not come out of a user's text.
    let vocabulary = Vocabulary::default().token("a", NORMAL).token("<|endoftext|>", CONTROL);
    let writer = vocabulary.writer("gpt2", "qwen2").unsigned("tokenizer.ggml.unknown_token_id", 1);
    assert_eq!(read(&writer).unwrap().encode("aß"), [0]);
}

#[test]
fn none_is_written_as_a_negative_or_the_greatest_id() {
    for none in [Value::Signed(-1), Value::Unsigned(u32::MAX.into())] {
        let writer = Vocabulary::byte_level()
            .writer("gpt2", "qwen2")
            .value("tokenizer.ggml.eos_token_id", none);
        assert_eq!(read(&writer).unwrap().end_of_text(), None);
    }
}
