//! `cargo check`, `rustc`, `cargo test`: diagnostics and proofs for Rust.
