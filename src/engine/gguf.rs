//! GGUF: an untrusted file → checked metadata and tensors. Every size, count, offset, alignment,
//! type and string length is checked before anything is allocated.

pub mod array;
mod dtype;
mod parse;
pub mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::Device;
use candle_core::quantized::{GgmlDType, QStorage, QTensor};

pub use array::Array;
pub use dtype::dtype_name;
pub use writer::Writer;

use super::{EngineError, ModelSource};

/// A metadata value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Any unsigned integer type.
    Unsigned(u64),
    /// Any signed integer type.
    Signed(i64),
    /// f32 or f64.
    Float(f64),
    /// A boolean.
    Bool(bool),
    /// A string.
    String(String),
    /// An array of one type.
    Array(Array),
}

impl Value {
    /// The value as an unsigned integer, where it is one that is not negative.
    pub fn as_unsigned(&self) -> Option<u64> {
        match self {
            Self::Unsigned(value) => Some(*value),
            Self::Signed(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// The value as a float; integers count.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Unsigned(value) => Some(*value as f64),
            Self::Signed(value) => Some(*value as f64),
            _ => None,
        }
    }

    /// What kind of value this is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unsigned(_) => "an unsigned integer",
            Self::Signed(_) => "a signed integer",
            Self::Float(_) => "a float",
            Self::Bool(_) => "a boolean",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
        }
    }
}

/// A tensor's place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its shape in candle's order (rows first, the contiguous dimension last).
    pub shape: Vec<usize>,
    /// Its type.
    pub dtype: GgmlDType,
    /// First byte in the file.
    pub offset: usize,
    /// Number of bytes.
    pub size: usize,
}

/// A checked file. Cheap to clone: the bytes are mapped or compiled in.
#[derive(Debug, Clone)]
pub struct Gguf {
    /// Its name in messages.
    pub name: String,
    /// Its metadata.
    pub metadata: Arc<BTreeMap<String, Value>>,
    /// Its tensors.
    pub tensors: Arc<BTreeMap<String, TensorInfo>>,
    bytes: Bytes,
}

#[derive(Debug, Clone)]
enum Bytes {
    Mapped(Arc<memmap2::Mmap>),
    Static(&'static [u8]),
}

impl Gguf {
    /// Opens and checks a file: [`EngineError::Open`] where it cannot be mapped,
    /// [`EngineError::Malformed`] where it contradicts itself, [`EngineError::Unsupported`] where
    /// it is sound but of a version or type unknown here.
    pub fn open(source: &ModelSource) -> Result<Self, EngineError> {
        let (name, bytes) = match source {
            ModelSource::File(path) => (path.display().to_string(), Bytes::Mapped(map(path)?)),
            ModelSource::Embedded { name, bytes } => {
                ((*name).to_owned(), Bytes::Static(aligned(name, bytes)?))
            }
        };
        let content = parse::parse(&name, bytes.as_slice())?;
        Ok(Self {
            name,
            metadata: Arc::new(content.metadata),
            tensors: Arc::new(content.tensors),
            bytes,
        })
    }

    /// Size of the file in bytes.
    pub fn len(&self) -> usize {
        self.bytes.as_slice().len()
    }

    /// Whether the file has no bytes (it never has none once open).
    pub fn is_empty(&self) -> bool {
        self.bytes.as_slice().is_empty()
    }

    /// The bytes of a tensor, as they stand in the file.
    pub fn data(&self, info: &TensorInfo) -> &[u8] {
        let end = info.offset.saturating_add(info.size);
        self.bytes.as_slice().get(info.offset..end).unwrap_or_default()
    }

    /// The place of a tensor; an error naming it if there is none.
    pub fn info(&self, name: &str) -> Result<&TensorInfo, EngineError> {
        self.tensors.get(name).ok_or_else(|| self.malformed(name, "the file has no such tensor"))
    }

    /// A tensor in its own quantization, copied to `device`.
    pub fn tensor(&self, name: &str, device: &Device) -> Result<QTensor, EngineError> {
        let info = self.info(name)?;
        // `open` has checked what candle asserts: whole blocks, and an alignment of at least 8.
        QStorage::from_data(self.data(info).into(), device, info.dtype)
            .and_then(|storage| QTensor::new(storage, info.shape.as_slice()))
            .map_err(|error| EngineError::Compute {
                message: format!("tensor {name} of {}: {error}", self.name),
            })
    }

    /// Number of weights in all tensors.
    pub fn parameters(&self) -> u64 {
        self.tensors.values().map(|info| info.shape.iter().product::<usize>() as u64).sum()
    }

    /// The commonest tensor type by bytes, as GGUF spells it; `none` in a file without tensors.
    pub fn quantization(&self) -> &'static str {
        let mut bytes_by_name = BTreeMap::<&str, usize>::new();
        for info in self.tensors.values() {
            *bytes_by_name.entry(dtype_name(info.dtype)).or_default() += info.size;
        }
        bytes_by_name.into_iter().max_by_key(|(_, bytes)| *bytes).map_or("none", |(name, _)| name)
    }

    /// A string value; an error if it is missing or of another type.
    pub fn string(&self, key: &str) -> Result<&str, EngineError> {
        match self.require(key)? {
            Value::String(value) => Ok(value),
            other => Err(self.wrong_type(key, "a string", other)),
        }
    }

    /// An unsigned value; an error if it is missing, negative or of another type.
    pub fn unsigned(&self, key: &str) -> Result<u64, EngineError> {
        let value = self.require(key)?;
        value.as_unsigned().ok_or_else(|| self.wrong_type(key, "an integer of at least 0", value))
    }

    /// A float value (integers count); an error if it is missing or of another type.
    pub fn float(&self, key: &str) -> Result<f64, EngineError> {
        let value = self.require(key)?;
        value.as_float().ok_or_else(|| self.wrong_type(key, "a number", value))
    }

    /// A boolean; an error if it is missing or of another type.
    pub fn boolean(&self, key: &str) -> Result<bool, EngineError> {
        match self.require(key)? {
            Value::Bool(value) => Ok(*value),
            other => Err(self.wrong_type(key, "a boolean", other)),
        }
    }

    /// An array; an error if it is missing or of another type.
    pub fn array(&self, key: &str) -> Result<&Array, EngineError> {
        match self.require(key)? {
            Value::Array(array) => Ok(array),
            other => Err(self.wrong_type(key, "an array", other)),
        }
    }

    /// A value that may be missing.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.metadata.get(key)
    }

    /// An error about `key` of this file.
    pub fn malformed(&self, key: &str, message: impl Into<String>) -> EngineError {
        EngineError::Malformed {
            file: self.name.clone(),
            key: key.to_owned(),
            message: message.into(),
        }
    }

    /// An error about `key` of this file.
    pub fn unsupported(&self, key: &str, message: impl Into<String>) -> EngineError {
        EngineError::Unsupported {
            file: self.name.clone(),
            key: key.to_owned(),
            message: message.into(),
        }
    }

    fn require(&self, key: &str) -> Result<&Value, EngineError> {
        self.get(key).ok_or_else(|| self.malformed(key, "the metadata lacks this key"))
    }

    fn wrong_type(&self, key: &str, expected: &str, found: &Value) -> EngineError {
        self.malformed(key, format!("expected {expected}, found {}", found.kind()))
    }
}

impl Bytes {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Static(bytes) => bytes,
        }
    }
}

fn map(path: &Path) -> Result<Arc<memmap2::Mmap>, EngineError> {
    let failed = |message: String| EngineError::Open { path: path.to_owned(), message };
    // Asked before opening: to open a named pipe would wait for a writer.
    let kind = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    if !kind.is_file() {
        return Err(failed("not a regular file".into()));
    }
    let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    #[expect(
        unsafe_code,
        reason = "mapping is unsafe because another process may change the file meanwhile: weights \
                  then turn to noise, and if it is truncated the next read past its end ends this \
                  process with SIGBUS. Model stores replace files by renaming, which leaves a \
                  mapping intact. Strings are copied before they are checked as UTF-8, so no \
                  `str` ever points into the mapping."
    )]
    let mapped = unsafe { memmap2::Mmap::map(&file) };
    mapped.map(Arc::new).map_err(|error| failed(error.to_string()))
}

fn aligned(name: &str, bytes: &'static [u8]) -> Result<&'static [u8], EngineError> {
    // Tensors are read in place as blocks with an alignment of up to 8.
    if (bytes.as_ptr() as usize).is_multiple_of(8) {
        Ok(bytes)
    } else {
        Err(EngineError::Malformed {
            file: name.to_owned(),
            key: "embedded bytes".into(),
            message: "not aligned in memory, embed them with an alignment of 64".into(),
        })
    }
}
