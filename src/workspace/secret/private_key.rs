//! Private keys in PEM or `OpenPGP` armour, as files and as string literals hold them.

/// How far before the end of a heading it starts at most, in bytes.
const MAX_HEADING: usize = 40;
/// The most between a heading and the key, in bytes.
const MAX_BETWEEN: usize = 2048;
/// So many characters of base 64 are a key.
const MIN_KEY: usize = 40;

/// Whether `before` opens a heading that ends where `rest` starts, and the key follows. Between them
/// there may be line ends, also escaped ones, quotes and what joins string literals, and header
/// lines (`Proc-Type: 4,ENCRYPTED`, RFC 1421; `Version: …`, RFC 9580).
pub(super) fn follows(before: &str, rest: &str) -> bool {
    let start = before.ceil_char_boundary(before.len().saturating_sub(MAX_HEADING));
    let opens = before.get(start..).is_some_and(|heading| heading.contains("-----BEGIN "));
    opens && {
        let end = rest.floor_char_boundary(MAX_BETWEEN);
        is_key(after_headers(rest.get(..end).unwrap_or_default()))
    }
}

fn is_key(text: &str) -> bool {
    let is_base_64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    text.bytes().take(MIN_KEY).take_while(is_base_64).count() == MIN_KEY
}

fn after_headers(text: &str) -> &str {
    let mut rest = after_joints(text);
    while let Some(value) = header_value(rest) {
        // A header ends with its line, its string or an escaped line end.
        let end = value.find(['\n', '"', '\'', '`', '\\']).unwrap_or(value.len());
        rest = after_joints(value.get(end..).unwrap_or_default());
    }
    rest
}

/// What follows the name of a header, if `text` starts with one.
fn header_value(text: &str) -> Option<&str> {
    let (name, value) = text.split_once(": ")?;
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (is_name && !name.is_empty()).then_some(value)
}

/// `text` without line ends, blanks, quotes and joints of literals at its start.
fn after_joints(text: &str) -> &str {
    let mut rest = text;
    loop {
        let joint = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '+' | ',' | '&');
        let next = rest.trim_start_matches(joint);
        // `\n`, `\r`, `\\n` and a line that goes on; `b"…"` and the like.
        let next = match next.strip_prefix('\\') {
            Some(escaped) => escaped.strip_prefix(['n', 'r', 't']).unwrap_or(escaped),
            None => match next.strip_prefix(['b', 'f', 'r', 'u']) {
                Some(quoted) if quoted.starts_with(['"', '\'']) => quoted,
                _ => next,
            },
        };
        if next.len() == rest.len() {
            return rest;
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::super::holds_secret;

    const BODY: &str = "MIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEA";

    #[test]
    fn keys_are_found_in_files_and_in_literals_of_many_languages() {
        for text in [
            "-----BEGIN RSA PRIVATE KEY-----\n@\n",
            "-----BEGIN RSA PRIVATE KEY-----\r\n@\r\n",
            r#"{"private_key": "-----BEGIN PRIVATE KEY-----\n@\n-----END"}"#,
            r#"k = "-----BEGIN PRIVATE KEY-----\\n@\\n""#,
            "k = \"-----BEGIN PRIVATE KEY-----\" +\n    \"@\"",
            "k = \"-----BEGIN PRIVATE KEY-----\\n\" +\n    \"@\"",
            "char *k = \"-----BEGIN EC PRIVATE KEY-----\\r\\n\"\n  \"@\\n\";",
            "k = (b'-----BEGIN PRIVATE KEY-----\\n'\n     b'@')",
            "['-----BEGIN PRIVATE KEY-----',\n  '@'].join()",
            "k = \"-----BEGIN PRIVATE KEY-----\\\n    @\"",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,A0B1\n\n@",
            r#""-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: A,B\n\n@""#,
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n@",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n@",
        ] {
            assert!(holds_secret(&text.replace('@', BODY)), "{text}");
        }
    }

    #[test]
    fn bare_headings_in_code_that_reads_keys_are_no_keys() {
        for text in [
            "if line == \"-----BEGIN RSA PRIVATE KEY-----\" {\n    parse()",
            "text.replace(\"-----BEGIN PRIVATE KEY-----\", \"\")\n    .trim()",
            "const HEADINGS: [&str; 2] =\n    [\"-----BEGIN PRIVATE KEY-----\", \"-----BEGIN RSA PRIVATE KEY-----\"];",
            "\"-----BEGIN PRIVATE KEY-----\\n{}\\n\", body",
            "-----BEGIN PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----é",
            "END PRIVATE KEY-----\nabc",
        ] {
            assert!(!holds_secret(text), "{text}");
        }
    }
}
