//! Activations in the forms that products take them in.

/// Length of a group of activations that shares a scale.
pub(crate) const GROUP: usize = 32;

/// The form of activations a product wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// `Activations::f32`.
    F32,
    /// `Activations::int8`, `scales` and `sums`.
    Int8,
    /// `Activations::bf16`.
    Bf16,
}

/// `rows` vectors of `columns` numbers each. A form that nobody asked for is empty.
///
/// All slices start at a multiple of 64 bytes.
#[derive(Debug, Clone, Copy)]
pub struct Activations<'a> {
    /// Number of vectors: one per token.
    pub rows: usize,
    /// Length of a vector. In the int8 and bf16 forms a multiple of [`GROUP`].
    pub columns: usize,
    /// `[rows, columns]`.
    pub f32: &'a [f32],
    /// `[rows, columns]`: `x / scale` rounded to the nearest, in -127..=127.
    pub int8: &'a [i8],
    /// `[rows, columns / 32]`: the largest magnitude of the group over 127; 0 for a group of zeros.
    pub scales: &'a [f32],
    /// `[rows, columns / 16]`: sums of 16 neighbouring numbers of `int8`, so two per group.
    pub sums: &'a [i16],
    /// `[ceil(rows / 16), columns / 32, 16, 32]`: blocks of 16 rows, in each 32 numbers of the 16
    /// rows below each other, then the next 32: the first operands of tile products one after the
    /// other. Rows past the last one are zero.
    pub bf16: &'a [u16],
}
