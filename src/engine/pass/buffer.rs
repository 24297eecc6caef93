//! Memory that the threads of a pass share, each writing its own part.
#![expect(unsafe_code, reason = "threads write disjoint parts of one buffer")]

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Numbers at a multiple of 64 bytes, all bit patterns of which are valid.
pub(crate) struct Buffer<T> {
    lines: UnsafeCell<Vec<Line>>,
    length: usize,
    of: PhantomData<T>,
}

/// Numbers for which any bits are a value.
pub(crate) trait Plain: Copy {}
impl Plain for f32 {}
impl Plain for u16 {}
impl Plain for i16 {}
impl Plain for i8 {}

// SAFETY: what is written is plain data, and `Buffer::part`'s callers keep threads apart.
unsafe impl<T: Plain> Sync for Buffer<T> {}

impl<T: Plain> Buffer<T> {
    pub(crate) const fn new() -> Self {
        Self { lines: UnsafeCell::new(Vec::new()), length: 0, of: PhantomData }
    }

    /// Makes it hold `length` numbers, whatever they are; zeros where it grows.
    pub(crate) fn resize(&mut self, length: usize) {
        let lines = (length * size_of::<T>()).div_ceil(64);
        let own = self.lines.get_mut();
        if own.len() < lines {
            own.reserve_exact(lines - own.len());
            own.resize(lines, Line([0; 64]));
        }
        self.length = length;
    }

    fn pointer(&self) -> *mut T {
        // SAFETY: no reference to the vector itself exists while the buffer is shared; only its
        // address is read.
        unsafe { (*self.lines.get()).as_ptr().cast_mut().cast() }
    }

    /// All of it.
    ///
    /// # Safety
    /// Nobody writes to it meanwhile.
    pub(crate) unsafe fn all(&self) -> &[T] {
        // SAFETY: `length` numbers fit into the lines, and are initialised.
        unsafe { std::slice::from_raw_parts(self.pointer(), self.length) }
    }

    /// The address of a number that [`Self::part`] could begin with.
    pub(crate) fn pointer_at(&self, index: usize) -> *mut T {
        self.pointer().wrapping_add(index)
    }

    /// The `length` numbers from `start` on.
    ///
    /// # Panics
    /// If it has not so many.
    ///
    /// # Safety
    /// Nobody else reads or writes them meanwhile.
    #[expect(clippy::mut_from_ref, reason = "that is what it is for: see the safety section")]
    pub(crate) unsafe fn part(&self, start: usize, length: usize) -> &mut [T] {
        assert!(start <= self.length && length <= self.length - start, "part of a buffer");
        // SAFETY: as above, and the caller's.
        unsafe { std::slice::from_raw_parts_mut(self.pointer().add(start), length) }
    }
}

impl<T> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({})", self.length)
    }
}
