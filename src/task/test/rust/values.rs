//! Rust types → expressions of simple values, simplest first.

use super::signature::{self, split};
use crate::syntax::outline::{Item, ItemKind};
use crate::text::Span;
use crate::text::word::is_word;

/// The most values of one type.
const MAX_VALUES: usize = 10;
/// How deep types are taken apart.
const MAX_DEPTH: usize = 3;

/// The file that values are for: its types can be made, its constants are worth trying.
pub(super) struct Values<'a> {
    items: &'a [Item],
    text: &'a str,
    integers: Vec<i128>,
    strings: Vec<String>,
}

impl<'a> Values<'a> {
    /// Values for `function` of the file with `items`.
    pub(super) fn new(items: &'a [Item], text: &'a str, function: &Item) -> Self {
        let body = function.body.and_then(|body| body.of(text)).unwrap_or_default();
        Self { items, text, integers: integers(body), strings: strings(body) }
    }

    /// Expressions of type `kind`; none where no simple one is known.
    pub(super) fn of(&self, kind: &str) -> Vec<String> {
        let mut values = self.at(kind, 0);
        values.truncate(MAX_VALUES);
        values
    }

    /// Expressions that make an object of a type of the file: by its constructor, its default,
    /// its fields, its variants.
    pub(super) fn objects(&self, name: &str) -> Vec<String> {
        self.made(name, 0)
    }

    fn at(&self, kind: &str, depth: usize) -> Vec<String> {
        let kind = kind.trim();
        if depth > MAX_DEPTH {
            return Vec::new();
        }
        if let Some(values) = self.plain(kind) {
            return values;
        }
        if let Some(inner) = kind.strip_prefix('&') {
            let inner = inner.trim_start();
            let (mark, inner) = match inner.strip_prefix("mut ") {
                Some(inner) => ("&mut ", inner),
                None => ("&", inner),
            };
            return self.borrowed(mark, inner.trim(), depth);
        }
        if let Some(list) = kind.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            return self.tuple(&split(list), depth);
        }
        if let Some(array) = kind.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let Some((inner, length)) = array.rsplit_once(';') else { return Vec::new() };
            let first = self.at(inner, depth + 1).into_iter().next();
            return first.map(|value| format!("[{value};{length}]")).into_iter().collect();
        }
        let (name, arguments) = generic(kind);
        let inner =
            |at: usize| arguments.get(at).map(|kind| self.at(kind, depth + 1)).unwrap_or_default();
        match name {
            "Vec" | "VecDeque" | "LinkedList" | "HashSet" | "BTreeSet" => {
                let wrap = |list: String| match name {
                    "Vec" => format!("vec!{list}"),
                    _ => format!("{list}.into_iter().collect()"),
                };
                let lists = lists(&inner(0)).into_iter().map(wrap).collect::<Vec<_>>();
                let empty = if name == "Vec" { "Vec::new()" } else { "Default::default()" };
                std::iter::once(empty.to_owned()).chain(lists).collect()
            }
            "HashMap" | "BTreeMap" => {
                let pair = inner(0).into_iter().nth(1).zip(inner(1).into_iter().nth(1));
                let one =
                    pair.map(|(key, value)| format!("[({key}, {value})].into_iter().collect()"));
                std::iter::once("Default::default()".to_owned()).chain(one).collect()
            }
            "Option" => {
                let some = inner(0).into_iter().take(4).map(|value| format!("Some({value})"));
                some.chain(["None".to_owned()]).collect()
            }
            "Result" => inner(0).into_iter().take(3).map(|value| format!("Ok({value})")).collect(),
            "Box" | "Rc" | "Arc" | "RefCell" | "Cell" | "Mutex" => {
                inner(0).into_iter().take(3).map(|value| format!("{name}::new({value})")).collect()
            }
            "Cow" => {
                self.at("&str", depth + 1).iter().map(|value| format!("{value}.into()")).collect()
            }
            _ => self.made(name, depth),
        }
    }

    /// Values of a type without parts.
    fn plain(&self, kind: &str) -> Option<Vec<String>> {
        let texts = || {
            let mut texts: Vec<String> = ["\"\"", "\"a\"", "\"Hello, World\"", "\" two words \""]
                .map(str::to_owned)
                .to_vec();
            texts.extend(self.strings.iter().map(|text| format!("{text:?}")));
            texts
        };
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        Some(match kind {
            "bool" => owned(&["true", "false"]),
            "char" => owned(&["'a'", "'Z'", "'0'", "' '", "'é'"]),
            "f32" | "f64" => owned(&["0.0", "1.5", "-2.0", "100.0"]),
            "String" | "impl Into<String>" => {
                texts().iter().map(|text| format!("String::from({text})")).collect()
            }
            "&str" | "impl AsRef<str>" | "impl ToString" | "impl Display" | "&impl AsRef<str>" => {
                texts()
            }
            "Duration" => owned(&["std::time::Duration::from_secs(1)"]),
            "PathBuf" => owned(&["std::path::PathBuf::from(\"a/b.txt\")"]),
            "&Path" | "impl AsRef<Path>" => owned(&["std::path::Path::new(\"a/b.txt\")"]),
            "()" => owned(&["()"]),
            "Self" => return None,
            _ => return self.integers_of(kind),
        })
    }

    fn integers_of(&self, kind: &str) -> Option<Vec<String>> {
        let (low, high): (i128, i128) = match kind {
            "u8" => (0, u8::MAX.into()),
            "u16" => (0, u16::MAX.into()),
            "u32" => (0, u32::MAX.into()),
            "u64" | "usize" | "u128" => (0, u64::MAX.into()),
            "i8" => (i8::MIN.into(), i8::MAX.into()),
            "i16" => (i16::MIN.into(), i16::MAX.into()),
            "i32" => (i32::MIN.into(), i32::MAX.into()),
            "i64" | "isize" | "i128" => (i64::MIN.into(), i64::MAX.into()),
            _ => return None,
        };
        let mut numbers: Vec<i128> = vec![0, 1, 2, -1];
        numbers.extend(self.integers.iter().flat_map(|c| [c - 1, *c, c + 1]));
        numbers.push(7);
        let mut seen = Vec::new();
        for number in numbers {
            if (low..=high).contains(&number) && !seen.contains(&number) {
                seen.push(number);
            }
        }
        Some(seen.iter().map(i128::to_string).collect())
    }

    fn borrowed(&self, mark: &str, inner: &str, depth: usize) -> Vec<String> {
        if let Some(kind) = inner.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'))
            && !kind.contains(';')
        {
            let lists = lists(&self.at(kind, depth + 1));
            return std::iter::once("[]".to_owned())
                .chain(lists)
                .map(|list| format!("{mark}{list}"))
                .collect();
        }
        self.at(inner, depth + 1).into_iter().map(|value| format!("{mark}{value}")).collect()
    }

    fn tuple(&self, kinds: &[String], depth: usize) -> Vec<String> {
        let values: Vec<Vec<String>> = kinds.iter().map(|kind| self.at(kind, depth + 1)).collect();
        if values.iter().any(Vec::is_empty) {
            return Vec::new();
        }
        let end = if kinds.len() == 1 { ",)" } else { ")" };
        (0..3)
            .map(|turn| {
                let parts: Vec<&str> = values
                    .iter()
                    .enumerate()
                    .map(|(at, of)| of[(turn + at) % of.len()].as_str())
                    .collect();
                format!("({}{end}", parts.join(", "))
            })
            .collect()
    }

    fn made(&self, name: &str, depth: usize) -> Vec<String> {
        if depth > MAX_DEPTH {
            return Vec::new();
        }
        let Some(item) = self.items.iter().find(|item| {
            item.name == name && matches!(item.kind, ItemKind::Class | ItemKind::Enum) && !item.test
        }) else {
            return Vec::new();
        };
        let signature = item.signature.of(self.text).unwrap_or_default();
        if signature.contains('<') {
            return Vec::new();
        }
        let mut found: Vec<String> = self.constructed(name, depth).into_iter().collect();
        let whole = item.span.of(self.text).unwrap_or_default();
        let head = whole.split(['{', '(', ';']).next().unwrap_or_default();
        let derives = whole.get(..whole.len().min(400)).unwrap_or(head);
        let has_default = (derives.contains("#[derive(") && derives.contains("Default"))
            || self.text.contains(&format!("impl Default for {name}"));
        if has_default {
            found.push(format!("{name}::default()"));
        }
        found.extend(self.literals(item, depth));
        found
    }

    /// By an associated function that gives the type itself: `new` first.
    fn constructed(&self, name: &str, depth: usize) -> Option<String> {
        let makes = |item: &&Item| {
            item.kind.is_function() && item.owner.as_deref() == Some(name) && !item.test
        };
        let mut makers: Vec<&Item> = self.items.iter().filter(makes).collect();
        makers.sort_by_key(|item| item.name != "new");
        makers.iter().find_map(|maker| {
            let signature = signature::read(maker, self.text).ok()?;
            let gives = signature.result == "Self" || signature.result == name;
            if signature.receiver.is_some() || !gives {
                return None;
            }
            let arguments: Option<Vec<String>> =
                signature.parameters.iter().map(|kind| self.telling(kind, depth + 1)).collect();
            Some(format!("{name}::{}({})", maker.name, arguments?.join(", ")))
        })
    }

    /// The second value where there are several: neither empty nor zero.
    fn telling(&self, kind: &str, depth: usize) -> Option<String> {
        let mut values = self.at(kind, depth);
        if values.len() > 1 { Some(values.swap_remove(1)) } else { values.pop() }
    }

    /// A literal of a struct, or the first variants of an enum that need few values.
    fn literals(&self, item: &Item, depth: usize) -> Vec<String> {
        let body = item.body.and_then(|body| body.of(self.text)).unwrap_or_default();
        let inner = body.trim().trim_start_matches('{').trim_end_matches('}');
        let parts = split(&without_comments(inner));
        if item.kind == ItemKind::Enum {
            let variant = |part: &String| {
                let part = part.rsplit(']').next().unwrap_or_default().trim().to_owned();
                let part = part.split('=').next().unwrap_or_default().trim().to_owned();
                let plain = part.chars().all(is_word);
                (plain && !part.is_empty()).then(|| format!("{}::{part}", item.name))
            };
            return parts.iter().filter_map(variant).take(4).collect();
        }
        let after = Span::new(item.name_span.end, item.span.end.max(item.name_span.end));
        let after = after.of(self.text).unwrap_or_default().trim_start();
        if let Some(list) = after.strip_prefix('(') {
            let list = list.rsplit_once(')').map_or(list, |(list, _)| list);
            let value = |part: &String| {
                let kind = part.strip_prefix("pub ").unwrap_or(part);
                self.telling(kind, depth + 1)
            };
            let values: Option<Vec<String>> = split(list).iter().map(value).collect();
            return values
                .map(|v| format!("{}({})", item.name, v.join(", ")))
                .into_iter()
                .collect();
        }
        if body.is_empty() {
            return vec![item.name.clone()];
        }
        let fields: Option<Vec<String>> = parts
            .iter()
            .map(|part| {
                let (name, kind) = part.split_once(':')?;
                let name = name.split_whitespace().last()?;
                Some(format!("{name}: {}", self.telling(kind, depth + 1)?))
            })
            .collect();
        fields.map(|f| format!("{} {{ {} }}", item.name, f.join(", "))).into_iter().collect()
    }
}

/// Lists of one, three and two equal values.
fn lists(values: &[String]) -> Vec<String> {
    let pick = |at: usize| values.get(at % values.len().max(1)).cloned().unwrap_or_default();
    if values.is_empty() {
        return Vec::new();
    }
    vec![
        format!("[{}]", pick(1)),
        format!("[{}, {}, {}]", pick(2), pick(0), pick(1)),
        format!("[{}, {}]", pick(1), pick(1)),
    ]
}

/// `Vec<u8>` → `Vec`, `[u8]`; a path's last part counts.
fn generic(kind: &str) -> (&str, Vec<String>) {
    let (path, arguments) = match kind.split_once('<') {
        Some((path, rest)) => (path, split(rest.strip_suffix('>').unwrap_or(rest))),
        None => (kind, Vec::new()),
    };
    (path.rsplit("::").next().unwrap_or(path).trim(), arguments)
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The integers written in a body, small ones only, without repetitions.
fn integers(body: &str) -> Vec<i128> {
    let mut found = Vec::new();
    let boundary = |c: char| !(is_word(c) || c == '.');
    for word in body.split(boundary) {
        let digits = word.trim_end_matches(|c: char| c.is_alphabetic()).replace('_', "");
        if let Ok(number) = digits.parse::<i128>()
            && number.abs() <= 1_000_000
            && !found.contains(&number)
        {
            found.push(number);
        }
    }
    found.truncate(3);
    found
}

/// The short strings written in a body, and texts that a separator among them splits.
fn strings(body: &str) -> Vec<String> {
    let mut found = Vec::new();
    for quoted in body.split('"').skip(1).step_by(2) {
        let plain = !quoted.contains(['\\', '{', '\n']) && quoted.len() <= 20;
        if plain && !quoted.is_empty() && !found.iter().any(|text| text == quoted) {
            found.push(quoted.to_owned());
        }
    }
    let mut marks: Vec<String> = found.iter().filter(|text| text.len() <= 2).cloned().collect();
    for quoted in body.split('\'').skip(1).step_by(2) {
        let is_mark = quoted.chars().count() == 1 && !quoted.chars().all(char::is_alphanumeric);
        if is_mark && !marks.iter().any(|mark| mark == quoted) {
            marks.push(quoted.to_owned());
        }
    }
    found.splice(0..0, marks.iter().take(2).map(|mark| format!("a{mark}1")));
    found.truncate(4);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::outline::items;
    use crate::syntax::{Language, SyntaxTree};

    fn values(text: &str, function: &str, kind: &str) -> Vec<String> {
        let tree = SyntaxTree::parse(Language::named("rust").unwrap(), text);
        let items = items(&tree, text);
        let item = items.iter().find(|item| item.name == function).unwrap();
        Values::new(&items, text, item).of(kind)
    }

    #[test]
    fn constants_of_the_body_are_tried() {
        let text = "fn f(x: u8) -> bool { x > 255 || x == 9 }";
        assert_eq!(values(text, "f", "u8"), ["0", "1", "2", "254", "255", "8", "9", "10", "7"]);
        assert!(values(text, "f", "i32").contains(&"-1".to_owned()));
    }

    #[test]
    fn a_separator_gives_a_text_that_it_splits() {
        let text = "fn f(x: &str) -> Option<(&str, &str)> { x.split_once('=') }";
        assert!(values(text, "f", "&str").contains(&"\"a=1\"".to_owned()));
    }

    #[test]
    fn types_are_taken_apart() {
        let of = |kind: &str| values("fn f() {}", "f", kind);
        assert_eq!(of("&[u32]"), ["&[]", "&[1]", "&[2, 0, 1]", "&[1, 1]"]);
        assert_eq!(of("Option<bool>"), ["Some(true)", "Some(false)", "None"]);
        assert_eq!(of("&mut Vec<bool>")[1], "&mut vec![false]");
        assert_eq!(of("(bool, bool)")[0], "(true, false)");
        assert_eq!(of("Unknown"), Vec::<String>::new());
        assert!(of(&("Vec<".repeat(50) + "u8" + &">".repeat(50))).len() <= 4);
    }

    #[test]
    fn types_of_the_file_are_made() {
        let text = "pub struct Item { pub name: String, price: u64 }\n\
            impl Item { pub fn new(price: u64) -> Self { todo(price) } }\n\
            #[derive(Default)] struct Cart;\n\
            struct Pair(u8, bool);\n\
            enum Kind { One, Two(u8), Three }\nfn f() {}";
        let of = |kind: &str| values(text, "f", kind);
        assert_eq!(of("Item"), ["Item::new(1)", "Item { name: String::from(\"a\"), price: 1 }"]);
        assert_eq!(of("&Cart"), ["&Cart::default()", "&Cart"]);
        assert_eq!(of("Pair"), ["Pair(1, false)"]);
        assert_eq!(of("Kind"), ["Kind::One", "Kind::Three"]);
    }
}
