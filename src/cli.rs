//! The command line: the only module that prints.

/// Runs the program; the exit code is 0 (done and verified), 1 (not found or not verified, nothing
/// changed) or 2 (usage or environment error).
pub fn run() -> std::process::ExitCode {
    unimplemented!()
}
