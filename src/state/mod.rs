//! What the daemon knows and decides: sessions, tabs, handles, pacing, pairing, pending commands,
//! browsers, traces.
//!
//! Synchronous and without I/O: time is handed in, messages and replies come out. A [`State`] is a
//! cheap clone of a handle to one table of facts behind one mutex, so that every decision is made
//! on facts of the same moment. Sending, waiting and timing is left to the daemon layer.

mod admission;
mod answers;
mod browsers;
mod dispatch;
mod handles;
mod pacing;
mod pairing;
mod pending;
mod person;
mod sessions;
mod splice;
mod trace;

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

pub use std::time::Instant;

pub use admission::Admission;
pub use browsers::{ClientId, ClientInfo, CloseWith};
pub use pairing::{CODE_LIFE_MS, IssuedCode, TokenCheck};
pub use pending::Reply;
pub use sessions::{SessionInfo, TabInfo};
pub use trace::Trace;

use crate::{
    protocol::{ClaimError, Pacing, ProtocolError, SessionId, TabHandle},
    secrets::ExtensionCredential,
};
use browsers::{BrowserId, Browsers, Outgoing};
use handles::Handles;
use pairing::Pairing;
use pending::{CommandKey, Due, Pending, Seat};
use sessions::{Session, Sessions};
use trace::Traces;

/// A moment, by both clocks: the steady one decides, the other one is for clients to read.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Never jumps.
    pub instant: Instant,
    /// Unix time, ms.
    pub unix_ms: i64,
}

/// Where sessions keep their files. The state decides when such a place comes and goes.
pub trait SessionDirs: Send {
    /// The session's directory, whether it exists or not.
    fn path(&self, session: SessionId) -> String;
    /// Makes the directory; a failure is for the log.
    fn create(&self, session: SessionId);
    /// Removes the directory with all in it; a failure is for the log.
    fn remove(&self, session: SessionId);
}

/// The facts, and what was promised to whom.
struct Inner {
    sessions: Sessions,
    browsers: Browsers,
    handles: Handles,
    pending: Pending,
    pairing: Pairing,
    traces: Traces,
    dirs: Box<dyn SessionDirs>,
    /// Commands that have become the first of their queue.
    turns: VecDeque<CommandKey>,
    /// Closes of tabs that a session's end waits for, by the id of the message.
    closes: HashMap<String, CommandKey>,
    /// Opens that ended before the browser answered, the oldest first.
    lost_opens: VecDeque<(Arc<str>, BrowserId, SessionId)>,
    /// When the daemon's timer goes off; none if it is not set.
    armed: Option<Instant>,
    draining: bool,
    /// Whether something has changed that people are shown.
    news: bool,
}

/// The cheap handle to everything the daemon knows.
#[derive(Clone)]
pub struct State {
    inner: Arc<Mutex<Inner>>,
    timer: Arc<Notify>,
    idle: Arc<Notify>,
}

/// A snapshot for `debug.status`.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)] // the names are the protocol's own
pub struct Status {
    pub ws_clients: Vec<ClientInfo>,
    pub sessions: Vec<SessionInfo>,
    pub session_tabs: Vec<SessionTabs>,
    pub paused_sessions: Vec<PausedSession>,
}

/// The tabs of a session, in a [`Status`].
#[derive(Debug, serde::Serialize)]
#[allow(missing_docs)]
pub struct SessionTabs {
    pub session: SessionId,
    pub tabs: Vec<TabInfo>,
}

/// A session that waits for a person, in a [`Status`].
#[derive(Debug, serde::Serialize)]
#[allow(missing_docs)]
pub struct PausedSession {
    pub session: SessionId,
    pub reason: String,
}

impl State {
    /// A daemon that has just started; `credential` is the extension's, from an earlier pairing.
    pub fn new(credential: Option<ExtensionCredential>, dirs: Box<dyn SessionDirs>) -> Self {
        let inner = Inner {
            sessions: Sessions::default(),
            browsers: Browsers::default(),
            handles: Handles::default(),
            pending: Pending::default(),
            pairing: Pairing::new(credential),
            traces: Traces::default(),
            dirs,
            turns: VecDeque::new(),
            closes: HashMap::new(),
            lost_opens: VecDeque::new(),
            armed: None,
            draining: false,
            news: false,
        };
        Self { inner: Arc::new(Mutex::new(inner)), timer: Arc::default(), idle: Arc::default() }
    }

    /// Runs one decision and wakes those whom it concerns.
    fn with<R>(&self, decide: impl FnOnce(&mut Inner) -> R) -> R {
        // A panic is caught by its connection's task; what it left half done concerns that
        // connection's command, and everybody else goes on.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let result = decide(&mut inner);
        inner.show_sessions();
        let due = inner.pending.next_due();
        let earlier = due.is_some_and(|due| inner.armed.is_none_or(|armed| due < armed));
        let idle = inner.draining && inner.pending.is_empty();
        drop(inner);
        if earlier {
            self.timer.notify_one();
        }
        if idle {
            self.idle.notify_one();
        }
        result
    }

    /// Wakes when something is due earlier than [`State::arm`] said.
    pub fn timer(&self) -> Arc<Notify> {
        self.timer.clone()
    }

    /// When [`State::tick`] is wanted next; the caller sets its timer to it.
    pub fn arm(&self) -> Option<Instant> {
        self.with(|inner| {
            inner.armed = inner.pending.next_due();
            inner.armed
        })
    }

    /// Does what is due by now.
    pub fn tick(&self, now: Now) {
        self.with(|inner| {
            while let Some(due) = inner.pending.take_due(now.instant) {
                match due {
                    Due::Hello(client) => inner.silent(client, now),
                    Due::Slot(key) => inner.enqueue(key, now),
                    Due::Deadline(key) => inner.out_of_time(key, now),
                }
                inner.run_turns(now);
            }
        });
    }

    /// A new connection. The notification tells when there is something in
    /// [`State::next_outgoing`] or [`State::closing`].
    pub fn connect(&self, now: Now, remote: &str) -> (ClientId, Arc<Notify>) {
        self.with(|inner| {
            let (client, wake) = inner.browsers.connect(now.unix_ms);
            inner.pending.schedule(now.instant + browsers::HELLO_WAIT, Due::Hello(client));
            tracing::info!(event = "ws_connect", ws_client = %client, remote);
            (client, wake)
        })
    }

    /// A connection has ended.
    pub fn disconnect(&self, client: ClientId, reason: &str, now: Now) {
        self.with(|inner| {
            tracing::info!(event = "ws_disconnect", ws_client = %client, reason);
            inner.browsers.disconnect(client);
            inner.give_up_hope(now);
            inner.run_turns(now);
        });
    }

    /// A text message from a connection.
    pub fn receive(&self, client: ClientId, text: &Utf8Bytes, now: Now) {
        self.with(|inner| {
            inner.receive(client, text, now);
            inner.run_turns(now);
        });
    }

    /// A message that is none of the protocol's, such as a binary one.
    pub fn receive_other(&self, client: ClientId, now: Now) {
        self.with(|inner| {
            tracing::debug!(event = "ws_bad_message", ws_client = %client, problem = "not a text");
            inner.silent(client, now);
            inner.run_turns(now);
        });
    }

    /// The next message for a connection, if there is one.
    pub fn next_outgoing(&self, client: ClientId) -> Option<Utf8Bytes> {
        self.with(|inner| {
            loop {
                match inner.browsers.next_outgoing(client)? {
                    Outgoing::Note(text) => return Some(text),
                    Outgoing::Command(key) => {
                        if let Some(command) = inner.pending.get(key) {
                            return Some(command.message.clone());
                        }
                    }
                }
            }
        })
    }

    /// How the connection is to be ended, if it is.
    pub fn closing(&self, client: ClientId) -> Option<CloseWith> {
        self.with(|inner| inner.browsers.closing(client))
    }

    /// Asks for all connections to be ended.
    pub fn close_all(&self, with: CloseWith) {
        self.with(|inner| {
            for client in inner.browsers.clients() {
                inner.browsers.close(client, with);
            }
        });
    }

    /// From now on no command is admitted.
    pub fn drain(&self) {
        self.with(|inner| inner.draining = true);
    }

    /// Whether commands are admitted no more.
    pub fn is_draining(&self) -> bool {
        self.with(|inner| inner.draining)
    }

    /// Waits until no command is pending; for after [`State::drain`].
    pub async fn drained(&self) {
        while !self.with(|inner| inner.pending.is_empty()) {
            self.idle.notified().await;
        }
    }

    /// Ends every pending command with this reply.
    pub fn abort_all(&self, reply: &Reply) {
        self.with(|inner| {
            for key in inner.pending.select(|_| true) {
                if let Some(mut command) = inner.pending.remove(key) {
                    command.answer(reply.clone());
                }
            }
        });
    }

    /// Makes a session.
    ///
    /// # Errors
    ///
    /// `OVERLOADED` if there are too many.
    pub fn create_session(
        &self,
        label: Option<String>,
    ) -> Result<(SessionId, String), ProtocolError> {
        self.with(|inner| {
            inner.check_sessions()?;
            let id = inner.sessions.draw_id();
            inner.sessions.insert(id, label);
            inner.dirs.create(id);
            Ok((id, inner.dirs.path(id)))
        })
    }

    /// Binds a session to one of its tabs, sets its pace, or both; returns the bound tab.
    ///
    /// # Errors
    ///
    /// If the tab is none of the session's.
    pub fn bind(
        &self,
        id: SessionId,
        tab: Option<&TabHandle>,
        pacing: Option<Pacing>,
    ) -> Result<Option<TabHandle>, ProtocolError> {
        self.with(|inner| {
            let tab = tab.map(|tab| inner.sessions.find_tab(id, Some(tab))).transpose()?;
            let session = inner.sessions.get_mut(id).ok_or_else(|| sessions::not_found(id))?;
            inner.news = true;
            session.bound = tab.or(session.bound);
            if let Some(pacing) = pacing {
                session.pacing = pacing;
                tracing::info!(event = "pacing_config", session = %id, mode = pacing.as_str());
            }
            Ok(session.bound.map(TabHandle::new))
        })
    }

    /// Clears a session's binding and pause.
    pub fn unbind(&self, id: SessionId) {
        self.change(id, |session| {
            session.bound = None;
            session.paused = None;
        });
    }

    /// Clears a session's pause.
    pub fn resume(&self, id: SessionId) {
        self.change(id, |session| session.paused = None);
    }

    fn change(&self, id: SessionId, change: impl FnOnce(&mut Session)) {
        self.with(|inner| {
            inner.news = true;
            inner.sessions.get_mut(id).map(change)
        });
    }

    /// All sessions, in the order of their creation.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.with(|inner| inner.sessions.infos())
    }

    /// A session's tabs, in the order of their opening.
    pub fn tabs(&self, id: SessionId) -> Vec<TabInfo> {
        self.with(|inner| inner.sessions.get(id).map(Session::tab_infos).unwrap_or_default())
    }

    /// The latest traces, oldest first.
    pub fn traces(&self, count: usize) -> Vec<Trace> {
        self.with(|inner| inner.traces.last(count))
    }

    /// How many connections and sessions there are.
    pub fn counts(&self) -> (usize, usize) {
        self.with(|inner| (inner.browsers.clients().len(), inner.sessions.len()))
    }

    /// Everything at a glance.
    pub fn status(&self) -> Status {
        self.with(|inner| {
            let in_order = inner.sessions.in_order();
            let tabs = |(id, session): &(SessionId, &Session)| SessionTabs {
                session: *id,
                tabs: session.tab_infos(),
            };
            let paused = |(id, session): &(SessionId, &Session)| {
                Some(PausedSession { session: *id, reason: session.paused.clone()? })
            };
            Status {
                ws_clients: inner.browsers.infos(),
                sessions: inner.sessions.infos(),
                session_tabs: in_order.iter().map(tabs).collect(),
                paused_sessions: in_order.iter().filter_map(paused).collect(),
            }
        })
    }

    /// A fresh pairing code; the one before is void.
    pub fn issue_code(&self, now: Now) -> IssuedCode {
        self.with(|inner| inner.pairing.issue(now))
    }

    /// Consumes the pairing code and returns a token for the extension with this Origin, which is
    /// not valid before [`State::activate`].
    ///
    /// # Errors
    ///
    /// See [`ClaimError`]; `typed` is none if the body was no claim.
    pub fn claim(
        &self,
        typed: Option<&str>,
        origin: &str,
        now: Now,
    ) -> Result<ExtensionCredential, ClaimError> {
        self.with(|inner| inner.pairing.claim(typed, now.instant))?;
        Ok(pairing::new_credential(origin))
    }

    /// Makes a claim undone whose token could not be stored.
    pub fn unclaim(&self) {
        self.with(|inner| inner.pairing.unclaim());
    }

    /// Only this token is valid from now on; connections with the one before are ended.
    pub fn activate(&self, credential: ExtensionCredential) {
        self.with(|inner| inner.pairing.activate(credential));
        self.close_all(CloseWith { code: 4001, reason: "a new pairing replaced this token" });
    }

    /// Whether `token` opens `/ws` for this Origin.
    pub fn check_token(&self, token: &[u8], origin: &str) -> TokenCheck {
        self.with(|inner| inner.pairing.check_token(token, origin))
    }

    /// The active token of the extension.
    pub fn credential(&self) -> Option<ExtensionCredential> {
        self.with(|inner| inner.pairing.credential().cloned())
    }
}

/// Waits for a command's reply. Dropped before that, it leaves the command as a client does that
/// hangs up.
pub struct Ticket {
    state: State,
    seat: Option<Seat>,
}

impl Ticket {
    fn new(state: State, seat: Seat) -> Self {
        Self { state, seat: Some(seat) }
    }
}

impl Future for Ticket {
    /// None only if the daemon has lost the command to a panic.
    type Output = Option<Reply>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(seat) = &mut self.seat else { return Poll::Ready(None) };
        let reply = std::task::ready!(Pin::new(&mut seat.reply).poll(context)).ok();
        self.seat = None;
        Poll::Ready(reply)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(seat) = &self.seat {
            self.state.with(|inner| inner.hang_up(seat.key, seat.number));
        }
    }
}
