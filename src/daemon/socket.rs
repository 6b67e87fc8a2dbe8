//! One connection of an extension: upgrade, reading, writing, liveness, close.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{Sink, SinkExt as _, StreamExt as _};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit},
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message, Utf8Bytes,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig},
    },
};
use warp::{
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
            SEC_WEBSOCKET_VERSION, UPGRADE,
        },
    },
    reply::Response,
};

use super::{
    Context, allocator,
    door::{Door, Stream},
    gate::{offered_proof, subprotocols},
    lingering_close::Lingering,
    now, rejection,
};
use crate::{
    protocol::{MAX_MESSAGE_BYTES, PING_EVERY, PONG_TIME, SILENCE, SUBPROTOCOL},
    state::{ClientId, CloseReason, State},
};

/// How long the other side may take to answer a close frame.
const CLOSE_TIME: Duration = Duration::from_millis(500);
/// After how many pings their pongs have to be written before more is read: the library keeps what the other side does
/// not read, without a bound.
const PINGS_PER_FLUSH: usize = 64;
/// The size of the read buffer. Most answers fit; larger ones are read in several steps.
const READ_BUFFER_BYTES: usize = 16 * 1024;

/// The key of a handshake, if the request is one.
fn handshake_key(headers: &HeaderMap) -> Option<&HeaderValue> {
    let has = |name, wanted: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(wanted))
    };
    (has(CONNECTION, "upgrade") && has(UPGRADE, "websocket") && has(SEC_WEBSOCKET_VERSION, "13"))
        .then(|| headers.get(SEC_WEBSOCKET_KEY))?
}

/// Answers the handshake, and serves the connection in a task of its own.
pub(super) fn upgrade(
    context: Arc<Context>,
    headers: HeaderMap,
    on_upgrade: Option<OnUpgrade>,
    peer: Option<Peer>,
) -> Response {
    if !subprotocols(&headers).any(|name| name == SUBPROTOCOL) {
        let message =
            "the subprotocol bproxy.v1 was not offered: update the extension or the daemon";
        return rejection::refusal(StatusCode::BAD_REQUEST, "BAD_REQUEST", message);
    }
    let (Some(key), Some(on_upgrade)) = (handshake_key(&headers), on_upgrade) else {
        let message = "this is not a WebSocket handshake of version 13";
        let mut response = rejection::refusal(StatusCode::BAD_REQUEST, "BAD_REQUEST", message);
        response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return response;
    };
    if context.state.is_draining() {
        return rejection::reply(rejection::shutting_down());
    }
    let accept = derive_accept_key(key.as_bytes());
    let remote = peer.as_ref().map_or_else(String::new, Peer::address);
    // The client counts as connected from the upgrade on, not from its first message.
    let proof = offered_proof(&headers).unwrap_or_default();
    let nonce = proof.split_once('.').map_or("", |(nonce, _)| nonce);
    let (client, wake) = context.state.connect(now(), &remote, nonce);
    let tasks = context.tasks.clone();
    tasks.spawn(async move {
        let _slot = peer;
        let guard = Connected { context: context.clone(), client, reason: Cow::Borrowed("failed") };
        let Ok(Ok(upgraded)) = timeout(CLOSE_TIME, on_upgrade).await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<Lingering>>() else { return };
        let socket = WebSocketStream::from_partially_read(
            parts.io.into_inner().into_inner(),
            parts.read_buf.into(),
            Role::Server,
            Some(config()),
        )
        .await;
        converse(socket, &context, guard, &wake).await;
        allocator::release();
    });

    let mut response = Response::default();
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

/// The other side of a connection.
#[derive(Clone)]
pub(super) struct Peer(Arc<Slot>);

struct Slot {
    door: Door,
    /// Its slot of the connection limit, which a browser keeps after the upgrade.
    _permit: OwnedSemaphorePermit,
}

impl Peer {
    pub(super) fn new(door: Door, permit: OwnedSemaphorePermit) -> Self {
        Self(Arc::new(Slot { door, _permit: permit }))
    }

    /// Where it has come in.
    pub(super) fn door(&self) -> Door {
        self.0.door
    }

    /// For the log.
    fn address(&self) -> String {
        match self.0.door {
            Door::Port(address) => address.to_string(),
            Door::Local { .. } => String::new(),
        }
    }
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES))
        .read_buffer_size(READ_BUFFER_BYTES)
}

/// Tells the state when the connection ends, even by a panic.
struct Connected {
    context: Arc<Context>,
    client: ClientId,
    reason: Cow<'static, str>,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.context.state.disconnect(self.client, &self.reason, now());
        self.context.activity.touch();
    }
}

/// A WebSocket close frame.
struct Close {
    code: u16,
    reason: Cow<'static, str>,
}

impl From<CloseReason> for Close {
    fn from(reason: CloseReason) -> Self {
        let code = match reason {
            CloseReason::Superseded => 4000,
            CloseReason::NewPairing => 4001,
            CloseReason::Incompatible => 4002,
            CloseReason::ShuttingDown => 1001,
        };
        Self { code, reason: reason.to_string().into() }
    }
}

/// Why a connection ends, and the close frame that is sent for it.
struct End {
    reason: Cow<'static, str>,
    close: Option<Close>,
}

impl End {
    fn silently(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), close: None }
    }

    fn with(close: impl Into<Close>) -> Self {
        let close = close.into();
        Self { reason: close.reason.clone(), close: Some(close) }
    }

    fn with_code(code: u16, reason: &'static str) -> Self {
        Self::with(Close { code, reason: reason.into() })
    }
}

async fn converse(
    socket: WebSocketStream<Stream>,
    context: &Context,
    mut guard: Connected,
    wake: &Notify,
) {
    let (state, client) = (&context.state, guard.client);
    let (mut sink, mut stream) = socket.split();
    let (heard, flushed) = (LastHeard::now(), Notify::new());
    let end = {
        let reading = read(&mut stream, state, client, &heard, Flushes { wake, flushed: &flushed });
        let writing = write(&mut sink, state, client, wake, &heard, &flushed);
        tokio::select! {
            end = reading => end,
            end = writing => end,
            () = context.browsers.cancelled() => End::with(CloseReason::ShuttingDown),
        }
    };
    guard.reason = end.reason;
    // From here on nothing is sent to this connection, and what it sends is ignored.
    drop(guard);
    if let Some(close) = end.close {
        let frame = CloseFrame { code: close.code.into(), reason: (&*close.reason).into() };
        let handshake = async {
            sink.send(Message::Close(Some(frame))).await?;
            while let Some(message) = stream.next().await {
                message?;
            }
            Ok::<(), Error>(())
        };
        // A side that does not answer it is dropped.
        let _ = timeout(CLOSE_TIME, handshake).await;
    }
}

async fn read(
    stream: &mut (impl futures_util::Stream<Item = Result<Message, Error>> + Unpin),
    state: &State,
    client: ClientId,
    heard: &LastHeard,
    flushes: Flushes<'_>,
) -> End {
    let mut pings = 0;
    loop {
        let Some(message) = stream.next().await else { return End::silently("closed") };
        heard.touch();
        match message {
            Ok(Message::Text(text)) => {
                let frame = text.clone().into();
                state.receive(client, &text, &frame, now());
            }
            Ok(Message::Binary(_)) => state.receive_other(client, now()),
            Ok(Message::Close(frame)) => {
                let code = frame.map_or(1005, |frame| frame.code.into());
                // The library has answered the close frame.
                return End { reason: format!("closed with {code}").into(), close: None };
            }
            Ok(Message::Ping(_)) => {
                pings += 1;
                if pings == PINGS_PER_FLUSH {
                    pings = 0;
                    if timeout(PONG_TIME, flushes.next()).await.is_err() {
                        return End::with_code(1008, "pongs are not read");
                    }
                }
            }
            Ok(Message::Pong(_) | Message::Frame(_)) => {}
            Err(Error::Capacity(_)) => {
                state.overflowed(client, now());
                return End::with_code(1009, "message too large");
            }
            Err(Error::Utf8(_)) => return End::with_code(1007, "not UTF-8"),
            Err(Error::Protocol(
                tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )) => return End::silently("reset"),
            Err(Error::Protocol(_)) => {
                return End::with_code(1002, "WebSocket protocol error");
            }
            Err(error) => return End::silently(error.to_string()),
        }
    }
}

/// How the reader of a connection has its writer flush what the library has queued.
struct Flushes<'a> {
    wake: &'a Notify,
    flushed: &'a Notify,
}

impl Flushes<'_> {
    /// Waits for a flush; one that has just ended counts too.
    async fn next(&self) {
        self.wake.notify_one();
        self.flushed.notified().await;
    }
}

async fn write(
    sink: &mut (impl Sink<Message, Error = Error> + Unpin),
    state: &State,
    client: ClientId,
    wake: &Notify,
    heard: &LastHeard,
    flushed: &Notify,
) -> End {
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let ping = tokio::select! {
            () = wake.notified() => false,
            _ = pings.tick() => true,
        };
        if ping {
            if heard.elapsed() > SILENCE {
                return End::silently("silent");
            }
            allocator::release();
        }
        // Silence is detected even while a peer that does not read blocks the write.
        let written = tokio::select! {
            written = flush(sink, state, client, ping) => written,
            () = silence(heard) => return End::silently("silent"),
        };
        if let Err(error) = written {
            return End::silently(error.to_string());
        }
        flushed.notify_one();
        if let Some(close) = state.closing(client) {
            return End::with(close);
        }
    }
}

/// Writes all queued messages, with one flush.
async fn flush(
    sink: &mut (impl Sink<Message, Error = Error> + Unpin),
    state: &State,
    client: ClientId,
    ping: bool,
) -> Result<(), Error> {
    if ping {
        sink.feed(Message::Ping(Default::default())).await?;
    }
    while let Some(text) = state.next_outgoing(client) {
        sink.feed(Message::Text(Utf8Bytes::try_from(text)?)).await?;
    }
    sink.flush().await
}

/// When something was last received on a connection.
struct LastHeard(Mutex<Instant>);

impl LastHeard {
    fn now() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn elapsed(&self) -> Duration {
        self.last().elapsed()
    }
}

/// Waits until nothing has been received for too long.
async fn silence(heard: &LastHeard) {
    while heard.elapsed() <= SILENCE {
        tokio::time::sleep_until(heard.last() + SILENCE + Duration::from_millis(1)).await;
    }
}
