//! Vectors of NEON.
#![allow(clippy::wildcard_imports, reason = "the names of instructions are the vocabulary here")]
#![expect(clippy::inline_always, reason = "vectors that cross a call go through memory")]
#![expect(unsafe_code, reason = "intrinsics")]
#![expect(clippy::undocumented_unsafe_blocks, reason = "each is one intrinsic of its type's set")]

use std::arch::aarch64::*;
use std::arch::asm;

use super::Vector;

/// Four numbers.
#[derive(Debug, Clone, Copy)]
pub struct Neon(float32x4_t);

impl Vector for Neon {
    const LANES: usize = 4;
    const ACCUMULATORS: usize = 16;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self(unsafe { vdupq_n_f32(x) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(unsafe { vld1q_f32(from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { vst1q_f32(to, self.0) }
    }
    #[inline(always)]
    unsafe fn load_half(from: *const u16) -> Self {
        let out: float32x4_t;
        // The intrinsics for half precision are not stable; the instruction is in every aarch64.
        unsafe {
            asm!("fcvtl {o:v}.4s, {i:v}.4h", i = in(vreg) vld1_u16(from), o = lateout(vreg) out,
                options(pure, nomem, nostack, preserves_flags));
        }
        Self(out)
    }
    #[inline(always)]
    unsafe fn store_half(self, to: *mut u16) {
        let out: uint16x4_t;
        unsafe {
            asm!("fcvtn {o:v}.4h, {i:v}.4s", i = in(vreg) self.0, o = lateout(vreg) out,
                options(pure, nomem, nostack, preserves_flags));
            vst1_u16(to, out);
        }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(unsafe { vaddq_f32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self(unsafe { vsubq_f32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Self(unsafe { vmulq_f32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        Self(unsafe { vdivq_f32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn fma(self, factor: Self, addend: Self) -> Self {
        Self(unsafe { vfmaq_f32(addend.0, self.0, factor.0) })
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        Self(unsafe { vmaxnmq_f32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        Self(unsafe { vminnmq_f32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        Self(unsafe { vrndnq_f32(self.0) })
    }
    #[inline(always)]
    unsafe fn scale_by_power(self, n: Self) -> Self {
        unsafe {
            let biased = vaddq_s32(vcvtq_s32_f32(n.0), vdupq_n_s32(127));
            let power = vreinterpretq_f32_s32(vshlq_n_s32::<23>(biased));
            Self(vmulq_f32(self.0, power))
        }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        unsafe { vaddvq_f32(self.0) }
    }
    #[inline(always)]
    unsafe fn largest(self) -> f32 {
        unsafe { vmaxvq_f32(self.0) }
    }
}
