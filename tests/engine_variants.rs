//! Files as they are found: stretched rotations, fused projections, windows, formats that candle
//! lacks.

#![expect(clippy::unwrap_used, reason = "a broken test setup may panic")]

#[path = "support/tiny_model.rs"]
mod tiny_model;

use agent::engine::decoder::{Decoder, Logits, Row};
use agent::engine::gguf::{Gguf, Value, Writer};
use agent::engine::model;
use agent_pass::block::{BlockType, dequantize};
use candle_core::Device;
use candle_core::quantized::GgmlDType;
use tiny_model::{CONTEXT, Tiny, VOCABULARY, open};

/// The logits after the first `count` of a row of tokens.
fn logits_after(count: usize, bytes: &[u8]) -> Vec<f32> {
    let mut decoder = model::load(&open(bytes), &Device::Cpu, CONTEXT, false).unwrap();
    let tokens: Vec<u32> =
        (0..count).map(|at| (at * 37 + at * at * 11) as u32 % VOCABULARY as u32).collect();
    let (mut sequence, mut out) = (decoder.empty(), Logits::default());
    let row = Row { tokens: &tokens, sequence: &mut sequence, wanted: 1 };
    decoder.evaluate(&mut [row], &|| false, &mut out).unwrap();
    out.rows().flatten().copied().collect()
}

fn logits(bytes: &[u8]) -> Vec<f32> {
    logits_after(30, bytes)
}

fn close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert!(found.len() >= expected.len());
    let largest = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest < tolerance, "{:?} {expected:?}", &found[..expected.len()]);
}

fn differ(a: &[f32], b: &[f32]) {
    assert!(a.iter().zip(b).any(|(a, b)| (a - b).abs() > 1e-2), "no difference");
}

fn refusal(bytes: &[u8]) -> String {
    match model::load(&open(bytes), &Device::Cpu, CONTEXT, false) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("loaded"),
    }
}

fn scaling(kind: &str, more: &[(&'static str, f64)]) -> Vec<(&'static str, Value)> {
    let kind = ("rope.scaling.type", Value::String(kind.to_owned()));
    let original = ("rope.scaling.original_context_length", Value::Unsigned(64));
    let more = more.iter().map(|(key, value)| (*key, Value::Float(*value)));
    [kind, original].into_iter().chain(more).collect()
}

fn with_factors(writer: Writer) -> Writer {
    let factors =
        |step: f32| -> Vec<f32> { (0..16u8).map(|at| 1.0 + f32::from(at) * step).collect() };
    writer.tensor_f32("rope_factors_long.weight", &[16], &factors(0.7)).tensor_f32(
        "rope_factors_short.weight",
        &[16],
        &factors(0.1),
    )
}

/// The first logits after the same 200 tokens of the same files, by llama.cpp (0c1e57098) with keys
/// and values in f32 and without flash attention. Its `GELU` is a table of half-precision numbers.
#[test]
fn stretched_rotations_and_starcoder2_agree_with_llama_cpp() {
    const FACTOR: (&str, f64) = ("rope.scaling.factor", 4.0);
    const ATTENTION: (&str, f64) = ("rope.scaling.attn_factor", 1.25);
    let yarn = scaling("yarn", &[FACTOR]);
    let strong_yarn = scaling("yarn", &[FACTOR, ATTENTION]);
    let cases: [(_, &[_], _, _); 6] = [
        ("llama", &yarn, [1.6285, 0.8363, -0.504, 0.5798, 0.0606, 0.4166], 1e-3),
        ("llama", &strong_yarn, [0.2699, -0.3602, -0.2903, 2.1867, 0.7994, 0.0711], 1e-3),
        ("qwen2", &yarn, [-2.5304, -2.1174, -0.949, 2.4543, 1.1691, -2.5503], 1e-3),
        ("qwen3", &strong_yarn, [-1.0255, -0.8514, -1.0978, -0.3544, -1.7437, -0.6852], 1e-3),
        ("starcoder2", &[], [2.0207, -1.126, -2.9523, -0.5141, 0.0802, 1.7612], 1e-2),
        ("starcoder2", &yarn, [2.0338, -1.6578, -2.4693, -1.0399, -0.1081, 1.0279], 1e-2),
    ];
    for (architecture, values, expected, tolerance) in cases {
        let file = Tiny::new(architecture, GgmlDType::F32).file_with(values, |writer| writer);
        close(&logits_after(200, &file), &expected, tolerance);
    }
}

/// As above.
#[test]
fn longrope_has_factors_for_short_and_for_long_contexts_as_llama_cpp_has() {
    let values = scaling("longrope", &[("rope.scaling.attn_factor", 1.19)]);
    let file = Tiny::new("llama", GgmlDType::F32).file_with(&values, with_factors);
    close(&logits_after(200, &file), &[0.9125, 1.1256, -0.7165, 0.6814, 1.0198, 2.6162], 1e-3);
    // Longer than the original context is what is asked for, not what is there at the moment.
    let mut values = values;
    values[1].1 = Value::Unsigned(CONTEXT as u64);
    let file = Tiny::new("llama", GgmlDType::F32).file_with(&values, with_factors);
    close(&logits_after(200, &file), &[0.2832, -0.4063, 0.5963, -0.4457, 0.6037, 1.7445], 1e-3);
}

#[test]
fn longrope_without_its_factors_and_factors_without_longrope_are_refused() {
    let tiny = Tiny::new("llama", GgmlDType::F32);
    let message = refusal(&tiny.file_with(&scaling("longrope", &[]), |writer| writer));
    assert!(message.contains("rope_factors_long.weight: the tensor is missing"), "{message}");
    let message = refusal(&tiny.file_with(&[], with_factors));
    assert!(message.contains("rope_factors_long.weight"), "{message}");
    for factor in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let factors = [factor; 16];
        let bytes = tiny.file_with(&[], |w| w.tensor_f32("rope_freqs.weight", &[16], &factors));
        let message = refusal(&bytes);
        assert!(message.contains("rope_freqs.weight"), "{factor}: {message}");
    }
}

#[test]
fn a_part_of_every_head_can_be_turned() {
    for architecture in ["llama", "qwen2"] {
        let tiny = Tiny::new(architecture, GgmlDType::F32);
        let part = [("rope.dimension_count", Value::Unsigned(16))];
        differ(&logits(&tiny.file_with(&part, |writer| writer)), &logits(&tiny.file()));
    }
}

#[test]
fn starcoder2_has_a_window_unless_its_file_says_otherwise() {
    let file = |window: Option<u64>| {
        let context = ("context_length", Value::Unsigned(8192));
        let window = window.map(|size| ("attention.sliding_window", Value::Unsigned(size)));
        let values: Vec<_> = [Some(context), window].into_iter().flatten().collect();
        Tiny::new("starcoder2", GgmlDType::F32).file_with(&values, |writer| writer)
    };
    let plain = logits(&file(None));
    assert_eq!(plain, logits(&file(Some(4096))));
    assert_eq!(plain, logits(&file(Some(0))));
    differ(&plain, &logits(&file(Some(16))));
}

/// The file with its queries, keys and values in one tensor, and their biases too if `biases`.
fn fused(bytes: &[u8], biases: bool) -> Vec<u8> {
    let gguf: Gguf = open(bytes);
    let is_fused = |name: &str, part: &str| {
        name.contains(&format!("{part}.")) && (biases || name.contains(".weight"))
    };
    let metadata = gguf.metadata.iter();
    let mut writer =
        metadata.fold(Writer::new(), |writer, (key, value)| writer.value(key, value.clone()));
    for (name, info) in gguf.tensors.iter() {
        if is_fused(name, "attn_k") || is_fused(name, "attn_v") {
            continue;
        }
        let (mut name, mut shape, mut data) =
            (name.clone(), info.shape.clone(), gguf.data(info).to_vec());
        if is_fused(&name, "attn_q") {
            for part in ["attn_k.", "attn_v."] {
                let part = gguf.info(&name.replace("attn_q.", part)).unwrap();
                data.extend_from_slice(gguf.data(part));
                shape[0] += part.shape[0];
            }
            name = name.replace("attn_q.", "attn_qkv.");
        }
        writer = writer.tensor_bytes(&name, &shape, info.dtype, data);
    }
    writer.finish()
}

#[test]
fn fused_projections_are_the_separate_ones() {
    for architecture in model::ARCHITECTURES {
        for dtype in [GgmlDType::F32, GgmlDType::Q4K] {
            let file = Tiny::new(architecture, dtype).file();
            let expected = logits(&file);
            assert_eq!(logits(&fused(&file, true)), expected, "{architecture} {dtype:?}");
            assert_eq!(logits(&fused(&file, false)), expected, "{architecture} {dtype:?}");
        }
    }
    let error = refusal(&fused(
        &Tiny::new("llama", GgmlDType::F32)
            .file_with(&[], |w| w.tensor_f32("blk.0.attn_qkv.bias", &[3], &[0.0; 3])),
        true,
    ));
    assert!(error.contains("blk.0.attn_qkv.bias"), "{error}");
}

/// The file with its matrices in `format` (any bits will do), and the same numbers in f32.
fn in_format(format: BlockType) -> [Vec<u8>; 2] {
    let gguf = open(&Tiny::new("qwen2", GgmlDType::F32).file());
    let start = || {
        let metadata = gguf.metadata.iter();
        metadata.fold(Writer::new(), |writer, (key, value)| writer.value(key, value.clone()))
    };
    let (mut blocks, mut floats) = (start(), start());
    for (name, info) in gguf.tensors.iter() {
        let (shape, data) = (&info.shape, gguf.data(info));
        if shape.len() == 1 {
            blocks = blocks.tensor_bytes(name, shape, info.dtype, data.to_vec());
            floats = floats.tensor_bytes(name, shape, info.dtype, data.to_vec());
            continue;
        }
        let (weights, bytes) = format.block();
        let count: usize = shape.iter().product();
        // The random floats' own bits, with a small scale in half precision.
        let mut quants: Vec<u8> = data.iter().copied().take(count / weights * bytes).collect();
        for block in quants.chunks_exact_mut(bytes) {
            // 2⁻¹⁰, and for the 6-bit scales of IQ4_XS 2⁻¹⁴.
            let scale = if format == BlockType::IQ4_XS { 0x0400u16 } else { 0x1400 };
            block[..2].copy_from_slice(&scale.to_le_bytes());
        }
        let mut numbers = vec![0f32; count];
        dequantize(format, &quants, &mut numbers);
        blocks = blocks.tensor_bytes(name, shape, format, quants);
        floats = floats.tensor_f32(name, shape, &numbers);
    }
    [blocks.finish(), floats.finish()]
}

#[test]
fn formats_that_candle_lacks_are_run_in_f32() {
    for format in [BlockType::IQ4_NL, BlockType::IQ4_XS] {
        let [blocks, floats] = in_format(format);
        let found = logits(&blocks);
        assert!(found.iter().all(|logit| logit.is_finite()));
        assert_eq!(found, logits(&floats), "{format:?}");
    }
}
