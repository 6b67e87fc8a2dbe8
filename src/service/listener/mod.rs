//! Where the daemon's listening socket comes from: a service manager that holds it, or a port that is bound.

mod bind;
mod handed;
mod launchd;
mod systemd;

use std::net::TcpListener;

use crate::daemon::Activation;

/// The socket's name in `FileDescriptorName=` of systemd's unit and below `Sockets` in launchd's plist.
const NAME: &str = "bproxy";

/// Why there is no socket to serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port could not be bound.
    #[error(transparent)]
    Bind(#[from] bind::Error),
    /// No manager has handed anything over, and one should have.
    #[error(
        "no service manager has handed over the socket {NAME:?}: start it by its socket (`systemctl --user start \
         bproxy.socket`), or run `bproxy daemon` without --activated"
    )]
    Expected,
    /// The variables are for another process.
    #[error(
        "the socket {NAME:?} is not for this process: LISTEN_PID is {given:?}, and this is process {own}; start the \
         daemon without a shell or another program in between"
    )]
    Pid {
        /// What the variable says.
        given: String,
        /// This process.
        own: u32,
    },
    /// There is not one socket with the right name.
    #[error(
        "no single socket named {NAME:?} was handed over: LISTEN_FDS is {count:?} and LISTEN_FDNAMES {}; set \
         FileDescriptorName={NAME} in the socket's unit", names.as_deref().map_or("none".to_owned(), |names| format!("{names:?}"))
    )]
    Names {
        /// How many there are, as the variable says.
        count: String,
        /// Their names, as the variable says.
        names: Option<String>,
    },
    /// launchd has the socket and keeps it.
    #[error(
        "launchd does not hand over the socket {NAME:?}: {reason}; see `bproxy service install`"
    )]
    Launchd {
        /// Why.
        reason: String,
    },
    /// The socket is of the wrong kind.
    #[error(
        "the socket {NAME:?} that was handed over is {got}: it must be a listening TCP socket at 127.0.0.1 \
         (ListenStream=127.0.0.1:9615)"
    )]
    Wrong {
        /// What it is.
        got: handed::Wrong,
    },
}

impl Error {
    /// Whether starting again cannot help.
    pub(super) fn is_about_configuration(&self) -> bool {
        !matches!(self, Error::Bind(_))
    }
}

/// A listening socket on loopback, and who made it.
pub(super) struct Listening {
    /// The socket.
    pub(super) listener: TcpListener,
    /// Who made it.
    pub(super) activation: Activation,
}

/// Takes over the socket that a service manager holds for this process; `None` where none does and none is `expected`
/// to. To be called before the process has a second thread.
///
/// # Errors
/// When there is one that cannot be the daemon's, or there should be one: names the socket, and what was got instead.
pub(super) fn take_over(expected: bool) -> Result<Option<Listening>, Error> {
    if let Some(listener) = systemd::take()? {
        return Ok(Some(Listening { listener, activation: Activation::Systemd }));
    }
    if let Some(listener) = launchd::take()? {
        return Ok(Some(Listening { listener, activation: Activation::Launchd }));
    }
    if expected { Err(Error::Expected) } else { Ok(None) }
}

/// Binds `port` on loopback, 0 for any free one.
///
/// # Errors
/// Names the port, and who holds it where the system tells.
pub(super) fn bind(port: u16) -> Result<Listening, Error> {
    let listener = bind::bind(port)?;
    Ok(Listening { listener, activation: Activation::Standalone })
}
