//! Secrets that their shape gives away: tokens that services document, and private keys.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Match};

/// A token's fixed beginning, the least length of what follows, and what that may consist of beside
/// letters and digits.
const TOKENS: [(&str, usize, &str); 22] = [
    ("AKIA", 16, ""),
    ("ASIA", 16, ""),
    ("AIza", 35, "_-"),
    ("dop_v1_", 60, ""),
    ("ghp_", 36, ""),
    ("gho_", 36, ""),
    ("ghs_", 36, ""),
    ("ghu_", 36, ""),
    ("github_pat_", 60, "_-"),
    ("glpat-", 20, "_-"),
    ("hf_", 34, ""),
    ("npm_", 36, ""),
    ("pypi-AgEI", 50, "_-"),
    ("rk_live_", 24, ""),
    ("sk_live_", 24, ""),
    ("sk-ant-", 80, "_-"),
    ("sk-proj-", 40, "_-"),
    ("xoxa-", 30, "_-"),
    ("xoxb-", 30, "_-"),
    ("xoxp-", 30, "_-"),
    ("xoxs-", 30, "_-"),
    (PRIVATE_KEY, 0, ""),
];
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// Whether a text holds what can only be a secret: the block of a private key, or a token whose
/// shape a service documents (AWS, Digital Ocean, GitHub, GitLab, Google, Hugging Face, npm, PyPI,
/// Slack, Stripe, providers of models). A bare heading, as code that reads keys has it, is none, nor
/// is a token that says `EXAMPLE`.
pub(super) fn holds_token(text: &str) -> bool {
    static STARTS: LazyLock<Option<AhoCorasick>> =
        LazyLock::new(|| AhoCorasick::new(TOKENS.iter().map(|(start, ..)| start)).ok());
    let is_secret = |start: Match| {
        let rest = text.get(start.end()..).unwrap_or_default();
        let before = text.get(..start.start()).unwrap_or_default();
        match TOKENS.get(start.pattern().as_usize()) {
            Some((PRIVATE_KEY, ..)) => is_private_key(before, rest),
            Some((_, length, marks)) => is_token(before, rest, *length, marks),
            None => false,
        }
    };
    STARTS.as_ref().is_some_and(|starts| starts.find_iter(text).any(is_secret))
}

fn is_token(before: &str, rest: &str, length: usize, marks: &str) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || marks.as_bytes().contains(byte);
    let token = rest.bytes().take(length).take_while(is_part).count();
    token == length
        && !before.ends_with(char::is_alphanumeric)
        && !rest.get(..length).is_some_and(|token| token.contains("EXAMPLE"))
}

/// A `PRIVATE KEY` heading followed by a line of base 64.
fn is_private_key(before: &str, rest: &str) -> bool {
    let heading = before.rsplit('\n').next().is_some_and(|line| line.contains("-----BEGIN "));
    let next = rest.lines().nth(1).unwrap_or_default().trim();
    heading
        && next.len() >= 40
        && next.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_a_text_are_known_by_their_shape() {
        let key = format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n", "MIIEpAIBAAKCAQEA".repeat(4));
        assert!(holds_token(&key));
        assert!(holds_token(&format!("token = \"ghp_{}\"", "a1B2".repeat(9))));
        assert!(holds_token(&format!("x('AKIA{}')", "A1B2".repeat(4))));
        assert!(!holds_token("if line == \"-----BEGIN RSA PRIVATE KEY-----\" {\n    parse()"));
        assert!(!holds_token("MAKIAVELLI ghp_short xoxb-"));
        assert!(!holds_token("key = \"AKIAIOSFODNN7EXAMPLE\""));
        assert!(!holds_token("def hf_compute_the_mean_of_many_values_and_more(): pass"));
    }
}
