//! The tokenizer against the vocabularies and test vectors of llama.cpp.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a broken test setup may panic, and a skipped test says so"
)]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use agent::engine::gguf::Gguf;
use agent::engine::tokenizer::{Decoder, Tokenizer};
use agent::engine::{FimFamily, Marker, ModelSource, Piece};
use proptest::prelude::*;

const SEPARATOR: &str = "\n__ggml_vocab_test__\n";

fn vocabulary(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/vocab");
    let path = folder.join(format!("ggml-vocab-{name}.gguf"));
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

fn open(path: &Path) -> Tokenizer {
    let gguf = Gguf::open(&ModelSource::File(path.to_owned())).unwrap();
    Tokenizer::from_gguf(&gguf).unwrap()
}

fn check_vectors(name: &str) {
    let Some(path) = vocabulary(name) else {
        return;
    };
    let tokenizer = open(&path);
    let inputs = std::fs::read_to_string(path.with_extension("gguf.inp")).unwrap();
    let outputs = std::fs::read_to_string(path.with_extension("gguf.out")).unwrap();
    let mut count = 0;
    for (text, line) in inputs.split(SEPARATOR).zip(outputs.lines()) {
        let expected: Vec<u32> = line.split_whitespace().map(|id| id.parse().unwrap()).collect();
        assert_eq!(tokenizer.encode_start(text), expected, "{name}: {text:?}");
        count += 1;
    }
    assert!(count > 40, "{name}: only {count} vectors");
}

#[test]
fn qwen2_vectors_hold() {
    check_vectors("qwen2");
}

#[test]
fn starcoder_vectors_hold() {
    check_vectors("starcoder");
}

#[test]
fn deepseek_coder_vectors_hold() {
    check_vectors("deepseek-coder");
}

#[test]
fn gpt_2_vectors_hold() {
    check_vectors("gpt-2");
}

#[test]
fn llama_sentencepiece_vectors_hold() {
    check_vectors("llama-spm");
}

#[test]
fn the_built_in_model_opens_with_its_tensors_markers_and_tokenizer() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/builtin.gguf");
    let gguf = Gguf::open(&ModelSource::File(path.clone())).unwrap();
    assert_eq!(gguf.string("general.architecture").unwrap(), "qwen3");
    assert_eq!(gguf.quantization(), "Q8_0");
    let embedding = gguf.tensor("token_embd.weight", &candle_core::Device::Cpu).unwrap();
    assert_eq!(embedding.shape().dims(), [8192, 192]);

    let tokenizer = open(&path);
    assert_eq!(tokenizer.vocabulary_size(), 8192);
    assert_eq!(tokenizer.fim_family(), Some(FimFamily::Qwen));
    assert_eq!(tokenizer.marker(Marker::Prefix), Some(8188));
    assert_eq!(tokenizer.marker(Marker::Suffix), Some(8190));
    assert_eq!(tokenizer.marker(Marker::Middle), Some(8189));
    assert_eq!(tokenizer.marker(Marker::Start), None);
    assert!(tokenizer.ends_generation(8183));
    let text = "fn main() {\n    println!(\"héllo 😀\");\n}\n";
    let ids = tokenizer.encode(text);
    let bytes: Vec<u8> = ids.iter().flat_map(|id| tokenizer.bytes(*id).to_vec()).collect();
    assert_eq!(bytes, text.as_bytes());
}

#[test]
fn families_are_known_by_the_spelling_of_their_markers() {
    let known = [
        ("starcoder", Some(FimFamily::StarCoder), [Some(1), Some(3), Some(2)], Some(5), Some(6)),
        (
            "deepseek-coder",
            Some(FimFamily::DeepSeek),
            [Some(32016), Some(32015), Some(32017)],
            None,
            None,
        ),
        ("gpt-2", None, [None; 3], None, None),
        ("llama-spm", None, [None; 3], None, None),
    ];
    for (name, family, fim, repository, file) in known {
        let Some(path) = vocabulary(name) else {
            return;
        };
        let tokenizer = open(&path);
        assert_eq!(tokenizer.fim_family(), family, "{name}");
        let markers = [Marker::Prefix, Marker::Suffix, Marker::Middle];
        assert_eq!(markers.map(|marker| tokenizer.marker(marker)), fim, "{name}");
        assert_eq!(tokenizer.marker(Marker::Repository), repository, "{name}");
        assert_eq!(tokenizer.marker(Marker::File), file, "{name}");
        let end = tokenizer.end_of_text().unwrap();
        assert!(tokenizer.ends_generation(end) && tokenizer.is_special(end), "{name}");
        for id in fim.into_iter().chain([repository, file]).flatten() {
            assert!(tokenizer.ends_generation(id) && tokenizer.is_special(id), "{name}: {id}");
        }
    }
}

#[test]
fn a_beginning_of_text_is_there_only_where_the_file_asks_for_it() {
    for (name, start) in [
        ("llama-spm", Some(1)),
        ("deepseek-coder", Some(32013)),
        ("qwen2", None),
        ("starcoder", None),
    ] {
        let Some(path) = vocabulary(name) else {
            return;
        };
        assert_eq!(open(&path).marker(Marker::Start), start, "{name}");
    }
}

#[test]
fn a_word_without_end_is_encoded_in_time() {
    // Merging by scanning for the best pair would take an hour.
    let tokenizer = built_in();
    for text in ["a".repeat(1 << 18), " ".repeat(1 << 18), "<|fim_".repeat(1 << 15)] {
        assert_eq!(decode(&tokenizer, &tokenizer.encode(&text)), text.as_bytes());
    }
}

#[test]
fn all_tokens_that_start_alike_are_neighbours() {
    let tokenizer = built_in();
    let ids = tokenizer.sorted_by_bytes();
    assert!(ids.is_sorted_by_key(|id| tokenizer.bytes(*id)));
    assert!(ids.iter().all(|id| !tokenizer.is_special(*id)));
    let start = ids.partition_point(|id| tokenizer.bytes(*id) < b"ret".as_slice());
    assert!(tokenizer.bytes(ids[start]).starts_with(b"ret"));
    for id in [0, 100, 5000] {
        assert_eq!(tokenizer.id(tokenizer.spelling(id).unwrap()), Some(id));
    }
    assert_eq!(tokenizer.id("no such token"), None);
    assert!(tokenizer.bytes(u32::MAX).is_empty());
}

fn built_in() -> Tokenizer {
    open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/builtin.gguf"))
}

fn decode(tokenizer: &Tokenizer, ids: &[u32]) -> Vec<u8> {
    ids.iter().flat_map(|id| tokenizer.bytes(*id)).copied().collect()
}

/// Read once: the properties below run many times.
static TOKENIZERS: LazyLock<Vec<Tokenizer>> = LazyLock::new(|| {
    let names = ["deepseek-coder", "llama-spm"];
    let others = names.iter().filter_map(|name| vocabulary(name));
    std::iter::once(built_in()).chain(others.map(|path| open(&path))).collect()
});

const MARKERS: [&str; 14] = [
    "<|fim_prefix|>",
    "<|fim_suffix|>",
    "<|fim_middle|>",
    "<|endoftext|>",
    "<|im_end|>",
    "<|file_sep|>",
    "<fim_prefix>",
    "<fim_middle>",
    "<file_sep>",
    "<｜fim▁begin｜>",
    "<｜fim▁hole｜>",
    "<｜end▁of▁sentence｜>",
    "</s>",
    "<s>",
];

fn text_with_markers() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<String>(),
        "[ \t\r\na-z0-9_(){}'<|>▁]{0,20}",
        prop::sample::select(MARKERS.as_slice()).prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_text_comes_back_from_its_tokens_and_none_of_them_is_special(
        text in text_with_markers(),
    ) {
        for tokenizer in TOKENIZERS.iter() {
                let ids = tokenizer.encode(&text);
                prop_assert!(ids.iter().all(|id| !tokenizer.is_special(*id)));
                prop_assert!(ids.iter().all(|id| !tokenizer.ends_generation(*id)));
                prop_assert_eq!(decode(tokenizer, &ids), text.as_bytes());
        }
    }

    #[test]
    fn tokens_decoded_one_by_one_are_the_text(text in text_with_markers()) {
        for tokenizer in TOKENIZERS.iter() {
                let mut decoder = Decoder::default();
                let mut decoded = String::new();
                for id in tokenizer.encode(&text) {
                    decoded.push_str(&decoder.push(tokenizer.bytes(id)));
                }
                prop_assert_eq!(decoder.finish(), "");
                prop_assert_eq!(&decoded, &text);
        }
    }

    #[test]
    fn control_text_never_panics_and_keeps_what_is_not_special(text in text_with_markers()) {
        for tokenizer in TOKENIZERS.iter() {
                let pieces = [Piece::Control(text.clone()), Piece::Text(text.clone())];
                let ids = tokenizer.encode_pieces(&pieces).unwrap();
                prop_assert!(ids.iter().all(|id| tokenizer.spelling(*id).is_some()));
        }
    }
}
