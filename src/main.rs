//! argv → [`agent::cli::run`] → exit code.

fn main() -> std::process::ExitCode {
    // Before anything starts a thread: the sandbox restricts the thread it runs on.
    agent::check::sandbox::run_if_requested(std::env::args_os()).unwrap_or_else(agent::cli::run)
}
