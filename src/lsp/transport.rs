//! Framed JSON-RPC over two byte streams: messages reach the service in wire order, answers leave as they come.
//!
//! tower-lsp's own transport polls every handler in one task of limited width, stops at the first
//! malformed message and panics when the client hangs up, so only its router is used.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tower_lsp::jsonrpc::{Error, Id, Request, Response};

use super::client::Client;
use super::order::{Answer, Order};

/// The largest message that is read; a longer one is skipped and answered with an error.
const MAX_MESSAGE: usize = 256 << 20;
/// The longest header line that is read.
const MAX_HEADER: u64 = 4 << 10;
/// How long the last answers may take to leave.
const FLUSH: Duration = Duration::from_millis(500);

/// What the writer is told.
pub(super) enum Outgoing {
    /// A message.
    Message(Vec<u8>),
    /// Tell when everything before this has left; nothing leaves after it.
    Flush(oneshot::Sender<()>),
}

/// A message as text for the wire.
pub(super) fn encode(message: &impl serde::Serialize) -> Option<Outgoing> {
    match serde_json::to_vec(message) {
        Ok(body) => Some(Outgoing::Message(body)),
        Err(error) => {
            tracing::error!("a message could not be encoded: {error}");
            None
        }
    }
}

/// Serves until the client says goodbye or hangs up; returns the exit code.
pub(super) async fn serve(
    input: impl AsyncBufRead + Unpin,
    output: impl AsyncWrite + Unpin + Send + 'static,
    mut order: Order,
    client: Arc<Client>,
    queue: mpsc::UnboundedReceiver<Outgoing>,
) -> i32 {
    let mut writer = tokio::spawn(write(output, queue));
    let mut frames = Frames { input };
    loop {
        let frame = tokio::select! {
            frame = frames.next() => frame,
            _ = &mut writer => {
                tracing::info!("the client no longer reads");
                break;
            }
        };
        match frame {
            Frame::End => break,
            Frame::Broken(message) => {
                tracing::warn!("a message could not be read: {message}");
                let mut error = Error::parse_error();
                error.message = message.into();
                client.send(&Response::from_error(Id::Null, error));
            }
            Frame::Body(body) => receive(&body, &mut order, &client),
        }
        if order.exit_seen() {
            break;
        }
    }
    let (done, flushed) = oneshot::channel();
    client.send_raw(Outgoing::Flush(done));
    if tokio::time::timeout(FLUSH, flushed).await.is_err() {
        tracing::warn!("the last answers could not be written in time");
    }
    order.exit_code()
}

/// Hands one message on.
fn receive(body: &[u8], order: &mut Order, client: &Arc<Client>) {
    match parse(body) {
        Incoming::Request(request) => match order.receive(request) {
            Answer::Now(response) => {
                if let Some(response) = response {
                    client.send(&response);
                }
            }
            Answer::Later(future) => {
                let client = Arc::clone(client);
                tokio::spawn(async move {
                    if let Some(response) = future.await {
                        client.send(&response);
                    }
                });
            }
        },
        Incoming::Response(response) => client.answered(response),
        Incoming::Invalid(id, error) => client.send(&Response::from_error(id, error)),
    }
}

enum Incoming {
    Request(Request),
    Response(Response),
    Invalid(Id, Error),
}

fn parse(body: &[u8]) -> Incoming {
    let value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => {
            let mut answer = Error::parse_error();
            // The position only: the parser's message may quote the text.
            answer.message =
                format!("not JSON at line {}, column {}", error.line(), error.column()).into();
            return Incoming::Invalid(Id::Null, answer);
        }
    };
    let id = value.get("id").cloned();
    let is_request = value.get("method").is_some();
    let is_response = id.is_some() && !is_request;
    if is_request && let Ok(request) = serde_json::from_value(value.clone()) {
        return Incoming::Request(request);
    }
    if is_response && let Ok(response) = serde_json::from_value(value) {
        return Incoming::Response(response);
    }
    let id = id.and_then(|id| serde_json::from_value(id).ok()).unwrap_or(Id::Null);
    Incoming::Invalid(id, Error::invalid_request())
}

enum Frame {
    Body(Vec<u8>),
    Broken(String),
    End,
}

struct Frames<R> {
    input: R,
}

impl<R: AsyncBufRead + Unpin> Frames<R> {
    /// The next message's body.
    async fn next(&mut self) -> Frame {
        match self.read().await {
            Ok(frame) => frame,
            Err(error) => {
                tracing::info!("input ended: {error}");
                Frame::End
            }
        }
    }

    async fn read(&mut self) -> std::io::Result<Frame> {
        let mut length = None;
        let mut lines = 0;
        loop {
            let mut line = Vec::new();
            let read = (&mut self.input).take(MAX_HEADER).read_until(b'\n', &mut line).await?;
            if read == 0 {
                return Ok(Frame::End);
            }
            let line = line.trim_ascii();
            lines += 1;
            if line.is_empty() {
                // Blank lines between messages are harmless.
                if lines == 1 {
                    lines = 0;
                    continue;
                }
                break;
            }
            if let Some((name, value)) = split_header(line)
                && name.eq_ignore_ascii_case(b"content-length")
            {
                length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            }
        }
        let Some(length) = length else {
            return Ok(Frame::Broken("a message without a sound Content-Length".to_owned()));
        };
        self.body(length).await
    }

    async fn body(&mut self, length: usize) -> std::io::Result<Frame> {
        let mut body = (&mut self.input).take(length as u64);
        if length > MAX_MESSAGE {
            let skipped = tokio::io::copy_buf(&mut body, &mut tokio::io::sink()).await?;
            return Ok(Frame::Broken(format!(
                "a message of {skipped} bytes; the longest is {MAX_MESSAGE}"
            )));
        }
        // Not allocated by the announced length: memory follows what really arrives.
        let mut bytes = Vec::with_capacity(length.min(64 << 10));
        let read = body.read_to_end(&mut bytes).await?;
        Ok(if read < length { Frame::End } else { Frame::Body(bytes) })
    }
}

fn split_header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let (name, value) = line.split_at(colon);
    Some((name.trim_ascii(), value.get(1..)?.trim_ascii()))
}

/// Writes until the last flush, the stream breaks or every sender is gone.
async fn write(
    mut output: impl AsyncWrite + Unpin,
    mut queue: mpsc::UnboundedReceiver<Outgoing>,
) -> std::io::Result<()> {
    while let Some(outgoing) = queue.recv().await {
        match outgoing {
            Outgoing::Message(body) => {
                let head = format!("Content-Length: {}\r\n\r\n", body.len());
                output.write_all(head.as_bytes()).await?;
                output.write_all(&body).await?;
                output.flush().await?;
            }
            Outgoing::Flush(done) => {
                let _ = done.send(());
                // The process ends next: what comes later would be cut in its middle.
                return Ok(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn bodies(bytes: &[u8]) -> Vec<String> {
        let mut frames = Frames { input: bytes };
        let mut all = Vec::new();
        loop {
            match frames.next().await {
                Frame::Body(body) => all.push(String::from_utf8(body).unwrap()),
                Frame::Broken(message) => all.push(format!("broken: {message}")),
                Frame::End => return all,
            }
        }
    }

    #[tokio::test]
    async fn frames_are_read_whatever_their_headers() {
        let wire = b"Content-Length: 2\r\n\r\n{}content-length:3\r\nContent-Type: x\r\n\r\n[1]\r\nContent-Length: 1\n\n0";
        assert_eq!(bodies(wire).await, ["{}", "[1]", "0"]);
    }

    #[tokio::test]
    async fn a_bad_header_block_costs_one_message_only() {
        let wire = b"Nonsense\r\n\r\nContent-Length: x\r\n\r\nContent-Length: 2\r\n\r\n{}";
        let got = bodies(wire).await;
        assert_eq!(got.len(), 3, "{got:?}");
        assert!(got[0].starts_with("broken") && got[1].starts_with("broken"));
        assert_eq!(got[2], "{}");
    }

    #[tokio::test]
    async fn an_absurd_length_allocates_nothing_and_a_cut_message_is_the_end() {
        assert!(
            bodies(b"Content-Length: 18446744073709551615\r\n\r\n{}").await[0].contains("longest")
        );
        assert!(bodies(b"Content-Length: 200000000\r\n\r\n{}").await.is_empty());
        assert!(bodies(b"Content-Le").await.is_empty());
    }

    #[test]
    fn what_is_no_message_is_answered_by_id_where_it_has_one() {
        let Incoming::Invalid(id, error) = parse(br#"{"jsonrpc":"2.0","id":7,"method":3}"#) else {
            panic!("accepted")
        };
        assert_eq!((id, error.code.code()), (Id::Number(7), -32600));
        let Incoming::Invalid(id, error) = parse(b"{\"secret") else { panic!("accepted") };
        assert_eq!((id, error.code.code()), (Id::Null, -32700));
        assert!(!error.message.contains("secret"));
        assert!(matches!(
            parse(br#"{"jsonrpc":"2.0","id":1,"result":null}"#),
            Incoming::Response(_)
        ));
    }
}
