//! Where a client reaches its daemon, and whose process is there.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::Error;
use super::exchange::Stream;
use crate::home::{Home, SOCKET};
use crate::loopback::{self, ListenerOwner};
use crate::protocol::DEFAULT_PORT;
use crate::secrets::Secret;
use crate::{runtime_dir, supervisor};

/// A daemon's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// On 127.0.0.1.
    Port(u16),
    /// A Unix socket.
    Socket(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Port(port) => write!(f, "port {port}"),
            Address::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

/// The way to a daemon, with what it needs.
pub(super) enum Way {
    /// By its port, with its token.
    Port { port: u16, token: Option<Secret> },
    /// By its Unix socket, which needs no token.
    Local(Local),
}

/// A Unix socket that somebody of this user listens on.
pub(super) struct Local {
    path: PathBuf,
    /// The state directory, which has the daemon's port.
    home: PathBuf,
    /// The connection that has found it, for the first call.
    first: Mutex<Option<Stream>>,
}

impl Local {
    /// The socket that leads to the daemon of the state directory `home`: in that directory, else the one that systemd
    /// listens on for the default one. `None` if nobody listens on either.
    ///
    /// # Errors
    /// [`Error::OtherUser`] when another user listens there.
    pub(super) fn find(home: &Path, deadline: Instant) -> Result<Option<Local>, Error> {
        let activated = || {
            let runtime = supervisor::serves(home).then(runtime_dir::user_runtime_dir).flatten();
            runtime.map(|runtime| runtime.join("bproxy").join(SOCKET))
        };
        for path in std::iter::once(home.join(SOCKET)).chain(activated()) {
            // No socket, nobody who listens, or a path that is too long for one: another way may lead on.
            let Ok(stream) = Stream::connect_local(&path, deadline) else { continue };
            let address = Address::Socket(path.clone());
            check_user(&address, stream.peer_user())?;
            let (home, first) = (home.to_owned(), Mutex::new(Some(stream)));
            return Ok(Some(Local { path, home, first }));
        }
        Ok(None)
    }
}

impl Way {
    pub(super) fn address(&self) -> Address {
        match self {
            Way::Port { port, .. } => Address::Port(*port),
            Way::Local(local) => Address::Socket(local.path.clone()),
        }
    }

    pub(super) fn port(&self) -> Option<u16> {
        match self {
            Way::Port { port, .. } => Some(*port),
            Way::Local(local) => {
                let home = Home::find(&local.home).ok()??;
                super::running_port(&home).ok()
            }
        }
    }

    /// What `Host` says.
    pub(super) fn host(&self) -> String {
        match self {
            Way::Port { port, .. } => format!("127.0.0.1:{port}"),
            Way::Local(_) => "localhost".to_owned(),
        }
    }

    pub(super) fn token(&self) -> Option<&Secret> {
        match self {
            Way::Port { token, .. } => token.as_ref(),
            Way::Local(_) => None,
        }
    }

    /// Opens a connection, and makes sure that it leads to a process of this user before anything is sent.
    pub(super) fn open(&self, deadline: Instant) -> Result<Stream, Error> {
        let failed = |source| failed(&self.address(), source);
        match self {
            Way::Port { port, .. } => {
                let stream = Stream::connect(*port, deadline).map_err(failed)?;
                check_listener(*port)?;
                Ok(stream)
            }
            Way::Local(local) => {
                let first = local.first.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(mut stream) = first.filter(Stream::is_idle) {
                    stream.set_deadline(deadline);
                    return Ok(stream);
                }
                let stream = Stream::connect_local(&local.path, deadline).map_err(failed)?;
                check_user(&self.address(), stream.peer_user())?;
                Ok(stream)
            }
        }
    }
}

/// Makes sure that the token goes to this user's daemon, and not to another user's process that took the port after the
/// daemon ended.
pub(super) fn check_listener(port: u16) -> Result<(), Error> {
    let address = Address::Port(port);
    match loopback::listener_owner(port) {
        Ok(ListenerOwner::User(user)) => check_user(&address, Ok(user)),
        Ok(ListenerOwner::Unknown) => Ok(()),
        Ok(ListenerOwner::Nobody) => Err(Error::UnknownListener {
            address,
            reason: "the system does not list it; try again".into(),
        }),
        Err(error) => Err(Error::UnknownListener { address, reason: error.to_string() }),
    }
}

fn check_user(address: &Address, user: io::Result<u32>) -> Result<(), Error> {
    let address = address.clone();
    match user {
        Ok(user) if user == rustix::process::geteuid().as_raw() => Ok(()),
        Ok(user) => {
            let port = match &address {
                Address::Port(port) => *port,
                Address::Socket(_) => DEFAULT_PORT,
            };
            let free = loopback::free_port_after(port);
            Err(Error::OtherUser { address, user, free })
        }
        Err(error) => Err(Error::UnknownListener { address, reason: error.to_string() }),
    }
}

/// Why a connection to `address` failed.
pub(super) fn failed(address: &Address, source: io::Error) -> Error {
    let address = address.clone();
    match (source.kind(), &address) {
        (io::ErrorKind::ConnectionRefused, _) | (io::ErrorKind::NotFound, Address::Socket(_)) => {
            Error::NotRunning
        }
        (io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock, _) => Error::Timeout { address },
        _ => Error::Exchange { address, source },
    }
}
