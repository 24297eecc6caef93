//! The pieces of a request → the tokens of its prompt.

use super::healing;
use super::tokenizer::Tokenizer;
use super::{EngineError, Marker, Piece, Request};

/// A prompt in tokens.
#[derive(Debug)]
pub(super) struct Encoded {
    /// At least one.
    pub(super) tokens: Vec<u32>,
    /// The bytes taken from before the cursor that every answer has to spell again.
    pub(super) heal: Vec<u8>,
}

/// Spells the prompt of `request`.
pub(super) fn encode(request: &Request, tokenizer: &Tokenizer) -> Result<Encoded, EngineError> {
    let cursor = if request.heal { cursor(&request.pieces) } else { 0 };
    let (before, after) = request.pieces.split_at(cursor);
    let mut tokens = tokenizer.encode_pieces(before)?;
    let heal =
        if before.is_empty() { Vec::new() } else { healing::cut_back(&mut tokens, tokenizer) };
    // A marker comes next, or nothing: cutting the list there changes no token.
    tokens.append(&mut tokenizer.encode_pieces(after)?);
    if tokens.is_empty() {
        return Err(EngineError::Request { message: "the prompt is empty".to_owned() });
    }
    Ok(Encoded { tokens, heal })
}

/// How many pieces come before the place where the answer is inserted: all of a prompt that ends
/// with text, else all up to the text after the last prefix marker. 0 where no text ends there,
/// as in a chat, whose answer starts anew; and at the start of a line, where the model chooses
/// its own indentation badly and has nothing else to spell again.
fn cursor(pieces: &[Piece]) -> usize {
    let prefix = pieces.iter().rposition(|piece| *piece == Piece::Marker(Marker::Prefix));
    let end = match (pieces.last(), prefix) {
        (Some(Piece::Marker(_)), Some(prefix)) => {
            let text = pieces.iter().skip(prefix + 1).take_while(|p| matches!(p, Piece::Text(_)));
            prefix + 1 + text.count()
        }
        _ => pieces.len(),
    };
    match end.checked_sub(1).and_then(|last| pieces.get(last)) {
        Some(Piece::Text(text))
            if !text.rsplit('\n').next().unwrap_or_default().trim().is_empty() =>
        {
            end
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    #[test]
    fn the_cursor_is_after_the_prefix_or_at_the_end() {
        use Marker::{File, Middle, Prefix, Suffix};
        let fim = [
            Piece::Marker(File),
            text("other"),
            Piece::Marker(Prefix),
            text("before"),
            Piece::Marker(Suffix),
            text("after"),
            Piece::Marker(Middle),
        ];
        assert_eq!(cursor(&fim), 4);
        let typed = [&fim[..], &[text("typed")]].concat();
        assert_eq!(cursor(&typed), 8);
        assert_eq!(cursor(&[Piece::Marker(Prefix), text("a\n    "), Piece::Marker(Middle)]), 0);
        assert_eq!(cursor(&[Piece::Marker(Marker::Start), text("once")]), 2);
        assert_eq!(cursor(&[Piece::Control("<|im_start|>assistant".to_owned())]), 0);
        assert_eq!(cursor(&[Piece::Marker(Prefix), Piece::Marker(Suffix)]), 0);
        assert_eq!(cursor(&[]), 0);
    }
}
