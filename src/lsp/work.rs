//! Long work started by commands: each piece is a task that its progress token can cancel.

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use tokio::task::AbortHandle;
use tower_lsp::lsp_types::{MessageType, ProgressToken};

use super::client::Client;
use super::progress::{Origin, Progress};

/// The work in hand, by progress token.
#[derive(Default)]
pub(super) struct Works {
    running: Mutex<HashMap<String, (u64, AbortHandle)>>,
    next: AtomicU64,
}

impl Works {
    /// Starts `work` and tells the client of its progress under `token`, or under one of ours.
    pub(super) fn start<F>(
        self: &Arc<Self>,
        client: &Arc<Client>,
        title: String,
        token: Option<ProgressToken>,
        shows_progress: bool,
        work: impl FnOnce(Progress) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let (token, origin) = match (token, shows_progress) {
            (Some(token), _) => (token, Origin::Client),
            (None, true) => (self.token(), Origin::Server),
            (None, false) => (self.token(), Origin::Silent),
        };
        let key = key(&token);
        let progress = Progress::start(Arc::clone(client), token, origin, title.clone(), true);
        let work = work(progress);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let finish = Finish { works: Arc::clone(self), key: key.clone(), number };
        // Registered under the lock, so that the work cannot end before it is known.
        let mut running = self.running();
        let client = Arc::clone(client);
        let task = tokio::spawn(async move {
            let _finish = finish;
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!("{title}: panicked; please report this");
                client.show(MessageType::ERROR, format!("{title}: internal error; see the log"));
            }
        });
        let older = running.insert(key, (number, task.abort_handle()));
        drop(running);
        if let Some((_, older)) = older {
            older.abort();
        }
    }

    /// Cancels the work of a token by dropping it.
    pub(super) fn cancel(&self, token: &ProgressToken) {
        let handle = self.running().remove(&key(token));
        if let Some((_, handle)) = handle {
            handle.abort();
        }
    }

    /// Cancels everything.
    pub(super) fn cancel_all(&self) {
        let all: Vec<AbortHandle> = self.running().drain().map(|(_, (_, handle))| handle).collect();
        for handle in all {
            handle.abort();
        }
    }

    fn token(&self) -> ProgressToken {
        ProgressToken::String(format!("agent/{}", self.next.fetch_add(1, Ordering::Relaxed)))
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, (u64, AbortHandle)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets a piece of work when it ends, however it ends; never a newer one of the same token.
struct Finish {
    works: Arc<Works>,
    key: String,
    number: u64,
}

impl Drop for Finish {
    fn drop(&mut self) {
        let mut running = self.works.running();
        if running.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            running.remove(&self.key);
        }
    }
}

/// Tokens 1 and "1" are different.
fn key(token: &ProgressToken) -> String {
    match token {
        ProgressToken::Number(number) => format!("n{number}"),
        ProgressToken::String(text) => format!("s{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_takes_over_a_token_can_be_cancelled() {
        let (outgoing, _queue) = tokio::sync::mpsc::unbounded_channel();
        let client = Arc::new(Client::new(outgoing));
        let works = Arc::<Works>::default();
        let token = ProgressToken::Number(1);
        let (ended, mut end) = tokio::sync::mpsc::unbounded_channel::<()>();
        for _ in 0..2 {
            let ended = ended.clone();
            works.start(&client, String::new(), Some(token.clone()), true, |_| async move {
                let _held = ended;
                std::future::pending::<()>().await;
            });
        }
        drop(ended);
        // Lets the end of the first be noticed.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        works.cancel(&token);
        let all = tokio::time::timeout(std::time::Duration::from_secs(5), end.recv()).await;
        assert_eq!(all, Ok(None));
    }
}
