//! Rotary position embedding (Su et al., 2021): how far each pair of numbers turns per position.

use std::f64::consts::TAU;

use super::metadata::{Floats, Metadata};
use crate::engine::EngineError;

/// Which two numbers of a head are turned together. Where only the first `n` numbers of a head are
/// turned, `half` is half of `n`, and the others stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Pairing {
    /// `i` and `i + half`: the Qwen models.
    Halves,
    /// `2i` and `2i + 1`: files of the llama architecture, whose query and key rows were reordered
    /// to this when they were converted.
    Neighbours,
}

/// What a file says of the rotation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::engine) struct RopeSettings {
    /// Which numbers are turned together.
    pub(in crate::engine) pairing: Pairing,
    /// How many numbers of a head are turned: even, at most the head.
    pub(in crate::engine) dimensions: usize,
    /// Base of the frequencies.
    pub(in crate::engine) base: f64,
    /// How it is stretched to longer contexts.
    pub(in crate::engine) scaling: Scaling,
    /// What queries and keys are multiplied by besides.
    pub(in crate::engine) attention_factor: f64,
    /// Longest sequence before it was stretched.
    pub(in crate::engine) original_context: usize,
}

/// A way to stretch the rotation to longer contexts. Factors of single frequencies (Llama 3.1's,
/// `rope_freqs.weight`) go with any of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::engine) enum Scaling {
    /// Positions are divided by `factor`; 1 is no scaling.
    Linear {
        /// The divisor.
        factor: f64,
    },
    /// Fast frequencies stay, slow ones are divided by `factor` (Peng et al., 2023).
    Yarn {
        /// The divisor.
        factor: f64,
        /// How much of the fast frequencies stays; 1 is all of it.
        extrapolation: f64,
        /// Turns within the original context from which on a frequency stays.
        beta_fast: f64,
        /// Turns within the original context up to which a frequency is divided.
        beta_slow: f64,
        /// What queries and keys are multiplied by.
        magnitude: f64,
    },
    /// Factors for every frequency, one set for contexts up to the original one and one for longer
    /// ones (Ding et al., 2024), besides `factor` for all.
    Long {
        /// The divisor.
        factor: f64,
    },
}

/// How far each pair of a head turns per position, and what is multiplied onto it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::engine) struct RopeTable {
    frequencies: Vec<f64>,
    magnitude: f64,
    pairing: Pairing,
}

impl RopeTable {
    /// `factors`, as many as there are frequencies, divide them one by one.
    pub(in crate::engine) fn new(settings: &RopeSettings, factors: Option<&[f32]>) -> Self {
        let size = settings.dimensions as f64;
        let frequencies = (0..settings.dimensions / 2)
            .map(|index| {
                let factor = factors.and_then(|f| f.get(index)).copied().map_or(1.0, f64::from);
                let frequency = settings.base.powf(-2.0 * index as f64 / size) / factor;
                settings.scaled(frequency, index)
            })
            .collect();
        let magnitude = match settings.scaling {
            Scaling::Yarn { magnitude, .. } => magnitude,
            Scaling::Linear { .. } | Scaling::Long { .. } => 1.0,
        };
        let magnitude = magnitude * settings.attention_factor;
        Self { frequencies, magnitude, pairing: settings.pairing }
    }

    /// Radians per position of every pair. In f64: at position 30000 an f32 product is off by more
    /// than a thousandth of a radian. Twice as many numbers at the start of every head are turned.
    pub(in crate::engine) fn frequencies(&self) -> &[f64] {
        &self.frequencies
    }

    /// What the cosines and sines are multiplied by, so that queries and keys both are.
    pub(in crate::engine) fn magnitude(&self) -> f64 {
        self.magnitude
    }

    /// Which numbers are turned together.
    pub(in crate::engine) fn pairing(&self) -> Pairing {
        self.pairing
    }
}

impl RopeSettings {
    /// Reads and checks the metadata, for heads of `head_dim` in a model for `context_length`.
    pub(super) fn read(
        read: &Metadata<'_>,
        pairing: Pairing,
        head_dim: usize,
        context_length: usize,
    ) -> Result<Self, EngineError> {
        let key = "rope.dimension_count";
        let dimensions = read.size_or(key, head_dim, 2..=head_dim)?;
        if !dimensions.is_multiple_of(2) {
            let message = format!("{dimensions} numbers of a head cannot be turned in pairs");
            return Err(read.malformed(key, message));
        }
        let original = "rope.scaling.original_context_length";
        Ok(Self {
            pairing,
            dimensions,
            base: read.float_or("rope.freq_base", 10_000.0, 1.0..=1e12)?,
            scaling: scaling(read)?,
            attention_factor: read.float_or("rope.scaling.attn_factor", 1.0, FACTORS)?,
            original_context: read.size_or(original, context_length, 1..=usize::MAX)?,
        })
    }

    /// A frequency as the scaling leaves it; `index` is its place.
    fn scaled(&self, frequency: f64, index: usize) -> f64 {
        match self.scaling {
            Scaling::Linear { factor } | Scaling::Long { factor } => frequency / factor,
            Scaling::Yarn { factor, extrapolation, beta_fast, beta_slow, .. } => {
                let last = self.dimensions as f64 - 1.0;
                let low = self.index_that_turns(beta_fast).floor().max(0.0);
                let high = self.index_that_turns(beta_slow).ceil().min(last);
                let ramp = (index as f64 - low) / (high - low).max(0.001);
                let stays = (1.0 - ramp.clamp(0.0, 1.0)) * extrapolation;
                frequency * stays + frequency / factor * (1.0 - stays)
            }
        }
    }

    /// The (fractional) index of the frequency that turns `turns` times in the original context.
    fn index_that_turns(&self, turns: f64) -> f64 {
        let length = self.original_context as f64;
        self.dimensions as f64 * (length / (turns * TAU)).ln() / (2.0 * self.base.ln())
    }
}

const FACTORS: Floats = 1e-3..=1e6;

fn scaling(read: &Metadata<'_>) -> Result<Scaling, EngineError> {
    let kind = "rope.scaling.type";
    match read.string(kind)? {
        Some("none") => Ok(Scaling::Linear { factor: 1.0 }),
        // Before there were kinds, there was only the linear one.
        None | Some("linear") => Ok(Scaling::Linear { factor: factor(read)? }),
        Some("yarn") => yarn(read),
        Some("longrope") => Ok(Scaling::Long { factor: factor(read)? }),
        Some(other) => {
            let message =
                format!("{other:?} is not implemented; none, linear, yarn and longrope are");
            Err(read.unsupported(kind, message))
        }
    }
}

/// What positions are divided by.
fn factor(read: &Metadata<'_>) -> Result<f64, EngineError> {
    let key = "rope.scaling.factor";
    let key = if read.get(key).is_some() { key } else { "rope.scale_linear" };
    // A factor of 0 says that there is none.
    match read.float_or(key, 0.0, 0.0..=1e6)? {
        0.0 => Ok(1.0),
        _ => read.float(key, FACTORS),
    }
}

fn yarn(read: &Metadata<'_>) -> Result<Scaling, EngineError> {
    let factor = factor(read)?;
    // Negative values say that there is none.
    let given = |key: &str, default: f64| {
        let value = read.float_or(key, default, -1.0..=1e6)?;
        Ok::<_, EngineError>(if value < 0.0 { default } else { value })
    };
    let extrapolation = given("rope.scaling.yarn_ext_factor", 1.0)?;
    let beta = |key: &str, default| read.float_or(key, default, 1e-3..=1e6);
    let stretched = |by: f64| if factor > 1.0 { 0.1 * by * factor.ln() + 1.0 } else { 1.0 };
    // Of the logarithm in the magnitude, where it is given for all dimensions.
    let multiplier = given("rope.scaling.yarn_log_multiplier", 0.0)?;
    let usual = if extrapolation == 0.0 {
        1.0
    } else if multiplier == 0.0 {
        stretched(1.0)
    } else {
        stretched(1.0) / stretched(multiplier)
    };
    Ok(Scaling::Yarn {
        factor,
        extrapolation,
        beta_fast: beta("rope.scaling.yarn_beta_fast", 32.0)?,
        beta_slow: beta("rope.scaling.yarn_beta_slow", 1.0)?,
        magnitude: given("rope.scaling.yarn_attn_factor", usual)?,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::engine::ModelSource;
    use crate::engine::gguf::{Gguf, Value, Writer};

    /// The table of a file with these keys (`rope.` before each), for heads of 4 and a base of 100,
    /// so frequencies of 1 and 0.1, unless they say otherwise.
    pub(in crate::engine::model) fn table(
        pairing: Pairing,
        head_dim: usize,
        values: &[(&str, Value)],
        factors: Option<&[f32]>,
    ) -> Result<RopeTable, EngineError> {
        let mut writer = Writer::new();
        if !values.iter().any(|(key, _)| *key == "freq_base") {
            writer = writer.float("test.rope.freq_base", 100.0);
        }
        for (key, value) in values {
            writer = writer.value(&format!("test.rope.{key}"), value.clone());
        }
        let bytes = writer.finish().leak();
        let gguf = Gguf::open(&ModelSource::Embedded { name: "test", bytes }).unwrap();
        let read = Metadata { gguf: &gguf, architecture: "test" };
        let settings = RopeSettings::read(&read, pairing, head_dim, 1024)?;
        Ok(RopeTable::new(&settings, factors))
    }

    fn halves(values: &[(&str, Value)]) -> RopeTable {
        table(Pairing::Halves, 4, values, None).unwrap()
    }

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        let equal = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-6 * b.abs());
        assert!(equal, "{found:?} {expected:?}");
    }

    #[test]
    fn linear_scaling_divides_all_frequencies_and_factors_divide_single_ones() {
        close(halves(&[]).frequencies(), &[1.0, 0.1]);
        let four = Value::Float(4.0);
        let linear = [("scaling.type", text("linear")), ("scaling.factor", four.clone())];
        close(halves(&linear).frequencies(), &[0.25, 0.025]);
        close(halves(&[("scale_linear", four.clone())]).frequencies(), &[0.25, 0.025]);
        let none = [("scaling.type", text("none")), ("scaling.factor", four)];
        close(halves(&none).frequencies(), &[1.0, 0.1]);
        let zero = [("scaling.factor", Value::Float(0.0))];
        close(halves(&zero).frequencies(), &[1.0, 0.1]);
        let factors = table(Pairing::Halves, 4, &linear, Some(&[1.0, 2.0])).unwrap();
        close(factors.frequencies(), &[0.25, 0.0125]);
        assert_eq!(factors.magnitude().to_bits(), 1f64.to_bits());
    }

    /// Against the definition in Hugging Face's transformers, computed apart.
    #[test]
    fn yarn_keeps_fast_frequencies_and_divides_slow_ones() {
        let mut values = vec![
            ("freq_base", Value::Float(1e6)),
            ("scaling.type", text("yarn")),
            ("scaling.factor", Value::Float(4.0)),
            ("scaling.original_context_length", Value::Unsigned(32_768)),
        ];
        let table = |values: &[_]| table(Pairing::Halves, 128, values, None).unwrap();
        let yarn = table(&values);
        let expected = [
            (0, 1.0),
            (23, 6.978_306e-3),
            (24, 5.375_321e-3),
            (30, 1.064_361e-3),
            (35, 2.462_584e-4),
            (39, 6.490_394e-5),
            (40, 4.445_699e-5),
            (63, 3.102_344e-7),
        ];
        let found = expected.map(|(index, _)| yarn.frequencies()[index]);
        close(&found, &expected.map(|(_, frequency)| frequency));
        close(&[yarn.magnitude()], &[0.1 * 4f64.ln() + 1.0]);

        values.push(("scaling.yarn_attn_factor", Value::Float(1.5)));
        values.push(("scaling.attn_factor", Value::Float(2.0)));
        close(&[table(&values).magnitude()], &[3.0]);
        // Without extrapolation it is linear scaling.
        values.truncate(4);
        values.push(("scaling.yarn_ext_factor", Value::Float(0.0)));
        let linear = table(&values);
        close(&[linear.frequencies()[0], linear.magnitude()], &[0.25, 1.0]);
        // The bounds move with the betas.
        values.truncate(4);
        values.push(("scaling.yarn_beta_fast", Value::Float(64.0)));
        assert!(table(&values).frequencies()[23] < yarn.frequencies()[23]);
    }

    #[test]
    fn yarn_for_all_dimensions_leaves_the_magnitude() {
        let magnitude = |multiplier| {
            let values = [
                ("scaling.type", text("yarn")),
                ("scaling.factor", Value::Float(16.0)),
                ("scaling.yarn_log_multiplier", Value::Float(multiplier)),
            ];
            halves(&values).magnitude()
        };
        close(&[magnitude(1.0)], &[1.0]);
        close(&[magnitude(0.0)], &[0.1 * 16f64.ln() + 1.0]);
    }

    #[test]
    fn a_part_of_the_head_has_frequencies_of_its_own() {
        let part = halves(&[("dimension_count", Value::Unsigned(2))]);
        close(part.frequencies(), &[1.0]);
    }

    #[test]
    fn absurd_values_are_refused_or_harmless() {
        let refused = [
            ("dimension_count", Value::Unsigned(0)),
            ("dimension_count", Value::Unsigned(3)),
            ("dimension_count", Value::Unsigned(6)),
            ("freq_base", Value::Float(f64::NAN)),
            ("scaling.factor", Value::Float(-2.0)),
            ("scaling.factor", text("four")),
            ("scaling.attn_factor", Value::Float(0.0)),
            ("scaling.original_context_length", Value::Unsigned(0)),
            ("scaling.type", text("ntk")),
            ("scaling.type", Value::Unsigned(2)),
        ];
        for (key, value) in refused {
            let error = table(Pairing::Halves, 4, &[(key, value.clone())], None).unwrap_err();
            assert!(error.to_string().contains(key), "{key} {value:?}: {error}");
        }
        for base in [1.0, 1e12] {
            for beta in [1e-3, 1e6] {
                for context in [1, u64::MAX] {
                    let yarn = halves(&[
                        ("freq_base", Value::Float(base)),
                        ("scaling.type", text("yarn")),
                        ("scaling.factor", Value::Float(1e-3)),
                        ("scaling.yarn_beta_slow", Value::Float(beta)),
                        ("scaling.yarn_beta_fast", Value::Float(beta)),
                        ("scaling.original_context_length", Value::Unsigned(context)),
                    ]);
                    assert!(yarn.frequencies().iter().all(|f| f.is_finite()), "{yarn:?}");
                    assert!(yarn.magnitude() > 0.0);
                }
            }
        }
    }
}
