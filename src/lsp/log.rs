//! Logging to standard error; standard output belongs to the protocol.

use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging what `filter` names. An unknown filter means warnings.
pub(super) fn start(filter: &str) {
    let chosen = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    // The router's own traces hold whole messages, and so the user's text.
    let quiet = filter_fn(|metadata| {
        !metadata.target().starts_with("tower_lsp") || *metadata.level() <= LevelFilter::WARN
    });
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // A second start (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(layer.with_filter(quiet)).with(chosen).try_init();
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        // A message made at run time may quote the user's text; a literal cannot.
        let message = info.payload().downcast_ref::<&str>().copied().unwrap_or_default();
        tracing::error!("panic at {place}: {message}");
    }));
}
