//! A decoder's hyperparameters, out of metadata that may say anything.

use crate::engine::EngineError;
use crate::engine::gguf::Gguf;

/// The sizes and constants of a dense decoder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Settings {
    /// Length of a token's vector between the layers.
    pub(super) hidden: usize,
    /// Number of layers.
    pub(super) layers: usize,
    /// Query heads.
    pub(super) heads: usize,
    /// Key and value heads; divides `heads`.
    pub(super) kv_heads: usize,
    /// Size of a head; even.
    pub(super) head_dim: usize,
    /// Inner size of the feed-forward network.
    pub(super) feed_forward: usize,
    /// Number of token ids: the rows of the embedding.
    pub(super) vocabulary: usize,
    /// Longest sequence.
    pub(super) context_length: usize,
    /// Added to the mean square before its root is taken.
    pub(super) norm_eps: f32,
    /// How many positions back a token sees, itself included; `None` is all.
    pub(super) window: Option<usize>,
    /// Base of the rotation frequencies.
    pub(super) rope_base: f64,
    /// Positions are divided by this (linear scaling).
    pub(super) rope_scale: f64,
}

/// Keys (after the architecture's name) of things that change the computation and that no decoder
/// here does.
const NOT_IMPLEMENTED: [&str; 7] = [
    "attention.scale",
    "attention.clamp_kqv",
    "attention.max_alibi_bias",
    "logit_scale",
    "residual_scale",
    "embedding_scale",
    "attn_logit_softcapping",
];

impl Settings {
    /// Reads and checks the metadata of `architecture`, for sequences of at most `context_length`.
    pub(super) fn read(
        gguf: &Gguf,
        architecture: &str,
        context_length: usize,
    ) -> Result<Self, EngineError> {
        let read = Reader { gguf, architecture };
        for key in NOT_IMPLEMENTED {
            if let Some(value) = read.get(key) {
                let message = format!("{value:?} is not implemented");
                return Err(gguf.unsupported(&read.key(key), message));
            }
        }
        let experts = read.size_or("expert_count", 0, 0..=usize::MAX)?;
        if experts > 1 {
            let message = format!("a mixture of {experts} experts; only dense models run here");
            return Err(gguf.unsupported(&read.key("expert_count"), message));
        }

        let hidden = read.size("embedding_length", 1..=1 << 17)?;
        let heads = read.size("attention.head_count", 1..=4096)?;
        let kv_heads = read.size_or("attention.head_count_kv", heads, 1..=heads)?;
        if !heads.is_multiple_of(kv_heads) {
            let message = format!("{kv_heads} does not divide the {heads} query heads");
            return Err(gguf.malformed(&read.key("attention.head_count_kv"), message));
        }
        let head_dim = read.size_or("attention.key_length", hidden / heads, 1..=1 << 12)?;
        if read.get("attention.key_length").is_none() && !hidden.is_multiple_of(heads) {
            let message = format!("{heads} does not divide the embedding length {hidden}");
            return Err(gguf.malformed(&read.key("attention.head_count"), message));
        }
        if !head_dim.is_multiple_of(2) || head_dim == 0 {
            let message = format!("heads of size {head_dim}; rotation needs an even size");
            return Err(gguf.malformed(&read.key("attention.key_length"), message));
        }
        for key in ["attention.value_length", "rope.dimension_count"] {
            let size = read.size_or(key, head_dim, 0..=usize::MAX)?;
            if size != head_dim {
                let message = format!("{size} differs from the head size {head_dim}");
                return Err(gguf.unsupported(&read.key(key), message));
            }
        }
        let own_context = read.size("context_length", 1..=usize::MAX)?;
        let context_length = context_length.min(own_context);
        let window = read.size_or("attention.sliding_window", 0, 0..=usize::MAX)?;
        Ok(Self {
            hidden,
            layers: read.size("block_count", 1..=1024)?,
            heads,
            kv_heads,
            head_dim,
            feed_forward: read.size("feed_forward_length", 1..=1 << 20)?,
            vocabulary: vocabulary(gguf)?,
            context_length,
            norm_eps: read.float("attention.layer_norm_rms_epsilon", 1e-12..=0.1)? as f32,
            window: Some(window).filter(|window| (1..context_length).contains(window)),
            rope_base: read.float_or("rope.freq_base", 10_000.0, 1.0..=1e12)?,
            rope_scale: read.rope_scale()?,
        })
    }

    /// Size of all query heads together.
    pub(super) fn queries(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Size of all key (or value) heads together.
    pub(super) fn keys(&self) -> usize {
        self.kv_heads * self.head_dim
    }
}

/// The embedding's rows; metadata is not asked, it is often wrong or missing.
fn vocabulary(gguf: &Gguf) -> Result<usize, EngineError> {
    let name = "token_embd.weight";
    let Some(info) = gguf.tensors.get(name) else {
        return Err(gguf.malformed(name, "the tensor is missing"));
    };
    match info.shape.as_slice() {
        [vocabulary, _] if u32::try_from(*vocabulary).is_ok() => Ok(*vocabulary),
        shape => Err(gguf.malformed(name, format!("the shape {shape:?} is not [tokens, size]"))),
    }
}

struct Reader<'a> {
    gguf: &'a Gguf,
    architecture: &'a str,
}

type Sizes = std::ops::RangeInclusive<usize>;
type Floats = std::ops::RangeInclusive<f64>;

impl Reader<'_> {
    fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.architecture)
    }

    fn get(&self, key: &str) -> Option<&crate::engine::gguf::Value> {
        self.gguf.get(&self.key(key))
    }

    fn size(&self, key: &str, allowed: Sizes) -> Result<usize, EngineError> {
        let key = self.key(key);
        let value = self.gguf.unsigned(&key)?;
        match usize::try_from(value) {
            Ok(size) if allowed.contains(&size) => Ok(size),
            _ => {
                let (low, high) = (allowed.start(), allowed.end());
                let message = format!("{value} is not between {low} and {high}");
                Err(self.gguf.malformed(&key, message))
            }
        }
    }

    fn size_or(&self, key: &str, default: usize, allowed: Sizes) -> Result<usize, EngineError> {
        if self.get(key).is_none() { Ok(default) } else { self.size(key, allowed) }
    }

    fn float(&self, key: &str, allowed: Floats) -> Result<f64, EngineError> {
        let key = self.key(key);
        let value = self.gguf.float(&key)?;
        // A NaN is in no range.
        if allowed.contains(&value) {
            return Ok(value);
        }
        let (low, high) = (allowed.start(), allowed.end());
        Err(self.gguf.malformed(&key, format!("{value} is not between {low:e} and {high:e}")))
    }

    fn float_or(&self, key: &str, default: f64, allowed: Floats) -> Result<f64, EngineError> {
        if self.get(key).is_none() { Ok(default) } else { self.float(key, allowed) }
    }

    /// What positions are divided by.
    fn rope_scale(&self) -> Result<f64, EngineError> {
        const FACTORS: Floats = 1e-3..=1e6;
        let kind = "rope.scaling.type";
        let kind_of_scaling = match self.get(kind) {
            None => None,
            Some(_) => Some(self.gguf.string(&self.key(kind))?),
        };
        match kind_of_scaling {
            // Before there were kinds, there was only the linear one.
            None => self.float_or("rope.scale_linear", 1.0, FACTORS),
            Some("none") => Ok(1.0),
            // A factor of 0 says that there is none.
            Some("linear") => match self.float_or("rope.scaling.factor", 1.0, 0.0..=1e6)? {
                0.0 => Ok(1.0),
                _ => self.float_or("rope.scaling.factor", 1.0, FACTORS),
            },
            Some(other) => {
                let message = format!("{other:?} is not implemented; none and linear are");
                Err(self.gguf.unsupported(&self.key(kind), message))
            }
        }
    }
}
