//! Blocks → numbers, one at a time: what every kernel is held to.
//!
//! The layouts are those of GGML's quantized formats.

use super::{BlockType, IQ4_VALUES};

/// A half-precision number.
pub fn f16_to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10) & 0x1f;
    let mantissa = u32::from(bits & 0x3ff);
    match exponent {
        // Subnormal: mantissa · 2⁻²⁴.
        0 => f32::from_bits(sign | (mantissa as f32 * (1.0 / 16_777_216.0)).to_bits()),
        31 => f32::from_bits(sign | 0x7f80_0000 | mantissa << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | mantissa << 13),
    }
}

/// The nearest half-precision number, the even one of two.
pub fn f32_to_f16(x: f32) -> u16 {
    let bits = x.to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let magnitude = bits & 0x7fff_ffff;
    let half = if magnitude > 0x7f80_0000 {
        0x7e00
    } else if magnitude >= 0x477f_f000 {
        // What rounds to 65536 or more.
        0x7c00
    } else if magnitude < 0x3880_0000 {
        // Subnormal: adding 0.5 leaves multiples of 2⁻²⁴ in the mantissa, rounded.
        (f32::from_bits(magnitude) + 0.5).to_bits() - 0x3f00_0000
    } else {
        let odd = magnitude >> 13 & 1;
        (magnitude - 0x3800_0000 + 0xfff + odd) >> 13
    };
    sign | half as u16
}

/// A number of the upper half of an f32's bits.
pub fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

fn half(block: &[u8], at: usize) -> f32 {
    f16_to_f32(u16::from_le_bytes([block[at], block[at + 1]]))
}

/// Writes the numbers that `row`, whole blocks of `format`, stands for into `out`, which is as long
/// as they are many.
pub fn dequantize(format: BlockType, row: &[u8], out: &mut [f32]) {
    let (weights, bytes) = format.block();
    let one: fn(&[u8], &mut [f32]) = match format {
        BlockType::F32 => |block, out| {
            out[0] = f32::from_le_bytes([block[0], block[1], block[2], block[3]]);
        },
        BlockType::F16 => |block, out| out[0] = half(block, 0),
        BlockType::BF16 => {
            |block, out| out[0] = bf16_to_f32(u16::from_le_bytes([block[0], block[1]]))
        }
        BlockType::Q4_0 => |block, out| {
            let d = half(block, 0);
            nibbles(&block[2..18], out, |q| d * (f32::from(q) - 8.0));
        },
        BlockType::Q4_1 => |block, out| {
            let (d, m) = (half(block, 0), half(block, 2));
            nibbles(&block[4..20], out, |q| d * f32::from(q) + m);
        },
        BlockType::Q5_0 => |block, out| {
            let d = half(block, 0);
            fives(&block[2..6], &block[6..22], out, |q| d * (f32::from(q) - 16.0));
        },
        BlockType::Q5_1 => |block, out| {
            let (d, m) = (half(block, 0), half(block, 2));
            fives(&block[4..8], &block[8..24], out, |q| d * f32::from(q) + m);
        },
        BlockType::Q8_0 => |block, out| {
            let d = half(block, 0);
            for (out, q) in out.iter_mut().zip(&block[2..]) {
                *out = d * f32::from(q.cast_signed());
            }
        },
        BlockType::Q2_K => q2_k,
        BlockType::Q3_K => q3_k,
        BlockType::Q4_K => q4_k,
        BlockType::Q5_K => q5_k,
        BlockType::Q6_K => q6_k,
        BlockType::IQ4_NL => |block, out| {
            let d = half(block, 0);
            nibbles(&block[2..18], out, |q| d * f32::from(IQ4_VALUES[usize::from(q)]));
        },
        BlockType::IQ4_XS => iq4_xs,
    };
    for (block, out) in row.chunks_exact(bytes).zip(out.chunks_exact_mut(weights)) {
        one(block, out);
    }
}

/// 16 bytes: the low halves are the first 16 numbers, the high ones the last 16.
fn nibbles(bytes: &[u8], out: &mut [f32], value: impl Fn(u8) -> f32) {
    for (index, byte) in bytes.iter().enumerate() {
        out[index] = value(byte & 15);
        out[index + 16] = value(byte >> 4);
    }
}

/// As [`nibbles`], with a fifth bit for each number in `high`.
fn fives(high: &[u8], bytes: &[u8], out: &mut [f32], value: impl Fn(u8) -> f32) {
    let high = u32::from_le_bytes([high[0], high[1], high[2], high[3]]);
    let fifth = |index: usize| ((high >> index & 1) as u8) << 4;
    for (index, byte) in bytes.iter().enumerate() {
        out[index] = value(byte & 15 | fifth(index));
        out[index + 16] = value(byte >> 4 | fifth(index + 16));
    }
}

/// 16 groups of 16: scale and minimum of 4 bits each, numbers of 2 bits, d and dmin at the end.
fn q2_k(block: &[u8], out: &mut [f32]) {
    let (scales, quants) = (&block[..16], &block[16..80]);
    let (d, dmin) = (half(block, 80), half(block, 82));
    for (index, out) in out.iter_mut().enumerate() {
        let (part, within) = (index / 128, index % 128);
        let q = quants[part * 32 + within % 32] >> (within / 32 * 2) & 3;
        let scale = scales[index / 16];
        *out = d * f32::from(scale & 15) * f32::from(q) - dmin * f32::from(scale >> 4);
    }
}

/// The 16 scales of a `Q3_K` block, 6 bits each less 32, from its 12 bytes.
pub(crate) fn q3_k_scales(bytes: &[u8]) -> [i8; 16] {
    std::array::from_fn(|index| {
        let low = bytes[index % 8] >> (index / 8 * 4) & 15;
        let high = bytes[8 + index % 4] >> (index / 4 * 2) & 3;
        (low | high << 4).cast_signed() - 32
    })
}

/// 16 groups of 16 with a scale of 6 bits; numbers of 2 bits and a third in `hmask`, less 4.
fn q3_k(block: &[u8], out: &mut [f32]) {
    let (hmask, quants) = (&block[..32], &block[32..96]);
    let scales = q3_k_scales(&block[96..108]);
    let d = half(block, 108);
    for (index, out) in out.iter_mut().enumerate() {
        let (part, within) = (index / 128, index % 128);
        let low = quants[part * 32 + within % 32] >> (within / 32 * 2) & 3;
        let high = hmask[index % 32] >> (index / 32) & 1;
        let q = (low | high << 2).cast_signed() - 4;
        *out = d * f32::from(scales[index / 16]) * f32::from(q);
    }
}

/// The 8 scales and 8 minima of a `Q4_K` or `Q5_K` block, 6 bits each, from its 12 bytes.
pub(crate) fn k_scales(bytes: &[u8]) -> ([u8; 8], [u8; 8]) {
    let scale = |j: usize| {
        if j < 4 { bytes[j] & 63 } else { bytes[j + 4] & 15 | bytes[j - 4] >> 6 << 4 }
    };
    let minimum = |j: usize| {
        if j < 4 { bytes[j + 4] & 63 } else { bytes[j + 4] >> 4 | bytes[j] >> 6 << 4 }
    };
    (std::array::from_fn(scale), std::array::from_fn(minimum))
}

/// 8 groups of 32, two to 32 bytes: low halves are one group, high halves the next.
fn q4_k(block: &[u8], out: &mut [f32]) {
    let (d, dmin) = (half(block, 0), half(block, 2));
    let (scales, minima) = k_scales(&block[4..16]);
    for (index, out) in out.iter_mut().enumerate() {
        let group = index / 32;
        let q = block[16 + group / 2 * 32 + index % 32] >> (group % 2 * 4) & 15;
        *out = d * f32::from(scales[group]) * f32::from(q) - dmin * f32::from(minima[group]);
    }
}

/// As [`q4_k`], with a fifth bit for each number: bit `group` of byte `index % 32`.
fn q5_k(block: &[u8], out: &mut [f32]) {
    let (d, dmin) = (half(block, 0), half(block, 2));
    let (scales, minima) = k_scales(&block[4..16]);
    let high = &block[16..48];
    for (index, out) in out.iter_mut().enumerate() {
        let group = index / 32;
        let low = block[48 + group / 2 * 32 + index % 32] >> (group % 2 * 4) & 15;
        let q = low | (high[index % 32] >> group & 1) << 4;
        *out = d * f32::from(scales[group]) * f32::from(q) - dmin * f32::from(minima[group]);
    }
}

/// 16 groups of 16 with a signed scale of 8 bits; numbers of 4 low and 2 high bits, less 32.
fn q6_k(block: &[u8], out: &mut [f32]) {
    let (low, high, scales) = (&block[..128], &block[128..192], &block[192..208]);
    let d = half(block, 208);
    for (index, out) in out.iter_mut().enumerate() {
        let (part, within) = (index / 128, index % 128);
        let (quarter, at) = (within / 32, within % 32);
        let four = low[part * 64 + quarter % 2 * 32 + at] >> (quarter / 2 * 4) & 15;
        let two = high[part * 32 + at] >> (quarter * 2) & 3;
        let q = (four | two << 4).cast_signed() - 32;
        *out = d * f32::from(scales[index / 16].cast_signed()) * f32::from(q);
    }
}

/// 8 groups of 32 with a scale of 6 bits less 32; numbers are indices into [`IQ4_VALUES`].
fn iq4_xs(block: &[u8], out: &mut [f32]) {
    let d = half(block, 0);
    let high = u16::from_le_bytes([block[2], block[3]]);
    for (group, out) in out.chunks_exact_mut(32).enumerate() {
        let low = block[4 + group / 2] >> (group % 2 * 4) & 15;
        let scale = (low | ((high >> (group * 2) & 3) as u8) << 4).cast_signed() - 32;
        let scale = d * f32::from(scale);
        let bytes = &block[8 + group * 16..8 + group * 16 + 16];
        nibbles(bytes, out, |q| scale * f32::from(IQ4_VALUES[usize::from(q)]));
    }
}
