//! Task prompts: `prompts/*.md`, embedded, each replaceable by the user's file of the same name.
//!
//! A file has the sections `## system` (may be left out) and `## user`. `{{ name }}` is a
//! placeholder; `{% if name %}…{% else %}…{% endif %}` leaves out what is empty, `{# … #}` is a
//! comment (Jinja). What is put in is never read as a template. Nothing else of Jinja is taken:
//! loops, assignments and operators could make a text that doubles with each of a few steps, which
//! no limit on steps bounds; with placeholders alone, a prompt is no longer than what is put in, as
//! often as it is named.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Environment, ErrorKind, UndefinedBehavior, value::Value};

use super::{
    PromptError,
    bounded::Bounded,
    chat::{Message, Role},
};
use crate::text::word::is_word;

/// An embedded prompt.
struct Embedded {
    name: &'static str,
    text: &'static str,
    /// The placeholders that the task fills.
    placeholders: &'static [&'static str],
}

const EMBEDDED: [Embedded; 5] = [
    Embedded {
        name: "doc",
        text: include_str!("../../prompts/doc.md"),
        placeholders: &["language", "path", "name", "code", "style"],
    },
    Embedded {
        name: "explain",
        text: include_str!("../../prompts/explain.md"),
        placeholders: &["language", "path", "name", "code", "facts"],
    },
    Embedded {
        name: "fix",
        text: include_str!("../../prompts/fix.md"),
        placeholders: &["language", "path", "name", "code", "errors", "related", "problem"],
    },
    Embedded {
        name: "rewrite",
        text: include_str!("../../prompts/rewrite.md"),
        placeholders: &["language", "path", "name", "code", "instruction", "related", "problem"],
    },
    Embedded {
        name: "test",
        text: include_str!("../../prompts/test.md"),
        placeholders: &["language", "path", "name", "code", "framework", "usage", "problem"],
    },
];

/// Instructions a prompt may execute.
const FUEL: u64 = 20_000;
/// The longest prompt, in bytes.
const MAX_RENDERED: usize = 8 << 20;

/// The task prompts in force.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    overrides: BTreeMap<String, String>,
}

impl Templates {
    /// The embedded prompts, with `overrides` (name without `.md` → text) in their place. A name
    /// that does not exist or a fault in a text is an error that names it, with the line.
    pub fn new(overrides: BTreeMap<String, String>) -> Result<Self, PromptError> {
        for (name, text) in &overrides {
            let embedded = embedded(name)?;
            check(name, text, embedded.placeholders)?;
        }
        Ok(Self { overrides })
    }

    /// The messages of task prompt `name` with `values` for its placeholders. A placeholder
    /// without a value is empty.
    pub fn render(
        &self,
        name: &str,
        values: &BTreeMap<&str, String>,
    ) -> Result<Vec<Message>, PromptError> {
        let embedded = embedded(name)?;
        let text = self.overrides.get(name).map_or(embedded.text, String::as_str);
        let all: BTreeMap<&str, Value> = embedded
            .placeholders
            .iter()
            .map(|key| (*key, Value::from(values.get(key).map_or("", String::as_str))))
            .collect();
        let environment = environment();
        sections(name, text)?
            .into_iter()
            .map(|(role, section)| {
                only_placeholders(name, &section)?;
                let mut output = Bounded::to(MAX_RENDERED);
                let rendered = environment
                    .template_from_named_str(name, &section)
                    .and_then(|template| {
                        template.render_captured_to(Value::from(all.clone()), &mut output).map(drop)
                    })
                    .map_err(|error| engine_fault(name, &error));
                rendered?;
                let content = output.text().unwrap_or_default();
                Ok(Message { role, content: content.trim().to_owned() })
            })
            .collect()
    }

    /// The names of all task prompts.
    pub fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|embedded| embedded.name)
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment
}

fn embedded(name: &str) -> Result<&'static Embedded, PromptError> {
    EMBEDDED.iter().find(|embedded| embedded.name == name).ok_or_else(|| {
        let names: Vec<&str> = Templates::names().collect();
        fault(name, None, &format!("no such task prompt; there are {}", names.join(", ")))
    })
}

/// Finds what is wrong with a text before anything is asked with it.
fn check(name: &str, text: &str, placeholders: &[&str]) -> Result<(), PromptError> {
    let environment = environment();
    for (_, section) in sections(name, text)? {
        only_placeholders(name, &section)?;
        let template = environment
            .template_from_named_str(name, &section)
            .map_err(|error| engine_fault(name, &error))?;
        let used: BTreeSet<String> = template.undeclared_variables(false).into_iter().collect();
        if let Some(unknown) = used.iter().find(|used| !placeholders.contains(&used.as_str())) {
            let line = section.lines().position(|line| uses(line, unknown)).map(|line| line + 1);
            let known = placeholders.join(", ");
            let message = format!("unknown placeholder {unknown}; there are {known}");
            return Err(fault(name, line, &message));
        }
    }
    Ok(())
}

/// Refuses whatever is not a placeholder, a condition on one, or a comment.
fn only_placeholders(name: &str, section: &str) -> Result<(), PromptError> {
    let mut rest = section;
    while let Some(at) =
        rest.find("{{").into_iter().chain(rest.find("{%")).chain(rest.find("{#")).min()
    {
        let line = section.len() - rest.len() + at;
        let line = 1 + section.get(..line).unwrap_or_default().matches('\n').count();
        let tag = rest.get(at..).unwrap_or_default();
        let (open, end) = match tag.as_bytes().get(1) {
            Some(b'{') => ("{{", "}}"),
            Some(b'%') => ("{%", "%}"),
            _ => ("{#", "#}"),
        };
        let inside = tag.get(open.len()..).unwrap_or_default();
        let Some((inside, after)) = inside.split_once(end) else {
            return Err(fault(name, Some(line), &format!("`{open}` without `{end}`")));
        };
        let words: Vec<&str> = inside.trim_matches(['-', '+']).split_whitespace().collect();
        let fits = match (open, &words[..]) {
            ("{#", _) | ("{%", ["else" | "endif"]) => true,
            ("{{", [value]) | ("{%", ["if" | "elif", value] | ["if" | "elif", "not", value]) => {
                value.chars().all(is_word)
            }
            _ => false,
        };
        if !fits {
            let message = "a prompt takes only `{{ name }}`, `{% if name %}`, `{% if not name %}`, \
                           `{% else %}`, `{% endif %}` and `{# … #}`";
            return Err(fault(name, Some(line), message));
        }
        rest = after;
    }
    Ok(())
}

/// Whether a line holds a placeholder or statement with the word `name`.
fn uses(line: &str, name: &str) -> bool {
    line.contains('{') && line.split(|c| !is_word(c)).any(|part| part == name)
}

/// The sections of a text, each with its role. Every section is preceded by as many empty lines
/// as stand before it in the file, so that the line numbers of faults are the file's.
fn sections(name: &str, text: &str) -> Result<Vec<(Role, String)>, PromptError> {
    let mut sections: Vec<(Role, String)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let role = match line.trim_end() {
            "## system" => Some(Role::System),
            "## user" => Some(Role::User),
            _ => None,
        };
        if let Some(role) = role {
            let in_order = match role {
                Role::System => sections.is_empty(),
                _ => sections.iter().all(|(before, _)| *before == Role::System),
            };
            if !in_order {
                let message = "the sections are `## system`, then `## user`, each once";
                return Err(fault(name, Some(number + 1), message));
            }
            sections.push((role, "\n".repeat(number + 1)));
        } else if let Some((_, section)) = sections.last_mut() {
            section.push_str(line);
            section.push('\n');
        } else if !line.trim().is_empty() {
            return Err(fault(name, Some(number + 1), "text before the first section"));
        }
    }
    if sections.last().is_none_or(|(role, _)| *role != Role::User) {
        return Err(fault(name, None, "no section `## user`"));
    }
    Ok(sections)
}

fn fault(name: &str, line: Option<usize>, message: &str) -> PromptError {
    let message = match line {
        Some(line) => format!("line {line}: {message}"),
        None => message.to_owned(),
    };
    PromptError::Template { name: format!("{name}.md"), message }
}

fn engine_fault(name: &str, error: &minijinja::Error) -> PromptError {
    let message = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it does not come to an end".to_owned(),
        (_, Some(detail)) => detail.to_owned(),
        (kind, None) => kind.to_string(),
    };
    fault(name, error.line(), &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overridden(name: &str, text: &str) -> Result<Templates, PromptError> {
        Templates::new(BTreeMap::from([(name.to_owned(), text.to_owned())]))
    }

    #[test]
    fn every_embedded_prompt_uses_all_of_its_placeholders_and_no_other() {
        let environment = environment();
        for embedded in &EMBEDDED {
            check(embedded.name, embedded.text, embedded.placeholders).unwrap();
            let used: BTreeSet<String> = sections(embedded.name, embedded.text)
                .unwrap()
                .iter()
                .flat_map(|(_, section)| {
                    let template = environment.template_from_named_str("t", section).unwrap();
                    template.undeclared_variables(false)
                })
                .collect();
            let declared: BTreeSet<String> =
                embedded.placeholders.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(used, declared, "{}", embedded.name);
        }
    }

    #[test]
    fn prompts_for_code_ask_for_one_block_and_never_for_a_diff() {
        for embedded in EMBEDDED.iter().filter(|embedded| embedded.name != "explain") {
            assert!(embedded.text.contains("exactly one fenced code block"), "{}", embedded.name);
            assert!(!embedded.text.to_lowercase().contains("diff"), "{}", embedded.name);
        }
    }

    #[test]
    fn values_are_put_in_as_they_are_and_empty_parts_are_left_out() {
        let values = BTreeMap::from([
            ("language", "rust".to_owned()),
            ("path", "src/a.rs".to_owned()),
            ("name", "a".to_owned()),
            ("code", "fn a() { \"{{ b }} & <c>\" }".to_owned()),
            ("instruction", "Call it b.".to_owned()),
        ]);
        let messages = Templates::default().render("rewrite", &values).unwrap();
        let [system, user] = &messages[..] else { panic!("{messages:?}") };
        assert_eq!((system.role, user.role), (Role::System, Role::User));
        insta::assert_snapshot!(user.content, @r#"
        a of src/a.rs:

        ```rust
        fn a() { "{{ b }} & <c>" }
        ```

        Change it so: Call it b.

        Answer with exactly one fenced code block that holds the whole new text of a, and nothing else.
        "#);
    }

    #[test]
    fn a_text_of_the_user_replaces_the_embedded_one() {
        let templates = overridden("explain", "## user\n{{ name }}?\n").unwrap();
        let values = BTreeMap::from([("name", "f".to_owned())]);
        let messages = templates.render("explain", &values).unwrap();
        assert_eq!(messages, [Message { role: Role::User, content: "f?".to_owned() }]);
    }

    #[test]
    fn a_prompt_that_could_grow_without_end_is_refused() {
        for hostile in [
            "{% set x = code %}",
            "{% for i in range(9) %}{{ code }}{% endfor %}",
            "{% macro a() %}{{ a() }}{% endmacro %}",
            "{{ code ~ code }}",
            "{{ code * 1000000 }}",
            "{{ code|replace('a', code) }}",
            "{%- set ns = namespace(x=code) -%}",
            "{% include 'doc' %}",
            "{% if code|length > 3 %}{% endif %}",
            "{% raw %}{{ x }}{% endraw %}",
        ] {
            let error = overridden("doc", &format!("## user\na\n{hostile}\n")).unwrap_err();
            let said = "template doc.md: line 3: a prompt takes only";
            assert!(error.to_string().starts_with(said), "{hostile}: {error}");
        }
        let sound = "## user\n{# {% set #}{%- if not code -%}no{%- elif path %}p{% else %}{{- code }}{% endif %}\n";
        assert!(overridden("doc", sound).is_ok());
    }

    #[test]
    fn a_prompt_that_names_a_long_text_often_ends() {
        let text = format!("## user\n{}\n", "{{ code }}".repeat(1000));
        let templates = overridden("doc", &text).unwrap();
        let values = BTreeMap::from([("code", "x".repeat(1 << 20))]);
        let error = templates.render("doc", &values).unwrap_err().to_string();
        assert!(error.starts_with("template doc.md: "), "{error}");
    }

    #[test]
    fn faults_name_the_file_and_the_line() {
        let error = |name, text| overridden(name, text).unwrap_err().to_string();
        assert_eq!(
            error("doc", "## user\n\n{{ cod }}\n"),
            "template doc.md: line 3: unknown placeholder cod; there are language, path, name, code, style"
        );
        assert!(error("doc", "## user\n{{ name\n").starts_with("template doc.md: line 2: "));
        assert_eq!(
            error("doc", "hello\n"),
            "template doc.md: line 1: text before the first section"
        );
        assert_eq!(error("doc", "## system\nx\n"), "template doc.md: no section `## user`");
        assert!(error("doc", "## user\nx\n## system\ny\n").contains("line 3: the sections are"));
        assert!(error("nothing", "").contains("no such task prompt; there are doc, explain"));
    }
}
