//! What a pass does between products, once per instruction set.
#![expect(clippy::inline_always, reason = "vectors that cross a call go through memory")]
#![expect(unsafe_code, reason = "instantiated for instruction sets that are found at run time")]

use super::attention::{self, Attend};
use super::vector::{Vector, exp};

type LayerNorm = unsafe fn(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]);

/// The operations of one instruction set.
///
/// # Safety
/// Of every function: the processor has the instruction set of the table.
#[derive(Debug)]
pub(crate) struct Ops {
    /// `out = x / √(mean(x²) + eps) · weight`, all of one length.
    pub rms_norm: unsafe fn(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]),
    /// `out = (x − mean(x)) / √(variance(x) + eps) · weight + bias`.
    pub layer_norm: LayerNorm,
    /// `gate = gate / (1 + e^−gate) · up`.
    pub silu_times: unsafe fn(gate: &mut [f32], up: &[f32]),
    /// `x = x / (1 + e^−2z)`, `z = √(2/π) · (x + 0.044715 x³)`: GELU by its tanh formula.
    pub gelu: unsafe fn(x: &mut [f32]),
    /// `x += y`.
    pub add: unsafe fn(x: &mut [f32], y: &[f32]),
    /// Turns the pairs `(x[i], x[i + n])`, `n = cos.len()`, by angles with these cosines and sines.
    pub turn_halves: unsafe fn(x: &mut [f32], cos: &[f32], sin: &[f32]),
    /// Turns the pairs `(x[2i], x[2i + 1])`.
    pub turn_neighbours: unsafe fn(x: &mut [f32], cos: &[f32], sin: &[f32]),
    /// `out = x` in half precision; what is too large becomes the largest number there is.
    pub to_half: unsafe fn(x: &[f32], out: &mut [u16]),
    /// `(m, Σ e^(x − m))`, `m` the largest of `x` but no more than the largest finite number. What
    /// is no number, and −∞, adds nothing.
    pub exp_sum: unsafe fn(x: &[f32]) -> (f32, f32),
    /// Attention of some queries over the pages of one head; see [`attention::attend`].
    pub attend: unsafe fn(task: &Attend<'_>, scratch: &mut Vec<f32>),
}

macro_rules! instantiate {
    ($module:ident, $vector:ty $(, $features:literal)?) => {
        mod $module {
            use super::*;

            type V = $vector;

            // SAFETY, of all: the caller's promise is the one the generic functions want.
            $(#[target_feature(enable = $features)])?
            unsafe fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
                unsafe { super::rms_norm::<V>(x, weight, eps, out) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]) {
                unsafe { super::layer_norm::<V>(x, weight, bias, eps, out) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn silu_times(gate: &mut [f32], up: &[f32]) {
                unsafe { super::silu_times::<V>(gate, up) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn gelu(x: &mut [f32]) {
                unsafe { super::gelu::<V>(x) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn add(x: &mut [f32], y: &[f32]) {
                unsafe { super::add::<V>(x, y) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn turn_halves(x: &mut [f32], cos: &[f32], sin: &[f32]) {
                unsafe { super::turn_halves::<V>(x, cos, sin) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn turn_neighbours(x: &mut [f32], cos: &[f32], sin: &[f32]) {
                super::turn_neighbours(x, cos, sin);
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn to_half(x: &[f32], out: &mut [u16]) {
                unsafe { super::to_half::<V>(x, out) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn exp_sum(x: &[f32]) -> (f32, f32) {
                unsafe { super::exp_sum::<V>(x) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn attend(task: &Attend<'_>, scratch: &mut Vec<f32>) {
                unsafe { attention::attend::<V>(task, scratch) }
            }

            pub(super) static OPS: Ops = Ops {
                rms_norm,
                layer_norm,
                silu_times,
                gelu,
                add,
                turn_halves,
                turn_neighbours,
                to_half,
                exp_sum,
                attend,
            };
        }
    };
}

instantiate!(scalar, f32);
#[cfg(target_arch = "x86_64")]
instantiate!(avx2, super::super::vector::x86::Avx2, "avx2,fma,f16c");
#[cfg(target_arch = "x86_64")]
instantiate!(avx512, super::super::vector::x86::Avx512, "avx512f");
#[cfg(target_arch = "aarch64")]
instantiate!(neon, super::super::vector::neon::Neon, "neon");

impl Ops {
    /// The operations that go with the kernels of this name. The kernels were found to run here,
    /// so these do.
    pub(crate) fn beside(kernels: &str) -> &'static Self {
        match kernels {
            #[cfg(target_arch = "x86_64")]
            "avx2" | "avx-vnni" => &avx2::OPS,
            #[cfg(target_arch = "x86_64")]
            "avx512-vnni" | "amx" => &avx512::OPS,
            #[cfg(target_arch = "aarch64")]
            "neon" | "neon-dotprod" | "neon-i8mm" => &neon::OPS,
            _ => &scalar::OPS,
        }
    }
}

/// The part of `length` that whole registers cover.
#[inline(always)]
fn whole<V: Vector>(length: usize) -> usize {
    length / V::LANES * V::LANES
}

/// `Σ f(x)`, in four chains.
#[inline(always)]
unsafe fn sum_of<V: Vector>(x: &[f32], f: impl Fn(V) -> V, tail: impl Fn(f32) -> f32) -> f32 {
    // SAFETY: all loads are below `x.len()`.
    unsafe {
        let mut sums = [V::splat(0.0); 4];
        let end = whole::<V>(x.len());
        let (mut at, mut chain) = (0, 0);
        while at < end {
            sums[chain % 4] = sums[chain % 4].add(f(V::load(x.as_ptr().add(at))));
            at += V::LANES;
            chain += 1;
        }
        let sum = sums[0].add(sums[1]).add(sums[2].add(sums[3])).sum();
        x[end..].iter().fold(sum, |sum, x| sum + tail(*x))
    }
}

#[inline(always)]
unsafe fn rms_norm<V: Vector>(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    // SAFETY: the caller's.
    unsafe {
        let squares = sum_of::<V>(x, |x| x.mul(x), |x| x * x);
        let factor = 1.0 / (squares / x.len() as f32 + eps).sqrt();
        for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
            *out = x * factor * weight;
        }
    }
}

#[inline(always)]
unsafe fn layer_norm<V: Vector>(
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    eps: f32,
    out: &mut [f32],
) {
    // SAFETY: the caller's.
    unsafe {
        let n = x.len() as f32;
        let mean = sum_of::<V>(x, |x| x, |x| x) / n;
        let means = V::splat(mean);
        let square = |x: V| x.sub(means).mul(x.sub(means));
        let squares = sum_of::<V>(x, square, |x| (x - mean) * (x - mean));
        let factor = 1.0 / (squares / n + eps).sqrt();
        for (((out, x), weight), bias) in out.iter_mut().zip(x).zip(weight).zip(bias) {
            *out = (x - mean) * factor * weight + bias;
        }
    }
}

#[inline(always)]
unsafe fn silu_times<V: Vector>(gate: &mut [f32], up: &[f32]) {
    #[inline(always)]
    unsafe fn one<V: Vector>(gate: *mut f32, up: *const f32) {
        // SAFETY: the caller's.
        unsafe {
            let g = V::load(gate);
            let down = V::splat(1.0).add(exp(V::splat(0.0).sub(g)));
            g.div(down).mul(V::load(up)).store(gate);
        }
    }
    let end = whole::<V>(gate.len().min(up.len()));
    for at in (0..end).step_by(V::LANES) {
        // SAFETY: `at + LANES <= end`.
        unsafe { one::<V>(gate.as_mut_ptr().add(at), up.as_ptr().add(at)) }
    }
    for (gate, up) in gate[end..].iter_mut().zip(&up[end..]) {
        // SAFETY: one number each.
        unsafe { one::<f32>(gate, up) }
    }
}

#[inline(always)]
unsafe fn gelu<V: Vector>(x: &mut [f32]) {
    #[inline(always)]
    unsafe fn one<V: Vector>(x: *mut f32) {
        /// −2 √(2/π)
        const FACTOR: f32 = -1.595_769;
        // SAFETY: the caller's.
        unsafe {
            let v = V::load(x);
            let cube = v.mul(v).fma(V::splat(0.044_715), V::splat(1.0)).mul(v);
            let down = V::splat(1.0).add(exp(cube.mul(V::splat(FACTOR))));
            v.div(down).store(x);
        }
    }
    let end = whole::<V>(x.len());
    for at in (0..end).step_by(V::LANES) {
        // SAFETY: `at + LANES <= end`.
        unsafe { one::<V>(x.as_mut_ptr().add(at)) }
    }
    for x in &mut x[end..] {
        // SAFETY: one number.
        unsafe { one::<f32>(x) }
    }
}

#[inline(always)]
unsafe fn add<V: Vector>(x: &mut [f32], y: &[f32]) {
    // The compiler makes vectors of it, as of every loop without a reduction.
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

#[inline(always)]
unsafe fn turn_halves<V: Vector>(x: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (first, second) = x.split_at_mut(cos.len());
    for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
        (*a, *b) = (*a * cos - *b * sin, *a * sin + *b * cos);
    }
}

#[inline(always)]
fn turn_neighbours(x: &mut [f32], cos: &[f32], sin: &[f32]) {
    for ((pair, cos), sin) in x.chunks_exact_mut(2).zip(cos).zip(sin) {
        let (a, b) = (pair[0], pair[1]);
        pair[0] = a * cos - b * sin;
        pair[1] = a * sin + b * cos;
    }
}

#[inline(always)]
unsafe fn to_half<V: Vector>(x: &[f32], out: &mut [u16]) {
    let end = whole::<V>(x.len().min(out.len()));
    // SAFETY: all of it is below both lengths.
    unsafe {
        // An infinity would turn the weights 0 of tokens that do not see it into NaN.
        let (low, high) = (V::splat(-65504.0), V::splat(65504.0));
        for at in (0..end).step_by(V::LANES) {
            let x = V::load(x.as_ptr().add(at)).max(low).min(high);
            x.store_half(out.as_mut_ptr().add(at));
        }
        for at in end..x.len().min(out.len()) {
            x[at].clamp(-65504.0, 65504.0).store_half(&raw mut out[at]);
        }
    }
}

/// The logarithm of the sum of the exponentials of `x`, with its largest number, as [`Ops::exp_sum`]
/// says: −∞ where there is no number.
pub fn log_sum_exp(x: &[f32]) -> f64 {
    let name = super::kernels::detect().map_or("scalar", |kernels| kernels.name);
    // SAFETY: the kernels were found to run here, so the operations beside them do.
    let (largest, sum) = unsafe { (Ops::beside(name).exp_sum)(x) };
    f64::from(largest) + f64::from(sum).ln()
}

#[inline(always)]
unsafe fn exp_sum<V: Vector>(x: &[f32]) -> (f32, f32) {
    // SAFETY: all loads are below `x.len()`.
    unsafe {
        // The first operand of `max` may be no number; the result is the second then.
        let (low, high) = (V::splat(f32::MIN), V::splat(f32::MAX));
        let clean = |x: V| x.max(low).min(high);
        let end = whole::<V>(x.len());
        let mut largest = [low; 4];
        for (chain, at) in (0..end).step_by(V::LANES).enumerate() {
            largest[chain % 4] = clean(V::load(x.as_ptr().add(at))).max(largest[chain % 4]);
        }
        let largest = largest[0].max(largest[1]).max(largest[2].max(largest[3])).largest();
        let rest = || x[end..].iter().map(|x| Vector::min(Vector::max(*x, f32::MIN), f32::MAX));
        let largest = rest().fold(largest, f32::max);
        let off = V::splat(largest);
        let sum = sum_of::<V>(
            &x[..end],
            |x| {
                let x = clean(x);
                exp(x.sub(off))
            },
            |_| 0.0,
        );
        (largest, rest().fold(sum, |sum, x| sum + exp::<f32>(x - largest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(x: &[f32]) -> f64 {
        let numbers = || x.iter().filter(|x| **x > f32::NEG_INFINITY).map(|x| x.min(f32::MAX));
        let largest = numbers().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = numbers().map(|x| f64::from(x - largest).exp()).sum();
        f64::from(largest) + sum.ln()
    }

    #[test]
    fn the_sum_of_exponentials_is_that_of_all_numbers() {
        let mut x: Vec<f32> = (0..10_007).map(|n| (n as f32 * 0.37).sin() * 20.0).collect();
        for length in [1, 15, 16, 17, 100, 10_007] {
            let (sum, exact) = (log_sum_exp(&x[..length]), expected(&x[..length]));
            assert!((sum - exact).abs() < 1e-5, "{length}: {sum} {exact}");
        }
        (x[3], x[50], x[10_006]) = (f32::NAN, f32::NEG_INFINITY, f32::NAN);
        let (sum, exact) = (log_sum_exp(&x), expected(&x));
        assert!((sum - exact).abs() < 1e-5, "{sum} {exact}");
    }
}
