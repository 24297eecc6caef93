//! Turning queries and keys by their positions, on candle tensors.

use candle_core::{D, Device, Result, Tensor};

use super::rope::{Pairing, RopeTable};

/// Turns queries and keys by their positions.
pub(super) struct Rotation {
    table: RopeTable,
}

/// Cosines and sines of some positions.
pub(super) struct Angles {
    /// `[positions, pairs]`.
    cos: Tensor,
    /// `[positions, pairs]`.
    sin: Tensor,
}

impl Rotation {
    pub(super) fn new(table: RopeTable) -> Self {
        Self { table }
    }

    /// The angles of `positions`, computed anew: far cheaper than one matrix of one layer.
    pub(super) fn angles(&self, positions: &[usize], device: &Device) -> Result<Angles> {
        let (frequencies, magnitude) = (self.table.frequencies(), self.table.magnitude());
        let shape = (positions.len(), frequencies.len());
        let table = |of: fn(f64) -> f64| {
            let values: Vec<f32> = positions
                .iter()
                .flat_map(|&position| {
                    frequencies.iter().map(move |f| (magnitude * of(position as f64 * f)) as f32)
                })
                .collect();
            Tensor::from_vec(values, shape, device)
        };
        Ok(Angles { cos: table(f64::cos)?, sin: table(f64::sin)? })
    }

    /// Turns `x` `[positions, heads, head_dim]`.
    pub(super) fn turn(&self, x: &Tensor, angles: &Angles) -> Result<Tensor> {
        let size = x.dim(D::Minus1)?;
        let turned = 2 * self.table.frequencies().len();
        if turned == size {
            return self.turn_whole(x, angles);
        }
        let first = self.turn_whole(&x.narrow(D::Minus1, 0, turned)?.contiguous()?, angles)?;
        Tensor::cat(&[&first, &x.narrow(D::Minus1, turned, size - turned)?], D::Minus1)
    }

    fn turn_whole(&self, x: &Tensor, angles: &Angles) -> Result<Tensor> {
        match self.table.pairing() {
            // [1, positions, heads, size]
            Pairing::Halves => {
                candle_nn::rotary_emb::rope_thd(&x.unsqueeze(0)?, &angles.cos, &angles.sin)?
                    .squeeze(0)
            }
            // Each position is a batch of one position, [positions, heads, 1, size], with its own
            // angles [positions, 1, pairs]: nothing needs to be transposed.
            Pairing::Neighbours => {
                let cos = angles.cos.unsqueeze(1)?;
                let sin = angles.sin.unsqueeze(1)?;
                candle_nn::rotary_emb::rope_i(&x.unsqueeze(2)?, &cos, &sin)?.squeeze(2)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rope::tests::table;
    use super::*;
    use crate::engine::gguf::Value;

    fn turned(pairing: Pairing, values: &[(&str, Value)], position: usize) -> Vec<f32> {
        let rotation = Rotation::new(table(pairing, 4, values, None).unwrap());
        let x = Tensor::new(&[[[1f32, 2.0, 3.0, 4.0]]], &Device::Cpu).unwrap();
        let angles = rotation.angles(&[position], &Device::Cpu).unwrap();
        rotation.turn(&x, &angles).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    fn close(a: &[f32], b: &[f64]) {
        assert!(a.iter().zip(b).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5), "{a:?} {b:?}");
    }

    #[test]
    fn each_pairing_turns_its_own_pairs() {
        // The frequencies are 1 and 0.1.
        let (a, b) = (7f64, 0.7f64);
        close(
            &turned(Pairing::Halves, &[], 7),
            &[
                a.cos() - 3.0 * a.sin(),
                2.0 * b.cos() - 4.0 * b.sin(),
                a.sin() + 3.0 * a.cos(),
                2.0 * b.sin() + 4.0 * b.cos(),
            ],
        );
        close(
            &turned(Pairing::Neighbours, &[], 7),
            &[
                a.cos() - 2.0 * a.sin(),
                a.sin() + 2.0 * a.cos(),
                3.0 * b.cos() - 4.0 * b.sin(),
                3.0 * b.sin() + 4.0 * b.cos(),
            ],
        );
    }

    #[test]
    fn what_is_not_turned_stays_and_what_is_turned_is_stretched() {
        let values =
            [("dimension_count", Value::Unsigned(2)), ("scaling.attn_factor", Value::Float(3.0))];
        let a = 7f64;
        let expected = [3.0 * (a.cos() - 2.0 * a.sin()), 3.0 * (a.sin() + 2.0 * a.cos()), 3.0, 4.0];
        for pairing in [Pairing::Halves, Pairing::Neighbours] {
            close(&turned(pairing, &values, 7), &expected);
        }
    }
}
