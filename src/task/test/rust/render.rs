//! Calls and what came of them → Rust code: the probe that asks, and the tests that assert.

use std::fmt::Write as _;

use crate::syntax::outline::{Item, ItemKind};
use crate::text::Span;

/// The longest value that is asserted, in bytes.
const MAX_VALUE: usize = 300;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// Statements before it: what is borrowed for changing.
    pub(super) setup: Vec<String>,
    /// The call.
    pub(super) expression: String,
    /// What is looked at afterwards: the call's result, or a variable of the set-up.
    pub(super) observed: Option<String>,
    /// The type of what is looked at.
    pub(super) kind: String,
    /// Whether the call gives nothing.
    pub(super) gives_nothing: bool,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The value as `{:?}` shows it.
    Value(String),
    /// A value that cannot be shown or asserted.
    Opaque,
    /// It panics.
    Panic,
    /// It did not end in time.
    Hang,
}

/// The name of the probe's module.
pub(super) const PROBE: &str = "agent_probe";

/// A test module that makes each call on a thread of its own and prints `agent-probe N …`, past
/// the test harness's capture.
pub(super) fn probe(calls: &[Call]) -> String {
    let mut out = format!(
        r#"
#[cfg(test)]
#[allow(warnings, clippy::all)]
mod {PROBE} {{
    use super::*;
    struct Shown<'a, T: ?Sized>(&'a T);
    // A method of the type itself is found before one of a trait, where its bound holds.
    impl<T: ?Sized + ::std::fmt::Debug> Shown<'_, T> {{
        fn shown(&self) -> Option<String> {{ Some(::std::format!("{{:?}}", self.0)) }}
    }}
    trait NotShown {{ fn shown(&self) -> Option<String> {{ None }} }}
    impl<T: ?Sized> NotShown for Shown<'_, T> {{}}
    fn tell(number: usize, call: fn() -> Option<String>) {{
        let (sender, receiver) = ::std::sync::mpsc::channel();
        ::std::thread::spawn(move || sender.send(call()));
        let line = match receiver.recv_timeout(::std::time::Duration::from_secs(2)) {{
            Ok(Some(text)) => ::std::format!("value {{}}", text.escape_debug()),
            Ok(None) => "opaque".to_owned(),
            Err(::std::sync::mpsc::RecvTimeoutError::Disconnected) => "panic".to_owned(),
            Err(::std::sync::mpsc::RecvTimeoutError::Timeout) => "hang".to_owned(),
        }};
        use ::std::io::Write as _;
        let text = ::std::format!("\nagent-probe {{number}} {{line}}\n");
        let _ = ::std::io::stdout().write_all(text.as_bytes());
    }}
"#
    );
    for (number, call) in calls.iter().enumerate() {
        let _ =
            writeln!(out, "    #[test]\n    fn case_{number}() {{\n        tell({number}, || {{");
        for line in &call.setup {
            let _ = writeln!(out, "            {line}");
        }
        let _ = writeln!(out, "            let result = {};", call.expression);
        let observed = call.observed.as_deref().unwrap_or("result");
        let _ = writeln!(out, "            Shown(&{observed}).shown()\n        }});\n    }}");
    }
    out.push_str("}\n");
    out
}

/// The outcomes in a probe's output, by number.
pub(super) fn outcomes(output: &str, calls: usize) -> Vec<Option<Outcome>> {
    let mut found = vec![None; calls];
    for line in output.lines() {
        let Some(rest) = line.strip_prefix("agent-probe ") else { continue };
        let Some((number, said)) = rest.split_once(' ') else { continue };
        let outcome = match said.split_once(' ') {
            Some(("value", text)) => Outcome::Value(unescaped(text)),
            _ if said == "opaque" => Outcome::Opaque,
            _ if said == "panic" => Outcome::Panic,
            _ if said == "hang" => Outcome::Hang,
            _ => continue,
        };
        if let Some(place) = number.parse().ok().and_then(|number: usize| found.get_mut(number)) {
            *place = Some(outcome);
        }
    }
    found
}

/// What [`char::escape_debug`] did to a text, undone.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('0') => out.push('\0'),
            Some('u') => {
                let digits: String =
                    characters.by_ref().skip(1).take_while(|c| *c != '}').collect();
                let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                out.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

/// The statements that record what came of a call.
pub(super) fn assertion(call: &Call, outcome: &Outcome) -> Vec<String> {
    let mut lines = call.setup.clone();
    let just_call = || {
        let binding = if call.gives_nothing { "" } else { "let _ = " };
        format!("{binding}{};", call.expression)
    };
    match (outcome, &call.observed) {
        (Outcome::Value(text), None) => lines.push(equality(&call.expression, &call.kind, text)),
        (Outcome::Value(text), Some(observed)) => {
            lines.extend([just_call(), equality(observed, &call.kind, text)]);
        }
        _ => lines.push(just_call()),
    }
    lines
}

/// Whether an outcome may be asserted: short, and no address or path of this machine in it.
pub(super) fn is_stable(text: &str, tree: &str) -> bool {
    text.len() <= MAX_VALUE && !text.contains("0x") && !text.contains(tree)
}

/// `left` is what `{:?}` showed as `text`: compared as a value where a literal of its type can be
/// written from that, else by what is shown.
fn equality(left: &str, kind: &str, text: &str) -> String {
    let compared = match shape(kind) {
        Shape::Bool if text == "true" => return format!("assert!({left});"),
        Shape::Bool => return format!("assert!(!{left});"),
        Shape::Float if text.parse::<f64>().is_ok_and(f64::is_finite) => {
            return format!("assert!(({left} - ({text})).abs() < 1e-6);");
        }
        Shape::List if text == "[]" => return format!("assert!({left}.is_empty());"),
        Shape::OptionString => format!("{left}.as_deref()"),
        Shape::Literal | Shape::List => left.to_owned(),
        Shape::Float | Shape::Other => {
            return format!("assert_eq!(format!(\"{{:?}}\", {left}), {text:?});");
        }
    };
    format!("assert_eq!({compared}, {text});")
}

/// How a type's value can be written from what `{:?}` shows.
enum Shape {
    Bool,
    Float,
    /// What is shown is a literal of it.
    Literal,
    /// What is shown is an array that compares with it.
    List,
    /// Comparable as `Option<&str>`.
    OptionString,
    Other,
}

fn shape(kind: &str) -> Shape {
    let kind = kind.trim();
    let scalar = |kind: &str| {
        let kind = kind.trim();
        let integer = kind.len() > 1
            && kind.starts_with(['u', 'i'])
            && kind.get(1..).is_some_and(|rest| rest == "size" || rest.parse::<u8>().is_ok());
        integer || matches!(kind, "bool" | "char" | "&str")
    };
    let inside = |open: &str, close: char| kind.strip_prefix(open)?.strip_suffix(close);
    match kind {
        "bool" => return Shape::Bool,
        "f32" | "f64" => return Shape::Float,
        "String" | "&String" => return Shape::Literal,
        "Option<String>" => return Shape::OptionString,
        _ if scalar(kind) => return Shape::Literal,
        _ => {}
    }
    if inside("Option<", '>').is_some_and(scalar) {
        return Shape::Literal;
    }
    let list = inside("Vec<", '>').or_else(|| inside("&[", ']')).or_else(|| inside("&mut [", ']'));
    if list.is_some_and(|inner| scalar(inner) || inner == "String") {
        return Shape::List;
    }
    if inside("(", ')').is_some_and(|parts| !parts.is_empty() && parts.split(',').all(scalar)) {
        return Shape::Literal;
    }
    Shape::Other
}

/// The file's `text` with `tests` (whole functions, not indented) in its test module, or in a new
/// one at its end.
pub(super) fn with_tests(text: &str, items: &[Item], tests: &[String]) -> String {
    let indented = tests.iter().fold(String::new(), |text, test| text + "\n" + &indent(test));
    let module = items.iter().rfind(|item| {
        let body = item.body.and_then(|body| body.of(text)).unwrap_or_default();
        item.kind == ItemKind::Module && item.test && body.contains("use super::*")
    });
    if let Some(end) = module.and_then(|module| module.body?.end.checked_sub(1))
        && let (Some(before), Some(after)) = (text.get(..end), text.get(end..))
    {
        return format!("{}\n{indented}{after}", before.trim_end());
    }
    let taken = |name: &str| items.iter().any(|i| i.kind == ItemKind::Module && i.name == name);
    let name = if taken("tests") { "current_behaviour" } else { "tests" };
    let gap = if text.trim().is_empty() { "" } else { "\n" };
    let text = text.trim_end();
    format!("{text}\n{gap}#[cfg(test)]\nmod {name} {{\n    use super::*;\n{indented}}}\n")
}

fn indent(test: &str) -> String {
    test.lines().fold(String::new(), |text, line| {
        if line.is_empty() { text + "\n" } else { text + "    " + line + "\n" }
    })
}

/// A name for a function's test that nothing in the file has.
pub(super) fn test_name(item: &Item, items: &[Item]) -> String {
    let owner = item.owner.as_deref().map(snake).filter(|_| item.kind == ItemKind::Method);
    let stem = match owner {
        Some(owner) => format!("{owner}_{}_current_behaviour", item.name.trim_start_matches("r#")),
        None => format!("{}_current_behaviour", item.name.trim_start_matches("r#")),
    };
    let taken = |name: &String| items.iter().any(|item| item.name == *name);
    (1..1000)
        .map(|number| if number == 1 { stem.clone() } else { format!("{stem}_{number}") })
        .find(|name| !taken(name))
        .unwrap_or(stem)
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(character.to_lowercase());
    }
    out
}

/// The test functions of a model's answer, each with its attributes.
pub(super) fn tests_in(code: &str, items: &[Item]) -> Vec<String> {
    let is_test = |item: &&Item| {
        let head = code.get(item.span.start..item.signature.start).unwrap_or_default();
        item.kind.is_function() && item.test && head.contains("test]")
    };
    let whole = |span: Span| {
        let start = code.get(..span.start)?.rfind('\n').map_or(0, |newline| newline + 1);
        let text = code.get(start..span.end)?;
        let depth = text.len() - text.trim_start().len();
        let line = |line: &str| line.get(depth..).unwrap_or(line.trim_start()).to_owned();
        Some(text.lines().map(line).collect::<Vec<_>>().join("\n"))
    };
    items.iter().filter(is_test).filter_map(|item| whole(item.span)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::outline::items;
    use crate::syntax::{Language, SyntaxTree};

    fn items_of(text: &str) -> Vec<Item> {
        items(&SyntaxTree::parse(Language::named("rust").unwrap(), text), text)
    }

    #[test]
    fn assertions_fit_the_type() {
        for (kind, text, expected) in [
            ("bool", "false", "assert!(!f());"),
            ("u64", "3", "assert_eq!(f(), 3);"),
            ("String", "\"a\"", "assert_eq!(f(), \"a\");"),
            ("f64", "0.5", "assert!((f() - (0.5)).abs() < 1e-6);"),
            ("f64", "NaN", "assert_eq!(format!(\"{:?}\", f()), \"NaN\");"),
            ("Option<usize>", "Some(1)", "assert_eq!(f(), Some(1));"),
            ("Option<String>", "Some(\"a\")", "assert_eq!(f().as_deref(), Some(\"a\"));"),
            ("Vec<i32>", "[]", "assert!(f().is_empty());"),
            ("Vec<String>", "[\"a\"]", "assert_eq!(f(), [\"a\"]);"),
            ("(i32, char)", "(1, 'a')", "assert_eq!(f(), (1, 'a'));"),
            ("Money", "Money(\"a\")", "assert_eq!(format!(\"{:?}\", f()), \"Money(\\\"a\\\")\");"),
        ] {
            assert_eq!(equality("f()", kind, text), expected, "{kind}");
        }
    }

    #[test]
    fn a_value_comes_out_of_the_probe_as_it_went_in() {
        let text = "\"a\\n\u{e9}\u{200b}'\"\n";
        let output = format!("noise\nagent-probe 1 value {}\n", text.escape_debug());
        assert_eq!(outcomes(&output, 2), [None, Some(Outcome::Value(text.to_owned()))]);
    }

    #[test]
    fn tests_go_into_the_test_module_or_a_new_one() {
        let test = vec!["#[test]\nfn a() {\n    f();\n}".to_owned()];
        let text = "fn f() {}\n";
        assert_eq!(
            with_tests(text, &items_of(text), &test),
            "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn a() {\n        f();\n    }\n}\n"
        );
        let text = "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn old() {}\n}\n";
        assert_eq!(
            with_tests(text, &items_of(text), &test),
            text.replace(
                "fn old() {}\n}",
                "fn old() {}\n\n    #[test]\n    fn a() {\n        f();\n    }\n}"
            )
        );
        let text = "fn f() {}\n#[cfg(test)]\nmod tests;\n";
        assert!(with_tests(text, &items_of(text), &test).contains("mod current_behaviour {"));
    }

    #[test]
    fn a_models_test_functions_are_taken_out_of_their_module() {
        let code = "#[cfg(test)]\nmod tests {\n    use super::*;\n    fn help() {}\n    #[test]\n    fn a() {\n        f();\n    }\n}\n";
        assert_eq!(tests_in(code, &items_of(code)), ["#[test]\nfn a() {\n    f();\n}"]);
    }
}
