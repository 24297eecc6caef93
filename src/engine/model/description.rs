//! What an architecture is made of, beyond its sizes: read by every forward pass.

use super::rope::Pairing;

/// The parts of a dense decoder with norms before its blocks. Biases are not named here: a
/// projection has one where its file has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct Description {
    /// The norms before the blocks and before the output.
    pub(in crate::engine) norm: NormKind,
    /// The network after attention.
    pub(in crate::engine) feed_forward: FeedForwardKind,
    /// Whether every query head and every key head is normed (by root mean square) before it is
    /// turned.
    pub(in crate::engine) head_norms: bool,
    /// Which numbers of a head are turned together.
    pub(in crate::engine) pairing: Pairing,
    /// How many positions back a token sees, itself included, where the file does not say.
    pub(in crate::engine) window: Option<usize>,
}

/// How a vector is normed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum NormKind {
    /// Divided by its root mean square, times a weight (Zhang and Sennrich, 2019).
    RootMeanSquare,
    /// Its mean taken off, divided by its standard deviation, times a weight, plus a bias
    /// (Ba et al., 2016).
    Layer,
}

/// A feed-forward network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum FeedForwardKind {
    /// `down(silu(gate(x)) * up(x))` (Shazeer, 2020).
    GatedSilu,
    /// `down(gelu(up(x)))` with the approximation of the Gaussian error linear unit by a hyperbolic
    /// tangent (Hendrycks and Gimpel, 2016).
    Gelu,
}

impl Description {
    /// Llama's: root mean square, gated network, neighbours turned together.
    pub(super) const LLAMA: Self = Self {
        norm: NormKind::RootMeanSquare,
        feed_forward: FeedForwardKind::GatedSilu,
        head_norms: false,
        pairing: Pairing::Neighbours,
        window: None,
    };
}
