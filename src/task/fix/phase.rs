//! In which order a tool finds errors: repairing an early one lets later ones come to light.

use crate::check::Diagnostic;

/// When an error is found. A tool that stops at one phase says nothing about the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Parsing.
    Syntax,
    /// Resolving names and imports.
    Names,
    /// Types and everything else.
    Types,
    /// Rust's borrow checker, which runs only on code whose types are right.
    Borrows,
}

/// Codes of `rustc` for names that stand for nothing.
const NAMES: &[&str] = &[
    "E0404", "E0405", "E0407", "E0408", "E0411", "E0412", "E0416", "E0422", "E0423", "E0424",
    "E0425", "E0426", "E0428", "E0429", "E0430", "E0431", "E0432", "E0433", "E0434", "E0435",
    "E0437", "E0438", "E0531", "E0532", "E0252", "E0255", "E0261", "E0583", "E0603", "E0106",
    "F821", "F822", "F823",
];

/// Codes of `rustc`'s borrow checker.
const BORROWS: &[&str] = &[
    "E0373", "E0381", "E0382", "E0384", "E0499", "E0502", "E0503", "E0505", "E0506", "E0507",
    "E0509", "E0515", "E0521", "E0594", "E0596", "E0597", "E0626", "E0700", "E0712", "E0713",
    "E0716",
];

impl Phase {
    /// The phase of an error.
    pub(super) fn of(diagnostic: &Diagnostic) -> Self {
        let code = diagnostic.code.as_str();
        if NAMES.contains(&code) {
            return Self::Names;
        }
        match diagnostic.tool.as_str() {
            "rustc" if code.is_empty() => Self::Syntax,
            "rustc" if BORROWS.contains(&code) => Self::Borrows,
            "python" => Self::Syntax,
            "check" => Self::Names,
            _ => Self::Types,
        }
    }
}
