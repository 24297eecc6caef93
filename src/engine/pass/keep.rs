//! Keys and values into pages, and out of those that hold 8-bit numbers.
#![expect(unsafe_code, reason = "threads write disjoint parts of pages")]

use super::ops::Ops;
use super::pages::{GROUP, KvFormat, PAGE, Page};

/// Writes the keys and values of one layer.
pub(crate) struct Keeper {
    pub ops: &'static Ops,
    pub layer: usize,
    pub head_dim: usize,
}

impl Keeper {
    /// Keeps a position's key and value of a head; `at` is its place in the page.
    ///
    /// # Safety
    /// The page is to be written at this place, as [`Page`] says, and by nobody else.
    pub(crate) unsafe fn keep(
        &self,
        page: &Page,
        head: usize,
        at: usize,
        key: &[f32],
        value: &[f32],
    ) {
        let &Self { ops, layer, head_dim } = self;
        // SAFETY: all writes go to the place of this position; its keys lie `PAGE` apart.
        unsafe {
            match page.format() {
                KvFormat::F16 => {
                    let keys = page.keys_ptr(layer, head);
                    let mut half = [0; GROUP];
                    for (start, part) in key.chunks(GROUP).enumerate() {
                        (ops.to_half)(part, &mut half[..part.len()]);
                        for (d, key) in half[..part.len()].iter().enumerate() {
                            keys.add((start * GROUP + d) * PAGE + at).write(*key);
                        }
                    }
                    let values = page.values_ptr(layer, head).add(at * head_dim);
                    (ops.to_half)(value, std::slice::from_raw_parts_mut(values, head_dim));
                }
                KvFormat::Q8_0 => {
                    let groups = head_dim.div_ceil(GROUP);
                    let places = [page.keys_q8_ptr(layer, head), page.values_q8_ptr(layer, head)];
                    for ((numbers, scales), x) in places.into_iter().zip([key, value]) {
                        for (group, x) in x.chunks(GROUP).enumerate() {
                            let out = numbers.add(at * head_dim + group * GROUP);
                            let out = std::slice::from_raw_parts_mut(out, x.len());
                            scales.add(at * groups + group).write(narrow(x, out));
                        }
                    }
                }
            }
        }
    }
}

/// Numbers → signed bytes; what to multiply them by.
fn narrow(x: &[f32], out: &mut [i8]) -> f32 {
    let largest = x.iter().fold(0f32, |largest, x| largest.max(x.abs())).min(f32::MAX);
    let inverse = if largest > 1e-30 { 127.0 / largest } else { 0.0 };
    for (out, x) in out.iter_mut().zip(x) {
        *out = (x * inverse).round_ties_even() as i8;
    }
    largest / 127.0
}

/// 8-bit numbers → half precision.
pub(crate) mod widen {
    use super::{GROUP, Ops, PAGE};

    /// Keys `[PAGE, head_dim]` with their scales → `[head_dim, PAGE]`.
    pub(crate) fn keys(
        ops: &Ops,
        (keys, scales): (&[i8], &[f32]),
        head_dim: usize,
        out: &mut [u16],
    ) {
        let groups = head_dim.div_ceil(GROUP);
        let mut row = [0f32; PAGE];
        for (d, out) in out.chunks_exact_mut(PAGE).enumerate() {
            for (t, x) in row.iter_mut().enumerate() {
                *x = f32::from(keys[t * head_dim + d]) * scales[t * groups + d / GROUP];
            }
            half(ops, &row, out);
        }
    }

    /// Values `[PAGE, head_dim]` with their scales → the same in half precision.
    pub(crate) fn values(
        ops: &Ops,
        (values, scales): (&[i8], &[f32]),
        head_dim: usize,
        out: &mut [u16],
    ) {
        let groups = head_dim.div_ceil(GROUP);
        let mut row = [0f32; GROUP];
        let rows = values.chunks_exact(head_dim).zip(scales.chunks_exact(groups));
        for ((values, scales), out) in rows.zip(out.chunks_exact_mut(head_dim)) {
            let parts = values.chunks(GROUP).zip(out.chunks_mut(GROUP));
            for ((values, out), scale) in parts.zip(scales) {
                for (x, value) in row.iter_mut().zip(values) {
                    *x = f32::from(*value) * scale;
                }
                half(ops, &row[..values.len()], out);
            }
        }
    }

    fn half(ops: &Ops, x: &[f32], out: &mut [u16]) {
        #[expect(unsafe_code, reason = "the operations are of an instruction set that is here")]
        // SAFETY: as said.
        unsafe {
            (ops.to_half)(x, out);
        }
    }
}
