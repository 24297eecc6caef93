//! A value as some source spells it, before an option has taken it.

/// A TOML or JSON value, or a flag's text.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A truth value.
    Bool(bool),
    /// A list.
    List(Vec<Value>),
    /// Anything no option takes, by the name of its type: `float`, `table`.
    Other(&'static str),
}

impl Value {
    /// The name of its type, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "whole number",
            Self::Bool(_) => "truth value",
            Self::List(_) => "list",
            Self::Other(name) => name,
        }
    }

    /// The value as it would be written in a TOML file.
    pub fn toml(&self) -> String {
        match self {
            // JSON's escapes are a subset of TOML's.
            Self::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Bool(truth) => truth.to_string(),
            Self::List(values) => {
                format!("[{}]", values.iter().map(Self::toml).collect::<Vec<_>>().join(", "))
            }
            Self::Other(name) => (*name).to_owned(),
        }
    }

    /// The value as JSON.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Integer(number) => (*number).into(),
            Self::Bool(truth) => (*truth).into(),
            Self::List(values) => values.iter().map(Self::json).collect(),
            Self::Other(_) => serde_json::Value::Null,
        }
    }
}
