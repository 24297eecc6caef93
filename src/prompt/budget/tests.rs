//! Who gets how much, what is cut, and what stays.

use super::*;

/// A token for each character.
fn characters(text: &str) -> usize {
    text.chars().count()
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn wanted(kind: Kind, score: f32, text: &str) -> Wanted {
    Wanted { kind, score, text: text.to_owned() }
}

fn chosen(
    excerpts: &[Wanted],
    prefix: &[&str],
    suffix: &[&str],
    earlier: Option<&Earlier>,
    budget: usize,
) -> Choice {
    let (prefix, suffix) = (strings(prefix), strings(suffix));
    let parts = Parts {
        excerpts,
        markers_per_excerpt: 0,
        prefix: &prefix,
        suffix: &suffix,
        prefix_cuts: &[],
        suffix_cuts: &[],
    };
    choose(parts, earlier, budget, &characters)
}

fn of_file(prefix: &[&str], suffix: &[&str], budget: usize) -> (String, String) {
    let choice = chosen(&[], prefix, suffix, None, budget);
    (choice.prefix, choice.suffix)
}

#[test]
fn the_shares_are_a_whole() {
    let excerpts: usize = EXCERPTS.iter().map(|(_, share)| share).sum();
    assert_eq!(excerpts, 100);
}

#[test]
fn a_long_prompt_has_more_than_half_for_excerpts_and_a_short_one_for_the_file() {
    let texts: Vec<Wanted> = (0..400).map(|_| wanted(Kind::Ranked, 1.0, &"x".repeat(20))).collect();
    let file = "let x = 1;\n".repeat(400);
    for (budget, most) in [(200, 60), (512, 153), (2048, 1305)] {
        let shown = 20 * chosen(&texts, &[&file], &[&file], None, budget).excerpts.len();
        assert!((most - 20..=most).contains(&shown), "{budget}: {shown}");
    }
}

#[test]
fn everything_is_kept_where_it_fits() {
    let excerpts = [wanted(Kind::Imported, 0.0, "r1"), wanted(Kind::Recent, 9.0, "r2")];
    let choice = chosen(&excerpts, &["a\n", "b"], &["c\n", "d\n"], None, 12);
    assert_eq!(choice.excerpts, [0, 1]);
    assert_eq!((choice.prefix.as_str(), choice.suffix.as_str()), ("a\nb", "c\nd\n"));
}

#[test]
fn the_cursor_line_survives_longest() {
    let excerpts = [wanted(Kind::Imported, 1.0, "r")];
    for budget in 0..8 {
        let prefix = ["far away\n", "near\n01234567"];
        let choice = chosen(&excerpts, &prefix, &["tail\n"], None, budget);
        assert!("01234567".ends_with(&choice.prefix), "{choice:?}");
        assert_eq!(choice.prefix.len(), budget);
        assert_eq!(choice.suffix, "");
    }
    assert_eq!(of_file(&["near\n01234567"], &["tail\n"], 8).0, "01234567");
}

#[test]
fn a_block_that_fits_is_kept_whole_and_a_distant_one_goes_first() {
    let (prefix, suffix) = of_file(&["aaaaaa\n", "bbbb\n", "cc"], &["dddd\n", "eeee\n"], 18);
    assert_eq!((prefix.as_str(), suffix.as_str()), ("bbbb\ncc", "dddd\n"));
}

#[test]
fn a_block_too_big_is_cut_at_a_line() {
    assert_eq!(of_file(&["one\ntwo\nthree\nfour"], &[], 14).0, "three\nfour");
    assert_eq!(of_file(&["x"], &["one\ntwo\nthree\n"], 12).1, "one\ntwo\n");
}

#[test]
fn each_kind_has_a_share_and_the_best_of_it_comes_first() {
    let text = "x".repeat(24);
    let excerpts = [
        wanted(Kind::Imported, 0.1, &text),
        wanted(Kind::Imported, 0.2, &text),
        wanted(Kind::Imported, 0.3, &text),
        wanted(Kind::Ranked, 9.0, &text),
        wanted(Kind::Ranked, 8.0, &text),
        wanted(Kind::Ranked, 7.0, &text),
        wanted(Kind::Ranked, 6.0, &text),
        wanted(Kind::Ranked, 5.0, &text),
    ];
    let file = "let x = 1;\n".repeat(100);
    let choice = chosen(&excerpts, &[&file], &[&file], None, 334);
    assert_eq!(choice.excerpts, [2, 3, 4, 5]);
    assert!(choice.prefix.len() > 50, "{choice:?}");
    assert!(choice.suffix.len() > 20, "{choice:?}");
}

#[test]
fn what_the_file_leaves_goes_to_the_excerpts_and_what_they_leave_to_the_file() {
    let excerpts: Vec<Wanted> =
        (0..9).map(|_| wanted(Kind::Recent, 1.0, &"x".repeat(20))).collect();
    assert_eq!(chosen(&excerpts, &["a"], &["b"], None, 182).excerpts.len(), 9);
    let file = "let x = 1;\n".repeat(100);
    let choice = chosen(&[], &[&file], &["tail\n"], None, 200);
    assert!(choice.prefix.len() > 150, "{choice:?}");
}

#[test]
fn excerpts_stay_in_their_order_and_new_ones_come_behind() {
    let excerpts = [
        wanted(Kind::Ranked, 1.0, "aaaa"),
        wanted(Kind::Ranked, 2.0, "bbbb"),
        wanted(Kind::Imported, 5.0, "cccc"),
        wanted(Kind::Recent, 7.0, "dddd"),
    ];
    let earlier = Earlier { excerpts: 2, ..Earlier::default() };
    let choice = chosen(&excerpts, &["p"], &[], Some(&earlier), 100);
    assert_eq!(choice.excerpts, [0, 1, 2, 3]);
    let choice = chosen(&excerpts, &["p"], &[], Some(&earlier), 13);
    assert_eq!(choice.excerpts, [0, 1, 3], "the best that still fits");
}

/// The kept prefix's first line at each of `lines` lines typed.
fn first_lines_kept(lines: std::ops::Range<usize>) -> Vec<Option<String>> {
    let mut earlier: Option<Earlier> = None;
    let mut firsts = Vec::new();
    for lines in lines {
        let file = (0..lines).fold(String::new(), |text, line| text + &format!("line {line:4}\n"));
        let choice = chosen(&[], &[&file], &[], earlier.as_ref(), 500);
        let before = file.len() - choice.prefix.len();
        earlier = Some(Earlier { before, ..Earlier::default() });
        firsts.push(choice.prefix.lines().next().map(str::to_owned));
    }
    firsts
}

#[test]
fn the_cut_stays_while_lines_are_typed() {
    let mut firsts = first_lines_kept(100..130);
    firsts.dedup();
    assert!(firsts.len() <= 5, "{firsts:?}");
}

#[test]
fn the_end_of_the_suffix_stays_while_the_cursor_moves_in_it() {
    let file = (0..200).fold(String::new(), |text, line| text + &format!("line {line:4}\n"));
    let mut earlier: Option<Earlier> = None;
    let mut ends = Vec::new();
    for line in 0..12 {
        let suffix = &file[line * 10..];
        let choice = chosen(&[], &["x"], &[suffix], earlier.as_ref(), 500);
        let after = suffix.len() - choice.suffix.len();
        earlier = Some(Earlier { after, ..Earlier::default() });
        ends.push(after);
    }
    ends.dedup();
    assert_eq!(ends.len(), 1, "{ends:?}");
}

#[test]
fn one_huge_line_is_cut_by_characters() {
    let huge = "ä".repeat(1 << 20);
    assert_eq!(of_file(&[&huge], &[], 7).0, "ä".repeat(7));
    let (_, suffix) = of_file(&[""], &[&huge], 8);
    assert!(suffix.chars().count() >= 6 && "ä".repeat(8).starts_with(&suffix), "{suffix}");
}

#[test]
fn a_block_too_big_is_cut_between_statements() {
    let (prefix, suffix) = (strings(&["one(\n1)\ntwo(\n2)\nx"]), strings(&["y\nsix(\n6)\nend\n"]));
    let parts = Parts {
        excerpts: &[],
        markers_per_excerpt: 0,
        prefix: &prefix,
        suffix: &suffix,
        prefix_cuts: &[0, 8, 16],
        suffix_cuts: &[2, 10, 14],
    };
    let cut = |budget| {
        let choice = choose(parts, None, budget, &characters);
        (choice.prefix, choice.suffix)
    };
    // Of 17 and 14 characters.
    for budget in 10..30 {
        let (prefix, suffix) = cut(budget);
        assert!(["x", "two(\n2)\nx", "one(\n1)\ntwo(\n2)\nx"].contains(&&*prefix), "{prefix}");
        assert!(["y\n", "y\nsix(\n6)\n", "y\nsix(\n6)\nend\n"].contains(&&*suffix), "{suffix}");
    }
}
