//! Which part of a context gets how many tokens, and what is dropped first.
