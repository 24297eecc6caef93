//! Copies keys and values of tokens from one place to another and turns the keys.

use std::sync::Arc;

use super::{Chunk, Known, Rotate};
use crate::engine::EngineError;
use crate::engine::cpu::sequence::Sequence;
use agent_pass::block::f16_to_f32;
use agent_pass::pages::{GROUP, KvFormat, PAGE, Page, PageShape};

impl Known {
    /// Where the next chunk begins, for a sequence of `length` tokens.
    pub(in crate::engine::cpu) fn next(&mut self, length: usize) -> Option<usize> {
        while self.chunks.front().is_some_and(|chunk| chunk.at < length) {
            self.chunks.pop_front();
        }
        self.chunks.front().map(|chunk| chunk.at)
    }

    /// Appends the chunk that begins where `sequence` ends, if one does.
    pub(in crate::engine::cpu) fn append(
        &mut self,
        sequence: &mut Sequence,
    ) -> Result<(), EngineError> {
        if self.next(sequence.len()) != Some(sequence.len()) {
            return Ok(());
        }
        let (Some(chunk), Some(rotate)) = (self.chunks.pop_front(), &self.rotate) else {
            return Ok(());
        };
        sequence.reserve(chunk.tokens.len())?;
        let mut done = 0;
        while done < chunk.tokens.len() {
            // As far as both places stay in their pages.
            let (from, to) = (chunk.start + done, chunk.at + done);
            let count = (chunk.tokens.len() - done).min(PAGE - from % PAGE).min(PAGE - to % PAGE);
            let source = &chunk.pages[from / PAGE - chunk.start / PAGE];
            let Some(target) = sequence.page_mut(to / PAGE) else {
                let message = "a page that was reserved is not ours".to_owned();
                return Err(EngineError::Compute { message });
            };
            let part = Part { from: from % PAGE, to: to % PAGE, count };
            part.copy(source, target, delta(&chunk), rotate);
            done += count;
        }
        sequence.commit(&chunk.tokens);
        Ok(())
    }
}

fn delta(chunk: &Chunk) -> i64 {
    chunk.at as i64 - chunk.start as i64
}

/// Positions within two pages.
struct Part {
    from: usize,
    to: usize,
    count: usize,
}

impl Part {
    fn copy(&self, source: &Arc<Page>, target: &mut Page, delta: i64, rotate: &Rotate) {
        let shape = *source.shape();
        // [count, head_dim]
        let mut keys = vec![0.0; self.count * shape.head_dim];
        for layer in 0..shape.layers {
            for head in 0..shape.kv_heads {
                match shape.format {
                    KvFormat::F16 => {
                        let from = source.keys(layer, head);
                        let to = target.keys_mut(layer, head);
                        self.turn_f16(from, to, &mut keys, delta, rotate);
                        self.rows(
                            source.values(layer, head),
                            target.values_mut(layer, head),
                            shape.head_dim,
                        );
                    }
                    KvFormat::Q8_0 => {
                        let from = source.keys_q8(layer, head);
                        let to = target.keys_q8_mut(layer, head);
                        self.turn_q8(&shape, from, to, &mut keys, delta, rotate);
                        let (numbers, scales) = source.values_q8(layer, head);
                        let (new_numbers, new_scales) = target.values_q8_mut(layer, head);
                        self.rows(numbers, new_numbers, shape.head_dim);
                        self.rows(scales, new_scales, shape.groups());
                    }
                }
            }
        }
    }

    /// Copies rows of `width` numbers.
    fn rows<T: Copy>(&self, from: &[T], to: &mut [T], width: usize) {
        to[self.to * width..(self.to + self.count) * width]
            .copy_from_slice(&from[self.from * width..(self.from + self.count) * width]);
    }

    fn turn_f16(
        &self,
        from: &[u16],
        to: &mut [u16],
        keys: &mut [f32],
        delta: i64,
        rotate: &Rotate,
    ) {
        let head_dim = from.len() / PAGE;
        for (at, key) in keys.chunks_exact_mut(head_dim).enumerate() {
            for (d, number) in key.iter_mut().enumerate() {
                *number = f16_to_f32(from[d * PAGE + self.from + at]);
            }
        }
        rotate(keys, delta);
        for (at, key) in keys.chunks_exact(head_dim).enumerate() {
            for (d, number) in key.iter().enumerate() {
                to[d * PAGE + self.to + at] = f16(*number);
            }
        }
    }

    fn turn_q8(
        &self,
        shape: &PageShape,
        (numbers, scales): (&[i8], &[f32]),
        (new_numbers, new_scales): (&mut [i8], &mut [f32]),
        keys: &mut [f32],
        delta: i64,
        rotate: &Rotate,
    ) {
        let (head_dim, groups) = (shape.head_dim, shape.groups());
        for (at, key) in (self.from..).zip(keys.chunks_exact_mut(head_dim)) {
            let numbers = &numbers[at * head_dim..(at + 1) * head_dim];
            let scales = &scales[at * groups..(at + 1) * groups];
            for (d, (number, stored)) in key.iter_mut().zip(numbers).enumerate() {
                *number = f32::from(*stored) * scales[d / GROUP];
            }
        }
        rotate(keys, delta);
        for (at, key) in (self.to..).zip(keys.chunks_exact(head_dim)) {
            let numbers = new_numbers[at * head_dim..(at + 1) * head_dim].chunks_mut(GROUP);
            let scales = &mut new_scales[at * groups..(at + 1) * groups];
            for ((group, numbers), scale) in key.chunks(GROUP).zip(numbers).zip(scales) {
                let largest = group.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
                *scale = largest / 127.0;
                let inverse = if *scale > 0.0 { 1.0 / *scale } else { 0.0 };
                for (stored, number) in numbers.iter_mut().zip(group) {
                    *stored = (number * inverse).round_ties_even() as i8;
                }
            }
        }
    }
}

/// The half-precision number nearest to `number`, the even one of two.
fn f16(number: f32) -> u16 {
    let sign = (number.to_bits() >> 16) as u16 & 0x8000;
    let magnitude = number.to_bits() & 0x7fff_ffff;
    let half = match magnitude {
        // Infinities and NaN.
        0x7f80_0001.. => 0x7e00,
        // Above what rounds to the largest number.
        0x477f_f000.. => 0x7c00,
        // Normal numbers: the exponent moves by 112, 13 bits of the mantissa go.
        0x3880_0000.. => (magnitude - (112 << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13,
        // Multiples of 2⁻²⁴.
        _ => (number.abs() * 16_777_216.0).round_ties_even() as u32,
    };
    sign | half as u16
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use agent_pass::pages::Pool;

    /// Keys and values that tell their token, layer, head and place, as long as they are not turned.
    fn number(token: u32, layer: usize, head: usize, d: usize) -> f32 {
        (token * 16 + (layer * 2 + head) as u32) as f32 + d as f32 / 4.0
    }

    /// Adds the distance to every key: a turn that shows in the result.
    fn shifting() -> Rotate {
        Arc::new(|keys, delta| keys.iter_mut().for_each(|key| *key += delta as f32))
    }

    fn written(pool: &Pool, tokens: &[u32]) -> Sequence {
        let shape = *pool.shape();
        let mut sequence = Sequence::new(pool, 1000);
        sequence.reserve(tokens.len()).unwrap();
        for (position, token) in tokens.iter().enumerate() {
            let page = sequence.page_mut(position / PAGE).unwrap();
            for layer in 0..shape.layers {
                for head in 0..shape.kv_heads {
                    for d in 0..shape.head_dim {
                        let x = number(*token, layer, head, d);
                        let (keys, values) =
                            (d * PAGE + position % PAGE, position % PAGE * shape.head_dim + d);
                        if shape.format == KvFormat::F16 {
                            page.keys_mut(layer, head)[keys] = f16(x);
                            page.values_mut(layer, head)[values] = f16(-x);
                        } else {
                            let scale = position % PAGE * shape.groups() + d / GROUP;
                            let (numbers, scales) = page.keys_q8_mut(layer, head);
                            (numbers[values], scales[scale]) = (100, x / 100.0);
                            let (numbers, scales) = page.values_q8_mut(layer, head);
                            (numbers[values], scales[scale]) = (50, -x / 50.0);
                        }
                    }
                }
            }
        }
        sequence.commit(tokens);
        sequence
    }

    /// Moves 150 tokens and compares all numbers with what they were, within `tolerance`.
    fn moves(format: KvFormat, tolerance: f32) {
        let shape = PageShape { layers: 2, kv_heads: 2, head_dim: 4, format };
        let pool = Pool::new(shape);
        let tokens: Vec<u32> = (0..300).map(|index| index % 50).collect();
        let source = written(&pool, &tokens);
        for (start, at) in [(10, 10), (10, 74), (100, 37), (63, 64), (0, 150)] {
            let mut target = written(&pool, &tokens[..at]);
            let pages = source.pages()[start / PAGE..(start + 150_usize).div_ceil(PAGE)].to_vec();
            let chunk = Chunk { at, tokens: tokens[start..start + 150].to_vec(), start, pages };
            let mut known = Known { chunks: VecDeque::from([chunk]), rotate: Some(shifting()) };
            assert_eq!(known.next(at), Some(at));
            known.append(&mut target).unwrap();
            assert_eq!(target.tokens(), [&tokens[..at], &tokens[start..start + 150]].concat());
            for (position, token) in target.tokens().iter().enumerate() {
                let page = &target.pages()[position / PAGE];
                let turned = if position < at { 0.0 } else { at as f32 - start as f32 };
                for (layer, head) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    for d in 0..4 {
                        let expected = match format {
                            KvFormat::F16 => number(*token, layer, head, d),
                            // One scale per position and group: the last one written.
                            KvFormat::Q8_0 => number(*token, layer, head, 3),
                        };
                        let (keys, values) = (d * PAGE + position % PAGE, position % PAGE * 4 + d);
                        let (key, value) = match format {
                            KvFormat::F16 => (
                                f16_to_f32(page.keys(layer, head)[keys]),
                                f16_to_f32(page.values(layer, head)[values]),
                            ),
                            KvFormat::Q8_0 => {
                                let (keys, scales) = page.keys_q8(layer, head);
                                let key = f32::from(keys[values]) * scales[position % PAGE];
                                let (numbers, scales) = page.values_q8(layer, head);
                                (key, f32::from(numbers[values]) * scales[position % PAGE])
                            }
                        };
                        assert!((key - expected - turned).abs() <= tolerance, "{key} {expected}");
                        assert!((value + expected).abs() <= tolerance, "{value} {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_chunk_moves_from_any_place_to_any_other() {
        moves(KvFormat::F16, 0.5);
        moves(KvFormat::Q8_0, 5.0);
    }

    #[test]
    fn a_chunk_behind_which_the_sequence_went_on_is_forgotten() {
        let pool =
            Pool::new(PageShape { layers: 1, kv_heads: 1, head_dim: 4, format: KvFormat::F16 });
        let mut sequence = written(&pool, &[1, 2, 3]);
        let chunk = Chunk { at: 2, tokens: vec![9], start: 0, pages: Vec::new() };
        let mut known = Known { chunks: VecDeque::from([chunk]), rotate: Some(shifting()) };
        known.append(&mut sequence).unwrap();
        assert_eq!((sequence.tokens(), known.next(3)), (&[1, 2, 3][..], None));
    }

    #[test]
    fn half_precision_numbers_are_the_nearest() {
        for bits in 0..=u16::MAX {
            let number = f16_to_f32(bits);
            if number.is_nan() {
                assert!(f16_to_f32(f16(number)).is_nan());
                continue;
            }
            assert_eq!(f16(number), bits, "{number}");
            // Half way to the next one: the even one.
            let next = f16_to_f32(bits + 1);
            if bits & 0x7fff < 0x7bff {
                let half = f32::midpoint(number, next);
                assert_eq!(f16(half), bits + (bits & 1), "{half}");
            }
        }
        assert_eq!((f16(65519.9), f16(65520.0), f16(1e9)), (0x7bff, 0x7c00, 0x7c00));
        assert_eq!(f16(1e-9), 0);
    }
}
