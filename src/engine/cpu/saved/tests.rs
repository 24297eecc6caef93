//! Files that are whole, damaged, foreign and too many.

use super::*;
use crate::engine::cpu::prefix_tree::PrefixTree;
use crate::engine::cpu::sequence::tests::{SHAPE, append, check};
use agent_pass::pages::{KvFormat, PageShape};

const MODEL: [u8; 32] = [7; 32];
const CONTEXT: usize = 2000;

fn numbers(range: std::ops::Range<u32>) -> Vec<u32> {
    range.collect()
}

fn tree(folder: &Path, most_bytes: u64, model: [u8; 32]) -> PrefixTree {
    let pool = Pool::new(SHAPE);
    let saved = Saved::open(folder.to_owned(), most_bytes, model, &pool, CONTEXT);
    PrefixTree::new(&pool, CONTEXT, usize::MAX).with_saved(saved)
}

/// Evaluates and saves a text as one run of the program does.
fn run(folder: &Path, tokens: &[u32]) {
    let mut tree = tree(folder, u64::MAX, MODEL);
    let mut sequence = tree.take(tokens);
    let known = sequence.len();
    append(&mut sequence, &tokens[known..]);
    tree.put(sequence);
    tree.save().unwrap();
}

/// How much of a text the next run of the program need not evaluate.
fn known(folder: &Path, tokens: &[u32]) -> usize {
    let mut tree = tree(folder, u64::MAX, MODEL);
    let sequence = tree.take(tokens);
    check(&sequence);
    sequence.len()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn the_next_run_knows_what_this_one_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let folder = &folder.path().join("not/there/yet");
    assert_eq!(known(folder, &numbers(0..500)), 0);
    run(folder, &numbers(0..500));
    assert_eq!(known(folder, &numbers(0..501)), 500);
    assert_eq!(known(folder, &numbers(0..500)), 499);
    let other_end = [numbers(0..300), vec![9; 50]].concat();
    assert_eq!(known(folder, &other_end), 300);
    assert_eq!(known(folder, &numbers(5..500)), 0);
    let mut foreign = tree(folder, u64::MAX, [8; 32]);
    assert_eq!(foreign.take(&numbers(0..500)).len(), 0);
}

#[test]
fn a_text_that_goes_on_replaces_its_start_and_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &numbers(0..300));
    run(folder.path(), &numbers(1000..1400));
    assert_eq!(files(folder.path()).len(), 2);
    run(folder.path(), &numbers(0..400));
    run(folder.path(), &numbers(0..350));
    run(folder.path(), &numbers(0..20));
    assert_eq!(files(folder.path()).len(), 2);
    assert_eq!(known(folder.path(), &numbers(0..500)), 400);
    assert_eq!(known(folder.path(), &numbers(1000..1401)), 400);
}

#[test]
fn the_oldest_files_go_when_there_are_too_many_and_only_ours() {
    let folder = tempfile::tempdir().unwrap();
    let others = ["notes.txt", "0123456789abcdef-0123456789abcdef.kv"];
    for name in others {
        fs::write(folder.path().join(name), [b'x'; 5000]).unwrap();
    }
    let most = 12 * SHAPE.page_bytes() as u64;
    let pool = Pool::new(SHAPE);
    let mut saved = Saved::open(folder.path().to_owned(), most, MODEL, &pool, CONTEXT);
    for start in 0..6 {
        let mut sequence = Sequence::new(&pool, CONTEXT);
        append(&mut sequence, &numbers(start * 1000..start * 1000 + 256));
        let (tokens, pages) = sequence.into_parts();
        saved.save(&tokens, &pages).unwrap();
    }
    let left: Vec<PathBuf> = files(folder.path())
        .into_iter()
        .filter(|path| !others.iter().any(|other| path.ends_with(other)))
        .collect();
    assert!((1..=2).contains(&left.len()), "{left:?}");
    assert_eq!(files(folder.path()).len(), left.len() + 2, "others' files stay");
    assert_eq!(known(folder.path(), &numbers(5000..5257)), 256, "the last one is there");
}

#[test]
fn of_a_text_too_long_for_the_folder_the_start_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let pool = Pool::new(SHAPE);
    let most = 12 * SHAPE.page_bytes() as u64;
    let mut saved = Saved::open(folder.path().to_owned(), most, MODEL, &pool, CONTEXT);
    let mut sequence = Sequence::new(&pool, CONTEXT);
    append(&mut sequence, &numbers(0..1000));
    let (tokens, pages) = sequence.into_parts();
    saved.save(&tokens, &pages).unwrap();
    assert_eq!(known(folder.path(), &tokens), 6 * PAGE);
}

#[test]
fn any_damage_is_noticed_and_deletes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = numbers(0..500);
    run(folder.path(), &tokens);
    let path = files(folder.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(97).chain(0..200).chain(2088..2130) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        fs::write(&path, &damaged).unwrap();
        assert_eq!(known(folder.path(), &tokens), 0, "byte {at}");
    }
    for length in [0, 7, 100, 2000, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(known(folder.path(), &tokens), 0, "{length} bytes");
    }
    fs::write(&path, [&whole[..], &[0]].concat()).unwrap();
    assert_eq!(known(folder.path(), &tokens), 0);
    assert_eq!(files(folder.path()), std::slice::from_ref(&path));
    fs::write(&path, &whole).unwrap();
    assert_eq!(known(folder.path(), &tokens), 499);
}

#[test]
fn a_file_of_other_pages_or_another_context_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &numbers(0..500));
    for (shape, context) in [
        (PageShape { head_dim: 8, ..SHAPE }, CONTEXT),
        (PageShape { format: KvFormat::Q8_0, ..SHAPE }, CONTEXT),
        (SHAPE, 400),
    ] {
        let pool = Pool::new(shape);
        let mut saved = Saved::open(folder.path().to_owned(), u64::MAX, MODEL, &pool, context);
        assert!(saved.longest(&numbers(0..500), 0).is_none());
    }
}
