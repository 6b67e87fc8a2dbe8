//! The floor: a minimal server that forwards each HTTP request as a WebSocket message and returns the answer.
//!
//! It has no gate, no validation, no queues and no log. So it shows the cost of hyper and tungstenite alone, which is the
//! minimum for any daemon built on them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::rc::Rc;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, server::conn::http1, upgrade};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_local;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes, protocol::Role};

use crate::wire;

/// The only browser, and the requests that wait for its answers.
#[derive(Default)]
struct Hop {
    browser: RefCell<Option<mpsc::UnboundedSender<Utf8Bytes>>>,
    waiting: RefCell<HashMap<Bytes, oneshot::Sender<Bytes>>>,
}

/// Serves until the process is killed.
pub(crate) fn serve(port: u16) {
    let runtime = crate::runtime();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let hop = Rc::new(Hop::default());
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a TCP socket");
            let hop = hop.clone();
            let service = service_fn(move |request| {
                let hop = hop.clone();
                async move { Ok::<_, Infallible>(hop.route(request).await) }
            });
            let connection = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            spawn_local(connection);
        }
    });
}

impl Hop {
    async fn route(self: Rc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if let Some(key) = request.headers().get(header::SEC_WEBSOCKET_KEY) {
            let accepted = accepted(key);
            spawn_local(self.browse(request));
            return accepted;
        }
        let answer = match request.into_body().collect().await {
            Ok(body) => self.forward(body.to_bytes()).await,
            Err(_) => None,
        };
        let mut response = Response::new(Full::new(answer.clone().unwrap_or_default()));
        if answer.is_none() {
            *response.status_mut() = StatusCode::BAD_GATEWAY;
        }
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }

    async fn forward(&self, request: Bytes) -> Option<Bytes> {
        let id = request.slice_ref(wire::text(&request, "id")?);
        let (answer, answered) = oneshot::channel();
        self.waiting.borrow_mut().insert(id, answer);
        let open = request.strip_suffix(b"}")?;
        let command = [open, br#","target":{"tabId":1}}"#].concat();
        self.browser.borrow().as_ref()?.send(command.try_into().ok()?).ok()?;
        answered.await.ok()
    }

    async fn browse(self: Rc<Self>, request: Request<Incoming>) {
        let stream = TokioIo::new(upgrade::on(request).await.expect("an upgrade"));
        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        let (mut sink, mut messages) = socket.split();
        let (sender, mut commands) = mpsc::unbounded_channel();
        *self.browser.borrow_mut() = Some(sender);
        spawn_local(async move {
            while let Some(command) = commands.recv().await {
                let mut sent = sink.feed(Message::Text(command)).await;
                while let (Ok(()), Ok(command)) = (&sent, commands.try_recv()) {
                    sent = sink.feed(Message::Text(command)).await;
                }
                if sent.is_err() || sink.flush().await.is_err() {
                    return;
                }
            }
        });
        while let Some(Ok(message)) = messages.next().await {
            let Message::Text(text) = message else { continue };
            let answer = Bytes::from(text);
            let waiting =
                wire::text(&answer, "id").and_then(|id| self.waiting.borrow_mut().remove(id));
            if let Some(waiting) = waiting {
                // Fails if the client has disconnected.
                let _ = waiting.send(answer);
            }
        }
    }
}

fn accepted(key: &HeaderValue) -> Response<Full<Bytes>> {
    let accept = derive_accept_key(key.as_bytes()).parse().expect("base64");
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = HeaderMap::from_iter([
        (header::CONNECTION, HeaderValue::from_static("Upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_ACCEPT, accept),
        (header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("bproxy.v1")),
    ]);
    response
}
