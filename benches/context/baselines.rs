//! What other products send, by the descriptions of their sources, and plain BM25.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};

use crate::sample::{Random, Sample, words};
use crate::tokens::Tokens;

/// Lines of a chunk of plain BM25.
const CHUNK: usize = 40;

/// A piece of another file.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// Chunks that can be searched (Okapi BM25, k1 = 1.2, b = 0.75; Robertson and Zaragoza 2009).
#[derive(Debug, Default)]
pub(crate) struct Bm25 {
    chunks: Vec<(Chunk, usize)>,
    postings: HashMap<String, Vec<(usize, f64)>>,
    total: usize,
}

impl Bm25 {
    fn add(&mut self, path: &Path, text: &str) {
        let mut counts: HashMap<&str, f64> = HashMap::new();
        let mut length = 0;
        for word in words(text) {
            *counts.entry(word).or_default() += 1.0;
            length += 1;
        }
        let id = self.chunks.len();
        for (word, count) in counts {
            self.postings.entry(word.to_owned()).or_default().push((id, count));
        }
        self.total += length;
        self.chunks.push((Chunk { path: path.to_owned(), text: text.to_owned() }, length));
    }

    /// Every file in chunks of 40 lines.
    pub(crate) fn by_lines(files: &[(PathBuf, String)]) -> Self {
        let mut out = Self::default();
        for (path, text) in files {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            for chunk in lines.chunks(CHUNK) {
                out.add(path, &chunk.concat());
            }
        }
        out
    }

    /// Every file in chunks of whole lines of about so many characters.
    pub(crate) fn by_characters(files: &[(PathBuf, String)], characters: usize) -> Self {
        let mut out = Self::default();
        for (path, text) in files {
            let mut chunk = String::new();
            for line in text.split_inclusive('\n') {
                if !chunk.is_empty() && chunk.len() + line.len() > characters {
                    out.add(path, &chunk);
                    chunk.clear();
                }
                chunk.push_str(line);
            }
            if !chunk.trim().is_empty() {
                out.add(path, &chunk);
            }
        }
        out
    }

    /// The best chunks of other files than `own` for the words of `query`, best first.
    pub(crate) fn search(&self, query: &str, own: &Path, most: usize) -> Vec<(f64, &Chunk)> {
        let mean = self.total as f64 / self.chunks.len().max(1) as f64;
        let mut scores: HashMap<usize, f64> = HashMap::new();
        let distinct: HashSet<&str> = words(query).collect();
        for word in distinct {
            let Some(found) = self.postings.get(word) else { continue };
            let (n, all) = (found.len() as f64, self.chunks.len() as f64);
            let idf = (1.0 + (all - n + 0.5) / (n + 0.5)).ln();
            for (id, count) in found {
                let (chunk, length) = &self.chunks[*id];
                if chunk.path == own {
                    continue;
                }
                let norm = 1.2 * (0.25 + 0.75 * *length as f64 / mean);
                *scores.entry(*id).or_default() += idf * count * 2.2 / (count + norm);
            }
        }
        let mut ranked: Vec<(f64, usize)> =
            scores.into_iter().map(|(id, score)| (score, id)).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        ranked.truncate(most);
        ranked.into_iter().map(|(score, id)| (score, &self.chunks[id].0)).collect()
    }
}

/// The text before the cursor and after it.
pub(crate) fn halves(sample: &Sample) -> (&str, &str) {
    sample.text.split_at(sample.offset)
}

/// The last lines of a text.
fn last_lines(text: &str, count: usize) -> &str {
    let mut at = text.len();
    for _ in 0..=count {
        match text[..at].rfind('\n') {
            Some(newline) => at = newline,
            None => return text,
        }
    }
    &text[at + 1..]
}

/// The first lines of a text.
fn first_lines(text: &str, count: usize) -> &str {
    let end = text.match_indices('\n').nth(count).map_or(text.len(), |(at, _)| at + 1);
    &text[..end]
}

/// The file around the cursor in whole lines within `budget` tokens: three quarters before the
/// cursor and one after it, as llama.cpp's `/infill` shares its batch; what one side leaves goes
/// to the other.
pub(crate) fn window(sample: &Sample, budget: usize, tokens: &mut Tokens) -> (String, usize) {
    let (prefix, suffix) = halves(sample);
    let before: Vec<usize> =
        prefix.split_inclusive('\n').rev().map(|line| tokens.of_line(line)).collect();
    let after: Vec<usize> = suffix.split_inclusive('\n').map(|line| tokens.of_line(line)).collect();
    let all_after: usize = after.iter().sum();
    let all_before: usize = before.iter().sum();
    let for_after = (budget / 4).max(budget.saturating_sub(all_before)).min(all_after);
    let (lines_before, used_before) = fitting(&before, budget - for_after);
    let (lines_after, used_after) = fitting(&after, budget - used_before);
    let skipped = before.len() - lines_before;
    let text: String = prefix
        .split_inclusive('\n')
        .skip(skipped)
        .chain(suffix.split_inclusive('\n').take(lines_after))
        .collect();
    (text, used_before + used_after)
}

fn fitting(costs: &[usize], budget: usize) -> (usize, usize) {
    let mut used = 0;
    for (at, cost) in costs.iter().enumerate() {
        if used + cost > budget {
            return (at, used);
        }
        used += cost;
    }
    (costs.len(), used)
}

/// What stands around the file in a prompt: its path, the repository's name, markers.
fn header(sample: &Sample, tokens: &mut Tokens) -> (String, usize) {
    let path = format!("{}\n", sample.path.display());
    let cost = tokens.count(&path) + 8;
    (path, cost)
}

/// Window only.
pub(crate) fn file_only(sample: &Sample, budget: usize, tokens: &mut Tokens) -> String {
    let (path, cost) = header(sample, tokens);
    path + &window(sample, budget - cost, tokens).0
}

/// The window gets half of the budget (what it does not need goes to the chunks), the chunks fill
/// the rest in order; the last one is cut at a line.
fn with_chunks<'a>(
    sample: &Sample,
    budget: usize,
    share: f64,
    chunks: impl IntoIterator<Item = &'a Chunk>,
    tokens: &mut Tokens,
) -> String {
    let (mut out, cost) = header(sample, tokens);
    let budget = budget - cost;
    let (text, used) = window(sample, (budget as f64 * share) as usize, tokens);
    out.push_str(&text);
    let mut left = budget - used;
    for chunk in chunks {
        let path = format!("{}\n", chunk.path.display());
        let cost = tokens.count(&path) + 1;
        if cost + 8 > left {
            break;
        }
        left -= cost;
        out.push_str(&path);
        for line in chunk.text.split_inclusive('\n') {
            let cost = tokens.of_line(line);
            if cost > left {
                return out;
            }
            left -= cost;
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// The lines whose words are searched for: 20 before the cursor and 10 after it.
fn query(sample: &Sample) -> String {
    let (prefix, suffix) = halves(sample);
    last_lines(prefix, 20).to_owned() + first_lines(suffix, 10)
}

/// Plain BM25 over chunks of 40 lines.
pub(crate) fn bm25(
    sample: &Sample,
    budget: usize,
    share: f64,
    index: &Bm25,
    tokens: &mut Tokens,
) -> String {
    let found = index.search(&query(sample), &sample.path, 64);
    with_chunks(sample, budget, share, found.into_iter().map(|(_, chunk)| chunk), tokens)
}

/// Tabby: 20 lines before and after the cursor, at most 1536 characters; snippets by BM25 of at
/// least 8.0, in all 768 characters, before the prefix. The declarations that its client asks a
/// language server for are left out.
pub(crate) fn tabby(sample: &Sample, budget: usize, index: &Bm25, tokens: &mut Tokens) -> String {
    let (prefix, suffix) = halves(sample);
    let (prefix, suffix) = (last_lines(prefix, 20), first_lines(suffix, 20));
    let mut snippets = String::new();
    let found = index.search(prefix, &sample.path, 20);
    let searched = found
        .iter()
        .filter(|(score, _)| *score >= 8.0)
        .map(|(_, chunk)| (chunk.path.as_path(), chunk.text.as_str()));
    let mut left: usize = 768;
    for (path, text) in searched {
        // A snippet that does not fit is left out, not cut.
        if text.chars().count() > left {
            continue;
        }
        left -= text.chars().count();
        snippets.extend(["// Path: ", &path.to_string_lossy(), "\n", text, "\n"]);
    }
    let room = 1536_usize.saturating_sub(snippets.chars().count());
    let skip = prefix.chars().count().saturating_sub(room);
    let prefix: String = prefix.chars().skip(skip).collect();
    let text = snippets + &prefix + suffix;
    cut(&text, budget, tokens)
}

fn cut(text: &str, budget: usize, tokens: &mut Tokens) -> String {
    let mut left = budget;
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let cost = tokens.of_line(line);
        if cost > left {
            break;
        }
        left -= cost;
        out.push_str(line);
    }
    out
}

/// llama.vim's ring: 16 chunks of at most 64 lines around places that were visited, none more than
/// 0.9 alike to a newer one, none more than 0.5 alike to the text at the cursor; where they do not
/// all fit the newest stay. `visited` is the files of the session, latest first: of each, the
/// surroundings of the random place where the cursor was when it was entered and when it was left.
pub(crate) fn ring(
    sample: &Sample,
    budget: usize,
    visited: &[(&Path, &str)],
    random: &mut Random,
    tokens: &mut Tokens,
) -> String {
    let mut ring: VecDeque<Chunk> = VecDeque::new();
    for (path, text) in visited.iter().take(16).rev() {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        if lines.is_empty() {
            continue;
        }
        for _ in 0..2 {
            let at = random.below(lines.len());
            let part = &lines[at.saturating_sub(32)..(at + 32).min(lines.len())];
            // A piece of less than three lines is not kept.
            if part.len() < 3 {
                continue;
            }
            let new = Chunk { path: path.to_path_buf(), text: part.concat() };
            ring.retain(|old| similarity(&old.text, &new.text) <= 0.9);
            ring.push_back(new);
            if ring.len() > 16 {
                ring.pop_front();
            }
        }
    }
    let (prefix, suffix) = halves(sample);
    let here = last_lines(prefix, 32).to_owned() + first_lines(suffix, 32);
    ring.retain(|chunk| similarity(&chunk.text, &here) <= 0.5);
    with_chunks(sample, budget, 0.5, ring.iter().rev(), tokens)
}

/// 2 · common words / all, as llama.vim compares chunks.
fn similarity(a: &str, b: &str) -> f64 {
    let (a, b): (HashSet<&str>, HashSet<&str>) = (words(a).collect(), words(b).collect());
    2.0 * a.intersection(&b).count() as f64 / (a.len() + b.len()).max(1) as f64
}
