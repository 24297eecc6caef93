//! A look at the model from inside: how long passes of known shapes take, and the logits after
//! known tokens. Both go around tokenizer and sampling of requests, so that another program can be
//! asked for exactly the same.

use std::time::{Duration, Instant};

use super::decoder::{Decoder, Logits, Row, Sequence as _, Store, Unfinished};
use super::sampler::Sampler;
use super::{EngineError, Sampling};

/// What to look at.
#[derive(Debug, Clone)]
pub enum Probe {
    /// How long something takes. Another seed has another prompt, of which nothing is cached.
    Time(Measurement, u32),
    /// The logits after each of the last `wanted` of `tokens`.
    Logits {
        /// At least one, each known to the model.
        tokens: Vec<u32>,
        /// At least one, and at most as many as there are tokens.
        wanted: usize,
        /// Whether the tokens before those may come from earlier texts, as those of a request may,
        /// and all are kept for later ones.
        remembered: bool,
    },
}

/// What can be measured. Prompts are as long as said, or half the model's context if that is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measurement {
    /// 512 tokens on nothing, until the next one is known.
    Prefill,
    /// 64 single steps, each on the token before, after a prompt of 32.
    Decode,
    /// One step after a prompt of 64.
    Step,
    /// 8 given tokens of one sequence at once after a prompt of 64, with the logits of each.
    Verify,
    /// The same with the logits of the last only.
    VerifyLast,
    /// One sequence of 32 tokens after a prompt of 64.
    One,
    /// Four sequences of 32 tokens on one prompt of 64, stepping together.
    Four,
    /// One token behind a prompt of 4000 (or the context less 8) that the engine remembers from
    /// the time before, until the next one is known. The first time with a seed it remembers
    /// nothing.
    Keystroke,
    /// 16 tokens on nothing, until the next one is known.
    First,
}

/// The measurements by name.
pub const MEASUREMENTS: [(&str, Measurement); 9] = [
    ("prefill", Measurement::Prefill),
    ("decode", Measurement::Decode),
    ("step", Measurement::Step),
    ("verify", Measurement::Verify),
    ("verify_last", Measurement::VerifyLast),
    ("one", Measurement::One),
    ("four", Measurement::Four),
    ("keystroke", Measurement::Keystroke),
    ("first", Measurement::First),
];

/// What was found.
#[derive(Debug, Clone)]
pub enum Finding {
    /// How long it took.
    Time {
        /// All of it.
        time: Duration,
        /// The part that was spent outside the model's passes: choosing tokens, bookkeeping.
        outside: Duration,
        /// Tokens that were evaluated in it.
        tokens: usize,
    },
    /// The logits, `[wanted, vocabulary]`.
    Logits(Vec<f32>),
}

/// Does what `probe` says.
pub(super) fn run<D: Decoder, S: Store<Sequence = D::Sequence>>(
    decoder: &mut D,
    store: &mut S,
    probe: &Probe,
) -> Result<Finding, EngineError> {
    match probe {
        Probe::Time(measurement, seed) => measure(decoder, store, *measurement, *seed),
        Probe::Logits { tokens, wanted, remembered } => {
            let known = |token: &u32| (*token as usize) < decoder.vocabulary();
            let wrong = tokens.is_empty() || tokens.len() > decoder.context_length();
            if wrong || !tokens.iter().all(known) || !(1..=tokens.len()).contains(wanted) {
                let message = "no tokens, too many, or some that the model does not know";
                return Err(EngineError::Request { message: message.to_owned() });
            }
            let mut pass = Pass::new(decoder);
            let (absorbed, wanted_tokens) = tokens.split_at(tokens.len() - wanted);
            let taken = if *remembered {
                // A store never gives all that is asked for: one more is.
                store.take(tokens.get(..=absorbed.len()).unwrap_or_default())?
            } else {
                None
            };
            let mut sequence = taken.unwrap_or_else(|| pass.decoder.empty());
            pass.absorb(&mut sequence, absorbed)?;
            pass.read(&mut sequence, wanted_tokens, *wanted)?;
            if *remembered {
                store.put(sequence);
            }
            Ok(Finding::Logits(pass.logits.rows().flatten().copied().collect()))
        }
    }
}

fn measure<D: Decoder, S: Store<Sequence = D::Sequence>>(
    decoder: &mut D,
    store: &mut S,
    measurement: Measurement,
    seed: u32,
) -> Result<Finding, EngineError> {
    let longest = decoder.context_length() / 2;
    let mut pass = Pass::new(decoder);
    let mut sequence = pass.decoder.empty();
    let prepared = match measurement {
        Measurement::Prefill | Measurement::First | Measurement::Keystroke => 0,
        Measurement::Decode => 32,
        _ => 64,
    };
    let prompt = pass.prompt(seed, prepared.min(longest));
    if !prompt.is_empty() {
        pass.read(&mut sequence, &prompt, 1)?;
    }
    match measurement {
        Measurement::Prefill | Measurement::First => {
            let length = if measurement == Measurement::First { 16 } else { 512 };
            let tokens = pass.prompt(seed, length.min(longest));
            pass.start();
            pass.read(&mut sequence, &tokens, 1)?;
            pass.choose()?;
        }
        Measurement::Decode => pass.write(&mut [sequence], 64.min(longest))?,
        Measurement::Step => pass.write(&mut [sequence], 1)?,
        Measurement::One => pass.write(&mut [sequence], 32.min(longest))?,
        Measurement::Four => {
            let fork = || sequence.fork();
            let mut all = [fork()?, fork()?, fork()?, sequence];
            pass.write(&mut all, 32.min(longest))?;
        }
        Measurement::Verify | Measurement::VerifyLast => {
            let wanted = if measurement == Measurement::Verify { 8 } else { 1 };
            let tokens = pass.prompt(seed.wrapping_add(7), 8);
            pass.start();
            pass.read(&mut sequence, &tokens, wanted)?;
            pass.choose()?;
        }
        Measurement::Keystroke => {
            let length = pass.decoder.context_length().saturating_sub(8).clamp(1, 4000);
            let tokens = pass.prompt(seed, length + 1);
            pass.start();
            let mut sequence = store.take(&tokens)?.unwrap_or_else(|| pass.decoder.empty());
            let left = tokens.get(sequence.len()..).unwrap_or_default();
            pass.read(&mut sequence, left, 1)?;
            pass.choose()?;
            store.put(sequence);
        }
    }
    Ok(pass.finding())
}

/// Passes of a model and the time they take.
struct Pass<'a, D> {
    decoder: &'a mut D,
    logits: Logits,
    sampler: Sampler,
    start: Instant,
    /// Spent in passes since the start.
    inside: Duration,
    tokens: usize,
}

impl<'a, D: Decoder> Pass<'a, D> {
    fn new(decoder: &'a mut D) -> Self {
        Self {
            decoder,
            logits: Logits::default(),
            sampler: Sampler::new(&Sampling::default(), 0, &[]),
            start: Instant::now(),
            inside: Duration::ZERO,
            tokens: 0,
        }
    }

    /// What came before does not count.
    fn start(&mut self) {
        self.inside = Duration::ZERO;
        self.tokens = 0;
        self.start = Instant::now();
    }

    fn finding(&self) -> Finding {
        let time = self.start.elapsed();
        Finding::Time { time, outside: time.saturating_sub(self.inside), tokens: self.tokens }
    }

    /// Ordinary tokens without a pattern (a linear congruential generator's).
    fn prompt(&self, seed: u32, length: usize) -> Vec<u32> {
        let vocabulary = self.decoder.vocabulary() as u32;
        // The first are bytes and marks, the last ones special, in most vocabularies.
        let (least, most) =
            if vocabulary > 2000 { (300, vocabulary - 1000) } else { (0, vocabulary) };
        let mut state = seed.wrapping_mul(2_654_435_761);
        let tokens = (0..length).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            least + (state >> 8) % (most - least).max(1)
        });
        tokens.collect()
    }

    /// Makes `sequence`, which holds some of the first of `tokens`, hold them all, without those
    /// that are known from elsewhere being evaluated.
    fn absorb(&mut self, sequence: &mut D::Sequence, tokens: &[u32]) -> Result<(), EngineError> {
        while sequence.len() < tokens.len() {
            let known = sequence.append_known()?;
            let end = known.unwrap_or(tokens.len()).min(tokens.len());
            self.read(sequence, tokens.get(sequence.len()..end).unwrap_or_default(), 0)?;
        }
        sequence.truncate(tokens.len());
        Ok(())
    }

    /// Evaluates `tokens` in chunks, for the logits after the last `wanted`, all in one chunk.
    fn read(
        &mut self,
        sequence: &mut D::Sequence,
        tokens: &[u32],
        wanted: usize,
    ) -> Result<(), EngineError> {
        let mut left = tokens;
        while !left.is_empty() {
            let room = self.decoder.chunk().max(wanted).max(1);
            let length =
                if left.len() <= room { left.len() } else { room.min(left.len() - wanted) };
            let (now, later) = left.split_at_checked(length).unwrap_or((left, &[]));
            let wanted = if later.is_empty() { wanted } else { 0 };
            self.evaluate(&mut [Row { tokens: now, sequence, wanted }])?;
            left = later;
        }
        Ok(())
    }

    /// Steps `sequences` together, each on the likeliest token, `count` times.
    fn write(&mut self, sequences: &mut [D::Sequence], count: usize) -> Result<(), EngineError> {
        let first = self.choose()?.first().copied().unwrap_or_default();
        let mut next = vec![first; sequences.len()];
        self.start();
        for _ in 0..count {
            let rows = next.iter().zip(&mut *sequences);
            let mut rows: Vec<Row<'_, D::Sequence>> = rows
                .map(|(token, sequence)| Row {
                    tokens: std::slice::from_ref(token),
                    sequence,
                    wanted: 1,
                })
                .collect();
            self.evaluate(&mut rows)?;
            next = self.choose()?;
        }
        Ok(())
    }

    fn evaluate(&mut self, rows: &mut [Row<'_, D::Sequence>]) -> Result<(), EngineError> {
        let start = Instant::now();
        self.tokens += rows.iter().map(|row| row.tokens.len()).sum::<usize>();
        let outcome = self.decoder.evaluate(rows, &|| false, &mut self.logits);
        self.inside += start.elapsed();
        outcome.map_err(|unfinished| match unfinished {
            Unfinished::Stopped => EngineError::Stopped,
            Unfinished::Failed(error) => error,
        })
    }

    /// The likeliest token after each of the logits.
    fn choose(&mut self) -> Result<Vec<u32>, EngineError> {
        let rows = self.logits.rows();
        let chosen = rows.map(|logits| self.sampler.choose(logits, None).map(|c| c.token));
        chosen.collect::<Option<_>>().ok_or_else(|| EngineError::Compute {
            message: "the model's logits are no numbers".to_owned(),
        })
    }
}
