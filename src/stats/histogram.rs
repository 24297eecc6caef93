//! Times counted in logarithmic buckets, so that counts of several processes and days add up and
//! quantiles can still be told from the sum.
//!
//! The buckets are those of `DDSketch` (Masson, Rim, Lee, 2019): each is 1.1 times as wide as the one
//! before it, and a time is told as the geometric middle of its bucket, at most 4.9 % off.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much wider than the one before it a bucket is.
const GROWTH: f64 = 1.1;
/// Shorter times count as this one, in seconds.
const SHORTEST: f64 = 1e-5;
/// The last bucket, which all longer times go to: about ten minutes.
const LAST: u16 = 188;

/// How far a quantile may be from the true one, as a share of it, from 10 µs to 10 minutes.
pub const ACCURACY: f64 = 0.05;

/// How many times fell into each bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<u16, u64>", into = "BTreeMap<u16, u64>")]
pub struct Histogram {
    buckets: BTreeMap<u16, u64>,
}

impl Histogram {
    /// Counts a time.
    pub fn add(&mut self, time: Duration) {
        self.count_in(bucket(time), 1);
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.buckets {
            self.count_in(*bucket, *count);
        }
    }

    /// How many times were counted.
    pub fn count(&self) -> u64 {
        self.buckets.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The time that a share of `quantile` (0 to 1) of all does not exceed, by the nearest rank;
    /// `None` if none was counted.
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        let rank = (quantile.clamp(0.0, 1.0) * self.count() as f64).ceil().max(1.0);
        let mut seen = 0_u64;
        for (bucket, count) in &self.buckets {
            seen = seen.saturating_add(*count);
            if seen as f64 >= rank {
                return Some(middle(*bucket));
            }
        }
        self.buckets.last_key_value().map(|(bucket, _)| middle(*bucket))
    }

    fn count_in(&mut self, bucket: u16, count: u64) {
        if count > 0 {
            let known = self.buckets.entry(bucket.min(LAST)).or_default();
            *known = known.saturating_add(count);
        }
    }
}

impl From<BTreeMap<u16, u64>> for Histogram {
    /// From a file, so with any keys.
    fn from(buckets: BTreeMap<u16, u64>) -> Self {
        let mut histogram = Self::default();
        histogram.merge(&Self { buckets });
        histogram
    }
}

impl From<Histogram> for BTreeMap<u16, u64> {
    fn from(histogram: Histogram) -> Self {
        histogram.buckets
    }
}

/// The bucket of `time`: number n holds what is longer than 1.1ⁿ⁻¹ and not longer than 1.1ⁿ times
/// the shortest.
fn bucket(time: Duration) -> u16 {
    let exponent = (time.as_secs_f64() / SHORTEST).ln() / GROWTH.ln();
    // The logarithm of nothing is minus infinity, which the clamp takes.
    exponent.ceil().clamp(0.0, f64::from(LAST)) as u16
}

fn middle(bucket: u16) -> Duration {
    Duration::from_secs_f64(SHORTEST * GROWTH.powf(f64::from(bucket) - 0.5))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(times: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for micros in times {
            histogram.add(Duration::from_micros(*micros));
        }
        histogram
    }

    #[test]
    fn none_has_no_quantile_and_one_is_every_quantile() {
        assert_eq!(Histogram::default().quantile(0.5), None);
        let one = of(&[250_000]);
        assert_eq!(one.quantile(0.0), one.quantile(1.0));
        let told = one.quantile(0.5).unwrap().as_secs_f64();
        assert!((told - 0.25).abs() <= 0.25 * ACCURACY, "{told}");
    }

    #[test]
    fn the_shortest_and_the_longest_have_a_bucket() {
        let mut histogram = of(&[0, 1, u64::MAX]);
        histogram.add(Duration::MAX);
        assert_eq!(histogram.count(), 4);
        assert!(histogram.quantile(0.0).unwrap() <= Duration::from_micros(11));
        let longest = histogram.quantile(1.0).unwrap();
        assert!(longest > Duration::from_mins(9), "{longest:?}");
    }

    #[test]
    fn what_no_version_wrote_is_read_without_harm() {
        let text = r#"{"3":18446744073709551615,"4":0,"188":1,"65535":2}"#;
        let mut histogram: Histogram = serde_json::from_str(text).unwrap();
        assert_eq!(
            serde_json::to_string(&histogram).unwrap(),
            r#"{"3":18446744073709551615,"188":3}"#
        );
        histogram.merge(&histogram.clone());
        assert_eq!(histogram.count(), u64::MAX);
        assert!(histogram.quantile(0.95).is_some());
    }

    proptest! {
        #[test]
        fn quantiles_of_a_sum_are_as_close_as_promised(
            left in prop::collection::vec(10_u64..600_000_000, 1..60),
            right in prop::collection::vec(10_u64..600_000_000, 0..60),
            quantile in 0.01_f64..1.0,
        ) {
            let mut sum = of(&left);
            sum.merge(&of(&right));
            let mut all = [left, right].concat();
            all.sort_unstable();
            prop_assert_eq!(sum.count(), all.len() as u64);
            let rank = (quantile * all.len() as f64).ceil() as usize;
            let exact = all[rank.max(1) - 1] as f64 / 1e6;
            let told = sum.quantile(quantile).unwrap().as_secs_f64();
            prop_assert!((told - exact).abs() <= exact * ACCURACY, "{} for {}", told, exact);
        }
    }
}
