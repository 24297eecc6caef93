//! The pass: tokens → keys and values in the pages, and logits. All threads go through it together.
//!
//! Steps are separated by seams: what a step writes is read only after the next one. Within a step
//! each part is taken by one thread; which one, the result does not depend on.
#![expect(unsafe_code, reason = "threads write disjoint parts of shared buffers")]

mod attend;
mod batch;
mod feed;
mod project;

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::attention::{HeadPage, Query};
use super::block::dequantize;
use super::buffer::Buffer;
use super::kernels::{Kernels, Scratch};
use super::ops::Ops;
use super::pages::{KvFormat, Page};
use super::pool::{Member, Pool};
use super::prepared::{BLOCK, Forms, Prepared};
use super::rotation::Rotation;
use super::share::{Shares, run};
use super::weights::{FeedForward, Linear, Matrix, Norm, Weights};
use batch::{Batch, Token};

/// Vectors of at most so many tokens are normed by every thread for itself: sharing the work
/// would cost a seam, which takes longer.
const ALONE: usize = 4;

/// The sizes that the weights do not tell.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Size of a head.
    pub head_dim: usize,
    /// How many positions back a token sees, itself included.
    pub window: Option<usize>,
    /// What keys and values are kept as.
    pub kv_format: KvFormat,
}

/// Tokens to evaluate, and where their keys and values go.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// At least one.
    pub tokens: &'a [u32],
    /// Position of the first.
    pub start: usize,
    /// The pages of all positions up to the last of the tokens.
    pub pages: &'a [Arc<Page>],
    /// After how many of the last tokens logits are wanted.
    pub logits: usize,
}

/// Somebody did not want the result any more. Pages hold what they held before up to the first
/// input's start.
#[derive(Debug, PartialEq, Eq)]
pub struct Cancelled;

/// A model's weights and all that is needed to run them.
#[derive(Debug)]
pub struct Pass {
    weights: Weights,
    shape: Shape,
    rotation: Rotation,
    kernels: &'static Kernels,
    ops: &'static Ops,
    pool: Pool,
    buffers: Buffers,
    locals: Vec<Mutex<Local>>,
    shares: Vec<Shares>,
}

/// What threads share.
#[derive(Debug)]
struct Buffers {
    /// `[tokens, hidden]`.
    x: Buffer<f32>,
    /// `[tokens, heads * head_dim]`, then `[tokens, kv_heads * head_dim]` twice.
    query: Buffer<f32>,
    key: Buffer<f32>,
    value: Buffer<f32>,
    /// What attention gives, `[tokens, heads * head_dim]`.
    mixed: Buffer<f32>,
    /// Inputs of products: `[tokens, hidden]`, of `mixed`'s shape, `[tokens, feed_forward]`, and
    /// `[wanted, hidden]`.
    input: Prepared,
    mixed_input: Prepared,
    inner: Prepared,
    last_input: Prepared,
}

/// What a thread has for itself.
#[derive(Debug)]
struct Local {
    scratch: Scratch,
    input: Prepared,
    /// For a few vectors.
    row: Vec<f32>,
    /// Results of products that are worked on at once.
    first: Buffer<f32>,
    second: Buffer<f32>,
    attention: Vec<f32>,
    queries: Vec<Query>,
    pages: Vec<HeadPage>,
    /// Pages of 8-bit numbers in half precision.
    expanded: Buffer<u16>,
}

// SAFETY: the pointers are of one step of one pass; nothing is read through them later.
unsafe impl Send for Local {}

/// Steps of a layer that are shared out: query, key and value; attention; output; gate and up; down.
const STEPS: usize = 5;

impl Pass {
    /// A pass on `threads` threads, the caller's own included, with kernels that this processor has.
    pub fn new(
        weights: Weights,
        shape: Shape,
        rotation: Rotation,
        kernels: &'static Kernels,
        threads: usize,
    ) -> Self {
        let pool = Pool::new(threads);
        let locals = (0..pool.threads()).map(|_| Mutex::new(Local::new())).collect();
        let shares = (0..=weights.layers.len() * STEPS).map(|_| Shares::new(pool.threads()));
        let shares = shares.collect();
        let ops = Ops::beside(kernels.name);
        let buffers = Buffers::new();
        Self { weights, shape, rotation, kernels, ops, pool, buffers, locals, shares }
    }

    /// Number of threads it runs on.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// The instruction set it uses.
    pub fn kernels(&self) -> &'static Kernels {
        self.kernels
    }

    /// The weights it runs.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Evaluates `inputs` as one batch and writes the logits that were asked for, in order, to
    /// `logits`, `[wanted, vocabulary]`. `cancelled` is asked at each seam, on this thread.
    ///
    /// # Safety
    /// The pages are of this model's shape; those from each input's start on are its own, as
    /// [`Page`] says, and nobody writes to the others meanwhile. All tokens are rows of the
    /// embedding.
    pub unsafe fn run(
        &mut self,
        inputs: &[Input<'_>],
        cancelled: &dyn Fn() -> bool,
        logits: &mut [f32],
    ) -> Result<(), Cancelled> {
        let batch = Batch::new(inputs);
        let Some(last) = batch.tokens.iter().map(|token| token.position).max() else {
            return Ok(());
        };
        assert_eq!(logits.len(), batch.wanted.len() * self.weights.output.rows(), "logits wanted");
        self.rotation.reach(last + 1);
        self.resize(batch.tokens.len(), batch.wanted.len());
        self.shares.iter().for_each(Shares::reset);
        let stop_at = AtomicUsize::new(usize::MAX);
        let step = Step {
            weights: &self.weights,
            shape: &self.shape,
            rotation: &self.rotation,
            kernels: self.kernels,
            ops: self.ops,
            buffers: &self.buffers,
            locals: &self.locals,
            shares: &self.shares,
            batch: &batch,
            cancelled: OfCaller(cancelled),
            stop_at: &stop_at,
            logits: logits.as_mut_ptr(),
        };
        self.pool.run(&|member| {
            // Its own alone; poisoned by a panic that was passed on, and holding nothing that
            // could be wrong.
            let local = step.locals.get(member.index).map(Mutex::lock);
            if let Some(local) = local {
                let mut local = local.unwrap_or_else(PoisonError::into_inner);
                let _ = step.go(&Thread { member, seams: Cell::new(0) }, &mut local);
            }
        });
        if stop_at.into_inner() != usize::MAX {
            return Err(Cancelled);
        }
        Ok(())
    }

    /// Room for a batch of so many tokens, after some of which logits are wanted.
    fn resize(&mut self, tokens: usize, wanted: usize) {
        let Self { weights, shape, buffers, kernels, .. } = self;
        let hidden = weights.embedding.columns();
        buffers.x.resize(tokens * hidden);
        buffers.query.resize(tokens * shape.heads * shape.head_dim);
        buffers.mixed.resize(tokens * shape.heads * shape.head_dim);
        buffers.key.resize(tokens * shape.kv_heads * shape.head_dim);
        buffers.value.resize(tokens * shape.kv_heads * shape.head_dim);
        let (mut input, mut mixed, mut inner, mut width) =
            <(Forms, Forms, Forms, usize)>::default();
        let form = |linear: &Linear| (kernels.form)(linear.weight.format(), tokens);
        for layer in &weights.layers {
            for linear in [&layer.query, &layer.key, &layer.value] {
                input = input.with(form(linear));
            }
            mixed = mixed.with(form(&layer.output));
            let down = match &layer.feed_forward {
                FeedForward::Gated { gate, up, down } => {
                    input = input.with(form(gate)).with(form(up));
                    down
                }
                FeedForward::Plain { up, down } => {
                    input = input.with(form(up));
                    down
                }
            };
            inner = inner.with(form(down));
            width = width.max(down.weight.columns());
        }
        buffers.input.resize(tokens, hidden, input);
        buffers.mixed_input.resize(tokens, shape.heads * shape.head_dim, mixed);
        buffers.inner.resize(tokens, width, inner);
        let last = Forms::default().with((kernels.form)(weights.output.format(), wanted));
        buffers.last_input.resize(wanted, hidden, last);
    }
}

/// A thread of a pass and the seams it has come to.
struct Thread<'a> {
    member: &'a Member<'a>,
    seams: Cell<usize>,
}

/// The pass as all its threads see it.
struct Step<'a> {
    weights: &'a Weights,
    shape: &'a Shape,
    rotation: &'a Rotation,
    kernels: &'static Kernels,
    ops: &'static Ops,
    buffers: &'a Buffers,
    locals: &'a [Mutex<Local>],
    shares: &'a [Shares],
    batch: &'a Batch<'a>,
    cancelled: OfCaller<'a>,
    /// The seam that all threads stop at.
    stop_at: &'a AtomicUsize,
    /// `[wanted, vocabulary]`.
    logits: *mut f32,
}

/// Asked only on the thread that came with it, the first.
struct OfCaller<'a>(&'a dyn Fn() -> bool);

// SAFETY: what is in it is used by the first thread only, see `Step::seam`; threads write to
// disjoint parts of the logits.
unsafe impl Sync for Step<'_> {}

impl Step<'_> {
    /// Waits for the other threads, and tells all of them alike whether to go on.
    fn seam(&self, thread: &Thread<'_>) -> Result<(), Cancelled> {
        let seam = thread.seams.get() + 1;
        thread.seams.set(seam);
        // One thread decides, before the seam, and names it: a thread that looks late, when the
        // next one may be decided upon already, still goes as far as all.
        if thread.member.index == 0 && (self.cancelled.0)() {
            self.stop_at.store(seam, Ordering::Relaxed);
        }
        thread.member.seam();
        if self.stop_at.load(Ordering::Relaxed) <= seam { Err(Cancelled) } else { Ok(()) }
    }

    fn go(&self, thread: &Thread<'_>, local: &mut Local) -> Result<(), Cancelled> {
        self.embed(thread);
        self.seam(thread)?;
        for (index, layer) in self.weights.layers.iter().enumerate() {
            let shares = &self.shares[index * STEPS..(index + 1) * STEPS];
            self.query_key_value(thread, local, layer, &shares[0])?;
            self.seam(thread)?;
            self.rotate_and_keep(thread, local, layer, index);
            self.seam(thread)?;
            self.mix(thread, local, index, &shares[1]);
            self.seam(thread)?;
            self.output(thread, local, layer, &shares[2])?;
            self.seam(thread)?;
            self.feed_forward(thread, local, layer, &shares[3..5])?;
            self.seam(thread)?;
        }
        self.predict(thread, local)
    }

    fn hidden(&self) -> usize {
        self.weights.embedding.columns()
    }

    /// The part of `0..count` that is this thread's where all parts cost the same; a multiple of
    /// `of`, the last aside.
    fn share(thread: &Thread<'_>, count: usize, of: usize) -> std::ops::Range<usize> {
        let blocks = run(thread.member.index, thread.member.threads, count.div_ceil(of));
        (blocks.start * of).min(count)..(blocks.end * of).min(count)
    }

    /// The tokens' rows of the embedding.
    fn embed(&self, thread: &Thread<'_>) {
        let embedding = &self.weights.embedding;
        let hidden = self.hidden();
        for index in Self::share(thread, self.batch.tokens.len(), 1) {
            let id = self.batch.tokens[index].id as usize;
            // SAFETY: the token is this thread's.
            let x = unsafe { self.buffers.x.part(index * hidden, hidden) };
            dequantize(embedding.format(), embedding.part(id..id + 1), x);
        }
    }

    /// The logits of the tokens that they are wanted after.
    fn predict(&self, thread: &Thread<'_>, local: &mut Local) -> Result<(), Cancelled> {
        let wanted = &self.batch.wanted;
        if wanted.is_empty() {
            return Ok(());
        }
        let output = &self.weights.output;
        let hidden = self.hidden();
        let forms = self.forms([output], wanted.len());
        let row = |index: usize| {
            // SAFETY: `x` is read only, from the last seam on.
            unsafe { &*self.buffers.x.part(wanted[index] * hidden, hidden) }
        };
        let (shared, norm) = (&self.buffers.last_input, &self.weights.output_norm);
        self.prepare_normed(thread, local, shared, wanted.len(), forms, norm, &row)?;
        let prepared = if wanted.len() <= ALONE { &local.input } else { shared };
        // SAFETY: it was written before the last seam, or by this thread.
        let input = unsafe { prepared.get() };
        let scratch = &mut local.scratch;
        let rows = output.rows();
        let shares = &self.shares[self.weights.layers.len() * STEPS];
        self.take(thread, shares, &[output], wanted.len(), |_, part| {
            let out = self.logits.wrapping_add(part.start);
            // SAFETY: these columns of the logits are this thread's.
            unsafe { self.product(output, part, input, out, rows, scratch) };
        });
        Ok(())
    }

    /// The forms that some matrices want of `rows` vectors.
    fn forms<'m>(&self, matrices: impl IntoIterator<Item = &'m Matrix>, rows: usize) -> Forms {
        matrices.into_iter().fold(Forms::default(), |forms, matrix| {
            forms.with((self.kernels.form)(matrix.format(), rows))
        })
    }

    /// `out = norm(x)`.
    fn norm(&self, norm: &Norm, x: &[f32], out: &mut [f32]) {
        // SAFETY: the operations are of an instruction set that is here.
        unsafe {
            match &norm.bias {
                None => (self.ops.rms_norm)(x, &norm.weight, norm.eps, out),
                Some(bias) => (self.ops.layer_norm)(x, &norm.weight, bias, norm.eps, out),
            }
        }
    }
}

/// The weights of some linear maps.
fn matrices<'a>(linears: &[&'a Linear]) -> Vec<&'a Matrix> {
    linears.iter().map(|linear| &linear.weight).collect()
}

impl Buffers {
    const fn new() -> Self {
        Self {
            x: Buffer::new(),
            query: Buffer::new(),
            key: Buffer::new(),
            value: Buffer::new(),
            mixed: Buffer::new(),
            input: Prepared::new(),
            mixed_input: Prepared::new(),
            inner: Prepared::new(),
            last_input: Prepared::new(),
        }
    }
}

impl Local {
    const fn new() -> Self {
        Self {
            scratch: Scratch::new(),
            input: Prepared::new(),
            row: Vec::new(),
            first: Buffer::new(),
            second: Buffer::new(),
            attention: Vec::new(),
            queries: Vec::new(),
            pages: Vec::new(),
            expanded: Buffer::new(),
        }
    }
}

#[cfg(test)]
mod tests;
