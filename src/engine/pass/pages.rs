//! Keys and values of evaluated tokens, 64 positions at a time, in memory that sequences share.
#![expect(unsafe_code, reason = "threads of one pass write disjoint parts of a page")]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Token positions of a page.
pub const PAGE: usize = 64;

/// Length of a group of numbers that shares a scale in [`KvFormat::Q8_0`].
pub const GROUP: usize = 32;

/// What keys and values are kept as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KvFormat {
    /// Half-precision numbers.
    #[default]
    F16,
    /// 8-bit numbers, one f32 scale per position, head and group of 32 numbers.
    Q8_0,
}

/// The sizes of a model's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageShape {
    /// Number of layers.
    pub layers: usize,
    /// Heads of keys and values, per layer.
    pub kv_heads: usize,
    /// Size of a head.
    pub head_dim: usize,
    /// What numbers are kept as.
    pub format: KvFormat,
}

impl PageShape {
    /// Bytes of a page.
    pub const fn page_bytes(&self) -> usize {
        self.layers * self.kv_heads * self.slab()
    }

    /// Scales of one position and head: 0 in f16.
    pub const fn groups(&self) -> usize {
        match self.format {
            KvFormat::F16 => 0,
            KvFormat::Q8_0 => self.head_dim.div_ceil(GROUP),
        }
    }

    /// Bytes of the numbers of keys, or of values, of one layer and head. A multiple of 64.
    const fn numbers(&self) -> usize {
        match self.format {
            KvFormat::F16 => PAGE * self.head_dim * 2,
            KvFormat::Q8_0 => PAGE * self.head_dim,
        }
    }

    /// Bytes of their scales. A multiple of 64.
    const fn scales(&self) -> usize {
        PAGE * self.groups() * size_of::<f32>()
    }

    /// Bytes of one layer and head: keys, key scales, values, value scales.
    const fn slab(&self) -> usize {
        2 * (self.numbers() + self.scales())
    }
}

/// Keys and values of up to 64 neighbouring positions, all layers and heads.
///
/// Per layer and head there are, each starting at a multiple of 64 bytes: in f16 the keys
/// `[head_dim][64]` (the 64 positions of one dimension side by side) and the values
/// `[64][head_dim]`; in `q8_0` keys and values `[64][head_dim]`, with scales
/// `[64][head_dim / 32]` each. A new page holds zeros; what is past the end of a sequence is
/// whatever was once written there, infinities and NaN included, and must not be summed.
///
/// # Who may write
/// A page is written only through the pointers, and only between [`Sequence::reserve`], which sees
/// to it that no other sequence and no cache has the pages of the positions to come, and
/// [`Sequence::commit`], by whoever holds that sequence mutably. Threads that write at the same
/// time write to different layers, heads or positions, and nobody reads a layer and head while it
/// is written.
///
/// [`Sequence::reserve`]: super::sequence::Sequence::reserve
/// [`Sequence::commit`]: super::sequence::Sequence::commit
#[derive(Debug)]
pub struct Page {
    memory: ManuallyDrop<Memory>,
    pool: Arc<State>,
}

impl Page {
    /// Keys of a layer and head, `[head_dim][64]`, in f16.
    pub fn keys(&self, layer: usize, head: usize) -> &[u16] {
        self.f16(self.keys_ptr(layer, head))
    }

    /// Values of a layer and head, `[64][head_dim]`, in f16.
    pub fn values(&self, layer: usize, head: usize) -> &[u16] {
        self.f16(self.values_ptr(layer, head))
    }

    /// [`Self::keys`], to be overwritten.
    pub fn keys_mut(&mut self, layer: usize, head: usize) -> &mut [u16] {
        self.f16_mut(self.keys_ptr(layer, head))
    }

    /// [`Self::values`], to be overwritten.
    pub fn values_mut(&mut self, layer: usize, head: usize) -> &mut [u16] {
        self.f16_mut(self.values_ptr(layer, head))
    }

    /// Where [`Self::keys`] are written. See [`Page`] on who may do it.
    pub fn keys_ptr(&self, layer: usize, head: usize) -> *mut u16 {
        self.expect(KvFormat::F16);
        self.at(layer, head, 0).cast()
    }

    /// Where [`Self::values`] are written. See [`Page`] on who may do it.
    pub fn values_ptr(&self, layer: usize, head: usize) -> *mut u16 {
        self.expect(KvFormat::F16);
        self.at(layer, head, self.pool.shape.numbers()).cast()
    }

    /// Keys of a layer and head in `q8_0`: `[64][head_dim]` and their scales
    /// `[64][head_dim / 32]`.
    pub fn keys_q8(&self, layer: usize, head: usize) -> (&[i8], &[f32]) {
        self.q8(self.keys_q8_ptr(layer, head))
    }

    /// Values of a layer and head in `q8_0`, like [`Self::keys_q8`].
    pub fn values_q8(&self, layer: usize, head: usize) -> (&[i8], &[f32]) {
        self.q8(self.values_q8_ptr(layer, head))
    }

    /// [`Self::keys_q8`], to be overwritten.
    pub fn keys_q8_mut(&mut self, layer: usize, head: usize) -> (&mut [i8], &mut [f32]) {
        self.q8_mut(self.keys_q8_ptr(layer, head))
    }

    /// [`Self::values_q8`], to be overwritten.
    pub fn values_q8_mut(&mut self, layer: usize, head: usize) -> (&mut [i8], &mut [f32]) {
        self.q8_mut(self.values_q8_ptr(layer, head))
    }

    /// Where [`Self::keys_q8`] are written. See [`Page`] on who may do it.
    pub fn keys_q8_ptr(&self, layer: usize, head: usize) -> (*mut i8, *mut f32) {
        self.expect(KvFormat::Q8_0);
        let scales = self.pool.shape.numbers();
        (self.at(layer, head, 0).cast(), self.at(layer, head, scales).cast())
    }

    /// Where [`Self::values_q8`] are written. See [`Page`] on who may do it.
    pub fn values_q8_ptr(&self, layer: usize, head: usize) -> (*mut i8, *mut f32) {
        self.expect(KvFormat::Q8_0);
        let shape = &self.pool.shape;
        let values = shape.numbers() + shape.scales();
        let scales = values + shape.numbers();
        (self.at(layer, head, values).cast(), self.at(layer, head, scales).cast())
    }

    /// What it is like.
    pub fn shape(&self) -> &PageShape {
        &self.pool.shape
    }

    /// All of it, for files.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the memory is that long and initialised; nobody writes a page that is read.
        unsafe { std::slice::from_raw_parts(self.memory.start.as_ptr(), self.pool.bytes) }
    }

    /// All of it, to be overwritten.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and the page is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.memory.start.as_ptr(), self.pool.bytes) }
    }

    fn at(&self, layer: usize, head: usize, offset: usize) -> *mut u8 {
        let shape = &self.pool.shape;
        assert!(layer < shape.layers && head < shape.kv_heads, "no layer {layer}, head {head}");
        let slab = (layer * shape.kv_heads + head) * shape.slab();
        // SAFETY: the sum is less than the page's length: `offset` is less than a slab's.
        unsafe { self.memory.start.as_ptr().add(slab + offset) }
    }

    /// What it keeps numbers as.
    pub fn format(&self) -> KvFormat {
        self.pool.shape.format
    }

    fn expect(&self, format: KvFormat) {
        assert_eq!(self.pool.shape.format, format, "a page is read as what it is written as");
    }

    fn f16(&self, start: *const u16) -> &[u16] {
        // SAFETY: `start` is that of the keys or values of one slab, which are that many, aligned
        // to 64 bytes and initialised; nobody writes a layer and head that is read.
        unsafe { std::slice::from_raw_parts(start, PAGE * self.pool.shape.head_dim) }
    }

    fn f16_mut(&mut self, start: *mut u16) -> &mut [u16] {
        // SAFETY: as for `f16`, and the page is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(start, PAGE * self.pool.shape.head_dim) }
    }

    fn q8_mut(&mut self, (numbers, scales): (*mut i8, *mut f32)) -> (&mut [i8], &mut [f32]) {
        let shape = &self.pool.shape;
        // SAFETY: as for `f16`, and the page is borrowed mutably; the two parts do not overlap.
        unsafe {
            (
                std::slice::from_raw_parts_mut(numbers, PAGE * shape.head_dim),
                std::slice::from_raw_parts_mut(scales, PAGE * shape.groups()),
            )
        }
    }

    fn q8(&self, (numbers, scales): (*mut i8, *mut f32)) -> (&[i8], &[f32]) {
        let shape = &self.pool.shape;
        // SAFETY: as for f16.
        unsafe {
            (
                std::slice::from_raw_parts(numbers, PAGE * shape.head_dim),
                std::slice::from_raw_parts(scales, PAGE * shape.groups()),
            )
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: the page is not used after this.
        let memory = unsafe { ManuallyDrop::take(&mut self.memory) };
        self.pool.used.fetch_sub(1, Ordering::Relaxed);
        let mut free = self.pool.free();
        if free.len() < MOST_FREE {
            free.push(memory);
        }
    }
}

/// There is no memory for a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no memory left for keys and values; shorten the context")]
pub struct NoMemory;

/// Free pages that are kept for reuse: as many as the candidates of a request start anew.
const MOST_FREE: usize = 16;

/// Where the pages of one model come from and go back to.
#[derive(Debug, Clone)]
pub struct Pool {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    shape: PageShape,
    /// Of one page.
    bytes: usize,
    /// Pages that somebody has.
    used: AtomicUsize,
    free: Mutex<Vec<Memory>>,
}

impl Pool {
    /// A pool of pages of this shape; takes no memory yet.
    pub fn new(shape: PageShape) -> Self {
        let (used, free) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(MOST_FREE)));
        Self { state: Arc::new(State { shape, bytes: shape.page_bytes(), used, free }) }
    }

    /// What its pages are like.
    pub fn shape(&self) -> &PageShape {
        &self.state.shape
    }

    /// Bytes of the pages that somebody has, shared ones counted once.
    pub fn used_bytes(&self) -> usize {
        self.state.used.load(Ordering::Relaxed) * self.state.bytes
    }

    /// A page with arbitrary content.
    pub fn page(&self) -> Result<Page, NoMemory> {
        let free = self.state.free().pop();
        let memory = match free {
            Some(memory) => memory,
            None => Memory::new(self.state.bytes).ok_or(NoMemory)?,
        };
        self.state.used.fetch_add(1, Ordering::Relaxed);
        Ok(Page { memory: ManuallyDrop::new(memory), pool: Arc::clone(&self.state) })
    }

    /// A copy of `page`, which is of the same pool.
    pub fn copy(&self, page: &Page) -> Result<Page, NoMemory> {
        let mut copy = self.page()?;
        copy.bytes_mut().copy_from_slice(page.bytes());
        Ok(copy)
    }
}

impl State {
    fn free(&self) -> MutexGuard<'_, Vec<Memory>> {
        // A list of blocks is consistent after each push and pop.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A block of memory aligned to 64 bytes.
#[derive(Debug)]
struct Memory {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: it owns its bytes, which are plain numbers.
unsafe impl Send for Memory {}
// SAFETY: shared, it is only read, or written as `Page` says.
unsafe impl Sync for Memory {}

impl Memory {
    /// Zeros; `None` if there is not that much.
    fn new(bytes: usize) -> Option<Self> {
        // A pool of a model without layers has pages, too.
        let layout = Layout::from_size_align(bytes.max(64), 64).ok()?;
        // SAFETY: the layout is not empty.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Self { start, layout })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: it was allocated with this layout and is not used after this.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(format: KvFormat) -> PageShape {
        PageShape { layers: 3, kv_heads: 2, head_dim: 48, format }
    }

    #[test]
    fn every_number_of_a_page_has_a_place_of_its_own() {
        let pool = Pool::new(shape(KvFormat::F16));
        let page = pool.page().unwrap();
        assert!(page.bytes().iter().all(|byte| *byte == 0));
        let mut next = 1;
        for layer in 0..3 {
            for head in 0..2 {
                for start in [page.keys_ptr(layer, head), page.values_ptr(layer, head)] {
                    assert_eq!(start as usize % 64, 0);
                    for index in 0..PAGE * 48 {
                        // SAFETY: nobody else has the page; the part is that long.
                        unsafe { *start.add(index) = next };
                        next += 1;
                    }
                }
            }
        }
        let read: Vec<u16> = (0..3)
            .flat_map(|layer| (0..2).map(move |head| (layer, head)))
            .flat_map(|(layer, head)| [page.keys(layer, head), page.values(layer, head)].concat())
            .collect();
        assert_eq!(read, (1..next).collect::<Vec<_>>());
        assert_eq!(read.len() * 2, page.bytes().len());
    }

    #[test]
    fn every_number_and_scale_of_an_8_bit_page_has_a_place_of_its_own() {
        let pool = Pool::new(shape(KvFormat::Q8_0));
        assert_eq!(pool.shape().groups(), 2);
        let page = pool.page().unwrap();
        let mut scale = 1.0;
        for layer in 0..3 {
            for head in 0..2 {
                let parts = [page.keys_q8_ptr(layer, head), page.values_q8_ptr(layer, head)];
                for (index, (numbers, scales)) in parts.into_iter().enumerate() {
                    assert_eq!((numbers as usize % 64, scales as usize % 64), (0, 0));
                    // SAFETY: nobody else has the page; the parts are that long.
                    unsafe {
                        std::slice::from_raw_parts_mut(numbers, PAGE * 48).fill(index as i8 + 1);
                        std::slice::from_raw_parts_mut(scales, PAGE * 2).fill(scale);
                    }
                    scale += 1.0;
                }
            }
        }
        for layer in 0..3 {
            for head in 0..2 {
                let (keys, key_scales) = page.keys_q8(layer, head);
                let (values, value_scales) = page.values_q8(layer, head);
                assert!(keys.iter().all(|n| *n == 1) && values.iter().all(|n| *n == 2));
                let first = (2 * (2 * layer + head) + 1) as f32;
                assert_eq!(key_scales, [first; PAGE * 2]);
                assert_eq!(value_scales, [first + 1.0; PAGE * 2]);
            }
        }
    }

    #[test]
    fn pages_are_counted_and_their_memory_is_used_again() {
        let pool = Pool::new(shape(KvFormat::F16));
        let first = pool.page().unwrap();
        let start = first.bytes().as_ptr();
        assert_eq!(pool.used_bytes(), pool.shape().page_bytes());
        drop(first);
        assert_eq!(pool.used_bytes(), 0);
        assert_eq!(pool.page().unwrap().bytes().as_ptr(), start);
        let many: Vec<Page> = (0..3 * MOST_FREE).map(|_| pool.page().unwrap()).collect();
        drop(many);
        assert_eq!(pool.state.free().len(), MOST_FREE);
    }

    #[test]
    fn more_than_there_is_is_an_error() {
        let layers = isize::MAX as usize / (PAGE * 256 * 4) - 1;
        let shape = PageShape { layers, kv_heads: 1, head_dim: 256, format: KvFormat::F16 };
        assert!(Pool::new(shape).page().is_err());
    }
}
