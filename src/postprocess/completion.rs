//! The passes over a completion, in order.

use super::{Applied, Place};

/// A cleaned completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// What may be inserted at the cursor; empty when nothing survived.
    pub text: String,
    /// The passes that changed something, in order.
    pub applied: Vec<Applied>,
}

/// Runs every pass, the gate last: what comes back adds no ERROR or MISSING node at `place`.
pub fn clean(raw: &str, place: Place<'_>, multi_line: bool) -> Cleaned {
    let _ = (raw, place, multi_line);
    unimplemented!()
}
