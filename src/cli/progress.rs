//! Progress on a terminal, and work that Ctrl-C ends.

use std::future::Future;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::failure::Failure;
use crate::check::Report;
use crate::text::printable::printable;

/// A line on standard error that says what is going on; nothing where that is no terminal.
#[derive(Clone)]
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Starts with `message`.
    pub(super) fn start(message: &str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(message.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(Some(bar))
    }

    /// Says what is going on now.
    pub(super) fn say(&self, message: &str) {
        if let Some(bar) = &self.0 {
            // Commands and file names come from outside.
            let line = printable(message).lines().next().unwrap_or_default().to_owned();
            bar.set_message(line);
        }
    }

    /// From here on, a bar of `steps` steps.
    pub(super) fn count(&self, steps: usize) {
        if let Some(bar) = &self.0 {
            if let Ok(style) =
                ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg} {elapsed}")
            {
                bar.set_style(style);
            }
            bar.set_length(steps as u64);
            bar.set_position(0);
        }
    }

    /// Begins a step of the bar.
    pub(super) fn step(&self, message: &str) {
        self.say(message);
        if let Some(bar) = &self.0 {
            bar.inc(1);
        }
    }

    /// For tasks to report through.
    pub(super) fn report(&self) -> Report {
        let progress = self.clone();
        Arc::new(move |message| progress.say(message))
    }

    /// Prints something while the line is out of the way.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Wipes the line.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// Runs `work` to its end, or drops it when Ctrl-C is pressed, which cancels what it does.
pub(super) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::usage(format!("cannot start: {error}")))?;
    let answer = runtime.block_on(async {
        tokio::select! {
            biased;
            Ok(()) = tokio::signal::ctrl_c() => Err(Failure::interrupted()),
            answer = async {
                // From here on Ctrl-C is ours.
                tracing::info!("working");
                work.await
            } => answer,
        }
    });
    // Blocking work that cannot be cancelled (reading an index) must not hold the end up.
    runtime.shutdown_background();
    answer
}
