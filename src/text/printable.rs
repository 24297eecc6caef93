//! Untrusted text made safe to show in a terminal.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

/// `text` without terminal escapes, other control characters (newline and tab stay, a carriage
/// return only before a newline) and bidirectional controls.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || is_bidi(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_control_sequence(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut chars),
            '\n' | '\t' => out.push(c),
            '\r' if chars.peek() == Some(&'\n') => out.push(c),
            c if c.is_control() || is_bidi(c) => {}
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Marks that reorder what is displayed.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// What follows ESC (ECMA-48): a control sequence, a string, or intermediates and a final byte.
fn skip_escape(chars: &mut Peekable<Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_control_sequence(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            chars.next();
            skip_string(chars);
        }
        _ => {
            while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
            chars.next_if(|c| matches!(c, '0'..='~'));
        }
    }
}

/// Parameters, intermediates and the final byte; a byte that fits nowhere ends it and stays.
fn skip_control_sequence(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|c| matches!(c, '0'..='?')).is_some() {}
    while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
    chars.next_if(|c| matches!(c, '@'..='~'));
}

/// A string up to BEL or ST. One that is never closed ends with its line, so that it cannot hide
/// the rest of the text.
fn skip_string(chars: &mut Peekable<Chars<'_>>) {
    while let Some(c) = chars.next_if(|c| !matches!(c, '\n' | '\r')) {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                chars.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_text_is_borrowed_unchanged() {
        let text = "fn größe() {\n\tprintln!(\"😀\");\n}\n";
        assert!(matches!(printable(text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn escapes_go_in_both_spellings() {
        for (text, shown) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{9b}31mred\u{9b}m", "red"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("\u{1b}]8;;http://e\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{9d}52;c;cGF5\u{9c}x", "x"),
            ("\u{1b}P1$r\u{1b}\\x", "x"),
            ("\u{1b}(Bx\u{1b}cy", "xy"),
            ("\u{1b}[1\u{e9}", "é"),
            ("\u{1b}]0;never closed\nnext", "\nnext"),
            ("end\u{1b}", "end"),
        ] {
            assert_eq!(printable(text), shown, "{text:?}");
        }
    }

    #[test]
    fn controls_go_but_line_ends_and_tabs_stay() {
        assert_eq!(printable("a\0b\u{8}c\u{7f}d\u{85}e"), "abcde");
        assert_eq!(printable("safe\rEVIL\r\n\tx\n"), "safeEVIL\r\n\tx\n");
        assert_eq!(printable("a\u{202e}b\u{2066}c\u{200f}d\u{61c}e"), "abcde");
    }

    proptest! {
        #[test]
        fn nothing_that_moves_the_cursor_is_left(text in "[\u{1b}\u{9b}\u{9d}\u{7}\r\n\t\\[\\];0-9mPa\u{202e}é]{0,60}") {
            let shown = printable(&text).into_owned();
            let moves = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || is_bidi(c);
            let left = shown.replace("\r\n", "\n").contains(moves);
            prop_assert!(!left);
            prop_assert_eq!(shown.matches('\n').count(), text.matches('\n').count());
            prop_assert_eq!(printable(&shown).into_owned(), shown);
        }
    }
}
