//! What happens to commands, browsers, handles and pairing: one event for each fact (protocol §11), for the log and the
//! subscribers. No event contains a filled value.

use std::fmt;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use tokio::sync::broadcast;

use crate::protocol::{Caller, ErrorCode, Pacing, SessionId, TabHandle};

use super::{ClientId, Now};

/// How many events a subscriber may fall behind before it loses the oldest: some seconds of busy work.
const BACKLOG: usize = 1024;

/// How many subscribers there may be at once: people and programs that watch, not clients that work.
pub const MAX_SUBSCRIBERS: usize = 16;

/// One fact. The names on the wire, in the log and here are the same.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[allow(missing_docs)] // see protocol §11
pub enum Event<'a> {
    Received {
        id: &'a str,
        action: &'a str,
        session: &'a str,
        destructive: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        client: Option<&'a Caller>,
    },
    PacingWait {
        id: &'a str,
        delay_ms: u64,
    },
    Forwarded {
        id: &'a str,
        ws_client: ClientId,
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "tab_name")]
        tab: Option<u32>,
    },
    Response {
        id: &'a str,
        ok: bool,
        elapsed_ms: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        error_code: Option<&'a str>,
    },
    Timeout {
        id: &'a str,
        elapsed_ms: u64,
    },
    Replay {
        id: &'a str,
        ws_client: ClientId,
    },
    WsConnect {
        ws_client: ClientId,
        remote: &'a str,
    },
    WsDisconnect {
        ws_client: ClientId,
        reason: &'a str,
    },
    PacingConfig {
        session: SessionId,
        mode: Pacing,
    },
    #[serde(rename_all = "camelCase")]
    HandleMint {
        session: SessionId,
        #[serde(serialize_with = "tab_name")]
        tab: Option<u32>,
        source_action: &'a str,
        count: usize,
        first_handle: &'a str,
        last_handle: &'a str,
    },
    HandleResolve {
        handle: &'a str,
        session: SessionId,
        #[serde(serialize_with = "tab_name")]
        tab: Option<u32>,
        outcome: &'a str,
    },
    HandleInvalidate {
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "tab_name")]
        tab: Option<u32>,
        cause: &'a str,
        count: usize,
    },
    PairClaimFailed {
        code: &'a str,
    },
    PairClaimRateLimited,
    PairClaimOk,
    AuthRefused {
        route: &'a str,
        layer: &'a str,
    },
    Person {
        session: SessionId,
        act: &'a str,
    },
    SessionsLost {
        problem: &'a str,
    },
    SessionsNotSaved {
        problem: &'a str,
    },
}

fn tab_name<S: Serializer>(ordinal: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    ordinal.map(TabHandle::new).serialize(serializer)
}

/// A value of a log record that may be absent.
fn shown<T: fmt::Display>(value: Option<T>) -> Option<tracing::field::DisplayValue<T>> {
    value.map(tracing::field::display)
}

struct TabName(u32);

impl fmt::Display for TabName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

impl Event<'_> {
    fn level(&self) -> &'static str {
        match self {
            Self::PairClaimFailed { .. }
            | Self::PairClaimRateLimited
            | Self::AuthRefused { .. }
            | Self::SessionsLost { .. }
            | Self::SessionsNotSaved { .. } => "warn",
            Self::Received { .. }
            | Self::PacingWait { .. }
            | Self::Forwarded { .. }
            | Self::Response { .. }
            | Self::Timeout { .. }
            | Self::Replay { .. }
            | Self::WsConnect { .. }
            | Self::WsDisconnect { .. }
            | Self::PacingConfig { .. }
            | Self::HandleMint { .. }
            | Self::HandleResolve { .. }
            | Self::HandleInvalidate { .. }
            | Self::PairClaimOk
            | Self::Person { .. } => "info",
        }
    }

    /// Writes the event to the log.
    fn log(&self) {
        use tracing::{info, warn};
        match *self {
            Self::Received { id, action, session, destructive, client } => {
                let name = client.map(|client| &*client.name);
                let folder = client.and_then(|client| client.folder.as_deref());
                info!(event = "received", id, action, session, destructive, client = name, folder);
            }
            Self::PacingWait { id, delay_ms } => info!(event = "pacing_wait", id, delay_ms),
            Self::Forwarded { id, ws_client, tab } => {
                info!(event = "forwarded", id, %ws_client, tab = shown(tab.map(TabName)));
            }
            Self::Response { id, ok, elapsed_ms, error_code } => {
                info!(event = "response", id, ok, elapsed_ms, error_code);
            }
            Self::Timeout { id, elapsed_ms } => info!(event = "timeout", id, elapsed_ms),
            Self::Replay { id, ws_client } => info!(event = "replay", id, %ws_client),
            Self::WsConnect { ws_client, remote } => {
                info!(event = "ws_connect", %ws_client, remote)
            }
            Self::WsDisconnect { ws_client, reason } => {
                info!(event = "ws_disconnect", %ws_client, reason);
            }
            Self::PacingConfig { session, mode } => {
                info!(event = "pacing_config", %session, mode = mode.as_str());
            }
            Self::HandleMint { session, tab, source_action, count, first_handle, last_handle } => {
                info!(
                    event = "handle_mint",
                    %session,
                    tab = shown(tab.map(TabName)),
                    sourceAction = source_action,
                    count,
                    firstHandle = first_handle,
                    lastHandle = last_handle,
                );
            }
            Self::HandleResolve { handle, session, tab, outcome } => {
                info!(event = "handle_resolve", handle, %session, tab = shown(tab.map(TabName)), outcome);
            }
            Self::HandleInvalidate { session, tab, cause, count } => {
                let tab = shown(tab.map(TabName));
                info!(event = "handle_invalidate", session = shown(session), tab, cause, count);
            }
            Self::PairClaimFailed { code } => warn!(event = "pair_claim_failed", code),
            Self::PairClaimRateLimited => warn!(event = "pair_claim_rate_limited"),
            Self::PairClaimOk => info!(event = "pair_claim_ok"),
            Self::AuthRefused { route, layer } => warn!(event = "auth_refused", route, layer),
            Self::Person { session, act } => info!(event = "person", %session, act),
            Self::SessionsLost { problem } => warn!(event = "sessions_lost", problem),
            Self::SessionsNotSaved { problem } => warn!(event = "sessions_not_saved", problem),
        }
    }

    /// The event as a line of JSON, as the log's files have it.
    fn line(&self, unix_ms: i64) -> Bytes {
        #[derive(Serialize)]
        struct Line<'a> {
            level: &'a str,
            ts: i64,
            #[serde(flatten)]
            event: &'a Event<'a>,
        }
        let line = Line { level: self.level(), ts: unix_ms, event: self };
        // Strings, numbers and bools always serialize.
        let mut line = serde_json::to_vec(&line).unwrap_or_default();
        line.push(b'\n');
        line.into()
    }
}

/// Passes events on to the log and to subscribers.
#[derive(Default)]
pub(super) struct Events {
    /// Made for the first subscriber, because its backlog is allocated at once.
    channel: Option<broadcast::Sender<Bytes>>,
}

impl Events {
    pub(super) fn emit(&self, event: &Event<'_>, unix_ms: i64) {
        event.log();
        if let Some(channel) = self.channel.as_ref().filter(|channel| channel.receiver_count() > 0)
        {
            // The last subscriber may unsubscribe at this moment.
            let _ = channel.send(event.line(unix_ms));
        }
    }

    fn subscribe(&mut self) -> Option<broadcast::Receiver<Bytes>> {
        let channel = self.channel.get_or_insert_with(|| broadcast::Sender::new(BACKLOG));
        (channel.receiver_count() < MAX_SUBSCRIBERS).then(|| channel.subscribe())
    }

    fn subscribers(&self) -> usize {
        self.channel.as_ref().map_or(0, broadcast::Sender::receiver_count)
    }
}

impl super::Inner {
    /// Emits an event to the log and the subscribers.
    pub(super) fn emit(&self, event: &Event<'_>) {
        self.events.emit(event, self.now.unix_ms);
    }

    /// Handles have ended; no event is emitted if there were none.
    pub(super) fn emit_invalidated(
        &self,
        session: Option<SessionId>,
        tab: Option<u32>,
        cause: &str,
        count: usize,
    ) {
        if count > 0 {
            self.emit(&Event::HandleInvalidate { session, tab, cause, count });
        }
    }

    /// A command has ended.
    pub(super) fn emit_ended(&self, id: &str, elapsed_ms: u64, end: End<'_>) {
        let error_code = end.error_code();
        self.emit(&match end {
            End::TimedOut => Event::Timeout { id, elapsed_ms },
            End::Ok | End::Failed(_) => {
                Event::Response { id, ok: error_code.is_none(), elapsed_ms, error_code }
            }
        });
    }
}

impl super::State {
    /// Emits an event for something that happened outside the state.
    pub fn emit(&self, event: &Event<'_>, now: Now) {
        self.with(|inner| inner.events.emit(event, now.unix_ms));
    }

    /// The events from now on, each a line of JSON; none if there are [`MAX_SUBSCRIBERS`] already. A subscriber that
    /// falls behind loses the oldest, and gets their number.
    pub fn subscribe(&self) -> Option<broadcast::Receiver<Bytes>> {
        self.with(|inner| inner.events.subscribe())
    }

    /// How many subscribers there are.
    pub fn subscribers(&self) -> usize {
        self.with(|inner| inner.events.subscribers())
    }
}

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End<'a> {
    Ok,
    /// With this error code.
    Failed(&'a str),
    /// Its deadline passed.
    TimedOut,
}

impl<'a> End<'a> {
    /// For the log and the traces, which truncate a code that only the extension knows.
    pub(super) fn error_code(self) -> Option<&'a str> {
        match self {
            Self::Ok => None,
            Self::Failed(code) => Some(truncated(code)),
            Self::TimedOut => Some(ErrorCode::Timeout.name()),
        }
    }
}

/// A text from outside, truncated for the log.
pub(super) fn truncated(text: &str) -> &str {
    const MAX_CHARS: usize = 64;
    text.char_indices().nth(MAX_CHARS).map_or(text, |(end, _)| &text[..end])
}
