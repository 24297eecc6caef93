//! Canned answers, for tests of everything above the engine.
//!
//! It runs behind the same queue as a model, so that priorities, cancellation, stop texts and
//! lengths behave alike; words stand in for tokens.

use std::time::{Duration, Instant};

use super::stop_text::{Passed, StopText};
use super::worker::{Interrupted, Model, Turn};
use super::{Event, Finish, Marker, Piece, Request, Usage};

/// What the scripted engine answers.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// The first rule whose `when` occurs in the prompt's text answers; none: empty answers.
    pub rules: Vec<Rule>,
    /// Time per token (word), to test cancellation.
    pub delay: Duration,
    /// Whether the model says it can fill in the middle (as the Qwen family).
    pub fim: bool,
    /// Its chat template.
    pub chat_template: Option<String>,
}

/// One canned answer.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Must occur in the prompt's text (markers are spelled `<PREFIX>`, `<SUFFIX>`, …); empty
    /// matches always.
    pub when: String,
    /// Candidate `i` gets answer `i`, the last one for all further.
    pub answers: Vec<String>,
}

/// Plays a script.
pub(super) struct Player {
    script: Script,
}

impl Player {
    pub(super) fn new(script: Script) -> Self {
        Self { script }
    }

    fn answer_of(&self, prompt: &str, candidate: usize) -> String {
        let rule = self.script.rules.iter().find(|rule| prompt.contains(&rule.when));
        let answers = rule.map_or(&[][..], |rule| &rule.answers);
        answers.get(candidate).or(answers.last()).cloned().unwrap_or_default()
    }
}

impl Model for Player {
    fn answer(&mut self, turn: &Turn<'_>) -> Result<Usage, Interrupted> {
        let request = turn.request();
        let prompt = spelled(request);
        let mut usage =
            Usage { prompt_tokens: prompt.split_whitespace().count(), ..Usage::default() };
        let start = Instant::now();
        turn.between_steps(self)?;
        turn.send(Event::Read(usage))?;
        for candidate in 0..request.candidates.max(1) {
            let answer = self.answer_of(&prompt, candidate);
            let mut stop = StopText::new(&request.stops);
            let mut reason = Finish::EndOfText;
            let mut held = 0;
            for (index, word) in answer.split_inclusive(char::is_whitespace).enumerate() {
                if index >= request.max_tokens {
                    reason = Finish::Length;
                    break;
                }
                self.wait(turn)?;
                usage.generated_tokens += 1;
                held += 1;
                let passed = stop.push(word);
                let stopped = matches!(passed, Passed::Stopped(_));
                let (Passed::On(text) | Passed::Stopped(text)) = passed;
                if !text.is_empty() {
                    turn.send(Event::Text { candidate, text, logprob: 0.0, tokens: held })?;
                    held = 0;
                }
                if stopped {
                    reason = Finish::Stop;
                    break;
                }
            }
            let text = stop.finish();
            if !text.is_empty() {
                turn.send(Event::Text { candidate, text, logprob: 0.0, tokens: held })?;
            }
            turn.send(Event::Finished { candidate, reason })?;
        }
        usage.generation_time = start.elapsed();
        Ok(usage)
    }
}

impl Player {
    /// Takes as long as a token takes, in slices short enough to notice a cancellation.
    fn wait(&mut self, turn: &Turn<'_>) -> Result<(), Interrupted> {
        const SLICE: Duration = Duration::from_millis(5);
        let mut left = self.script.delay;
        loop {
            turn.between_steps(self)?;
            let slice = left.min(SLICE);
            if slice.is_zero() {
                return Ok(());
            }
            std::thread::sleep(slice);
            left -= slice;
        }
    }
}

/// The prompt as rules see it.
fn spelled(request: &Request) -> String {
    request
        .pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) | Piece::Control(text) => text.as_str(),
            Piece::Marker(Marker::Start) => "<START>",
            Piece::Marker(Marker::Prefix) => "<PREFIX>",
            Piece::Marker(Marker::Suffix) => "<SUFFIX>",
            Piece::Marker(Marker::Middle) => "<MIDDLE>",
            Piece::Marker(Marker::Repository) => "<REPOSITORY>",
            Piece::Marker(Marker::File) => "<FILE>",
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;

    fn engine(when: &str, answers: &[&str], delay: Duration) -> Engine {
        let answers = answers.iter().map(|&a| a.to_owned()).collect();
        let rules = vec![Rule { when: when.to_owned(), answers }];
        Engine::scripted(Script { rules, delay, fim: true, chat_template: None })
    }

    fn request(text: &str) -> Request {
        Request {
            pieces: vec![Piece::Marker(Marker::Prefix), Piece::Text(text.to_owned())],
            max_tokens: 100,
            ..Request::default()
        }
    }

    fn collect(engine: &Engine, request: Request) -> (Vec<String>, Vec<Finish>, Option<Usage>) {
        let mut texts = vec![String::new(); request.candidates.max(1)];
        let (mut reasons, mut usage) = (Vec::new(), None);
        let mut answer = engine.generate(request);
        while let Some(event) = answer.next_blocking() {
            match event {
                Event::Text { candidate, text, .. } => texts[candidate].push_str(&text),
                Event::Finished { reason, .. } => reasons.push(reason),
                Event::Done(done) => usage = Some(done),
                Event::Read(_) => {}
                Event::Failed(error) => panic!("{error}"),
            }
        }
        (texts, reasons, usage)
    }

    #[test]
    fn a_rule_sees_markers_and_every_candidate_gets_its_answer() {
        let engine = engine("<PREFIX>fn", &["one", "two"], Duration::ZERO);
        let (texts, reasons, usage) = collect(&engine, Request { candidates: 3, ..request("fn") });
        assert_eq!(texts, ["one", "two", "two"]);
        assert_eq!(reasons, [Finish::EndOfText; 3]);
        assert_eq!(usage.unwrap().generated_tokens, 3);
        assert_eq!(collect(&engine, request("let")).0, [""]);
    }

    #[test]
    fn stop_texts_and_lengths_end_an_answer() {
        let engine = engine("", &["a b\n\nc d"], Duration::ZERO);
        let stops = vec!["\n\n".to_owned()];
        let (texts, reasons, _) = collect(&engine, Request { stops, ..request("") });
        assert_eq!((texts[0].as_str(), reasons[0]), ("a b", Finish::Stop));
        let (texts, reasons, _) = collect(&engine, Request { max_tokens: 1, ..request("") });
        assert_eq!((texts[0].as_str(), reasons[0]), ("a ", Finish::Length));
    }

    #[test]
    fn a_dropped_slow_answer_frees_the_engine_at_once() {
        let engine = engine("slow", &["a b c d e f"], Duration::from_mins(1));
        drop(engine.generate(request("slow")));
        let slow = engine.generate(request("slow"));
        std::thread::sleep(Duration::from_millis(20));
        let start = Instant::now();
        drop(slow);
        assert_eq!(collect(&engine, request("other")).0, [""]);
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}
