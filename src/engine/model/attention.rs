//! Grouped-query attention over a cache (Ainslie et al., 2023).

use candle_core::{Device, Result, Tensor};
use candle_nn::attention::{AttnMask, flash_attn};

use super::layers::{Linear, Norm};
use super::rotation::{Angles, Rotation};
use super::settings::Settings;
use crate::engine::decoder::Row;
use crate::engine::kv_cache::KvCache;

/// What the attention of all layers has in common in one pass.
pub(super) struct Shared<'a> {
    pub(super) settings: &'a Settings,
    pub(super) rotation: &'a Rotation,
    /// Of the positions of all rows.
    pub(super) angles: &'a Angles,
    /// No other thread is asked for help.
    pub(super) alone: bool,
}

/// One layer's attention.
pub(super) struct Attention {
    /// `[heads * head_dim, hidden]`.
    pub(super) query: Linear,
    /// `[kv_heads * head_dim, hidden]`.
    pub(super) key: Linear,
    /// `[kv_heads * head_dim, hidden]`.
    pub(super) value: Linear,
    /// `[hidden, heads * head_dim]`.
    pub(super) output: Linear,
    /// Norms of every query and key head, `[head_dim]` each.
    pub(super) head_norms: Option<(Norm, Norm)>,
}

impl Attention {
    /// `x` `[total, hidden]` is what `rows` have in all, one after the other; the result has the
    /// same shape. Writes the keys and values of `layer` into the rows' caches.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        layer: usize,
        rows: &[Row<'_, KvCache>],
        model: &Shared<'_>,
    ) -> Result<Tensor> {
        let Shared { settings, rotation, angles, alone } = *model;
        let total = x.dim(0)?;
        let Settings { heads, kv_heads, head_dim, .. } = *settings;
        // [total, heads, head_dim] and twice [total, kv_heads, head_dim]
        let mut query = self.query.forward(x)?.reshape((total, heads, head_dim))?;
        let mut key = self.key.forward(x)?.reshape((total, kv_heads, head_dim))?;
        let value = self.value.forward(x)?.reshape((total, kv_heads, head_dim))?;
        if let Some((query_norm, key_norm)) = &self.head_norms {
            query = query_norm.forward(&query)?;
            key = key_norm.forward(&key)?;
        }
        let query = rotation.turn(&query, angles)?;
        let key = rotation.turn(&key, angles)?;

        let mut results = Vec::with_capacity(rows.len());
        let mut start = 0;
        for row in rows {
            let length = row.tokens.len();
            let (keys, values) = row.sequence.extend(
                layer,
                &key.narrow(0, start, length)?,
                &value.narrow(0, start, length)?,
            )?;
            let queries = query.narrow(0, start, length)?;
            results.push(attend(&queries, &keys, &values, settings.window, alone)?);
            start += length;
        }
        let mixed = match results.as_slice() {
            [one] => one.clone(),
            several => Tensor::cat(several, 0)?,
        };
        self.output.forward(&mixed)
    }
}

/// `queries` `[n, heads, head_dim]` are those of the last `n` positions of `keys` and `values`,
/// `[m, kv_heads, head_dim]`; each sees its own position and those before it, no more than `window`
/// in all. The result is `[n, heads * head_dim]`. If `alone`, no other thread is asked for help.
fn attend(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    window: Option<usize>,
    alone: bool,
) -> Result<Tensor> {
    let (length, heads, head_dim) = queries.dims3()?;
    let all = keys.dim(0)?;
    // The first query sees the farthest back: what is before that is seen by none.
    let seen = window.map_or(all, |window| all.min(length - 1 + window));
    let keys = keys.narrow(0, all - seen, seen)?;
    let values = values.narrow(0, all - seen, seen)?;
    let narrow = window.filter(|window| length > 1 && *window < seen);
    if queries.device().is_cpu() && narrow.is_none() && !alone {
        let scale = 1.0 / (head_dim as f32).sqrt();
        let before = AttnMask::causal_with_offset(seen - length);
        // [1, heads, n, head_dim]
        let mixed = flash_attn::<f32>(
            &queries.unsqueeze(0)?,
            &keys.unsqueeze(0)?,
            &values.unsqueeze(0)?,
            scale,
            before,
            None,
            None,
        )?;
        mixed
            .reshape((heads, length, head_dim))?
            .transpose(0, 1)?
            .reshape((length, heads * head_dim))
    } else {
        attend_by_matrices(queries, &keys, &values, window)
    }
}

/// The same by plain matrix products, for GPUs, for windows and for one thread. The heads that share a key head
/// are stacked as rows of one product, so that keys and values are never repeated.
fn attend_by_matrices(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    window: Option<usize>,
) -> Result<Tensor> {
    let (length, heads, head_dim) = queries.dims3()?;
    let (seen, kv_heads, _) = keys.dims3()?;
    let group = heads / kv_heads;
    // [kv_heads, group * n, head_dim]
    let queries = queries
        .reshape((length, kv_heads, group, head_dim))?
        .permute((1, 2, 0, 3))?
        .contiguous()?
        .reshape((kv_heads, group * length, head_dim))?;
    // [kv_heads, head_dim, seen] and [kv_heads, seen, head_dim]
    let keys = keys.permute((1, 2, 0))?.contiguous()?;
    let values = values.transpose(0, 1)?.contiguous()?;
    // [kv_heads, group * n, seen]
    let scores = (queries.matmul(&keys)? * (1.0 / (head_dim as f64).sqrt()))?;
    let scores = if length == 1 {
        scores
    } else {
        let mask = mask(length, seen, window, scores.device())?;
        scores.reshape((kv_heads * group, length, seen))?.broadcast_add(&mask)?.reshape((
            kv_heads,
            group * length,
            seen,
        ))?
    };
    let weights = candle_nn::ops::softmax_last_dim(&scores)?;
    // [kv_heads, group * n, head_dim] → [n, heads * head_dim]
    weights
        .matmul(&values)?
        .reshape((kv_heads, group, length, head_dim))?
        .permute((2, 0, 1, 3))?
        .contiguous()?
        .reshape((length, heads * head_dim))
}

/// `[n, seen]`: 0 where the query may look, else minus infinity.
fn mask(length: usize, seen: usize, window: Option<usize>, device: &Device) -> Result<Tensor> {
    let values: Vec<f32> = (0..length)
        .flat_map(|row| {
            let own = seen - length + row;
            let first = window.map_or(0, |window| (own + 1).saturating_sub(window));
            (0..seen).map(
                move |at| {
                    if (first..=own).contains(&at) { 0.0 } else { f32::NEG_INFINITY }
                },
            )
        })
        .collect();
    Tensor::from_vec(values, (length, seen), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attention by its definition, in f64.
    #[expect(clippy::many_single_char_names, reason = "they are the names of the definition")]
    fn by_definition(q: &Tensor, k: &Tensor, v: &Tensor, window: Option<usize>) -> Vec<f64> {
        let (n, heads, size) = q.dims3().unwrap();
        let (m, kv_heads, _) = k.dims3().unwrap();
        let (q, k, v) =
            (q.to_vec3::<f32>().unwrap(), k.to_vec3::<f32>().unwrap(), v.to_vec3::<f32>().unwrap());
        let mut out = Vec::new();
        for (row, q) in q.iter().enumerate() {
            let own = m - n + row;
            let first = window.map_or(0, |w| (own + 1).saturating_sub(w));
            for (head, q) in q.iter().enumerate() {
                let kv = head * kv_heads / heads;
                let score = |at: usize| {
                    let products = q.iter().zip(&k[at][kv]).map(|(q, k)| f64::from(q * k));
                    products.sum::<f64>() / (size as f64).sqrt()
                };
                let weights: Vec<f64> = (first..=own).map(|at| score(at).exp()).collect();
                let sum: f64 = weights.iter().sum();
                out.extend((0..size).map(|i| {
                    let values = v[first..=own].iter().map(|v| f64::from(v[kv][i]));
                    weights.iter().zip(values).map(|(w, v)| w * v).sum::<f64>() / sum
                }));
            }
        }
        out
    }

    #[expect(clippy::many_single_char_names, reason = "they are the names of the definition")]
    fn check(n: usize, m: usize, window: Option<usize>) {
        let random =
            |rows, heads| Tensor::randn(0f32, 1.0, (rows, heads, 8), &Device::Cpu).unwrap();
        let (q, k, v) = (random(n, 6), random(m, 2), random(m, 2));
        let expected = by_definition(&q, &k, &v, window);
        for (name, result) in [
            ("attend", attend(&q, &k, &v, window, false).unwrap()),
            ("matrices", attend_by_matrices(&q, &k, &v, window).unwrap()),
        ] {
            assert_eq!(result.dims(), [n, 48]);
            let result: Vec<f32> = result.flatten_all().unwrap().to_vec1().unwrap();
            for (at, (a, b)) in result.iter().zip(&expected).enumerate() {
                assert!(
                    (f64::from(*a) - b).abs() < 1e-4,
                    "{name} {n} {m} {window:?} {at}: {a} {b}"
                );
            }
        }
    }

    #[test]
    fn every_way_of_attending_agrees_with_the_definition() {
        for (n, m) in [(1, 1), (1, 9), (5, 5), (3, 20), (20, 33)] {
            check(n, m, None);
        }
    }

    #[test]
    fn a_window_hides_what_is_farther_back() {
        for (n, m, window) in [(5, 5, 2), (3, 20, 4), (1, 1, 1), (20, 33, 8), (4, 6, 100)] {
            check(n, m, Some(window));
        }
    }
}
