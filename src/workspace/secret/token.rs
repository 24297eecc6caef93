//! Secrets that their shape gives away: tokens that services document, and private keys.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Match};

use super::{address, assignment, private_key};

/// What a secret starts with, and how the rest is told.
const SHAPES: [(&str, Shape); 36] = [
    ("AKIA", Shape::Token(16, "")),
    ("ASIA", Shape::Token(16, "")),
    ("AIza", Shape::Token(35, "_-")),
    ("AccountKey=", Shape::Token(40, "+/")),
    ("SharedAccessKey=", Shape::Token(40, "+/")),
    ("dop_v1_", Shape::Token(60, "")),
    ("ghp_", Shape::Token(36, "")),
    ("gho_", Shape::Token(36, "")),
    ("ghr_", Shape::Token(36, "")),
    ("ghs_", Shape::Token(36, "")),
    ("ghu_", Shape::Token(36, "")),
    ("github_pat_", Shape::Token(60, "_-")),
    ("glpat-", Shape::Token(20, "_-")),
    ("hf_", Shape::Token(34, "")),
    ("npm_", Shape::Token(36, "")),
    ("pypi-AgEI", Shape::Token(50, "_-")),
    ("rk_live_", Shape::Token(24, "")),
    ("sk_live_", Shape::Token(24, "")),
    ("sk-", Shape::Token(48, "")),
    ("sk-ant-", Shape::Token(80, "_-")),
    ("sk-or-v1-", Shape::Token(64, "")),
    ("sk-proj-", Shape::Token(40, "_-")),
    ("sk-svcacct-", Shape::Token(40, "_-")),
    ("xoxa-", Shape::Token(30, "_-")),
    ("xoxb-", Shape::Token(30, "_-")),
    ("xoxp-", Shape::Token(30, "_-")),
    ("xoxr-", Shape::Token(30, "_-")),
    ("xoxs-", Shape::Token(30, "_-")),
    ("SG.", Shape::Parts('.', &[(22, "_-"), (43, "_-")])),
    ("hooks.slack.com/services/", Shape::Parts('/', &[(9, ""), (9, ""), (24, "")])),
    ("eyJ", Shape::WebToken),
    ("Bearer ", Shape::Bearer),
    ("bearer ", Shape::Bearer),
    ("://", Shape::Address),
    ("PRIVATE KEY-----", Shape::PrivateKey),
    ("PRIVATE KEY BLOCK-----", Shape::PrivateKey),
];

/// How a secret goes on after its fixed beginning.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// At least so many letters, digits and these marks.
    Token(usize, &'static str),
    /// Such parts with a separator between them.
    Parts(char, &'static [(usize, &'static str)]),
    /// A JSON web token (RFC 7519): a header and claims, both JSON in base 64, and a signature.
    WebToken,
    /// A random-looking value.
    Bearer,
    /// The rest of a URL, with a user's password before the host.
    Address,
    /// The block of a private key.
    PrivateKey,
}

/// Fewer different characters make no secret: `xxxxxxxx`.
const MIN_DIFFERENT: usize = 4;
/// The least and most of each part of a JSON web token, in bytes.
const WEB_TOKEN_PART: std::ops::RangeInclusive<usize> = 10..=4096;
/// The signature of the sample that jwt.io shows, which many texts repeat.
const SAMPLE_SIGNATURE: &str = "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
/// The least and most of a bearer's token, in bytes.
const BEARER: std::ops::RangeInclusive<usize> = 40..=512;

/// Whether a text holds what can only be a secret: the block of a private key, a token whose shape a
/// service documents (AWS, Azure, Digital Ocean, GitHub, GitLab, Google, Hugging Face, npm, PyPI,
/// `SendGrid`, Slack, Stripe, providers of models), a JSON web token, what a `Bearer` shows, or a URL
/// with a password. A bare heading, as code that reads keys has it, is none, nor is a token that says
/// `EXAMPLE` or `xxxx`.
pub(super) fn holds_token(text: &str) -> bool {
    static STARTS: LazyLock<Option<AhoCorasick>> =
        LazyLock::new(|| AhoCorasick::new(SHAPES.iter().map(|(start, _)| start)).ok());
    let is_secret = |start: Match| {
        let rest = text.get(start.end()..).unwrap_or_default();
        let before = text.get(..start.start()).unwrap_or_default();
        let starts = || !before.ends_with(char::is_alphanumeric);
        match SHAPES.get(start.pattern().as_usize()).map(|(_, shape)| *shape) {
            Some(Shape::Token(length, marks)) => starts() && part(rest, length, marks).is_some(),
            Some(Shape::Parts(separator, parts)) => starts() && has_parts(rest, separator, parts),
            Some(Shape::WebToken) => {
                starts() && !before.ends_with(['_', '-']) && is_web_token(rest)
            }
            Some(Shape::Bearer) => {
                let value = run(rest, *BEARER.end(), "._~+/=-");
                value.len() >= *BEARER.start() && assignment::looks_random(value).is_some()
            }
            Some(Shape::Address) => address::has_password(before, rest),
            Some(Shape::PrivateKey) => private_key::follows(before, rest),
            None => false,
        }
    };
    STARTS.as_ref().is_some_and(|starts| starts.find_overlapping_iter(text).any(is_secret))
}

/// The letters, digits and `marks` that `text` starts with, at most `most` bytes.
fn run<'t>(text: &'t str, most: usize, marks: &str) -> &'t str {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || marks.as_bytes().contains(byte);
    let length = text.bytes().take(most).take_while(is_part).count();
    text.get(..length).unwrap_or_default()
}

/// The first `length` bytes of `text` if they may be a secret's.
fn part<'t>(text: &'t str, length: usize, marks: &str) -> Option<&'t str> {
    let found = run(text, length, marks);
    let mut different: Vec<u8> = found.bytes().collect();
    different.sort_unstable();
    different.dedup();
    let is_sample = found.contains("EXAMPLE") || different.len() < MIN_DIFFERENT;
    (found.len() == length && !is_sample).then_some(found)
}

/// Whether `text` starts with such parts, of which only the last one has to look like a secret.
fn has_parts(text: &str, separator: char, parts: &[(usize, &str)]) -> bool {
    let Some(((length, marks), before)) = parts.split_last() else { return false };
    let mut rest = text;
    for (least, marks) in before {
        let found = run(rest, least + 8, marks);
        let after = rest.get(found.len()..).and_then(|rest| rest.strip_prefix(separator));
        let Some(after) = after.filter(|_| found.len() >= *least) else { return false };
        rest = after;
    }
    part(rest, *length, marks).is_some()
}

/// Whether what follows `eyJ` goes on as a JSON web token does.
fn is_web_token(rest: &str) -> bool {
    let mut parts = Vec::new();
    let mut rest = rest;
    for _ in 0..3 {
        let found = run(rest, *WEB_TOKEN_PART.end(), "_-");
        parts.push(found);
        rest = rest.get(found.len()..).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
    }
    parts.iter().all(|part| WEB_TOKEN_PART.contains(&part.len()))
        && parts.get(1).is_some_and(|claims| claims.starts_with("eyJ"))
        && !parts.contains(&SAMPLE_SIGNATURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: &str = "q7Wz2LkP9vTn4XbR8sYd1MfHq7Wz2LkP9vTn4XbR8sYd1MfH";

    #[test]
    fn secrets_in_a_text_are_known_by_their_shape() {
        assert!(holds_token(&format!("token = \"ghp_{}\"", "a1B2".repeat(9))));
        assert!(holds_token(&format!("x('AKIA{}')", "A1B2".repeat(4))));
        assert!(!holds_token("MAKIAVELLI ghp_short xoxb-"));
        assert!(!holds_token("key = \"AKIAIOSFODNN7EXAMPLE\""));
        assert!(!holds_token("def hf_compute_the_mean_of_many_values_and_more(): pass"));
    }

    #[test]
    fn the_tokens_of_more_services_are_known() {
        let claims = "eyJzdWIiOiIxMjM0NTY3ODkwIn0";
        for text in [
            format!("'sk-{RANDOM}'"),
            format!("'sk-proj-{RANDOM}'"),
            format!("ghr_{RANDOM}"),
            format!("AccountName=a;AccountKey={RANDOM}{RANDOM}==;"),
            format!("https://hooks.slack.com/services/T01ABCDEF/B02ABCDEFGH/{}", &RANDOM[..24]),
            format!("SG.{}.{}", &RANDOM[..22], &RANDOM[..43]),
            format!("Authorization: Bearer {RANDOM}"),
            format!("t = \"eyJhbGciOiJIUzI1NiJ9.{claims}.{RANDOM}\""),
        ] {
            assert!(holds_token(&text), "{text}");
        }
        for text in [
            format!("'sk-{}'", "x".repeat(48)),
            format!("task-{RANDOM}"),
            "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX".into(),
            "Authorization: Bearer your-token-which-is-a-long-one-with-words-only".to_owned(),
            format!("eyJhbGciOiJIUzI1NiJ9.{claims}.{SAMPLE_SIGNATURE}"),
            format!("eyJhbGciOiJIUzI1NiJ9.payload.{RANDOM}"),
            "SG.width.height".to_owned(),
        ] {
            assert!(!holds_token(&text), "{text}");
        }
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        for text in ["eyJ", "eyJ.eyJ.", "SG.é", "Bearer é", "://", "é://é:é@é", "AccountKey="]
        {
            assert!(!holds_token(text), "{text}");
        }
    }
}
