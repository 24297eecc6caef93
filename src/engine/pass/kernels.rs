//! What differs between instruction sets, behind one table that is chosen when a model is loaded.

use std::sync::OnceLock;

use super::activations::{Activations, Form};
use super::block::BlockType;

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx512_float;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Rows of a matrix that products are best shared out by.
pub const TILE: usize = 16;

/// A product to compute: `out[i][r] = Σ_k weight[r][k] · activation[i][k]`.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// `rows` consecutive rows of the matrix, as they lie in the file: no alignment is promised.
    pub weights: &'a [u8],
    /// Number of rows; only at the end of a matrix not a multiple of [`TILE`].
    pub rows: usize,
    /// What they are multiplied with, `m = activations.rows` vectors of `activations.columns`.
    pub activations: Activations<'a>,
    /// Where `out[0][0]` goes. `out[i][r]` is at `i * stride + r`.
    pub out: *mut f32,
    /// Distance of two rows of `out`, in numbers.
    pub stride: usize,
}

/// Memory of one thread for what a product unpacks; aligned to 64 bytes.
#[derive(Debug, Default)]
pub struct Scratch {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

impl Scratch {
    /// Fresh memory, none of it yet taken.
    pub const fn new() -> Self {
        Self { lines: Vec::new() }
    }

    /// At least `bytes` bytes with arbitrary content, at a multiple of 64.
    pub fn bytes(&mut self, bytes: usize) -> *mut u8 {
        let lines = bytes.div_ceil(64);
        if self.lines.len() < lines {
            self.lines.resize(lines, Line([0; 64]));
        }
        self.lines.as_mut_ptr().cast()
    }
}

/// Computes a task.
///
/// # Safety
/// The processor has the instruction set of the table that the function is from;
/// `weights.len() == rows * row_bytes(columns)`; the activations are there in the form that
/// [`Kernels::form`] names; `out` may be written at every `i * stride + r`, and nobody else does.
pub type Product = unsafe fn(&Task<'_>, &mut Scratch);

/// Brings numbers, whole groups of 32, into the form [`Form::Int8`]: `int8` as long as they are,
/// `scales` and `sums` as [`Activations`] says. All instruction sets give the same bits. A group
/// with a number that is not finite gets the scale NaN.
///
/// # Safety
/// The processor has the instruction set of the table that the function is from, and the lengths
/// are as said.
pub type Quantize = unsafe fn(&[f32], &mut [i8], &mut [f32], &mut [i16]);

/// Brings `rows` vectors of `columns` numbers into the form [`Form::Bf16`]; a block of 16 at a time,
/// the last one perhaps of fewer.
///
/// # Safety
/// The processor has the instruction set of the table that the function is from; `columns` is a
/// multiple of 32, and the slices are as long as this says.
pub type Pack = unsafe fn(x: &[f32], rows: usize, columns: usize, out: &mut [u16]);

/// The kernels of one instruction set.
#[derive(Debug)]
pub struct Kernels {
    /// Its name, for people: `avx2`, `avx512-vnni`, `amx`.
    pub name: &'static str,
    /// One product per format, in the order of [`BlockType::ALL`].
    pub products: [Product; 15],
    /// Makes the bf16 form; only where [`Self::form`] ever names it.
    pub pack: Option<Pack>,
    /// Up to so many vectors a product gives each of them the very numbers that it alone would get;
    /// of more, numbers that may be rounded differently.
    pub steady: usize,
    /// The form of `rows` activation vectors that the product of a format wants.
    pub form: fn(BlockType, usize) -> Form,
    /// Makes the int8 form.
    pub quantize: Quantize,
}

/// The kernels to use: the best that this processor has, or those that the environment variable
/// `AGENT_ISA` names. An error says which ones there are. Decided once.
pub fn detect() -> Result<&'static Kernels, String> {
    static CHOICE: OnceLock<Result<&'static Kernels, String>> = OnceLock::new();
    CHOICE.get_or_init(|| choose(std::env::var("AGENT_ISA").ok().as_deref())).clone()
}

/// The kernels that this processor has, best first; the scalar ones are the last.
pub fn available() -> Vec<&'static Kernels> {
    let mut tables = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        if amx::available() {
            tables.push(&amx::AMX);
        }
        tables.extend(x86::available());
    }
    #[cfg(target_arch = "aarch64")]
    tables.extend(neon::available());
    tables.push(&scalar::SCALAR);
    tables
}

fn choose(name: Option<&str>) -> Result<&'static Kernels, String> {
    let tables = available();
    let wanted = |table: &&&Kernels| name.is_none_or(|name| name.eq_ignore_ascii_case(table.name));
    tables.iter().find(wanted).copied().ok_or_else(|| {
        let names: Vec<_> = tables.iter().map(|table| table.name).collect();
        let name = name.unwrap_or_default();
        format!(
            "AGENT_ISA: this processor has no instruction set \"{name}\"; use one of {}",
            names.join(", ")
        )
    })
}

/// The form that products of a few vectors take a format in: all of them but those of AMX.
fn dot_form(format: BlockType) -> Form {
    if format.is_quantized() { Form::Int8 } else { Form::F32 }
}
