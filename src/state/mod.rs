//! The daemon's data and decisions: sessions, tabs, handles, pacing, pairing, pending commands, browsers, traces.
//!
//! Synchronous and without I/O of its own: time is handed in, messages and replies come out, files are behind
//! [`Storage`]. A [`State`] is a cheaply cloned handle to all data behind one mutex, so that every decision sees one
//! consistent state. It has no transport: sending, waiting and timing are left to the daemon layer.

mod admission;
mod answers;
mod browsers;
mod closing;
mod dispatch;
mod events;
mod files;
mod handles;
mod json_edit;
mod kept;
mod listing;
mod local;
mod minting;
mod numbers;
mod opens;
mod pacing;
mod pairing;
mod pending;
mod person;
mod proofs;
mod recall;
mod reconnect;
mod reply_future;
mod sessions;
mod targets;
#[cfg(test)]
mod tests;
mod trace;
mod upkeep;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

pub use std::time::Instant;

pub use admission::Admission;
pub use browsers::{ClientId, CloseReason};
pub use events::{Event, MAX_SUBSCRIBERS};
pub use files::{Arrival, FileRefusal, SessionFile};
pub use kept::Kept;
pub use pairing::IssuedCode;
pub use pending::{Reply, ReplyKind};
pub use proofs::ProofCheck;
pub use reply_future::ReplyFuture;

use crate::{
    config::Resume,
    home,
    protocol::{HELLO_WAIT, SessionId, Versions},
    secrets::ExtensionCredential,
};
use browsers::{Browsers, Outgoing};
use events::Events;
use handles::Handles;
use opens::{AskedOpens, LostOpens};
use pairing::Pairing;
use pending::{CommandKey, Due, Pending};
use proofs::Proofs;
use sessions::Sessions;
use trace::Traces;

/// A point in time on both clocks: decisions use the monotonic one, clients see the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Monotonic.
    pub instant: Instant,
    /// Unix time, ms.
    pub unix_ms: i64,
}

/// The daemon's files. The state decides when they are written; the implementation decides where and how.
pub trait Storage: Send {
    /// The session's directory, whether it exists or not.
    fn session_dir(&self, session: SessionId) -> String;
    /// Creates the session's directory; a failure is logged.
    fn create_session_dir(&self, session: SessionId);
    /// Removes the session's directory with all in it; a failure is logged.
    fn remove_session_dir(&self, session: SessionId);
    /// Removes all temporary files but the directories of these sessions, and creates those that are missing.
    ///
    /// # Errors
    ///
    /// If something cannot be removed.
    fn keep_session_dirs(&self, sessions: &[SessionId]) -> Result<(), home::Error>;
    /// The files that clients have given to a session of the daemon before, by their numbers. What had not arrived in
    /// full is removed.
    fn session_files(&self, session: SessionId) -> BTreeMap<u64, SessionFile>;
    /// Saves the sessions, a JSON text that [`Kept::parse`] reads, in place of those that were saved before.
    ///
    /// # Errors
    ///
    /// If they cannot be written; what was saved before stays.
    fn save_sessions(&self, sessions: &[u8]) -> Result<(), home::Error>;
    /// Writes a pairing code into the state directory, for its owner to read.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    fn write_pairing_code(&self, code: &IssuedCode) -> Result<(), home::Error>;
}

/// No files at all.
impl Storage for () {
    fn session_dir(&self, _session: SessionId) -> String {
        String::new()
    }

    fn create_session_dir(&self, _session: SessionId) {}

    fn remove_session_dir(&self, _session: SessionId) {}

    fn keep_session_dirs(&self, _sessions: &[SessionId]) -> Result<(), home::Error> {
        Ok(())
    }

    fn session_files(&self, _session: SessionId) -> BTreeMap<u64, SessionFile> {
        BTreeMap::new()
    }

    fn save_sessions(&self, _sessions: &[u8]) -> Result<(), home::Error> {
        Ok(())
    }

    fn write_pairing_code(&self, _code: &IssuedCode) -> Result<(), home::Error> {
        Ok(())
    }
}

/// The process around the state, for `debug.status`.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// The port that it listens on.
    pub port: u16,
    /// When it started.
    pub started: Instant,
}

/// All data.
struct Inner {
    sessions: Sessions,
    browsers: Browsers,
    handles: Handles,
    pending: Pending,
    pairing: Pairing,
    proofs: Proofs,
    traces: Traces,
    events: Events,
    storage: Box<dyn Storage>,
    process: Process,
    /// The time of the decision that is being made, or of the last one where it is not known.
    now: Now,
    /// When the sessions of the daemon before came back.
    restored: Now,
    /// When the sessions are saved again, if they could not be.
    unsaved_for: Option<Instant>,
    /// When the next upkeep is due; none without sessions.
    next_upkeep: Option<Instant>,
    /// The protocol versions that browsers may speak.
    versions: Versions,
    /// Who may resume a paused session.
    resume: Resume,
    /// Commands that may have reached the head of their queue.
    heads: VecDeque<CommandKey>,
    /// Closes of tabs that the close of a session waits for, by the id of the message.
    closes: HashMap<String, CommandKey>,
    lost_opens: LostOpens,
    asked_opens: AskedOpens,
    /// When the daemon's timer fires; none if it is not set.
    armed: Option<Instant>,
    /// How many files are arriving.
    arrivals: usize,
    draining: bool,
    /// Whether something has changed that browsers show of their sessions.
    dirty: bool,
}

/// The cheaply cloned handle to the daemon's state.
#[derive(Clone)]
pub struct State {
    inner: Arc<Mutex<Inner>>,
    timer: Arc<Notify>,
    idle: Arc<Notify>,
}

impl State {
    /// A daemon that has just started; `credential` is the extension's, from an earlier pairing.
    pub fn new(
        process: Process,
        credential: Option<ExtensionCredential>,
        storage: Box<dyn Storage>,
    ) -> Self {
        let start = Now { instant: process.started, unix_ms: 0 };
        let inner = Inner {
            sessions: Sessions::default(),
            browsers: Browsers::default(),
            handles: Handles::default(),
            pending: Pending::default(),
            pairing: Pairing::new(credential),
            proofs: Proofs::new(process),
            traces: Traces::default(),
            events: Events::default(),
            storage,
            process,
            now: start,
            restored: start,
            unsaved_for: None,
            next_upkeep: None,
            versions: Versions::SPOKEN,
            resume: Resume::Person,
            heads: VecDeque::new(),
            closes: HashMap::new(),
            lost_opens: LostOpens::default(),
            asked_opens: AskedOpens::default(),
            armed: None,
            arrivals: 0,
            draining: false,
            dirty: false,
        };
        Self { inner: Arc::new(Mutex::new(inner)), timer: Arc::default(), idle: Arc::default() }
    }

    /// Runs one decision and wakes the tasks that it concerns.
    fn with<R>(&self, decide: impl FnOnce(&mut Inner) -> R) -> R {
        // A panic is caught by the connection's task. Only that connection's command is left incomplete.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let result = decide(&mut inner);
        inner.push_session_state();
        inner.save_if_changed();
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

    /// Runs one decision at this moment: after handling everything that is due, and before sending the commands that it
    /// moved to the head of their queue.
    fn at<R>(&self, now: Now, decide: impl FnOnce(&mut Inner) -> R) -> R {
        self.with(|inner| {
            inner.now = now;
            inner.run_due(now);
            let result = decide(inner);
            inner.run_heads(now);
            result
        })
    }

    /// Wakes when something is due earlier than [`State::arm`] said.
    pub fn timer(&self) -> Arc<Notify> {
        self.timer.clone()
    }

    /// When [`State::tick`] has to be called next; the caller sets its timer to it.
    pub fn arm(&self) -> Option<Instant> {
        self.with(|inner| {
            inner.armed = inner.pending.next_due();
            inner.armed
        })
    }

    /// Handles everything that is due by now.
    pub fn tick(&self, now: Now) {
        self.at(now, |_| {});
    }

    /// A new connection, opened with the daemon's `nonce`. The notification tells when there is something in
    /// [`State::next_outgoing`] or [`State::closing`].
    pub fn connect(&self, now: Now, remote: &str, nonce: &str) -> (ClientId, Arc<Notify>) {
        self.at(now, |inner| {
            let (client, wake) = inner.browsers.connect(now.unix_ms);
            inner.browsers.set_nonce(client, nonce);
            inner.pending.schedule(now.instant + HELLO_WAIT, Due::Hello(client));
            inner.emit(&Event::WsConnect { ws_client: client, remote });
            (client, wake)
        })
    }

    /// A connection has ended.
    pub fn disconnect(&self, client: ClientId, reason: &str, now: Now) {
        self.at(now, |inner| {
            inner.emit(&Event::WsDisconnect { ws_client: client, reason });
            inner.disconnected(client, now);
        });
    }

    /// A connection has sent a message that is too large, and is about to end for it.
    pub fn overflowed(&self, client: ClientId, now: Now) {
        self.at(now, |inner| inner.overflowed(client, now));
    }

    /// A text message from a connection: `text`, which are the bytes of `frame`. A reply may share these.
    pub fn receive(&self, client: ClientId, text: &str, frame: &Bytes, now: Now) {
        self.at(now, |inner| inner.receive(client, text, frame, now));
    }

    /// A message outside the protocol, such as a binary one.
    pub fn receive_other(&self, client: ClientId, now: Now) {
        self.at(now, |inner| {
            tracing::debug!(event = "ws_bad_message", ws_client = %client, problem = "not a text");
            inner.browsers.hears(client);
            inner.assume_anonymous(client, now);
        });
    }

    /// The next message for a connection, a JSON text, if there is one.
    pub fn next_outgoing(&self, client: ClientId) -> Option<Bytes> {
        self.with(|inner| {
            loop {
                match inner.browsers.next_outgoing(client)? {
                    Outgoing::Note(text) => return Some(text),
                    Outgoing::SessionState => return inner.browsers.session_state(client),
                    Outgoing::Command(key) => {
                        if let Some(command) = inner.pending.get(key) {
                            return Some(command.message.clone());
                        }
                    }
                }
            }
        })
    }

    /// Why the connection is to be ended, if it is.
    pub fn closing(&self, client: ClientId) -> Option<CloseReason> {
        self.with(|inner| inner.browsers.closing(client))
    }

    /// Asks for all connections to be ended.
    pub fn close_all(&self, reason: CloseReason) {
        self.with(|inner| {
            for client in inner.browsers.clients() {
                inner.close(client, reason);
            }
        });
    }

    /// Sets who may resume a paused session from now on.
    pub fn set_resume(&self, resume: Resume) {
        self.with(|inner| inner.resume = resume);
    }

    /// Stops admitting commands.
    pub fn drain(&self) {
        self.with(|inner| inner.draining = true);
    }

    /// Whether commands are no longer admitted.
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
                if let Some(mut command) = inner.take_out(key) {
                    command.answer(reply.clone());
                }
            }
            inner.heads.clear();
            inner.closes.clear();
        });
    }
}
