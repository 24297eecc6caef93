//! What a word is: the same for every language, and for every part of this program.

use memchr::memmem;

/// Whether a character may stand in an identifier.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where `word` stands in `text` as a word of its own.
pub fn occurrences<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    memmem::find_iter(text.as_bytes(), word).filter(move |at| {
        let (before, after) = (text.get(..*at), text.get(at + word.len()..));
        before.is_some_and(|before| !before.ends_with(is_word))
            && after.is_some_and(|after| !after.starts_with(is_word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_longer_word_is_no_occurrence() {
        let at = |text: &'static str, word| occurrences(text, word).collect::<Vec<_>>();
        assert_eq!(at("a ab a_ (a) ää a", "a"), [0, 9, 17]);
        assert_eq!(at("größe größer", "größe"), [0]);
        assert_eq!(at("", "a"), [0; 0]);
    }
}
