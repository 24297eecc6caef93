//! The model: loaded in the background, waited for by those who can.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::config::Config;
use crate::engine::{Engine, EngineOptions};
use crate::models;

/// Where loading stands.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// Not there yet.
    Loading,
    /// Ready.
    Ready(Engine),
    /// Why there is none.
    Failed(String),
}

/// What decides which engine it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    models: models::Wanted,
    options: EngineOptions,
}

/// The model in use.
pub(super) struct Slot {
    state: watch::Sender<State>,
    wanted: Mutex<Option<Wanted>>,
}

impl Default for Slot {
    fn default() -> Self {
        Self { state: watch::Sender::new(State::Loading), wanted: Mutex::default() }
    }
}

impl Slot {
    /// Starts to load what `config` asks for, unless that is there or on its way. `failed` hears
    /// why it cannot be used.
    pub(super) fn load(
        self: &Arc<Self>,
        config: &Config,
        failed: impl FnOnce(&str) + Send + 'static,
    ) {
        let wanted = Wanted { models: config.wanted_models(), options: config.engine_options() };
        {
            let mut current = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            if current.as_ref() == Some(&wanted) {
                return;
            }
            *current = Some(wanted.clone());
        }
        self.state.send_replace(State::Loading);
        let slot = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let opened = std::panic::catch_unwind(|| models::open(&wanted.models, &wanted.options));
            let state = match opened {
                Ok(Ok((engine, _))) => State::Ready(engine),
                Ok(Err(error)) => State::Failed(error.to_string()),
                Err(_) => State::Failed("the model could not be loaded: internal error".to_owned()),
            };
            let current = slot.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            // Settings may have changed while it was read.
            if current.as_ref() == Some(&wanted) {
                if let State::Failed(message) = &state {
                    failed(message);
                }
                slot.state.send_replace(state);
            }
        });
    }

    /// Where loading stands.
    pub(super) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// The engine, once it is ready.
    pub(super) async fn engine(&self) -> Result<Engine, String> {
        let mut state = self.state.subscribe();
        let settled = state.wait_for(|state| !matches!(state, State::Loading)).await;
        match settled.as_deref() {
            Ok(State::Ready(engine)) => Ok(engine.clone()),
            Ok(State::Failed(message)) => Err(message.clone()),
            Ok(State::Loading) | Err(_) => Err("the model is not loaded".to_owned()),
        }
    }

    /// The engine, if it is ready within `patience`.
    pub(super) async fn engine_within(&self, patience: Duration) -> Option<Engine> {
        tokio::time::timeout(patience, self.engine()).await.ok()?.ok()
    }
}
