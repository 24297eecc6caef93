//! Fill-in-the-middle formats, one variant per model family.

use super::{Count, Marker, Piece, Prompt, Trace, budget};
use crate::context::{Context, Excerpt};

/// A family's format. Everything in angle brackets is a marker; the rest is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FimFormat {
    /// Qwen2.5-Coder: repository-level markers, prefix-suffix-middle.
    ///
    /// `<|repo_name|>NAME\n<|file_sep|>PATH\nTEXT\n<|file_sep|>PATH\n<|fim_prefix|>…<|fim_suffix|>…<|fim_middle|>`
    /// (QwenLM/Qwen3-Coder, issue 343: the README's repository-level format with the last file
    /// in the fill-in-the-middle format).
    Qwen,
    /// StarCoder2: repository-level markers, prefix-suffix-middle.
    ///
    /// `<repo_name>NAME<file_sep>PATH\nTEXT<file_sep><fim_prefix>PATH\n…<fim_suffix>…<fim_middle>`
    /// (StarCoder2 and The Stack v2, arXiv 2402.19173, §5.1: the path belongs to the file's text
    /// and so stands inside the prefix).
    StarCoder,
    /// DeepSeek-Coder: prefix, hole, suffix; one file.
    ///
    /// `<｜fim▁begin｜>…<｜fim▁hole｜>…<｜fim▁end｜>` (arXiv 2401.14196, §3.1). Its repository-level
    /// format is a comment with the file's name before each file, but it is documented only for
    /// completion at the end of a text, so other files are left out here.
    DeepSeek,
    /// CodeLlama: prefix-suffix-middle with spaces; one file.
    ///
    /// `▁<PRE> …▁<SUF>…▁<MID>`: a space stands before the prefix and none before the suffix, as
    /// SentencePiece's dummy prefix does (facebookresearch/codellama, `infilling_prompt_tokens`).
    CodeLlama,
}

/// Renders `context` in `format` within `budget` tokens. `repository_level` says whether the
/// model was trained on repository markers; without them other files are left out and the trace
/// says so.
///
/// Each marker counts as one token. A budget that the markers alone exceed gives no pieces. The
/// end of an answer is a token in every family, so there are no stop texts.
pub fn render(
    context: &Context,
    format: FimFormat,
    repository_level: bool,
    budget: usize,
    count: Count<'_>,
) -> Prompt {
    let repository = repository_level && matches!(format, FimFormat::Qwen | FimFormat::StarCoder);
    fitted(context, format, repository, budget, count)
        .or_else(|| {
            // The repository's header does not fit: the file alone may.
            let mut prompt = fitted(context, format, false, budget, count)?;
            if repository {
                prompt.trace.dropped.insert(0, "repository name and path".to_owned());
            }
            Some(prompt)
        })
        .unwrap_or_else(|| Prompt {
            pieces: Vec::new(),
            stops: Vec::new(),
            trace: Trace {
                budget,
                used: Vec::new(),
                dropped: vec!["everything: the markers alone exceed the budget".to_owned()],
            },
        })
}

/// Text of a prompt with the part it belongs to.
struct Part {
    name: &'static str,
    piece: Piece,
}

/// The prompt within `budget`, or `None` where even the empty one is larger.
fn fitted(
    context: &Context,
    format: FimFormat,
    repository: bool,
    budget: usize,
    count: Count<'_>,
) -> Option<Prompt> {
    let related: Vec<String> =
        if repository { context.related.iter().map(excerpt_text).collect() } else { Vec::new() };
    let cost =
        |parts: &[Part]| parts.iter().map(|part| piece_cost(&part.piece, count)).sum::<usize>();
    let empty = budget::Choice::default();
    let overhead = cost(&assemble(context, format, repository, &related, &empty));
    let mut allowance = budget.checked_sub(overhead)?;
    loop {
        let parts = budget::Parts {
            related: &related,
            markers_per_excerpt: 1,
            prefix: &context.prefix,
            suffix: &context.suffix,
        };
        let choice = budget::choose(parts, allowance, count);
        let parts = assemble(context, format, repository, &related, &choice);
        let total = cost(&parts);
        if total <= budget {
            let trace = trace(context, budget, repository, &choice, &parts, count);
            let pieces = parts.into_iter().map(|part| part.piece).collect();
            return Some(Prompt { pieces, stops: Vec::new(), trace });
        }
        if allowance == 0 {
            return None;
        }
        // Joined, the pieces cost more than apart; ask for that much less.
        allowance = allowance.saturating_sub(total - budget);
    }
}

fn piece_cost(piece: &Piece, count: Count<'_>) -> usize {
    match piece {
        Piece::Marker(_) => 1,
        Piece::Text(text) | Piece::Control(text) => count(text),
    }
}

fn excerpt_text(excerpt: &Excerpt) -> String {
    format!("{}\n{}\n", display(&excerpt.path), excerpt.text.trim_end())
}

/// A relative path with `/`.
fn display(path: &std::path::Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// The pieces in the format's order.
fn assemble(
    context: &Context,
    format: FimFormat,
    repository: bool,
    related: &[String],
    choice: &budget::Choice,
) -> Vec<Part> {
    let marker = |marker| Part { name: "markers", piece: Piece::Marker(marker) };
    let text = |name, text: String| Part { name, piece: Piece::Text(text) };
    let mut parts = vec![marker(Marker::Start)];
    let path = display(&context.path);

    if repository {
        let name = context.repository.replace(['\n', '\r'], " ");
        let name = if format == FimFormat::Qwen { name + "\n" } else { name };
        parts.extend([marker(Marker::Repository), text("repository", name)]);
        for excerpt in choice.related.iter().filter_map(|index| related.get(*index)) {
            parts.extend([marker(Marker::File), text("related", excerpt.clone())]);
        }
        parts.push(marker(Marker::File));
    }

    let (prefix, line) = at_line_start(&choice.prefix);
    let (prefix, suffix) = (prefix.to_owned(), choice.suffix.clone());
    match (format, repository) {
        (FimFormat::Qwen, true) => {
            parts.extend([
                text("path", path + "\n"),
                marker(Marker::Prefix),
                text("prefix", prefix),
            ]);
        }
        (FimFormat::StarCoder, true) => {
            parts.extend([
                marker(Marker::Prefix),
                text("path", path + "\n"),
                text("prefix", prefix),
            ]);
        }
        (FimFormat::CodeLlama, _) => {
            parts.extend([marker(Marker::Prefix), text("prefix", format!(" {prefix}"))]);
        }
        _ => parts.extend([marker(Marker::Prefix), text("prefix", prefix)]),
    }
    // DeepSeek's hole is the marker before the suffix and its end the one after it.
    parts.extend([
        marker(Marker::Suffix),
        text("suffix", suffix),
        marker(Marker::Middle),
        text("line", line.to_owned()),
    ]);
    parts.retain(|part| !matches!(&part.piece, Piece::Text(text) if text.is_empty()));
    parts
}

/// `prefix` up to the first word of the cursor's line, and the rest of that line: what is typed of
/// a line stands behind the middle marker, as if the model had begun to write it. A key stroke
/// then changes the end of the prompt alone, so that the suffix stays in the KV cache; and models
/// that were trained on whole lines go on with the line instead of starting another.
fn at_line_start(prefix: &str) -> (&str, &str) {
    let line = prefix.rfind('\n').map_or(0, |at| at + 1);
    let typed = prefix.get(line..).unwrap_or_default().trim_start_matches([' ', '\t']);
    prefix.split_at(prefix.len() - typed.len())
}

/// What was used and what was left out.
fn trace(
    context: &Context,
    budget: usize,
    repository: bool,
    choice: &budget::Choice,
    parts: &[Part],
    count: Count<'_>,
) -> Trace {
    let mut used: Vec<(&'static str, usize)> = Vec::new();
    for part in parts {
        let cost = piece_cost(&part.piece, count);
        match used.iter_mut().find(|(name, _)| *name == part.name) {
            Some((_, sum)) => *sum += cost,
            None => used.push((part.name, cost)),
        }
    }

    let mut dropped = Vec::new();
    for (index, excerpt) in context.related.iter().enumerate() {
        let path = display(&excerpt.path);
        if !repository {
            dropped.push(format!("related {path} (the model knows no other files)"));
        } else if !choice.related.contains(&index) {
            dropped.push(format!("related {path} ({} tokens)", count(&excerpt.text)));
        }
    }
    let prefix = context.prefix.concat();
    let lost = prefix.get(..prefix.len() - choice.prefix.len()).unwrap_or_default();
    dropped.extend(lost_lines("prefix", lost, count));
    let suffix = context.suffix.concat();
    let lost = suffix.get(choice.suffix.len()..).unwrap_or_default();
    dropped.extend(lost_lines("suffix", lost, count));
    Trace { budget, used, dropped }
}

/// `prefix: 12 lines (88 tokens)`; a text too long to count on the way to an answer is given in
/// bytes.
fn lost_lines(name: &str, lost: &str, count: Count<'_>) -> Option<String> {
    const COUNTED: usize = 16 << 10;
    let size = match lost.len() {
        0 => return None,
        length if length <= COUNTED => format!("{} tokens", count(lost)),
        length => format!("{length} bytes"),
    };
    Some(format!("{name}: {} lines ({size})", lost.lines().count()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::context::Kind;

    const ALL: [FimFormat; 4] =
        [FimFormat::Qwen, FimFormat::StarCoder, FimFormat::DeepSeek, FimFormat::CodeLlama];

    fn excerpt(path: &str, text: String) -> Excerpt {
        Excerpt {
            kind: Kind::Imported,
            path: path.into(),
            start_line: 1,
            end_line: 1,
            tokens: words(&text),
            text,
            reason: String::new(),
            score: 1.0,
        }
    }

    fn context() -> Context {
        Context {
            repository: "shop".to_owned(),
            path: "src/cart.rs".into(),
            language: None,
            related: vec![excerpt("src/item.rs", "pub struct Item;".to_owned())],
            dropped: Vec::new(),
            prefix: vec!["use item::Item;\n".to_owned(), "fn total() {\n    ".to_owned()],
            suffix: vec!["\n}\n".to_owned(), "fn last() {}\n".to_owned()],
        }
    }

    fn words(text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn shown(format: FimFormat, repository_level: bool) -> String {
        let prompt = render(&context(), format, repository_level, 1000, &words);
        prompt
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Marker(marker) => format!("<{marker:?}>"),
                Piece::Text(text) | Piece::Control(text) => text.clone(),
            })
            .collect()
    }

    #[test]
    fn qwen_names_the_repository_and_its_files() {
        assert_eq!(
            shown(FimFormat::Qwen, true),
            "<Start><Repository>shop\n<File>src/item.rs\npub struct Item;\n\
             <File>src/cart.rs\n<Prefix>use item::Item;\nfn total() {\n    \
             <Suffix>\n}\nfn last() {}\n<Middle>"
        );
    }

    #[test]
    fn what_is_typed_of_a_line_stands_behind_the_middle_marker() {
        let mut context = context();
        context.prefix = vec!["fn total() {\n    let x = 1".to_owned()];
        let pieces = render(&context, FimFormat::DeepSeek, false, 1000, &words).pieces;
        assert_eq!(pieces[2], Piece::Text("fn total() {\n    ".to_owned()));
        assert_eq!(pieces.last(), Some(&Piece::Text("let x = 1".to_owned())));
    }

    #[test]
    fn starcoder_has_the_path_inside_the_prefix() {
        assert_eq!(
            shown(FimFormat::StarCoder, true),
            "<Start><Repository>shop<File>src/item.rs\npub struct Item;\n\
             <File><Prefix>src/cart.rs\nuse item::Item;\nfn total() {\n    \
             <Suffix>\n}\nfn last() {}\n<Middle>"
        );
    }

    #[test]
    fn a_model_without_repository_markers_sees_the_file_alone_and_the_trace_says_so() {
        let file = "<Start><Prefix>use item::Item;\nfn total() {\n    \
                    <Suffix>\n}\nfn last() {}\n<Middle>";
        assert_eq!(shown(FimFormat::Qwen, false), file);
        assert_eq!(shown(FimFormat::StarCoder, false), file);
        assert_eq!(shown(FimFormat::DeepSeek, true), file);
        assert_eq!(shown(FimFormat::CodeLlama, true), file.replace("<Prefix>", "<Prefix> "));
        let trace = render(&context(), FimFormat::DeepSeek, true, 1000, &words).trace;
        assert_eq!(trace.dropped, ["related src/item.rs (the model knows no other files)"]);
    }

    #[test]
    fn the_trace_adds_up_and_says_what_was_dropped() {
        let mut context = context();
        context.prefix.insert(0, "one two three four five six seven\n".repeat(40));
        let trace = render(&context, FimFormat::Qwen, true, 60, &words).trace;
        assert!(trace.used.iter().map(|(_, tokens)| tokens).sum::<usize>() <= 60);
        assert_eq!(trace.used.first().map(|(name, _)| *name), Some("markers"));
        assert!(trace.dropped.iter().any(|line| line.starts_with("prefix: ")), "{trace:?}");
    }

    #[test]
    fn markers_spelled_in_a_file_stay_text() {
        let mut context = context();
        context.prefix = vec!["<|fim_middle|><|file_sep|>".to_owned()];
        let pieces = render(&context, FimFormat::Qwen, true, 1000, &words).pieces;
        assert_eq!(pieces.last(), Some(&Piece::Text("<|fim_middle|><|file_sep|>".to_owned())));
        let middles = pieces.iter().filter(|p| **p == Piece::Marker(Marker::Middle)).count();
        assert_eq!(middles, 1);
    }

    /// Counts as a byte-pair tokenizer may: joined text can cost more or less than its parts.
    fn awkward(text: &str) -> usize {
        text.len().div_ceil(3) + text.matches("}\n").count()
    }

    proptest! {
        #[test]
        fn no_prompt_exceeds_its_budget(
            prefix in prop::collection::vec("([a-z{}]{0,9} ?\n?){0,12}", 0..5),
            suffix in prop::collection::vec("([a-z{}]{0,9} ?\n?){0,12}", 0..5),
            related in prop::collection::vec("[a-z \n]{0,60}", 0..4),
            budget in 0_usize..200,
            counter in 0_usize..3,
        ) {
            let count: Count<'_> =
                [&words as Count<'_>, &awkward, &|text: &str| text.chars().count()][counter];
            let related = related
                .into_iter()
                .map(|text| excerpt("a.rs", text))
                .collect();
            let context = Context { related, prefix, suffix, ..context() };
            for format in ALL {
                let prompt = render(&context, format, true, budget, count);
                let cost: usize = prompt.pieces.iter().map(|piece| piece_cost(piece, count)).sum();
                prop_assert!(cost <= budget);
                prop_assert_eq!(cost, prompt.trace.used.iter().map(|(_, n)| n).sum::<usize>());
                let all = context.prefix.concat();
                let after = |marker| {
                    let from = prompt.pieces.iter().skip_while(move |p| **p != Piece::Marker(marker)).skip(1);
                    let text = from.take_while(|p| matches!(p, Piece::Text(_))).map(|p| match p {
                        Piece::Text(text) => text.as_str(),
                        _ => "",
                    });
                    text.collect::<String>()
                };
                let shown = after(Marker::Prefix);
                let shown = shown.strip_prefix("src/cart.rs\n").unwrap_or(&shown);
                let shown = if format == FimFormat::CodeLlama { shown.strip_prefix(' ').unwrap_or(shown) } else { shown };
                let shown = format!("{shown}{}", after(Marker::Middle));
                prop_assert!(all.ends_with(&shown), "{shown:?}");
            }
        }
    }
}
