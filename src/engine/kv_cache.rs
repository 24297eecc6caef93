//! Keys and values of evaluated tokens: truncates to a common prefix, forks for candidates.
