//! Models other programs left on this machine, read-only.
