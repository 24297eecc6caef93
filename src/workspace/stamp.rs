//! What the file system says of a file's version: enough to know that it need not be read again.

use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A file that was changed less long ago than this may change again without its times telling:
/// file systems count in steps of up to two seconds.
const SETTLING: Duration = Duration::from_secs(2);

/// The times and the size of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// When its content was last written, in nanoseconds since 1970.
    pub(super) modified: i64,
    /// When anything about it last changed, where the system tells; unlike the former, programs
    /// cannot set it.
    pub(super) changed: i64,
    /// Its size in bytes.
    pub(super) size: u64,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().map_or(0, nanoseconds);
        Self { modified, changed: changed(metadata), size: metadata.len() }
    }

    /// Whether the file rested at `now`, so that a later change shows in its stamp.
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
        let last = self.modified.max(self.changed);
        nanoseconds(now).saturating_sub(last) > SETTLING.as_nanos() as i64
    }
}

fn nanoseconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |n| -n),
    }
}

#[cfg(unix)]
fn changed(metadata: &Metadata) -> i64 {
    use std::os::unix::fs::MetadataExt;
    metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn changed(_: &Metadata) -> i64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_just_written_is_not_settled_and_one_written_later_differs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "one").unwrap();
        let stamp = Stamp::of(&path.metadata().unwrap());
        assert!(!stamp.is_settled(SystemTime::now()));
        assert!(stamp.is_settled(SystemTime::now() + Duration::from_secs(10)));
        std::fs::write(&path, "three").unwrap();
        assert_ne!(Stamp::of(&path.metadata().unwrap()), stamp);
    }
}
