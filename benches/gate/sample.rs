//! Places to complete at: real files, whole and with a hole at the cursor, healthy and broken.

use std::path::{Path, PathBuf};
use std::process::Command;

use agent::syntax::Language;

/// Larger files are left out: each sample keeps one.
const MOST_BYTES: usize = 200_000;
/// How far from the cursor a file is broken, in lines.
const NEAR: usize = 20;

/// One place.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// The file, relative to its work tree.
    pub(crate) path: PathBuf,
    pub(crate) language: Language,
    /// The text as the editor has it.
    pub(crate) text: String,
    /// The cursor.
    pub(crate) offset: usize,
    /// What was taken out at the cursor and everything behind it, if anything was.
    pub(crate) truth: Option<String>,
    /// Whether something was broken on purpose.
    pub(crate) broken: bool,
}

/// A generator that gives the same numbers everywhere (`SplitMix64`; Steele, Lea, Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// The files of a work tree in a language that is known: those of git, or all where there is none.
pub(crate) fn files(root: &Path) -> Vec<(PathBuf, Language, String)> {
    let listed = Command::new("git").arg("-C").arg(root).arg("ls-files").output();
    let names: Vec<PathBuf> = match listed {
        Ok(listed) if listed.status.success() && !listed.stdout.is_empty() => {
            String::from_utf8_lossy(&listed.stdout).lines().map(PathBuf::from).collect()
        }
        _ => walk(root),
    };
    let mut files: Vec<_> = names
        .into_iter()
        .filter_map(|path| {
            let language = Language::of_path(&path)?;
            let text = std::fs::read_to_string(root.join(&path)).ok()?;
            (text.len() <= MOST_BYTES && text.lines().count() > 5).then_some((path, language, text))
        })
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

fn walk(root: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(path) = path.strip_prefix(root) {
                out.push(path.to_owned());
            }
        }
    }
    out
}

/// `count` places in `files`, lines drawn evenly.
pub(crate) fn draw(
    files: &[(PathBuf, Language, String)],
    count: usize,
    random: &mut Random,
) -> Vec<Sample> {
    let mut lines = Vec::new();
    for (file, (_, _, text)) in files.iter().enumerate() {
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            if !line.trim().is_empty() {
                lines.push((file, start, line.trim_end_matches(['\n', '\r']).len()));
            }
            start += line.len();
        }
    }
    (0..count)
        .map(|_| {
            let (file, start, length) = lines[random.below(lines.len())];
            let (path, language, text) = &files[file];
            place((path, *language, text), start, start + length, random)
        })
        .collect()
}

fn place(
    (path, language, text): (&Path, Language, &str),
    start: usize,
    end: usize,
    random: &mut Random,
) -> Sample {
    let line = &text[start..end];
    let indent = line.len() - line.trim_start().len();
    // Between words, from the first character of the line to behind its last.
    let bounds: Vec<usize> = (start + indent..=end)
        .filter(|at| {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            text.is_char_boundary(*at)
                && !(text[..*at].ends_with(word) && text[*at..].starts_with(word))
        })
        .collect();
    let at = bounds[random.below(bounds.len())];
    // Nothing taken out; the rest of the line; the line.
    let (from, to) = match random.below(3) {
        0 => (at, at),
        1 => (at, end),
        _ => (start + indent, end),
    };
    let mut sample = Sample {
        path: path.to_owned(),
        language,
        text: [&text[..from], &text[to..]].concat(),
        offset: from,
        truth: (to > from).then(|| text[from..].to_owned()),
        broken: false,
    };
    if random.below(2) == 0 {
        sample.broken = damage(&mut sample, random);
    }
    sample
}

/// Takes out a bracket or a quote near the cursor, or the end of a word, as happens in typing.
fn damage(sample: &mut Sample, random: &mut Random) -> bool {
    let text = &sample.text;
    let above = text[..sample.offset].rmatch_indices('\n').map(|(at, _)| at);
    let from = above.clone().nth(NEAR).unwrap_or(0);
    let line_start = above.clone().next().map_or(0, |at| at + 1);
    let below = text[sample.offset..].match_indices('\n').map(|(at, _)| sample.offset + at);
    let line_end = below.clone().next().unwrap_or(text.len());
    let to = below.clone().nth(NEAR).unwrap_or(text.len());
    let kind = random.below(3);
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let places: Vec<usize> = text[from..to]
        .char_indices()
        .map(|(at, c)| (from + at, c))
        .filter(|(at, c)| {
            let fits = match kind {
                0 => "()[]{}".contains(*c),
                1 => "\"'`".contains(*c),
                _ => word(*c) && text[..*at].ends_with(word),
            };
            fits && !(line_start..=line_end).contains(at)
        })
        .map(|(at, _)| at)
        .collect();
    if places.is_empty() {
        return false;
    }
    let at = places[random.below(places.len())];
    let rest = &text[at..];
    let length = match kind {
        0 | 1 => rest.chars().next().map_or(0, char::len_utf8),
        _ => rest.find(|c: char| !word(c)).unwrap_or(rest.len()),
    };
    if at < sample.offset {
        sample.offset -= length;
    }
    sample.text.replace_range(at..at + length, "");
    true
}
