//! Lines that say the same but for a slip.

use crate::text::word::is_word;

/// Shorter lines are the same only where they are equal.
const LEAST: usize = 12;
/// Longer lines are not compared.
const MOST: usize = 400;

/// Whether two lines are equal but for the white space around them and, where they are long, a
/// character in ten: less than what tells two names apart.
pub fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim(), b.trim());
    !a.is_empty() && (a == b || near(a, b))
}

fn near(a: &str, b: &str) -> bool {
    let (left, right): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (shorter, longer) = (left.len().min(right.len()), left.len().max(right.len()));
    let allowed = longer / 10;
    // Lines that differ in a digit are a table, those that differ in a name are two statements.
    let digits = |line: &str| line.chars().filter(|c| c.is_numeric()).collect::<String>();
    shorter >= LEAST
        && longer <= MOST
        && longer - shorter <= allowed
        && digits(a) == digits(b)
        && words_are_near(a, b)
        && distance(&left, &right) <= allowed
}

/// Whether the words of two lines are the same, one by one, but for a letter in four.
fn words_are_near(a: &str, b: &str) -> bool {
    let words = |line: &str| -> Vec<Vec<char>> {
        let words = line.split(|c: char| !is_word(c)).filter(|word| !word.is_empty());
        words.map(|word| word.chars().collect()).collect()
    };
    let (a, b) = (words(a), words(b));
    a.len() == b.len()
        && a.iter().zip(&b).all(|(a, b)| a == b || distance(a, b) * 4 <= a.len().max(b.len()))
}

/// Levenshtein's distance, by two rows.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (idx, x) in a.iter().enumerate() {
        let mut left = idx + 1;
        let mut diagonal = idx;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            let best = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            (diagonal, left) = (*above, best);
            next.push(best);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_makes_no_other_line() {
        assert!(same("    return sum(items)", "return sum(items)  "));
        assert!(same("return sum(items, start=nothng)", "return sum(items, start=nothing)"));
        assert!(same("let total = compute(items)", "let total = compute(items);"));
        assert!(same("x = [first, second,third]", "x = [first, second, third]"));
    }

    #[test]
    fn another_name_or_number_makes_another_line() {
        assert!(!same("assert_eq!(point.x, other);", "assert_eq!(point.y, other);"));
        assert!(!same("table.insert(1, \"one thing\")", "table.insert(2, \"one thing\")"));
        assert!(!same("use crate::first::second;", "use crate::first::third;"));
        assert!(!same("a = b", "a = c"));
        assert!(!same("", ""));
    }

    #[test]
    fn distance_counts_edits() {
        let d = |a: &str, b: &str| {
            distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
        };
        assert_eq!(d("kitten", "sitting"), 3);
        assert_eq!(d("", "abc"), 3);
        assert_eq!(d("abc", "abc"), 0);
    }
}
