//! Talking to the client: notifications, and requests with a time limit.
//!
//! Nothing here may be awaited in a handler that answers a request: the client may itself be
//! waiting for that answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tower_lsp::jsonrpc::{self, Error, Id, Response};
use tower_lsp::lsp_types::{
    MessageType, ShowMessageParams, notification, notification::Notification, request::Request,
};

use super::transport::{Outgoing, encode};

/// How long a client may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A handle to the client.
pub(super) struct Client {
    outgoing: mpsc::UnboundedSender<Outgoing>,
    next: AtomicI64,
    waiting: Mutex<HashMap<i64, oneshot::Sender<jsonrpc::Result<serde_json::Value>>>>,
}

/// Why a client's answer cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// None came.
    #[error("the editor did not answer {0} in time")]
    Timeout(&'static str),
    /// It refused.
    #[error("{method} failed in the editor: {message}")]
    Refused {
        /// What was asked.
        method: &'static str,
        /// Its reason.
        message: String,
    },
}

impl Client {
    /// A client whose messages go to `outgoing`.
    pub(super) fn new(outgoing: mpsc::UnboundedSender<Outgoing>) -> Self {
        Self { outgoing, next: AtomicI64::new(1), waiting: Mutex::default() }
    }

    /// Queues a message.
    pub(super) fn send(&self, message: &impl serde::Serialize) {
        if let Some(outgoing) = encode(message) {
            self.send_raw(outgoing);
        }
    }

    /// Queues an order for the writer.
    pub(super) fn send_raw(&self, outgoing: Outgoing) {
        // A closed queue means that the client is gone; the transport ends by itself then.
        let _ = self.outgoing.send(outgoing);
    }

    /// Sends a notification.
    pub(super) fn notify<N: Notification>(&self, params: N::Params) {
        let params = serde_json::to_value(params).unwrap_or_default();
        self.send(&jsonrpc::Request::build(N::METHOD).params(params).finish());
    }

    /// Shows a sentence to the user.
    pub(super) fn show(&self, typ: MessageType, message: impl Into<String>) {
        self.notify::<notification::ShowMessage>(ShowMessageParams {
            typ,
            message: message.into(),
        });
    }

    /// Sends a request and waits for its answer, ten seconds at most.
    pub(super) async fn request<R: Request>(
        &self,
        params: R::Params,
    ) -> Result<R::Result, ClientError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.waiting().insert(id, sender);
        // Also forgets the request when this future is dropped.
        let _forget = Forget { client: self, id };
        let params = serde_json::to_value(params).unwrap_or_default();
        self.send(&jsonrpc::Request::build(R::METHOD).params(params).id(id).finish());
        let Ok(Ok(answer)) = tokio::time::timeout(TIMEOUT, answer).await else {
            return Err(ClientError::Timeout(R::METHOD));
        };
        answer
            .and_then(|value| {
                let mut error = Error::parse_error();
                error.message = "its answer is not what the protocol says".into();
                serde_json::from_value(value).map_err(|_| error)
            })
            .map_err(|error| ClientError::Refused {
                method: R::METHOD,
                message: error.message.into_owned(),
            })
    }

    /// Takes a client's answer. One that nobody waits for any more is dropped.
    pub(super) fn answered(&self, response: Response) {
        let (id, result) = response.into_parts();
        if let Id::Number(id) = id
            && let Some(sender) = self.waiting().remove(&id)
        {
            let _ = sender.send(result);
        }
    }

    fn waiting(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<i64, oneshot::Sender<jsonrpc::Result<serde_json::Value>>>>
    {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Forget<'c> {
    client: &'c Client,
    id: i64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.client.waiting().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tower_lsp::lsp_types::{WorkspaceEdit, request::ApplyWorkspaceEdit};

    fn edit() -> tower_lsp::lsp_types::ApplyWorkspaceEditParams {
        tower_lsp::lsp_types::ApplyWorkspaceEditParams {
            label: None,
            edit: WorkspaceEdit::default(),
        }
    }

    #[tokio::test]
    async fn an_answer_finds_its_request_and_a_stray_one_does_no_harm() {
        let (outgoing, mut queue) = mpsc::unbounded_channel();
        let client = Client::new(outgoing);
        let asked = client.request::<ApplyWorkspaceEdit>(edit());
        let answering = async {
            let Some(Outgoing::Message(body)) = queue.recv().await else { panic!("nothing sent") };
            let sent: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(sent["method"], "workspace/applyEdit");
            client.answered(Response::from_ok(Id::Number(999), json!(null)));
            client.answered(Response::from_ok(
                Id::Number(sent["id"].as_i64().unwrap()),
                json!({"applied": true}),
            ));
        };
        let (answer, ()) = tokio::join!(asked, answering);
        assert!(answer.unwrap().applied);
        assert!(client.waiting().is_empty());
    }

    #[tokio::test]
    async fn a_request_given_up_is_forgotten_and_its_late_answer_does_no_harm() {
        let (outgoing, _queue) = mpsc::unbounded_channel();
        let client = Client::new(outgoing);
        let asked = client.request::<ApplyWorkspaceEdit>(edit());
        assert!(tokio::time::timeout(Duration::from_millis(5), asked).await.is_err());
        assert!(client.waiting().is_empty());
        client.answered(Response::from_ok(Id::Number(1), json!({"applied": true})));
    }
}
