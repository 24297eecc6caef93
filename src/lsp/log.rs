//! Logging to standard error; standard output belongs to the protocol.

use std::sync::OnceLock;

use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Starts logging what `filter` names.
pub(super) fn start(filter: &str) {
    let (chosen, handle) = reload::Layer::new(parsed(filter));
    // The router's own traces hold whole messages, and so the user's text.
    let quiet = filter_fn(|metadata| {
        !metadata.target().starts_with("tower_lsp") || *metadata.level() <= LevelFilter::WARN
    });
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let registry = tracing_subscriber::registry().with(chosen).with(layer.with_filter(quiet));
    if registry.try_init().is_ok() {
        let _ = FILTER.set(handle);
    }
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        // A message made at run time may quote the user's text; a literal cannot.
        let message = info.payload().downcast_ref::<&str>().copied().unwrap_or_default();
        tracing::error!("panic at {place}: {message}");
    }));
}

/// Goes on with another filter.
pub(super) fn change(filter: &str) {
    if let Some(handle) = FILTER.get() {
        // It fails only when logging has ended.
        let _ = handle.reload(parsed(filter));
    }
}

/// An unknown filter means warnings.
fn parsed(filter: &str) -> EnvFilter {
    EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"))
}
