//! TOML files and editors' JSON settings → a flat list of settings, each with its place.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::load::Problem;
use super::options::{Declaration, OPTIONS};
use super::value::Value;

/// How deep tables may nest; options have two parts.
const MAX_DEPTH: usize = 8;

/// One option as a source spells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Its option.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
    /// One-based line, where the source has lines.
    pub line: Option<usize>,
}

/// The settings of a TOML text, and what is wrong with it; what can be read despite a fault is read.
pub fn toml(path: &Path, text: &str) -> (Vec<Setting>, Vec<Problem>) {
    let line_of =
        |offset: usize| 1 + text.as_bytes().iter().take(offset).filter(|b| **b == b'\n').count();
    let problem =
        |line, message: String| Problem { place: path.display().to_string(), line, message };
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = errors
        .iter()
        .map(|error| {
            problem(error.span().map(|span| line_of(span.start)), error.message().to_owned())
        })
        .collect();
    let mut settings = Vec::new();
    let mut unknown = Vec::new();
    flatten(
        table.get_ref(),
        "",
        MAX_DEPTH,
        &mut |name, key, value| match Declaration::named(name) {
            Some(option) => settings.push(Setting {
                name: option.name,
                value: of_toml(value),
                line: Some(line_of(key)),
            }),
            None => unknown.push(problem(Some(line_of(key)), unknown_message(name))),
        },
    );
    problems.append(&mut unknown);
    // Tables come sorted by name, messages are wanted from top to bottom.
    problems.sort_by_key(|problem| problem.line);
    (settings, problems)
}

/// The settings in an editor's JSON: nested objects, or names with dots. `null` sets nothing.
pub fn json(place: &str, value: &serde_json::Value) -> (Vec<Setting>, Vec<Problem>) {
    let mut settings = Vec::new();
    let mut problems = Vec::new();
    flatten_json(value, "", MAX_DEPTH, &mut |name, value| match Declaration::named(name) {
        _ if value.is_null() => {}
        Some(option) => {
            settings.push(Setting { name: option.name, value: of_json(value), line: None });
        }
        None => problems.push(Problem {
            place: place.to_owned(),
            line: None,
            message: unknown_message(name),
        }),
    });
    (settings, problems)
}

/// Calls `each` with the name, the key's offset and the value of every leaf.
fn flatten(
    table: &DeTable<'_>,
    prefix: &str,
    depth: usize,
    each: &mut dyn FnMut(&str, usize, &DeValue<'_>),
) {
    for (key, value) in table {
        let name = joined(prefix, key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) if depth > 0 && is_section(&name) => {
                flatten(inner, &name, depth - 1, each);
            }
            leaf => each(&name, key.span().start, leaf),
        }
    }
}

fn flatten_json(
    value: &serde_json::Value,
    prefix: &str,
    depth: usize,
    each: &mut dyn FnMut(&str, &serde_json::Value),
) {
    let Some(object) = value.as_object() else { return };
    for (key, value) in object {
        let name = joined(prefix, key);
        if value.is_object() && depth > 0 && is_section(&name) {
            flatten_json(value, &name, depth - 1, each);
        } else {
            each(&name, value);
        }
    }
}

fn joined(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

/// Whether options live below `name`.
fn is_section(name: &str) -> bool {
    OPTIONS
        .iter()
        .any(|option| option.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

fn of_toml(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("number of more than 64 bits"), Value::Integer),
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Array(values) => {
            Value::List(values.iter().map(Spanned::get_ref).map(of_toml).collect())
        }
        DeValue::Float(_) => Value::Other("number with a point"),
        DeValue::Datetime(_) => Value::Other("date"),
        DeValue::Table(_) => Value::Other("table"),
    }
}

fn of_json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or(Value::Other("number with a point"), Value::Integer)
        }
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Array(values) => Value::List(values.iter().map(of_json).collect()),
        serde_json::Value::Object(_) => Value::Other("object"),
        serde_json::Value::Null => Value::Other("null"),
    }
}

fn unknown_message(name: &str) -> String {
    let near = OPTIONS
        .iter()
        .map(|option| (similarity(option.name, name), option.name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(similarity, _)| *similarity > 0.6);
    match near {
        Some((_, near)) => format!("unknown option {name}; is {near} meant?"),
        None => format!("unknown option {name}; `agent config` lists them all"),
    }
}

/// How much of the longer name the two share in order: 1 for equal names.
fn similarity(a: &str, b: &str) -> f32 {
    // The longest common subsequence of two short names.
    let mut row = vec![0_u16; b.len() + 1];
    for x in a.bytes() {
        let mut diagonal = 0;
        let mut left = 0;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let above = *cell;
            *cell = if x == y { diagonal + 1 } else { above.max(left) };
            diagonal = above;
            left = *cell;
        }
    }
    f32::from(row.last().copied().unwrap_or_default()) / a.len().max(b.len()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let (settings, problems) = toml(Path::new("agent.toml"), text);
        let settings = settings
            .iter()
            .map(|s| format!("{}:{} = {}", s.line.unwrap(), s.name, s.value.toml()))
            .collect();
        (settings, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn tables_and_dotted_keys_are_the_same_and_know_their_lines() {
        let (settings, problems) =
            read("seed = 0x10\ncomplete.candidates = 3\n\n[models]\ndirectories = [\"a\"]\n");
        assert_eq!(
            settings,
            ["2:complete.candidates = 3", "5:models.directories = [\"a\"]", "1:seed = 16"]
        );
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn unknown_keys_are_named_with_their_line_and_a_likely_meaning() {
        let (settings, problems) = read("colour = 1\n[complete]\nmax_token = 3\nenabled = true\n");
        assert_eq!(settings, ["4:complete.enabled = true"]);
        assert_eq!(
            problems,
            [
                "agent.toml:1: unknown option colour; `agent config` lists them all",
                "agent.toml:3: unknown option complete.max_token; is complete.max_tokens meant?",
            ]
        );
    }

    #[test]
    fn a_fault_in_the_file_does_not_hide_the_rest_of_it() {
        let (settings, problems) = read("seed = 3\nthreads = = 2\n");
        assert_eq!(settings.first().map(String::as_str), Some("1:seed = 3"));
        assert!(problems.iter().any(|p| p.starts_with("agent.toml:2: ")), "{problems:?}");
    }

    #[test]
    fn an_editors_settings_are_read_nested_or_dotted() {
        let value = serde_json::json!({
            "complete": {"max_tokens": 9, "enabled": null},
            "check.python": "p",
            "x": 1,
        });
        let (settings, problems) = json("editor settings", &value);
        let names: Vec<_> = settings.iter().map(|setting| setting.name).collect();
        assert_eq!(names, ["check.python", "complete.max_tokens"]);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().starts_with("editor settings: unknown option x;"));
    }
}
