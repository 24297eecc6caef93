//! Random-looking values that code gives to names of secrets: `API_KEY = "…"`.
//!
//! A value counts when all of this holds. What it is called ends in one of [`NAMES`]. It is a quoted
//! string of at least 20 characters of base 64, base 62 or hexadecimal (and `.`, `-`, `_`), with a
//! letter, and two runs of digits in one stretch of eight characters or more between `.`, `-` and `_`:
//! words with numbers behind them have none. Its Shannon entropy, of the characters it consists of, is at least
//! 3.5 bits per character, or 3 for hexadecimal, of which 32 are needed. It does not count when it
//! says that it is a stand-in (`example`, `dummy`, `xxxx`, `abcdef…`), nor, if hexadecimal, in a text
//! with eight such values or more: a table of test vectors.

use crate::text::word::is_word;
use std::ops::RangeInclusive;

/// Ends of the names of secrets, in lower case without separators. A bare `key` is none, and what
/// ends in `hash`, `id`, `checksum` or the like is not meant.
const NAMES: [&str; 15] = [
    "accesskey",
    "accountkey",
    "apikey",
    "authkey",
    "credential",
    "credentials",
    "encryptionkey",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "secretkey",
    "signingkey",
    "token",
];
/// What stand-ins for secrets say, in lower case; nothing random does.
const STAND_INS: [&str; 8] =
    ["0000", "changeme", "example", "placeholder", "redacted", "replace", "sample", "xxxx"];
/// The same where they are a part of their own or the first word; random values may hold them.
const STAND_IN_WORDS: [&str; 5] = ["dummy", "fake", "mock", "test", "your"];
const LENGTHS: RangeInclusive<usize> = 20..=512;
const MIN_HEX: usize = 32;
const MIN_STRETCH: usize = 8;
/// In bits per character.
const MIN_ENTROPY: f64 = 3.5;
const MIN_ENTROPY_HEX: f64 = 3.0;
/// So many long hexadecimal strings are a table of test vectors.
const TABLE_OF_VECTORS: usize = 8;
/// How far before a value its name may start, in bytes.
const MAX_BEFORE: usize = 120;

/// Whether the text gives a random-looking value to the name of a secret.
pub(super) fn assigns_secret(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut hex, mut hex_assigned) = (0, false);
    let mut at = 0;
    while let Some(open) = find_quote(bytes, at) {
        let inside = bytes.get(open + 1..).unwrap_or_default();
        let len = inside.iter().take(LENGTHS.end() + 1).take_while(|b| is_value_byte(**b)).count();
        at = open + 1 + len;
        if !LENGTHS.contains(&len) || bytes.get(at) != bytes.get(open) {
            continue;
        }
        let value = text.get(open + 1..at).unwrap_or_default();
        let Some(is_hex) = looks_random(value) else { continue };
        hex += usize::from(is_hex);
        if is_named_secret(text.get(..open).unwrap_or_default()) {
            if !is_hex {
                return true;
            }
            hex_assigned = true;
        }
    }
    hex_assigned && hex < TABLE_OF_VECTORS
}

fn find_quote(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.iter().position(|byte| matches!(byte, b'"' | b'\'' | b'`')).map(|at| from + at)
}

fn is_value_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-' | b'.')
}

/// Whether a value looks random, and if so, whether it is hexadecimal.
pub(super) fn looks_random(value: &str) -> Option<bool> {
    let bytes = value.as_bytes();
    let stretches = value.split(['.', '-', '_']).filter(|stretch| stretch.len() >= MIN_STRETCH);
    let is_mixed = stretches.map(digit_runs).any(|runs| runs >= 2);
    let has_letter = bytes.iter().any(u8::is_ascii_alphabetic);
    if !is_mixed || !has_letter || is_counting(bytes) {
        return None;
    }
    let is_hex = bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    let least = if is_hex { MIN_ENTROPY_HEX } else { MIN_ENTROPY };
    if (is_hex && bytes.len() < MIN_HEX) || entropy(bytes) < least {
        return None;
    }
    (!is_stand_in(value)).then_some(is_hex)
}

/// Whether a value says that it stands for another.
pub(super) fn is_stand_in(value: &str) -> bool {
    let lower = value.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    STAND_INS.iter().any(|word| lower.contains(word))
        || STAND_IN_WORDS.iter().any(|word| lower.starts_with(word))
        || words.any(|word| STAND_IN_WORDS.contains(&word))
}

fn digit_runs(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).count()
}

/// Whether most characters are the ones after those before them: `abcdef`, `123456`.
fn is_counting(bytes: &[u8]) -> bool {
    let steps = bytes.windows(2).filter(|pair| pair[1].wrapping_sub(pair[0]) == 1).count();
    steps * 2 > bytes.len()
}

/// Shannon's entropy of the characters, in bits for each.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let shares = counts.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / bytes.len() as f64);
    shares.map(|share| -share * share.log2()).sum()
}

/// Whether `before`, which ends where a quoted value starts, gives that value to a name of a secret.
fn is_named_secret(before: &str) -> bool {
    let start = before.len().saturating_sub(MAX_BEFORE);
    let line = before.get(before.ceil_char_boundary(start)..).unwrap_or_default();
    let line = line.rsplit('\n').next().unwrap_or_default();
    let line = without_prefix(line).trim_end();
    if let Some(arguments) = line.strip_suffix(',') {
        return is_secret_name(last_quoted(arguments).unwrap_or_default());
    }
    let is_macro = line.trim_start().strip_prefix('#').is_some_and(|directive| {
        directive.trim_start().starts_with("define") && directive.split_whitespace().count() <= 3
    });
    let is_given = line.ends_with(['=', ':', '>']);
    // `getenv("API_KEY") or "…"`.
    let is_default = [" or", "||", "??", "?:"].iter().any(|or| line.ends_with(or));
    if !is_given && !is_default && !is_macro {
        return false;
    }
    // The last name that is not part of a type: `API_KEY` in `const API_KEY: &str =`.
    line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').any(is_secret_name)
}

/// `line` without what may stand before a quote: `b"…"`, `r#"…"`, `&"…"`.
fn without_prefix(line: &str) -> &str {
    let marks = line.trim_end_matches(['#', '&', '@', '$']);
    let letters = marks.trim_end_matches(['b', 'r', 'f', 'u']);
    // The letters of a word before a blank are its own: `… or "`.
    if letters.ends_with(is_word) { marks } else { letters }
}

fn is_secret_name(name: &str) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    NAMES.iter().any(|end| name.ends_with(end))
}

/// The name in quotes that `arguments` end with: `API_KEY` in `os.getenv("API_KEY"`.
fn last_quoted(arguments: &str) -> Option<&str> {
    let arguments = arguments.trim_end();
    let quote = arguments.chars().next_back().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let inside = arguments.strip_suffix(quote)?;
    // Only of a call: a list may hold words and hashes.
    let (before, name) = inside.rsplit_once(quote)?;
    before.trim_end_matches(['b', 'r', 'u', '@']).ends_with('(').then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: &str = "q7Wz2LkP9vTn4XbR8sYd1MfH";
    const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015";

    #[test]
    fn random_values_of_secret_names_are_found_in_many_notations() {
        for line in [
            format!("API_KEY = \"{RANDOM}\""),
            format!("const API_KEY: &str = \"{RANDOM}\";"),
            format!("let client_secret = b\"{RANDOM}\";"),
            format!("  'db-password': '{RANDOM}',"),
            format!("{{ apiKey: `{RANDOM}` }}"),
            format!("Client(access_token=\"{RANDOM}\")"),
            format!("secretKey := \"{HEX}\""),
            format!("#define API_KEY \"{RANDOM}\""),
            format!("key = os.getenv(\"API_KEY\", \"{RANDOM}\")"),
            format!("os.Setenv(\"API_KEY\", \"{RANDOM}\")"),
            format!("key = os.environ.get('API_KEY') or '{RANDOM}'"),
            format!("const key = process.env.API_KEY || '{RANDOM}';"),
            "API_KEY = \"q7Wz2LktestTn4XbR8sYd1MfH\"".to_owned(),
            "API_KEY = \"q7Wz2Lkmock4XbR8sfakeMfH9\"".to_owned(),
            format!("map.insert(\"x\", 1); String awsSecretAccessKey = \"{RANDOM}/+{RANDOM}\";"),
        ] {
            assert!(assigns_secret(&line), "{line}");
        }
    }

    #[test]
    fn hashes_vectors_stand_ins_and_long_names_are_none() {
        let table = format!("secret_key = \"{HEX}\"\n").repeat(TABLE_OF_VECTORS);
        for line in [
            &format!("checksum = \"{HEX}{HEX}\""),
            &format!("integrity: \"sha512-{RANDOM}{RANDOM}==\""),
            &format!("key = \"{HEX}\""),
            &format!("token_hash = \"{HEX}\""),
            "API_KEY = \"your-api-key-1-goes-here-2\"",
            "API_KEY = \"AZURE_OPENAI_API_KEY_ENVIRONMENT\"",
            "\"access_token\": \"m2m-access-token-12345\"",
            "password = \"correct-horse-battery-staple-9\"",
            "token = \"abcdefghijklmnopqrstuvwxyz0123456789\"",
            "secret = \"short1a2\"",
            "secret = \"11111111112222222222aaaaaaaaaa1\"",
            "API_KEY = os.environ[\"SERVICE_2_API_KEY_3\"]",
            "token = \"\" + 'a'",
            "API_KEY = \"q7Wz2LkP9vTn4-test-XbR8sYd1MfH\"",
            "API_KEY = \"testq7Wz2LkP9vTn4XbR8sYd1MfH\"",
            &format!("#define VERSION_HASH \"{RANDOM}\""),
            &format!("sign(token, \"{RANDOM}\")"),
            &format!("[\"token\", \"{RANDOM}\"]"),
            &format!("if token or other == 1 and \"{RANDOM}\""),
            &format!("assert digest(token) in \"{HEX}\""),
            &table,
        ] {
            assert!(!assigns_secret(line), "{line}");
        }
    }

    #[test]
    fn entropy_is_in_bits_per_character() {
        assert!(entropy(b"aaaa").abs() < 1e-9);
        assert!((entropy(b"abcd") - 2.0).abs() < 1e-9);
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        for text in ["", "\"", "é = \"é", "token = \"", &"\"".repeat(1000), "größe_token = \"ß\""]
        {
            assert!(!assigns_secret(text), "{text}");
        }
    }
}
