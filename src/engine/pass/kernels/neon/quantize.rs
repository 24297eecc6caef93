//! Activations → int8 with scales.

#![expect(unsafe_code, reason = "vector instructions")]

use std::arch::aarch64::*;

use super::each::Each;
use crate::activations::GROUP;
use crate::kernels::scalar::factors;

/// Puts `x` into the form `Int8`, bit for bit as `scalar::quantize_row` does.
pub(in super::super) fn quantize_row(
    x: &[f32],
    int8: &mut [i8],
    scales: &mut [f32],
    sums: &mut [i16],
) {
    let groups = x.as_chunks::<GROUP>().0.iter().zip(int8.as_chunks_mut::<GROUP>().0);
    let results = scales.iter_mut().zip(sums.as_chunks_mut::<2>().0);
    for ((x, int8), (scale, sums)) in groups.zip(results) {
        // SAFETY: every 64-bit Arm has these instructions; the arrays are as long as is read and
        // written.
        unsafe {
            let x: [float32x4_t; 8] =
                [0, 4, 8, 12, 16, 20, 24, 28].each(|at| vld1q_f32(&raw const x[at]));
            // Magnitudes are ordered as their bits are, and this sees NaN.
            let bits = x.each(|x| vreinterpretq_u32_f32(vabsq_f32(x)));
            let largest = bits[1..].iter().fold(bits[0], |largest, bits| vmaxq_u32(largest, *bits));
            let (inverse, group_scale) = factors(vmaxvq_u32(largest));
            *scale = group_scale;
            if inverse == 0.0 {
                int8.fill(0);
                sums.fill(0);
                continue;
            }
            let wide = x.each(|x| vcvtnq_s32_f32(vmulq_n_f32(x, inverse)));
            for half in 0..2 {
                let wide = [0, 1, 2, 3].each(|index| wide[half * 4 + index]);
                // -127..=127: nothing is cut off.
                let low = vmovn_high_s32(vmovn_s32(wide[0]), wide[1]);
                let high = vmovn_high_s32(vmovn_s32(wide[2]), wide[3]);
                let numbers = vmovn_high_s16(vmovn_s16(low), high);
                vst1q_s8(&raw mut int8[half * 16], numbers);
                sums[half] = vaddlvq_s8(numbers);
            }
        }
    }
}
