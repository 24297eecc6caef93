//! The parser as judge: no suggestion adds a parse error; cut back to the longest valid prefix.
