//! GGUF: an untrusted file → checked metadata and tensors. Every size, count, offset, alignment,
//! type and string length is checked before anything is allocated.

pub mod array;
mod bytes;
mod candle;
mod dtype;
mod identity;
mod parse;
mod split;
pub mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use array::Array;
use bytes::Bytes;
pub use candle::to_candle;
pub use dtype::dtype_name;
pub use split::{PartName, part_paths};
pub use writer::Writer;

use super::{EngineError, ModelSource};
use agent_pass::block::BlockType;

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

/// A tensor's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its shape, rows first, the contiguous dimension last; that is a whole number of blocks.
    pub shape: Vec<usize>,
    /// Its type.
    pub dtype: BlockType,
    /// Which of the model's files it is in, from 0: models may be split.
    pub part: usize,
    /// First byte in that file.
    pub offset: usize,
    /// Number of bytes.
    pub size: usize,
}

/// A checked file, or several that are one model. Cheap to clone: the bytes are mapped or compiled
/// in.
#[derive(Debug, Clone)]
pub struct Gguf {
    /// Its name in messages.
    pub name: String,
    /// Its metadata.
    pub metadata: Arc<BTreeMap<String, Value>>,
    /// Its tensors.
    pub tensors: Arc<BTreeMap<String, TensorInfo>>,
    parts: Arc<[Bytes]>,
}

impl Gguf {
    /// Opens and checks a file: [`EngineError::Open`] where it cannot be mapped,
    /// [`EngineError::Malformed`] where it contradicts itself, [`EngineError::Unsupported`] where
    /// it is sound but of a version or type unknown here.
    ///
    /// Where the file is a part of a model (whichever), all parts are opened; they lie beside it.
    pub fn open(source: &ModelSource) -> Result<Self, EngineError> {
        let (name, bytes) = match source {
            ModelSource::File(path) => (path.display().to_string(), Bytes::map(path)?),
            ModelSource::Embedded { name, bytes } => {
                ((*name).to_owned(), Bytes::compiled_in(name, bytes)?)
            }
        };
        let content = parse::parse(&name, bytes.as_slice())?;
        if !split::is_part(&name, &content.metadata)? {
            return Ok(Self::new(name, content, vec![bytes]));
        }
        match source {
            ModelSource::File(path) => {
                let set = split::open(path, content, bytes)?;
                Ok(Self::new(set.first.display().to_string(), set.content, set.parts))
            }
            ModelSource::Embedded { .. } => Err(EngineError::Unsupported {
                file: name,
                key: "split.count".to_owned(),
                message: "a part of a model cannot be compiled in, merge the parts".to_owned(),
            }),
        }
    }

    fn new(name: String, content: parse::Content, parts: Vec<Bytes>) -> Self {
        Self {
            name,
            metadata: Arc::new(content.metadata),
            tensors: Arc::new(content.tensors),
            parts: parts.into(),
        }
    }

    /// Size of the file in bytes, of all parts together.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.as_slice().len()).sum()
    }

    /// Whether the file has no bytes (it never has none once open).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of a tensor, as they stand in the file.
    pub fn data(&self, info: &TensorInfo) -> &[u8] {
        let end = info.offset.saturating_add(info.size);
        let part = self.parts.get(info.part).map(Bytes::as_slice).unwrap_or_default();
        part.get(info.offset..end).unwrap_or_default()
    }

    /// The place of a tensor; an error naming it if there is none.
    pub fn info(&self, name: &str) -> Result<&TensorInfo, EngineError> {
        self.tensors.get(name).ok_or_else(|| self.malformed(name, "the file has no such tensor"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn open(bytes: &[u8]) -> Result<Gguf, EngineError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Gguf::open(&ModelSource::File(file.path().to_owned()))
    }

    fn sample() -> Vec<u8> {
        Writer::new()
            .string("general.architecture", "test")
            .unsigned("count", 7)
            .unsigned("large", 1 << 40)
            .value("negative", Value::Signed(-1))
            .float("ratio", 0.5)
            .boolean("flag", true)
            .array("names", Array::strings(["a", "", "ß"]))
            .tensor_f32("w", &[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
            .tensor_f32("b", &[1], &[9.0])
            .finish()
    }

    #[test]
    fn what_is_written_is_read() {
        let gguf = open(&sample()).unwrap();
        assert_eq!(gguf.string("general.architecture").unwrap(), "test");
        assert_eq!(gguf.unsigned("count").unwrap(), 7);
        assert_eq!(gguf.unsigned("large").unwrap(), 1 << 40);
        assert_eq!(gguf.get("negative"), Some(&Value::Signed(-1)));
        assert_eq!(gguf.float("ratio").unwrap().to_bits(), 0.5f64.to_bits());
        assert_eq!(gguf.float("count").unwrap().to_bits(), 7f64.to_bits());
        assert!(gguf.boolean("flag").unwrap());
        assert_eq!(gguf.array("names").unwrap(), &Array::strings(["a", "", "ß"]));
        assert_eq!(gguf.parameters(), 7);
        assert_eq!(gguf.quantization(), "F32");
        let info = gguf.info("w").unwrap();
        assert_eq!((info.shape.as_slice(), info.size), ([2, 3].as_slice(), 24));
        let tensor = gguf.tensor("w", &Device::Cpu).unwrap().dequantize(&Device::Cpu).unwrap();
        assert_eq!(tensor.to_vec2::<f32>().unwrap(), [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
        assert_eq!(gguf.data(gguf.info("b").unwrap()), 9f32.to_le_bytes());
    }

    #[test]
    fn an_error_names_the_file_the_key_and_the_reason() {
        let gguf = open(&sample()).unwrap();
        let message = gguf.string("count").unwrap_err().to_string();
        assert!(message.starts_with(&gguf.name), "{message}");
        assert!(
            message.ends_with("count: expected a string, found an unsigned integer"),
            "{message}"
        );
        let message = gguf.unsigned("negative").unwrap_err().to_string();
        assert!(message.contains("negative: expected an integer of at least 0"), "{message}");
        let message = gguf.float("missing").unwrap_err().to_string();
        assert!(message.ends_with("missing: the metadata lacks this key"), "{message}");
        let message = gguf.tensor("nothing", &Device::Cpu).unwrap_err().to_string();
        assert!(message.ends_with("nothing: the file has no such tensor"), "{message}");
    }

    #[test]
    fn what_is_not_a_file_cannot_be_opened() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("missing.gguf")] {
            let error = Gguf::open(&ModelSource::File(path)).unwrap_err();
            assert!(matches!(error, EngineError::Open { .. }), "{error}");
        }
    }

    #[test]
    fn embedded_bytes_are_read_in_place() {
        let bytes: &'static [u8] = sample().leak();
        // The allocator aligns to 16; one byte further is not aligned.
        let source = ModelSource::Embedded { name: "built-in", bytes };
        assert_eq!(Gguf::open(&source).unwrap().len(), bytes.len());
        let source = ModelSource::Embedded { name: "built-in", bytes: &bytes[1..] };
        let message = Gguf::open(&source).unwrap_err().to_string();
        assert!(message.contains("built-in: embedded bytes: not aligned"), "{message}");
    }
}
