//! A decoder's hyperparameters, out of metadata that may say anything.

use super::description::{Description, NormKind};
use super::metadata::Metadata;
use super::rope::RopeSettings;
use super::{ARCHITECTURES, describe};
use crate::engine::EngineError;
use crate::engine::gguf::Gguf;

/// The sizes and constants of a dense decoder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::engine) struct Settings {
    /// What the architecture is made of.
    pub(in crate::engine) description: Description,
    /// Length of a token's vector between the layers.
    pub(in crate::engine) hidden: usize,
    /// Number of layers.
    pub(in crate::engine) layers: usize,
    /// Query heads.
    pub(in crate::engine) heads: usize,
    /// Key and value heads; divides `heads`.
    pub(in crate::engine) kv_heads: usize,
    /// Size of a head; even.
    pub(in crate::engine) head_dim: usize,
    /// Inner size of the feed-forward network.
    pub(in crate::engine) feed_forward: usize,
    /// Number of token ids: the rows of the embedding.
    pub(in crate::engine) vocabulary: usize,
    /// Longest sequence.
    pub(in crate::engine) context_length: usize,
    /// Added to the mean square (or the variance) before its root is taken.
    pub(in crate::engine) norm_eps: f32,
    /// How many positions back a token sees, itself included; `None` is all.
    pub(in crate::engine) window: Option<usize>,
    /// How queries and keys are turned.
    pub(in crate::engine) rope: RopeSettings,
}

/// Keys (after the architecture's name) of things that change the computation and that no decoder
/// here does.
const NOT_IMPLEMENTED: [&str; 10] = [
    "attention.scale",
    "attention.clamp_kqv",
    "attention.max_alibi_bias",
    "attention.sliding_window_pattern",
    "attention.temperature_scale",
    "rope.scaling.alpha",
    "logit_scale",
    "residual_scale",
    "embedding_scale",
    "attn_logit_softcapping",
];

impl Settings {
    /// Reads and checks the metadata of a file, for sequences of at most `context_length`. An
    /// unknown architecture is refused by name.
    pub(in crate::engine) fn read(gguf: &Gguf, context_length: usize) -> Result<Self, EngineError> {
        let architecture = gguf.string("general.architecture")?;
        let Some(description) = describe(architecture) else {
            let known = ARCHITECTURES.join(", ");
            let message = format!("no decoder for {architecture:?}; there is one for {known}");
            return Err(gguf.unsupported("general.architecture", message));
        };
        let read = Metadata { gguf, architecture };
        for key in NOT_IMPLEMENTED {
            if let Some(value) = read.get(key) {
                return Err(read.unsupported(key, format!("{value:?} is not implemented")));
            }
        }
        let experts = read.size_or("expert_count", 0, 0..=usize::MAX)?;
        if experts > 1 {
            let message = format!("a mixture of {experts} experts; only dense models run here");
            return Err(read.unsupported("expert_count", message));
        }

        let hidden = read.size("embedding_length", 1..=1 << 17)?;
        let (heads, kv_heads, head_dim) = heads(&read, hidden)?;
        let own_context = read.size("context_length", 1..=usize::MAX)?;
        let context_length = context_length.min(own_context);
        let no_window = description.window.unwrap_or(0);
        let window = read.size_or("attention.sliding_window", no_window, 0..=usize::MAX)?;
        let norm_eps = match description.norm {
            NormKind::RootMeanSquare => "attention.layer_norm_rms_epsilon",
            NormKind::Layer => "attention.layer_norm_epsilon",
        };
        Ok(Self {
            description,
            hidden,
            layers: read.size("block_count", 1..=1024)?,
            heads,
            kv_heads,
            head_dim,
            feed_forward: read.size("feed_forward_length", 1..=1 << 20)?,
            vocabulary: vocabulary(gguf)?,
            context_length,
            norm_eps: read.float(norm_eps, 1e-12..=0.1)? as f32,
            window: Some(window).filter(|window| (1..context_length).contains(window)),
            rope: RopeSettings::read(&read, description.pairing, head_dim, own_context)?,
        })
    }

    /// Size of all query heads together.
    pub(in crate::engine) fn queries(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Size of all key (or value) heads together.
    pub(in crate::engine) fn keys(&self) -> usize {
        self.kv_heads * self.head_dim
    }
}

/// Query heads, key heads, and the size of a head.
fn heads(read: &Metadata<'_>, hidden: usize) -> Result<(usize, usize, usize), EngineError> {
    let heads = read.size("attention.head_count", 1..=4096)?;
    let kv_heads = read.size_or("attention.head_count_kv", heads, 1..=heads)?;
    if !heads.is_multiple_of(kv_heads) {
        let message = format!("{kv_heads} does not divide the {heads} query heads");
        return Err(read.malformed("attention.head_count_kv", message));
    }
    let head_dim = read.size_or("attention.key_length", hidden / heads, 1..=1 << 12)?;
    if read.get("attention.key_length").is_none() && !hidden.is_multiple_of(heads) {
        let message = format!("{heads} does not divide the embedding length {hidden}");
        return Err(read.malformed("attention.head_count", message));
    }
    if !head_dim.is_multiple_of(2) || head_dim == 0 {
        let message = format!("heads of size {head_dim}; rotation needs an even size");
        return Err(read.malformed("attention.key_length", message));
    }
    let size = read.size_or("attention.value_length", head_dim, 0..=usize::MAX)?;
    if size != head_dim {
        let message = format!("{size} differs from the head size {head_dim}");
        return Err(read.unsupported("attention.value_length", message));
    }
    Ok((heads, kv_heads, head_dim))
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
