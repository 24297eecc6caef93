//! Which of the two passes runs a model: our own on the CPU, or the tensor library's.

use super::cpu::decoder::{CpuDecoder, CpuOptions};
use super::gguf::Gguf;
use super::model::{self, Transformer};
use super::{DeviceChoice, EngineError, EngineOptions, EnginePath, device};

/// Longest sequence where nothing else is asked for.
const LONGEST_CONTEXT: usize = 32768;

/// More threads than any machine this is for has cores.
const MOST_THREADS: usize = 256;

/// A loaded model and what runs it, in words.
pub(super) enum Backend {
    /// Our own pass.
    Cpu { decoder: Box<CpuDecoder>, description: String },
    /// The tensor library, with threads that share its products.
    Candle { decoder: Box<Transformer>, description: String, threads: usize },
}

/// Loads a model for what `options` ask for; where they leave it open, for the best there is.
pub(super) fn choose(gguf: &Gguf, options: &EngineOptions) -> Result<Backend, EngineError> {
    let gpu = match options.device {
        DeviceChoice::Cpu => false,
        DeviceChoice::Cuda | DeviceChoice::Metal => true,
        DeviceChoice::Auto => cfg!(any(feature = "cuda", feature = "metal")),
    };
    match options.path {
        EnginePath::Cpu => own(gguf, options, ""),
        EnginePath::Auto if !gpu => own(gguf, options, ""),
        EnginePath::Auto | EnginePath::Candle => {
            let small = model::is_small(gguf);
            let opened = device::open(options.device, options.threads, small)?;
            if options.path == EnginePath::Auto && opened.device.is_cpu() {
                return own(gguf, options, &opened.reason);
            }
            let decoder = model::load(gguf, &opened.device, context_length(options), small)?;
            Ok(Backend::Candle {
                decoder: Box::new(decoder),
                description: opened.description,
                threads: opened.threads,
            })
        }
    }
}

/// Our own pass; `reason` says why it is not a better device where one was tried.
fn own(gguf: &Gguf, options: &EngineOptions, reason: &str) -> Result<Backend, EngineError> {
    let failed = |message| EngineError::Device { device: "cpu".to_owned(), message };
    let decoder = CpuDecoder::load(
        gguf,
        CpuOptions {
            context_length: context_length(options),
            threads: threads(gguf, options),
            kernels: agent_pass::instruction_set().map_err(failed)?,
            kv_format: options.kv_format,
        },
    )?;
    let description = format!("{}{reason}", decoder.description());
    Ok(Backend::Cpu { decoder: Box::new(decoder), description })
}

fn context_length(options: &EngineOptions) -> usize {
    options.context_length.unwrap_or(LONGEST_CONTEXT)
}

/// The number of threads for our own pass. The steps of a small model take less time than waiting
/// for another thread does.
fn threads(gguf: &Gguf, options: &EngineOptions) -> usize {
    if model::is_small(gguf) {
        return 1;
    }
    options.threads.unwrap_or_else(device::default_threads).clamp(1, MOST_THREADS)
}
