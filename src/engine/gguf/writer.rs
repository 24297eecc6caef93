//! Writes GGUF version 3, little endian: the inverse of the reader, for synthetic models and tests.

use super::array::{Array, Kind};
use super::{Value, dtype};
use agent_pass::block::BlockType;

/// Alignment of tensor data, the format's default.
const ALIGNMENT: usize = 32;

/// A file in the making. Metadata and tensors are written in the order in which they were added;
/// nothing is checked, so that unsound files can be made as well.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    metadata: Vec<(String, Value)>,
    tensors: Vec<Tensor>,
}

#[derive(Debug, Clone)]
struct Tensor {
    name: String,
    shape: Vec<usize>,
    dtype: BlockType,
    data: Vec<u8>,
}

impl Writer {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value. Integers are written in 32 bits where they fit, else in 64; floats in 32.
    pub fn value(mut self, key: &str, value: Value) -> Self {
        self.metadata.push((key.to_owned(), value));
        self
    }

    /// Takes a value out again.
    pub fn without(mut self, key: &str) -> Self {
        self.metadata.retain(|(present, _)| present != key);
        self
    }

    /// Adds a string.
    pub fn string(self, key: &str, value: &str) -> Self {
        self.value(key, Value::String(value.to_owned()))
    }

    /// Adds an unsigned integer.
    pub fn unsigned(self, key: &str, value: u64) -> Self {
        self.value(key, Value::Unsigned(value))
    }

    /// Adds a float.
    pub fn float(self, key: &str, value: f64) -> Self {
        self.value(key, Value::Float(value))
    }

    /// Adds a boolean.
    pub fn boolean(self, key: &str, value: bool) -> Self {
        self.value(key, Value::Bool(value))
    }

    /// Adds an array.
    pub fn array(self, key: &str, value: Array) -> Self {
        self.value(key, Value::Array(value))
    }

    /// Adds a tensor of 32-bit floats; `shape` in candle's order.
    pub fn tensor_f32(self, name: &str, shape: &[usize], values: &[f32]) -> Self {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor_bytes(name, shape, BlockType::F32, data)
    }

    /// Adds a tensor from its bytes in the file; `shape` in candle's order.
    pub fn tensor_bytes(
        mut self,
        name: &str,
        shape: &[usize],
        dtype: BlockType,
        data: Vec<u8>,
    ) -> Self {
        self.tensors.push(Tensor { name: name.to_owned(), shape: shape.to_vec(), dtype, data });
        self
    }

    /// The file.
    pub fn finish(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(3u32.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            put_string(&mut out, key);
            put_value(&mut out, value);
        }
        let mut offset = 0;
        for tensor in &self.tensors {
            put_string(&mut out, &tensor.name);
            out.extend((tensor.shape.len() as u32).to_le_bytes());
            for dimension in tensor.shape.iter().rev() {
                out.extend((*dimension as u64).to_le_bytes());
            }
            out.extend(dtype::dtype_id(tensor.dtype).to_le_bytes());
            out.extend((offset as u64).to_le_bytes());
            offset = (offset + tensor.data.len()).next_multiple_of(ALIGNMENT);
        }
        for tensor in &self.tensors {
            out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
            out.extend_from_slice(&tensor.data);
        }
        out
    }
}

fn put_string(out: &mut Vec<u8>, string: &str) {
    out.extend((string.len() as u64).to_le_bytes());
    out.extend_from_slice(string.as_bytes());
}

fn put_kind(out: &mut Vec<u8>, kind: Kind) {
    out.extend((kind as u32).to_le_bytes());
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Unsigned(number) => {
            if let Ok(small) = u32::try_from(*number) {
                put_kind(out, Kind::U32);
                out.extend(small.to_le_bytes());
            } else {
                put_kind(out, Kind::U64);
                out.extend(number.to_le_bytes());
            }
        }
        Value::Signed(number) => {
            if let Ok(small) = i32::try_from(*number) {
                put_kind(out, Kind::I32);
                out.extend(small.to_le_bytes());
            } else {
                put_kind(out, Kind::I64);
                out.extend(number.to_le_bytes());
            }
        }
        Value::Float(number) => {
            put_kind(out, Kind::F32);
            out.extend((*number as f32).to_le_bytes());
        }
        Value::Bool(boolean) => {
            put_kind(out, Kind::Bool);
            out.push(u8::from(*boolean));
        }
        Value::String(string) => {
            put_kind(out, Kind::String);
            put_string(out, string);
        }
        Value::Array(array) => {
            put_kind(out, Kind::Array);
            put_kind(out, array.kind);
            out.extend((array.len() as u64).to_le_bytes());
            if array.is_strings() {
                for index in 0..array.len() {
                    put_string(out, array.string(index).unwrap_or_default());
                }
            } else {
                out.extend_from_slice(&array.bytes);
            }
        }
    }
}
