//! Cuts repeated lines and blocks.
