//! One external command: run, time-limited, killed with its whole group when dropped.
