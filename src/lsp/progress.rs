//! Work-done progress: starts once, reports five times a second at most, ends when dropped.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tower_lsp::lsp_types::{
    ProgressParams, ProgressParamsValue, ProgressToken, WorkDoneProgress, WorkDoneProgressBegin,
    WorkDoneProgressCreateParams, WorkDoneProgressEnd, WorkDoneProgressReport,
    notification::Progress as ProgressNotification, request::WorkDoneProgressCreate,
};

use super::client::Client;

/// Least time between two reports.
const PAUSE: Duration = Duration::from_millis(200);

/// Progress of one piece of work. Dropping the last clone ends it.
#[derive(Clone)]
pub(super) struct Progress {
    messages: mpsc::UnboundedSender<String>,
}

/// Who made the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The client, with its request: it is ready.
    Client,
    /// We: the client must be asked first.
    Server,
    /// The client shows no progress.
    Silent,
}

impl Progress {
    /// Starts to tell the client; `cancellable` work is ended by what the client says of its token.
    pub(super) fn start(
        client: Arc<Client>,
        token: ProgressToken,
        origin: Origin,
        title: String,
        cancellable: bool,
    ) -> Self {
        let (messages, queue) = mpsc::unbounded_channel();
        tokio::spawn(tell(client, token, origin, (title, cancellable), queue));
        Self { messages }
    }

    /// Says what is going on.
    pub(super) fn report(&self, message: &str) {
        let _ = self.messages.send(message.to_owned());
    }
}

async fn tell(
    client: Arc<Client>,
    token: ProgressToken,
    origin: Origin,
    (title, cancellable): (String, bool),
    mut queue: mpsc::UnboundedReceiver<String>,
) {
    let shown = match origin {
        Origin::Client => true,
        Origin::Silent => false,
        Origin::Server => {
            let params = WorkDoneProgressCreateParams { token: token.clone() };
            client.request::<WorkDoneProgressCreate>(params).await.is_ok()
        }
    };
    let send = |value| {
        if shown {
            let value = ProgressParamsValue::WorkDone(value);
            client.notify::<ProgressNotification>(ProgressParams { token: token.clone(), value });
        }
    };
    send(WorkDoneProgress::Begin(WorkDoneProgressBegin {
        title,
        cancellable: Some(cancellable),
        message: None,
        percentage: None,
    }));
    let mut next = Instant::now();
    while let Some(mut message) = queue.recv().await {
        if next > Instant::now() {
            tokio::time::sleep_until(next).await;
            while let Ok(newer) = queue.try_recv() {
                message = newer;
            }
        }
        send(WorkDoneProgress::Report(WorkDoneProgressReport {
            cancellable: Some(cancellable),
            message: Some(message),
            percentage: None,
        }));
        next = Instant::now() + PAUSE;
    }
    send(WorkDoneProgress::End(WorkDoneProgressEnd { message: None }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsp::transport::Outgoing;
    use serde_json::Value;

    async fn kinds(mut queue: mpsc::UnboundedReceiver<Outgoing>) -> Vec<String> {
        let mut kinds = Vec::new();
        while let Ok(Some(Outgoing::Message(body))) =
            tokio::time::timeout(Duration::from_secs(2), queue.recv()).await
        {
            let sent: Value = serde_json::from_slice(&body).unwrap();
            let value = &sent["params"]["value"];
            let kind = value["kind"].as_str().unwrap_or_default();
            kinds.push(format!("{kind} {}", value["message"].as_str().unwrap_or_default()));
            if kind == "end" {
                break;
            }
        }
        kinds
    }

    #[tokio::test]
    async fn a_flood_of_reports_is_thinned_and_dropping_ends() {
        let (outgoing, queue) = mpsc::unbounded_channel();
        let client = Arc::new(Client::new(outgoing));
        let token = ProgressToken::Number(1);
        let progress = Progress::start(client, token, Origin::Client, "work".to_owned(), true);
        for step in 0..500 {
            progress.report(&format!("{step}"));
            if step == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        drop(progress);
        assert_eq!(kinds(queue).await, ["begin ", "report 0", "report 499", "end "]);
    }
}
