//! Activations on their way into products: made by parts, by several threads.
#![expect(unsafe_code, reason = "threads write disjoint parts of the buffers")]

use super::activations::{Activations, Form, GROUP};
use super::buffer::Buffer;
use super::kernels::Kernels;

/// Rows of a block in the bf16 form.
pub(crate) const BLOCK: usize = 16;

/// The forms that the products of one step want.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Forms {
    pub f32: bool,
    pub int8: bool,
    pub bf16: bool,
}

impl Forms {
    /// These and one more.
    pub(crate) fn with(mut self, form: Form) -> Self {
        match form {
            Form::F32 => self.f32 = true,
            Form::Int8 => self.int8 = true,
            Form::Bf16 => self.bf16 = true,
        }
        self
    }
}

/// The buffers behind [`Activations`].
#[derive(Debug)]
pub(crate) struct Prepared {
    rows: usize,
    columns: usize,
    forms: Forms,
    f32: Buffer<f32>,
    int8: Buffer<i8>,
    scales: Buffer<f32>,
    sums: Buffer<i16>,
    bf16: Buffer<u16>,
}

impl Prepared {
    pub(crate) const fn new() -> Self {
        Self {
            rows: 0,
            columns: 0,
            forms: Forms { f32: false, int8: false, bf16: false },
            f32: Buffer::new(),
            int8: Buffer::new(),
            scales: Buffer::new(),
            sums: Buffer::new(),
            bf16: Buffer::new(),
        }
    }

    /// Makes room for `rows` vectors of `columns` numbers in `forms`; what is in it is undefined.
    pub(crate) fn resize(&mut self, rows: usize, columns: usize, forms: Forms) {
        (self.rows, self.columns, self.forms) = (rows, columns, forms);
        let count = |wanted: bool, count: usize| if wanted { count } else { 0 };
        self.f32.resize(count(forms.f32, rows * columns));
        self.int8.resize(count(forms.int8, rows * columns));
        self.scales.resize(count(forms.int8, rows * columns / GROUP));
        self.sums.resize(count(forms.int8, rows * columns / (GROUP / 2)));
        self.bf16.resize(count(forms.bf16, rows.next_multiple_of(BLOCK) * columns));
    }

    /// Writes columns `from..from + width` of the rows `first..first + x.len() / width`, whose
    /// numbers are `x`, row after row. `first` is a multiple of [`BLOCK`], and so is the number of
    /// rows unless they are the last; in the int8 and bf16 forms `from` and `width` are
    /// multiples of [`GROUP`].
    ///
    /// # Safety
    /// The kernels are of an instruction set that is here; nobody else touches these rows and columns meanwhile.
    pub(crate) unsafe fn write(
        &self,
        kernels: &Kernels,
        first: usize,
        from: usize,
        width: usize,
        x: &[f32],
    ) {
        let columns = self.columns;
        // SAFETY: the parts are those of the rows and columns that the caller owns.
        unsafe {
            for (index, row) in x.chunks_exact(width).enumerate() {
                let at = (first + index) * columns + from;
                if self.forms.f32 {
                    self.f32.part(at, width).copy_from_slice(row);
                }
                if self.forms.int8 {
                    (kernels.quantize)(
                        row,
                        self.int8.part(at, width),
                        self.scales.part(at / GROUP, width / GROUP),
                        self.sums.part(at / (GROUP / 2), width / (GROUP / 2)),
                    );
                }
            }
            if self.forms.bf16 {
                for (index, rows) in x.chunks(BLOCK * width).enumerate() {
                    let block = (first + index * BLOCK) * columns;
                    let out = self.bf16.part(block + from * BLOCK, width * BLOCK);
                    if let Some(pack) = kernels.pack {
                        pack(rows, rows.len() / width, width, out);
                    }
                }
            }
        }
    }

    /// What was written.
    ///
    /// # Safety
    /// All of it was, and nobody writes meanwhile.
    pub(crate) unsafe fn get(&self) -> Activations<'_> {
        // SAFETY: the caller's.
        unsafe {
            Activations {
                rows: self.rows,
                columns: self.columns,
                f32: self.f32.all(),
                int8: self.int8.all(),
                scales: self.scales.all(),
                sums: self.sums.all(),
                bf16: self.bf16.all(),
            }
        }
    }
}
