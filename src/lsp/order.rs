//! Strict order in front of tower-lsp: synchronization and cancellation take effect when they arrive.
//!
//! A request's handler starts when its future is polled, so anything that must come before the
//! next message (edits, cancellation, `initialize`, `shutdown`, every notification) is done to its
//! end in [`Order::receive`], which the transport calls in wire order. Each request leads to
//! exactly one answer, whatever its handler does.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::Service;
use tower_lsp::jsonrpc::{Error, Id, Request, Response};
use tower_lsp::lsp_types::WorkDoneProgressCancelParams;
use tower_lsp::{ClientSocket, LspService};

use super::handlers::synchronization;
use super::server::{self, Server};
use super::session::Session;

/// What a message leads to.
pub(super) enum Answer {
    /// Everything is done.
    Now(Option<Response>),
    /// The answer comes when this ends; it never panics.
    Later(BoxFuture<'static, Option<Response>>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Fresh,
    Serving,
    ShutDown,
}

/// The server as the transport sees it.
pub(super) struct Order {
    router: LspService<Server>,
    // Ours is used instead; the router wants its own end to stay open.
    _socket: ClientSocket,
    session: Arc<Session>,
    phase: Phase,
    exit: bool,
}

impl Order {
    /// The server of `session`.
    pub(super) fn new(session: Arc<Session>) -> Self {
        let (router, socket) = server::router(Arc::clone(&session));
        Self { router, _socket: socket, session, phase: Phase::Fresh, exit: false }
    }

    /// Whether the client said goodbye.
    pub(super) fn exit_seen(&self) -> bool {
        self.exit
    }

    /// 0 after an orderly shutdown, else 1.
    pub(super) fn exit_code(&self) -> i32 {
        i32::from(self.phase != Phase::ShutDown)
    }

    /// Takes one message; everything that orders it against the next has happened on return.
    pub(super) fn receive(&mut self, request: Request) -> Answer {
        let id = request.id().cloned();
        let method = request.method().to_owned();
        let routed = std::panic::catch_unwind(AssertUnwindSafe(|| self.route(request)));
        routed.unwrap_or_else(|_| Answer::Now(panicked(&method, id)))
    }

    fn route(&mut self, request: Request) -> Answer {
        let request = without_idle_parameters(request);
        match request.method() {
            "initialize" => self.initialize(request),
            "shutdown" => {
                let answer = self.now(request);
                if self.phase == Phase::Serving {
                    self.phase = Phase::ShutDown;
                    self.session.stop_work();
                }
                answer
            }
            "exit" => {
                self.exit = true;
                Answer::Now(request.id().cloned().map(invalid))
            }
            "textDocument/didOpen" => self.notified(request, synchronization::did_open),
            "textDocument/didChange" => self.notified(request, synchronization::did_change),
            "textDocument/didSave" => self
                .notified(request, |session, params| synchronization::did_save(session, &params)),
            "textDocument/didClose" => self.notified(request, synchronization::did_close),
            "window/workDoneProgress/cancel" => {
                self.notified(request, |session, params: WorkDoneProgressCancelParams| {
                    session.works.cancel(&params.token);
                })
            }
            _ if request.id().is_none() => self.now(request),
            _ => self.later(request),
        }
    }

    /// Reads the client's capabilities from the raw JSON: typed decoding drops those it does not
    /// know and refuses values newer than itself. The same holds for what we offer.
    fn initialize(&mut self, request: Request) -> Answer {
        let (_, id, params) = request.into_parts();
        let Some(id) = id else { return Answer::Now(None) };
        let params = params.unwrap_or_default();
        if !params.get("capabilities").is_some_and(Value::is_object) {
            let error = Error::invalid_params("initialize: capabilities: missing or not an object");
            return Answer::Now(Some(Response::from_error(id, error)));
        }
        if self.phase == Phase::Fresh {
            self.session.initialize(&params);
        }
        let plain = Request::build("initialize")
            .params(serde_json::json!({"capabilities": {}}))
            .id(id.clone())
            .finish();
        let Some(Ok(Some(response))) = self.router.call(plain).now_or_never() else {
            return Answer::Now(Some(internal_error(id)));
        };
        let (id, result) = response.into_parts();
        let result = result.map(|mut result| {
            if let Some(capabilities) = result.get_mut("capabilities") {
                capabilities["inlineCompletionProvider"] = Value::Bool(true);
            }
            result
        });
        if result.is_ok() {
            self.phase = Phase::Serving;
        }
        Answer::Now(Some(Response::from_parts(id, result)))
    }

    /// A notification of ours, decoded and done. Ignored before `initialize` and after `shutdown`.
    fn notified<P: DeserializeOwned>(
        &mut self,
        request: Request,
        handle: impl FnOnce(&Arc<Session>, P),
    ) -> Answer {
        let (method, id, params) = request.into_parts();
        if let Some(id) = id {
            return Answer::Now(Some(invalid(id)));
        }
        if self.phase != Phase::Serving {
            tracing::debug!("{method} ignored outside a session");
            return Answer::Now(None);
        }
        if let Ok(params) = serde_json::from_value(params.unwrap_or_default()) {
            handle(&self.session, params);
        } else {
            // The decoder's message may quote the text.
            tracing::warn!("{method} ignored: malformed parameters");
        }
        Answer::Now(None)
    }

    /// What tower-lsp's router does without waiting for anything.
    fn now(&mut self, request: Request) -> Answer {
        let id = request.id().cloned();
        match self.router.call(request).now_or_never() {
            Some(Ok(response)) => Answer::Now(complete(response, id)),
            Some(Err(_)) => Answer::Now(id.map(invalid)),
            None => Answer::Now(id.map(internal_error)),
        }
    }

    /// A request whose handler may take its time. It is polled once here, so that it takes its
    /// snapshot before the next message changes anything.
    fn later(&mut self, request: Request) -> Answer {
        let id = request.id().cloned();
        let method = request.method().to_owned();
        let handler = AssertUnwindSafe(self.router.call(request)).catch_unwind();
        let mut answer = Box::pin(async move {
            match handler.await {
                Ok(Ok(response)) => complete(response, id),
                Ok(Err(_)) => id.map(invalid),
                Err(_) => panicked(&method, id),
            }
        });
        match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => Answer::Now(response),
            Poll::Pending => Answer::Later(answer),
        }
    }
}

/// Methods without parameters get none, whatever the client put there: the router refuses even the
/// `null` that some clients send.
fn without_idle_parameters(request: Request) -> Request {
    let takes_none = matches!(request.method(), "shutdown" | "exit" | "agent/status");
    if !takes_none && !request.params().is_some_and(Value::is_null) {
        return request;
    }
    let (method, id, _) = request.into_parts();
    match id {
        Some(id) => Request::build(method).id(id).finish(),
        None => Request::build(method).finish(),
    }
}

/// The router leaves unknown `$/` methods without an answer, even when they ask for one.
fn complete(response: Option<Response>, id: Option<Id>) -> Option<Response> {
    response.or_else(|| id.map(|id| Response::from_error(id, Error::method_not_found())))
}

fn invalid(id: Id) -> Response {
    Response::from_error(id, Error::invalid_request())
}

fn internal_error(id: Id) -> Response {
    Response::from_error(id, Error::internal_error())
}

fn panicked(method: &str, id: Option<Id>) -> Option<Response> {
    tracing::error!("{method}: the handler panicked; please report this");
    id.map(internal_error)
}
