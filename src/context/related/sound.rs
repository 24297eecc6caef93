//! Chosen items of a file as text that parses by itself.

use std::cell::Cell;
use std::collections::HashMap;

use super::choose::Form;
use super::render::{self, Shown};
use crate::syntax::{Language, SyntaxTree, health};
use crate::workspace::index::FileEntry;

/// Items as text without a fault of syntax.
pub(super) struct Sound {
    /// Empty where no item could be shown.
    pub(super) text: String,
    /// Items (places in the file) that would not parse in any form.
    pub(super) left_out: Vec<usize>,
}

/// The text of `items` as [`render::text`] gives it. Where that does not parse, each item that is
/// at fault is shown by less: by its signature, or by that and an empty body.
pub(super) fn text(file: &FileEntry, items: &[Shown], source: Option<&str>) -> Sound {
    let rendered = |items: &[Shown]| {
        let text = render::text(file, items, source);
        parses(file.language, &text).then_some(text)
    };
    if let Some(text) = rendered(items) {
        return Sound { text, left_out: Vec::new() };
    }
    let mut kept = Vec::with_capacity(items.len());
    let mut left_out = Vec::new();
    for one in items {
        let forms = [one.form, Form::Signature, Form::Stub];
        let mut forms = forms.into_iter().map(|form| Shown { form, ..one.clone() });
        match forms.find(|one| rendered(std::slice::from_ref(one)).is_some()) {
            Some(one) => kept.push(one),
            None => left_out.push(one.item),
        }
    }
    if let Some(text) = rendered(&kept) {
        return Sound { text, left_out };
    }
    // Sound alone but not together.
    let mut sound = Sound { text: String::new(), left_out };
    let mut together = Vec::with_capacity(kept.len());
    for one in kept {
        together.push(one);
        match rendered(&together) {
            Some(text) => sound.text = text,
            None => sound.left_out.extend(together.pop().map(|one| one.item)),
        }
    }
    sound
}

fn parses(language: Language, text: &str) -> bool {
    let mut known = KNOWN.take();
    let parses = known.parses(language, text);
    KNOWN.set(known);
    parses
}

thread_local! {
    /// While someone types, mostly the same excerpts are chosen from one key to the next.
    static KNOWN: Cell<Known> = Cell::default();
}

/// Texts that were parsed a short while ago, and whether that gave no fault.
#[derive(Default)]
struct Known {
    texts: HashMap<&'static str, HashMap<Box<str>, bool>>,
    bytes: usize,
}

/// When texts of so many bytes are known, all are forgotten: a prompt holds some thousand.
const MAX_KNOWN: usize = 1 << 18;

impl Known {
    fn parses(&mut self, language: Language, text: &str) -> bool {
        let known = self.texts.get(language.spec().name).and_then(|texts| texts.get(text));
        if let Some(parses) = known {
            return *parses;
        }
        let parses = health::health(&SyntaxTree::parse(language, text)).faults() == 0;
        if self.bytes + text.len() > MAX_KNOWN {
            *self = Self::default();
        }
        if text.len() <= MAX_KNOWN {
            self.bytes += text.len();
            self.texts.entry(language.spec().name).or_default().insert(text.into(), parses);
        }
        parses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_text_is_what_parsing_it_says_and_is_bounded() {
        let mut known = Known::default();
        let [rust, python] = ["rust", "python"].map(|name| Language::named(name).unwrap());
        for _ in 0..2 {
            assert!(known.parses(rust, "fn f() {}\n") && !known.parses(rust, "fn f( {}\n"));
            assert!(!known.parses(python, "fn f() {}\n") && known.parses(python, "f()\n"));
        }
        assert_eq!(known.bytes, 33);
        for number in 0..40 {
            let large = format!("{}\nx{number} = 1\n", "# x\n".repeat(2000));
            assert!(known.parses(python, &large));
            assert!(known.bytes <= MAX_KNOWN);
        }
        assert!(!known.parses(rust, &format!("fn f( {{}}{}", " ".repeat(MAX_KNOWN))));
        assert_eq!(known.bytes, 0);
    }
}
