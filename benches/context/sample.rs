//! Masked lines: which lines are drawn, and what of each the context is asked for.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use agent::syntax::{Language, SyntaxTree, imports, scope};
use agent::text::Span;

/// One masked line.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// The file, relative to the repository.
    pub(crate) path: PathBuf,
    /// Its text without the line; an empty line with the indentation is left.
    pub(crate) text: String,
    /// The cursor: the end of that indentation.
    pub(crate) offset: usize,
    /// Its identifiers, each once, and whether the masked file has none of that name.
    pub(crate) wanted: Vec<(String, bool)>,
}

/// A generator that gives the same numbers everywhere (`SplitMix64`; Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// The words of a text: what an identifier could be.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

/// `count` lines of the files, drawn evenly from all lines of ordinary code: none of an import, a
/// comment or a string, and with an identifier of at least three characters that is no keyword
/// and nothing built in.
pub(crate) fn draw(files: &[(PathBuf, String)], count: usize, seed: u64) -> Vec<Sample> {
    let mut all: Vec<(usize, usize, Vec<String>)> = Vec::new();
    for (file, (path, text)) in files.iter().enumerate() {
        let lines = eligible(path, text);
        all.extend(lines.into_iter().map(|(line, names)| (file, line, names)));
    }
    let mut random = Random(seed);
    // Fisher and Yates, as far as needed.
    let count = count.min(all.len());
    for at in 0..count {
        let other = at + random.below(all.len() - at);
        all.swap(at, other);
    }
    all.truncate(count);
    all.into_iter()
        .map(|(file, line, names)| {
            let (path, text) = &files[file];
            mask(path, text, line, names)
        })
        .collect()
}

fn mask(path: &Path, text: &str, line: usize, names: Vec<String>) -> Sample {
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &text[start..];
    let length = rest.find('\n').unwrap_or(rest.len());
    let whole = &rest[..length];
    let indentation = whole.len() - whole.trim_start().len();
    let masked = format!("{}{}", &text[..start + indentation], &text[start + length..]);
    let held: HashSet<&str> = words(&masked).collect();
    let wanted = names.into_iter().map(|name| (!held.contains(name.as_str()), name));
    Sample {
        path: path.to_owned(),
        offset: start + indentation,
        wanted: wanted.map(|(fresh, name)| (name, fresh)).collect(),
        text: masked,
    }
}

/// The lines of a file that may be drawn, with their identifiers.
fn eligible(path: &Path, text: &str) -> Vec<(usize, Vec<String>)> {
    let Some(language) = Language::of_path(path) else { return Vec::new() };
    let tree = SyntaxTree::parse(language, text);
    let all = Span::new(0, text.len());
    let literals = scope::literals(&tree, text, all);
    let imports = imports::imports(&tree, text);
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut names: HashMap<usize, BTreeSet<String>> = HashMap::new();
    for (name, span) in scope::identifiers(&tree, text, all) {
        if name.chars().count() < 3 || is_built_in(language, name) {
            continue;
        }
        let line = starts.partition_point(|start| *start <= span.start) - 1;
        names.entry(line).or_default().insert(name.to_owned());
    }
    let mut out: Vec<(usize, Vec<String>)> = names
        .into_iter()
        .filter(|(line, _)| {
            let start = starts[*line];
            let end = starts.get(line + 1).map_or(text.len(), |next| next - 1);
            let first = end - text[start..end].trim_start().len();
            let imported = imports.iter().any(|import| import.span.touches(first));
            let literal = literals.iter().any(|span| span.start <= first && first < span.end);
            !imported && !literal
        })
        .map(|(line, names)| (line, names.into_iter().collect()))
        .collect();
    out.sort_unstable();
    out
}

/// Keywords and what every file has without an import.
pub(crate) fn is_built_in(language: Language, name: &str) -> bool {
    let list = match language.name() {
        "rust" => RUST,
        "python" => PYTHON,
        _ => "",
    };
    list.split_ascii_whitespace().any(|word| word == name)
}

const RUST: &str = "as async await break const continue crate dyn else enum extern false fn for if \
    impl in let loop match mod move mut pub ref return self Self static struct super trait true \
    type union unsafe use where while abstract become box do final macro override priv try typeof \
    unsized virtual yield bool char str u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 \
    Some None Ok Err Option Result Vec String Box Copy Send Sync Sized Drop Fn FnMut FnOnce drop \
    ToOwned Clone PartialEq PartialOrd Eq Ord AsRef AsMut Into From Default Iterator Extend \
    IntoIterator DoubleEndedIterator ExactSizeIterator ToString TryFrom TryInto FromIterator \
    println print eprintln eprint format vec panic assert assert_eq assert_ne debug_assert write \
    writeln matches derive Debug Hash cfg test allow todo unreachable unimplemented";

const PYTHON: &str = "False None True and as assert async await break class continue def del elif \
    else except finally for from global if import in is lambda nonlocal not or pass raise return \
    try while with yield match case type self cls abs aiter all anext any ascii bin bool \
    breakpoint bytearray bytes callable chr classmethod compile complex delattr dict dir divmod \
    enumerate eval exec filter float format frozenset getattr globals hasattr hash help hex id \
    input int isinstance issubclass iter len list locals map max memoryview min next object oct \
    open ord pow print property range repr reversed round set setattr slice sorted staticmethod \
    str sum super tuple vars zip __import__ __name__ __file__ __init__ Exception BaseException \
    ValueError TypeError KeyError IndexError AttributeError RuntimeError NotImplementedError \
    StopIteration OSError IOError ImportError AssertionError Ellipsis NotImplemented";
