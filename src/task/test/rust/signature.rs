//! A Rust function's signature, read from its text.

use crate::syntax::outline::Item;
use crate::text::word::is_word;

/// How a method takes its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receiver {
    /// `self` or `&self`.
    Shared,
    /// `&mut self` or `mut self`.
    Changing,
}

/// What a call needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) receiver: Option<Receiver>,
    /// The parameters' types as written, without lifetimes.
    pub(super) parameters: Vec<String>,
    /// The result's type; `()` where none is written.
    pub(super) result: String,
}

/// Reads the signature of `item`; otherwise why its calls cannot be written without more.
pub(super) fn read(item: &Item, text: &str) -> Result<Signature, &'static str> {
    let signature = item.signature.of(text).unwrap_or_default();
    let start = item.name_span.start.saturating_sub(item.signature.start);
    let (keywords, rest) = signature.split_at_checked(start).ok_or("its signature is not known")?;
    for (keyword, why) in
        [("async", "it is async"), ("unsafe", "it is unsafe"), ("extern", "it is extern")]
    {
        if keywords.split_whitespace().any(|word| word == keyword) {
            return Err(why);
        }
    }
    let rest = rest.get(item.name.len()..).unwrap_or_default().trim_start();
    let rest = match rest.strip_prefix('<') {
        Some(generics) => {
            let end = closing(generics).ok_or("its signature is not known")?;
            let only_lifetimes = split(generics.get(..end).unwrap_or_default())
                .iter()
                .all(|parameter| parameter.starts_with('\''));
            if !only_lifetimes {
                return Err("it is generic");
            }
            generics.get(end + 1..).unwrap_or_default().trim_start()
        }
        None => rest,
    };
    let rest = rest.strip_prefix('(').ok_or("its signature is not known")?;
    let end = closing(rest).ok_or("its signature is not known")?;
    let after = rest.get(end + 1..).unwrap_or_default().trim_start();
    let result = after.strip_prefix("->").map_or("()", |result| {
        result
            .split(" where ")
            .next()
            .unwrap_or_default()
            .split("\nwhere")
            .next()
            .unwrap_or_default()
    });

    let mut receiver = None;
    let mut parameters = Vec::new();
    for parameter in split(rest.get(..end).unwrap_or_default()) {
        let parameter = without_lifetimes(&parameter);
        match parameter.split_once(':') {
            None => {
                let changing = parameter.contains("mut ");
                receiver = Some(if changing { Receiver::Changing } else { Receiver::Shared });
            }
            Some((pattern, _)) if pattern.trim() == "self" => return Err("its self is unusual"),
            Some((_, kind)) => parameters.push(kind.trim().to_owned()),
        }
    }
    Ok(Signature { receiver, parameters, result: without_lifetimes(result) })
}

/// The offset of the bracket that closes what `text` is inside of.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut previous = ' ';
    for (offset, character) in text.char_indices() {
        match character {
            '(' | '[' | '{' | '<' => depth += 1,
            // Not the end of an arrow.
            '>' if previous == '-' => {}
            ')' | ']' | '}' | '>' if depth == 0 => return Some(offset),
            ')' | ']' | '}' | '>' => depth -= 1,
            _ => {}
        }
        previous = character;
    }
    None
}

/// The parts of a list, cut at its own commas, trimmed, empty ones left out.
pub(super) fn split(list: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut current = String::new();
    let mut previous = ' ';
    for character in list.chars() {
        match character {
            '(' | '[' | '{' | '<' => depth += 1,
            '>' if previous == '-' => {}
            ')' | ']' | '}' | '>' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(std::mem::take(&mut current));
                previous = character;
                continue;
            }
            _ => {}
        }
        current.push(character);
        previous = character;
    }
    parts.push(current);
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// A type on one line, without lifetimes.
fn without_lifetimes(text: &str) -> String {
    let mut out = String::new();
    let mut characters = text.trim().chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\'' {
            out.push(if character.is_whitespace() { ' ' } else { character });
            continue;
        }
        while characters.next_if(|c| is_word(*c)).is_some() {}
        while characters.next_if(|c| c.is_whitespace()).is_some() {}
    }
    out.replace("<>", "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::outline::items;
    use crate::syntax::{Language, SyntaxTree};

    fn of(text: &str) -> Result<Signature, &'static str> {
        let tree = SyntaxTree::parse(Language::named("rust").unwrap(), text);
        let items = items(&tree, text);
        read(items.iter().rfind(|item| item.kind.is_function()).unwrap(), text)
    }

    #[test]
    fn parameters_receiver_and_result_are_read() {
        let signature = of(
            "pub fn f<'a>(a: &'a [u8], (x, y): (i32, Vec<u8>)) -> Option<&'a str> where u8: Copy { None }",
        );
        assert_eq!(
            signature.unwrap(),
            Signature {
                receiver: None,
                parameters: vec!["&[u8]".to_owned(), "(i32, Vec<u8>)".to_owned()],
                result: "Option<&str>".to_owned(),
            }
        );
        let method = of("impl A { fn f(&mut self, g: u8) {} }").unwrap();
        assert_eq!((method.receiver, method.result.as_str()), (Some(Receiver::Changing), "()"));
    }

    #[test]
    fn what_needs_more_than_values_is_refused() {
        assert_eq!(of("fn f<T: Copy>(t: T) {}"), Err("it is generic"));
        assert_eq!(of("async fn f() {}"), Err("it is async"));
        assert_eq!(of("unsafe fn f() {}"), Err("it is unsafe"));
    }
}
