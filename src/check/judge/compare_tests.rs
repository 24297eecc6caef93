//! What counts as new and what as left, when lines have moved.

use super::*;
use crate::text::Span;

fn diagnostic(line: u32, message: &str) -> Diagnostic {
    Diagnostic {
        path: "/w/a.rs".into(),
        span: Span::empty(line as usize),
        line,
        severity: Severity::Error,
        code: "E0308".to_owned(),
        message: message.to_owned(),
        tool: "rustc".to_owned(),
        suggestions: Vec::new(),
    }
}

#[test]
fn a_moved_diagnostic_is_not_new() {
    let before = [diagnostic(3, "a"), diagnostic(5, "a")];
    let after = [diagnostic(4, "a"), diagnostic(6, "a"), diagnostic(8, "a")];
    assert_eq!(unmatched(&after[..2], &before), []);
    assert_eq!(unmatched(&after, &before), [diagnostic(8, "a")]);
}

#[test]
fn of_two_alike_one_target_is_gone_when_one_is_left() {
    let before = [diagnostic(3, "a"), diagnostic(5, "a"), diagnostic(7, "b")];
    let after = [diagnostic(4, "a"), diagnostic(8, "b")];
    assert_eq!(remaining(&before[..1], &before, &after), []);
    assert_eq!(remaining(&before[..2], &before, &after), [diagnostic(5, "a")]);
    assert_eq!(remaining(&before[2..], &before, &after), [diagnostic(7, "b")]);
    assert_eq!(remaining(&before, &before, &[]), []);
}
