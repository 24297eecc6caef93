//! Raw strings of C++: `R"mark(…)mark"`.

/// The longest mark the language allows.
const LONGEST: usize = 16;

/// The mark between the quote and the bracket of a raw string; often empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Delimiter {
    /// Of the raw string that `rest` starts with, if it does: the length of its opening, and its
    /// mark.
    pub(super) fn opening(rest: &str) -> Option<(usize, Self)> {
        let prefix = ["R\"", "LR\"", "uR\"", "UR\"", "u8R\""];
        let start = prefix.iter().find(|prefix| rest.starts_with(**prefix))?.len();
        let mark = rest.get(start..)?.bytes();
        let length = mark.take(LONGEST + 1).position(|byte| byte == b'(')?;
        let text = rest.as_bytes().get(start..start + length)?;
        let foreign = |byte: &u8| byte.is_ascii_whitespace() || b"\\)\"".contains(byte);
        if text.iter().any(foreign) {
            return None;
        }
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..length)?.copy_from_slice(text);
        Some((start + length + 1, Self { bytes, length }))
    }

    /// The length of what ends the string, where `rest` starts with it.
    pub(super) fn ends(self, rest: &str) -> Option<usize> {
        let mark = self.bytes.get(..self.length)?;
        let behind = rest.as_bytes().strip_prefix(b")")?.strip_prefix(mark)?;
        behind.starts_with(b"\"").then_some(self.length + 2)
    }
}
