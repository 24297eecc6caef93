//! Tensors of a file → candle's, on its device.

use std::sync::Arc;

use candle_core::quantized::QMatMul;
use candle_core::{Device, Tensor};

use super::layers::{Linear, Norm};
use super::tensors;
use crate::engine::EngineError;
use crate::engine::gguf::Gguf;

/// Copies tensors to a device.
pub(super) struct Weights<'a> {
    pub(super) gguf: &'a Gguf,
    pub(super) device: &'a Device,
    /// For one thread: matrices become f32.
    pub(super) alone: bool,
}

impl Weights<'_> {
    /// A matrix in its own quantization.
    pub(super) fn matrix(&self, matrix: &tensors::Matrix) -> Result<QMatMul, EngineError> {
        let tensor = self.gguf.tensor_at(&matrix.name, &matrix.info, self.device)?;
        if self.alone {
            tensor.dequantize(self.device).map(QMatMul::Tensor)
        } else {
            QMatMul::from_arc(Arc::new(tensor))
        }
        .map_err(super::compute)
    }

    /// A matrix with its bias.
    pub(super) fn linear(&self, linear: &tensors::Linear) -> Result<Linear, EngineError> {
        Ok(Linear {
            weight: self.matrix(&linear.weight)?,
            bias: self.bias(linear.bias.as_deref())?,
        })
    }

    /// A norm.
    pub(super) fn norm(&self, norm: &tensors::Norm, eps: f32) -> Result<Norm, EngineError> {
        Ok(Norm { weight: self.vector(&norm.weight)?, bias: self.bias(norm.bias.as_deref())?, eps })
    }

    fn bias(&self, numbers: Option<&[f32]>) -> Result<Option<Tensor>, EngineError> {
        numbers.map(|numbers| self.vector(numbers)).transpose()
    }

    fn vector(&self, numbers: &[f32]) -> Result<Tensor, EngineError> {
        Tensor::new(numbers, self.device).map_err(super::compute)
    }
}
