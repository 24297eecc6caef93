//! Messages → the model's own chat format, from the template in its GGUF metadata.

use minijinja::{Environment, Error, ErrorKind, context, syntax::SyntaxConfig};
use std::fmt::Write as _;

use super::bounded::Bounded;
use super::{Piece, PromptError};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The task's rules.
    System,
    /// The request.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// Its name in chat templates.
    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who.
    pub role: Role,
    /// What.
    pub content: String,
}

/// A day, for templates that tell the model the date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// Year, four digits.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day, 1 to 31.
    pub day: u8,
}

/// The largest template that is read, in bytes. The longest in use (with tool calls) are near 20 KB.
const MAX_TEMPLATE: usize = 256 << 10;
/// Instructions a template may execute; those in use need a few thousand.
const FUEL: u64 = 200_000;
/// The longest rendering, contents aside, in bytes.
const MAX_RENDERED: usize = 1 << 20;

/// Renders `messages` with `template` and the prompt for an answer.
///
/// A template sees placeholders instead of the contents, so nothing in a content can become a
/// special token or template code; each placeholder must come out whole and exactly once. White
/// space at both ends of a content stays outside its placeholder, so that a template's `trim`
/// does what its model was trained on. A template that refuses or ignores a system message gets
/// its text at the head of the first user message.
///
/// Without `today`, a template that asks for the date with `strftime_now` fails unless it checks
/// that the function is there.
pub fn render(
    template: &str,
    messages: &[Message],
    bos: &str,
    eos: &str,
    today: Option<Date>,
) -> Result<Vec<Piece>, PromptError> {
    if template.len() > MAX_TEMPLATE {
        return Err(fault(format!("it is larger than {} KiB", MAX_TEMPLATE >> 10)));
    }
    let with_system = render_messages(template, messages, bos, eos, today);
    match (with_system, without_system(messages)) {
        (Err(_), Some(merged)) => render_messages(template, &merged, bos, eos, today),
        (result, _) => result,
    }
}

fn fault(message: String) -> PromptError {
    PromptError::Template { name: "chat template of the model".to_owned(), message }
}

/// The messages with the leading system message's text in front of the first user message; `None`
/// where there is nothing to merge.
fn without_system(messages: &[Message]) -> Option<Vec<Message>> {
    let [system, user, rest @ ..] = messages else { return None };
    if system.role != Role::System || user.role != Role::User {
        return None;
    }
    let content = format!("{}\n\n{}", system.content.trim_end(), user.content);
    let mut merged = vec![Message { role: Role::User, content }];
    merged.extend_from_slice(rest);
    Some(merged)
}

fn render_messages(
    template: &str,
    messages: &[Message],
    bos: &str,
    eos: &str,
    today: Option<Date>,
) -> Result<Vec<Piece>, PromptError> {
    let nonce = absent_number(template, bos, eos);
    let placeholders: Vec<String> =
        (0..messages.len()).map(|index| placeholder(nonce, index)).collect();
    let values: Vec<_> = messages
        .iter()
        .zip(&placeholders)
        .map(|(message, placeholder)| {
            let core = message.content.trim();
            let content = if core.is_empty() {
                message.content.clone()
            } else {
                let start = message.content.len() - message.content.trim_start().len();
                let (before, rest) = message.content.split_at(start);
                format!("{before}{placeholder}{}", rest.get(core.len()..).unwrap_or_default())
            };
            context! { role => message.role.name(), content }
        })
        .collect();

    let environment = environment(today).map_err(|error| fault(describe(&error)))?;
    let mut output = Bounded::to(MAX_RENDERED);
    environment
        .template_from_named_str("chat template", template)
        .and_then(|template| {
            let state = context! {
                messages => values,
                bos_token => bos,
                eos_token => eos,
                add_generation_prompt => true,
            };
            template.render_captured_to(state, &mut output).map(|_| ())
        })
        .map_err(|error| fault(describe(&error)))?;
    let rendered = output.text().ok_or_else(|| fault("its output is not UTF-8".to_owned()))?;
    split(&rendered, messages, &placeholders)
}

/// What the environment that chat templates are written for offers: Jinja with `trim_blocks`,
/// `lstrip_blocks`, loop controls, Python's string methods, `raise_exception`, `strftime_now`.
fn environment(today: Option<Date>) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.set_fuel(Some(FUEL));
    environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, message))
    });
    if let Some(today) = today {
        environment.add_function("strftime_now", move |format: String| today.format(&format));
    }
    // Its width is not limited by fuel and only tool calls use it.
    environment.remove_filter("indent");
    Ok(environment)
}

impl Date {
    /// Python's `strftime` for the parts of a date.
    fn format(self, format: &str) -> Result<String, Error> {
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let month = MONTHS.get(usize::from(self.month.wrapping_sub(1))).copied().unwrap_or("");
        let mut out = String::new();
        let mut characters = format.chars();
        while let Some(character) = characters.next() {
            if character != '%' {
                out.push(character);
                continue;
            }
            match characters.next() {
                Some('Y') => {
                    let _ = write!(out, "{:04}", self.year);
                }
                Some('m') => {
                    let _ = write!(out, "{:02}", self.month);
                }
                Some('d') => {
                    let _ = write!(out, "{:02}", self.day);
                }
                Some('B') => out.push_str(month),
                Some('b') => out.push_str(month.get(..3).unwrap_or(month)),
                Some('%') => out.push('%'),
                other => {
                    let other = other.map(String::from).unwrap_or_default();
                    return Err(Error::new(
                        ErrorKind::InvalidOperation,
                        format!("strftime_now: %{other} is not supported, only %Y %m %d %B %b"),
                    ));
                }
            }
        }
        Ok(out)
    }
}

/// A number that occurs neither in the template nor in what is put in beside the contents, so
/// that nothing but a content can put a placeholder into the output.
fn absent_number(template: &str, bos: &str, eos: &str) -> u64 {
    let taken =
        |number: u64| [template, bos, eos].iter().any(|text| text.contains(&number.to_string()));
    // Texts of n bytes hold at most n numbers of this length.
    let longest = (template.len() + bos.len() + eos.len()) as u64;
    let first = 1_618_033_988;
    (first..=first + longest).find(|number| !taken(*number)).unwrap_or(0)
}

/// Neither white space nor letters: `trim`, `upper` and `split('</think>')` leave it whole. The
/// closing mark keeps 1 from being found in 10.
fn placeholder(nonce: u64, index: usize) -> String {
    format!("⟦{nonce}-{index}⟧")
}

/// Cuts the rendering at the placeholders.
fn split(
    rendered: &str,
    messages: &[Message],
    placeholders: &[String],
) -> Result<Vec<Piece>, PromptError> {
    let mut pieces = Vec::new();
    let mut rest = rendered;
    for (message, placeholder) in messages.iter().zip(placeholders) {
        let content = message.content.trim();
        if content.is_empty() {
            continue;
        }
        let Some((before, after)) = rest.split_once(placeholder.as_str()) else {
            return Err(fault(format!(
                "the {} message is missing from its output, out of order or altered in it",
                message.role.name()
            )));
        };
        push_control(&mut pieces, before);
        pieces.push(Piece::Text(content.to_owned()));
        rest = after;
    }
    push_control(&mut pieces, rest);
    let again = pieces.iter().any(|piece| {
        matches!(piece, Piece::Control(text) if placeholders.iter().any(|p| text.contains(p.as_str())))
    });
    if again {
        return Err(fault("a message occurs twice in its output".to_owned()));
    }
    Ok(pieces)
}

fn push_control(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Control(text.to_owned()));
    }
}

/// An error of the template engine on one line, with the template's line.
fn describe(error: &Error) -> String {
    let message = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it does not come to an end".to_owned(),
        (_, Some(detail)) => detail.to_owned(),
        (kind, None) => kind.to_string(),
    };
    match error.line() {
        Some(line) => format!("line {line}: {message}"),
        None => message,
    }
}

#[cfg(test)]
mod tests;
