//! argv → [`agent::cli::run`] → exit code.

fn main() -> std::process::ExitCode {
    agent::cli::run()
}
