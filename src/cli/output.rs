//! Printing. Standard output carries the answer, standard error all talk.
//!
//! Text of models and files is stripped of terminal escapes wherever it is shown. The one
//! exception is a diff that goes to a pipe or a file: it must stay exactly what it says, or it
//! would not apply.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde_json::{Value as Json, json};

use super::failure::Failure;
use crate::text::printable::printable;

/// The version of every JSON answer; it changes when a key changes its meaning or goes away.
pub(super) const SCHEMA: u32 = 1;

/// Prints a line or text of the answer, made safe, ended by a line break.
pub(super) fn answer(text: &str) -> Result<(), Failure> {
    let text = printable(text);
    to_stdout(if text.ends_with('\n') { text.into_owned() } else { format!("{text}\n") }.as_bytes())
}

/// Prints a diff: safe to look at on a terminal, exact in a pipe.
pub(super) fn diff(diff: &str) -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        to_stdout(printable(diff).as_bytes())
    } else {
        to_stdout(diff.as_bytes())
    }
}

/// Prints one JSON object; `fields` is an object, to which the schema version is added.
pub(super) fn object(mut fields: Json) -> Result<(), Failure> {
    if let Some(object) = fields.as_object_mut() {
        object.insert("schema".to_owned(), SCHEMA.into());
    }
    let text = serde_json::to_string(&fields).map_err(Failure::usage)?;
    to_stdout(format!("{text}\n").as_bytes())
}

/// Says something on standard error, made safe.
pub(super) fn say(text: &str) {
    let text = printable(text);
    // With standard error gone there is nobody left to tell.
    _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}

/// Tells of a failure: as a JSON object on standard output if JSON was asked for, else in words on
/// standard error.
pub(super) fn failure(failure: &Failure, as_json: bool) {
    if as_json {
        _ = object(json!({"error": failure.message, "exit_code": failure.code}));
    } else {
        say(&format!("agent: {}", failure.message));
    }
}

/// A size in words: `4.2 MiB`.
pub(super) fn size(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["bytes", "KiB", "MiB", "GiB"] {
        if size < 1024.0 {
            return if unit == "bytes" {
                format!("{bytes} bytes")
            } else {
                format!("{size:.1} {unit}")
            };
        }
        size /= 1024.0;
    }
    format!("{size:.1} TiB")
}

/// Writes to standard output; a reader that has left is no error.
fn to_stdout(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::usage(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(4_452_416), "4.2 MiB");
        assert_eq!(size(5 << 30), "5.0 GiB");
    }
}
