//! logits → token, seeded.
//!
//! The order is: repetition penalty, top-k, top-p, min-p, temperature; the cuts look at the
//! distribution before the temperature flattens or sharpens it.

use std::cmp::Ordering;
use std::collections::{BTreeSet, VecDeque};

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use super::Sampling;

/// Chooses the tokens of one candidate.
#[derive(Debug)]
pub struct Sampler {
    sampling: Sampling,
    random: Pcg64,
    /// The last tokens, prompt included, as many as the penalty sees.
    recent: VecDeque<u32>,
}

/// A chosen token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Its id.
    pub token: u32,
    /// Its log-probability in the model's own distribution (temperature 1, no penalty, nothing cut
    /// off) over all tokens, or over the allowed ones where only some were.
    pub logprob: f32,
}

impl Sampler {
    /// A sampler for candidate `candidate` of a request whose prompt is `prompt`. Candidates draw
    /// from independent streams of one seed.
    pub fn new(sampling: &Sampling, candidate: usize, prompt: &[u32]) -> Self {
        let mut seeded = Pcg64::seed_from_u64(sampling.seed);
        let random = Pcg64::new(seeded.random(), candidate as u128);
        let mut sampler = Self { sampling: sampling.clone(), random, recent: VecDeque::new() };
        let seen = prompt.len().saturating_sub(sampling.repetition_window);
        prompt.iter().skip(seen).for_each(|&token| sampler.accept(token));
        sampler
    }

    /// Counts `token` as chosen.
    pub fn accept(&mut self, token: u32) {
        self.recent.push_back(token);
        if self.recent.len() > self.sampling.repetition_window {
            self.recent.pop_front();
        }
    }

    /// Chooses among all tokens, or among `allowed` ones. `None` if no token has a finite logit.
    pub fn choose(&mut self, logits: &[f32], allowed: Option<&[u32]>) -> Option<Choice> {
        if allowed.is_none() && self.sampling.temperature <= 0.0 && !self.penalizes() {
            return likeliest(logits);
        }
        let mut tokens: Vec<Token> = match allowed {
            None => (0u32..).zip(logits).filter_map(|(id, &logit)| Token::new(id, logit)).collect(),
            Some(ids) => {
                ids.iter().filter_map(|&id| Token::new(id, *logits.get(id as usize)?)).collect()
            }
        };
        let total = log_sum_exp(&tokens);
        self.penalize(&mut tokens);
        let token = if self.sampling.temperature > 0.0 {
            self.cut(&mut tokens);
            self.draw(&tokens)?
        } else {
            tokens.iter().copied().min_by(|a, b| a.likelier_first(*b))?.id
        };
        let logit = Token::new(token, *logits.get(token as usize)?)?.logit;
        Some(Choice { token, logprob: (f64::from(logit) - total) as f32 })
    }

    /// Whether recent tokens are made less likely.
    fn penalizes(&self) -> bool {
        let penalty = self.sampling.repetition_penalty;
        // 0, negative numbers and NaN would make no sense; 1 does nothing.
        let makes_sense = penalty > 0.0 && (penalty - 1.0).abs() > f32::EPSILON;
        makes_sense && !self.recent.is_empty()
    }

    fn penalize(&self, tokens: &mut [Token]) {
        if !self.penalizes() {
            return;
        }
        let penalty = self.sampling.repetition_penalty;
        let recent: BTreeSet<u32> = self.recent.iter().copied().collect();
        for token in tokens.iter_mut().filter(|token| recent.contains(&token.id)) {
            token.logit =
                if token.logit > 0.0 { token.logit / penalty } else { token.logit * penalty };
        }
    }

    /// Leaves the tokens that may be drawn.
    fn cut(&self, tokens: &mut Vec<Token>) {
        let Sampling { top_k, top_p, min_p, .. } = self.sampling;
        if top_k > 0 {
            keep_likeliest(tokens, top_k);
        }
        if top_p < 1.0 {
            keep_nucleus(tokens, f64::from(top_p));
        }
        if min_p > 0.0 {
            let best = tokens.iter().map(|token| token.logit).fold(f32::NEG_INFINITY, f32::max);
            let least = best + min_p.min(1.0).ln();
            tokens.retain(|token| token.logit >= least);
        }
    }

    fn draw(&mut self, tokens: &[Token]) -> Option<u32> {
        let best = tokens.iter().map(|token| token.logit).fold(f32::NEG_INFINITY, f32::max);
        let weight = |token: &Token| {
            (f64::from(token.logit - best) / f64::from(self.sampling.temperature)).exp()
        };
        let weights: Vec<f64> = tokens.iter().map(weight).collect();
        let mut left = self.random.random::<f64>() * weights.iter().sum::<f64>();
        for (token, weight) in tokens.iter().zip(&weights) {
            left -= weight;
            if left < 0.0 {
                return Some(token.id);
            }
        }
        // Only rounding leads here.
        tokens.last().map(|token| token.id)
    }
}

#[derive(Debug, Clone, Copy)]
struct Token {
    id: u32,
    logit: f32,
}

impl Token {
    /// Nothing for a logit that is NaN or minus infinity; plus infinity becomes the largest number.
    fn new(id: u32, logit: f32) -> Option<Self> {
        (logit > f32::NEG_INFINITY).then(|| Self { id, logit: logit.min(f32::MAX) })
    }

    /// Likelier before less likely, lower ids before higher ones.
    fn likelier_first(self, other: Self) -> Ordering {
        other.logit.total_cmp(&self.logit).then(self.id.cmp(&other.id))
    }
}

/// The likeliest of all tokens, the first of equals: without a copy of the logits, which are many.
fn likeliest(logits: &[f32]) -> Option<Choice> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let token = logits.iter().position(|logit| logit.to_bits() == largest.to_bits())?;
    let logit = Token::new(token as u32, largest)?.logit;
    let logprob = f64::from(logit) - agent_pass::log_sum_exp(logits);
    Some(Choice { token: token as u32, logprob: logprob as f32 })
}

fn log_sum_exp(tokens: &[Token]) -> f64 {
    let best = tokens.iter().map(|token| token.logit).fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = tokens.iter().map(|token| f64::from(token.logit - best).exp()).sum();
    f64::from(best) + sum.ln()
}

/// Leaves the `count` likeliest tokens, likeliest first.
fn keep_likeliest(tokens: &mut Vec<Token>, count: usize) {
    if count < tokens.len() {
        tokens.select_nth_unstable_by(count, |a, b| a.likelier_first(*b));
        tokens.truncate(count);
    }
    tokens.sort_unstable_by(|a, b| a.likelier_first(*b));
}

/// Leaves the smallest set of likeliest tokens with at least the fraction `mass` of the
/// probability; at least one. Sorts no more than it has to: vocabularies are large, nuclei small.
fn keep_nucleus(tokens: &mut Vec<Token>, mass: f64) {
    let total = log_sum_exp(tokens);
    let mut looked_at = 64;
    loop {
        let count = looked_at.min(tokens.len());
        if count < tokens.len() {
            tokens.select_nth_unstable_by(count, |a, b| a.likelier_first(*b));
        }
        let (head, _) = tokens.split_at_mut(count);
        head.sort_unstable_by(|a, b| a.likelier_first(*b));
        let mut sum = 0.0;
        let enough = head.iter().position(|token| {
            sum += (f64::from(token.logit) - total).exp();
            sum >= mass
        });
        if let Some(last) = enough {
            tokens.truncate(last + 1);
            return;
        }
        if count == tokens.len() {
            return;
        }
        looked_at *= 8;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Logits whose probabilities are these.
    fn logits(probabilities: &[f32]) -> Vec<f32> {
        probabilities.iter().map(|p| p.ln()).collect()
    }

    fn hot() -> Sampling {
        Sampling { temperature: 1.0, ..Sampling::default() }
    }

    fn frequencies(sampling: &Sampling, logits: &[f32]) -> BTreeMap<u32, f64> {
        const DRAWS: usize = 20_000;
        let mut sampler = Sampler::new(sampling, 0, &[]);
        let mut counts = BTreeMap::new();
        for _ in 0..DRAWS {
            let token = sampler.choose(logits, None).unwrap().token;
            *counts.entry(token).or_insert(0.0) += 1.0 / DRAWS as f64;
        }
        counts
    }

    fn support(sampling: &Sampling, logits: &[f32]) -> Vec<u32> {
        frequencies(sampling, logits).into_keys().collect()
    }

    #[test]
    fn greedy_takes_the_likeliest_and_the_first_of_equals() {
        let mut sampler = Sampler::new(&Sampling::default(), 0, &[]);
        let choice = sampler.choose(&logits(&[0.2, 0.4, 0.4]), None).unwrap();
        assert_eq!(choice.token, 1);
        assert!((choice.logprob - 0.4f32.ln()).abs() < 1e-6, "{choice:?}");
    }

    #[test]
    fn draws_follow_the_distribution_and_the_temperature() {
        let seen = frequencies(&hot(), &logits(&[0.5, 0.3, 0.2]));
        for (token, expected) in [(0, 0.5), (1, 0.3), (2, 0.2)] {
            assert!((seen[&token] - expected).abs() < 0.02, "{seen:?}");
        }
        // At temperature 0.5 probabilities are squared and normed: 25, 9, 4 of 38.
        let cold = Sampling { temperature: 0.5, ..hot() };
        let seen = frequencies(&cold, &logits(&[0.5, 0.3, 0.2]));
        assert!((seen[&0] - 25.0 / 38.0).abs() < 0.02, "{seen:?}");
    }

    #[test]
    fn each_cut_leaves_what_it_says() {
        let of = logits(&[0.05, 0.4, 0.3, 0.25]);
        assert_eq!(support(&Sampling { top_k: 2, ..hot() }, &of), [1, 2]);
        assert_eq!(support(&Sampling { top_p: 0.69, ..hot() }, &of), [1, 2]);
        assert_eq!(support(&Sampling { top_p: 0.71, ..hot() }, &of), [1, 2, 3]);
        assert_eq!(support(&Sampling { top_p: 0.0, ..hot() }, &of), [1]);
        assert_eq!(support(&Sampling { min_p: 0.7, ..hot() }, &of), [1, 2]);
        assert_eq!(support(&Sampling { min_p: 9.0, ..hot() }, &of), [1]);
    }

    #[test]
    fn a_nucleus_wider_than_the_first_look_is_found() {
        let flat = vec![0.0; 1000];
        let mut tokens: Vec<Token> =
            (0..1000).filter_map(|id| Token::new(id, flat[id as usize])).collect();
        keep_nucleus(&mut tokens, 0.5);
        assert_eq!(tokens.len(), 500);
        assert_eq!(tokens.last().map(|token| token.id), Some(499));
    }

    #[test]
    fn the_penalty_makes_recent_tokens_less_likely_and_leaves_the_logprob_alone() {
        let of = [2.0, 1.9, -1.0];
        let sampling =
            Sampling { repetition_penalty: 2.0, repetition_window: 2, ..Sampling::default() };
        let mut sampler = Sampler::new(&sampling, 0, &[0, 2, 2]);
        assert_eq!(sampler.choose(&of, None).unwrap().token, 0, "0 is out of the window");
        sampler.accept(0);
        let choice = sampler.choose(&of, None).unwrap();
        assert_eq!(choice.token, 1);
        let total = of.iter().map(|l: &f32| l.exp()).sum::<f32>().ln();
        assert!((choice.logprob - (1.9 - total)).abs() < 1e-5);
    }

    #[test]
    fn only_allowed_tokens_are_chosen_and_share_the_probability() {
        let of = logits(&[0.6, 0.2, 0.2]);
        let mut sampler = Sampler::new(&hot(), 0, &[]);
        for _ in 0..50 {
            let choice = sampler.choose(&of, Some(&[1, 2, 900])).unwrap();
            assert_ne!(choice.token, 0);
            assert!((choice.logprob - 0.5f32.ln()).abs() < 1e-5);
        }
        assert_eq!(sampler.choose(&of, Some(&[])), None);
    }

    #[test]
    fn a_seed_repeats_itself_and_candidates_differ() {
        let of = vec![0.0; 100];
        let run = |seed, candidate| {
            let mut sampler = Sampler::new(&Sampling { seed, ..hot() }, candidate, &[]);
            (0..20).map(|_| sampler.choose(&of, None).unwrap().token).collect::<Vec<_>>()
        };
        assert_eq!(run(7, 1), run(7, 1));
        assert_ne!(run(7, 1), run(8, 1));
        assert_ne!(run(7, 0), run(7, 1));
    }

    #[test]
    fn without_a_number_there_is_no_choice() {
        let mut sampler = Sampler::new(&hot(), 0, &[]);
        assert_eq!(sampler.choose(&[], None), None);
        assert_eq!(sampler.choose(&[f32::NAN, f32::NEG_INFINITY], None), None);
        let choice = sampler.choose(&[f32::NAN, f32::INFINITY, 0.0], None).unwrap();
        assert_eq!(choice.token, 1);
    }

    proptest! {
        #[test]
        fn any_logits_and_settings_give_a_token_or_nothing(
            logits in prop::collection::vec(any::<f32>(), 0..50),
            temperature: f32,
            top_k in 0usize..60,
            top_p: f32,
            min_p: f32,
            repetition_penalty: f32,
            seed: u64,
        ) {
            let sampling = Sampling {
                temperature, top_k, top_p, min_p, repetition_penalty, repetition_window: 4, seed,
            };
            let mut sampler = Sampler::new(&sampling, 0, &[1, 2, 3]);
            if let Some(choice) = sampler.choose(&logits, None) {
                prop_assert!((choice.token as usize) < logits.len());
            }
        }
    }
}
