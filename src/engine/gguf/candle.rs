//! Tensors of files ⇄ candle's.

use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{Device, Tensor};

use super::{EngineError, Gguf, TensorInfo, Writer};
use agent_pass::block::{BlockType, dequantize};

/// Candle's type of the same layout; `None` where it has none.
pub fn to_candle(format: BlockType) -> Option<GgmlDType> {
    Some(match format {
        BlockType::F32 => GgmlDType::F32,
        BlockType::F16 => GgmlDType::F16,
        BlockType::BF16 => GgmlDType::BF16,
        BlockType::Q4_0 => GgmlDType::Q4_0,
        BlockType::Q4_1 => GgmlDType::Q4_1,
        BlockType::Q5_0 => GgmlDType::Q5_0,
        BlockType::Q5_1 => GgmlDType::Q5_1,
        BlockType::Q8_0 => GgmlDType::Q8_0,
        BlockType::Q2_K => GgmlDType::Q2K,
        BlockType::Q3_K => GgmlDType::Q3K,
        BlockType::Q4_K => GgmlDType::Q4K,
        BlockType::Q5_K => GgmlDType::Q5K,
        BlockType::Q6_K => GgmlDType::Q6K,
        BlockType::IQ4_NL | BlockType::IQ4_XS => return None,
    })
}

impl Gguf {
    /// A tensor in its own quantization, or in f32 where candle does not know that, copied to
    /// `device`.
    pub fn tensor(&self, name: &str, device: &Device) -> Result<QTensor, EngineError> {
        self.tensor_at(name, self.info(name)?, device)
    }

    /// The same for what lies at `info`, which may be some rows of the tensor `name`.
    pub fn tensor_at(
        &self,
        name: &str,
        info: &TensorInfo,
        device: &Device,
    ) -> Result<QTensor, EngineError> {
        let shape = info.shape.as_slice();
        // `open` has checked what candle asserts: whole blocks, and an alignment of at least 8.
        let tensor = if let Some(dtype) = to_candle(info.dtype) {
            QStorage::from_data(self.data(info).into(), device, dtype)
                .and_then(|storage| QTensor::new(storage, shape))
        } else {
            let mut numbers = vec![0f32; shape.iter().product()];
            dequantize(info.dtype, self.data(info), &mut numbers);
            Tensor::from_vec(numbers, shape, device)
                .and_then(|numbers| QTensor::quantize(&numbers, GgmlDType::F32))
        };
        tensor.map_err(|error| EngineError::Compute {
            message: format!("tensor {name} of {}: {error}", self.name),
        })
    }
}

impl Writer {
    /// Adds a tensor in its own type; an error if files cannot have that type.
    pub fn tensor(self, name: &str, tensor: &QTensor) -> candle_core::Result<Self> {
        let format = BlockType::ALL.into_iter().find(|f| to_candle(*f) == Some(tensor.dtype()));
        let Some(format) = format else {
            candle_core::bail!("no file has tensors of type {:?}", tensor.dtype());
        };
        let data = tensor.data()?.into_owned();
        Ok(self.tensor_bytes(name, tensor.shape().dims(), format, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ModelSource;

    fn open(writer: &Writer) -> Gguf {
        // The allocator aligns to 16.
        let bytes = writer.finish().leak();
        Gguf::open(&ModelSource::Embedded { name: "test", bytes }).unwrap()
    }

    /// Blocks of a format, with bytes that differ and scales that are numbers.
    fn blocks(format: BlockType, count: usize) -> Vec<u8> {
        let (_, bytes) = format.block();
        // No byte above 0x3f: no number is infinite or none at all, wherever it stands.
        (0..count * bytes).map(|at| (at * 37 + at / 7 * 11) as u8 & 0x3f).collect()
    }

    #[test]
    fn a_quantized_tensor_keeps_its_blocks() {
        let values: Vec<f32> = (0..64u8).map(f32::from).collect();
        let tensor = Tensor::from_vec(values, (2, 32), &Device::Cpu).unwrap();
        let quantized = QTensor::quantize(&tensor, GgmlDType::Q8_0).unwrap();
        let gguf = open(&Writer::new().tensor("w", &quantized).unwrap());
        assert_eq!(gguf.data(gguf.info("w").unwrap()), &*quantized.data().unwrap());
        assert_eq!(gguf.quantization(), "Q8_0");
        let read = gguf.tensor("w", &Device::Cpu).unwrap();
        assert_eq!(read.dtype(), GgmlDType::Q8_0);
        assert_eq!(&*read.data().unwrap(), &*quantized.data().unwrap());
    }

    #[test]
    fn every_format_means_to_candle_what_it_means_here() {
        for format in BlockType::ALL {
            let (weights, _) = format.block();
            let shape = [3, 2 * weights];
            let gguf = open(&Writer::new().tensor_bytes("w", &shape, format, blocks(format, 6)));
            let mut expected = vec![0f32; 6 * weights];
            dequantize(format, gguf.data(gguf.info("w").unwrap()), &mut expected);
            let read = gguf.tensor("w", &Device::Cpu).unwrap();
            assert_eq!(read.shape().dims(), shape);
            let numbers = read.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap();
            for (a, b) in numbers.to_vec1::<f32>().unwrap().iter().zip(&expected) {
                let tolerance = 1e-6 * a.abs().max(1e-30);
                assert!((a - b).abs() <= tolerance, "{format:?}: {a} {b}");
            }
        }
    }

    #[test]
    fn a_type_for_activations_is_not_written() {
        let tensor = Tensor::zeros((1, 256), candle_core::DType::F32, &Device::Cpu).unwrap();
        let quantized = QTensor::quantize(&tensor, GgmlDType::Q8K).unwrap();
        assert!(Writer::new().tensor("w", &quantized).unwrap_err().to_string().contains("Q8K"));
    }
}
