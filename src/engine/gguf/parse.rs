//! The parser: a byte slice that nobody vouches for → metadata and tensor places that hold
//! together. Format: GGUF versions 2 and 3, little endian.

use std::collections::BTreeMap;

use super::array::{Array, Kind};
use super::{EngineError, TensorInfo, Value, dtype};
use agent_pass::block::BlockType;

/// Real files have fewer than a hundred keys.
const MAX_VALUES: u64 = 1 << 16;
/// Real files have at most some thousands of tensors (one per expert and layer).
const MAX_TENSORS: u64 = 1 << 16;
/// The largest vocabularies in use, with their merges, take some 20 MiB. The cap bounds what a
/// sparse file, which costs its maker nothing, can make us read and keep.
const MAX_METADATA: usize = 256 << 20;
/// Keys and tensor names: the format's own limit for keys.
const MAX_NAME: u64 = 65_535;
/// What the format says when `general.alignment` is missing.
const DEFAULT_ALIGNMENT: u64 = 32;
/// The format asks for a multiple of 8; more than 64 KiB would only waste space.
const ALIGNMENTS: std::ops::RangeInclusive<u64> = 8..=65_536;

/// What a file holds.
pub(super) struct Content {
    pub(super) metadata: BTreeMap<String, Value>,
    pub(super) tensors: BTreeMap<String, TensorInfo>,
}

/// Reads and checks a whole file; `file` is its name in errors.
pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Content, EngineError> {
    let head = bytes.get(..MAX_METADATA).unwrap_or(bytes);
    let mut reader = Reader { file, bytes: head, position: 0 };
    let counts = reader.header()?;
    let metadata = reader.metadata(counts.values)?;
    let places = reader.places(counts.tensors)?;
    let alignment = reader.alignment(&metadata)?;
    let data_start = (reader.position as u64).next_multiple_of(alignment);
    let tensors = lay_out(file, places, alignment, data_start, bytes.len() as u64)?;
    Ok(Content { metadata, tensors })
}

struct Counts {
    tensors: u64,
    values: u64,
}

/// A tensor as its header describes it.
struct Place {
    shape: Vec<usize>,
    dtype: BlockType,
    /// From the start of the data section.
    offset: u64,
    size: u64,
}

struct Reader<'a> {
    file: &'a str,
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn header(&mut self) -> Result<Counts, EngineError> {
        match self.take("magic", 4)? {
            b"GGUF" => {}
            b"FUGG" => return Err(self.unsupported("magic", "big-endian files are not supported")),
            _ => {
                return Err(self.malformed("magic", "not a GGUF file: it does not start with GGUF"));
            }
        }
        match self.u32("version")? {
            2 | 3 => {}
            1 => {
                return Err(self.unsupported(
                    "version",
                    "GGUF version 1 is not supported, only 2 and 3: convert the model again",
                ));
            }
            version if matches!(version.swap_bytes(), 1..=3) => {
                return Err(self.unsupported("version", "big-endian files are not supported"));
            }
            version => {
                let message = format!("GGUF version {version} is not supported, only 2 and 3");
                return Err(self.unsupported("version", message));
            }
        }
        let tensors = self.count("tensor count", MAX_TENSORS)?;
        let values = self.count("metadata count", MAX_VALUES)?;
        Ok(Counts { tensors, values })
    }

    fn metadata(&mut self, count: u64) -> Result<BTreeMap<String, Value>, EngineError> {
        let mut metadata = BTreeMap::new();
        for index in 0..count {
            let key = self.name(&format!("metadata key {index}"))?;
            let value = self.value(&key)?;
            if metadata.contains_key(&key) {
                return Err(self.malformed(&key, "the key appears twice"));
            }
            metadata.insert(key, value);
        }
        Ok(metadata)
    }

    fn value(&mut self, key: &str) -> Result<Value, EngineError> {
        match self.kind(key)? {
            Kind::String => Ok(Value::String(self.string(key)?)),
            Kind::Array => Ok(Value::Array(self.array(key)?)),
            kind => {
                let bytes = self.take(key, kind.size() as u64)?;
                kind.scalar(bytes).ok_or_else(|| self.malformed(key, "a boolean must be 0 or 1"))
            }
        }
    }

    fn array(&mut self, key: &str) -> Result<Array, EngineError> {
        let kind = self.kind(key)?;
        let count = self.u64(key)?;
        if kind == Kind::Array {
            return Err(self.unsupported(key, "arrays of arrays are not supported"));
        }
        let least = count.checked_mul(kind.size() as u64);
        if least.is_none_or(|least| least > self.remaining()) {
            let message = format!(
                "an array of {count} elements does not fit in the remaining {} bytes",
                self.remaining()
            );
            return Err(self.malformed(key, message));
        }
        if kind != Kind::String {
            let bytes = self.take(key, least.unwrap_or(0))?.to_vec();
            if kind == Kind::Bool && bytes.iter().any(|byte| *byte > 1) {
                return Err(self.malformed(key, "a boolean must be 0 or 1"));
            }
            return Ok(Array::numbers(kind, bytes));
        }
        let mut array = Array { kind, bytes: Vec::new(), ends: Vec::with_capacity(count as usize) };
        for _ in 0..count {
            let string = self.string(key)?;
            array.push_string(&string);
        }
        array.bytes.shrink_to_fit();
        Ok(array)
    }

    fn places(&mut self, count: u64) -> Result<BTreeMap<String, Place>, EngineError> {
        let mut places = BTreeMap::new();
        for index in 0..count {
            let name = self.name(&format!("tensor name {index}"))?;
            let place = self.place(&name)?;
            if places.contains_key(&name) {
                return Err(self.malformed(&name, "the tensor appears twice"));
            }
            places.insert(name, place);
        }
        Ok(places)
    }

    fn place(&mut self, name: &str) -> Result<Place, EngineError> {
        let rank = self.u32(name)?;
        if !(1..=4).contains(&rank) {
            return Err(self.malformed(name, format!("{rank} dimensions, expected 1 to 4")));
        }
        let mut shape = Vec::with_capacity(rank as usize);
        let mut elements = 1u64;
        for _ in 0..rank {
            let dimension = self.u64(name)?;
            elements = elements
                .checked_mul(dimension)
                .filter(|elements| *elements > 0 && usize::try_from(dimension).is_ok())
                .ok_or_else(|| self.malformed(name, "the dimensions are 0 or overflow"))?;
            shape.push(dimension as usize);
        }
        let dtype = dtype::dtype_from_id(self.u32(name)?)
            .map_err(|message| self.unsupported(name, message))?;
        let offset = self.u64(name)?;
        let (block, block_bytes) = dtype.block();
        // The file has the contiguous dimension first.
        if shape.first().is_none_or(|row| !row.is_multiple_of(block)) {
            let message = format!("its rows are not whole blocks of {block} elements");
            return Err(self.malformed(name, message));
        }
        let size = (elements / block as u64)
            .checked_mul(block_bytes as u64)
            .ok_or_else(|| self.malformed(name, "the dimensions overflow"))?;
        shape.reverse();
        Ok(Place { shape, dtype, offset, size })
    }

    fn alignment(&self, metadata: &BTreeMap<String, Value>) -> Result<u64, EngineError> {
        let key = "general.alignment";
        let Some(value) = metadata.get(key) else {
            return Ok(DEFAULT_ALIGNMENT);
        };
        value
            .as_unsigned()
            .filter(|alignment| alignment.is_power_of_two() && ALIGNMENTS.contains(alignment))
            .ok_or_else(|| self.malformed(key, "expected a power of two from 8 to 65536"))
    }

    fn count(&mut self, key: &str, most: u64) -> Result<u64, EngineError> {
        let count = self.u64(key)?;
        if count > most {
            return Err(self.malformed(key, format!("{count} is more than {most}")));
        }
        Ok(count)
    }

    fn kind(&mut self, key: &str) -> Result<Kind, EngineError> {
        let id = self.u32(key)?;
        Kind::from_id(id).ok_or_else(|| self.malformed(key, format!("unknown value type {id}")))
    }

    /// A key or tensor name: not empty, UTF-8.
    fn name(&mut self, what: &str) -> Result<String, EngineError> {
        let length = self.u64(what)?;
        if !(1..=MAX_NAME).contains(&length) {
            let message = format!("{length} bytes long, expected 1 to {MAX_NAME}");
            return Err(self.malformed(what, message));
        }
        let bytes = self.take(what, length)?.to_vec();
        String::from_utf8(bytes).map_err(|_| self.malformed(what, "not UTF-8"))
    }

    /// A value: files in use hold some that are not UTF-8, their broken bytes become U+FFFD.
    fn string(&mut self, key: &str) -> Result<String, EngineError> {
        let length = self.u64(key)?;
        // Copied before it is checked: the file may change underneath.
        let bytes = self.take(key, length)?.to_vec();
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    fn u32(&mut self, key: &str) -> Result<u32, EngineError> {
        let bytes = self.take(key, 4)?;
        Ok(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
    }

    fn u64(&mut self, key: &str) -> Result<u64, EngineError> {
        let bytes = self.take(key, 8)?;
        Ok(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    fn take(&mut self, key: &str, length: u64) -> Result<&'a [u8], EngineError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let taken = usize::try_from(length).ok().and_then(|length| rest.get(..length));
        let Some(taken) = taken else {
            let message = if self.bytes.len() == MAX_METADATA {
                format!("the metadata is longer than {MAX_METADATA} bytes")
            } else {
                format!("{length} bytes wanted, the file has {} more", rest.len())
            };
            return Err(self.malformed(key, message));
        };
        self.position += taken.len();
        Ok(taken)
    }

    fn remaining(&self) -> u64 {
        (self.bytes.len() - self.position) as u64
    }

    fn malformed(&self, key: &str, message: impl Into<String>) -> EngineError {
        malformed(self.file, key, message)
    }

    fn unsupported(&self, key: &str, message: impl Into<String>) -> EngineError {
        EngineError::Unsupported {
            file: self.file.to_owned(),
            key: shown(key),
            message: message.into(),
        }
    }
}

/// Turns offsets in the data section into offsets in the file, refusing tensors that are not
/// aligned, lie outside the file or share bytes.
fn lay_out(
    file: &str,
    places: BTreeMap<String, Place>,
    alignment: u64,
    data_start: u64,
    file_size: u64,
) -> Result<BTreeMap<String, TensorInfo>, EngineError> {
    let mut tensors = BTreeMap::new();
    let mut spans = Vec::with_capacity(places.len());
    for (name, place) in places {
        if !place.offset.is_multiple_of(alignment) {
            let message = format!("its offset {} is not a multiple of {alignment}", place.offset);
            return Err(malformed(file, &name, message));
        }
        let start = data_start.checked_add(place.offset);
        let end = start.and_then(|start| start.checked_add(place.size));
        let (Some(start), Some(end)) = (start, end.filter(|end| *end <= file_size)) else {
            let message = format!(
                "its {} bytes at offset {} end after the end of the file ({file_size} bytes): \
                 the file may be cut short, download it again",
                place.size, place.offset
            );
            return Err(malformed(file, &name, message));
        };
        spans.push((start, end, name.clone()));
        let info = TensorInfo {
            shape: place.shape,
            dtype: place.dtype,
            part: 0,
            offset: start as usize,
            size: place.size as usize,
        };
        tensors.insert(name, info);
    }
    spans.sort_unstable();
    for pair in spans.windows(2) {
        if let [(_, end, first), (start, _, second)] = pair
            && end > start
        {
            let message = format!("it shares bytes with tensor {}", shown(first));
            return Err(malformed(file, second, message));
        }
    }
    Ok(tensors)
}

fn malformed(file: &str, key: &str, message: impl Into<String>) -> EngineError {
    EngineError::Malformed { file: file.to_owned(), key: shown(key), message: message.into() }
}

/// A key of the file as a message may show it: one line, not too long.
pub(super) fn shown(key: &str) -> String {
    const MOST: usize = 96;
    let mut shown: String = key.escape_debug().take(MOST).collect();
    if key.len() > MOST {
        shown.push('…');
    }
    shown
}
