//! The sample project of the demo: a Rust crate and a Python package, each with a real error.

use std::io;
use std::path::Path;

/// Its files.
const FILES: [(&str, &str); 4] = [
    ("till/Cargo.toml", include_str!("sample/Cargo.toml.sample")),
    ("till/src/lib.rs", include_str!("sample/lib.rs")),
    ("receipts/receipt.py", include_str!("sample/receipt.py")),
    ("receipts/stock.py", include_str!("sample/stock.py")),
];

/// A place in a file where somebody stopped typing.
pub(super) struct Hole {
    /// What stands on the line before the cursor.
    pub(super) typed: &'static str,
    /// What the sample has after it, which the model does not see.
    pub(super) removed: &'static str,
}

/// In `till/src/lib.rs`.
pub(super) const RUST_HOLE: Hole = Hole { typed: "        self.", removed: "items.push(item);" };

/// In `receipts/receipt.py`.
pub(super) const PYTHON_HOLE: Hole =
    Hole { typed: "        lines.", removed: r#"append(f"{name:<20}{format_price(cents):>8}")"# };

impl Hole {
    /// `text` with the hole cut out, and the cursor's offset; as it is, with the cursor at its
    /// end, where it has no such place.
    pub(super) fn cut(&self, text: &str) -> (String, usize) {
        let whole = format!("{}{}", self.typed, self.removed);
        let Some(start) = text.find(&whole) else { return (text.to_owned(), text.len()) };
        let cursor = start + self.typed.len();
        (format!("{}{}", &text[..cursor], &text[start + whole.len()..]), cursor)
    }
}

/// Writes the files below `root`.
pub(super) fn write(root: &Path) -> io::Result<()> {
    for (path, text) in FILES {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holes_are_in_the_sample() {
        for (hole, path) in [(RUST_HOLE, "till/src/lib.rs"), (PYTHON_HOLE, "receipts/receipt.py")] {
            let text = FILES.iter().find(|(known, _)| *known == path).unwrap().1;
            let (cut, cursor) = hole.cut(text);
            assert_eq!(cut.len() + hole.removed.len(), text.len());
            assert!(cut[..cursor].ends_with(hole.typed));
        }
    }
}
