//! The tree against lists of everything that was ever evaluated.

use proptest::prelude::*;

use super::*;
use crate::engine::cpu::sequence::tests::{SHAPE, append, check};
use crate::engine::decoder::Sequence as _;

const CONTEXT: usize = 2000;

fn tree(most_bytes: usize) -> PrefixTree {
    PrefixTree::new(&Pool::new(SHAPE), CONTEXT, most_bytes)
}

/// Answers a prompt: takes what is there, evaluates the rest and some tokens more, puts it back.
fn answer(tree: &mut PrefixTree, prompt: &[u32], more: &[u32]) -> usize {
    let mut sequence = tree.take(prompt);
    let cached = sequence.len();
    append(&mut sequence, &prompt[cached..]);
    append(&mut sequence, more);
    check(&sequence);
    tree.put(sequence);
    cached
}

fn numbers(range: std::ops::Range<u32>) -> Vec<u32> {
    range.collect()
}

fn pages(tree: &PrefixTree) -> usize {
    tree.pool.used_bytes() / SHAPE.page_bytes()
}

/// That the tree is what its description says.
fn sound(tree: &PrefixTree) {
    let mut reached = 1;
    let mut open = vec![ROOT];
    while let Some(index) = open.pop() {
        let node = &tree.nodes[index];
        assert!(node.children.is_empty() || index == ROOT || node.tokens.len() == PAGE);
        let leaf = tree.leaves.contains(&(node.last_use, index));
        assert_eq!(leaf, index != ROOT && node.children.is_empty());
        for (place, &child) in node.children.iter().enumerate() {
            reached += 1;
            open.push(child);
            let tokens = &tree.nodes[child].tokens;
            assert_eq!(tree.nodes[child].parent, index);
            assert!(tree.nodes[child].last_use <= node.last_use || index == ROOT);
            assert!((1..=PAGE).contains(&tokens.len()));
            for &other in &node.children[..place] {
                let other = &tree.nodes[other].tokens;
                assert!(common(other, tokens) < other.len().min(tokens.len()));
            }
        }
    }
    assert_eq!(reached + tree.vacant.len(), tree.nodes.len());
    assert!(tree.leaves.len() < reached);
}

#[test]
fn a_prompt_seen_before_costs_its_last_token() {
    let mut tree = tree(usize::MAX);
    assert_eq!(answer(&mut tree, &numbers(0..300), &[]), 0);
    assert_eq!(answer(&mut tree, &numbers(0..300), &[]), 299);
    assert_eq!(answer(&mut tree, &numbers(0..301), &[]), 300);
    assert_eq!(answer(&mut tree, &numbers(0..128), &[]), 127);
    assert_eq!(answer(&mut tree, &[5], &[]), 0);
    assert_eq!(tree.take(&[]).len(), 0);
    sound(&tree);
}

#[test]
fn what_is_common_is_kept_once_and_an_end_that_was_continued_is_replaced() {
    let mut tree = tree(usize::MAX);
    answer(&mut tree, &numbers(0..130), &[]);
    assert_eq!(pages(&tree), 3);
    answer(&mut tree, &numbers(0..130), &[7, 8]);
    assert_eq!(pages(&tree), 3);
    answer(&mut tree, &numbers(0..130), &[9]);
    assert_eq!(pages(&tree), 4);
    answer(&mut tree, &numbers(0..129), &[]);
    assert_eq!(pages(&tree), 4);
    sound(&tree);
}

#[test]
fn all_candidates_of_a_request_are_found_again() {
    let mut tree = tree(usize::MAX);
    let mut sequence = tree.take(&numbers(0..100));
    append(&mut sequence, &numbers(0..100));
    let mut forks: Vec<_> = (0..3).map(|_| sequence.fork()).collect();
    for (index, fork) in (500..).zip(&mut forks) {
        append(fork, &[index; 80]);
    }
    for fork in forks {
        tree.put(fork);
    }
    tree.put(sequence);
    for index in 500..503 {
        let prompt = [numbers(0..100), vec![index; 81]].concat();
        let taken = tree.take(&prompt);
        assert_eq!(taken.len(), 180);
        check(&taken);
    }
    sound(&tree);
}

#[test]
fn what_was_not_used_for_longest_goes_first_its_end_before_its_start() {
    let mut tree = tree(6 * SHAPE.page_bytes());
    answer(&mut tree, &numbers(0..192), &[]);
    answer(&mut tree, &numbers(1000..1128), &[]);
    assert_eq!(pages(&tree), 5);
    answer(&mut tree, &numbers(2000..2128), &[]);
    let kept = |tree: &PrefixTree| {
        [0, 1000, 2000, 3000].map(|at| tree.match_length(&numbers(at..at + 200)))
    };
    assert_eq!(kept(&tree), [128, 128, 128, 0]);
    // Uses the first again.
    assert_eq!(tree.take(&numbers(0..128)).len(), 127);
    answer(&mut tree, &numbers(3000..3192), &[]);
    assert_eq!(kept(&tree), [128, 0, 64, 192]);
    sound(&tree);
}

#[test]
fn what_a_running_sequence_needs_stays_and_is_worth_the_same_afterwards() {
    let mut tree = tree(3 * SHAPE.page_bytes());
    answer(&mut tree, &numbers(0..128), &[]);
    let running = tree.take(&numbers(0..129));
    answer(&mut tree, &numbers(1000..1256), &[]);
    check(&running);
    assert_eq!(running.len(), 128);
    assert!(pages(&tree) <= 3);
    tree.put(running);
    assert_eq!(tree.take(&numbers(0..129)).len(), 128);
    sound(&tree);
}

#[test]
fn one_sequence_beyond_the_limit_keeps_its_start() {
    let mut tree = tree(3 * SHAPE.page_bytes());
    answer(&mut tree, &numbers(0..500), &[]);
    assert_eq!(pages(&tree), 3);
    assert_eq!(tree.take(&numbers(0..500)).len(), 192);
}

/// What somebody does in an editor.
#[derive(Debug, Clone)]
enum Step {
    /// Goes to another file.
    Open(usize),
    /// Types at a place, in thousandths of the file.
    Type(usize, Vec<u32>),
    /// Deletes from a place.
    Delete(usize, usize),
    /// Copies from one place to another.
    Paste(usize, usize, usize),
    /// Has some candidates written, of these lengths, and takes none.
    Ask(Vec<usize>),
    /// Has one written and takes it.
    Accept(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0usize..3).prop_map(Step::Open),
        4 => (0usize..=1000, prop::collection::vec(0u32..4, 1..90)).prop_map(|(a, t)| Step::Type(a, t)),
        2 => (0usize..=1000, 1usize..150).prop_map(|(at, length)| Step::Delete(at, length)),
        1 => (0usize..=1000, 0usize..=1000, 1usize..200).prop_map(|(a, b, n)| Step::Paste(a, b, n)),
        2 => prop::collection::vec(0usize..150, 1..4).prop_map(Step::Ask),
        2 => (0usize..150).prop_map(Step::Accept),
    ]
}

fn place(file: &[u32], thousandths: usize) -> usize {
    file.len() * thousandths / 1000
}

/// Runs a script with a tree; after each step, what was evaluated is there again.
fn follow(steps: &[Step], most_bytes: usize) {
    let mut tree = tree(most_bytes);
    let mut evaluated: Vec<Vec<u32>> = Vec::new();
    let mut files = [vec![0; 70], vec![1; 3], vec![2; 130]];
    let mut open = 0;
    for (count, step) in (100..).zip(steps) {
        let file = &mut files[open];
        let mut lengths = vec![1];
        match step {
            Step::Open(which) => open = *which,
            Step::Type(at, tokens) => {
                let at = place(file, *at);
                file.splice(at..at, tokens.iter().copied());
            }
            Step::Delete(at, length) => {
                let at = place(file, *at);
                file.drain(at..(at + length).min(file.len()));
            }
            Step::Paste(from, to, length) => {
                let (from, to) = (place(file, *from), place(file, *to));
                let copied = file[from..(from + length).min(file.len())].to_vec();
                file.splice(to..to, copied);
            }
            Step::Ask(wanted) => lengths.clone_from(wanted),
            Step::Accept(length) => lengths = vec![*length],
        }
        let file = &mut files[open];
        file.truncate(CONTEXT - 200);
        let prompt = [&[9], &file[..]].concat();

        let mut sequence = tree.take(&prompt);
        let usable = &prompt[..prompt.len() - 1];
        let best = evaluated.iter().map(|old| common(old, usable)).max().unwrap_or(0);
        if most_bytes == usize::MAX {
            assert_eq!(sequence.len(), best);
        }
        assert!(sequence.len() <= best);
        assert_eq!(sequence.tokens(), &prompt[..sequence.len()]);
        check(&sequence);
        let cached = sequence.len();
        append(&mut sequence, &prompt[cached..]);

        let mut candidates: Vec<_> = lengths[1..].iter().map(|_| sequence.fork()).collect();
        candidates.insert(0, sequence);
        for (candidate, length) in candidates.iter_mut().zip(&lengths) {
            let answer: Vec<u32> = (0..*length as u32).map(|i| (i * count) % 5).collect();
            append(candidate, &answer);
            candidate.truncate(candidate.len() - length / 7);
            append(candidate, &answer[..length / 9]);
        }
        if matches!(step, Step::Accept(_)) {
            file.extend_from_slice(&candidates[0].tokens()[prompt.len()..]);
        }
        for candidate in candidates {
            check(&candidate);
            evaluated.push(candidate.tokens().to_vec());
            tree.put(candidate);
        }
        sound(&tree);
        assert!(tree.pool.used_bytes() <= most_bytes);
    }
    tree.shrink(0);
    sound(&tree);
    assert_eq!(tree.pool.used_bytes(), 0, "nothing is in use");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn edits_find_the_longest_start_ever_evaluated(steps in prop::collection::vec(step(), 1..40)) {
        follow(&steps, usize::MAX);
    }

    #[test]
    fn with_a_limit_the_tree_stays_within_it_and_right(
        steps in prop::collection::vec(step(), 1..40),
        pages in 1usize..30,
    ) {
        follow(&steps, pages * SHAPE.page_bytes());
    }
}

#[test]
fn what_is_behind_an_edit_is_moved_and_only_the_edit_is_left_to_evaluate() {
    let turned = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&turned);
    let mut tree =
        tree(usize::MAX).with_reuse_of_shifted(Arc::new(move |keys: &mut [f32], delta| {
            seen.lock().unwrap().push((keys.len() / SHAPE.head_dim, delta));
        }));
    let old = numbers(0..400);
    answer(&mut tree, &old, &[]);
    let new = [&old[..150], &[900, 901, 902], &old[151..]].concat();
    let mut sequence = tree.take(&new);
    assert_eq!(sequence.len(), 150);
    assert_eq!(sequence.append_known().unwrap(), Some(153));
    append(&mut sequence, &new[150..153]);
    assert_eq!(sequence.append_known().unwrap(), None);
    assert_eq!(sequence.tokens(), &new[..new.len() - 1]);
    let turned = turned.lock().unwrap();
    assert!(turned.iter().all(|(_, delta)| *delta == 2));
    let heads = SHAPE.layers * SHAPE.kv_heads;
    assert_eq!(turned.iter().map(|(count, _)| count).sum::<usize>(), heads * (399 - 151));
}
