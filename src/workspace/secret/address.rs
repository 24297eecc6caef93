//! Passwords in URLs: `scheme://user:password@host`.

use super::assignment::is_stand_in;

/// The most between a URL's scheme and its host, in bytes.
const MAX_USER: usize = 256;
/// Shorter passwords are those of samples.
const MIN_PASSWORD: usize = 8;
/// Words that passwords of samples consist of, before digits; in lower case.
const PLACEHOLDERS: [&str; 18] = [
    "admin", "changeit", "changeme", "guest", "key", "letmein", "p@ssw0rd", "p4ssw0rd", "pass",
    "passw0rd", "passwd", "password", "postgres", "pwd", "qwerty", "root", "secret", "token",
];
/// Users of samples.
const SAMPLE_USERS: [&str; 5] = ["foo", "name", "user", "username", "usr"];
/// Hosts of samples (RFC 2606) and of a machine's own.
const SAMPLE_HOSTS: [&str; 3] = ["example", "localhost", "127.0.0.1"];

/// Whether a URL whose scheme ends `before` and whose rest, after `://`, starts `rest`, names a
/// password that is no placeholder.
pub(super) fn has_password(before: &str, rest: &str) -> bool {
    let rest = rest.get(..rest.floor_char_boundary(MAX_USER)).unwrap_or_default();
    let is_end = |c: char| c.is_whitespace() || c.is_control() || "/?#\"'`<>\\|".contains(c);
    let authority = rest.split(is_end).next().unwrap_or_default();
    let Some((user, host)) = authority.rsplit_once('@') else { return false };
    let Some((user, password)) = user.split_once(':') else { return false };
    before.ends_with(|c: char| c.is_ascii_alphanumeric())
        && host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
        && !SAMPLE_USERS.contains(&user.to_lowercase().as_str())
        && !SAMPLE_HOSTS.iter().any(|sample| host.contains(sample))
        && user != password
        && is_password(password)
}

fn is_password(password: &str) -> bool {
    // `{password}`, `$PASSWORD`, `%s`, `<password>`, `***`, a call.
    let is_plain = password.chars().all(|c| c.is_ascii_graphic() && !"{}$<>*()[];,".contains(c));
    let is_format = password.starts_with('%') && password.len() < 4;
    let has_letter = password.bytes().any(|byte| byte.is_ascii_alphabetic());
    let has_other = password.bytes().any(|byte| !byte.is_ascii_alphabetic());
    let lower = password.to_lowercase();
    let word = lower.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
    let words = || lower.split(|c: char| !c.is_ascii_alphanumeric());
    let is_placeholder = PLACEHOLDERS.contains(&word)
        || words().any(|word| PLACEHOLDERS.contains(&word))
        || is_stand_in(password);
    let is_long = password.len() >= MIN_PASSWORD;
    is_plain && !is_format && has_letter && has_other && is_long && !is_placeholder
}

#[cfg(test)]
mod tests {
    use super::super::holds_secret;

    /// In the place of `SECRET`, so that this file holds none.
    const PASSWORD: &str = "h4Rk9wq2Zx";

    #[test]
    fn passwords_in_urls_are_found() {
        for url in [
            "DB = 'postgres://shop:SECRET@db.internal:5432/shop'",
            "redis://:SECRET@cache.internal:6379",
            "mongodb+srv://shop:-SECRET@cluster0.mongodb.net/?w=1",
            "git clone https://deploy:SECRET@git.internal/shop.git",
        ] {
            assert!(holds_secret(&url.replace("SECRET", PASSWORD)), "{url}");
        }
    }

    #[test]
    fn urls_of_samples_and_templates_hold_no_password() {
        for url in [
            "postgres://user:password@host/db",
            "postgres://postgres:postgres@db:5432/x",
            "https://joe:secret123@proxy.internal",
            "https://shop:SECRET@example.com",
            "https://user:SECRET@proxy",
            "postgres://shop:SECRET@localhost/shop",
            "postgres://{user}:{password}@{host}/db",
            "postgres://shop:$PASSWORD_1@db",
            "postgres://shop:${DB_PASSWORD_1}@db",
            "postgres://%s:%s@%s/db",
            "https://shop:my-password-1@db",
            "https://shop:<your-password1>@db",
            "https://host:8080/path@1.2.3",
            "https://registry/npm/@scope/name:1.2.3@x",
            "ssh://git@host.internal:2222/x",
            "see http://a.b, then mail joe:x1234567@y",
            "://shop:SECRET@",
        ] {
            assert!(!holds_secret(&url.replace("SECRET", PASSWORD)), "{url}");
        }
    }
}
