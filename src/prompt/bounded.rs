//! Output of a template that refuses to grow without end.

use std::io::{Error, Result, Write};

/// Takes bytes up to a limit.
pub(super) struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl Bounded {
    /// Takes no more than `most` bytes.
    pub(super) fn to(most: usize) -> Self {
        Self { bytes: Vec::new(), most }
    }

    /// What was written; `None` where that is no text.
    pub(super) fn text(self) -> Option<String> {
        String::from_utf8(self.bytes).ok()
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            return Err(Error::other("its output is too long"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
