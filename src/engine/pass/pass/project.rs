//! Products of a pass: who takes which rows, and what goes into them.
#![allow(clippy::wildcard_imports, reason = "a part of the module above")]
#![expect(unsafe_code, reason = "threads write disjoint parts of shared buffers")]

use std::ops::Range;

use super::*;
use crate::activations::Activations;
use crate::kernels::{TILE, Task};
use crate::weights::Layer;

/// Bytes of weights that are one part where few vectors are multiplied: enough to stream, few
/// enough that all threads end at the same time.
const PART_BYTES: usize = 128 << 10;

/// Rows of weights that are one part where many are.
const PART_ROWS: usize = 128;

impl Step<'_> {
    /// Rows of a part of `matrix` for `vectors` vectors: a multiple of `2 · TILE`, so that groups
    /// of activations that come out are whole.
    pub(super) fn part_rows(&self, matrix: &Matrix, vectors: usize) -> usize {
        let rows = if vectors > 2 * BLOCK {
            PART_ROWS
        } else {
            (PART_BYTES / matrix.row_bytes().max(1)).min(matrix.rows() / (4 * self.locals.len()))
        };
        (rows / (2 * TILE) * 2 * TILE).max(2 * TILE)
    }

    /// Calls `work` with the parts of the rows of some matrices that this thread takes, and
    /// which matrix.
    pub(super) fn take(
        &self,
        thread: &Thread<'_>,
        shares: &Shares,
        matrices: &[&Matrix],
        vectors: usize,
        mut work: impl FnMut(usize, Range<usize>),
    ) {
        let parts: Vec<(usize, usize)> = matrices
            .iter()
            .map(|matrix| {
                let size = self.part_rows(matrix, vectors);
                (size, matrix.rows().div_ceil(size))
            })
            .collect();
        let all = parts.iter().map(|(_, count)| count).sum();
        while let Some(mut part) = shares.take(thread.member.index, all) {
            let mut of = 0;
            while of < parts.len() && part >= parts[of].1 {
                part -= parts[of].1;
                of += 1;
            }
            let Some((size, _)) = parts.get(of) else { return };
            work(of, part * size..((part + 1) * size).min(matrices[of].rows()));
        }
    }

    /// `out[i * stride + r - rows.start] = Σ matrix[r] · input[i]`.
    ///
    /// # Safety
    /// `out` may be written at these places, and is nobody else's meanwhile.
    pub(super) unsafe fn product(
        &self,
        matrix: &Matrix,
        rows: Range<usize>,
        input: Activations<'_>,
        out: *mut f32,
        stride: usize,
        scratch: &mut Scratch,
    ) {
        let task =
            Task { rows: rows.len(), weights: matrix.part(rows), activations: input, out, stride };
        // SAFETY: the kernels are of this machine; `Matrix` has whole rows; the forms were
        // prepared for this matrix; the rest is the caller's.
        unsafe { (self.kernels.products[matrix.format() as usize])(&task, scratch) }
    }

    /// Prepares `norm(row(i))` for the products that follow: by every thread for itself if there
    /// are few, else shared, with a seam at the end.
    #[expect(clippy::too_many_arguments, reason = "who, from where, to where, as what")]
    pub(super) fn prepare_normed<'x>(
        &self,
        thread: &Thread<'_>,
        local: &mut Local,
        shared: &Prepared,
        vectors: usize,
        forms: Forms,
        norm: &Norm,
        row: &dyn Fn(usize) -> &'x [f32],
    ) -> Result<(), Cancelled> {
        let hidden = self.hidden();
        let write = |prepared: &Prepared, rows: &mut Vec<f32>, range: Range<usize>| {
            for first in range.clone().step_by(BLOCK) {
                let count = BLOCK.min(range.end - first);
                rows.resize(count * hidden, 0.0);
                for (index, out) in rows.chunks_exact_mut(hidden).enumerate() {
                    self.norm(norm, row(first + index), out);
                }
                // SAFETY: the rows are this thread's.
                unsafe { prepared.write(self.kernels, first, 0, hidden, rows) };
            }
        };
        if vectors <= ALONE {
            local.input.resize(vectors, hidden, forms);
            write(&local.input, &mut local.row, 0..vectors);
            return Ok(());
        }
        let range = Self::share(thread, vectors, BLOCK);
        write(shared, &mut local.row, range);
        self.seam(thread)
    }

    /// Queries, keys and values of all tokens.
    pub(super) fn query_key_value(
        &self,
        thread: &Thread<'_>,
        local: &mut Local,
        layer: &Layer,
        shares: &Shares,
    ) -> Result<(), Cancelled> {
        let vectors = self.batch.tokens.len();
        let linears = [&layer.query, &layer.key, &layer.value];
        let matrices = matrices(&linears);
        let forms = self.forms(matrices.iter().copied(), vectors);
        let (shared, norm) = (&self.buffers.input, &layer.attention_norm);
        self.prepare_normed(thread, local, shared, vectors, forms, norm, &|index| self.x(index))?;
        let prepared = if vectors <= ALONE { &local.input } else { shared };
        // SAFETY: it was written before the last seam, or by this thread.
        let (input, scratch) = (unsafe { prepared.get() }, &mut local.scratch);
        let buffers = [&self.buffers.query, &self.buffers.key, &self.buffers.value];
        self.take(thread, shares, &matrices, vectors, |of, rows| {
            let stride = matrices[of].rows();
            // SAFETY: these rows of the result are this thread's.
            unsafe {
                let out = buffers[of].pointer_at(rows.start);
                self.product(matrices[of], rows.clone(), input, out, stride, scratch);
                if let Some(bias) = &linears[of].bias {
                    for token in 0..vectors {
                        let part = buffers[of].part(token * stride + rows.start, rows.len());
                        (self.ops.add)(part, &bias[rows.clone()]);
                    }
                }
            }
        });
        Ok(())
    }

    /// `x += linear(input)`, for all tokens.
    pub(super) fn add_product(
        &self,
        linear: &Linear,
        input: Activations<'_>,
        (thread, shares): (&Thread<'_>, &Shares),
        scratch: &mut Scratch,
        results: &mut Buffer<f32>,
    ) {
        let vectors = self.batch.tokens.len();
        let hidden = self.hidden();
        self.take(thread, shares, &[&linear.weight], vectors, |_, rows| {
            let width = rows.len();
            results.resize(vectors * width);
            // SAFETY: the results are this thread's own, and so are these columns of `x`.
            unsafe {
                let result = results.part(0, vectors * width);
                let out = result.as_mut_ptr();
                self.product(&linear.weight, rows.clone(), input, out, width, scratch);
                for (token, result) in result.chunks_exact(width).enumerate() {
                    let x = self.buffers.x.part(token * hidden + rows.start, width);
                    (self.ops.add)(x, result);
                    if let Some(bias) = &linear.bias {
                        (self.ops.add)(x, &bias[rows.clone()]);
                    }
                }
            }
        });
    }

    /// The vector of a token, in a step that only reads it.
    pub(super) fn x(&self, token: usize) -> &[f32] {
        let hidden = self.hidden();
        // SAFETY: the step only reads `x`.
        unsafe { self.buffers.x.part(token * hidden, hidden) }
    }
}
