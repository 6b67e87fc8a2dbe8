//! One call to the daemon: a blocking HTTP/1.1 exchange over loopback, with a deadline.
//!
//! Owns finding the daemon, making sure that it is this user's, and the exchange. What to ask and how to show the
//! answer is the caller's: the command line's, or that of any program that uses this crate. Proxy variables play no part:
//! nothing here ever leaves the machine.
//!
//! A [`Client`] is found by the daemon's state directory, and sends [`Action`]s:
//!
//! ```
//! use std::time::Duration;
//!
//! use bproxy::client::{Client, Error, request_id};
//! use bproxy::config::SecretsChoice;
//! use bproxy::home::Home;
//! use bproxy::protocol::{Action};
//!
//! /// The sessions of the daemon that serves `home`, as JSON.
//! fn sessions(home: &Home) -> Result<String, Error> {
//!     let client = Client::with_token(home, SecretsChoice::Auto)?;
//!     let list = protocol::SessionList {}.into();
//!     let answer = client.command(&request_id(), &list, "", Duration::from_secs(5))?;
//!     Ok(String::from_utf8_lossy(&answer.body).into_owned())
//! }
//!
//! let folder = tempfile::tempdir()?;
//! let home = Home::open(&folder.path().join("bproxy"))?;
//! // Every error says what to do about it.
//! let error = sessions(&home).unwrap_err();
//! assert_eq!(error.to_string(), "the daemon is not running: start it with `bproxy service start`");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An answer with `ok: false` is an [`Answer`], not an error: its envelope says what the browser or the daemon refused,
//! and what to run next. A program that uses [`Client::command`] blocks for as long; [`Client::connection`] carries
//! several commands without connecting anew.

mod exchange;
mod hang_up;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::config::SecretsChoice;
use crate::home::{self, Home};
use crate::loopback::{self, ListenerOwner};
use crate::protocol::{Action, Envelope, MAX_BODY_BYTES, VERSION};
use crate::secrets::{self, Secret};
use exchange::{After, Stream};

pub use hang_up::HangUp;

/// How much longer than a command's deadline its answer is waited for: the daemon answers on the dot, and what is left
/// is to carry over a large answer on a busy machine.
const GRACE: Duration = Duration::from_secs(5);

/// How long `GET /health` may take. It is answered from memory.
const HEALTH_WAIT: Duration = Duration::from_secs(3);

/// Why there is no answer to show.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No daemon has made itself known, or none listens where it said.
    #[error("the daemon is not running: start it with `bproxy service start`")]
    NotRunning,
    /// The state directory cannot be trusted or read.
    #[error(transparent)]
    Home(#[from] home::Error),
    /// The token cannot be trusted or read.
    #[error(transparent)]
    Secrets(#[from] secrets::Error),
    /// A daemon has made itself known, but not its token.
    #[error("the daemon's token is missing: run `bproxy service restart`")]
    NoToken,
    /// The port file holds something else.
    #[error("{} does not hold a port number: run `bproxy service restart`", .0.display())]
    Port(PathBuf),
    /// The port has gone to somebody else.
    #[error(
        "port {port} is served by the user with id {user}, not by you: nothing was sent; start your own daemon on \
         another port (BPROXY_PORT) with `bproxy service start`"
    )]
    NotOurs {
        /// The port.
        port: u16,
        /// Whose it is.
        user: u32,
    },
    /// The system should tell whose the port is, and does not.
    #[error("cannot tell who serves port {port}, so nothing was sent: {reason}")]
    Untold {
        /// The port.
        port: u16,
        /// Why not.
        reason: String,
    },
    /// The request is larger than the daemon takes.
    #[error(
        "the request has {size} bytes, and the daemon takes at most {MAX_BODY_BYTES}: send less text"
    )]
    TooLarge {
        /// Its size.
        size: usize,
    },
    /// The connection failed.
    #[error("cannot talk to the daemon on port {port}: {source}; see `bproxy service status`")]
    Exchange {
        /// The port.
        port: u16,
        /// The system's reason.
        source: io::Error,
    },
    /// Nothing came back in time.
    #[error(
        "the daemon on port {port} did not answer in time: see `bproxy service status`, or restart it with `bproxy service restart`"
    )]
    Mute {
        /// The port.
        port: u16,
    },
    /// The daemon refused the request before it became a command.
    #[error("the daemon refused the request with status {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its reason.
        message: String,
    },
    /// The same, by a daemon that was started before bproxy was updated, or before that was undone.
    #[error(
        "the daemon is bproxy {version}, and this is {}: run `bproxy service restart`; it refused the request: {message}",
        env!("CARGO_PKG_VERSION")
    )]
    Version {
        /// The daemon's version.
        version: String,
        /// Its reason.
        message: String,
    },
    /// What came back is no answer of this protocol.
    #[error(
        "the answer on port {port} (status {status}) is not one that bproxy gives: is the daemon of another version? Run `bproxy service restart`"
    )]
    Foreign {
        /// The port.
        port: u16,
        /// The HTTP status.
        status: u16,
    },
}

/// An answer's envelope.
#[derive(Debug)]
pub struct Answer {
    /// Whether it tells of success.
    pub ok: bool,
    /// The envelope as it came, in JSON.
    pub body: Vec<u8>,
}

/// A way to the daemon of one state directory.
pub struct Client {
    port: u16,
    token: Option<Secret>,
}

impl Client {
    /// Finds the daemon that serves `home`, and the token it takes.
    ///
    /// # Errors
    /// When there is no daemon or no token, or a file is open to others.
    pub fn with_token(home: &Home, secrets: SecretsChoice) -> Result<Client, Error> {
        let port = port(home)?;
        let token = secrets::client_token(secrets, home)?.ok_or(Error::NoToken)?;
        Ok(Client { port, token: Some(token) })
    }

    /// The daemon that listens on `port`, or that a service manager starts for a connection to it.
    pub fn new(port: u16, token: Secret) -> Client {
        Client { port, token: Some(token) }
    }

    /// The same, for what the daemon tells anyone.
    pub fn anonymous(port: u16) -> Client {
        Client { port, token: None }
    }

    /// Finds the daemon that serves `home`, for what it tells anyone.
    ///
    /// # Errors
    /// When there is no daemon, or the state directory is open to others.
    pub fn without_token(home: &Home) -> Result<Client, Error> {
        Ok(Client { port: port(home)?, token: None })
    }

    /// Where the daemon listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends one command in a session (empty for none) and waits for its answer, at most `timeout` and a little.
    /// Commands with the same `id` at the same time are one command; [`request_id`] makes ids that are not.
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
        self.command_until(&HangUp::default(), id, action, session, timeout)
    }

    /// The same, until another thread hangs up: a command that has not reached the browser by then never does.
    ///
    /// # Errors
    /// When no envelope comes back, as after hanging up.
    pub fn command_until(
        &self,
        hang_up: &HangUp,
        id: &str,
        action: &Action,
        session: &str,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        let body = body(id, action, session, timeout)?;
        let mut stream = self.connect(Instant::now() + timeout + GRACE)?;
        hang_up.ends(&stream).map_err(|source| self.failed(source))?;
        self.answer(self.exchange(&mut stream, "POST", "/", body.as_bytes(), After::Close)?)
    }

    /// A connection for several commands, one after the other. It is made with the first of them.
    pub fn connection(&self) -> Connection<'_> {
        Connection { client: self, stream: None }
    }

    /// What the daemon says of itself.
    ///
    /// # Errors
    /// When it says nothing.
    pub fn health(&self) -> Result<Vec<u8>, Error> {
        let mut stream = self.connect(Instant::now() + HEALTH_WAIT)?;
        match self.exchange(&mut stream, "GET", "/health", b"", After::Close)? {
            (200, body) => Ok(body),
            (status, body) => Err(self.refusal(status, &body)),
        }
    }

    /// Everything on the connection has to be done by `deadline`.
    fn connect(&self, deadline: Instant) -> Result<Stream, Error> {
        let stream = Stream::connect(self.port, deadline).map_err(|source| self.failed(source))?;
        self.check_listener()?;
        Ok(stream)
    }

    fn exchange(
        &self,
        stream: &mut Stream,
        method: &str,
        path: &str,
        body: &[u8],
        after: After,
    ) -> Result<(u16, Vec<u8>), Error> {
        exchange::send(stream, self.port, method, path, self.token.as_ref(), body, after)
            .and_then(|()| exchange::receive(stream))
            .map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> Error {
        let port = self.port;
        match source.kind() {
            io::ErrorKind::ConnectionRefused => Error::NotRunning,
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Error::Mute { port },
            _ => Error::Exchange { port, source },
        }
    }

    fn answer(&self, (status, body): (u16, Vec<u8>)) -> Result<Answer, Error> {
        let envelope =
            serde_json::from_slice::<Verdict>(&body).ok().filter(|verdict| verdict.id.is_some());
        match (status, envelope) {
            (200 | 502, Some(Verdict { ok, .. })) => Ok(Answer { ok, body }),
            _ => match (self.refusal(status, &body), status) {
                (Error::Refused { message, .. }, 400) => Err(self.misunderstood(message)),
                (error, _) => Err(error),
            },
        }
    }

    /// Why a request was refused that this version takes to be right: the daemon may be of another one.
    fn misunderstood(&self, message: String) -> Error {
        #[derive(Deserialize)]
        struct Health {
            version: String,
        }
        let health = Client::anonymous(self.port).health().ok();
        match health.and_then(|health| serde_json::from_slice(&health).ok()) {
            Some(Health { version }) if version != env!("CARGO_PKG_VERSION") => {
                Error::Version { version, message }
            }
            _ => Error::Refused { status: 400, message },
        }
    }

    /// The token goes to a daemon of this user alone, and not to whoever took the port after it ended.
    fn check_listener(&self) -> Result<(), Error> {
        let port = self.port;
        match loopback::listener_owner(port) {
            Ok(ListenerOwner::User(user)) if user == rustix::process::geteuid().as_raw() => Ok(()),
            Ok(ListenerOwner::User(user)) => Err(Error::NotOurs { port, user }),
            Ok(ListenerOwner::Unknown) => Ok(()),
            Ok(ListenerOwner::Nobody) => {
                Err(Error::Untold { port, reason: "the system does not list it; try again".into() })
            }
            Err(error) => Err(Error::Untold { port, reason: error.to_string() }),
        }
    }

    fn refusal(&self, status: u16, body: &[u8]) -> Error {
        #[derive(Deserialize)]
        struct Refusal {
            error: Reason,
        }
        #[derive(Deserialize)]
        struct Reason {
            code: String,
            #[serde(default)]
            message: String,
        }
        match serde_json::from_slice(body) {
            Ok(Refusal { error: Reason { code, message } }) if message.is_empty() => {
                Error::Refused { status, message: code }
            }
            Ok(Refusal { error: Reason { message, .. } }) => Error::Refused { status, message },
            Err(_) => Error::Foreign { port: self.port, status },
        }
    }
}

/// A connection that carries one command after another, for as long as the daemon keeps it open; then another one is
/// made. A command is never sent a second time.
pub struct Connection<'a> {
    client: &'a Client,
    stream: Option<Stream>,
}

impl Connection<'_> {
    /// Does what [`Client::command`] does.
    ///
    /// # Errors
    /// When no envelope comes back.
    pub fn command(
        &mut self,
        id: &str,
        action: &Action,
        session: &str,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        let body = body(id, action, session, timeout)?;
        let deadline = Instant::now() + timeout + GRACE;
        let mut stream = match self.stream.take().filter(Stream::is_idle) {
            Some(mut stream) => {
                stream.set_deadline(deadline);
                stream
            }
            None => self.client.connect(deadline)?,
        };
        let received =
            self.client.exchange(&mut stream, "POST", "/", body.as_bytes(), After::Keep)?;
        self.stream = Some(stream);
        self.client.answer(received)
    }
}

/// The two facts of an envelope that decide what becomes of it. Reading them checks that it is whole.
#[derive(Deserialize)]
struct Verdict {
    ok: bool,
    id: Option<serde::de::IgnoredAny>,
}

fn port(home: &Home) -> Result<u16, Error> {
    let path = home.port();
    let bytes = home.read_secret(&path)?.ok_or(Error::NotRunning)?;
    let port = str::from_utf8(&bytes).ok().and_then(|text| text.trim_end().parse().ok());
    port.filter(|port| *port != 0).ok_or(Error::Port(path))
}

fn body(id: &str, action: &Action, session: &str, timeout: Duration) -> Result<String, Error> {
    let params = RawValue::from_string(action.params()).expect("parameters become JSON");
    let deadline = SystemTime::now() + timeout;
    let deadline = deadline.duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis());
    let envelope = Envelope {
        protocol_version: VERSION,
        id,
        action: action.name(),
        params: &params,
        session,
        deadline: i64::try_from(deadline).unwrap_or(i64::MAX),
        destructive: action.facts().effect.destructive(),
    };
    let body = serde_json::to_string(&envelope).expect("texts and numbers become JSON");
    if body.len() > MAX_BODY_BYTES { Err(Error::TooLarge { size: body.len() }) } else { Ok(body) }
}

/// A new request id: 26 characters, of which the first ten tell the time, so that ids sort as they were made.
pub fn request_id() -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const RANDOM_BITS: u32 = 80;
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis());
    let bits = (ms << RANDOM_BITS) | (rand::random::<u128>() >> (128 - RANDOM_BITS));
    (0..26).rev().map(|at| char::from(ALPHABET[(bits >> (5 * at)) as usize & 31])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Request;

    #[test]
    fn request_ids_are_distinct_and_sort_by_time() {
        let early = request_id();
        assert_eq!(early.len(), 26);
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(2) {}
        let late = request_id();
        assert!(early < late);
        assert_ne!(early, late);
    }

    #[test]
    fn a_request_is_one_that_the_daemon_takes() {
        let target = crate::protocol::Target::Selector("a[href=\"x\"]".into());
        let action: Action = crate::protocol::Click { target }.into();
        let text = body("01X", &action, "m4q7z2", Duration::from_secs(30)).unwrap();
        let request = Request::parse(text.as_bytes()).unwrap();
        assert_eq!(request.action, action);
        assert_eq!((&*request.id, &*request.session, request.destructive), ("01X", "m4q7z2", true));
    }
}
