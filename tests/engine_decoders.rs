//! Our decoders against candle-transformers' on random models, and against themselves.

#![expect(clippy::unwrap_used, reason = "a broken test setup may panic")]

#[path = "support/starcoder2_reference.rs"]
mod starcoder2_reference;
#[path = "support/tiny_model.rs"]
mod tiny_model;

use std::io::Cursor;

use agent::engine::decoder::{Decoder, Logits, Row, Unfinished};
use agent::engine::gguf::{Value, Writer};
use agent::engine::kv_cache::KvCache;
use agent::engine::model::{self, Transformer};
use candle_core::quantized::{GgmlDType, gguf_file};
use candle_core::{Device, Tensor};
use candle_transformers::models::{quantized_llama, quantized_qwen2, quantized_qwen3};
use tiny_model::{CONTEXT, Tiny, VOCABULARY, open};

fn decoder(bytes: &[u8]) -> Transformer {
    model::load(&open(bytes), &Device::Cpu, usize::MAX, false).unwrap()
}

/// As a small model is run: on one thread, in f32.
fn small_decoder(bytes: &[u8]) -> Transformer {
    model::load(&open(bytes), &Device::Cpu, usize::MAX, true).unwrap()
}

fn tokens(count: usize) -> Vec<u32> {
    (0..count).map(|index| (index * 37 + index * index * 11) as u32 % VOCABULARY as u32).collect()
}

fn logits(decoder: &mut Transformer, tokens: &[u32], cache: &mut KvCache) -> Vec<f32> {
    evaluate(decoder, &mut [Row { tokens, sequence: cache, wanted: 1 }]).unwrap().remove(0)
}

fn fresh(decoder: &mut Transformer, tokens: &[u32]) -> Vec<f32> {
    let mut cache = decoder.empty();
    logits(decoder, tokens, &mut cache)
}

fn evaluate(
    decoder: &mut Transformer,
    rows: &mut [Row<'_, KvCache>],
) -> Result<Vec<Vec<f32>>, Unfinished> {
    let mut out = Logits::default();
    decoder.evaluate(rows, &|| false, &mut out)?;
    Ok(out.rows().map(<[f32]>::to_vec).collect())
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn top(logits: &[f32], count: usize) -> Vec<usize> {
    let mut ids: Vec<usize> = (0..logits.len()).collect();
    ids.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
    ids.truncate(count);
    ids.sort_unstable();
    ids
}

fn close(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    let largest = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest < 2e-4, "logits differ by {largest}");
}

type Forward = dyn FnMut(&Tensor, usize) -> candle_core::Result<Tensor>;

/// The logits after a prompt and after three more tokens, by candle-transformers.
fn reference(architecture: &str, bytes: &[u8], prompt: &[u32], more: &[u32]) -> Vec<Vec<f32>> {
    let mut reader = Cursor::new(bytes);
    let content = gguf_file::Content::read(&mut reader).unwrap();
    let device = Device::Cpu;
    let mut forward: Box<Forward> = match architecture {
        "llama" => {
            let mut model =
                quantized_llama::ModelWeights::from_gguf(content, &mut reader, &device).unwrap();
            Box::new(move |x, at| model.forward(x, at))
        }
        "qwen2" => {
            let mut model =
                quantized_qwen2::ModelWeights::from_gguf(content, &mut reader, &device).unwrap();
            Box::new(move |x, at| model.forward(x, at))
        }
        "starcoder2" => {
            let mut model = starcoder2_reference::load(&open(bytes));
            Box::new(move |x, at| model.forward(x, at))
        }
        _ => {
            let mut model =
                quantized_qwen3::ModelWeights::from_gguf(content, &mut reader, &device).unwrap();
            Box::new(move |x, at| model.forward(x, at))
        }
    };
    let mut run = |tokens: &[u32], at| {
        let x = Tensor::new(tokens, &device).unwrap().unsqueeze(0).unwrap();
        forward(&x, at).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    let mut results = vec![run(prompt, 0)];
    for (index, token) in more.iter().enumerate() {
        results.push(run(&[*token], prompt.len() + index));
    }
    results
}

fn agrees(tiny: Tiny) {
    let bytes = tiny.file();
    let (prompt, more) = (tokens(21), [5, 9, 200]);
    let expected = reference(tiny.architecture, &bytes, &prompt, &more);
    for (way, mut decoder) in [("large", decoder(&bytes)), ("small", small_decoder(&bytes))] {
        let mut cache = decoder.empty();
        let mut ours = vec![logits(&mut decoder, &prompt, &mut cache)];
        for token in more {
            ours.push(logits(&mut decoder, &[token], &mut cache));
        }
        for (step, (ours, expected)) in ours.iter().zip(&expected).enumerate() {
            let case = format!("{} {:?}, {way}, step {step}", tiny.architecture, tiny.dtype);
            let cosine = cosine(ours, expected);
            assert!(cosine > 0.999, "{case}: cosine {cosine}");
            let (ours, expected) = (top(ours, 10), top(expected, 10));
            let common = ours.iter().filter(|id| expected.contains(id)).count();
            // Quantized activations: a rounding that goes the other way swaps near ties.
            let least = if tiny.dtype == GgmlDType::F32 { 10 } else { 9 };
            assert!(common >= least, "{case}: {ours:?} {expected:?}");
        }
    }
}

/// A model that candle-transformers can run, too.
fn comparable(architecture: &'static str, dtype: GgmlDType) -> Tiny {
    Tiny { tied: architecture == "starcoder2", ..Tiny::new(architecture, dtype) }
}

#[test]
fn every_architecture_agrees_with_candle_transformers_in_f32() {
    for architecture in model::ARCHITECTURES {
        agrees(comparable(architecture, GgmlDType::F32));
    }
}

#[test]
fn every_architecture_agrees_with_candle_transformers_in_q8_0_and_q4_k() {
    for architecture in model::ARCHITECTURES {
        agrees(comparable(architecture, GgmlDType::Q8_0));
        agrees(Tiny { tied: true, ..Tiny::new(architecture, GgmlDType::Q4K) });
    }
}

#[test]
fn heads_need_not_add_up_to_the_embedding() {
    agrees(Tiny { head_dim: 64, ..Tiny::new("qwen3", GgmlDType::F32) });
}

#[test]
fn a_prompt_at_once_in_chunks_and_token_by_token_is_the_same() {
    for architecture in model::ARCHITECTURES {
        let mut decoder = decoder(&Tiny::new(architecture, GgmlDType::F32).file());
        let prompt = tokens(90);
        let (mut whole, mut chunks, mut single) =
            (decoder.empty(), decoder.empty(), decoder.empty());
        let expected = logits(&mut decoder, &prompt, &mut whole);
        let start = Row { tokens: &prompt[..70], sequence: &mut chunks, wanted: 0 };
        assert!(evaluate(&mut decoder, &mut [start]).unwrap().is_empty());
        close(&logits(&mut decoder, &prompt[70..], &mut chunks), &expected);
        let steps: Vec<_> =
            prompt.iter().map(|token| logits(&mut decoder, &[*token], &mut single)).collect();
        close(steps.last().unwrap(), &expected);
        assert_eq!(single.tokens(), prompt);
    }
}

#[test]
fn the_logits_after_several_tokens_are_those_of_single_steps() {
    for architecture in model::ARCHITECTURES {
        let mut decoder = decoder(&Tiny::new(architecture, GgmlDType::F32).file());
        let prompt = tokens(20);
        let (mut whole, mut single) = (decoder.empty(), decoder.empty());
        let steps: Vec<_> =
            prompt.iter().map(|token| logits(&mut decoder, &[*token], &mut single)).collect();
        let mut other = decoder.empty();
        let mut rows = [
            Row { tokens: &prompt, sequence: &mut whole, wanted: 5 },
            Row { tokens: &prompt[..3], sequence: &mut other, wanted: 0 },
        ];
        let last = evaluate(&mut decoder, &mut rows).unwrap();
        assert_eq!((last.len(), whole.len(), other.len()), (5, 20, 3));
        last.iter().zip(&steps[15..]).for_each(|(ours, step)| close(ours, step));
    }
}

#[test]
fn a_pass_that_is_told_to_stop_leaves_the_sequence_as_it_was() {
    let mut decoder = decoder(&Tiny::new("llama", GgmlDType::F32).file());
    let mut cache = decoder.empty();
    logits(&mut decoder, &[1, 2], &mut cache);
    for layers in 0..2 {
        let asked = std::cell::Cell::new(0);
        let stop = || asked.replace(asked.get() + 1) == layers;
        let mut row = [Row { tokens: &[7, 8], sequence: &mut cache, wanted: 1 }];
        let outcome = decoder.evaluate(&mut row, &stop, &mut Logits::default());
        assert!(matches!(outcome, Err(Unfinished::Stopped)));
        assert_eq!(cache.tokens(), [1, 2]);
    }
    let next = logits(&mut decoder, &[3], &mut cache);
    close(&next, &fresh(&mut decoder, &[1, 2, 3]));
}

#[test]
fn truncating_and_forking_give_what_a_fresh_pass_gives() {
    let mut decoder = decoder(&Tiny::new("qwen2", GgmlDType::Q8_0).file());
    let prompt = tokens(40);
    let mut cache = decoder.empty();
    logits(&mut decoder, &prompt, &mut cache);
    let other = [prompt[..25].to_vec(), vec![3, 1, 4, 1, 5]].concat();
    let expected = fresh(&mut decoder, &other);

    let mut fork = cache.fork(25).unwrap();
    close(&logits(&mut decoder, &other[25..], &mut fork), &expected);
    cache.truncate(25);
    close(&logits(&mut decoder, &other[25..], &mut cache), &expected);
    assert_eq!(cache.tokens(), other);
}

#[test]
fn rows_of_a_batch_do_not_see_each_other() {
    for architecture in model::ARCHITECTURES {
        let mut decoder = decoder(&Tiny::new(architecture, GgmlDType::F32).file());
        let prompts = [tokens(7), tokens(40).split_off(20), vec![11]];
        let mut caches: Vec<KvCache> = prompts.iter().map(|_| decoder.empty()).collect();
        let mut batch = |tokens: Vec<&[u32]>| {
            let mut rows: Vec<Row<'_, KvCache>> = tokens
                .into_iter()
                .zip(&mut caches)
                .map(|(tokens, sequence)| Row { tokens, sequence, wanted: 1 })
                .collect();
            evaluate(&mut decoder, &mut rows).unwrap()
        };
        let first = batch(prompts.iter().map(Vec::as_slice).collect());
        let second = batch(vec![&[1], &[2], &[3]]);
        for (index, prompt) in prompts.iter().enumerate() {
            let mut alone = decoder.empty();
            close(&first[index], &logits(&mut decoder, prompt, &mut alone));
            close(&second[index], &logits(&mut decoder, &[index as u32 + 1], &mut alone));
        }
    }
}

#[test]
fn a_sliding_window_forgets_what_is_behind_it() {
    const WINDOW: usize = 8;
    let file = |window: usize| {
        let value = Value::Unsigned(window as u64);
        Tiny::new("llama", GgmlDType::F32)
            .file_with(&[("attention.sliding_window", value)], |writer| writer)
    };
    let mut windowed = decoder(&file(WINDOW));
    let prompt = tokens(60);
    let expected = fresh(&mut windowed, &prompt);
    let mut single = windowed.empty();
    let steps: Vec<_> =
        prompt.iter().map(|token| logits(&mut windowed, &[*token], &mut single)).collect();
    close(steps.last().unwrap(), &expected);

    // Two layers look back twice the window at most: what is before that makes no difference, and
    // without a window it does.
    let mut changed = prompt.clone();
    changed[0] = 1;
    close(&fresh(&mut windowed, &changed), &expected);
    let mut unlimited = decoder(&file(0));
    let mut of = |tokens: &[u32]| fresh(&mut unlimited, tokens);
    assert!(cosine(&of(&prompt), &of(&changed)) < 0.999_999);
    assert!(cosine(&of(&prompt), &expected) < 0.999);
}

#[test]
fn rope_scaling_changes_the_result_and_unknown_kinds_are_refused() {
    let tiny = Tiny::new("llama", GgmlDType::F32);
    let of = |bytes: &[u8]| {
        let mut decoder = decoder(bytes);
        fresh(&mut decoder, &tokens(30))
    };
    let four = Value::Float(4.0);
    let kind = Value::String("linear".to_owned());
    let values = [("rope.scaling.type", kind), ("rope.scaling.factor", four.clone())];
    let plain = of(&tiny.file());
    let linear = of(&tiny.file_with(&values, |w| w));
    let older = of(&tiny.file_with(&[("rope.scale_linear", four)], |w| w));
    let factors =
        of(&tiny.file_with(&[], |w| w.tensor_f32("rope_freqs.weight", &[16], &[4.0; 16])));
    assert!(cosine(&plain, &linear) < 0.9999);
    close(&linear, &older);
    close(&linear, &factors);
}

/// The error of a llama file with these values in its metadata and this change.
fn refused(values: &[(&str, Value)], more: impl FnOnce(Writer) -> Writer) -> String {
    refusal(&Tiny::new("llama", GgmlDType::F32).file_with(values, more))
}

fn refusal(bytes: &[u8]) -> String {
    match model::load(&open(bytes), &Device::Cpu, usize::MAX, false) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("loaded"),
    }
}

#[test]
fn hostile_metadata_is_refused_by_its_key() {
    let cases: [(&str, Value); 18] = [
        ("attention.head_count", Value::Unsigned(0)),
        ("attention.head_count", Value::Unsigned(u64::MAX)),
        ("attention.head_count_kv", Value::Unsigned(0)),
        ("attention.head_count_kv", Value::Unsigned(3)),
        ("attention.head_count_kv", Value::String("two".to_owned())),
        ("attention.key_length", Value::Unsigned(0)),
        ("attention.key_length", Value::Unsigned(31)),
        ("attention.value_length", Value::Unsigned(16)),
        ("rope.dimension_count", Value::Unsigned(15)),
        ("rope.freq_base", Value::Float(f64::NAN)),
        ("rope.freq_base", Value::Float(0.0)),
        ("attention.layer_norm_rms_epsilon", Value::Float(f64::INFINITY)),
        ("attention.layer_norm_rms_epsilon", Value::Float(-1.0)),
        ("block_count", Value::Unsigned(u64::MAX)),
        ("context_length", Value::Unsigned(0)),
        ("expert_count", Value::Unsigned(8)),
        ("rope.scaling.type", Value::String("ntk".to_owned())),
        ("attn_logit_softcapping", Value::Float(30.0)),
    ];
    for (key, value) in cases {
        let error = refused(&[(key, value.clone())], |writer| writer);
        let key = format!("llama.{key}");
        assert!(error.contains("tiny: ") && error.contains(&key), "{key} {value:?}: {error}");
    }
}

#[test]
fn tensors_that_do_not_fit_are_refused_by_name() {
    let error = refused(&[("block_count", Value::Unsigned(3))], |w| w);
    assert!(error.contains("blk.2.attn_norm.weight"), "{error}");
    let error = refused(&[("feed_forward_length", Value::Unsigned(500))], |w| w);
    assert!(error.contains("ffn_gate.weight") && error.contains("[512, 256]"), "{error}");
    let error = refused(&[("block_count", Value::Unsigned(1))], |w| w);
    assert!(error.contains("blk.1."), "{error}");
    let error = refused(&[], |w| w.tensor_f32("blk.0.attn_q_norm.weight", &[32], &[1.0; 32]));
    assert!(error.contains("attn_q_norm"), "{error}");
}

#[test]
fn an_unknown_architecture_is_refused_with_those_there_are() {
    let error = refusal(&Tiny::new("mamba", GgmlDType::F32).file());
    for part in ["general.architecture", "mamba", "llama", "qwen2", "qwen3"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn bad_tokens_and_full_caches_are_errors_and_leave_the_cache_as_it_was() {
    let mut decoder = decoder(&Tiny::new("llama", GgmlDType::F32).file());
    let mut cache = decoder.empty();
    logits(&mut decoder, &[1, 2], &mut cache);
    for bad in [vec![], vec![VOCABULARY as u32], vec![0; CONTEXT]] {
        let row = Row { tokens: &bad, sequence: &mut cache, wanted: 1 };
        assert!(evaluate(&mut decoder, &mut [row]).is_err());
        assert_eq!(cache.tokens(), [1, 2]);
    }
    let next = logits(&mut decoder, &[3], &mut cache);
    close(&next, &fresh(&mut decoder, &[1, 2, 3]));
}
