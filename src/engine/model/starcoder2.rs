//! `StarCoder2` (Lozhkov et al., 2024): layer norms, biases everywhere, a network without a gate.

use super::description::{Description, FeedForwardKind, NormKind};
use super::rope::Pairing;

/// Its parts. Converters leave the window out of the file, and all three models were trained with
/// the same; a file that says 0 has none.
pub(super) fn description() -> Description {
    Description {
        norm: NormKind::Layer,
        feed_forward: FeedForwardKind::Gelu,
        head_norms: false,
        pairing: Pairing::Halves,
        window: Some(4096),
    }
}
