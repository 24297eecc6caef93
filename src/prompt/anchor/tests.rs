//! What keeps a prompt, what renews it, and what stays of it then.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::Marker;
use super::super::fim::FimFormat;
use super::*;
use crate::context::{Excerpt, Kind};

const FORMATS: [FimFormat; 4] =
    [FimFormat::Qwen, FimFormat::StarCoder, FimFormat::DeepSeek, FimFormat::CodeLlama];

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn target(budget: usize) -> Target {
    let style = Style { format: FimFormat::Qwen, repository_level: true };
    Target { model: "m".to_owned(), style, budget, known: 3 }
}

fn excerpt(name: &str) -> Excerpt {
    Excerpt {
        kind: Kind::Ranked,
        path: format!("{name}.rs").into(),
        start_line: 1,
        end_line: 2,
        text: format!("fn {name}();"),
        tokens: 4,
        reason: "alike".to_owned(),
        score: 1.0,
    }
}

/// The context of a text at an offset, with excerpts of these names.
fn context(text: &str, offset: usize, related: &[&str]) -> Context {
    Context {
        repository: "shop".to_owned(),
        path: "src/cart.rs".into(),
        language: None,
        related: related.iter().map(|name| excerpt(name)).collect(),
        dropped: Vec::new(),
        prefix: vec![text[..offset].to_owned()],
        suffix: vec![text[offset..].to_owned()],
        cuts: Vec::new(),
    }
}

/// A file being worked on.
#[derive(Default)]
struct Typist {
    anchor: Option<Anchor>,
    prompt: Prompt,
}

impl Typist {
    /// The file is now `marked`, with the cursor at `ˇ`.
    fn at(&mut self, marked: &str) -> Reuse {
        self.at_with(marked, &["a", "b"])
    }

    fn at_with(&mut self, marked: &str, related: &[&str]) -> Reuse {
        let offset = marked.find('ˇ').unwrap();
        let text: Arc<str> = marked.replacen('ˇ', "", 1).into();
        let cursor = Cursor { path: Path::new("src/cart.rs"), text: &text, offset };
        let find = || context(&text, offset, related);
        let step = next(self.anchor.as_ref(), &target(1000), cursor, find, &|_| 0, &words);
        self.anchor = step.anchor;
        self.prompt = step.prompt;
        step.reuse
    }

    /// The text behind the last marker.
    fn typed(&self) -> String {
        match self.prompt.pieces.last() {
            Some(Piece::Text(text)) => text.clone(),
            _ => String::new(),
        }
    }

    fn after(&self, marker: Marker) -> String {
        let at = self.prompt.pieces.iter().position(|piece| *piece == Piece::Marker(marker));
        match at.and_then(|at| self.prompt.pieces.get(at + 1)) {
            Some(Piece::Text(text)) => text.clone(),
            _ => String::new(),
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let parts = self.prompt.trace.parts.iter();
        parts.filter(|part| part.kind == "ranked").map(|part| part.path.clone()).collect()
    }
}

#[test]
fn what_is_typed_stands_behind_the_middle_marker_and_nothing_else_changes() {
    let mut typist = Typist::default();
    assert_eq!(typist.at("fn f() {\n    leˇ\n}\n"), Reuse::Renewed(Why::First));
    assert_eq!(typist.typed(), "le");
    let frozen = typist.prompt.pieces[..typist.prompt.pieces.len() - 1].to_vec();
    for marked in [
        "fn f() {\n    letˇ\n}\n",
        "fn f() {\n    let x = 1;ˇ\n}\n",
        "fn f() {\n    let x = 1;\n    ˇ\n}\n",
        "fn f() {\n    let x = 1;\n    yˇ\n}\n",
        "fn f() {\n    let x = 2ˇ\n}\n",
        "fn f() {\n    ˇ\n}\n",
    ] {
        assert_eq!(typist.at(marked), Reuse::Kept, "{marked}");
        let typed = typist.typed();
        let kept =
            &typist.prompt.pieces[..typist.prompt.pieces.len() - usize::from(!typed.is_empty())];
        assert_eq!(kept, frozen, "{marked}");
        assert!(marked.contains(&format!("    {typed}ˇ")), "{typed:?}");
    }
}

#[test]
fn what_an_editor_closes_by_itself_is_left_to_the_model() {
    let mut typist = Typist::default();
    typist.at("fn f() {\n    ˇ\n}\n");
    for marked in [
        "fn f() {\n    g(ˇ)\n}\n",
        "fn f() {\n    g(h[\"aˇ\"])\n}\n",
        "fn f() {\n    g(h[\"a\"])ˇ\n}\n",
        "fn f() {\n    if x {ˇ}\n}\n",
        "fn f() {\n    if x {\n        ˇ\n    }\n}\n",
    ] {
        assert_eq!(typist.at(marked), Reuse::Kept, "{marked}");
        assert_eq!(typist.after(Marker::Suffix), "\n}\n");
    }
    assert_eq!(typist.at("fn f() {\n    g(ˇ, x)\n}\n"), Reuse::Renewed(Why::After));
}

#[test]
fn a_change_elsewhere_or_another_place_makes_a_new_prompt() {
    let start = "use a;\nfn f() {\n    xˇ\n}\nfn g() {}\n";
    let mut renewed = Vec::new();
    for marked in [
        "use b;\nfn f() {\n    xˇ\n}\nfn g() {}\n",
        "use a;\nfn f() {\n    xˇ\n}\nfn h() {}\n",
        "use a;\nfn f() {\n    x\n}\nfn g() {ˇ}\n",
        "use aˇ;\nfn f() {\n    x\n}\nfn g() {}\n",
        "use a;\nfn f() {\nxˇ\n}\nfn g() {}\n",
    ] {
        let mut typist = Typist::default();
        typist.at(start);
        let Reuse::Renewed(why) = typist.at(marked) else { panic!("kept at {marked}") };
        renewed.push(why);
        let before = marked.split('ˇ').next().unwrap();
        assert!(before.ends_with(&typist.typed()), "{marked}");
    }
    assert_eq!(renewed, [Why::Before, Why::After, Why::Moved, Why::Moved, Why::Before]);
}

#[test]
fn another_file_model_or_a_smaller_budget_makes_a_new_prompt_and_a_larger_one_waits() {
    let text: Arc<str> = "x = 1\n".into();
    let cursor = |path| Cursor { path, text: &text, offset: 3 };
    let here = Path::new("a.py");
    let find = || context(&text, 3, &[]);
    let first = next(None, &target(100), cursor(here), find, &|_| 0, &words);
    let again = |target: &Target, path| {
        next(first.anchor.as_ref(), target, cursor(path), find, &|_| 0, &words).reuse
    };
    assert_eq!(again(&target(100), here), Reuse::Kept);
    assert_eq!(again(&target(4000), here), Reuse::Kept);
    assert_eq!(again(&target(40), here), Reuse::Renewed(Why::Target));
    assert_eq!(again(&target(100), Path::new("b.py")), Reuse::Renewed(Why::File));
    let known = |known| Target { known, ..target(100) };
    assert_eq!(again(&known(6), here), Reuse::Kept);
    assert_eq!(again(&known(7), here), Reuse::Renewed(Why::Known));
    let other = Target { model: "n".to_owned(), ..target(100) };
    assert_eq!(again(&other, here), Reuse::Renewed(Why::Target));
}

#[test]
fn when_enough_was_typed_the_prompt_begins_anew_at_the_line() {
    let mut typist = Typist::default();
    typist.at("fn f() {\n    ˇ\n}\n");
    let mut text = String::new();
    let full = (1..100).find(|line| {
        let _ = write!(text, "word word word {line};\n    ");
        typist.at(&format!("fn f() {{\n    {text}ˇ\n}}\n")) == Reuse::Renewed(Why::Full)
    });
    assert_eq!(full, Some(budget::typed(1000) / 4 + 1));
    assert_eq!(typist.typed(), "");
    assert!(typist.after(Marker::Prefix).ends_with(";\n    "));
}

#[test]
fn a_new_prompt_keeps_the_excerpts_it_can_in_their_order() {
    let mut typist = Typist::default();
    typist.at_with("fn f() {\n    ˇ\n}\n", &["a", "b", "c"]);
    assert_eq!(typist.files(), ["a.rs", "b.rs", "c.rs"].map(PathBuf::from));
    typist.at_with("fn f() {}\nfn g() { ˇ }\n", &["d", "c", "a"]);
    assert_eq!(typist.files(), ["a.rs", "c.rs", "d.rs"].map(PathBuf::from));
}

#[test]
fn an_excerpt_of_a_changed_file_or_one_that_says_too_little_is_replaced() {
    let text: Arc<str> = "x = 1\n".into();
    let path = Path::new("a.py");
    let long = |name: &str, more: &str| {
        let text = format!("fn {name}();\nfn two();\nfn three();\nfn four();\n{more}");
        Excerpt { text, ..excerpt(name) }
    };
    let at = |offset, earlier: Option<&Anchor>, related: Vec<Excerpt>, changed: &'static str| {
        let cursor = Cursor { path, text: &text, offset };
        let find = || Context { related, ..context(&text, offset, &[]) };
        let version = |path: &Path| u64::from(path == Path::new(changed));
        next(earlier, &target(1000), cursor, find, &version, &words)
    };
    let texts = |step: &Step| -> Vec<String> {
        let parts = step.prompt.trace.parts.iter().filter(|part| part.kind == "ranked");
        parts.map(|part| part.text.clone()).collect()
    };
    let all = || vec![long("a", ""), long("b", ""), long("c", "")];
    let first = at(3, None, all(), "");
    // A move to the next line makes the prompt anew. One more line is not worth it; a changed file
    // is, and so is one that is gone.
    let more = vec![long("c", "fn five();"), long("b", ""), long("a", "")];
    let second = at(6, first.anchor.as_ref(), more, "");
    assert_eq!(texts(&second), texts(&first));
    let third = at(6, first.anchor.as_ref(), all(), "a.rs");
    assert_eq!(texts(&third)[..2], texts(&first)[1..]);
    let fourth = at(6, first.anchor.as_ref(), vec![long("d", ""), long("c", "")], "");
    assert_eq!(texts(&fourth)[0], texts(&first)[2]);
}

#[test]
fn the_window_of_a_long_file_stays_where_it_was() {
    let lines = |name: &str| {
        (0..800).fold(String::new(), |text, line| text + &format!("{name} {line} word\n"))
    };
    let (before, after) = (lines("above"), lines("below"));
    let mut typist = Typist::default();
    let mut windows = Vec::new();
    for typed in ["", "one\n", "one\ntwo\n"] {
        // A change after the cursor makes the prompt anew each time.
        let marked = format!("{before}{typed}ˇ\n#{typed}\n{after}");
        assert!(matches!(typist.at(&marked), Reuse::Renewed(_)));
        let first = |marker| typist.after(marker).lines().next().map(str::to_owned);
        let last = typist.after(Marker::Suffix).lines().last().map(str::to_owned);
        windows.push((first(Marker::Prefix), last));
    }
    windows.dedup();
    assert_eq!(windows.len(), 1, "{windows:?}");
}

#[test]
fn one_huge_line_is_no_reason_to_overrun() {
    let huge = "word ".repeat(50_000);
    let mut typist = Typist::default();
    typist.at(&format!("{huge}ˇ"));
    assert!(typist.prompt.trace.tokens() <= 1000);
    assert!(words(&typist.typed()) <= budget::typed(1000));
    assert_eq!(typist.at(&format!("{huge}xˇ")), Reuse::Renewed(Why::Full));
}

#[test]
fn a_budget_smaller_than_the_markers_gives_no_prompt_and_says_so() {
    let text: Arc<str> = "x".into();
    let cursor = Cursor { path: Path::new("a"), text: &text, offset: 1 };
    let step = next(None, &target(3), cursor, || context(&text, 1, &[]), &|_| 0, &words);
    assert!(step.prompt.pieces.is_empty() && step.anchor.is_none());
    assert!(step.prompt.trace.dropped[0].to_string().contains("the markers alone"));
}

/// Counts as a byte-pair tokenizer may: joined text can cost more or less than its parts.
fn awkward(text: &str) -> usize {
    text.len().div_ceil(3) + text.matches("}\n").count()
}

proptest! {
    #[test]
    fn no_prompt_exceeds_its_budget_and_each_shows_the_file_around_the_cursor(
        prefix in prop::collection::vec("([a-z{}]{0,9} ?\n?){0,12}", 0..5),
        suffix in prop::collection::vec("([a-z{}]{0,9} ?\n?){0,12}", 0..5),
        related in prop::collection::vec("[a-z \n]{0,60}", 0..4),
        more in "[a-z(){} \n]{0,20}",
        budget in 0_usize..200,
        counter in 0_usize..3,
    ) {
        let count: Count<'_> =
            [&words as Count<'_>, &awkward, &|text: &str| text.chars().count()][counter];
        let related: Vec<Excerpt> =
            related.into_iter().map(|text| Excerpt { text, ..excerpt("x") }).collect();
        for format in FORMATS {
            let style = Style { format, repository_level: true };
            let target = Target { style, ..target(budget) };
            let mut anchor = None;
            for typed in ["", &more] {
                let mut blocks = prefix.clone();
                blocks.push(typed.to_owned());
                let before = blocks.concat();
                let text: Arc<str> = (before.clone() + &suffix.concat()).into();
                let cursor = Cursor { path: Path::new("src/cart.rs"), text: &text, offset: before.len() };
                let find = || Context {
                    related: related.clone(),
                    prefix: blocks.clone(),
                    suffix: suffix.clone(),
                    ..context("", 0, &[])
                };
                let step = next(anchor.as_ref(), &target, cursor, find, &|_| 0, count);
                anchor = step.anchor;
                let prompt = step.prompt;
                let cost: usize =
                    prompt.pieces.iter().map(|piece| fim::piece_cost(piece, count)).sum();
                prop_assert!(cost <= budget);
                prop_assert_eq!(cost, prompt.trace.tokens());
                let part = |kind| {
                    let part = prompt.trace.parts.iter().find(|part| part.kind == kind);
                    part.map(|part| part.text.clone()).unwrap_or_default()
                };
                let shown = part("prefix");
                let shown = if format == FimFormat::CodeLlama { shown.strip_prefix(' ').unwrap_or(&shown) } else { &shown };
                let shown = format!("{shown}{}", part("typed"));
                prop_assert!(before.ends_with(&shown), "{shown:?}");
                prop_assert!(suffix.concat().starts_with(&part("suffix")));
            }
        }
    }
}
