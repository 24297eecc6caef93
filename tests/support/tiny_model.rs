//! Small models with random weights, as GGUF files in memory.

use std::collections::BTreeMap;

use agent::engine::ModelSource;
use agent::engine::gguf::{Gguf, Value, Writer};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// What to make.
#[derive(Clone, Copy)]
pub(crate) struct Tiny {
    pub(crate) architecture: &'static str,
    /// The type of the matrices; vectors are always f32.
    pub(crate) dtype: GgmlDType,
    /// No `output.weight`: the embedding is used twice.
    pub(crate) tied: bool,
    pub(crate) head_dim: usize,
}

pub(crate) const HIDDEN: usize = 256;
pub(crate) const HEADS: usize = 8;
pub(crate) const KV_HEADS: usize = 2;
pub(crate) const FEED_FORWARD: usize = 512;
pub(crate) const LAYERS: usize = 2;
pub(crate) const VOCABULARY: usize = 320;
pub(crate) const CONTEXT: usize = 256;

impl Tiny {
    pub(crate) fn new(architecture: &'static str, dtype: GgmlDType) -> Self {
        Self { architecture, dtype, tied: false, head_dim: HIDDEN / HEADS }
    }

    /// Its metadata.
    pub(crate) fn metadata(&self) -> BTreeMap<String, Value> {
        let sizes = [
            ("block_count", LAYERS),
            ("context_length", CONTEXT),
            ("embedding_length", HIDDEN),
            ("feed_forward_length", FEED_FORWARD),
            ("attention.head_count", HEADS),
            ("attention.head_count_kv", KV_HEADS),
            ("attention.key_length", self.head_dim),
            ("attention.value_length", self.head_dim),
            ("rope.dimension_count", self.head_dim),
        ];
        let epsilon = match self.architecture {
            "starcoder2" => "attention.layer_norm_epsilon",
            _ => "attention.layer_norm_rms_epsilon",
        };
        let floats = [("rope.freq_base", 10_000.0), (epsilon, 1e-6)];
        let key = |key: &str| format!("{}.{key}", self.architecture);
        let mut metadata: BTreeMap<String, Value> = sizes
            .iter()
            .map(|(name, size)| (key(name), Value::Unsigned(*size as u64)))
            .chain(floats.iter().map(|(name, value)| (key(name), Value::Float(*value))))
            .collect();
        let architecture = Value::String(self.architecture.to_owned());
        metadata.insert("general.architecture".to_owned(), architecture);
        metadata
    }

    /// The file.
    pub(crate) fn file(&self) -> Vec<u8> {
        self.file_with(&[], |writer| writer)
    }

    /// The file with these values in its metadata, under the architecture's name, and what `more`
    /// adds.
    pub(crate) fn file_with(
        &self,
        values: &[(&str, Value)],
        more: impl FnOnce(Writer) -> Writer,
    ) -> Vec<u8> {
        let mut random = Pcg64::seed_from_u64(7);
        let mut metadata = self.metadata();
        for (key, value) in values {
            metadata.insert(format!("{}.{key}", self.architecture), value.clone());
        }
        let mut writer = Writer::new();
        for (key, value) in metadata {
            writer = writer.value(&key, value);
        }
        let matrix =
            |writer: Writer, random: &mut Pcg64, name: &str, rows: usize, columns: usize| {
                let scale = 1.0 / (columns as f32).sqrt();
                // The sum of a few uniform numbers is normal enough.
                let values: Vec<f32> = (0..rows * columns)
                    .map(|_| scale * (0..4).map(|_| random.random_range(-1f32..1.0)).sum::<f32>())
                    .collect();
                let tensor = Tensor::from_vec(values, (rows, columns), &Device::Cpu).unwrap();
                writer.tensor(name, &QTensor::quantize(&tensor, self.dtype).unwrap()).unwrap()
            };
        let vector = |writer: Writer, random: &mut Pcg64, name: &str, size: usize, around: f32| {
            let values: Vec<f32> =
                (0..size).map(|_| around + random.random_range(-0.3f32..0.3)).collect();
            writer.tensor_f32(name, &[size], &values)
        };
        writer = matrix(writer, &mut random, "token_embd.weight", VOCABULARY, HIDDEN);
        if !self.tied {
            writer = matrix(writer, &mut random, "output.weight", VOCABULARY, HIDDEN);
        }
        writer = vector(writer, &mut random, "output_norm.weight", HIDDEN, 1.0);
        if self.architecture == "starcoder2" {
            writer = vector(writer, &mut random, "output_norm.bias", HIDDEN, 0.0);
        }
        let (queries, keys) = (HEADS * self.head_dim, KV_HEADS * self.head_dim);
        for layer in 0..LAYERS {
            let blk = |name: &str| format!("blk.{layer}.{name}");
            for (name, rows, columns) in [
                ("attn_q", queries, HIDDEN),
                ("attn_k", keys, HIDDEN),
                ("attn_v", keys, HIDDEN),
                ("attn_output", HIDDEN, queries),
                ("ffn_gate", FEED_FORWARD, HIDDEN),
                ("ffn_up", FEED_FORWARD, HIDDEN),
                ("ffn_down", HIDDEN, FEED_FORWARD),
            ] {
                if name == "ffn_gate" && self.architecture == "starcoder2" {
                    continue;
                }
                let name = blk(&format!("{name}.weight"));
                writer = matrix(writer, &mut random, &name, rows, columns);
            }
            for name in ["attn_norm.weight", "ffn_norm.weight"] {
                writer = vector(writer, &mut random, &blk(name), HIDDEN, 1.0);
            }
            match self.architecture {
                "qwen2" => {
                    for (name, size) in
                        [("attn_q.bias", queries), ("attn_k.bias", keys), ("attn_v.bias", keys)]
                    {
                        writer = vector(writer, &mut random, &blk(name), size, 0.0);
                    }
                }
                "qwen3" => {
                    for name in ["attn_q_norm.weight", "attn_k_norm.weight"] {
                        writer = vector(writer, &mut random, &blk(name), self.head_dim, 1.0);
                    }
                }
                "starcoder2" => {
                    for (name, size) in [
                        ("attn_q.bias", queries),
                        ("attn_k.bias", keys),
                        ("attn_v.bias", keys),
                        ("attn_output.bias", HIDDEN),
                        ("ffn_up.bias", FEED_FORWARD),
                        ("ffn_down.bias", HIDDEN),
                        ("attn_norm.bias", HIDDEN),
                        ("ffn_norm.bias", HIDDEN),
                    ] {
                        writer = vector(writer, &mut random, &blk(name), size, 0.0);
                    }
                }
                _ => {}
            }
        }
        more(writer).finish()
    }
}

/// Opens a file in memory. Its bytes live as long as the process.
pub(crate) fn open(bytes: &[u8]) -> Gguf {
    /// Tensors are expected at multiples of this.
    const ALIGNMENT: usize = 64;
    let buffer: &'static mut [u8] = vec![0; bytes.len() + ALIGNMENT].leak();
    let start = buffer.as_ptr().align_offset(ALIGNMENT);
    let aligned = &mut buffer[start..start + bytes.len()];
    aligned.copy_from_slice(bytes);
    Gguf::open(&ModelSource::Embedded { name: "tiny", bytes: aligned }).unwrap()
}
