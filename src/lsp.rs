//! The language server: the only module that knows LSP. Handlers convert in, call a task, convert out.

mod apply;
mod capabilities;
mod client;
mod commands;
mod convert;
mod explanations;
mod ext;
mod handlers;
mod log;
mod machine;
mod model;
mod order;
mod parent;
mod progress;
mod projects;
mod prompts;
mod report;
mod server;
mod session;
mod settings;
mod suggestions;
mod tally;
mod transport;
mod work;

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::config::load::{Flags, Sources, load};

/// Serves one client over standard input and output until it says goodbye; returns the exit code:
/// 0 after an orderly shutdown, else 1. `flags` win over every other source of options.
pub fn serve(flags: Flags) -> i32 {
    log::start(&load(&Sources::of_user(None, &flags)).config.log);
    // More threads than two cores would ask for: a task that computes must not stop the others.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("the server cannot start: {error}");
            return 2;
        }
    };
    let code = runtime.block_on(async {
        let (outgoing, queue) = mpsc::unbounded_channel();
        let client = Arc::new(client::Client::new(outgoing));
        let session = Arc::new(session::Session::new(Arc::clone(&client), flags));
        let order = order::Order::new(Arc::clone(&session));
        let input = tokio::io::BufReader::new(tokio::io::stdin());
        let code = transport::serve(input, tokio::io::stdout(), order, client, queue).await;
        session.end();
        code
    });
    // Waiting would wait for a thread that reads standard input.
    runtime.shutdown_background();
    code
}
