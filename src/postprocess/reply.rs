//! Code blocks of a chat reply.

use crate::syntax::Language;

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeBlock {
    /// The language named after the fence, in lower case; empty where none is.
    pub language: String,
    /// The lines between the fences, each ended by a newline, less the fence's own indentation.
    pub text: String,
    /// Whether the closing fence was there: without it the reply was cut off.
    pub closed: bool,
}

/// The fenced blocks of `reply` in order, by the rules of `CommonMark` for fences. What a
/// reasoning model thinks aloud before its answer (`<think>…</think>`) is not part of the reply.
pub fn code_blocks(reply: &str) -> Vec<CodeBlock> {
    let mut blocks = Vec::new();
    let mut open: Option<(Fence<'_>, CodeBlock)> = None;
    for line in answer(reply).lines() {
        match &mut open {
            None => {
                open = Fence::opened_by(line).map(|fence| {
                    let language = language(fence.info);
                    (fence, CodeBlock { language, text: String::new(), closed: false })
                });
            }
            Some((fence, _)) if fence.is_closed_by(line) => {
                blocks.extend(open.take().map(|(_, block)| CodeBlock { closed: true, ..block }));
            }
            Some((fence, block)) => {
                block.text.push_str(without_indent(line, fence.indent));
                block.text.push('\n');
            }
        }
    }
    blocks.extend(open.map(|(_, block)| block));
    blocks
}

/// The code that `reply` offers in `language`: the first block tagged with it or one of its kin,
/// else the longest without a tag; a reply without any fence is taken as code whole. `None` where
/// nothing is offered.
pub fn code(reply: &str, language: Language) -> Option<String> {
    let blocks = code_blocks(reply);
    if blocks.is_empty() {
        let whole = answer(reply).trim_matches(['\r', '\n']).trim_end();
        return (!whole.trim().is_empty()).then(|| format!("{whole}\n"));
    }
    let tagged = |block: &&CodeBlock| {
        let tag = block.language.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let mut kin = Language::all().iter().filter(|other| other.is_kin(language));
        kin.any(|other| other.is_called(tag))
    };
    let written = |block: &&CodeBlock| !block.text.trim().is_empty();
    let untagged = || blocks.iter().filter(|block| block.language.is_empty());
    blocks
        .iter()
        .filter(written)
        .find(tagged)
        .or_else(|| untagged().filter(written).max_by_key(|block| block.text.len()))
        .map(|block| block.text.clone())
}

/// `reply` after the thoughts that may stand before it. Thoughts that never end leave nothing.
fn answer(reply: &str) -> &str {
    let trimmed = reply.trim_start();
    if !trimmed.starts_with("<think>") {
        return reply;
    }
    trimmed.split_once("</think>").map_or("", |(_, answer)| answer)
}

struct Fence<'a> {
    mark: char,
    length: usize,
    indent: usize,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn opened_by(line: &'a str) -> Option<Self> {
        let rest = line.trim_start_matches([' ', '\t']);
        let indent = line.len() - rest.len();
        let mark = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = rest.trim_start_matches(mark);
        let length = rest.len() - info.len();
        // A line of code in backticks within a sentence is not a fence.
        let opens = length >= 3 && !(mark == '`' && info.contains('`'));
        opens.then_some(Self { mark, length, indent, info })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.chars().count() >= self.length && line.chars().all(|c| c == self.mark)
    }
}

/// `rust`, `rust,ignore`, `rust title="x"` and `{.rust}` all name Rust.
fn language(info: &str) -> String {
    info.trim()
        .trim_start_matches(['{', '.'])
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '}' | '{' | ':'))
        .next()
        .unwrap_or_default()
        .to_lowercase()
}

fn without_indent(line: &str, indent: usize) -> &str {
    let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
    line.get(blank.min(indent)..).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(name: &str) -> Language {
        Language::named(name).unwrap()
    }

    fn texts(reply: &str) -> Vec<String> {
        code_blocks(reply).into_iter().map(|block| block.text).collect()
    }

    #[test]
    fn every_block_comes_with_its_language() {
        let reply = "Here:\n\n```rust\nfn a() {}\n```\nand\n~~~ Python title=x\nb = 1\n\n~~~\n";
        let blocks = code_blocks(reply);
        assert_eq!(blocks.iter().map(|b| &*b.language).collect::<Vec<_>>(), ["rust", "python"]);
        assert_eq!(texts(reply), ["fn a() {}\n", "b = 1\n\n"]);
        assert!(blocks.iter().all(|block| block.closed));
    }

    #[test]
    fn a_reply_that_is_cut_off_keeps_its_block() {
        let blocks = code_blocks("```rust\nfn a() {");
        assert_eq!(blocks[0].text, "fn a() {\n");
        assert!(!blocks[0].closed);
    }

    #[test]
    fn a_longer_fence_holds_a_shorter_one() {
        assert_eq!(texts("````md\n```rust\nx\n```\n````\n"), ["```rust\nx\n```\n"]);
    }

    #[test]
    fn a_doc_comment_with_a_fence_does_not_end_the_block() {
        let reply = "```rust\n/// ```\n/// a();\n/// ```\nfn a() {}\n```\n";
        assert_eq!(texts(reply), ["/// ```\n/// a();\n/// ```\nfn a() {}\n"]);
    }

    #[test]
    fn a_block_in_a_list_loses_the_indentation_of_its_fence() {
        assert_eq!(texts("1. Do\n   ```py\n   if a:\n       b\n   ```\n"), ["if a:\n    b\n"]);
    }

    #[test]
    fn code_in_a_sentence_is_no_block() {
        assert_eq!(texts("```not a block``` but a span\n"), Vec::<String>::new());
    }

    #[test]
    fn the_wanted_language_wins_over_other_blocks() {
        let reply =
            "```sh\ncargo add x\n```\n```\nlonger than the other block\n```\n```rs\na();\n```";
        assert_eq!(code(reply, named("rust")).as_deref(), Some("a();\n"));
        let python = "```python3\nx = 1\n```";
        assert_eq!(code(python, named("python")).as_deref(), Some("x = 1\n"));
    }

    #[test]
    fn the_longest_block_without_a_tag_stands_in() {
        let reply = "```\na\n```\n```\na long one\n```\n```sh\nrm -rf everything_long_enough\n```";
        assert_eq!(code(reply, named("rust")).as_deref(), Some("a long one\n"));
    }

    #[test]
    fn a_reply_without_fences_is_code() {
        assert_eq!(code("\nx = 1\n\n", named("python")).as_deref(), Some("x = 1\n"));
        assert_eq!(code(" \n", named("python")), None);
        assert_eq!(code("```sh\nls\n```", named("python")), None);
    }

    #[test]
    fn thoughts_are_not_the_answer() {
        let reply = "<think>\n```rust\nwrong\n```\n</think>\n\n```rust\nright\n```";
        assert_eq!(code(reply, named("rust")).as_deref(), Some("right\n"));
        assert_eq!(code("<think> for ever", named("rust")), None);
    }

    proptest! {
        #[test]
        fn no_reply_panics(reply in "([`~ \t\r\n{}.:,é<>/a-c]|```|<think>|</think>|\\PC){0,60}") {
            let blocks = code_blocks(&reply);
            prop_assert!(blocks.iter().rev().skip(1).all(|block| block.closed));
            let _ = code(&reply, named("rust"));
        }

        #[test]
        fn a_fenced_text_comes_back(lines in prop::collection::vec("[a-z(){};=\" ]{0,20}", 0..8)) {
            let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
            prop_assert_eq!(texts(&format!("So:\n```rust\n{text}```\nDone.")), [text]);
        }
    }
}
