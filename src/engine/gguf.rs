//! GGUF: an untrusted file → checked metadata and tensors. Every size, count, offset, alignment,
//! type and string length is checked before anything is allocated.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::quantized::GgmlDType;

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
    Array(Vec<Value>),
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
    /// Opens and checks a file.
    pub fn open(source: &ModelSource) -> Result<Self, EngineError> {
        let _ = source;
        unimplemented!()
    }

    /// Size of the file in bytes.
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Whether the file has no bytes (it never has none once open).
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// The bytes of a tensor, as they stand in the file.
    pub fn data(&self, info: &TensorInfo) -> &[u8] {
        self.bytes().get(info.offset..info.offset + info.size).unwrap_or_default()
    }

    fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped(map) => map,
            Bytes::Static(bytes) => bytes,
        }
    }

    /// A string value; an error if it is missing or of another type.
    pub fn string(&self, key: &str) -> Result<&str, EngineError> {
        let _ = key;
        unimplemented!()
    }

    /// An unsigned value; an error if it is missing, negative or of another type.
    pub fn unsigned(&self, key: &str) -> Result<u64, EngineError> {
        let _ = key;
        unimplemented!()
    }

    /// A float value (integers count); an error if it is missing or of another type.
    pub fn float(&self, key: &str) -> Result<f64, EngineError> {
        let _ = key;
        unimplemented!()
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
}
