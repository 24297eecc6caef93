//! Attention of a few queries over one head's pages of keys and values, page by page, so that no
//! matrix of scores is ever stored (Dao et al., 2022; the softmax is that of Milakov and
//! Gimelshein, 2018).
//!
//! A query's result depends only on its own numbers and positions, to the last bit: which queries
//! share a call, or a block in it, makes no difference.
#![expect(clippy::inline_always, reason = "vectors that cross a call go through memory")]
#![expect(
    clippy::needless_range_loop,
    reason = "the indices tell rows, registers and positions apart"
)]
#![expect(unsafe_code, reason = "vectors, and pages that threads share")]

use super::pages::PAGE;
use super::vector::{Vector, exp};

/// A query, which sees the positions `from..to`, at least one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query {
    /// `head_dim` numbers.
    pub vector: *const f32,
    /// First position it sees.
    pub from: usize,
    /// First position it does not see any more.
    pub to: usize,
    /// Where its result goes, `head_dim` numbers.
    pub out: *mut f32,
}

/// Keys and values of [`PAGE`] positions of one head, in half precision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadPage {
    /// `[head_dim, PAGE]`.
    pub keys: *const u16,
    /// `[PAGE, head_dim]`.
    pub values: *const u16,
}

/// Queries over the pages of one head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attend<'a> {
    /// Size of the head.
    pub head_dim: usize,
    /// Factor of the scores.
    pub scale: f32,
    /// The queries, best in the order of their positions.
    pub queries: &'a [Query],
    /// The pages of positions 0, [`PAGE`], and so on, as far as a query sees.
    pub pages: &'a [HeadPage],
}

/// Writes, for each query, `Σ softmax(scale · query · key) · value` over the positions it sees.
///
/// # Safety
/// The instruction set of `V`; the pointers of `task` are valid for what they are said to point
/// to, and nobody writes there meanwhile.
#[inline(always)]
pub(crate) unsafe fn attend<V: Vector>(task: &Attend<'_>, scratch: &mut Vec<f32>) {
    let &Attend { head_dim, queries, pages, .. } = task;
    // Of each query: largest score, sum of weights, weighted values.
    let size = head_dim + 2;
    scratch.clear();
    scratch.resize(queries.len() * size, 0.0);
    for state in scratch.chunks_exact_mut(size) {
        state[0] = f32::NEG_INFINITY;
    }
    let first = queries.iter().map(|query| query.from / PAGE).min().unwrap_or(0);
    let last = queries.iter().map(|query| query.to.div_ceil(PAGE)).max().unwrap_or(0);
    for (index, page) in pages.iter().enumerate().take(last).skip(first) {
        let start = index * PAGE;
        let mut at = 0;
        while at < queries.len() {
            let left = queries.len() - at;
            // SAFETY: the caller's; the blocks stay below `queries.len()`.
            unsafe {
                if left >= 4 && V::ACCUMULATORS >= 16 {
                    block::<V, 4>(task, *page, start, at, &mut scratch[at * size..]);
                    at += 4;
                } else if left >= 2 {
                    block::<V, 2>(task, *page, start, at, &mut scratch[at * size..]);
                    at += 2;
                } else {
                    block::<V, 1>(task, *page, start, at, &mut scratch[at * size..]);
                    at += 1;
                }
            }
        }
    }
    for (query, state) in queries.iter().zip(scratch.chunks_exact(size)) {
        let factor = 1.0 / state[1];
        for (index, value) in state[2..].iter().enumerate() {
            // SAFETY: `out` is as long as the values are many.
            unsafe { query.out.add(index).write(value * factor) }
        }
    }
}

/// `R` queries from `at` on over one page.
#[inline(always)]
unsafe fn block<V: Vector, const R: usize>(
    task: &Attend<'_>,
    page: HeadPage,
    start: usize,
    at: usize,
    states: &mut [f32],
) {
    let head_dim = task.head_dim;
    let queries: [Query; R] = std::array::from_fn(|r| task.queries[at + r]);
    // What each sees of the page.
    let seen: [(usize, usize); R] = std::array::from_fn(|r| {
        let within = |position: usize| position.saturating_sub(start).min(PAGE);
        (within(queries[r].from), within(queries[r].to))
    });
    let end = seen.iter().map(|(_, to)| *to).max().unwrap_or(0);
    if seen.iter().all(|(from, to)| from >= to) {
        return;
    }
    let mut weights = [[0f32; PAGE]; R];
    // SAFETY: the caller's.
    unsafe { scores::<V, R>(&queries, page.keys, head_dim, end, &mut weights) };
    for r in 0..R {
        let state = &mut states[r * (head_dim + 2)..(r + 1) * (head_dim + 2)];
        // SAFETY: the instruction set is the caller's.
        unsafe { soften::<V>(&mut weights[r], seen[r], task.scale, state) };
    }
    // SAFETY: the caller's; `end` positions were given weights.
    unsafe { gather::<V, R>(&weights, page.values, head_dim, end, states) }
}

/// `out[r][t] = Σ_d query[r][d] · keys[d][t]` for the first `end` positions and those that share a
/// block with them.
#[inline(always)]
unsafe fn scores<V: Vector, const R: usize>(
    queries: &[Query; R],
    keys: *const u16,
    head_dim: usize,
    end: usize,
    out: &mut [[f32; PAGE]; R],
) {
    let width = 4 * V::LANES.min(PAGE / 4);
    let mut t = 0;
    while t < end {
        // SAFETY: `t + width <= PAGE`, since `width` divides it.
        unsafe {
            let mut sums = [[V::splat(0.0); 4]; R];
            for d in 0..head_dim {
                let row = keys.add(d * PAGE + t);
                let k: [V; 4] = std::array::from_fn(|i| V::load_half(row.add(i * V::LANES)));
                for r in 0..R {
                    let q = V::splat(queries[r].vector.add(d).read());
                    for i in 0..4 {
                        sums[r][i] = q.fma(k[i], sums[r][i]);
                    }
                }
            }
            for r in 0..R {
                for i in 0..4 {
                    sums[r][i].store(out[r].as_mut_ptr().add(t + i * V::LANES));
                }
            }
        }
        t += width;
    }
}

/// Scores → weights relative to the largest score so far, 0 where nothing is seen; what was
/// gathered before is made relative to it, too.
#[inline(always)]
unsafe fn soften<V: Vector>(
    weights: &mut [f32; PAGE],
    (from, to): (usize, usize),
    scale: f32,
    state: &mut [f32],
) {
    if from >= to {
        weights.fill(0.0);
        return;
    }
    weights[..from].fill(f32::NEG_INFINITY);
    weights[to..].fill(f32::NEG_INFINITY);
    // SAFETY: all of it lies in the page, whose size the registers' divides.
    unsafe {
        let mut largest = V::splat(f32::NEG_INFINITY);
        for t in (0..PAGE).step_by(V::LANES) {
            largest = V::load(weights.as_ptr().add(t)).max(largest);
        }
        // `scale` is positive.
        let largest = (largest.largest() * scale).max(state[0]);
        let mut sum = V::splat(0.0);
        for t in (0..PAGE).step_by(V::LANES) {
            let place = weights.as_mut_ptr().add(t);
            let weight = exp(V::load(place).fma(V::splat(scale), V::splat(-largest)));
            weight.store(place);
        }
        weights[..from].fill(0.0);
        weights[to..].fill(0.0);
        for t in (0..PAGE).step_by(V::LANES) {
            sum = sum.add(V::load(weights.as_ptr().add(t)));
        }
        let fade = if state[0] == f32::NEG_INFINITY { 0.0 } else { (state[0] - largest).exp() };
        state[0] = largest;
        state[1] = state[1] * fade + sum.sum();
        if fade.to_bits() != 1f32.to_bits() {
            for value in &mut state[2..] {
                *value *= fade;
            }
        }
    }
}

/// `state[r][2 + d] += Σ_t weights[r][t] · values[t][d]` over the first `end` positions.
#[inline(always)]
unsafe fn gather<V: Vector, const R: usize>(
    weights: &[[f32; PAGE]; R],
    values: *const u16,
    head_dim: usize,
    end: usize,
    states: &mut [f32],
) {
    let size = head_dim + 2;
    let mut d = 0;
    // SAFETY: `d` and the registers after it stay below `head_dim`, rows below `R`.
    unsafe {
        while d + 4 * V::LANES <= head_dim {
            columns::<V, R, 4>(weights, values.add(d), head_dim, end, &mut states[2 + d..], size);
            d += 4 * V::LANES;
        }
        while d + V::LANES <= head_dim {
            columns::<V, R, 1>(weights, values.add(d), head_dim, end, &mut states[2 + d..], size);
            d += V::LANES;
        }
        while d < head_dim {
            columns::<f32, R, 1>(weights, values.add(d), head_dim, end, &mut states[2 + d..], size);
            d += 1;
        }
    }
}

#[inline(always)]
unsafe fn columns<V: Vector, const R: usize, const N: usize>(
    weights: &[[f32; PAGE]; R],
    values: *const u16,
    head_dim: usize,
    end: usize,
    states: &mut [f32],
    size: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        let place = states.as_mut_ptr();
        let mut sums: [[V; N]; R] = std::array::from_fn(|r| {
            std::array::from_fn(|i| V::load(place.add(r * size + i * V::LANES)))
        });
        for t in 0..end {
            let row = values.add(t * head_dim);
            let v: [V; N] = std::array::from_fn(|i| V::load_half(row.add(i * V::LANES)));
            for r in 0..R {
                let weight = V::splat(weights[r][t]);
                for i in 0..N {
                    sums[r][i] = weight.fma(v[i], sums[r][i]);
                }
            }
        }
        for r in 0..R {
            for i in 0..N {
                sums[r][i].store(place.add(r * size + i * V::LANES));
            }
        }
    }
}
