//! The daemon's listening sockets, its port and its Unix socket: inherited from a service manager (socket activation), or
//! bound by the daemon itself.

mod bind;
mod inherited;
mod launchd;
pub(super) mod local;
mod systemd;

use std::path::Path;

use crate::daemon::{self, Activation};
use inherited::Inherited;

/// The sockets' name: `FileDescriptorName=` in systemd's unit, the key of the port below `Sockets` in launchd's plist.
const NAME: &str = "bproxy";

/// Why there is no listening socket.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port could not be bound.
    #[error(transparent)]
    Bind(#[from] bind::Error),
    /// A socket is required, and no manager has passed one.
    #[error(
        "no service manager has handed over the socket {NAME:?}: start it by its socket (`systemctl --user start \
         bproxy.socket`), or run `bproxy daemon` without --activated"
    )]
    Missing,
    /// systemd's variables are meant for another process.
    #[error(
        "the socket {NAME:?} is not for this process: LISTEN_PID is {given:?}, and this is process {own}; start the \
         daemon without a shell or another program in between"
    )]
    Pid {
        /// The variable's value.
        given: String,
        /// This process's id.
        own: u32,
    },
    /// No socket, or more than one, has the right name.
    #[error(
        "no single socket named {NAME:?} was handed over: LISTEN_FDS is {count:?} and LISTEN_FDNAMES {}; set \
         FileDescriptorName={NAME} in the socket's unit", names.as_deref().map_or("none".to_owned(), |names| format!("{names:?}"))
    )]
    Names {
        /// The number of sockets: the variable's value.
        count: String,
        /// The names of the sockets: the variable's value.
        names: Option<String>,
    },
    /// launchd has the socket and does not pass it.
    #[error(
        "launchd does not hand over the socket {name:?} of bproxy: {reason}; see `bproxy service install`"
    )]
    Launchd {
        /// The socket's key in the plist.
        name: String,
        /// launchd's reason.
        reason: String,
    },
    /// The socket is of the wrong kind.
    #[error(
        "the socket {NAME:?} that was handed over is {found}: it must be a listening TCP socket at 127.0.0.1 \
         (ListenStream=127.0.0.1:9615) or a Unix socket with a path"
    )]
    WrongSocket {
        /// What was passed instead.
        found: inherited::WrongSocket,
    },
    /// There are too many or too few of one kind.
    #[error(
        "of the sockets {NAME:?} that were handed over, {ports} are TCP sockets and {locals} are Unix sockets: it must be \
         one TCP socket (ListenStream=127.0.0.1:9615) and at most one Unix socket (ListenStream=%t/bproxy/socket)"
    )]
    Kinds {
        /// How many TCP sockets there are.
        ports: usize,
        /// How many Unix sockets there are.
        locals: usize,
    },
}

impl Error {
    /// Whether the configuration must change: a restart alone cannot help.
    pub(super) fn is_about_configuration(&self) -> bool {
        !matches!(self, Error::Bind(_))
    }
}

/// The daemon's listening sockets, and which process created that on loopback.
#[derive(Debug)]
pub(super) struct Listeners {
    /// The sockets.
    pub(super) sockets: daemon::Listeners,
    /// Which process created that on loopback.
    pub(super) activation: Activation,
}

/// Takes over the sockets that a service manager passes to this process; `None` if there are none and none are
/// `required`. Call this before the process starts a second thread.
///
/// # Errors
/// When a required socket is missing, or a passed one cannot be the daemon's. The error names the socket, and what was
/// found instead.
pub(super) fn inherit(required: bool) -> Result<Option<Listeners>, Error> {
    if let Some(sockets) = systemd::inherit()? {
        return sort(sockets, Activation::Systemd).map(Some);
    }
    if let Some(sockets) = launchd::inherit()? {
        return sort(sockets, Activation::Launchd).map(Some);
    }
    if required { Err(Error::Missing) } else { Ok(None) }
}

/// Tells the sockets apart by their families.
fn sort(sockets: Vec<Inherited>, activation: Activation) -> Result<Listeners, Error> {
    let (mut ports, mut locals) = (vec![], vec![]);
    for socket in sockets {
        match socket {
            Inherited::Port(socket) => ports.push(socket),
            Inherited::Local(socket) => locals.push(socket),
        }
    }
    if ports.len() != 1 || locals.len() > 1 {
        return Err(Error::Kinds { ports: ports.len(), locals: locals.len() });
    }
    let sockets = daemon::Listeners { port: ports.remove(0), local: locals.pop() };
    Ok(Listeners { sockets, activation })
}

/// Binds `port` on loopback; 0 takes any free port.
///
/// # Errors
/// Names the port, and the process that has it if the system tells.
pub(super) fn bind(port: u16) -> Result<Listeners, Error> {
    let sockets = daemon::Listeners { port: bind::bind(port)?, local: None };
    Ok(Listeners { sockets, activation: Activation::Standalone })
}

impl Listeners {
    /// Binds the Unix socket at `path` if no manager passed one; tells whether it did. Call this with the state
    /// directory's lock.
    ///
    /// # Errors
    /// When it cannot be bound. The port serves without it.
    pub(super) fn bind_local(&mut self, path: &Path) -> Result<bool, local::Error> {
        if self.sockets.local.is_none() {
            self.sockets.local = Some(local::bind(path)?);
            return Ok(true);
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn there_is_one_port_and_at_most_one_unix_socket() {
        let directory = tempfile::tempdir().unwrap();
        let port = || Inherited::Port(TcpListener::bind("127.0.0.1:0").unwrap());
        let local =
            |name: &str| Inherited::Local(UnixListener::bind(directory.path().join(name)).unwrap());
        let sorted = sort(vec![local("a"), port()], Activation::Systemd).unwrap();
        assert!(sorted.sockets.local.is_some());
        assert!(sort(vec![port()], Activation::Systemd).unwrap().sockets.local.is_none());
        for sockets in
            [vec![local("b")], vec![port(), port()], vec![port(), local("c"), local("d")]]
        {
            let message = sort(sockets, Activation::Systemd).unwrap_err().to_string();
            assert!(message.contains("bproxy") && message.contains("ListenStream"), "{message}");
        }
    }
}
