//! The block formats that GGUF files keep weights in: sizes, layouts, and what each block means.

mod scalar;

pub use scalar::dequantize;
pub use scalar::{bf16_to_f32, f16_to_f32, f32_to_f16};
pub(crate) use scalar::{k_scales, q3_k_scales};

/// A format of weights. A row of a matrix is a whole number of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
#[expect(missing_docs, reason = "the names are GGUF's own")]
#[expect(non_camel_case_types, reason = "the names are GGUF's own")]
pub enum BlockType {
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    IQ4_NL,
    IQ4_XS,
}

impl BlockType {
    /// All formats, in the order of their discriminants.
    pub const ALL: [Self; 15] = [
        Self::F32,
        Self::F16,
        Self::BF16,
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::Q2_K,
        Self::Q3_K,
        Self::Q4_K,
        Self::Q5_K,
        Self::Q6_K,
        Self::IQ4_NL,
        Self::IQ4_XS,
    ];

    /// `(weights, bytes)` of a block.
    pub const fn block(self) -> (usize, usize) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 | Self::BF16 => (1, 2),
            Self::Q4_0 | Self::IQ4_NL => (32, 18),
            Self::Q4_1 => (32, 20),
            Self::Q5_0 => (32, 22),
            Self::Q5_1 => (32, 24),
            Self::Q8_0 => (32, 34),
            Self::Q2_K => (256, 84),
            Self::Q3_K => (256, 110),
            Self::Q4_K => (256, 144),
            Self::Q5_K => (256, 176),
            Self::Q6_K => (256, 210),
            Self::IQ4_XS => (256, 136),
        }
    }

    /// Bytes of a row of `columns` weights, a whole number of blocks.
    pub const fn row_bytes(self, columns: usize) -> usize {
        let (weights, bytes) = self.block();
        columns / weights * bytes
    }

    /// Whether its weights are small integers with scales, whose products are taken in integers.
    pub const fn is_quantized(self) -> bool {
        !matches!(self, Self::F32 | Self::F16 | Self::BF16)
    }
}

/// The 16 values that a 4-bit index means in `IQ4_NL` and `IQ4_XS`.
pub const IQ4_VALUES: [i8; 16] =
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
