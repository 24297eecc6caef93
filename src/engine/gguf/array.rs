//! An array of a GGUF file's metadata, kept as compactly as in the file: a vocabulary has hundreds
//! of thousands of entries, and a hostile file must not grow when it is read.

use std::fmt;

use super::Value;

/// The type of a value or of an array's elements, with its id in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    U8 = 0,
    I8 = 1,
    U16 = 2,
    I16 = 3,
    U32 = 4,
    I32 = 5,
    F32 = 6,
    Bool = 7,
    String = 8,
    Array = 9,
    U64 = 10,
    I64 = 11,
    F64 = 12,
}

impl Kind {
    pub(super) fn from_id(id: u32) -> Option<Self> {
        Some(match id {
            0 => Self::U8,
            1 => Self::I8,
            2 => Self::U16,
            3 => Self::I16,
            4 => Self::U32,
            5 => Self::I32,
            6 => Self::F32,
            7 => Self::Bool,
            8 => Self::String,
            9 => Self::Array,
            10 => Self::U64,
            11 => Self::I64,
            12 => Self::F64,
            _ => return None,
        })
    }

    /// Bytes of one element in the file; for strings and arrays the least it can have.
    pub(super) fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 | Self::String => 8,
            Self::Array => 12,
        }
    }

    /// A number or boolean from exactly [`Kind::size`] bytes; `None` for strings, arrays, another
    /// length, and booleans that are neither 0 nor 1.
    pub(super) fn scalar(self, bytes: &[u8]) -> Option<Value> {
        Some(match self {
            Self::U8 => Value::Unsigned(u8::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::I8 => Value::Signed(i8::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::U16 => Value::Unsigned(u16::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::I16 => Value::Signed(i16::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::U32 => Value::Unsigned(u32::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::I32 => Value::Signed(i32::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::U64 => Value::Unsigned(u64::from_le_bytes(bytes.try_into().ok()?)),
            Self::I64 => Value::Signed(i64::from_le_bytes(bytes.try_into().ok()?)),
            Self::F32 => Value::Float(f32::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::F64 => Value::Float(f64::from_le_bytes(bytes.try_into().ok()?)),
            Self::Bool => match bytes {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                _ => return None,
            },
            Self::String | Self::Array => return None,
        })
    }
}

/// A metadata array: numbers and booleans as they stand in the file, strings end to end.
#[derive(Clone, PartialEq)]
pub struct Array {
    pub(super) kind: Kind,
    /// Elements without their lengths; UTF-8 if they are strings.
    pub(super) bytes: Vec<u8>,
    /// End of each string in `bytes`; empty for other kinds. Metadata is far smaller than 4 GiB.
    pub(super) ends: Vec<u32>,
}

impl Array {
    /// An array of strings.
    pub fn strings<S: AsRef<str>>(strings: impl IntoIterator<Item = S>) -> Self {
        let mut array = Self { kind: Kind::String, bytes: Vec::new(), ends: Vec::new() };
        for string in strings {
            array.push_string(string.as_ref());
        }
        array
    }

    /// An array of 32-bit signed integers (token types).
    pub fn i32s(values: impl IntoIterator<Item = i32>) -> Self {
        Self::numbers(Kind::I32, values.into_iter().flat_map(i32::to_le_bytes).collect())
    }

    /// An array of 32-bit unsigned integers.
    pub fn u32s(values: impl IntoIterator<Item = u32>) -> Self {
        Self::numbers(Kind::U32, values.into_iter().flat_map(u32::to_le_bytes).collect())
    }

    /// An array of 32-bit floats (token scores).
    pub fn f32s(values: impl IntoIterator<Item = f32>) -> Self {
        Self::numbers(Kind::F32, values.into_iter().flat_map(f32::to_le_bytes).collect())
    }

    /// An array of booleans.
    pub fn bools(values: impl IntoIterator<Item = bool>) -> Self {
        Self::numbers(Kind::Bool, values.into_iter().map(u8::from).collect())
    }

    pub(super) fn numbers(kind: Kind, bytes: Vec<u8>) -> Self {
        Self { kind, bytes, ends: Vec::new() }
    }

    pub(super) fn push_string(&mut self, string: &str) {
        self.bytes.extend_from_slice(string.as_bytes());
        self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match self.kind {
            Kind::String => self.ends.len(),
            kind => self.bytes.len() / kind.size(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An element.
    pub fn get(&self, index: usize) -> Option<Value> {
        if self.kind == Kind::String {
            return self.string(index).map(|string| Value::String(string.to_owned()));
        }
        let start = index.checked_mul(self.kind.size())?;
        self.kind.scalar(self.bytes.get(start..start + self.kind.size())?)
    }

    /// All elements.
    pub fn iter(&self) -> impl Iterator<Item = Value> + '_ {
        (0..self.len()).map_while(|index| self.get(index))
    }

    /// Whether the elements are strings.
    pub fn is_strings(&self) -> bool {
        self.kind == Kind::String
    }

    /// A string; `None` beyond the end or if the elements are not strings.
    pub fn string(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = match index {
            0 => 0,
            _ => *self.ends.get(index - 1)? as usize,
        };
        std::str::from_utf8(self.bytes.get(start..end)?).ok()
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{:?}; {}]", self.kind, self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_lie_end_to_end_and_come_back_one_by_one() {
        let array = Array::strings(["ab", "", "ß"]);
        assert_eq!(array.len(), 3);
        assert_eq!(array.string(0), Some("ab"));
        assert_eq!(array.string(1), Some(""));
        assert_eq!(array.string(2), Some("ß"));
        assert_eq!(array.string(3), None);
        assert_eq!(array.get(2), Some(Value::String("ß".into())));
    }

    #[test]
    fn numbers_keep_their_type_and_sign() {
        assert_eq!(Array::i32s([-1, 2]).get(0), Some(Value::Signed(-1)));
        assert_eq!(Array::u32s([7]).get(0), Some(Value::Unsigned(7)));
        assert_eq!(Array::f32s([0.5]).get(0), Some(Value::Float(0.5)));
        assert_eq!(
            Array::bools([true, false]).iter().collect::<Vec<_>>(),
            [Value::Bool(true), Value::Bool(false)]
        );
        assert_eq!(Array::i32s([1]).string(0), None);
    }
}
