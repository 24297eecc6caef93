//! Where this program keeps what it writes, by the XDG rules (on Windows: the roaming and local
//! application folders).

use std::path::PathBuf;

use etcetera::BaseStrategy;

/// The user's home.
pub fn home() -> Option<PathBuf> {
    etcetera::home_dir().ok()
}

/// The user's own configuration file; need not exist.
pub fn user_file() -> Option<PathBuf> {
    base().map(|base| base.config_dir().join("agent").join("agent.toml"))
}

/// Where caches live: safe to delete at any time.
pub fn cache() -> Option<PathBuf> {
    base().map(|base| base.cache_dir().join("agent"))
}

/// Where indexes of workspaces are kept between runs.
pub fn indexes() -> Option<PathBuf> {
    cache().map(|cache| cache.join("index"))
}

/// The counts of suggestions; need not exist.
pub fn stats() -> Option<PathBuf> {
    state().map(|state| state.join("stats.json"))
}

/// Where the list of trusted folders and the counts of suggestions live.
pub fn state() -> Option<PathBuf> {
    base().map(|base| base.state_dir().unwrap_or_else(|| base.data_dir()).join("agent"))
}

fn base() -> Option<impl BaseStrategy> {
    etcetera::choose_base_strategy().ok()
}
