//! The engine's flow around a decoder that says what a test wants.

mod speculation;

use std::path::Path;
use std::sync::{Mutex, OnceLock};

use super::*;
use crate::engine::gguf::Gguf;
use crate::engine::kv_cache::{CacheShape, KvCache};
use crate::engine::sequences::Sequences;
use crate::engine::worker::Queue;
use crate::engine::{Event, Generation, Marker, ModelSource, Piece, Priority, Request};

/// The built-in model's tokenizer.
pub(in crate::engine) fn tokenizer() -> Arc<Tokenizer> {
    static TOKENIZER: OnceLock<Arc<Tokenizer>> = OnceLock::new();
    let load = || {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/builtin.gguf");
        let gguf = Gguf::open(&ModelSource::File(file)).unwrap();
        Arc::new(Tokenizer::from_gguf(&gguf).unwrap())
    };
    Arc::clone(TOKENIZER.get_or_init(load))
}

const CHUNK: usize = 128;

type OnCall = dyn FnMut(usize) + Send;

/// Wants to say one text, whatever it is asked; does not let its rows down.
struct Parrot {
    says: Vec<u32>,
    prompt_tokens: usize,
    vocabulary: usize,
    context_length: usize,
    calls: usize,
    /// Told the number of each call before it is done.
    on_call: Box<OnCall>,
}

impl Decoder for Parrot {
    type Sequence = KvCache;

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
        0
    }

    fn empty(&self) -> KvCache {
        let shape =
            CacheShape { layers: 0, kv_heads: 1, head_dim: 2, context_length: self.context_length };
        KvCache::new(shape, &candle_core::Device::Cpu)
    }

    fn evaluate(
        &mut self,
        rows: &mut [Row<'_, KvCache>],
        stop: &dyn Fn() -> bool,
        out: &mut Logits,
    ) -> Result<(), Unfinished> {
        self.calls += 1;
        (self.on_call)(self.calls);
        if stop() {
            return Err(Unfinished::Stopped);
        }
        let wanted = rows.iter().map(|row| row.wanted).sum();
        let out = out.reset(wanted, self.vocabulary);
        out.fill(0.0);
        let mut out = out.chunks_exact_mut(self.vocabulary);
        for row in rows {
            row.sequence.reserve(row.tokens.len()).unwrap();
            row.sequence.commit(row.tokens);
            let end = row.sequence.len() + 1;
            for (length, logits) in (end - row.wanted..end).zip(&mut out) {
                let next = length.checked_sub(self.prompt_tokens);
                let token = next.and_then(|at| self.says.get(at).copied());
                logits[token.unwrap_or(0) as usize] = 50.0;
            }
        }
        Ok(())
    }
}

/// An engine that answers a prompt of `prompt_tokens` tokens with `says`.
fn parrot(says: Vec<u32>, prompt_tokens: usize, on_call: Box<OnCall>) -> Queue {
    let tokenizer = tokenizer();
    let decoder = Parrot {
        says,
        prompt_tokens,
        vocabulary: tokenizer.vocabulary_size(),
        context_length: 1000,
        calls: 0,
        on_call,
    };
    Queue::start(LocalModel::new(decoder, Sequences::new(1 << 20), tokenizer, Some(1)))
}

fn saying(text: &str) -> Vec<u32> {
    let mut tokens = tokenizer().encode(text);
    tokens.push(tokenizer().end_of_text().unwrap());
    tokens
}

fn prompt(text: &str) -> Request {
    Request { pieces: vec![Piece::Text(text.to_owned())], max_tokens: 100, ..Request::default() }
}

struct Answer {
    texts: Vec<String>,
    reasons: Vec<Finish>,
    tokens: usize,
    usage: Usage,
}

fn collect(mut generation: Generation) -> Result<Answer, EngineError> {
    let (mut texts, mut reasons, mut tokens) = (Vec::new(), Vec::new(), 0);
    while let Some(event) = generation.next_blocking() {
        match event {
            Event::Text { candidate, text, logprob, tokens: count } => {
                assert!(!text.is_empty() && logprob <= 0.0);
                texts.resize(texts.len().max(candidate + 1), String::new());
                texts[candidate].push_str(&text);
                tokens += count;
            }
            Event::Read(_) => {}
            Event::Finished { reason, .. } => reasons.push(reason),
            Event::Done(usage) => return Ok(Answer { texts, reasons, tokens, usage }),
            Event::Failed(error) => return Err(error),
        }
    }
    panic!("no last event");
}

fn answer(says: Vec<u32>, request: Request) -> Answer {
    let length = encode(&request, &tokenizer()).unwrap().tokens.len();
    collect(parrot(says, length, Box::new(|_| {})).submit(request)).unwrap()
}

#[test]
fn an_answer_ends_with_the_end_of_text_token_which_has_no_text() {
    let answer = answer(saying("let größe = 1;"), prompt("fn"));
    assert_eq!(answer.texts, ["let größe = 1;"]);
    assert_eq!(answer.reasons, [Finish::EndOfText]);
    assert_eq!(answer.usage.generated_tokens, saying("let größe = 1;").len());
    assert_eq!(answer.tokens + 1, answer.usage.generated_tokens);
}

#[test]
fn a_stop_text_across_tokens_ends_an_answer_before_it() {
    let request = Request { stops: vec!["c\nd".to_owned()], ..prompt("fn") };
    let answer = answer(saying("a b\nc\nd\ne"), request);
    assert_eq!(answer.texts, ["a b\n"]);
    assert_eq!(answer.reasons, [Finish::Stop]);
}

#[test]
fn max_tokens_end_an_answer_and_none_only_evaluates_the_prompt() {
    let says = saying("one two three four");
    let answer_of = |max_tokens| answer(says.clone(), Request { max_tokens, ..prompt("fn") });
    let two = answer_of(2);
    assert_eq!((two.tokens, two.usage.generated_tokens), (2, 2));
    assert_eq!(two.reasons, [Finish::Length]);
    let none = answer_of(0);
    assert_eq!((none.texts.len(), none.usage.generated_tokens), (0, 0));
    assert_eq!(none.reasons, [Finish::Length]);
}

#[test]
fn a_full_context_ends_an_answer_and_a_longer_prompt_is_refused_with_its_length() {
    let long = "a ".repeat(990);
    let length = tokenizer().encode(&long).len();
    assert!((980..1000).contains(&length), "{length}");
    let request = Request { max_tokens: 1000, ..prompt(&long) };
    let answer = answer(tokenizer().encode(&"b ".repeat(100)), request);
    assert_eq!(answer.reasons, [Finish::ContextFull]);
    assert_eq!(answer.usage.generated_tokens, 1000 - length + 1);

    let queue = parrot(Vec::new(), 0, Box::new(|_| {}));
    let error = collect(queue.submit(prompt(&"a ".repeat(1200)))).err().unwrap().to_string();
    let length = tokenizer().encode(&"a ".repeat(1200)).len().to_string();
    assert!(error.contains(&length) && error.contains("1000"), "{error}");
}

#[test]
fn a_healed_answer_continues_the_word_at_the_cursor() {
    let request = |heal| Request {
        pieces: vec![
            Piece::Marker(Marker::Prefix),
            Piece::Text("fn f() {\n    retu".to_owned()),
            Piece::Marker(Marker::Suffix),
            Piece::Text("\n}\n".to_owned()),
            Piece::Marker(Marker::Middle),
        ],
        heal,
        ..prompt("")
    };
    let says = saying(" return 42;");
    let healed = answer(says.clone(), request(true));
    assert_eq!(healed.texts, ["rn 42;"]);
    let plain = answer(says, request(false));
    assert_eq!(plain.texts, [" return 42;"]);
    assert!(healed.usage.prompt_tokens < plain.usage.prompt_tokens);
}

#[test]
fn an_answer_dropped_during_the_prompt_stops_within_that_chunk_and_what_was_read_is_kept() {
    let text = "a ".repeat(800);
    let held = Arc::new(Mutex::new(None::<Generation>));
    let calls = Arc::new(Mutex::new(0));
    let (in_call, counted) = (Arc::clone(&held), Arc::clone(&calls));
    let on_call = move |count| {
        *counted.lock().unwrap() = count;
        if count == 2 {
            // The second of seven chunks: whoever asked goes away.
            drop(in_call.lock().unwrap().take());
        }
    };
    let queue = parrot(saying("b"), tokenizer().encode(&text).len(), Box::new(on_call));
    let mut guard = held.lock().unwrap();
    *guard = Some(queue.submit(prompt(&text)));
    drop(guard);
    // A different prompt is answered next: by then the first one must have given up.
    collect(queue.submit(Request { max_tokens: 1, ..prompt("zzz") })).unwrap();
    assert_eq!(*calls.lock().unwrap(), 2 + 1, "a chunk and a begun one, one of the other");
    let again = collect(queue.submit(prompt(&text))).unwrap();
    assert_eq!(again.usage.cached_tokens, CHUNK);
    assert_eq!(again.texts, ["b"]);
}

#[test]
fn an_answer_dropped_while_it_is_written_stops_at_the_next_token() {
    let held = Arc::new(Mutex::new(None::<Generation>));
    let calls = Arc::new(Mutex::new(0));
    let (in_call, counted) = (Arc::clone(&held), Arc::clone(&calls));
    let on_call = move |count| {
        *counted.lock().unwrap() = count;
        if count == 5 {
            drop(in_call.lock().unwrap().take());
        }
    };
    let says = tokenizer().encode(&"b ".repeat(500));
    let queue = parrot(says, tokenizer().encode("a").len(), Box::new(on_call));
    let mut guard = held.lock().unwrap();
    *guard = Some(queue.submit(Request { max_tokens: 400, ..prompt("a") }));
    drop(guard);
    collect(queue.submit(Request { max_tokens: 1, ..prompt("zzz") })).unwrap();
    assert_eq!(*calls.lock().unwrap(), 5 + 1);
}

#[test]
fn a_background_answer_gives_way_and_then_goes_on_where_it_was() {
    let (ready, started) = std::sync::mpsc::channel();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let on_call = move |count| {
        if count == 3 {
            ready.send(()).unwrap();
        }
        // The third is given up in the middle, the fourth is the urgent one's only one, and the
        // fifth begins the third again.
        if count == 3 || count == 5 {
            let _ = wait.recv_timeout(Duration::from_secs(10));
        }
    };
    let text = "one two three four five six";
    let queue = parrot(saying(text), tokenizer().encode("a").len(), Box::new(on_call));
    let mut slow = queue.submit(Request { priority: Priority::Background, ..prompt("a") });
    started.recv().unwrap();
    let urgent = queue.submit(Request { max_tokens: 1, ..prompt("a") });
    go.send(()).unwrap();
    collect(urgent).unwrap();
    let mut seen = 0;
    while slow.try_next().is_some() {
        seen += 1;
    }
    assert!(seen <= 3, "the background answer went on before the urgent one: {seen}");
    go.send(()).unwrap();
    let rest = collect(slow).unwrap();
    assert!(text.ends_with(&rest.texts[0]) && !rest.texts[0].is_empty(), "{:?}", rest.texts);
    assert_eq!(rest.usage.generated_tokens, saying(text).len());
}

#[test]
fn a_prompt_seen_before_costs_one_token_and_its_answer_is_remembered() {
    let queue = parrot(saying("two three"), tokenizer().encode("one").len(), Box::new(|_| {}));
    let first = collect(queue.submit(prompt("one"))).unwrap();
    assert_eq!(first.usage.cached_tokens, 0);
    let second = collect(queue.submit(prompt("one"))).unwrap();
    assert_eq!(second.usage.cached_tokens, second.usage.prompt_tokens - 1);
    assert_eq!(second.texts, first.texts);
    // The longest sequence was kept, not the truncated one.
    let longer = collect(queue.submit(prompt("one two three four"))).unwrap();
    assert!(longer.usage.cached_tokens > second.usage.cached_tokens, "{:?}", longer.usage);
}

#[test]
fn a_prompt_the_model_has_no_tokens_for_is_refused() {
    let queue = parrot(Vec::new(), 0, Box::new(|_| {}));
    assert!(matches!(collect(queue.submit(prompt(""))), Err(EngineError::Request { .. })));
}

#[test]
fn more_candidates_than_memory_is_meant_for_are_refused() {
    let queue = parrot(Vec::new(), 0, Box::new(|_| {}));
    let error = collect(queue.submit(Request { candidates: 1 << 40, ..prompt("a") }));
    assert!(error.err().unwrap().to_string().contains("at most 64"));
}

#[test]
fn candidates_of_a_nearly_full_context_fill_it() {
    let long = "a ".repeat(990);
    let request = Request { max_tokens: 1000, candidates: 3, ..prompt(&long) };
    let answer = answer(tokenizer().encode(&"b ".repeat(100)), request);
    assert_eq!(answer.reasons, [Finish::ContextFull; 3]);
}
