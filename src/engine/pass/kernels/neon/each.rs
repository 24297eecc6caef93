//! Arrays whose elements stay in registers from one step to the next.

/// `map` as a part of the function it is used in: that of the standard library may become a
/// function of its own, and then arrays of vectors go through memory.
pub(super) trait Each<T: Copy, const N: usize> {
    /// What `step` makes of each element.
    fn each<U: Copy>(self, step: impl Fn(T) -> U) -> [U; N];
}

impl<T: Copy, const N: usize> Each<T, N> for [T; N] {
    #[inline(always)]
    fn each<U: Copy>(self, step: impl Fn(T) -> U) -> [U; N] {
        let mut results = [step(self[0]); N];
        for index in 1..N {
            results[index] = step(self[index]);
        }
        results
    }
}

/// 0, 1, 2, …
#[inline(always)]
pub(super) fn indices<const N: usize>() -> [usize; N] {
    let mut indices = [0; N];
    for (index, of) in indices.iter_mut().enumerate() {
        *of = index;
    }
    indices
}
