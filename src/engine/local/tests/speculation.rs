//! Guessing ahead against not guessing: answers must not differ in anything but their cost.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::engine::Sampling;
use crate::engine::cpu::prefix_tree::PrefixTree;
use crate::engine::cpu::saved::Saved;
use crate::engine::cpu::sequence::Sequence;
use crate::engine::drafter::{DraftModel, Drafter};
use agent_pass::pages::{KvFormat, PageShape, Pool};

/// Wants to say one of a few tokens, how much so depends on the last two. Keeps its sequences in a
/// tree of pages.
struct Babbler {
    words: Vec<u32>,
    vocabulary: usize,
    pool: Pool,
    context_length: usize,
}

impl Babbler {
    /// What it makes of the text that ends in these two tokens.
    #[expect(clippy::unused_self, reason = "it is the model's")]
    fn preference(&self, last: [u32; 2], word: usize) -> f32 {
        let hash = last.iter().fold(word as u32, |hash, token| {
            (hash ^ *token).wrapping_mul(0x9e37_79b1).rotate_left(13)
        });
        ((hash >> 8) % 7) as f32 * 0.7
    }
}

impl Decoder for Babbler {
    type Sequence = Sequence;

    fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    fn context_length(&self) -> usize {
        self.context_length
    }

    fn chunk(&self) -> usize {
        CHUNK
    }

    fn most_drafted(&self) -> usize {
        12
    }

    fn empty(&self) -> Sequence {
        Sequence::new(&self.pool, self.context_length)
    }

    fn evaluate(
        &mut self,
        rows: &mut [Row<'_, Sequence>],
        _stop: &dyn Fn() -> bool,
        out: &mut Logits,
    ) -> Result<(), Unfinished> {
        let wanted: usize = rows.iter().map(|row| row.wanted).sum();
        assert!(rows.len() > 1 || wanted <= 1 + self.most_drafted());
        let out = out.reset(wanted, self.vocabulary);
        out.fill(f32::NEG_INFINITY);
        let mut out = out.chunks_exact_mut(self.vocabulary);
        for row in rows {
            row.sequence.reserve(row.tokens.len())?;
            row.sequence.commit(row.tokens);
            let tokens = row.sequence.tokens();
            for (end, logits) in (tokens.len() + 1 - row.wanted..=tokens.len()).zip(&mut out) {
                let last = [tokens[end.saturating_sub(2)], tokens[end - 1]];
                for (index, word) in self.words.iter().enumerate() {
                    logits[*word as usize] = self.preference(last, index);
                }
            }
        }
        Ok(())
    }
}

fn words() -> Vec<u32> {
    let tokenizer = tokenizer();
    let spelled = [" a", " b", " c", "(", ")", "\n", " return", " x", ";", "let"];
    let one = |text: &&str| tokenizer.encode(text).last().copied().unwrap();
    spelled.iter().map(one).chain(tokenizer.end_of_text()).collect()
}

fn babbler(speculation: Speculation, context_length: usize) -> Queue {
    drafted_babbler(speculation, context_length, None)
}

fn drafted_babbler(
    speculation: Speculation,
    context_length: usize,
    drafter: Option<Box<dyn Drafter>>,
) -> Queue {
    let (decoder, store) = model(context_length);
    let local = LocalModel::new(decoder, store, tokenizer(), None);
    Queue::start(local.with_speculation(speculation).with_drafter(drafter))
}

fn model(context_length: usize) -> (Babbler, PrefixTree) {
    let shape = PageShape { layers: 1, kv_heads: 1, head_dim: 2, format: KvFormat::F16 };
    let pool = Pool::new(shape);
    let store = PrefixTree::new(&pool, context_length, 100 * shape.page_bytes());
    let vocabulary = tokenizer().vocabulary_size();
    (Babbler { words: words(), vocabulary, pool, context_length }, store)
}

/// The same model as a drafter: always right about a greedy answer.
fn knowing(context_length: usize) -> Box<dyn Drafter> {
    let (decoder, store) = model(context_length);
    Box::new(DraftModel::new(decoder, store, tokenizer().vocabulary_size()))
}

/// Guesses what has nothing to do with the text.
struct Guesses(u32);

impl Drafter for Guesses {
    fn draft(
        &mut self,
        text: &[u32],
        most: usize,
        _stop: &dyn Fn() -> bool,
        draft: &mut Vec<u32>,
    ) -> Result<(), EngineError> {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(text.len() as u32);
        let words = words();
        draft.extend(
            (0..most).map(|index| words[(self.0 as usize >> 8).wrapping_add(index) % words.len()]),
        );
        Ok(())
    }
}

#[test]
fn what_one_run_of_the_program_saved_the_next_one_need_not_evaluate() {
    let folder = tempfile::tempdir().unwrap();
    let run = || {
        let shape = PageShape { layers: 1, kv_heads: 1, head_dim: 2, format: KvFormat::F16 };
        let (tokenizer, pool) = (tokenizer(), Pool::new(shape));
        let saved = Saved::open(folder.path().to_owned(), 1 << 30, [1; 32], &pool, 2000);
        let store = PrefixTree::new(&pool, 2000, 1 << 30).with_saved(saved);
        let vocabulary = tokenizer.vocabulary_size();
        let decoder = Babbler { words: words(), vocabulary, pool, context_length: 2000 };
        Queue::start(LocalModel::new(decoder, store, tokenizer, None))
    };
    let request = Request { max_tokens: 5, ..prompt(&repeated().repeat(3)) };
    let first = run();
    let before = collect(first.submit(request.clone())).unwrap();
    assert_eq!(before.usage.cached_tokens, 0);
    assert!(matches!(first.save().next_blocking(), Some(Event::Done(_))));
    let after = collect(run().submit(request)).unwrap();
    assert_eq!(after.usage.cached_tokens, after.usage.prompt_tokens - 1);
    assert_eq!(after.texts, before.texts);
}

fn repeated() -> String {
    "let a = b(x);\nlet b = c(x);\n    return a;\n".repeat(6)
}

#[test]
fn a_greedy_answer_that_repeats_is_the_same_and_takes_fewer_steps() {
    let request = Request { max_tokens: 60, ..prompt(&repeated()) };
    let slow = collect(babbler(Speculation::Off, 1000).submit(request.clone())).unwrap();
    let fast = collect(babbler(Speculation::PromptLookup, 1000).submit(request)).unwrap();
    assert_eq!((&fast.texts, &fast.reasons), (&slow.texts, &slow.reasons));
    assert_eq!(fast.usage.generated_tokens, slow.usage.generated_tokens);
    assert_eq!((slow.usage.drafted_tokens, slow.usage.accepted_tokens), (0, 0));
    let Usage { generated_tokens, drafted_tokens, accepted_tokens, .. } = fast.usage;
    assert!(accepted_tokens <= drafted_tokens && accepted_tokens < generated_tokens);
    assert!(2 * accepted_tokens > generated_tokens, "{:?}", fast.usage);
}

#[test]
fn a_draft_model_guesses_where_the_text_gives_no_hint() {
    let request = Request { max_tokens: 60, ..prompt("let x") };
    let slow = collect(babbler(Speculation::Off, 1000).submit(request.clone())).unwrap();
    let drafted = |speculation, drafter| {
        let queue = drafted_babbler(speculation, 1000, drafter);
        let answer = collect(queue.submit(request.clone())).unwrap();
        assert_eq!((&answer.texts, &answer.reasons), (&slow.texts, &slow.reasons));
        answer.usage
    };
    let none = drafted(Speculation::PromptLookup, None);
    let right = drafted(Speculation::PromptLookup, Some(knowing(1000)));
    assert!(right.accepted_tokens > none.accepted_tokens, "{right:?}, {none:?}");
    let wrong = drafted(Speculation::PromptLookup, Some(Box::new(Guesses(1))));
    assert!(wrong.drafted_tokens > none.drafted_tokens, "{wrong:?}, {none:?}");
    assert_eq!(drafted(Speculation::Off, Some(knowing(1000))).drafted_tokens, 0);
}

#[test]
fn guessed_answers_are_drawn_from_the_models_own_distribution() {
    const DRAWS: usize = 1500;
    let vocabulary = words();
    let text = repeated();
    let decoder = Babbler {
        words: vocabulary.clone(),
        vocabulary: 0,
        pool: Pool::new(PageShape { layers: 0, kv_heads: 0, head_dim: 0, format: KvFormat::F16 }),
        context_length: 0,
    };
    // Every word follows the prompt's end somewhere in it, so that the second token is guessed.
    let ending = tokenizer().encode(" a b");
    let mut tokens = tokenizer().encode(&text);
    for word in &vocabulary {
        tokens.extend_from_slice(&ending);
        tokens.extend([*word, vocabulary[*word as usize % 3]]);
    }
    tokens.extend_from_slice(&ending);
    let spelled: Vec<u8> =
        tokens.iter().flat_map(|token| tokenizer().bytes(*token).to_vec()).collect();
    let spelled = String::from_utf8(spelled).unwrap();
    let prompt_tokens = tokenizer().encode(&spelled);
    let last = [prompt_tokens[prompt_tokens.len() - 2], prompt_tokens[prompt_tokens.len() - 1]];

    let probabilities = |last: [u32; 2]| -> Vec<f64> {
        let weights: Vec<f64> = (0..vocabulary.len())
            .map(|word| f64::from(decoder.preference(last, word)).exp())
            .collect();
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / sum).collect()
    };
    let queue = babbler(Speculation::PromptLookup, 1000);
    let (mut counts, mut drafted) = (BTreeMap::<String, usize>::new(), 0);
    for seed in 0..DRAWS as u64 {
        let sampling = Sampling { temperature: 1.0, seed, ..Sampling::default() };
        let request = Request { max_tokens: 3, sampling, ..prompt(&spelled) };
        let answer = collect(queue.submit(request)).unwrap();
        drafted += answer.usage.drafted_tokens;
        *counts.entry(answer.texts.concat()).or_default() += 1;
    }
    assert!(drafted > DRAWS / 2, "{drafted}");

    // All answers of three tokens, or fewer where one ends the text.
    let mut expected = BTreeMap::<String, f64>::new();
    let mut open = vec![(String::new(), last, 1.0, 0)];
    while let Some((text, last, probability, length)) = open.pop() {
        if length == 3 {
            *expected.entry(text).or_default() += probability;
            continue;
        }
        for (word, share) in vocabulary.iter().zip(probabilities(last)) {
            let bytes = tokenizer().bytes(*word).to_vec();
            let next = text.clone() + &String::from_utf8(bytes).unwrap();
            if tokenizer().ends_generation(*word) {
                *expected.entry(text.clone()).or_default() += probability * share;
            } else {
                open.push((next, [last[1], *word], probability * share, length + 1));
            }
        }
    }
    // Rare answers are counted together, as the test asks for.
    let (mut statistic, mut cells) = (0.0f64, 0.0f64);
    let (mut rare_expected, mut rare_seen) = (0.0f64, 0.0f64);
    let mut cell = |expected: f64, seen: f64| {
        statistic += (seen - expected).powi(2) / expected;
        cells += 1.0;
    };
    for (text, probability) in &expected {
        let (expected, seen) =
            (probability * DRAWS as f64, counts.remove(text).unwrap_or(0) as f64);
        if expected >= 5.0 {
            cell(expected, seen);
        } else {
            rare_expected += expected;
            rare_seen += seen;
        }
    }
    cell(rare_expected, rare_seen);
    assert!(counts.is_empty(), "said what it never would: {counts:?}");
    // Mean `cells - 1`, standard deviation √(2 (cells - 1)).
    let freedom = cells - 1.0;
    assert!(freedom > 20.0, "{freedom}");
    assert!(statistic < freedom + 4.0 * (2.0 * freedom).sqrt(), "{statistic} for {freedom}");
}

fn request() -> impl Strategy<Value = Request> {
    let words = prop::sample::select(vec![
        " a",
        " b",
        "let a = b(x);\n",
        "return",
        " retu",
        ";",
        "(",
        "x",
        "\n    ",
    ]);
    let sampling = (
        prop::sample::select(vec![0.0f32, 0.5, 1.0]),
        prop::sample::select(vec![1.0f32, 0.8]),
        prop::sample::select(vec![1.0f32, 1.3]),
        any::<u64>(),
    )
        .prop_map(|(temperature, top_p, repetition_penalty, seed)| Sampling {
            temperature,
            top_p,
            repetition_penalty,
            repetition_window: 8,
            seed,
            ..Sampling::default()
        });
    let stops = prop::sample::subsequence(vec!["\n\n", ";x", " a b", "return x"], 0..3);
    (prop::collection::vec(words, 1..30), sampling, stops, 0usize..50, 1usize..5, any::<bool>())
        .prop_map(|(words, sampling, stops, max_tokens, candidates, heal)| Request {
            pieces: vec![Piece::Text(words.concat())],
            candidates,
            max_tokens,
            stops: stops.into_iter().map(str::to_owned).collect(),
            sampling,
            heal,
            priority: Priority::Interactive,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn guessing_changes_no_answer(
        requests in prop::collection::vec(request(), 1..4),
        context in 80usize..200,
    ) {
        let on = Speculation::PromptLookup;
        let slow = babbler(Speculation::Off, context);
        let fast = [
            babbler(on, context),
            drafted_babbler(on, context, Some(knowing(context))),
            // The drafter's context may be shorter than the text.
            drafted_babbler(on, context, Some(knowing(context / 2))),
            drafted_babbler(on, context, Some(Box::new(Guesses(1)))),
        ];
        for (request, fast) in requests.iter().flat_map(|request| fast.iter().map(move |f| (request, f))) {
            let [slow, fast] = [&slow, fast].map(|queue| collect(queue.submit(request.clone())));
            match (slow, fast) {
                (Ok(slow), Ok(fast)) => {
                    prop_assert_eq!(&fast.texts, &slow.texts);
                    prop_assert_eq!(fast.tokens, slow.tokens);
                    prop_assert_eq!(fast.usage.generated_tokens, slow.usage.generated_tokens);
                    prop_assert!(fast.usage.accepted_tokens <= fast.usage.generated_tokens);
                    let sorted = |mut reasons: Vec<Finish>| {
                        reasons.sort_by_key(|reason| *reason as u8);
                        reasons
                    };
                    prop_assert_eq!(sorted(fast.reasons), sorted(slow.reasons));
                }
                (Err(_), Err(_)) => {}
                _ => prop_assert!(false, "one of the two failed"),
            }
        }
    }
}
