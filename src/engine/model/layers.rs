//! The small blocks that decoders are made of, on candle tensors.

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

/// A layer norm if it has a bias, else a root-mean-square norm.
pub(super) struct Norm {
    /// `[size]`.
    pub(super) weight: Tensor,
    /// `[size]`.
    pub(super) bias: Option<Tensor>,
    pub(super) eps: f32,
}

impl Norm {
    /// Norms the last dimension.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match &self.bias {
            Some(bias) => candle_nn::ops::layer_norm(x, &self.weight, bias, self.eps),
            None => candle_nn::ops::rms_norm(x, &self.weight, self.eps),
        }
    }
}

/// A feed-forward network: gated with `SiLU`, or with a `GELU` and no gate.
pub(super) struct FeedForward {
    /// `[feed_forward, hidden]`.
    pub(super) gate: Option<Linear>,
    /// `[feed_forward, hidden]`.
    pub(super) up: Linear,
    /// `[hidden, feed_forward]`.
    pub(super) down: Linear,
}

impl FeedForward {
    /// `[n, hidden]` → `[n, hidden]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let up = self.up.forward(x)?;
        let inner = match &self.gate {
            Some(gate) => (candle_nn::ops::silu(&gate.forward(x)?)? * up)?,
            None => up.gelu()?,
        };
        self.down.forward(&inner)
    }
}
