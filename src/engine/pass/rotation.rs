//! Rotary position embedding (Su et al., 2021): the angles of positions, computed once.

use super::ops::Ops;

/// Which two numbers of a head are turned together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// `i` and `i + half`.
    Halves,
    /// `2i` and `2i + 1`.
    Neighbours,
}

/// The turning of queries and keys by their positions.
#[derive(Debug, Clone)]
pub struct Rotation {
    pairs: Pairs,
    /// Radians per position. In f64: at position 30000 an f32 product is off by more than a
    /// thousandth of a radian.
    frequencies: Vec<f64>,
    /// Cosines and sines are multiplied by this (`YaRN`).
    magnitude: f64,
    /// `[positions, frequencies]`, as far as was needed.
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Rotation {
    /// Turns the first `2 * frequencies.len()` numbers of a head.
    pub fn new(pairs: Pairs, frequencies: Vec<f64>, magnitude: f64) -> Self {
        Self { pairs, frequencies, magnitude, cos: Vec::new(), sin: Vec::new() }
    }

    /// Computes the angles of all positions before `end` that were not needed before.
    pub(crate) fn reach(&mut self, end: usize) {
        let count = self.frequencies.len().max(1);
        for position in self.cos.len() / count..end {
            for frequency in &self.frequencies {
                let (sin, cos) = (position as f64 * frequency).sin_cos();
                self.cos.push((cos * self.magnitude) as f32);
                self.sin.push((sin * self.magnitude) as f32);
            }
        }
    }

    /// Turns a head at a position that was reached.
    pub(crate) fn turn(&self, ops: &Ops, head: &mut [f32], position: usize) {
        let count = self.frequencies.len();
        let at = position * count..(position + 1) * count;
        let (Some(cos), Some(sin)) = (self.cos.get(at.clone()), self.sin.get(at)) else { return };
        self.turn_by(ops, head, cos, sin);
    }

    /// Turns a head that was turned before on by so many positions.
    pub fn turn_on(&self, head: &mut [f32], by: i64) {
        let count = self.frequencies.len();
        for (index, frequency) in self.frequencies.iter().enumerate() {
            let (first, second) = match self.pairs {
                Pairs::Halves => (index, index + count),
                Pairs::Neighbours => (2 * index, 2 * index + 1),
            };
            let (sin, cos) = (by as f64 * frequency).sin_cos();
            if let (Some(&a), Some(&b)) = (head.get(first), head.get(second)) {
                let (a, b) = (f64::from(a), f64::from(b));
                head[first] = (a * cos - b * sin) as f32;
                head[second] = (a * sin + b * cos) as f32;
            }
        }
    }

    fn turn_by(&self, ops: &Ops, head: &mut [f32], cos: &[f32], sin: &[f32]) {
        let head = &mut head[..2 * cos.len()];
        #[expect(unsafe_code, reason = "the operations are of an instruction set that is here")]
        // SAFETY: as said.
        unsafe {
            match self.pairs {
                Pairs::Halves => (ops.turn_halves)(head, cos, sin),
                Pairs::Neighbours => (ops.turn_neighbours)(head, cos, sin),
            }
        }
    }
}
