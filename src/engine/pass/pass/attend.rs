//! The attention part of a layer.
#![allow(clippy::wildcard_imports, reason = "a part of the module above")]
#![expect(unsafe_code, reason = "threads write disjoint parts of shared buffers and pages")]

use super::*;
use crate::attention::Attend;
use crate::keep::{Keeper, widen};
use crate::pages::{KvFormat, PAGE};
use crate::weights::Layer;

impl Step<'_> {
    /// Turns queries and keys by their positions, and keeps keys and values in the pages.
    pub(super) fn rotate_and_keep(
        &self,
        thread: &Thread<'_>,
        local: &mut Local,
        layer: &Layer,
        index: usize,
    ) {
        let &Shape { heads, kv_heads, head_dim, .. } = self.shape;
        local.row.resize(head_dim, 0.0);
        let keep = Keeper { ops: self.ops, layer: index, head_dim };
        for token in Self::share(thread, self.batch.tokens.len(), 1) {
            let Token { position, input, .. } = self.batch.tokens[token];
            // SAFETY: the token is this thread's.
            let (query, key, value) = unsafe {
                (
                    self.buffers.query.part(token * heads * head_dim, heads * head_dim),
                    self.buffers.key.part(token * kv_heads * head_dim, kv_heads * head_dim),
                    self.buffers.value.part(token * kv_heads * head_dim, kv_heads * head_dim),
                )
            };
            let norms = layer.head_norms.as_ref();
            for head in query.chunks_exact_mut(head_dim) {
                self.turn(norms.map(|norms| &norms.0), head, position, &mut local.row);
            }
            let page = &self.batch.inputs[input].pages[position / PAGE];
            let at = position % PAGE;
            let heads = key.chunks_exact_mut(head_dim).zip(value.chunks_exact(head_dim));
            for (head, (key, value)) in heads.enumerate() {
                self.turn(norms.map(|norms| &norms.1), key, position, &mut local.row);
                // SAFETY: the position's places in the page are this thread's, by the rules of
                // `Pass::run`.
                unsafe { keep.keep(page, head, at, key, value) };
            }
        }
    }

    fn turn(&self, norm: Option<&Norm>, head: &mut [f32], position: usize, row: &mut [f32]) {
        if let Some(norm) = norm {
            row.copy_from_slice(head);
            self.norm(norm, row, head);
        }
        self.rotation.turn(self.ops, head, position);
    }

    /// Attention: from the queries and the pages to `mixed`.
    pub(super) fn mix(
        &self,
        thread: &Thread<'_>,
        local: &mut Local,
        layer: usize,
        shares: &Shares,
    ) {
        let &Shape { heads, kv_heads, head_dim, window, .. } = self.shape;
        let group = heads / kv_heads;
        let tiles = &self.batch.tiles;
        while let Some(part) = shares.take(thread.member.index, tiles.len() * kv_heads) {
            // The last tiles see most and come first: what is left to help with is little.
            let (tile, kv_head) = (tiles.len() - 1 - part % tiles.len(), part / tiles.len());
            let (input, first, count) = tiles[tile];
            local.queries.clear();
            for token in first..first + count {
                let position = self.batch.tokens[token].position;
                for head in kv_head * group..(kv_head + 1) * group {
                    let at = (token * heads + head) * head_dim;
                    local.queries.push(Query {
                        vector: self.buffers.query.pointer_at(at),
                        from: window.map_or(0, |window| (position + 1).saturating_sub(window)),
                        to: position + 1,
                        out: self.buffers.mixed.pointer_at(at),
                    });
                }
            }
            let seen = self.batch.tokens[first + count - 1].position + 1;
            let pages = &self.batch.inputs[input].pages[..seen.div_ceil(PAGE)];
            // SAFETY: the pages were written before the last seam.
            unsafe { self.head_pages(pages, layer, kv_head, local) };
            let task = Attend {
                head_dim,
                scale: 1.0 / (head_dim as f32).sqrt(),
                queries: &local.queries,
                pages: &local.pages,
            };
            // SAFETY: queries and pages were written before the last seam; the results are this
            // thread's.
            unsafe { (self.ops.attend)(&task, &mut local.attention) }
        }
    }

    /// What the attention of a head reads: the pages themselves, or what they mean where they
    /// hold 8-bit numbers.
    ///
    /// # Safety
    /// Nobody writes to this layer and head of the pages meanwhile.
    unsafe fn head_pages(&self, pages: &[Arc<Page>], layer: usize, head: usize, local: &mut Local) {
        let head_dim = self.shape.head_dim;
        local.pages.clear();
        if self.shape.kv_format == KvFormat::F16 {
            local.pages.extend(pages.iter().map(|page| HeadPage {
                keys: page.keys_ptr(layer, head),
                values: page.values_ptr(layer, head),
            }));
            return;
        }
        let size = PAGE * head_dim;
        local.expanded.resize(2 * pages.len() * size);
        for (index, page) in pages.iter().enumerate() {
            // SAFETY: the buffer is this thread's own; the caller's for the pages.
            let (keys, values) =
                unsafe { local.expanded.part(2 * index * size, 2 * size).split_at_mut(size) };
            widen::keys(self.ops, page.keys_q8(layer, head), head_dim, keys);
            widen::values(self.ops, page.values_q8(layer, head), head_dim, values);
            local.pages.push(HeadPage { keys: keys.as_ptr(), values: values.as_ptr() });
        }
    }

    /// `x += output(mixed)`.
    pub(super) fn output(
        &self,
        thread: &Thread<'_>,
        local: &mut Local,
        layer: &Layer,
        shares: &Shares,
    ) -> Result<(), Cancelled> {
        let vectors = self.batch.tokens.len();
        let width = self.shape.heads * self.shape.head_dim;
        let forms = self.forms([&layer.output.weight], vectors);
        let write = |prepared: &Prepared, range: std::ops::Range<usize>| {
            if !range.is_empty() {
                // SAFETY: `mixed` is only read in this step; the rows prepared are this thread's.
                unsafe {
                    let rows = self.buffers.mixed.part(range.start * width, range.len() * width);
                    prepared.write(self.kernels, range.start, 0, width, rows);
                }
            }
        };
        if vectors <= ALONE {
            local.input.resize(vectors, width, forms);
            write(&local.input, 0..vectors);
        } else {
            write(&self.buffers.mixed_input, Self::share(thread, vectors, BLOCK));
            self.seam(thread)?;
        }
        let prepared = if vectors <= ALONE { &local.input } else { &self.buffers.mixed_input };
        // SAFETY: it was written before the last seam, or by this thread.
        let input = unsafe { prepared.get() };
        let turn = (thread, shares);
        self.add_product(&layer.output, input, turn, &mut local.scratch, &mut local.first);
        Ok(())
    }
}
