//! Ends an answer at a stop text, also where it arrives in pieces.

/// Watches one answer. Text that may be the start of a stop text is held back until it is clear.
#[derive(Debug)]
pub(super) struct StopText {
    stops: Vec<String>,
    held: String,
}

/// What became of a piece of text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// This much is certain; the answer goes on.
    On(String),
    /// This much comes before a stop text; the answer ends.
    Stopped(String),
}

impl StopText {
    /// Watches for any of `stops`; empty ones never stop anything.
    pub(super) fn new(stops: &[String]) -> Self {
        let stops = stops.iter().filter(|stop| !stop.is_empty()).cloned().collect();
        Self { stops, held: String::new() }
    }

    /// The next piece of the answer.
    pub(super) fn push(&mut self, text: &str) -> Passed {
        self.held.push_str(text);
        let first = self.stops.iter().filter_map(|stop| self.held.find(stop.as_str())).min();
        if let Some(at) = first {
            self.held.truncate(at);
            return Passed::Stopped(std::mem::take(&mut self.held));
        }
        let certain = self.held.len() - self.longest_start_of_a_stop();
        let rest = self.held.split_off(certain);
        Passed::On(std::mem::replace(&mut self.held, rest))
    }

    /// What is left when the answer ends otherwise.
    pub(super) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Length of the longest end of the held text that a stop text starts with.
    fn longest_start_of_a_stop(&self) -> usize {
        let longest = self.stops.iter().map(String::len).max().unwrap_or(0);
        self.held
            .char_indices()
            .map(|(at, _)| self.held.len() - at)
            .filter(|length| *length < longest)
            .find(|length| {
                let tail = &self.held[self.held.len() - length..];
                self.stops.iter().any(|stop| stop.starts_with(tail))
            })
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(stops: &[&str], pieces: &[&str]) -> (String, bool) {
        let stops: Vec<String> = stops.iter().map(|&s| s.to_owned()).collect();
        let mut watch = StopText::new(&stops);
        let mut out = String::new();
        for piece in pieces {
            match watch.push(piece) {
                Passed::On(text) => out.push_str(&text),
                Passed::Stopped(text) => return (out + &text, true),
            }
        }
        (out + &watch.finish(), false)
    }

    #[test]
    fn a_stop_text_across_pieces_ends_the_answer_before_it() {
        assert_eq!(watch(&["\n\n"], &["a\n", "\nb"]), ("a".to_owned(), true));
        assert_eq!(watch(&["</code>"], &["x<", "/co", "de>y"]), ("x".to_owned(), true));
        assert_eq!(watch(&["é!"], &["aé", "é", "!"]), ("aé".to_owned(), true));
    }

    #[test]
    fn the_first_of_several_stop_texts_counts() {
        assert_eq!(watch(&["cd", "b"], &["abcd"]), ("a".to_owned(), true));
    }

    #[test]
    fn what_only_looked_like_a_stop_text_is_not_lost() {
        assert_eq!(watch(&["\n\n"], &["a\n", "b\n"]), ("a\nb\n".to_owned(), false));
        assert_eq!(watch(&["aab"], &["aa", "ab"]), ("a".to_owned(), true));
        assert_eq!(watch(&[""], &["x"]), ("x".to_owned(), false));
    }

    #[test]
    fn text_is_not_held_back_without_need() {
        let mut watch = StopText::new(&["\nfn".to_owned()]);
        assert_eq!(watch.push("let x"), Passed::On("let x".to_owned()));
        assert_eq!(watch.push(";\nf"), Passed::On(";".to_owned()));
        assert_eq!(watch.push("o"), Passed::On("\nfo".to_owned()));
    }
}
