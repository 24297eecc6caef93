//! The pass on the CPU against the one on candle tensors in f32, and against itself.

#![expect(clippy::unwrap_used, reason = "a broken test setup may panic")]

#[path = "support/tiny_model.rs"]
mod tiny_model;

use std::cell::Cell;

use agent::engine::CacheOptions;
use agent::engine::cpu::decoder::{CpuDecoder, CpuOptions};
use agent::engine::cpu::sequence::Sequence;
use agent::engine::decoder::{Decoder, Logits, Row, Store, Unfinished};
use agent::engine::gguf::Gguf;
use agent::engine::model;
use agent_pass::Kernels;
use agent_pass::pages::KvFormat;
use candle_core::Device;
use candle_core::quantized::GgmlDType;
use tiny_model::{Tiny, VOCABULARY, open};

const ARCHITECTURES: [&str; 4] = ["llama", "qwen2", "qwen3", "starcoder2"];

const TYPES: [GgmlDType; 12] = [
    GgmlDType::F32,
    GgmlDType::F16,
    GgmlDType::Q4_0,
    GgmlDType::Q4_1,
    GgmlDType::Q5_0,
    GgmlDType::Q5_1,
    GgmlDType::Q8_0,
    GgmlDType::Q2K,
    GgmlDType::Q3K,
    GgmlDType::Q4K,
    GgmlDType::Q5K,
    GgmlDType::Q6K,
];

fn tokens(count: usize) -> Vec<u32> {
    (0..count).map(|index| (index * 37 + index * index * 11) as u32 % VOCABULARY as u32).collect()
}

fn load(gguf: &Gguf, threads: usize) -> Vec<CpuDecoder> {
    let load = |kernels| load_with(gguf, threads, kernels, KvFormat::F16);
    agent_pass::instruction_sets().into_iter().map(load).collect()
}

fn load_with(
    gguf: &Gguf,
    threads: usize,
    kernels: &'static Kernels,
    kv_format: KvFormat,
) -> CpuDecoder {
    let options = CpuOptions { context_length: usize::MAX, threads, kernels, kv_format };
    CpuDecoder::load(gguf, options).unwrap()
}

fn evaluate<D: Decoder>(decoder: &mut D, rows: &mut [Row<'_, D::Sequence>]) -> Vec<Vec<f32>> {
    let mut out = Logits::default();
    decoder.evaluate(rows, &|| false, &mut out).unwrap();
    out.rows().map(<[f32]>::to_vec).collect()
}

fn after<D: Decoder>(decoder: &mut D, tokens: &[u32], sequence: &mut D::Sequence) -> Vec<f32> {
    evaluate(decoder, &mut [Row { tokens, sequence, wanted: 1 }]).remove(0)
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn every_architecture_format_and_instruction_set_agrees_with_the_pass_in_f32() {
    for architecture in ARCHITECTURES {
        for dtype in TYPES {
            let gguf = open(&Tiny::new(architecture, dtype).file());
            // Small: all weights in f32.
            let mut reference = model::load(&gguf, &Device::Cpu, usize::MAX, true).unwrap();
            let prompt = tokens(50);
            let mut cache = reference.empty();
            let expected = [
                after(&mut reference, &prompt, &mut cache),
                after(&mut reference, &[7], &mut cache),
                after(&mut reference, &[8, 9, 10], &mut cache),
            ];
            for mut decoder in load(&gguf, 2) {
                let mut sequence = decoder.empty();
                let ours = [
                    after(&mut decoder, &prompt, &mut sequence),
                    after(&mut decoder, &[7], &mut sequence),
                    after(&mut decoder, &[8, 9, 10], &mut sequence),
                ];
                let least = if matches!(dtype, GgmlDType::F32) { 0.999_99 } else { 0.999 };
                for (step, (ours, expected)) in ours.iter().zip(&expected).enumerate() {
                    let cosine = cosine(ours, expected);
                    let case = format!("{architecture} {dtype:?} {}", decoder.description());
                    assert!(cosine > least, "{case}, step {step}: cosine {cosine}");
                }
            }
        }
    }
}

#[test]
fn what_shares_a_batch_changes_nothing() {
    let gguf = open(&Tiny::new("qwen2", GgmlDType::Q4K).file());
    for mut decoder in load(&gguf, 2) {
        let prompts = [tokens(40), tokens(70)[30..].to_vec()];
        let mut sequences: Vec<Sequence> = prompts
            .iter()
            .map(|prompt| {
                let mut sequence = decoder.empty();
                after(&mut decoder, prompt, &mut sequence);
                sequence
            })
            .collect();
        let alone: Vec<Vec<f32>> = sequences
            .iter()
            .map(|sequence| after(&mut decoder, &[3], &mut sequence.fork()))
            .collect();
        let mut rows: Vec<_> = sequences
            .iter_mut()
            .map(|sequence| Row { tokens: &[3], sequence, wanted: 1 })
            .collect();
        let together = evaluate(&mut decoder, &mut rows);
        for (alone, together) in alone.iter().zip(&together) {
            assert_eq!(alone, together, "{}", decoder.description());
        }
    }
}

#[test]
fn a_draft_is_verified_with_the_very_logits_of_single_steps() {
    for dtype in TYPES {
        let gguf = open(&Tiny::new("qwen2", dtype).file());
        for mut decoder in load(&gguf, 2) {
            let mut sequence = decoder.empty();
            after(&mut decoder, &tokens(65), &mut sequence);
            let draft: Vec<u32> = (1..=9).take(1 + decoder.most_drafted()).collect();
            let mut fork = sequence.fork();
            let row = Row { tokens: &draft, sequence: &mut fork, wanted: draft.len() };
            let together = evaluate(&mut decoder, &mut [row]);
            for (token, together) in draft.iter().zip(&together) {
                let single = after(&mut decoder, &[*token], &mut sequence);
                assert_eq!(&single, together, "{dtype:?} {}", decoder.description());
            }
        }
    }
}

#[test]
fn threads_change_nothing() {
    let gguf = open(&Tiny::new("qwen3", GgmlDType::Q6K).file());
    let results: Vec<Vec<Vec<f32>>> = [1, 2, 5]
        .into_iter()
        .map(|threads| {
            let one = |mut decoder: CpuDecoder| {
                let mut sequence = decoder.empty();
                after(&mut decoder, &tokens(100), &mut sequence);
                after(&mut decoder, &[1], &mut sequence)
            };
            load(&gguf, threads).into_iter().map(one).collect()
        })
        .collect();
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
}

#[test]
fn a_pass_that_is_stopped_leaves_the_sequence_as_it_was() {
    let gguf = open(&Tiny::new("llama", GgmlDType::Q8_0).file());
    for mut decoder in load(&gguf, 2) {
        let mut sequence = decoder.empty();
        after(&mut decoder, &tokens(30), &mut sequence);
        let expected = after(&mut decoder, &[4, 5], &mut sequence.fork());
        for patience in 0..12 {
            let asked = Cell::new(0);
            let stop = || {
                asked.set(asked.get() + 1);
                asked.get() > patience
            };
            let mut out = Logits::default();
            let row = Row { tokens: &[9; 40], sequence: &mut sequence, wanted: 1 };
            let outcome = decoder.evaluate(&mut [row], &stop, &mut out);
            assert!(matches!(outcome, Err(Unfinished::Stopped)), "{patience}");
            assert_eq!(sequence.tokens(), tokens(30));
        }
        assert_eq!(after(&mut decoder, &[4, 5], &mut sequence), expected);
    }
}

#[test]
fn a_sequence_out_of_the_store_goes_on_as_a_fresh_one() {
    let gguf = open(&Tiny::new("qwen2", GgmlDType::Q8_0).file());
    for mut decoder in load(&gguf, 1) {
        let mut store = decoder.store(&gguf, &CacheOptions::default());
        let text = tokens(150);
        let mut sequence = decoder.empty();
        after(&mut decoder, &text, &mut sequence);
        store.put(sequence);
        for length in [1, 63, 64, 65, 100, 128, 149] {
            let mut edited = text[..length].to_vec();
            edited.extend([9, 8, 7]);
            let mut taken = Store::take(&mut store, &edited).unwrap().unwrap();
            assert_eq!(taken.len(), length);
            let left = edited[length..].to_vec();
            let ours = after(&mut decoder, &left, &mut taken);
            let mut fresh = decoder.empty();
            let expected = after(&mut decoder, &edited, &mut fresh);
            // The prompt was evaluated in one piece, the edit in another: products of many and of
            // few vectors round differently.
            assert!(cosine(&ours, &expected) > 0.9995, "{length}: {}", cosine(&ours, &expected));
        }
    }
}

#[test]
fn keys_and_values_in_8_bits_are_nearly_those_in_16() {
    for architecture in ["llama", "qwen3"] {
        let gguf = open(&Tiny { head_dim: 64, ..Tiny::new(architecture, GgmlDType::F32) }.file());
        for kernels in agent_pass::instruction_sets() {
            let [full, small] = [KvFormat::F16, KvFormat::Q8_0].map(|format| {
                let mut decoder = load_with(&gguf, 2, kernels, format);
                let mut sequence = decoder.empty();
                after(&mut decoder, &tokens(100), &mut sequence);
                after(&mut decoder, &[1], &mut sequence)
            });
            assert_ne!(full, small);
            assert!(cosine(&full, &small) > 0.9995, "{}", cosine(&full, &small));
        }
    }
}
