//! Prefix and suffix of a cursor, cut at item boundaries.

use super::outside::outside_functions;
use crate::syntax::outline::Item;
use crate::text::Span;

/// The text before `span` as blocks: each begins where an item begins, the last one with the
/// innermost item around the cursor. An item inside a function begins no block.
pub fn before(text: &str, items: &[Item], span: Span) -> Vec<String> {
    let start = text.floor_char_boundary(span.start);
    let prefix = text.get(..start).unwrap_or_default();
    let cuts = outside_functions(items)
        .filter(|item| item.span.start < start)
        .map(|item| item.span.start)
        .collect();
    blocks(prefix, line_starts(prefix, cuts))
}

/// The text after `span` as blocks: each ends with a whole item, the first one with the innermost
/// item around the cursor.
pub fn after(text: &str, items: &[Item], span: Span) -> Vec<String> {
    let end = text.ceil_char_boundary(span.end);
    let suffix = text.get(end..).unwrap_or_default();
    let cuts = outside_functions(items)
        .filter(|item| item.span.end > end)
        .map(|item| item.span.end - end)
        .collect();
    blocks(suffix, line_ends(suffix, cuts))
}

/// Where the lines of `offsets` begin. Each line is looked at once, since files of one line with
/// many thousand items exist.
fn line_starts(text: &str, mut offsets: Vec<usize>) -> Vec<usize> {
    offsets.sort_unstable();
    let (mut start, mut seen) = (0, 0);
    for offset in &mut offsets {
        let passed = text.get(seen..*offset).unwrap_or_default();
        start = passed.rfind('\n').map_or(start, |newline| seen + newline + 1);
        seen = *offset;
        *offset = start;
    }
    offsets.dedup();
    offsets
}

/// Past the line breaks that end the lines of `offsets`; each line is looked at once.
fn line_ends(text: &str, mut offsets: Vec<usize>) -> Vec<usize> {
    offsets.sort_unstable();
    let mut end = 0;
    for offset in &mut offsets {
        // An item whose text ends with its line break ends there.
        if *offset > end && !text.get(..*offset).is_some_and(|before| before.ends_with('\n')) {
            let rest = text.get(*offset..).unwrap_or_default();
            end = rest.find('\n').map_or(text.len(), |newline| *offset + newline + 1);
        } else {
            end = end.max(*offset);
        }
        *offset = end;
    }
    offsets.dedup();
    offsets
}

/// `text` cut at `cuts`, without empty blocks.
fn blocks(text: &str, mut cuts: Vec<usize>) -> Vec<String> {
    cuts.push(text.len());
    cuts.sort_unstable();
    let mut start = 0;
    let mut blocks = Vec::new();
    for cut in cuts {
        if let Some(block) = text.get(start..cut).filter(|block| !block.is_empty()) {
            blocks.push(block.to_owned());
            start = cut;
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use crate::fixture;

    /// The blocks before and after the fixture's cursor.
    fn cut(path: &str, fixture: &str) -> (Vec<String>, Vec<String>) {
        let file = fixture::parse(fixture).remove(0);
        let document = Document::new(path.into(), None, 0, file.text.clone());
        let items = document.items();
        let span = Span::empty(file.cursors[0]);
        (before(&file.text, items, span), after(&file.text, items, span))
    }

    #[test]
    fn blocks_begin_and_end_with_items() {
        let (before, after) = cut(
            "a.rs",
            "use x::Y;\n\n/// First.\nfn a() {}\n\nimpl B {\n    fn c(&self) {\n        ˇ\n    }\n\n    fn d(&self) {}\n}\n\nfn e() {}\n",
        );
        assert_eq!(
            before,
            [
                "use x::Y;\n\n",
                "/// First.\nfn a() {}\n\n",
                "impl B {\n",
                "    fn c(&self) {\n        "
            ]
        );
        assert_eq!(after, ["\n    }\n", "\n    fn d(&self) {}\n", "}\n", "\nfn e() {}\n"]);
    }

    #[test]
    fn a_local_function_stays_with_its_function() {
        let (before, after) = cut(
            "a.py",
            "def outer():\n    def inner():\n        pass\n    ˇ\n    def late():\n        pass\n    return 1\n",
        );
        assert_eq!(before, ["def outer():\n    def inner():\n        pass\n    "]);
        assert_eq!(after.concat(), "\n    def late():\n        pass\n    return 1\n");
        assert_eq!(after.len(), 1);
    }

    #[test]
    fn joined_the_blocks_are_the_file() {
        for cursor in
            ["ˇdef f():\n    pass\n", "def f():\n    paˇss\n", "def f():\n    pass\nˇ", "ˇ"]
        {
            let (before, after) = cut("a.py", cursor);
            assert_eq!(before.concat() + &after.concat(), cursor.replace('ˇ', ""));
        }
    }

    #[test]
    fn a_text_without_a_tree_is_one_block() {
        let (before, after) = cut("notes.txt", "one\ntwo ˇthree\n");
        assert_eq!((before, after), (vec!["one\ntwo ".to_owned()], vec!["three\n".to_owned()]));
    }

    #[test]
    fn items_of_one_line_share_its_beginning_and_its_end() {
        let text = format!("x\n{}\ny", "var a=1;".repeat(5_000));
        let offsets: Vec<_> = (0..text.len()).collect();
        assert_eq!(line_starts(&text, offsets.clone()), [0, 2, 40_003]);
        assert_eq!(line_ends(&text, offsets[1..].to_vec()), [2, 40_003]);
    }
}
