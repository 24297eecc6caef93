//! Options → README table, JSON schema, editor settings.

use serde_json::{Map, Value as Json, json};

use super::fields::Config;
use super::options::{DEVICES, Declaration, ENGINES, KV_FORMATS, Kind, OPTIONS};
use crate::task::complete::PASSES;

/// Stands before the generated part of a Markdown file.
pub const START: &str = "<!-- options -->";
/// Stands after it.
pub const END: &str = "<!-- /options -->";

/// The options as a Markdown table.
pub fn markdown() -> String {
    let mut table = String::from("| option | default | what it does |\n|---|---|---|\n");
    for option in OPTIONS {
        let flag = option.flag.map(|flag| format!(" Flag: `{flag}`.")).unwrap_or_default();
        let row =
            format!("| `{}` | {} | {}{flag} |\n", option.name, default_words(option), option.doc);
        table.push_str(&row);
    }
    table
}

/// `text` with the table between its markers brought up to date; `None` if it has none.
pub fn with_table(text: &str) -> Option<String> {
    let (before, rest) = text.split_once(START)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{START}\n{}{END}{after}", markdown()))
}

/// A JSON schema (2020-12) of `agent.toml`, ended by a line break.
pub fn schema() -> String {
    let mut root = Map::new();
    for option in OPTIONS {
        let (section, name) = option.name.split_once('.').unwrap_or(("", option.name));
        if section.is_empty() {
            root.insert(name.to_owned(), property(option));
        } else {
            let table = root.entry(section).or_insert_with(
                || json!({"type": "object", "additionalProperties": false, "properties": {}}),
            );
            if let Some(properties) = table.get_mut("properties").and_then(Json::as_object_mut) {
                properties.insert(name.to_owned(), property(option));
            }
        }
    }
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "agent.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": root,
    });
    pretty(&schema)
}

/// The options as the `configuration.properties` of a VS Code extension: names with dots.
pub fn editor_properties() -> Json {
    let properties = OPTIONS.iter().map(|option| {
        let mut property = property(option);
        if let Some(object) = property.as_object_mut()
            && let Some(doc) = object.remove("description")
        {
            object.insert("markdownDescription".to_owned(), doc);
        }
        (format!("agent.{}", option.name), property)
    });
    Json::Object(properties.collect())
}

/// One option's schema.
fn property(option: &Declaration) -> Json {
    let mut schema = match option.kind {
        Kind::Text(_) | Kind::Model(_) | Kind::Path(_) => json!({"type": "string"}),
        Kind::Paths(_) | Kind::Words(_) | Kind::Patterns(_) => {
            json!({"type": "array", "items": {"type": "string"}})
        }
        Kind::PassesOff(_) => json!({
            "type": "array",
            "items": {"enum": PASSES},
            "uniqueItems": true,
        }),
        Kind::AutoCount(least, most, _) => json!({"anyOf": [
            {"const": "auto"},
            {"type": "integer", "minimum": least, "maximum": most},
        ]}),
        Kind::Count(least, most, _) | Kind::OptionalCount(least, most, _) => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Kind::Number(least, most, _) => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Kind::Bool(_) => json!({"type": "boolean"}),
        Kind::Device(_) => json!({"enum": DEVICES.map(|(name, _)| name)}),
        Kind::Engine(_) => json!({"enum": ENGINES.map(|(name, _)| name)}),
        Kind::KvFormat(_) => json!({"enum": KV_FORMATS.map(|(name, _)| name)}),
    };
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), option.doc.into());
        if let Some(value) = option.get(&Config::default()) {
            object.insert("default".to_owned(), value.json());
        }
    }
    schema
}

fn default_words(option: &Declaration) -> String {
    match option.get(&Config::default()) {
        Some(value) => format!("`{}`", value.toml()),
        None => option.unset.to_owned(),
    }
}

fn pretty(value: &Json) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_a_row_with_its_default() {
        let table = markdown();
        assert!(table.contains("| `complete.max_tokens` | `64` |"), "{table}");
        assert!(table.contains("| `model` | the built-in model |"), "{table}");
        assert_eq!(table.lines().count(), OPTIONS.len() + 2);
    }

    #[test]
    fn options_without_a_default_say_what_that_means() {
        for option in OPTIONS {
            assert!(!default_words(option).is_empty(), "{}", option.name);
        }
    }

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let updated = with_table(&format!("before {START} old {END} after")).unwrap();
        assert!(updated.starts_with("before <!-- options -->\n| option"));
        assert!(updated.ends_with("|\n<!-- /options --> after"));
        assert_eq!(with_table(&updated).unwrap(), updated);
        assert_eq!(with_table("no markers"), None);
    }

    #[test]
    fn the_schema_nests_as_the_file_does() {
        let schema: Json = serde_json::from_str(&schema()).unwrap();
        let at = |path: &str| schema.pointer(path).cloned().unwrap_or_default();
        assert_eq!(at("/properties/complete/properties/max_tokens/default"), 64);
        assert_eq!(at("/properties/device/enum/1"), "cpu");
        assert_eq!(editor_properties()["agent.seed"]["default"], 0);
    }
}
