//! The small blocks that decoders are made of.

use candle_core::quantized::QMatMul;
use candle_core::{Module, Result, Tensor};

/// A matrix and perhaps a bias.
pub(super) struct Linear {
    /// `[outputs, inputs]`.
    pub(super) weight: QMatMul,
    /// `[outputs]`.
    pub(super) bias: Option<Tensor>,
}

impl Linear {
    /// `[n, inputs]` → `[n, outputs]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.weight.forward(x)?;
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }
}

/// Root-mean-square norm (Zhang and Sennrich, 2019).
pub(super) struct Norm {
    /// `[size]`.
    pub(super) weight: Tensor,
    pub(super) eps: f32,
}

impl Norm {
    /// Norms the last dimension.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        candle_nn::ops::rms_norm(x, &self.weight, self.eps)
    }
}

/// The gated feed-forward network with `SiLU` (Shazeer, 2020).
pub(super) struct Mlp {
    /// `[feed_forward, hidden]`.
    pub(super) gate: Linear,
    /// `[feed_forward, hidden]`.
    pub(super) up: Linear,
    /// `[hidden, feed_forward]`.
    pub(super) down: Linear,
}

impl Mlp {
    /// `[n, hidden]` → `[n, hidden]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let gate = candle_nn::ops::silu(&self.gate.forward(x)?)?;
        self.down.forward(&(gate * self.up.forward(x)?)?)
    }
}
