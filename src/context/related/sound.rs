//! Chosen items of a file as text that parses by itself.

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
    health::health(&SyntaxTree::parse(language, text)).faults() == 0
}
