//! Decoders: what each architecture is made of, for every forward pass, and the one on candle
//! tensors.
//!
//! A file's metadata and tensor shapes are checked before anything is computed; whatever would
//! change the computation and is not implemented is refused by name.

mod attention;
pub(in crate::engine) mod description;
mod layers;
mod llama;
mod metadata;
mod qwen2;
mod qwen3;
pub(in crate::engine) mod rope;
mod rotation;
pub(in crate::engine) mod settings;
mod starcoder2;
pub(in crate::engine) mod tensors;
mod transformer;
mod weights;

use candle_core::Device;

use super::EngineError;
use super::gguf::Gguf;
use description::Description;
use settings::Settings;
pub use transformer::Transformer;
use weights::Weights;

/// The architectures (`general.architecture`) there is a decoder for. `llama` is also what Mistral,
/// CodeLlama, DeepSeek-Coder (dense), `SmolLM` and many others call themselves.
pub const ARCHITECTURES: [&str; 4] = ["llama", "qwen2", "qwen3", "starcoder2"];

/// Builds the decoder of a file on `device` for sequences of at most `context_length` tokens (and
/// no more than the model's own limit). A `small` model ([`is_small`]) is run in a way that needs
/// no second thread.
///
/// Weights are copied out of the mapped file once: the tensor library owns its memory. Quantized
/// ones stay quantized, the embedding included; F16 and BF16 ones become f32, and on the CPU so do
/// all of a small model.
pub fn load(
    gguf: &Gguf,
    device: &Device,
    context_length: usize,
    small: bool,
) -> Result<Transformer, EngineError> {
    let settings = Settings::read(gguf, context_length)?;
    let weights = Weights { gguf, device, alone: small && device.is_cpu() };
    Transformer::load(&weights, settings)
}

/// What the architecture of this name is made of; `None` if it is not one of [`ARCHITECTURES`].
fn describe(architecture: &str) -> Option<Description> {
    Some(match architecture {
        "llama" => llama::description(),
        "qwen2" => qwen2::description(),
        "qwen3" => qwen3::description(),
        "starcoder2" => starcoder2::description(),
        _ => return None,
    })
}

/// Whether one CPU thread is the best way to run the model in `gguf`.
///
/// The tensor library's quantized products share their work among threads that wait for each other
/// in a busy loop. For a large model that pays; for one whose products take microseconds it costs
/// more than it saves, and on a machine that also compiles it costs some thirty times as much, as
/// every product waits for a thread that does not get a turn. In f32 the products of a small model
/// do without these threads and still fit into a processor's cache.
pub fn is_small(gguf: &Gguf) -> bool {
    const MOST_PARAMETERS: u64 = 32_000_000;
    gguf.parameters() <= MOST_PARAMETERS
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err wants")]
fn compute(error: candle_core::Error) -> EngineError {
    EngineError::Compute { message: error.to_string() }
}
