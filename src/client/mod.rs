//! Sending commands to the daemon: blocking HTTP/1.1 over loopback, each call with a deadline.
//!
//! Owns finding the daemon, making sure that it is this user's, and the exchange. What to send and how to show the
//! answer is up to the caller. Proxy variables are ignored: nothing leaves the machine.
//!
//! [`connect`] finds the daemon, and the [`Client`] sends [`Action`]s:
//!
//! ```
//! use std::path::Path;
//! use std::time::Duration;
//!
//! use bproxy::client::{self, CallError};
//! use bproxy::protocol::{SessionInfo, SessionList};
//!
//! /// The sessions of the daemon that serves `home`.
//! fn sessions(home: &Path) -> Result<Vec<SessionInfo>, CallError> {
//!     let client = client::connect(Some(home))?;
//!     Ok(client.call(SessionList {}, "", Duration::from_secs(5))?.sessions)
//! }
//!
//! let folder = tempfile::tempdir()?;
//! // Every error says what to do about it.
//! let error = sessions(&folder.path().join("bproxy")).unwrap_err();
//! assert_eq!(error.to_string(), "the daemon is not running: start it with `bproxy service start`");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Session`] has the everyday commands as methods: `client.session("research")?.open(url)?.snapshot()?`.
//! [`Client::call`] returns any action's typed data, or says why the command failed and what to run next.
//! [`Client::command`] returns the unchanged [`Answer`], and can resend under an id of the caller's choice;
//! [`Client::command_cancellable`] can be ended from another thread, and [`Client::connection`] carries several
//! commands over one connection. [`Client::events`] streams what the daemon does.

mod address;
mod answer;
mod cancel;
mod connection;
mod discovery;
mod error;
mod events;
mod exchange;
mod files;
mod request;
mod session;

use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::protocol::{Action, CANNOT_START, Caller, Health, Spec};
use crate::secrets::Secret;
use exchange::{After, Stream};

use address::Way;

pub use address::Address;
pub use answer::{Answer, AnswerError, CallError, Failure, Success};
pub use cancel::CancelToken;
pub use connection::Connection;
pub use discovery::{Endpoint, connect, connect_port, connect_running, running_port};
pub use error::Error;
pub use events::Events;
pub use files::LocalFile;
pub use request::request_id;
pub use session::Session;

/// How much longer than a command's deadline to wait for its answer to begin: the daemon answers at the deadline at the
/// latest, unless it hangs, which must not cost the caller much more than it has allowed.
const ANSWER_GRACE: Duration = Duration::from_secs(1);

/// How long `GET /health` may take. It is answered from memory.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

/// The way to a daemon, and who asks it.
pub struct Client {
    way: Way,
    caller: Option<Caller>,
}

impl Client {
    /// For the daemon that listens on `port`, or that a service manager starts for a connection to it. [`connect`] finds
    /// port and token.
    pub fn new(port: u16, token: Secret) -> Client {
        Client::by(Way::Port { port, token: Some(token) })
    }

    /// The same without a token, for [`Client::health`].
    pub fn anonymous(port: u16) -> Client {
        Client::by(Way::Port { port, token: None })
    }

    fn by(way: Way) -> Client {
        Client { way, caller: None }
    }

    /// The same, with what the daemon and the person are told of who asks.
    #[must_use]
    pub fn on_behalf_of(self, caller: Option<Caller>) -> Client {
        Client { caller, ..self }
    }

    /// Where the daemon is called.
    pub fn address(&self) -> Address {
        self.way.address()
    }

    /// The port that the daemon listens on; `None` if it is called by its socket and has not written down its port yet.
    pub fn port(&self) -> Option<u16> {
        self.way.port()
    }

    /// Sends one command in a session (empty for none) and waits for its answer, for `timeout` and a few seconds for the
    /// transfer at most. Commands with the same `id` at the same time are one command; [`request_id`] creates unique ids.
    ///
    /// # Errors
    /// When no envelope comes back.
    pub fn command(
        &self,
        id: &str,
        action: &Action,
        session: &str,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        self.command_cancellable(&CancelToken::default(), id, action, session, timeout)
    }

    /// Sends a command that another thread can cancel: one that has not reached the browser by then never does.
    ///
    /// # Errors
    /// When no envelope comes back; [`Error::Cancelled`] when the call was cancelled.
    pub fn command_cancellable(
        &self,
        cancel: &CancelToken,
        id: &str,
        action: &Action,
        session: &str,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        request::by_either_clock(|ahead| {
            let caller = self.caller.as_ref();
            let body = request::body(id, action, session, timeout, caller, false, ahead)?;
            self.post(cancel, &body, timeout)
        })
    }

    /// Asks what came of a command that was sent with these same arguments, to a daemon that has ended since. Nothing is
    /// started by it.
    ///
    /// # Errors
    /// As those of [`Client::command_cancellable`].
    pub fn recall(
        &self,
        cancel: &CancelToken,
        id: &str,
        action: &Action,
        session: &str,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        request::by_either_clock(|ahead| {
            let caller = self.caller.as_ref();
            let body = request::body(id, action, session, timeout, caller, true, ahead)?;
            self.post(cancel, &body, timeout)
        })
    }

    fn post(&self, cancel: &CancelToken, body: &str, timeout: Duration) -> Result<Answer, Error> {
        let mut stream = self.open(Instant::now() + timeout + ANSWER_GRACE)?;
        let _guard = cancel.guard(&stream)?;
        match self.exchange(&mut stream, "POST", "/", body.as_bytes(), After::Close) {
            Err(_) if cancel.is_cancelled() => Err(Error::Cancelled),
            received => self.answer(received?),
        }
    }

    /// Carries out one action and returns its data.
    ///
    /// # Errors
    /// When the command fails, or no answer comes back.
    pub fn call<S: Spec + Into<Action>>(
        &self,
        action: S,
        session: &str,
        timeout: Duration,
    ) -> Result<S::Data, CallError> {
        Ok(self.command(&request_id(), &action.into(), session, timeout)?.data()?)
    }

    /// A connection for several commands, one after the other. The first of them opens it.
    pub fn connection(&self) -> Connection<'_> {
        Connection::new(self)
    }

    /// The daemon's health; with the token, in detail.
    ///
    /// # Errors
    /// When it does not answer, or not as bproxy does.
    pub fn health(&self) -> Result<Health, Error> {
        let unknown = |_| Error::UnknownAnswer { address: self.address(), status: 200 };
        serde_json::from_slice(&self.health_json()?).map_err(unknown)
    }

    /// The unchanged health document, with any members that only a daemon of another version has.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn health_json(&self) -> Result<Vec<u8>, Error> {
        let mut stream = self.open(Instant::now() + HEALTH_TIMEOUT)?;
        match self.exchange(&mut stream, "GET", "/health", b"", After::Close)? {
            (200, body) => Ok(body),
            (status, body) => Err(self.refusal(status, &body)),
        }
    }

    /// Opens a connection with one `deadline` for everything sent and received on it.
    fn open(&self, deadline: Instant) -> Result<Stream, Error> {
        self.way.open(deadline)
    }

    fn exchange(
        &self,
        stream: &mut Stream,
        method: &str,
        path: &str,
        body: &[u8],
        after: After,
    ) -> Result<(u16, Vec<u8>), Error> {
        let (host, token) = (self.way.host(), self.way.token());
        exchange::send(stream, &host, method, path, token, body, after)
            .and_then(|()| exchange::receive(stream))
            .map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> Error {
        address::failed(&self.address(), source)
    }

    fn answer(&self, (status, body): (u16, Vec<u8>)) -> Result<Answer, Error> {
        let body = match (status, Answer::parse(body)) {
            (200 | 502, Ok(answer)) => return Ok(answer),
            (_, Ok(Answer { body, .. }) | Err(body)) => body,
        };
        match (self.refusal(status, &body), status) {
            (Error::Refused { code, message, .. }, 400) => Err(self.bad_request(code, message)),
            (error, _) => Err(error),
        }
    }

    /// Why the daemon rejects a request that this version considers correct: it may be of another version.
    fn bad_request(&self, code: String, message: String) -> Error {
        match self.health() {
            Ok(Health { version, .. }) if version != env!("CARGO_PKG_VERSION") => {
                Error::Version { version, message }
            }
            _ => Error::Refused { status: 400, code, message },
        }
    }

    fn refusal(&self, status: u16, body: &[u8]) -> Error {
        #[derive(Deserialize)]
        struct Refusal {
            error: Failure,
        }
        match serde_json::from_slice(body) {
            Ok(Refusal { error: Failure { code, message, .. } }) if code == CANNOT_START => {
                Error::CannotStart { reason: message }
            }
            Ok(Refusal { error: Failure { code, message, .. } }) if message.is_empty() => {
                Error::Refused { status, message: code.clone(), code }
            }
            Ok(Refusal { error: Failure { code, message, .. } }) => {
                Error::Refused { status, code, message }
            }
            Err(_) => Error::UnknownAnswer { address: self.address(), status },
        }
    }
}
