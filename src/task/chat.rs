//! Asking an instruct model with a task prompt; says plainly when the model has no chat template.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{TaskError, Tools};
use crate::engine::{self, Event, Priority, Request, Sampling};
use crate::prompt::{self, chat};

/// Whether the loaded model can follow instructions.
pub fn available(tools: &Tools) -> bool {
    tools.engine.info().chat_template.is_some()
}

/// The model's answer to task prompt `name`, `candidates` times: the first is the likeliest one,
/// the others are sampled. Empty answers are left out.
pub async fn ask(
    tools: &Tools,
    name: &str,
    values: &BTreeMap<&str, String>,
    candidates: usize,
    max_tokens: usize,
) -> Result<Vec<String>, TaskError> {
    let info = tools.engine.info();
    let Some(template) = &info.chat_template else {
        return Err(TaskError::Model(format!(
            "{} has no chat template, so it cannot follow instructions; this needs an instruct \
             model, such as Qwen2.5-Coder-Instruct as a GGUF file: name it with --model or as \
             `model` in the configuration",
            info.name
        )));
    };
    let messages = tools.templates.render(name, values)?;
    let pieces = chat::render(template, &messages, &info.bos, &info.eos, Some(today()))?;
    let room = info.context_length.saturating_sub(max_tokens);
    let length = pieces.iter().map(|piece| cost(tools, piece)).sum::<usize>();
    if length > room {
        return Err(TaskError::Model(format!(
            "the request has {length} tokens and {} leaves room for {room}; choose a smaller item \
             or a model with a longer context",
            info.name
        )));
    }
    let request = Request {
        pieces: pieces.into_iter().map(for_engine).collect(),
        candidates,
        max_tokens,
        sampling: Sampling { top_p: 0.95, seed: tools.seed, ..Sampling::default() },
        // A long answer must not hold up suggestions while somebody types.
        priority: Priority::Background,
        ..Request::default()
    };
    gather(tools, request, candidates.max(1)).await
}

/// Every candidate's text. Dropping the future drops the generation, which cancels it.
async fn gather(
    tools: &Tools,
    request: Request,
    candidates: usize,
) -> Result<Vec<String>, TaskError> {
    let mut answers = vec![String::new(); candidates];
    let mut generation = tools.engine.generate(request);
    while let Some(event) = generation.next().await {
        match event {
            Event::Text { candidate, text, .. } => {
                if let Some(answer) = answers.get_mut(candidate) {
                    answer.push_str(&text);
                }
            }
            Event::Failed(error) => return Err(error.into()),
            Event::Read(_) | Event::Finished { .. } | Event::Done(_) => {}
        }
    }
    answers.retain(|answer| !answer.trim().is_empty());
    Ok(answers)
}

fn cost(tools: &Tools, piece: &prompt::Piece) -> usize {
    match piece {
        prompt::Piece::Marker(_) => 1,
        prompt::Piece::Text(text) | prompt::Piece::Control(text) => tools.engine.count(text),
    }
}

/// The same piece in the engine's terms.
pub(super) fn for_engine(piece: prompt::Piece) -> engine::Piece {
    match piece {
        prompt::Piece::Text(text) => engine::Piece::Text(text),
        prompt::Piece::Control(text) => engine::Piece::Control(text),
        prompt::Piece::Marker(marker) => engine::Piece::Marker(match marker {
            prompt::Marker::Start => engine::Marker::Start,
            prompt::Marker::Prefix => engine::Marker::Prefix,
            prompt::Marker::Suffix => engine::Marker::Suffix,
            prompt::Marker::Middle => engine::Marker::Middle,
            prompt::Marker::Repository => engine::Marker::Repository,
            prompt::Marker::File => engine::Marker::File,
        }),
    }
}

/// Today's date in UTC, for chat templates that mention it.
fn today() -> chat::Date {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
    date(seconds / 86_400)
}

/// The date `days` after 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms",
/// `civil_from_days`).
fn date(days: u64) -> chat::Date {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // The year begins in March.
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    chat::Date { year: year as i32, month: month as u8, day: day as u8 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::engine::scripted::{Rule, Script};
    use crate::task::tests::tools;

    const CHATML: &str = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n";

    fn values() -> BTreeMap<&'static str, String> {
        BTreeMap::from([("name", "total".to_owned()), ("code", "fn total() {}".to_owned())])
    }

    #[tokio::test]
    async fn the_answers_of_an_instruct_model_are_gathered() {
        let answers = vec!["It adds.".to_owned(), " ".to_owned(), "It sums.".to_owned()];
        let engine = Engine::scripted(Script {
            rules: vec![Rule { when: "fn total() {}".to_owned(), answers }],
            chat_template: Some(CHATML.to_owned()),
            ..Script::default()
        });
        let tools = tools(engine);
        assert!(available(&tools));
        let answers = ask(&tools, "explain", &values(), 3, 64).await.unwrap();
        assert_eq!(answers, ["It adds.", "It sums."]);
    }

    #[tokio::test]
    async fn without_a_chat_template_the_error_says_what_is_needed() {
        let tools = tools(Engine::scripted(Script::default()));
        assert!(!available(&tools));
        let error = ask(&tools, "explain", &values(), 1, 64).await.unwrap_err().to_string();
        assert!(error.contains("instruct model") && error.contains("--model"), "{error}");
    }

    #[test]
    fn days_become_dates() {
        let shown = |days| {
            let chat::Date { year, month, day } = date(days);
            format!("{year}-{month}-{day}")
        };
        assert_eq!(shown(0), "1970-1-1");
        assert_eq!(shown(19_782), "2024-2-29");
        assert_eq!(shown(20_778), "2026-11-21");
    }
}
