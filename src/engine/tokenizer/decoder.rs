//! Bytes that arrive in pieces → text, without ever cutting a character.

/// Turns a stream of ids into text without ever cutting a character.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The start of a character whose rest has not arrived; at most 3 bytes.
    pending: Vec<u8>,
}

impl Decoder {
    /// The text that `bytes` complete; an incomplete character waits for its rest, a broken one
    /// becomes U+FFFD.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::with_capacity(self.pending.len());
        let mut rest = self.pending.as_slice();
        let mut waiting = 0;
        for chunk in rest.utf8_chunks() {
            text.push_str(chunk.valid());
            rest = rest.get(chunk.valid().len() + chunk.invalid().len()..).unwrap_or_default();
            if chunk.invalid().is_empty() {
                continue;
            }
            if rest.is_empty() && is_incomplete(chunk.invalid()) {
                waiting = chunk.invalid().len();
            } else {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        self.pending.drain(..self.pending.len() - waiting);
        text
    }

    /// What is left at the end.
    pub fn finish(&mut self) -> String {
        let left = std::mem::take(&mut self.pending);
        String::from_utf8_lossy(&left).into_owned()
    }
}

/// Whether more bytes could still make this a character.
fn is_incomplete(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_character_waits_for_its_last_byte() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.push(b"a\xf0\x9f"), "a");
        assert_eq!(decoder.push(b"\x98"), "");
        assert_eq!(decoder.push(b"\x80b"), "😀b");
        assert_eq!(decoder.finish(), "");
    }

    #[test]
    fn a_character_that_never_ends_is_replaced() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.push(b"\xf0\x9f"), "");
        assert_eq!(decoder.push(b"x"), "\u{fffd}x");
        assert_eq!(decoder.push(b"\xc3"), "");
        assert_eq!(decoder.finish(), "\u{fffd}");
        assert_eq!(decoder.finish(), "");
    }

    proptest! {
        #[test]
        fn pieces_decode_as_the_whole_does(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x80u8..=0xf4], 0..40),
            cuts in prop::collection::vec(0usize..40, 0..6),
        ) {
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut decoder = Decoder::default();
            let mut text = String::new();
            for pair in cuts.windows(2) {
                text.push_str(&decoder.push(&bytes[pair[0]..pair[1]]));
            }
            text.push_str(&decoder.finish());
            prop_assert_eq!(text, String::from_utf8_lossy(&bytes).into_owned());
        }

        #[test]
        fn no_more_than_three_bytes_ever_wait(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut decoder = Decoder::default();
            for byte in bytes {
                decoder.push(&[byte]);
                prop_assert!(decoder.pending.len() <= 3);
            }
        }
    }
}
