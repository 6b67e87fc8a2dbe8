//! The daemon's listening socket: inherited from a service manager (socket activation), or bound by the daemon itself.

mod bind;
mod inherited;
mod launchd;
mod systemd;

use std::net::TcpListener;

use crate::daemon::Activation;

/// The socket's name: `FileDescriptorName=` in systemd's unit, the key below `Sockets` in launchd's plist.
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
        "launchd does not hand over the socket {NAME:?}: {reason}; see `bproxy service install`"
    )]
    Launchd {
        /// launchd's reason.
        reason: String,
    },
    /// The socket is of the wrong kind.
    #[error(
        "the socket {NAME:?} that was handed over is {found}: it must be a listening TCP socket at 127.0.0.1 \
         (ListenStream=127.0.0.1:9615)"
    )]
    WrongSocket {
        /// What was passed instead.
        found: inherited::WrongSocket,
    },
}

impl Error {
    /// Whether the configuration must change: a restart alone cannot help.
    pub(super) fn is_about_configuration(&self) -> bool {
        !matches!(self, Error::Bind(_))
    }
}

/// A listening socket on loopback, and which process created it.
pub(super) struct ListeningSocket {
    /// The socket.
    pub(super) listener: TcpListener,
    /// Which process created it.
    pub(super) activation: Activation,
}

/// Takes over the socket that a service manager passes to this process; `None` if there is none and none is `required`.
/// Call this before the process starts a second thread.
///
/// # Errors
/// When a required socket is missing, or the passed one cannot be the daemon's. The error names the socket, and what was
/// found instead.
pub(super) fn inherit(required: bool) -> Result<Option<ListeningSocket>, Error> {
    if let Some(listener) = systemd::inherit()? {
        return Ok(Some(ListeningSocket { listener, activation: Activation::Systemd }));
    }
    if let Some(listener) = launchd::inherit()? {
        return Ok(Some(ListeningSocket { listener, activation: Activation::Launchd }));
    }
    if required { Err(Error::Missing) } else { Ok(None) }
}

/// Binds `port` on loopback; 0 takes any free port.
///
/// # Errors
/// Names the port, and the process that has it if the system tells.
pub(super) fn bind(port: u16) -> Result<ListeningSocket, Error> {
    let listener = bind::bind(port)?;
    Ok(ListeningSocket { listener, activation: Activation::Standalone })
}
