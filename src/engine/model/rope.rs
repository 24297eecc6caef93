//! Rotary position embedding (Su et al., 2021).

use candle_core::{Device, Result, Tensor};

use super::settings::Settings;

/// Which two numbers of a head are turned together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pairing {
    /// `i` and `i + half`: the Qwen models.
    Halves,
    /// `2i` and `2i + 1`: files of the llama architecture, whose query and key rows were reordered
    /// to this when they were converted.
    Neighbours,
}

/// Turns queries and keys by their positions.
pub(super) struct Rope {
    pairing: Pairing,
    /// Radians per position, `head_dim / 2` of them. Kept in f64: at position 30000 an f32 product
    /// is off by more than a thousandth of a radian.
    frequencies: Vec<f64>,
}

/// Cosines and sines of some positions.
pub(super) struct Angles {
    /// `[positions, head_dim / 2]`.
    cos: Tensor,
    /// `[positions, head_dim / 2]`.
    sin: Tensor,
}

impl Rope {
    /// `factors` divide the frequencies one by one (the scaling of Llama 3.1).
    pub(super) fn new(settings: &Settings, pairing: Pairing, factors: Option<&[f32]>) -> Self {
        let size = settings.head_dim as f64;
        let frequencies = (0..settings.head_dim / 2)
            .map(|index| {
                let frequency = settings.rope_base.powf(-2.0 * index as f64 / size);
                let factor = factors.and_then(|f| f.get(index)).copied().map_or(1.0, f64::from);
                frequency / factor / settings.rope_scale
            })
            .collect();
        Self { pairing, frequencies }
    }

    /// The angles of `positions`, computed anew: far cheaper than one matrix of one layer.
    pub(super) fn angles(&self, positions: &[usize], device: &Device) -> Result<Angles> {
        let shape = (positions.len(), self.frequencies.len());
        let table = |of: fn(f64) -> f64| {
            let values: Vec<f32> = positions
                .iter()
                .flat_map(|&position| {
                    self.frequencies.iter().map(move |f| of(position as f64 * f) as f32)
                })
                .collect();
            Tensor::from_vec(values, shape, device)
        };
        Ok(Angles { cos: table(f64::cos)?, sin: table(f64::sin)? })
    }

    /// Turns `x` `[positions, heads, head_dim]`.
    pub(super) fn turn(&self, x: &Tensor, angles: &Angles) -> Result<Tensor> {
        match self.pairing {
            // [1, positions, heads, head_dim]
            Pairing::Halves => {
                candle_nn::rotary_emb::rope_thd(&x.unsqueeze(0)?, &angles.cos, &angles.sin)?
                    .squeeze(0)
            }
            // Each position is a batch of one position, [positions, heads, 1, head_dim], with its
            // own angles [positions, 1, head_dim / 2]: nothing needs to be transposed.
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
    use super::*;

    fn settings(rope_scale: f64) -> Settings {
        Settings {
            hidden: 4,
            layers: 1,
            heads: 1,
            kv_heads: 1,
            head_dim: 4,
            feed_forward: 1,
            vocabulary: 1,
            context_length: 100,
            norm_eps: 1e-6,
            window: None,
            rope_base: 100.0,
            rope_scale,
        }
    }

    fn turned(rope: &Rope, position: usize) -> Vec<f32> {
        let x = Tensor::new(&[[[1f32, 2.0, 3.0, 4.0]]], &Device::Cpu).unwrap();
        let angles = rope.angles(&[position], &Device::Cpu).unwrap();
        rope.turn(&x, &angles).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    fn close(a: &[f32], b: &[f64]) {
        assert!(a.iter().zip(b).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5), "{a:?} {b:?}");
    }

    #[test]
    fn each_pairing_turns_its_own_pairs() {
        // The frequencies are 1 and 0.1.
        let (a, b) = (7f64, 0.7f64);
        let halves = Rope::new(&settings(1.0), Pairing::Halves, None);
        close(
            &turned(&halves, 7),
            &[
                a.cos() - 3.0 * a.sin(),
                2.0 * b.cos() - 4.0 * b.sin(),
                a.sin() + 3.0 * a.cos(),
                2.0 * b.sin() + 4.0 * b.cos(),
            ],
        );
        let neighbours = Rope::new(&settings(1.0), Pairing::Neighbours, None);
        close(
            &turned(&neighbours, 7),
            &[
                a.cos() - 2.0 * a.sin(),
                a.sin() + 2.0 * a.cos(),
                3.0 * b.cos() - 4.0 * b.sin(),
                3.0 * b.sin() + 4.0 * b.cos(),
            ],
        );
    }

    #[test]
    fn linear_scaling_divides_positions_and_factors_divide_frequencies() {
        let plain = Rope::new(&settings(1.0), Pairing::Halves, None);
        let scaled = Rope::new(&settings(4.0), Pairing::Halves, None);
        assert_eq!(turned(&scaled, 8), turned(&plain, 2));
        let factors = Rope::new(&settings(1.0), Pairing::Halves, Some(&[1.0, 2.0]));
        let (a, b) = (8f64, 0.4f64);
        close(
            &turned(&factors, 8),
            &[
                a.cos() - 3.0 * a.sin(),
                2.0 * b.cos() - 4.0 * b.sin(),
                a.sin() + 3.0 * a.cos(),
                2.0 * b.sin() + 4.0 * b.cos(),
            ],
        );
    }
}
