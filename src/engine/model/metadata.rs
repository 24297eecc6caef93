//! Numbers of a file's metadata under the architecture's name, within bounds.

use std::ops::RangeInclusive;

use crate::engine::EngineError;
use crate::engine::gguf::{Gguf, Value};

/// Reads keys without the architecture's name before them.
pub(super) struct Metadata<'a> {
    pub(super) gguf: &'a Gguf,
    pub(super) architecture: &'a str,
}

/// Sizes that are allowed.
pub(super) type Sizes = RangeInclusive<usize>;
/// Numbers that are allowed; a NaN is in no range.
pub(super) type Floats = RangeInclusive<f64>;

impl Metadata<'_> {
    /// The whole key.
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.architecture)
    }

    /// A value that may be missing.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.gguf.get(&self.key(key))
    }

    /// A string that may be missing.
    pub(super) fn string(&self, key: &str) -> Result<Option<&str>, EngineError> {
        self.get(key).map(|_| self.gguf.string(&self.key(key))).transpose()
    }

    /// A size.
    pub(super) fn size(&self, key: &str, allowed: Sizes) -> Result<usize, EngineError> {
        let key = self.key(key);
        let value = self.gguf.unsigned(&key)?;
        match usize::try_from(value) {
            Ok(size) if allowed.contains(&size) => Ok(size),
            _ => {
                let (low, high) = (allowed.start(), allowed.end());
                let message = format!("{value} is not between {low} and {high}");
                Err(self.gguf.malformed(&key, message))
            }
        }
    }

    /// A size that may be missing.
    pub(super) fn size_or(
        &self,
        key: &str,
        default: usize,
        allowed: Sizes,
    ) -> Result<usize, EngineError> {
        if self.get(key).is_none() { Ok(default) } else { self.size(key, allowed) }
    }

    /// A number.
    pub(super) fn float(&self, key: &str, allowed: Floats) -> Result<f64, EngineError> {
        let key = self.key(key);
        let value = self.gguf.float(&key)?;
        if allowed.contains(&value) {
            return Ok(value);
        }
        let (low, high) = (allowed.start(), allowed.end());
        Err(self.gguf.malformed(&key, format!("{value} is not between {low:e} and {high:e}")))
    }

    /// A number that may be missing.
    pub(super) fn float_or(
        &self,
        key: &str,
        default: f64,
        allowed: Floats,
    ) -> Result<f64, EngineError> {
        if self.get(key).is_none() { Ok(default) } else { self.float(key, allowed) }
    }

    /// An error that says `key` is not done here.
    pub(super) fn unsupported(&self, key: &str, message: impl Into<String>) -> EngineError {
        self.gguf.unsupported(&self.key(key), message)
    }

    /// An error that says `key` makes no sense.
    pub(super) fn malformed(&self, key: &str, message: impl Into<String>) -> EngineError {
        self.gguf.malformed(&self.key(key), message)
    }
}
