//! Tensors of a file, by name, with the shape that the decoder expects.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use candle_core::quantized::{QMatMul, QTensor};
use candle_core::{Device, Tensor};

use super::compute;
use super::layers::{Linear, Norm};
use crate::engine::EngineError;
use crate::engine::gguf::Gguf;

/// Hands out tensors and remembers which.
pub(super) struct Weights<'a> {
    gguf: &'a Gguf,
    device: &'a Device,
    /// For one thread: matrices become f32.
    alone: bool,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> Weights<'a> {
    /// Tensors of `gguf` on `device`, the matrices in f32 if they are for one thread `alone`.
    pub(super) fn new(gguf: &'a Gguf, device: &'a Device, alone: bool) -> Self {
        Self { gguf, device, alone, used: RefCell::default() }
    }

    /// Whether the model is to run on one thread.
    pub(super) fn alone(&self) -> bool {
        self.alone
    }

    pub(super) fn device(&self) -> &Device {
        self.device
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.gguf.tensors.contains_key(name)
    }

    /// The tensor `name` as a matrix that maps `inputs` to `outputs`.
    pub(super) fn matrix(
        &self,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<QMatMul, EngineError> {
        let tensor = self.tensor(name, &[outputs, inputs])?;
        if self.alone {
            tensor.dequantize(self.device).map(QMatMul::Tensor)
        } else {
            QMatMul::from_arc(tensor)
        }
        .map_err(compute)
    }

    /// `name.weight`, `[outputs, inputs]`, with the bias `name.bias`, `[outputs]`, if there is one.
    pub(super) fn linear(
        &self,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Linear, EngineError> {
        let weight = self.matrix(&format!("{name}.weight"), outputs, inputs)?;
        let bias = format!("{name}.bias");
        let bias = if self.has(&bias) { Some(self.vector(&bias, outputs)?) } else { None };
        Ok(Linear { weight, bias })
    }

    /// `name.weight`, `[size]`, as a root-mean-square norm.
    pub(super) fn norm(&self, name: &str, size: usize, eps: f32) -> Result<Norm, EngineError> {
        Ok(Norm { weight: self.vector(&format!("{name}.weight"), size)?, eps })
    }

    /// The tensor `name`, `[length]`, in f32.
    pub(super) fn vector(&self, name: &str, length: usize) -> Result<Tensor, EngineError> {
        self.tensor(name, &[length])?.dequantize(self.device).map_err(compute)
    }

    /// An error if the file has tensors that nothing asked for: what they do would be missing.
    pub(super) fn refuse_unused(&self) -> Result<(), EngineError> {
        // Tables that older files carry and that everyone computes anew.
        const TABLES: [&str; 2] = ["rotary_emb.inv_freq", "attn_rot_embd"];
        let used = self.used.borrow();
        let unused =
            self.gguf.tensors.keys().find(|name| {
                !used.contains(*name) && !TABLES.iter().any(|table| name.contains(table))
            });
        match unused {
            Some(name) => Err(self.gguf.unsupported(
                name,
                "this architecture's decoder has no use for the tensor, so the model is not what \
                 its metadata says",
            )),
            None => Ok(()),
        }
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Arc<QTensor>, EngineError> {
        let Some(info) = self.gguf.tensors.get(name) else {
            return Err(self.gguf.malformed(name, format!("the tensor is missing ({shape:?})")));
        };
        if info.shape != shape {
            let message = format!("the shape is {:?}, expected {shape:?}", info.shape);
            return Err(self.gguf.malformed(name, message));
        }
        self.used.borrow_mut().insert(name.to_owned());
        Ok(Arc::new(self.gguf.tensor(name, self.device)?))
    }
}
