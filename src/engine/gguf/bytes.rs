//! The bytes of a file, mapped or compiled in.

use std::path::Path;
use std::sync::Arc;

use super::EngineError;

/// The bytes of one file. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) enum Bytes {
    Mapped(Arc<memmap2::Mmap>),
    Static(&'static [u8]),
}

impl Bytes {
    /// The bytes of a regular file.
    pub(super) fn map(path: &Path) -> Result<Self, EngineError> {
        let failed = |message: String| EngineError::Open { path: path.to_owned(), message };
        // Asked before opening: to open a named pipe would wait for a writer.
        let kind = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
        if !kind.is_file() {
            return Err(failed("not a regular file".into()));
        }
        let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
        #[expect(
            unsafe_code,
            reason = "mapping is unsafe because another process may change the file meanwhile: \
                      weights then turn to noise, and if it is truncated the next read past its \
                      end ends this process with SIGBUS. Model stores replace files by renaming, \
                      which leaves a mapping intact. Strings are copied before they are checked \
                      as UTF-8, so no `str` ever points into the mapping."
        )]
        let mapped = unsafe { memmap2::Mmap::map(&file) };
        let mapped = mapped.map_err(|error| failed(error.to_string()))?;
        // Read for the first time, the file comes into memory five times faster in large pages, and
        // in these a step, which reads all of it, spends no time on finding 4 KiB pages. Where the
        // system has none for files, nothing is lost.
        #[cfg(target_os = "linux")]
        if let Err(error) = mapped.advise(memmap2::Advice::HugePage) {
            tracing::debug!("{}: no large pages: {error}", path.display());
        }
        Ok(Self::Mapped(Arc::new(mapped)))
    }

    /// Bytes that tensors may be read from in place, as blocks with an alignment of up to 8.
    pub(super) fn compiled_in(name: &str, bytes: &'static [u8]) -> Result<Self, EngineError> {
        if (bytes.as_ptr() as usize).is_multiple_of(8) {
            return Ok(Self::Static(bytes));
        }
        Err(EngineError::Malformed {
            file: name.to_owned(),
            key: "embedded bytes".into(),
            message: "not aligned in memory, embed them with an alignment of 64".into(),
        })
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Static(bytes) => bytes,
        }
    }
}
