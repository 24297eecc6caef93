//! What each family's prompt looks like, and what its trace says.

use super::*;
use crate::context::Kind;

fn context() -> Context {
    Context {
        repository: "shop".to_owned(),
        path: "src/cart.rs".into(),
        language: None,
        related: vec![Excerpt {
            kind: Kind::Imported,
            path: "src/item.rs".into(),
            start_line: 3,
            end_line: 3,
            text: "pub struct Item;".to_owned(),
            tokens: 8,
            reason: "imports Item".to_owned(),
            score: 1.0,
        }],
        dropped: Vec::new(),
        prefix: vec!["use item::Item;\n".to_owned(), "fn total() {\n    ".to_owned()],
        suffix: vec!["\n}\n".to_owned(), "fn last() {}\n".to_owned()],
        cuts: Vec::new(),
    }
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn framed(format: FimFormat, repository_level: bool, budget: usize) -> Frame {
    let style = Style { format, repository_level };
    frame(&context(), style, 0, None, budget, &words).unwrap()
}

fn shown(format: FimFormat, repository_level: bool) -> String {
    framed(format, repository_level, 1000)
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
fn what_is_typed_is_left_for_behind_the_middle_marker() {
    let blocks = ["use a;\n", "fn total() {\n    let x = 1"].map(str::to_owned);
    assert_eq!(without_end(&blocks, 9), ["use a;\n", "fn total() {\n    "]);
    assert_eq!(without_end(&blocks, 27), ["use a;"]);
    assert_eq!(without_end(&blocks, 999), Vec::<String>::new());
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
    let dropped = framed(FimFormat::DeepSeek, true, 1000).trace.dropped;
    let words: Vec<String> = dropped.iter().map(ToString::to_string).collect();
    assert_eq!(words, ["imported src/item.rs:3-3 (3 tokens): the model knows no other files"]);
}

#[test]
fn the_trace_says_what_each_part_is_and_what_it_costs() {
    let trace = framed(FimFormat::Qwen, true, 1000).trace;
    let parts: Vec<String> = trace
        .parts
        .iter()
        .map(|part| {
            let Shown { kind, path, start_line, end_line, tokens, .. } = part;
            format!("{kind} {}:{start_line}-{end_line} {tokens}", path.display())
        })
        .collect();
    assert_eq!(
        parts,
        [
            "repository :0-0 1",
            "imported src/item.rs:3-3 4",
            "path src/cart.rs:0-0 1",
            "prefix src/cart.rs:1-3 5",
            "suffix src/cart.rs:3-5 4",
        ]
    );
    assert_eq!(trace.used.first(), Some(&("markers", 7)));
    assert_eq!(trace.tokens(), 7 + 1 + 4 + 1 + 5 + 4);
}

#[test]
fn what_does_not_fit_is_in_the_trace() {
    let mut context = context();
    context.prefix.insert(0, "one two three four five six seven\n".repeat(40));
    let style = Style { format: FimFormat::Qwen, repository_level: true };
    let trace = frame(&context, style, 0, None, 60, &words).unwrap().trace;
    assert!(trace.tokens() <= 60);
    let lost = trace.dropped.iter().find(|lost| lost.kind == "prefix").unwrap();
    assert_eq!(lost.start_line, 1);
    assert!(lost.end_line > 10 && lost.tokens.is_some(), "{lost:?}");
}

#[test]
fn markers_spelled_in_a_file_stay_text() {
    let mut context = context();
    context.prefix = vec!["<|fim_middle|><|file_sep|>".to_owned()];
    let style = Style { format: FimFormat::Qwen, repository_level: true };
    let pieces = frame(&context, style, 0, None, 1000, &words).unwrap().pieces;
    assert!(pieces.contains(&Piece::Text("<|fim_middle|><|file_sep|>".to_owned())));
    let middles = pieces.iter().filter(|p| **p == Piece::Marker(Marker::Middle)).count();
    assert_eq!(middles, 1);
}
