//! The feed-forward part of a layer.
#![allow(clippy::wildcard_imports, reason = "a part of the module above")]
#![expect(unsafe_code, reason = "threads write disjoint parts of shared buffers")]

use super::*;
use crate::weights::{FeedForward, Layer};

impl Step<'_> {
    /// `x += feed_forward(norm(x))`.
    pub(super) fn feed_forward(
        &self,
        thread: &Thread<'_>,
        local: &mut Local,
        layer: &Layer,
        shares: &[Shares],
    ) -> Result<(), Cancelled> {
        let vectors = self.batch.tokens.len();
        let (up, gate, down) = match &layer.feed_forward {
            FeedForward::Gated { gate, up, down } => (up, Some(gate), down),
            FeedForward::Plain { up, down } => (up, None, down),
        };
        let ups = [Some(up), gate];
        let forms = self.forms(ups.iter().flatten().map(|linear| &linear.weight), vectors);
        let norm = &layer.feed_forward_norm;
        let shared = &self.buffers.input;
        self.prepare_normed(thread, local, shared, vectors, forms, norm, &|index| self.x(index))?;
        let prepared = if vectors <= ALONE { &local.input } else { shared };
        // SAFETY: it was written before the last seam, or by this thread.
        let input = unsafe { prepared.get() };
        let (scratch, first, second) = (&mut local.scratch, &mut local.first, &mut local.second);
        self.take(thread, &shares[0], &[&up.weight], vectors, |_, rows| {
            let width = rows.len();
            first.resize(vectors * width);
            second.resize(vectors * width);
            // SAFETY: the buffers are this thread's own, and so are these columns of `inner`.
            unsafe {
                let result = first.part(0, vectors * width);
                let linear = gate.unwrap_or(up);
                self.product(
                    &linear.weight,
                    rows.clone(),
                    input,
                    result.as_mut_ptr(),
                    width,
                    scratch,
                );
                self.add_bias(linear, rows.clone(), result);
                if gate.is_some() {
                    let other = second.part(0, vectors * width);
                    self.product(
                        &up.weight,
                        rows.clone(),
                        input,
                        other.as_mut_ptr(),
                        width,
                        scratch,
                    );
                    self.add_bias(up, rows.clone(), other);
                    (self.ops.silu_times)(result, other);
                } else {
                    (self.ops.gelu)(result);
                }
                self.buffers.inner.write(self.kernels, 0, rows.start, width, result);
            }
        });
        self.seam(thread)?;
        // SAFETY: it was written before the last seam.
        let input = unsafe { self.buffers.inner.get() };
        self.add_product(down, input, (thread, &shares[1]), scratch, first);
        Ok(())
    }

    fn add_bias(&self, linear: &Linear, rows: std::ops::Range<usize>, result: &mut [f32]) {
        if let Some(bias) = &linear.bias {
            for result in result.chunks_exact_mut(rows.len()) {
                // SAFETY: the operations are of an instruction set that is here.
                unsafe { (self.ops.add)(result, &bias[rows.clone()]) }
            }
        }
    }
}
