//! A block of a quantized format as integers with scales and minima.

use crate::block::{BlockType, IQ4_VALUES, f16_to_f32, k_scales, q3_k_scales};

/// What a block means: `weight[k] = scales[k / 16] · quants[k] + minima[k / 16]`.
pub(crate) struct Integers {
    pub(crate) quants: [i8; 256],
    pub(crate) scales: [f32; 16],
    pub(crate) minima: [f32; 16],
}

/// Takes apart one block of a quantized `format`; numbers past its length are zero.
pub(crate) fn integers(format: BlockType, block: &[u8]) -> Integers {
    let half = |at: usize| f16_to_f32(u16::from_le_bytes([block[at], block[at + 1]]));
    let mut of = Integers { quants: [0; 256], scales: [0.0; 16], minima: [0.0; 16] };
    match format {
        // Their products are not taken in integers.
        BlockType::F32 | BlockType::F16 | BlockType::BF16 => {}
        BlockType::Q4_0 => of.one_scale(half(0), 0.0, |k| nibble(&block[2..], k) - 8),
        BlockType::Q4_1 => of.one_scale(half(0), half(2), |k| nibble(&block[4..], k)),
        BlockType::Q5_0 => {
            of.one_scale(half(0), 0.0, |k| five(&block[2..6], &block[6..], k) - 16);
        }
        BlockType::Q5_1 => of.one_scale(half(0), half(2), |k| five(&block[4..8], &block[8..], k)),
        BlockType::Q8_0 => of.one_scale(half(0), 0.0, |k| block[2 + k].cast_signed()),
        BlockType::IQ4_NL => {
            of.one_scale(half(0), 0.0, |k| IQ4_VALUES[nibble(&block[2..], k) as usize]);
        }
        BlockType::Q2_K => {
            of.fill(|k| two(&block[16..80], k));
            let (d, dmin) = (half(80), half(82));
            of.scale(|g| (d * f32::from(block[g] & 15), -dmin * f32::from(block[g] >> 4)));
        }
        BlockType::Q3_K => {
            of.fill(|k| {
                let high = (block[k % 32] >> (k / 32) & 1).cast_signed();
                (two(&block[32..96], k) | high << 2) - 4
            });
            let (d, scales) = (half(108), q3_k_scales(&block[96..108]));
            of.scale(|g| (d * f32::from(scales[g]), 0.0));
        }
        BlockType::Q4_K | BlockType::Q5_K => {
            let low = if format == BlockType::Q4_K { 16 } else { 48 };
            of.fill(|k| {
                let q = block[low + k / 64 * 32 + k % 32] >> (k / 32 % 2 * 4) & 15;
                let fifth = if low == 16 { 0 } else { block[16 + k % 32] >> (k / 32) & 1 };
                (q | fifth << 4).cast_signed()
            });
            let (d, dmin) = (half(0), half(2));
            let (scales, minima) = k_scales(&block[4..16]);
            of.scale(|g| (d * f32::from(scales[g / 2]), -dmin * f32::from(minima[g / 2])));
        }
        BlockType::Q6_K => {
            of.fill(|k| {
                let (part, quarter, at) = (k / 128, k / 32 % 4, k % 32);
                let four = block[part * 64 + quarter % 2 * 32 + at] >> (quarter / 2 * 4) & 15;
                let two = block[128 + part * 32 + at] >> (quarter * 2) & 3;
                (four | two << 4).cast_signed() - 32
            });
            let d = half(208);
            of.scale(|g| (d * f32::from(block[192 + g].cast_signed()), 0.0));
        }
        BlockType::IQ4_XS => {
            of.fill(|k| IQ4_VALUES[nibble(&block[8 + k / 32 * 16..], k % 32) as usize]);
            let (d, high) = (half(0), u16::from_le_bytes([block[2], block[3]]));
            of.scale(|g| {
                let low = block[4 + g / 4] >> (g / 2 % 2 * 4) & 15;
                let scale = low | ((high >> (g / 2 * 2) & 3) as u8) << 4;
                (d * f32::from(scale.cast_signed() - 32), 0.0)
            });
        }
    }
    of
}

impl Integers {
    fn fill(&mut self, quant: impl Fn(usize) -> i8) {
        for (k, q) in self.quants.iter_mut().enumerate() {
            *q = quant(k);
        }
    }

    fn scale(&mut self, of: impl Fn(usize) -> (f32, f32)) {
        for (g, (scale, minimum)) in self.scales.iter_mut().zip(&mut self.minima).enumerate() {
            (*scale, *minimum) = of(g);
        }
    }

    /// A block of 32 numbers with one scale.
    fn one_scale(&mut self, scale: f32, minimum: f32, quant: impl Fn(usize) -> i8) {
        for (k, q) in self.quants[..32].iter_mut().enumerate() {
            *q = quant(k);
        }
        self.scales[..2].fill(scale);
        self.minima[..2].fill(minimum);
    }
}

/// Number `k` of 32 in 16 bytes: the low halves are the first 16, the high ones the last.
fn nibble(bytes: &[u8], k: usize) -> i8 {
    (bytes[k % 16] >> (k / 16 * 4) & 15).cast_signed()
}

/// As [`nibble`], with bit `k` of `high` above it.
fn five(high: &[u8], bytes: &[u8], k: usize) -> i8 {
    nibble(bytes, k) | (high[k / 8] >> (k % 8) & 1).cast_signed() << 4
}

/// Number `k` of 256 of 2 bits: four runs of 32 in 32 bytes, then the next 32 bytes.
fn two(bytes: &[u8], k: usize) -> i8 {
    (bytes[k / 128 * 32 + k % 32] >> (k / 32 % 4 * 2) & 3).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::dequantize;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_mean_what_dequantizing_gives(
            index in 3usize..15,
            bytes in proptest::collection::vec(any::<u8>(), 210),
        ) {
            let format = BlockType::ALL[index];
            let (weights, length) = format.block();
            let block = &bytes[..length];
            let mut expected = vec![0.0; weights];
            dequantize(format, block, &mut expected);
            let of = integers(format, block);
            for (k, expected) in expected.into_iter().enumerate() {
                let value = of.scales[k / 16] * f32::from(of.quants[k]) + of.minima[k / 16];
                let close = (value - expected).abs() <= 1e-5 * (of.minima[k / 16].abs() + expected.abs());
                prop_assert!(close || !(value.is_finite() && expected.is_finite()), "{k}: {value} {expected}");
            }
        }
    }
}
