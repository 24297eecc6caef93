//! Vectors of f32 as the instruction sets have them, so that what is not a matrix product is
//! written once.
//!
//! Code over [`Vector`] is `#[inline(always)]` down to the intrinsics and is instantiated inside a
//! function that enables the instruction set: see [`super::ops`].
#![expect(clippy::inline_always, reason = "vectors that cross a call go through memory")]
#![expect(unsafe_code, reason = "intrinsics, and pointers into buffers that threads share")]

#[cfg(target_arch = "aarch64")]
pub mod neon;
#[cfg(target_arch = "x86_64")]
pub(crate) mod x86;

use super::block::f16_to_f32;

/// A register of f32.
///
/// # Safety
/// All functions need the instruction set that the type stands for; those with pointers need
/// [`Self::LANES`] numbers behind them, at any alignment.
pub(crate) trait Vector: Copy {
    /// Numbers in a register.
    const LANES: usize;
    /// Registers there are, less a few for what is not an accumulator.
    const ACCUMULATORS: usize;

    unsafe fn splat(x: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// Half-precision numbers.
    unsafe fn load_half(from: *const u16) -> Self;
    /// To half precision, to the nearest.
    unsafe fn store_half(self, to: *mut u16);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    /// `self * factor + addend`, rounded once.
    unsafe fn fma(self, factor: Self, addend: Self) -> Self;
    unsafe fn max(self, other: Self) -> Self;
    unsafe fn min(self, other: Self) -> Self;
    /// To the nearest integer.
    unsafe fn round(self) -> Self;
    /// `self * 2^n` for integral `n` in -126..=127.
    unsafe fn scale_by_power(self, n: Self) -> Self;
    /// The sum of all lanes.
    unsafe fn sum(self) -> f32;
    /// The largest lane.
    unsafe fn largest(self) -> f32;
}

/// `e^x`, to 2 units in the last place; 0 below the smallest normal number.
///
/// Range reduction to ±ln 2 / 2, then the Taylor polynomial of degree 7 (Cody and Waite's scheme).
///
/// # Safety
/// As for [`Vector`].
#[inline(always)]
pub(crate) unsafe fn exp<V: Vector>(x: V) -> V {
    // SAFETY: the caller's.
    unsafe {
        let x = x.min(V::splat(88.3)).max(V::splat(-87.3));
        let n = x.mul(V::splat(std::f32::consts::LOG2_E)).round();
        // ln 2 in two parts, the first exact in products with small integers.
        let r = n.fma(V::splat(-0.693_359_4), x);
        let r = n.fma(V::splat(2.121_944_4e-4), r);
        let mut p = V::splat(1.0 / 5040.0);
        for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
            p = p.fma(r, V::splat(coefficient));
        }
        p.scale_by_power(n)
    }
}

/// One number at a time: the twin of all others.
impl Vector for f32 {
    const LANES: usize = 1;
    const ACCUMULATORS: usize = 8;

    unsafe fn splat(x: f32) -> Self {
        x
    }
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's.
        unsafe { from.read_unaligned() }
    }
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { to.write_unaligned(self) }
    }
    unsafe fn load_half(from: *const u16) -> Self {
        // SAFETY: the caller's.
        f16_to_f32(unsafe { from.read_unaligned() })
    }
    unsafe fn store_half(self, to: *mut u16) {
        // SAFETY: the caller's.
        unsafe { to.write_unaligned(super::block::f32_to_f16(self)) }
    }
    unsafe fn add(self, other: Self) -> Self {
        self + other
    }
    unsafe fn sub(self, other: Self) -> Self {
        self - other
    }
    unsafe fn mul(self, other: Self) -> Self {
        self * other
    }
    unsafe fn div(self, other: Self) -> Self {
        self / other
    }
    unsafe fn fma(self, factor: Self, addend: Self) -> Self {
        self.mul_add(factor, addend)
    }
    unsafe fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    unsafe fn min(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
    unsafe fn round(self) -> Self {
        self.round_ties_even()
    }
    unsafe fn scale_by_power(self, n: Self) -> Self {
        self * f32::from_bits(((n as i32 + 127) as u32) << 23)
    }
    unsafe fn sum(self) -> f32 {
        self
    }
    unsafe fn largest(self) -> f32 {
        self
    }
}
