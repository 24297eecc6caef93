//! `agent`: a local coding agent and editor language server.
//!
//! One idea: a local model costs nothing per token, so we search and verify. Context is built from
//! the tree, several candidates are sampled, each is checked by the cheapest judge that can reject
//! it (parser, compiler, tests), and only what survives is shown.
//!
//! The modules stand in the order in which data flows:
//!
//! ```text
//! text → syntax → document → workspace → context → prompt → engine → postprocess
//!      → edit → check → task → models → stats → config → lsp / cli
//! ```
//!
//! A module uses only what stands before it; `tests/tidy.rs` holds the table and enforces it.
//!
//! Invariants
//! 1. Model output is untrusted text. It reaches a file only as an [`edit::Proposal`] that passed
//!    [`check`], on exactly the version it was made for.
//! 2. A snapshot never changes. Edits apply in wire order; cancellation is never queued behind the
//!    work it cancels. Cancelling is dropping.
//! 3. Exactly one answer per request: bad, superseded, cancelled, panicked, too.
//! 4. The prompt says what was dropped: context is cut at syntax boundaries and never silently.
//! 5. Secret, git-ignored and outside files never enter a prompt, an index, a log or a cache.
//! 6. Stable text first in a prompt, volatile text last; the KV cache is designed with the prompt.
//! 7. Only `lsp` knows LSP; only `cli` prints; only `engine` knows tensors; only `syntax` knows
//!    tree-sitter; `engine` and `prompt` do not know each other; nothing below the front ends sees
//!    the whole configuration. Offsets are UTF-8 bytes everywhere but at the edge.
//! 8. `text`, `syntax`, `context`, `prompt`, `postprocess` are pure: no I/O, clock, lock, randomness.

pub mod check;
pub mod cli;
pub mod config;
pub mod context;
pub mod document;
pub mod edit;
pub mod engine;
pub mod lsp;
pub mod models;
pub mod postprocess;
pub mod prompt;
pub mod stats;
pub mod syntax;
pub mod task;
pub mod text;
pub mod workspace;

pub mod fixture;
