//! The language server: the only module that knows LSP. Handlers convert in, call a task, convert out.

use crate::config::Config;

/// Serves one client over standard input and output until it says goodbye; returns the exit code.
pub fn serve(config: Config) -> i32 {
    let _ = config;
    unimplemented!()
}
