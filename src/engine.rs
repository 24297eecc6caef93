//! `generate(Request)` → a stream of events. Models, tokenizer, sampler, KV cache, devices.
//! Knows nothing of the rest of this program.

mod backend;
mod candidate;
pub mod cpu;
pub mod decoder;
mod describe;
pub mod device;
pub mod drafter;
mod encoding;
pub mod error;
pub mod generation;
pub mod gguf;
mod healing;
pub mod kv_cache;
mod local;
pub mod model;
pub mod probe;
pub mod request;
pub mod sampler;
pub mod scripted;
mod sequences;
mod speculation;
mod stop_text;
pub mod tokenizer;
pub mod worker;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

pub use agent_pass::pages::KvFormat;
use backend::Backend;
use decoder::{Decoder, Store};
pub use device::DeviceChoice;
use drafter::{DraftModel, Drafter};
pub use error::EngineError;
pub use generation::{Event, Finish, Generation, Usage};
use gguf::Gguf;
pub use request::{Marker, Piece, Priority, Request, Sampling};
pub use speculation::Speculation;
use tokenizer::Tokenizer;

/// Where a model's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// A GGUF file, memory-mapped.
    File(PathBuf),
    /// A GGUF file compiled into the program; the name stands for a path in messages.
    Embedded {
        /// What to call it.
        name: &'static str,
        /// Its bytes, aligned to 64.
        bytes: &'static [u8],
    },
}

/// Which code computes on the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EnginePath {
    /// The faster one of those that can run the model.
    #[default]
    Auto,
    /// This program's own kernels, on the quantized weights where they lie in the file.
    Cpu,
    /// The tensor library, as on a GPU.
    Candle,
}

/// How to run a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EngineOptions {
    /// Which device.
    pub device: DeviceChoice,
    /// Which code computes on the CPU.
    pub path: EnginePath,
    /// Threads for the CPU; `None` means physical cores. The number is fixed when the process first
    /// computes and comes from the environment ([`device::THREAD_VARIABLES`]): here it is only
    /// compared with what is in force, and a difference is a warning. A front end that offers a
    /// choice starts itself with those variables set. A small model ([`model::is_small`]) runs on
    /// one thread in any case.
    pub threads: Option<usize>,
    /// What our own pass keeps keys and values as.
    pub kv_format: KvFormat,
    /// Longest sequence in tokens, at most the model's own; `None` means the model's own, at most
    /// 32768.
    pub context_length: Option<usize>,
    /// Whether answers are guessed ahead, which makes them faster and never different.
    pub speculation: Speculation,
    /// A smaller model of the same vocabulary that guesses where the text gives no hint; it runs
    /// where and how the model itself does.
    pub draft: Option<ModelSource>,
    /// What is kept of earlier prompts and answers.
    pub cache: CacheOptions,
}

/// What is kept of earlier prompts and answers, so that only what is new in the next prompt is
/// evaluated. All but the first apply to the CPU only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheOptions {
    /// Memory for it, in bytes.
    pub most_bytes: usize,
    /// Whether known text behind an edit is moved to its new place instead of evaluated anew: much
    /// faster after an edit far up in a prompt, but an approximation.
    pub reuse_shifted: bool,
    /// Folder in which [`Engine::save`] keeps some of it for the next run of the program; `None`
    /// means nowhere. It then holds the text of prompts.
    pub folder: Option<PathBuf>,
    /// Most bytes of all files in that folder together.
    pub most_saved_bytes: u64,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self { most_bytes: 1 << 30, reuse_shifted: false, folder: None, most_saved_bytes: 1 << 30 }
    }
}

/// A model family's way to fill in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FimFamily {
    /// Qwen2.5-Coder's markers.
    Qwen,
    /// StarCoder2's.
    StarCoder,
    /// DeepSeek-Coder's.
    DeepSeek,
    /// CodeLlama's.
    CodeLlama,
}

/// What is known of the loaded model.
#[derive(Debug, Clone)]
pub struct ModelInfo {
    /// `general.name`, else the file's name.
    pub name: String,
    /// `general.architecture`.
    pub architecture: String,
    /// Number of weights.
    pub parameters: u64,
    /// The commonest quantization of its weights, by bytes: `Q4_K`.
    pub quantization: String,
    /// Longest sequence in tokens.
    pub context_length: usize,
    /// How it fills in the middle, if it can.
    pub fim: Option<FimFamily>,
    /// Whether it has the repository-level markers (and its metadata does not say that it was not
    /// trained on them: key `agent.fim.repository_level`).
    pub repository_level: bool,
    /// Its chat template.
    pub chat_template: Option<String>,
    /// Spelling of the beginning-of-text token, for chat templates.
    pub bos: String,
    /// Spelling of the end-of-text token.
    pub eos: String,
    /// The device it runs on, in words: `cpu (2 threads)`, `cuda:0`.
    pub device: String,
    /// Bytes of its file.
    pub size: u64,
}

/// A handle to a loaded model; one worker thread owns the model itself. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    info: Arc<ModelInfo>,
    tokenizer: Option<Arc<Tokenizer>>,
    queue: worker::Queue,
}

impl Engine {
    /// Loads a model. Blocks while reading it.
    pub fn load(source: &ModelSource, options: &EngineOptions) -> Result<Self, EngineError> {
        let gguf = Gguf::open(source)?;
        match backend::choose(&gguf, options)? {
            Backend::Cpu { decoder, description } => {
                let store = decoder.store(&gguf, &options.cache);
                Self::start(&gguf, options, *decoder, store, description, None)
            }
            Backend::Candle { decoder, description, threads } => {
                let store = sequences::Sequences::new(options.cache.most_bytes);
                Self::start(&gguf, options, *decoder, store, description, Some(threads))
            }
        }
    }

    /// Starts the thread that owns `decoder`. With `threads`, that thread shares the tensor
    /// library's products among so many.
    fn start<D, S>(
        gguf: &Gguf,
        options: &EngineOptions,
        decoder: D,
        store: S,
        description: String,
        threads: Option<usize>,
    ) -> Result<Self, EngineError>
    where
        D: Decoder + 'static,
        S: Store<Sequence = D::Sequence> + 'static,
    {
        let tokenizer = Arc::new(Tokenizer::from_gguf(gguf)?);
        if tokenizer.vocabulary_size() > decoder.vocabulary() {
            let message = format!(
                "{} tokens, but the embedding has only {}",
                tokenizer.vocabulary_size(),
                decoder.vocabulary()
            );
            return Err(gguf.malformed("tokenizer.ggml.tokens", message));
        }
        let context_length = decoder.context_length();
        let info = describe::describe(gguf, &tokenizer, context_length, description);
        let draft = options.draft.as_ref().map(|draft| drafter(draft, options, &tokenizer));
        let local = local::LocalModel::new(decoder, store, Arc::clone(&tokenizer), threads)
            .with_speculation(options.speculation)
            .with_drafter(draft.transpose()?);
        Ok(Self {
            info: Arc::new(info),
            tokenizer: Some(tokenizer),
            queue: worker::Queue::start(local),
        })
    }

    /// An engine that plays back canned answers, for tests of everything above it.
    pub fn scripted(script: scripted::Script) -> Self {
        let info = ModelInfo {
            name: "scripted".to_owned(),
            architecture: "scripted".to_owned(),
            parameters: 0,
            quantization: "none".to_owned(),
            context_length: 8192,
            fim: script.fim.then_some(FimFamily::Qwen),
            repository_level: script.fim,
            chat_template: script.chat_template.clone(),
            bos: String::new(),
            eos: String::new(),
            device: "none".to_owned(),
            size: 0,
        };
        Self {
            info: Arc::new(info),
            tokenizer: None,
            queue: worker::Queue::start(scripted::Player::new(script)),
        }
    }

    /// What is known of the model.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Number of tokens of `text`.
    pub fn count(&self, text: &str) -> usize {
        // The scripted engine has no tokenizer: words stand in for tokens.
        self.tokenizer
            .as_ref()
            .map_or_else(|| text.split_whitespace().count(), |t| t.encode(text).len())
    }

    /// Queues a request. Dropping the answer cancels it within one token or one prefill chunk.
    pub fn generate(&self, request: Request) -> Generation {
        self.queue.submit(request)
    }

    /// Looks at the model from inside, for measurements and comparisons. Blocks until the requests
    /// before it are answered and it is done; not for async code.
    pub fn probe(&self, probe: probe::Probe) -> Result<probe::Finding, EngineError> {
        self.queue.probe(probe)
    }

    /// Saves what was evaluated last for the next run of the program, if there is a folder for it
    /// ([`CacheOptions::folder`]); otherwise does nothing. It goes behind the requests that wait.
    /// The only event says how it ended.
    pub fn save(&self) -> Generation {
        self.queue.save()
    }
}

/// The model in `source` as a drafter for a model with `tokenizer`, run as `options` say.
fn drafter(
    source: &ModelSource,
    options: &EngineOptions,
    tokenizer: &Tokenizer,
) -> Result<Box<dyn Drafter>, EngineError> {
    let gguf = Gguf::open(source)?;
    drafter::check_vocabulary(&gguf, &Tokenizer::from_gguf(&gguf)?, tokenizer)?;
    // Its keys and values are small, and only the last texts are of use.
    let most_bytes = options.cache.most_bytes / 4;
    let cache = CacheOptions { most_bytes, ..CacheOptions::default() };
    let vocabulary = tokenizer.vocabulary_size();
    Ok(match backend::choose(&gguf, options)? {
        Backend::Cpu { decoder, .. } => {
            let store = decoder.store(&gguf, &cache);
            Box::new(DraftModel::new(*decoder, store, vocabulary))
        }
        Backend::Candle { decoder, .. } => {
            let store = sequences::Sequences::new(most_bytes);
            Box::new(DraftModel::new(*decoder, store, vocabulary))
        }
    })
}
