//! The tokenizer against the vocabularies and test vectors of llama.cpp.

use std::path::{Path, PathBuf};

use agent::engine::gguf::Gguf;
use agent::engine::tokenizer::Tokenizer;
use agent::engine::{FimFamily, Marker, ModelSource};

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
