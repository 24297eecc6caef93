//! What probes of a model find, and the built-in model's perplexity.

#![expect(clippy::unwrap_used, reason = "a broken test setup may panic")]

use std::path::{Path, PathBuf};

use agent::engine::gguf::Gguf;
use agent::engine::probe::{Finding, MEASUREMENTS, Measurement, Probe};
use agent::engine::tokenizer::Tokenizer;
use agent::engine::{Engine, EngineError, EngineOptions, EnginePath, ModelSource};

fn builtin() -> ModelSource {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/builtin.gguf");
    ModelSource::File(path)
}

fn engine(path: EnginePath) -> Engine {
    Engine::load(&builtin(), &EngineOptions { path, ..EngineOptions::default() }).unwrap()
}

fn logits(engine: &Engine, tokens: &[u32], wanted: usize) -> Result<Vec<f32>, EngineError> {
    match engine.probe(Probe::Logits { tokens: tokens.to_vec(), wanted, remembered: false })? {
        Finding::Logits(logits) => Ok(logits),
        Finding::Time { .. } => panic!("asked for logits"),
    }
}

fn evaluated(engine: &Engine, measurement: Measurement, seed: u32) -> usize {
    match engine.probe(Probe::Time(measurement, seed)).unwrap() {
        Finding::Time { time, outside, tokens } => {
            assert!(outside <= time, "{measurement:?}");
            tokens
        }
        Finding::Logits(_) => panic!("asked for a time"),
    }
}

#[test]
fn logits_of_a_token_do_not_depend_on_what_comes_after_or_how_many_are_wanted() {
    logits_of_a_token_are_its_own(EnginePath::Candle, 2, 0.05);
    // In one batch of more vectors than steps have, our own path gives each the very same numbers.
    logits_of_a_token_are_its_own(EnginePath::Cpu, 21, f32::MIN_POSITIVE);
    // A batch as small as a step is rounded otherwise. What is not wanted is read in a batch of its
    // own: here of one token, and of 19 before two. With matrix tiles 0.079 and 0.096 were seen.
    logits_of_a_token_are_its_own(EnginePath::Cpu, 20, 0.15);
    logits_of_a_token_are_its_own(EnginePath::Cpu, 2, 0.15);
}

/// The last `count` of 21 tokens get, within `most`, the logits that they get among 40.
fn logits_of_a_token_are_its_own(path: EnginePath, count: usize, most: f32) {
    let engine = engine(path);
    let tokens: Vec<u32> = (0..40).map(|n| 300 + n * 37 % 1000).collect();
    let all = logits(&engine, &tokens, 40).unwrap();
    let width = all.len() / 40;
    let row = |n: usize| &all[n * width..(n + 1) * width];
    let some = logits(&engine, &tokens[..21], count).unwrap();
    assert_eq!(some.len(), count * width);
    let pairs = some.iter().zip((21 - count..21).flat_map(row));
    let largest = pairs.map(|(found, wanted)| (found - wanted).abs()).fold(0.0, f32::max);
    assert!(largest < most, "{path:?}, {count}: {largest}");
    for (tokens, wanted) in [(&[][..], 1), (&[1][..], 2), (&[1][..], 0), (&[u32::MAX][..], 1)] {
        let error = logits(&engine, tokens, wanted).unwrap_err();
        assert!(matches!(error, EngineError::Request { .. }), "{error}");
    }
}

#[test]
fn measurements_evaluate_what_they_say() {
    let engine = engine(EnginePath::Auto);
    let most = engine.info().context_length / 2;
    for (name, measurement) in MEASUREMENTS {
        let expected = match measurement {
            Measurement::Prefill => 512.min(most),
            Measurement::First => 16,
            Measurement::Decode => 64,
            Measurement::Step => 1,
            Measurement::Verify | Measurement::VerifyLast => 8,
            Measurement::One => 32,
            Measurement::Four => 128,
            Measurement::Keystroke => 4001.min(engine.info().context_length - 7),
        };
        assert_eq!(evaluated(&engine, measurement, 5), expected, "{name}");
    }
    let again = evaluated(&engine, Measurement::Keystroke, 5);
    assert!(again <= 128, "{again} tokens of a remembered prompt were evaluated anew");
}

/// A text the model was not made from, in the language it knows best.
const TEXT: &str = r#"use std::collections::HashMap;

/// Counts how often each word occurs in a text.
pub fn count_words(text: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for word in text.split_whitespace() {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        if !word.is_empty() {
            *counts.entry(word).or_insert(0) += 1;
        }
    }
    counts
}

/// The words that occur most often, the commonest first; words that occur equally often are in
/// alphabetical order.
pub fn most_common(counts: &HashMap<String, usize>, limit: usize) -> Vec<(&str, usize)> {
    let mut words: Vec<(&str, usize)> =
        counts.iter().map(|(word, count)| (word.as_str(), *count)).collect();
    words.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    words.truncate(limit);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_is_not_part_of_a_word() {
        let counts = count_words("One, two; two! Three? three three.");
        assert_eq!(counts.get("one"), Some(&1));
        assert_eq!(counts.get("three"), Some(&3));
        assert_eq!(most_common(&counts, 2), vec![("three", 3), ("two", 2)]);
    }
}
"#;

/// e to the mean of the negative log-probability of each token of `tokens` but the first.
fn perplexity(engine: &Engine, tokens: &[u32]) -> f64 {
    let all = logits(engine, tokens, tokens.len()).unwrap();
    let width = all.len() / tokens.len();
    let next = tokens.iter().skip(1);
    let losses: Vec<f64> = all
        .chunks(width)
        .zip(next)
        .map(|(logits, &token)| {
            let most = logits.iter().copied().fold(f32::MIN, f32::max);
            let sum: f64 = logits.iter().map(|logit| f64::from(logit - most).exp()).sum();
            sum.ln() - f64::from(logits[token as usize] - most)
        })
        .collect();
    (losses.iter().sum::<f64>() / losses.len() as f64).exp()
}

#[test]
fn the_perplexity_of_the_built_in_model_is_that_of_a_pass_in_32_bits() {
    let tokenizer = Tokenizer::from_gguf(&Gguf::open(&builtin()).unwrap()).unwrap();
    let tokens = tokenizer.encode(TEXT);
    assert!(tokens.len() > 200, "{} tokens", tokens.len());
    // The tensor library runs a model this small on weights dequantized to 32 bits.
    let exact = perplexity(&engine(EnginePath::Candle), &tokens);
    let ours = perplexity(&engine(EnginePath::Auto), &tokens);
    println!("perplexity {ours:.4}, in 32 bits {exact:.4}");
    assert!((2.0..40.0).contains(&exact), "{exact}");
    assert!((ours / exact - 1.0).abs() < 0.005, "{ours}, in 32 bits {exact}");
}
